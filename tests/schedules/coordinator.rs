//! One coordinator as a host builds it: callers join flights, each flight runs its exchange to the end in a task of its
//! own, and a sign-out turns the callers away at once while their exchange goes on.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use refresh_coordinator::protocol::context::{Call, Carried, Context};
use refresh_coordinator::protocol::demand::{Demand, Need};
use refresh_coordinator::protocol::failure::Failure;
use refresh_coordinator::protocol::flight::{FlightKey, Flights, Ticket};
use refresh_coordinator::protocol::names::Names;
use refresh_coordinator::protocol::ports::{LockScope, Params};
use refresh_coordinator::protocol::settings::Settings;
use refresh_coordinator::protocol::tokens::{Secret, TokenSet};
use refresh_coordinator::protocol::verdict::Granted;

use super::bell::Bell;
use super::monitor::{LIFETIME, user_of};
use super::ports::Ports;
use super::promise::Promise;
use super::site::Site;
use super::tab::Tab;
use super::trace::{note, reached};

/// What a caller gets.
pub type Outcome = Result<TokenSet, Failure>;

/// The names that all tabs share.
pub fn names() -> Names {
    Names::new("https://issuer.example/token", "client", "session")
}

/// A coordinator in its tab.
pub struct Coordinator {
    context: Context<Ports>,
    flights: Flights<Promise<Outcome>>,
    /// What the flights must know too, noted independently of them.
    open: RefCell<Vec<Open>>,
    entering: Cell<u32>,
    entered: Bell,
    draining: Cell<bool>,
    /// The session that the open flights belong to, as far as one was met.
    flown: RefCell<Option<String>>,
    /// Sign-outs under way.
    leaving: Cell<u32>,
    /// Counts sign-outs, at their beginning and at their end: what was asked before says nothing of what is there after.
    epoch: Cell<u32>,
}

/// A flight that was handed out.
struct Open {
    key: FlightKey,
    promise: Promise<Outcome>,
    sent: Rc<Cell<bool>>,
}

/// A call, and what is expected of it.
pub struct Asked {
    pub who: String,
    pub demand: Demand,
    /// When, as the ledger counts, and by the clock.
    pub at: u64,
    pub since: i64,
    /// The session its context holds, and the user whom the application knows to be signed in.
    pub sid: Option<String>,
    pub user: Option<String>,
    pub promise: Promise<Outcome>,
    tab: Rc<Tab>,
}

impl Asked {
    /// Did the tab stand still once? Then so did its callers.
    pub fn in_frozen_tab(&self) -> bool {
        self.tab.frozen.get()
    }
}

/// A flight under way.
struct Flight {
    ticket: Ticket,
    promise: Promise<Outcome>,
    sent: Rc<Cell<bool>>,
    presented: Option<Secret>,
    demand: Demand,
    sid: Option<String>,
    /// It was asked for during a sign-in.
    enters: bool,
    epoch: u32,
}

impl Coordinator {
    /// A coordinator in a tab of its own.
    pub fn open(site: &Rc<Site>, lock: LockScope, can_revoke: bool) -> Rc<Self> {
        let name = ['A', 'B', 'C', 'D'].get(site.tabs.borrow().len()).copied().unwrap_or('E');
        let mut settings = Settings::default();
        if lock == LockScope::None {
            // Long enough to watch an intent to its end within one call.
            settings.lock_wait = 60_000;
        }
        let ports = Ports { site: site.clone(), tab: Tab::new(name, lock, can_revoke) };
        let coordinator = Rc::new(Self {
            context: Context::new(ports, settings, names()),
            flights: Flights::new(),
            open: RefCell::default(),
            entering: Cell::default(),
            entered: Bell::default(),
            draining: Cell::default(),
            flown: RefCell::default(),
            leaving: Cell::default(),
            epoch: Cell::default(),
        });
        site.tabs.borrow_mut().push(coordinator.clone());
        coordinator
    }

    pub fn tab(&self) -> &Rc<Tab> {
        &self.context.world.tab
    }

    pub fn site(&self) -> &Rc<Site> {
        &self.context.world.site
    }

