//! A world that does what a test says: one step after the other, with a clock that only moves when somebody waits.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::pin;
use std::task::{Context as TaskContext, Poll, Waker};

use refresh_coordinator::protocol::context::{Call, Carried, Context};
use refresh_coordinator::protocol::demand::{Demand, Need};
use refresh_coordinator::protocol::failure::Failure;
use refresh_coordinator::protocol::names::Names;
use refresh_coordinator::protocol::notice::{Notice, What};
use refresh_coordinator::protocol::ports::{
    Address, Channel, Clock, LockScope, Locks, Observer, Presentation, Randomness, Store, StoreFailure, TokenEndpoint,
    Versioned, Wait, Waiting, Woken, Written,
};
use refresh_coordinator::protocol::record::Record;
use refresh_coordinator::protocol::settings::Settings;
use refresh_coordinator::protocol::tokens::{Grant, Secret, TokenSet};
use refresh_coordinator::protocol::verdict::{Class, Details, Fault, Granted, Refusal, Spent, Verdict};

/// What the wall clock shows while the monotonic one shows zero.
pub const START: i64 = 1_795_000_000_000;
/// The life of every access token here, in milliseconds.
pub const LIFETIME: i64 = 3_600_000;

/// Something that happens in the world at a moment the test has named.
pub type Event = Box<dyn FnOnce(&Scripted)>;

/// The same; true if what was to be done fails.
pub type Ordeal = Box<dyn FnOnce(&Scripted) -> bool>;

/// What happens to one write.
pub enum Fate {
    Works,
    /// It throws, and nothing was written.
    Throws,
    /// It throws, and was written.
    ThrowsAfterwards,
    /// This happens first.
    After(Event),
}

/// One entry of the store.
#[derive(Clone, Debug)]
pub struct Kept {
    pub value: String,
    pub version: u64,
    pub ttl: Option<i64>,
}

/// One presentation as it went out.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    pub token: Option<String>,
    pub attempt: u32,
    pub deadline: i64,
}

/// The world of one context.
#[derive(Default)]
pub struct Scripted {
    /// The monotonic clock.
    pub monotonic: Cell<i64>,
    /// How far the wall clock has jumped.
    pub jumped: Cell<i64>,
    pub store: RefCell<BTreeMap<String, Kept>>,
    versions: Cell<u64>,
    nonces: Cell<u64>,
    /// What happens before the next reads.
    pub reads: RefCell<VecDeque<Ordeal>>,
    /// What happens to the next writes.
    pub writes: RefCell<VecDeque<Fate>>,
    /// What happens in the next waits, instead of the time going by.
    pub waits: RefCell<VecDeque<Event>>,
    /// The moments until which was waited, on the monotonic clock.
    pub waited: RefCell<Vec<i64>>,
    /// The next verdicts, with what happens while the request is on its way.
    pub verdicts: RefCell<VecDeque<(Event, Verdict)>>,
    /// The next client authentications that cannot be computed.
    pub prepared: RefCell<VecDeque<Refusal>>,
    /// The attempts for which one was computed.
    pub attempts: RefCell<Vec<u32>>,
    pub sent: RefCell<Vec<Sent>>,
    pub notices: RefCell<Vec<What>>,
    pub announced: RefCell<Vec<(String, String, u64)>>,
    pub heard: Cell<u64>,
    pub lag: Cell<i64>,
    pub locks: Cell<Option<LockScope>>,
    /// Somebody else holds the lock.
    pub taken: Cell<bool>,
    /// Our lock was stolen.
    pub stolen: Cell<bool>,
    /// How many locks of ours were let go.
    pub released: std::rc::Rc<Cell<u32>>,
    pub dismissed: Cell<bool>,
    pub needs_token: Cell<bool>,
    pub can_revoke: Cell<bool>,
    pub revoked: RefCell<Vec<String>>,
    /// The tokens that cannot be revoked.
    pub unrevokable: RefCell<Vec<String>>,
}

