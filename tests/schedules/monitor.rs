//! The invariants, checked while a schedule runs and at its end.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use refresh_coordinator::protocol::demand::Need;
use refresh_coordinator::protocol::failure::Failure;
use refresh_coordinator::protocol::ports::{LockScope, Params, Versioned};
use refresh_coordinator::protocol::record::{Record, State};
use refresh_coordinator::protocol::tokens::{Grant, Secret};

use super::coordinator::{Asked, Outcome};
use super::site::{Request, Site, Write};
use super::tab::Tab;
use super::trace::{note, reached};
use crate::server::{Answer, Kind};

/// The life of every access token, in milliseconds.
pub const LIFETIME: i64 = 3_600_000;
/// No caller waits longer than this, in milliseconds: the longest patience, and what may follow a request sent at its end.
const LONGEST: i64 = 120_000;

/// The session of user `u`, whose access token has just expired.
pub fn signed_in() -> Record {
    let mut record = Record::begun("s0".into(), Some(Secret::new("u.0")));
    let grant = Grant {
        access_token: Some(Secret::new("u-access-0")),
        expires_at: 0,
        issued_at: -LIFETIME,
        minted: 0,
        token_type: None,
        scope: None,
        id_token: None,
        extra: Default::default(),
    };
    record.grants.insert(String::new(), grant);
    record
}

/// Whose token is it?
pub fn user_of(token: &str) -> &str {
    token.split(['.', '-']).next().unwrap_or_default()
}

/// What has happened.
#[derive(Default)]
pub struct Ledger {
    /// A message was lost, or came too late.
    pub network: Cell<bool>,
    /// A tab died.
    crash: Cell<bool>,
    /// A tab without locks stood still between its send and its commit.
    paused: Cell<bool>,
    /// Orders calls and requests.
    moments: Cell<u64>,
    /// What each access token was minted for: the request's parameters, and when it was sent.
    minted: RefCell<BTreeMap<String, (Params, u64)>>,
    /// The refresh tokens that were granted something, and those that they were granted.
    granted: RefCell<Vec<String>>,
    obtained: RefCell<Vec<String>>,
    /// The tokens that were queued for revocation, and those that were revoked.
    queued: RefCell<Vec<Secret>>,
    revoked: RefCell<Vec<Secret>>,
    /// Until when a token must not be presented.
    cooling: RefCell<Option<(String, i64)>>,
    signed_out: RefCell<Vec<String>>,
    ended: Cell<bool>,
    violation: RefCell<Option<String>>,
}

impl Ledger {
    /// The first violated invariant.
    pub fn violation(&self) -> Option<String> {
        self.violation.borrow().clone()
    }

    /// An invariant is violated.
    pub fn violated(&self, what: String) {
        note(|| format!("!!! {what}"));
        self.violation.borrow_mut().get_or_insert(what);
    }

    /// A moment after all others so far.
    pub fn moment(&self) -> u64 {
        self.moments.set(self.moments.get() + 1);
        self.moments.get()
    }

    /// A user is signing out: from now on callers may be turned away.
    pub fn ends(&self) {
        self.ended.set(true);
    }

    /// Could a spent token reach the server, and a session be lost, whatever anybody does?
    fn is_excused(&self) -> bool {
        self.network.get() || self.crash.get() || self.paused.get()
    }

    /// A tab dies.
    pub fn dies(&self, tab: &Tab) {
        note(|| format!("{} dies", tab.name));
        reached("a tab died");
        self.crash.set(true);
    }

    /// A tab is about to stand still.
    pub fn freezes(&self, tab: &Tab) {
        note(|| format!("{} stands still", tab.name));
        reached("a tab stood still");
        tab.frozen.set(true);
        if tab.lock != LockScope::Covering && tab.sending.get() {
            self.paused.set(true);
        }
    }

    /// How many refresh tokens were granted something.
    pub fn grants(&self) -> usize {
        self.granted.borrow().len()
    }

    /// A request is about to leave.
    pub fn presenting(&self, site: &Site, tab: &Tab, token: &str) -> u64 {
        note(|| format!("{}: presents {token}", tab.name));
        tab.sending.set(true);
        if self.cooling.borrow().as_ref().is_some_and(|(cooling, until)| cooling == token && *until > site.time.now()) {
            self.violated(format!("{} presents {token} during its cool-down", tab.name));
        }
        let says_spent = tab.claimed.borrow().as_ref().is_some_and(|record| record.has_spent(&Secret::new(token)));
        if says_spent || tab.spent.borrow().iter().any(|spent| spent == token) {
            self.violated(format!("I1: {} presents {token}, which it knows to be spent", tab.name));
        }
        self.moment()
    }