    /// Is no flight open?
    pub fn is_idle(&self) -> bool {
        self.flights.is_empty()
    }

    /// The need of a caller who wants something newer than this context has handed out.
    pub fn newer(&self, params: &Params) -> Need {
        Need::Newer(self.context.mark(params, None))
    }

    /// Asks for tokens: the open flight with this demand, or a new one.
    pub fn ask(self: &Rc<Self>, who: &str, presented: Option<Secret>, demand: Demand) -> Asked {
        let (site, tab) = (self.site().clone(), self.tab());
        let enters = self.entering.get() > 0;
        let sid = self.context.sid().filter(|_| !enters && presented.is_none());
        // In the middle of a sign-in or a sign-out, either session is a good answer.
        let settled = !enters && self.leaving.get() == 0 && presented.is_none();
        // Nor does it know whose session it is, before anything of a session that its context has just met was told.
        let user = tab.user.borrow().clone().filter(|(_, known)| settled && sid.as_ref() == Some(known));
        let key = FlightKey { presented: presented.clone(), demand: demand.clone() };
        let asked = |promise| Asked {
            who: format!("{}'s {who}", tab.name),
            demand: demand.clone(),
            at: site.ledger.moment(),
            since: site.time.now(),
            sid: sid.clone().filter(|_| settled),
            user: user.map(|(user, _)| user),
            promise,
            tab: tab.clone(),
        };
        note(|| format!("{}'s {who} asks, in session {sid:?}", tab.name));
        self.leave_other_session();
        let expected = self.expected(&key);
        if let Some(joined) = self.flights.join(&key) {
            reached("a caller joined a flight");
            if !expected.is_some_and(|expected| expected.is(&joined)) {
                site.ledger.violated(format!("I10: {}'s {who} joins a flight that is not its own", tab.name));
            }
            return asked(joined);
        }
        if expected.is_some() {
            site.ledger.violated(format!("I10: {}'s {who} gets a promise of its own", tab.name));
        }
        let (promise, sent) = (Promise::new(), Rc::new(Cell::new(false)));
        let ticket = self.flights.start(key.clone(), promise.clone());
        self.open.borrow_mut().push(Open { key, promise: promise.clone(), sent: sent.clone() });
        let asked = asked(promise.clone());
        let flight = Flight { ticket, promise, sent, presented, demand, sid, enters, epoch: self.epoch.get() };
        let coordinator = self.clone();
        let name = format!("the flight of {}", asked.who);
        tab.process.spawn(&site.time, name, async move { coordinator.fly(flight).await });
        asked
    }

    /// Nobody joins the flights of a session that the context has left. They land on their own.
    fn leave_other_session(&self) {
        let sid = self.context.sid();
        let flown = self.flown.replace(sid.clone());
        if flown.is_some() && flown != sid {
            reached("a flight of another session was not joined");
            self.flights.abandon();
            self.open.borrow_mut().clear();
        }
    }

    /// The promise that a caller with this key must be given, if it must be one that others hold.
    fn expected(&self, key: &FlightKey) -> Option<Promise<Outcome>> {
        let mut open = self.open.borrow_mut();
        open.retain(|flight| !flight.promise.is_settled());
        let minted = key.demand.need == Need::MintedAfterNow;
        let same = open.iter().find(|flight| flight.key == *key && !(minted && flight.sent.get()));
        if minted && same.is_none() && open.iter().any(|flight| flight.key == *key) {
            reached("a caller came too late for a flight that was sent");
        }
        same.map(|flight| flight.promise.clone())
    }

    async fn fly(&self, mut flight: Flight) {
        // Whoever signs in and then asks gets the new session, even without waiting in between.
        while flight.enters && self.entering.get() > 0 {
            self.entered.after(self.entered.count()).await;
            flight.sid = self.context.sid();
        }
        let on_sent = || {
            flight.sent.set(true);
            self.flights.sent(flight.ticket);
        };
        let on_tokens = |tokens: &TokenSet| self.land(&flight, Ok(tokens.clone()));
        let call = Call { sid: flight.sid.clone(), on_look: &|| (), on_sent: &on_sent, on_tokens: &on_tokens };
        let outcome = match &flight.presented {
            None => self.context.refresh(&flight.demand, &call).await,
            Some(presented) => self.context.renew(&carried(presented.expose()), &flight.demand, &call).await,
        };
        self.land(&flight, outcome);
        if !flight.sent.get() {
            return;
        }
        match &flight.presented {
            None => self.drain_behind().await,
            Some(presented) => drop(self.context.drain_carried(presented, false).await),
        }
    }