/// A lock that is held.
pub struct Held(std::rc::Rc<Cell<u32>>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

impl Scripted {
    /// Somebody else writes this record.
    pub fn put(&self, key: &str, record: &Record) {
        self.keep(key, record.encode(), None);
    }

    fn keep(&self, key: &str, value: String, ttl: Option<i64>) -> u64 {
        let version = self.versions.get() + 1;
        self.versions.set(version);
        self.store.borrow_mut().insert(key.to_owned(), Kept { value, version, ttl });
        version
    }

    /// The record under a key.
    pub fn record(&self, key: &str) -> Option<Record> {
        let kept = self.store.borrow().get(key).cloned()?;
        Some(Record::decode(&kept.value).expect("a record"))
    }

    /// The next presentation is answered so.
    pub fn answer(&self, verdict: Verdict) {
        self.answer_after(|_| {}, verdict);
    }

    /// The next presentation is answered so, and this happens while it is on its way.
    pub fn answer_after(&self, event: impl FnOnce(&Self) + 'static, verdict: Verdict) {
        self.verdicts.borrow_mut().push_back((Box::new(event), verdict));
    }

    /// The next read fails.
    pub fn fail_read(&self) {
        self.reads.borrow_mut().push_back(Box::new(|_| true));
    }

    /// This happens before the next read that is not spoken for.
    pub fn before_read(&self, event: impl FnOnce(&Self) + 'static) {
        self.reads.borrow_mut().push_back(Box::new(|world| {
            event(world);
            false
        }));
    }

    /// This happens in the next wait that is not spoken for.
    pub fn while_waiting(&self, event: impl FnOnce(&Self) + 'static) {
        self.waits.borrow_mut().push_back(Box::new(event));
    }

    /// How often this was noticed.
    pub fn noticed(&self, what: &What) -> usize {
        self.notices.borrow().iter().filter(|other| *other == what).count()
    }

    fn failure() -> StoreFailure {
        StoreFailure { code: "store-threw", message: "away".into(), cause: None }
    }
}

impl Store for Scripted {
    async fn read(&self, at: &Address) -> Result<Option<Versioned>, StoreFailure> {
        let event = self.reads.borrow_mut().pop_front();
        if event.is_some_and(|event| event(self)) {
            return Err(Self::failure());
        }
        let kept = self.store.borrow().get(&at.key).cloned();
        Ok(kept.map(|kept| Versioned { value: kept.value, version: kept.version.to_string() }))
    }

    async fn write(
        &self,
        at: &Address,
        value: &str,
        _generation: u64,
        if_version: Option<&str>,
        ttl: Option<i64>,
    ) -> Result<Written, StoreFailure> {
        let fate = self.writes.borrow_mut().pop_front().unwrap_or(Fate::Works);
        let throws = match fate {
            Fate::Throws => return Err(Self::failure()),
            Fate::ThrowsAfterwards => true,
            Fate::After(event) => {
                event(self);
                false
            }
            Fate::Works => false,
        };
        let there = self.store.borrow().get(&at.key).map(|kept| kept.version.to_string());
        if there.as_deref() != if_version {
            return Ok(Written::Conflict);
        }
        let version = self.keep(&at.key, value.to_owned(), ttl);
        if throws { Err(Self::failure()) } else { Ok(Written::Done(version.to_string())) }
    }

    fn lag(&self) -> i64 {
        self.lag.get()
    }
}

impl Locks for Scripted {
    type Held = Held;

    fn scope(&self, _key: &str) -> LockScope {
        self.locks.get().unwrap_or(LockScope::None)
    }

    fn still_held(&self, _held: &Held) -> bool {
        !self.stolen.get()
    }
}

impl Waiting for Scripted {
    async fn wait_any(&self, wait: Wait<'_>) -> Woken<Held> {
        if self.dismissed.get() {
            return Woken::Dismissed;
        }
        if wait.lock && !self.taken.get() {
            return Woken::Locked(Held(self.released.clone()));
        }
        let event = self.waits.borrow_mut().pop_front();
        if let Some(event) = event {
            event(self);
            if self.dismissed.get() {
                return Woken::Dismissed;
            }
            if wait.hint_after.is_some_and(|count| self.heard.get() > count) {
                return Woken::Hinted;
            }
        }
        self.waited.borrow_mut().push(wait.until);
        assert!(self.waited.borrow().len() < 1_000, "it waits for ever");
        self.monotonic.set(self.monotonic.get().max(wait.until));
        Woken::Elapsed
    }
}

impl Channel for Scripted {
    fn announce(&self, key: &str, sid: &str, generation: u64) {
        self.announced.borrow_mut().push((key.to_owned(), sid.to_owned(), generation));
    }

    fn heard(&self, _key: &str) -> u64 {
        self.heard.get()
    }
}

impl TokenEndpoint for Scripted {
    type Prepared = ();

    fn needs_token(&self) -> bool {
        self.needs_token.get()
    }

    async fn prepare(&self, attempt: u32) -> Result<(), Refusal> {
        self.attempts.borrow_mut().push(attempt);
        self.prepared.borrow_mut().pop_front().map_or(Ok(()), Err)
    }

    async fn present(&self, (): (), presentation: Presentation<'_>) -> Verdict {
        let Presentation { refresh_token, attempt, deadline, .. } = presentation;
        let token = refresh_token.map(|token| token.expose().to_owned());
        self.sent.borrow_mut().push(Sent { token, attempt, deadline });
        let (event, verdict) = self.verdicts.borrow_mut().pop_front().expect("a presentation nobody has foreseen");
        event(self);
        verdict
    }

    async fn revoke(&self, token: &Secret) -> Result<(), Refusal> {
        if self.unrevokable.borrow().iter().any(|other| other == token.expose()) {
            return Err(refusal(Class::Transient, Spent::No));
        }
        self.revoked.borrow_mut().push(token.expose().to_owned());
        Ok(())
    }

    fn can_revoke(&self) -> bool {
        self.can_revoke.get()
    }
}

impl Clock for Scripted {
    fn wall(&self) -> i64 {
        START + self.jumped.get() + self.monotonic.get()
    }

    fn monotonic(&self) -> i64 {
        self.monotonic.get()
    }
}

impl Randomness for Scripted {
    fn nonce(&self) -> String {
        self.nonces.set(self.nonces.get() + 1);
        format!("n{}", self.nonces.get())
    }

    fn per_mille(&self) -> u32 {
        999
    }
}

impl Observer for Scripted {
    fn notice(&self, notice: Notice) {
        self.notices.borrow_mut().push(notice.what);
    }
}

/// A context with a store of its own.
pub fn context() -> Context<Scripted> {
    context_with(Settings::default())
}

pub fn context_with(settings: Settings) -> Context<Scripted> {
    Context::new(Scripted::default(), settings, Names::new("https://issuer.example/token", "web", "main"))
}

/// Nothing in this world is ever late: whatever waits for something else hangs.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).as_mut().poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it waits for something that never comes"),
    }
}