    /// The server has answered.
    pub fn arrived(&self, from: &Tab, request: &Request, answer: &Answer, reuse: bool) {
        if reuse && !self.is_excused() {
            self.violated(format!("a spent token ({}) reached the server, sent by {}", request.token, from.name));
        }
        let Answer::Granted(refresh, access) = answer else { return };
        self.obtained.borrow_mut().push(refresh.clone());
        self.minted.borrow_mut().insert(access.clone(), (request.params.clone(), request.sent));
        let again = self.granted.borrow().contains(&request.token);
        if again && !self.is_excused() {
            self.violated(format!("I2: {} was granted something twice", request.token));
        }
        if !again {
            self.granted.borrow_mut().push(request.token.clone());
        }
    }

    /// A revocation is about to arrive.
    pub fn revoking(&self, site: &Site, tab: &Tab, token: &Secret) {
        note(|| format!("{}: revokes {}", tab.name, token.expose()));
        reached("a token was revoked");
        let living = site.records().iter().any(|record| record.is_live(token));
        self.revoked.borrow_mut().push(token.clone());
        if living {
            self.violated(format!("I5: {} revokes {}, which lives", tab.name, token.expose()));
        }
    }

    /// A write is about to be applied.
    pub fn writing(&self, site: &Site, tab: &Tab, before: Option<&Versioned>, write: &Write) {
        let Ok(after) = Record::decode(&write.value) else { return };
        note(|| format!("{}: writes {}", tab.name, summary(&after)));
        let mine = after.intent.as_ref().is_some_and(|intent| intent.nonce.starts_with(tab.name));
        if mine {
            *tab.claimed.borrow_mut() = Some(after.clone());
        } else {
            tab.sending.set(false);
        }
        if let Some(until) = after.retry_at.filter(|_| after.intent.is_none()) {
            let live = after.refresh_token.as_ref().map_or("", Secret::expose).to_owned();
            *self.cooling.borrow_mut() = Some((live, until));
        }
        self.queued.borrow_mut().extend(after.revoke.iter().cloned());
        let session = !site.successor_mode;
        let signs_in = tab.signing_in.get() > 0;
        if after.state == State::Rejected && tab.refused_unread.get() {
            self.violated(format!("I8: {} gives the session up without having read the record again", tab.name));
        }
        if after.state == State::Rejected && !self.is_excused() {
            self.violated(format!("I11: {} gives the session up, and nothing happened that costs it", tab.name));
        }
        let Some(before) = before.and_then(|found| Record::decode(&found.value).ok()) else {
            if session && after.state == State::Active && !signs_in {
                self.violated(format!("I7: {} writes a session back that is gone", tab.name));
            }
            return;
        };
        self.compare(tab, &before, &after, signs_in);
        if session && before.state != State::Out && (after.state == State::Out || before.sid != after.sid) {
            self.ended.set(true);
            let user = before.refresh_token.as_ref().map(|token| user_of(token.expose()).to_owned());
            self.signed_out.borrow_mut().extend(user.filter(|_| after.state == State::Out));
        }
        if before.state == State::Out && after.revoke.len() > before.revoke.len() {
            reached("a late grant was queued for revocation");
        }
    }

    fn compare(&self, tab: &Tab, before: &Record, after: &Record, signs_in: bool) {
        let (old, new) = (before.generation, after.generation);
        if before.sid == after.sid && new < old {
            self.violated(format!("I3: {} writes generation {new} over generation {old}", tab.name));
        }
        if before.sid == after.sid && before.state == State::Out && after.state != State::Out {
            self.violated(format!("I7: {} writes a session back that was signed out", tab.name));
        }
        if before.sid != after.sid && !signs_in {
            self.violated(format!("I3: {} writes session {} over {}", tab.name, after.sid, before.sid));
        }
        let mut kept = before.clone();
        kept.revoke.retain(|token| after.revoke.contains(token));
        let revoked = self.revoked.borrow();
        let done = before.revoke.iter().all(|token| kept.revoke.contains(token) || revoked.contains(token));
        if kept.revoke != before.revoke && (kept != *after || !done) {
            self.violated(format!("I3: {} drops a token that waits for its revocation", tab.name));
        }
    }