    fn land(&self, flight: &Flight, outcome: Outcome) {
        let open = self.flights.end(flight.ticket);
        note(|| {
            let sid = self.context.sid();
            format!(
                "{}: a flight lands, open {open}, tokens {}, and leaves the tab in session {sid:?}",
                self.tab().name,
                outcome.is_ok()
            )
        });
        if !open && !flight.promise.is_settled() {
            reached("a flight landed that nobody can join any more");
        }
        let stays = self.leaving.get() == 0 && self.epoch.get() == flight.epoch;
        let told = flight.promise.settle(outcome.clone());
        match &outcome {
            Ok(tokens) if self.context.sid().as_ref() == Some(&tokens.sid) && stays => {
                let access = tokens.grant.access_token.as_ref().map_or("", Secret::expose);
                *self.tab().user.borrow_mut() = Some((user_of(access).to_owned(), tokens.sid.clone()));
            }
            Err(Failure::NoSession { .. }) if told => *self.tab().user.borrow_mut() = None,
            _ => {}
        }
    }

    async fn drain_behind(&self) {
        if self.tab().can_revoke && !self.draining.replace(true) {
            self.context.drain().await;
            self.draining.set(false);
        }
    }

    /// Signs the user out.
    pub async fn sign_out(&self) {
        note(|| format!("{}: signs out", self.tab().name));
        self.leaving.set(self.leaving.get() + 1);
        self.forget_user();
        self.site().ledger.ends();
        turn_away(self.flights.abandon());
        if !self.is_idle() || self.open.borrow().iter().any(|flight| !flight.promise.is_settled()) {
            self.site().ledger.violated("I4: a sign-out leaves a caller waiting".to_owned());
        }
        let signed_out = self.context.sign_out().await;
        self.leaving.set(self.leaving.get() - 1);
        self.forget_user();
        if signed_out.is_ok() {
            self.context.drain().await;
        }
    }

    fn forget_user(&self) {
        *self.tab().user.borrow_mut() = None;
        self.epoch.set(self.epoch.get() + 1);
    }

    /// Signs a user in.
    pub async fn sign_in(&self, user: &str) {
        note(|| format!("{}: signs {user} in", self.tab().name));
        let leaving = self.flights.abandon();
        self.open.borrow_mut().clear();
        self.entering.set(self.entering.get() + 1);
        self.tab().signing_in.set(self.tab().signing_in.get() + 1);
        let mut tokens = carried(&format!("{user}.0"));
        tokens.granted.access_token = Some(Secret::new(format!("{user}-access-0")));
        tokens.granted.lifetime = Some(LIFETIME);
        tokens.issued_at = self.site().time.now();
        let before = self.context.sid();
        let entered = self.context.sign_in(tokens, &Vec::new()).await;
        if entered.is_ok() {
            *self.tab().user.borrow_mut() = self.context.sid().map(|sid| (user.to_owned(), sid));
        }
        if before.is_some() && before != self.context.sid() {
            turn_away(leaving);
        }
        self.tab().signing_in.set(self.tab().signing_in.get() - 1);
        self.entering.set(self.entering.get() - 1);
        self.entered.ring();
    }
}

/// The session of these flights is over: their callers hear it now, whatever becomes of the exchanges.
fn turn_away(flights: Vec<Promise<Outcome>>) {
    for promise in flights {
        reached("a flight was turned away");
        promise.settle(Err(Failure::no_session("the user signed out")));
    }
}

fn carried(token: &str) -> Carried {
    Carried {
        granted: Granted { refresh_token: Some(Secret::new(token)), ..Granted::default() },
        issued_at: 0,
        fixed: false,
    }
}