/// A call that nobody listens to.
pub fn call(context: &Context<Scripted>) -> Call<'static> {
    Call { sid: context.sid(), on_look: &|| {}, on_sent: &|| {}, on_tokens: &|_| {} }
}

pub fn granted(refresh: &str, access: &str) -> Granted {
    Granted {
        refresh_token: Some(Secret::new(refresh)),
        access_token: Some(Secret::new(access)),
        lifetime: Some(LIFETIME),
        ..Granted::default()
    }
}

pub fn grants(refresh: &str, access: &str) -> Verdict {
    Verdict::Granted(Box::new(granted(refresh, access)))
}

pub fn refusal(class: Class, spent: Spent) -> Refusal {
    Refusal { class, spent, details: Details::new(Fault::Server, "", "refused"), retry_after: None }
}

pub fn refuses(class: Class, spent: Spent) -> Verdict {
    Verdict::Refused(Box::new(refusal(class, spent)))
}

/// Tokens that were issued at the start.
pub fn carried(refresh: &str, access: &str) -> Carried {
    Carried { granted: granted(refresh, access), issued_at: START, fixed: false }
}

/// A grant that ends so many milliseconds after the start.
pub fn grant(access: &str, ends: i64, minted: u64) -> Grant {
    Grant {
        access_token: Some(Secret::new(access)),
        expires_at: START + ends,
        issued_at: START,
        minted,
        token_type: None,
        scope: None,
        id_token: None,
        extra: Default::default(),
    }
}

/// A session `s` with the refresh token `R0` and the access token `A0`, which lives as long as any.
pub fn session() -> Record {
    let mut record = Record::begun("s".into(), Some(Secret::new("R0")));
    record.grants.insert(String::new(), grant("A0", LIFETIME, 0));
    record
}

/// Any valid token, for no particular parameters.
pub fn any() -> Demand {
    needing(Need::Valid)
}

pub fn needing(need: Need) -> Demand {
    Demand { params: Vec::new(), need }
}

/// How a call failed: the class, and the code if it has one of its own.
pub fn told<T: std::fmt::Debug>(result: Result<T, Failure>) -> (&'static str, String) {
    let failure = result.expect_err("a failure");
    let (class, details) = match &failure {
        Failure::Revoked { details, .. } => ("revoked", details),
        Failure::Interaction { details, .. } => ("interaction", details),
        Failure::Transient { details, .. } => ("transient", details),
        Failure::Configuration { details, .. } => ("configuration", details),
        Failure::NoSession { details } => ("no session", details),
        Failure::Store { details } => ("store", details),
    };
    (class, details.code.clone().into_owned())
}

/// The access token of a set.
pub fn access(tokens: &TokenSet) -> &str {
    tokens.grant.access_token.as_ref().map_or("", Secret::expose)
}