    /// A caller has its outcome.
    pub fn answered(&self, site: &Site, asked: &Asked, outcome: &Outcome) {
        let who = &asked.who;
        note(|| format!("{who} gets {}", said(outcome)));
        let waited = site.time.now() - asked.since;
        if waited > LONGEST && !asked.in_frozen_tab() {
            self.violated(format!("I4: {who} has waited for {waited} ms"));
        }
        match outcome {
            Ok(tokens) => {
                let access = tokens.grant.access_token.as_ref().map_or("", Secret::expose);
                self.got_tokens(asked, access, tokens.refresh_token.as_ref().map_or("", Secret::expose));
                if asked.sid.as_ref().is_some_and(|sid| *sid != tokens.sid) {
                    self.violated(format!(
                        "I6: {who} asked in session {:?} and gets tokens of {}",
                        asked.sid, tokens.sid
                    ));
                }
                if tokens.grant.expires_at <= site.time.now() {
                    self.violated(format!("{who} gets {access}, which has expired"));
                }
            }
            Err(Failure::NoSession { .. }) if !self.ended.get() => {
                self.violated(format!("I11: {who} is told that there is no session, and nobody has signed out"));
            }
            Err(Failure::Revoked { .. }) if !self.is_excused() => {
                self.violated(format!(
                    "I11: {who} is told that the session is revoked, and nothing happened that costs it"
                ));
            }
            Err(Failure::Transient { .. } | Failure::Store { .. }) if site.faultless => {
                self.violated(format!("{who} is told {}, and nothing is in its way", said(outcome)));
            }
            _ => {}
        }
    }

    fn got_tokens(&self, asked: &Asked, access: &str, refresh: &str) {
        let who = &asked.who;
        let user = user_of(access);
        if asked.user.as_ref().is_some_and(|asked| asked != user) || user_of(refresh) != user {
            self.violated(format!("I6: {who} asked for {:?} and gets {access} with {refresh}", asked.user));
        }
        if asked.demand.need == Need::NotThis(Secret::new(access)) {
            self.violated(format!("{who} gets {access}, which it has just refused"));
        }
        let minted = self.minted.borrow();
        let (params, sent) = minted.get(access).cloned().unwrap_or_default();
        if params != asked.demand.params {
            self.violated(format!(
                "I6: {who} asked with {:?} and gets what was minted for {params:?}",
                asked.demand.params
            ));
        }
        if asked.demand.need == Need::MintedAfterNow && sent < asked.at {
            self.violated(format!("{who} gets {access}, which was asked for before its call"));
        }
    }

    /// Every task has ended.
    pub fn end(&self, site: &Site) {
        if !site.locks.are_free() {
            self.violated("a lock is still held, or waited for, although everybody has gone".to_owned());
        }
        if !site.time.is_silent() {
            self.violated("an alarm is still set, although everybody has gone".to_owned());
        }
        let records = site.records();
        for record in records.iter().filter(|_| !site.successor_mode) {
            if record.intent.is_some() && site.faultless {
                self.violated(format!("an intent stands for ever: {}", summary(record)));
            }
            let live = record.refresh_token.as_ref().filter(|_| record.state == State::Active);
            let accepted = live.is_none_or(|live| site.server.borrow().accepts(live.expose(), site.time.now()));
            if (!accepted || record.state == State::Rejected) && !self.may_lose(site.server.borrow().kind) {
                self.violated(format!("the session is lost: {}", summary(record)));
            }
        }
        let rotates = site.server.borrow().kind != Kind::NonRotating;
        let generations: u64 = records.iter().map(|record| record.generation).sum();
        if site.faultless && !self.ended.get() && !site.successor_mode && rotates && generations != self.grants() as u64
        {
            self.violated(format!("I2: {} tokens were granted something in {generations} generations", self.grants()));
        }
        let revokes = site.tabs.borrow().iter().all(|coordinator| coordinator.tab().can_revoke);
        for user in self.signed_out.borrow().iter().filter(|_| revokes && !self.is_excused()) {
            let (granted, queued) = (self.granted.borrow(), self.queued.borrow());
            let obtained = self.obtained.borrow();
            let mut unused = obtained.iter().filter(|token| user_of(token) == user && !granted.contains(token));
            if let Some(token) = unused.find(|token| !queued.contains(&Secret::new(*token))) {
                self.violated(format!("I7: {token} outlives the sign-out"));
            }
        }
    }

    /// Could the session be lost, whatever anybody does? A server that only refuses what was used before never ends one
    /// because somebody stood still.
    fn may_lose(&self, kind: Kind) -> bool {
        self.network.get() || self.crash.get() || (self.paused.get() && kind != Kind::RefuseOnly)
    }
}

fn said(outcome: &Outcome) -> String {
    match outcome {
        Ok(tokens) => format!("{} of {}", tokens.grant.access_token.as_ref().map_or("-", Secret::expose), tokens.sid),
        Err(failure) => failure.to_string(),
    }
}

fn summary(record: &Record) -> String {
    let live = record.refresh_token.as_ref().map_or("-", Secret::expose);
    let intent = record.intent.as_ref().map(|intent| (&intent.nonce, intent.locked));
    let queue: Vec<&str> = record.revoke.iter().map(Secret::expose).collect();
    format!(
        "{:?} {} generation {} live {live} intent {intent:?} sends {} retryAt {:?} revoke {queue:?}",
        record.state, record.sid, record.generation, record.sends, record.retry_at
    )
}
