//! The simulated world: contexts, store, lock, channel, clock, server and faults; and every step it can take next.

use std::collections::BTreeMap;
use std::rc::Rc;

use refresh_coordinator::protocol::ports::LockScope;
use refresh_coordinator::protocol::record::Record;
use refresh_coordinator::protocol::safeguard::{Safeguard, dropped};

use super::histories::{Histories, HistoryId};
use super::monitor;
use super::replay::{Effect, Outcome, Output, Reply, Role, Senses, names};
use super::server::{Answer, Kind, Server};

/// Which faults may happen. Each one costs one unit of the budget.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Requests that arrive late or never, and replies that are lost.
    pub network: bool,
    /// Contexts that end.
    pub crash: bool,
    /// Contexts that stand still for any time, and come back.
    pub pause: bool,
    /// Writes that fail, whose outcome is unknown, or that land late.
    pub write: bool,
}

/// One world to be searched completely.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: String,
    pub roles: Vec<Role>,
    pub server: Kind,
    pub faults: Faults,
    pub budget: u8,
    /// Are announcements heard at once by everybody else? Otherwise they are lost.
    pub channel: bool,
    /// May a tombstone expire at any time?
    pub tombstones_expire: bool,
    /// Successor mode: nobody is signed in, tokens are carried.
    pub successor_mode: bool,
}

/// A stored value. Equal versions of a key are equal values only along one path, so the value counts as well.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    pub value: Rc<str>,
    pub version: u32,
}

/// One context, as far as the world sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Running {
    pub history: HistoryId,
    pub crashed: bool,
    pub paused: bool,
    /// What it was answered while it stood still.
    pub mailbox: Option<Reply>,
    /// What the server has answered and the network not yet delivered.
    pub reply: Option<Reply>,
    pub heard: u64,
    pub watch: monitor::Watch,
}

/// What has happened, as far as it excuses a lost session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Happened {
    pub network: bool,
    pub crash: bool,
    /// Somebody stood still between send and commit.
    pub paused_sending: bool,
    pub paused: bool,
    /// A request was on its way with nobody waiting for its reply.
    pub orphan: bool,
    pub write: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    pub contexts: Vec<Running>,
    pub store: BTreeMap<Rc<str>, Cell>,
    pub next_version: u32,
    pub lock: Option<usize>,
    pub server: Server,
    pub now: i64,
    /// Requests that still travel, with nobody waiting for the reply.
    pub orphans: Vec<String>,
    /// Writes that may still land.
    pub late: Vec<(usize, String, Rc<str>, Option<String>)>,
    pub budget: u8,
    pub happened: Happened,
    pub ledger: monitor::Ledger,
}

/// One step of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The context's effect happens and is answered.
    Act(usize),
    /// Its wait ends with the lock, a hint, or its end.
    Wake(usize, Reply),
    /// Its request reaches the server; the reply is on its way.
    Arrive(usize),
    /// The reply reaches it.
    Deliver(usize),
    /// Time passes until the next wait ends.
    Tick(i64),
    /// A paused context goes on.
    Resume(usize),
    /// A request arrives that nobody waits for.
    Orphan(usize),
    /// A write lands that was reported as failed.
    Land(usize),
    /// The tombstone expires.
    Expire,
    Fault(usize, Fault),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request or its reply is lost for the context; the request may still arrive.
    Lose,
    Crash,
    /// It crashes right after its write was applied.
    CrashAfter,
    /// It stands still before its effect happens.
    Pause,
    /// Its effect happens, then it stands still.
    PauseAfter,
    WriteFails,
    WriteUnknown,
    WriteLate,
}

impl Scenario {
    pub fn session_key() -> String {
        thread_local! {
            static KEY: String = names().session().key;
        }
        KEY.with(String::clone)
    }

    /// The world before anything happens: user `u` is signed in, and the access token has just expired.
    pub fn start(&self, histories: &mut Histories) -> State {
        let mut store = BTreeMap::new();
        if !self.successor_mode {
            let record = monitor::signed_in("s0", "u");
            store.insert(Self::session_key().into(), Cell { value: record.encode().into(), version: 0 });
        }
        let contexts = (0..self.roles.len())
            .map(|at| Running {
                history: histories.start(at),
                crashed: false,
                paused: false,
                mailbox: None,
                reply: None,
                heard: 0,
                watch: monitor::Watch::new(&self.roles[at]),
            })
            .collect();
        State {
            contexts,
            store,
            next_version: 1,
            lock: None,
            server: Server::new(self.server, &["u", "v"]),
            now: 0,
            orphans: Vec::new(),
            late: Vec::new(),
            budget: self.budget,
            happened: Happened::default(),
            ledger: monitor::Ledger::default(),
        }
    }

    /// Every step possible in a state.
    pub fn steps(&self, state: &State, histories: &Histories) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut may_tick = true;
        let mut next_end: Option<i64> = None;
        for (at, context) in state.contexts.iter().enumerate() {
            let Some(effect) = histories.effect(context.history).filter(|_| !context.crashed) else { continue };
            if context.paused {
                steps.push(Step::Resume(at));
                continue;
            }
            match effect {
                Effect::Wait { lock, hint_after, until } => {
                    let before = steps.len();
                    if *lock && state.lock.is_none() {
                        steps.push(Step::Wake(at, Reply::Locked));
                    }
                    if hint_after.is_some_and(|heard| context.heard > heard) {
                        steps.push(Step::Wake(at, Reply::Hinted));
                    }
                    if *until <= state.now {
                        steps.push(Step::Wake(at, Reply::Elapsed));
                    }
                    may_tick &= steps.len() == before;
                    next_end = Some(next_end.map_or(*until, |end| end.min(*until)));
                }
                Effect::Present { .. } if context.reply.is_none() => {
                    steps.push(Step::Arrive(at));
                    may_tick = false;
                }
                Effect::Present { .. } => {
                    steps.push(Step::Deliver(at));
                    may_tick = false;
                }
                _ => {
                    steps.push(Step::Act(at));
                    // Nobody is in a hurry to begin: time may pass before.
                    may_tick &= matches!(histories.outputs(context.history).last(), Some(Output::Began(_)));
                }
            }
            self.faults_of(state, at, effect, &mut steps);
        }
        if let Some(end) = next_end.filter(|end| may_tick && *end > state.now) {
            steps.push(Step::Tick(end));
        }
        steps.extend((0..state.orphans.len()).map(Step::Orphan));
        steps.extend((0..state.late.len()).map(Step::Land));
        if self.tombstones_expire && monitor::is_tombstone(state) {
            steps.push(Step::Expire);
        }
        steps
    }

    /// The faults that can hit a context now. Those that change nothing for anybody else are left out: a context that
    /// ends or stands still while it only reads or waits is one that never began, or not yet.
    fn faults_of(&self, state: &State, at: usize, effect: &Effect, steps: &mut Vec<Step>) {
        if state.budget == 0 {
            return;
        }
        let mut fault = |fault| steps.push(Step::Fault(at, fault));
        let writes = matches!(effect, Effect::Write { .. });
        let presents = matches!(effect, Effect::Present { .. });
        if self.faults.network && presents {
            fault(Fault::Lose);
        }
        if self.faults.crash && (writes || presents) {
            fault(Fault::Crash);
            if writes {
                fault(Fault::CrashAfter);
            }
        }
        if self.faults.pause && (writes || presents || state.lock == Some(at)) {
            fault(Fault::Pause);
            if writes {
                fault(Fault::PauseAfter);
            }
        }
        if self.faults.write && writes {
            fault(Fault::WriteFails);
            fault(Fault::WriteUnknown);
            fault(Fault::WriteLate);
        }
    }

    /// Takes a step. An error is a violated invariant.
    pub fn take(&self, state: &State, step: &Step, histories: &mut Histories) -> Result<State, String> {
        let mut next = state.clone();
        match step {
            Step::Act(at) => {
                let reply = self.happen(&mut next, *at, histories)?;
                self.answer(&mut next, *at, reply, histories)?;
            }
            Step::Wake(at, reply) => {
                if *reply == Reply::Locked {
                    next.lock = Some(*at);
                }
                self.answer(&mut next, *at, reply.clone(), histories)?;
            }
            Step::Arrive(at) => {
                let token = presented(histories.effect(state.contexts[*at].history));
                next.contexts[*at].reply = Some(self.arrive(&mut next, &token, Some(*at), histories)?);
            }
            Step::Deliver(at) => {
                let reply = next.contexts[*at].reply.take().expect("it has arrived");
                self.answer(&mut next, *at, reply, histories)?;
            }
            Step::Tick(end) => next.now = *end,
            Step::Resume(at) => {
                next.contexts[*at].paused = false;
                if let Some(reply) = next.contexts[*at].mailbox.take() {
                    self.answer(&mut next, *at, reply, histories)?;
                }
            }
            Step::Orphan(index) => {
                let token = next.orphans.remove(*index);
                self.arrive(&mut next, &token, None, histories)?;
            }
            Step::Land(index) => {
                let (at, key, value, if_version) = next.late.remove(*index);
                self.write(&mut next, at, &key, value, if_version.as_deref())?;
            }
            Step::Expire => {
                next.store.remove(Self::session_key().as_str());
            }
            Step::Fault(at, fault) => self.fail(&mut next, *at, *fault, histories)?,
        }
        Ok(next)
    }

    /// The effect happens in the world.
    fn happen(&self, next: &mut State, at: usize, histories: &Histories) -> Result<Reply, String> {
        match histories.effect(next.contexts[at].history).expect("it waits for an effect").clone() {
            Effect::Read { key } => {
                next.contexts[at].watch.has_read();
                let cell = next.store.get(key.as_str());
                Ok(Reply::Read(cell.map(|cell| (cell.value.to_string(), cell.version.to_string()))))
            }
            Effect::Write { key, value, if_version, .. } => {
                self.write(next, at, &key, value.into(), if_version.as_deref())
            }
            Effect::Revoke { token } => {
                monitor::revocation(next, &token)?;
                next.server.revoke(&token);
                Ok(Reply::Revoked)
            }
            other => Err(format!("{other:?} does not just happen")),
        }
    }

    fn write(
        &self,
        next: &mut State,
        at: usize,
        key: &str,
        value: Rc<str>,
        if_version: Option<&str>,
    ) -> Result<Reply, String> {
        let there = next.store.get(key);
        let same = there.map(|cell| cell.version.to_string()).as_deref() == if_version;
        if !same && !dropped(Safeguard::ConditionalWrite) {
            return Ok(Reply::Conflict);
        }
        let before = there.map(|cell| cell.value.clone());
        monitor::write(self, next, at, key, before.as_deref(), &value)?;
        let version = next.next_version;
        next.next_version += 1;
        next.store.insert(key.into(), Cell { value, version });
        Ok(Reply::Written(version.to_string()))
    }

    /// A request reaches the server.
    fn arrive(
        &self,
        next: &mut State,
        token: &str,
        from: Option<usize>,
        histories: &Histories,
    ) -> Result<Reply, String> {
        let reuses = next.server.reuses;
        let sends = |context: &Running| matches!(histories.effect(context.history), Some(Effect::Present { token: other }) if other == token);
        let meets =
            next.contexts.iter().any(|context| matches!(context.reply, Some(Reply::Granted { .. })) && sends(context));
        let answer = next.server.present(token, next.now, meets);
        if next.server.reuses > reuses && !self.may_reuse(next) {
            return Err(format!("a spent token ({token}) reached the server without a cause that excuses it"));
        }
        match answer {
            Answer::Granted(refresh, access) => {
                monitor::granted(self, next, token, from)?;
                Ok(Reply::Granted { refresh, access })
            }
            Answer::Refused => Ok(Reply::Refused),
        }
    }

    /// The reply reaches the context, which goes on to its next effect.
    fn answer(&self, next: &mut State, at: usize, reply: Reply, histories: &mut Histories) -> Result<(), String> {
        monitor::reply(next, at, &reply, histories);
        let context = &mut next.contexts[at];
        let senses = Senses { now: next.now, heard: context.heard };
        context.history = histories.follow(context.history, reply, senses);
        for output in histories.outputs(context.history).to_vec() {
            match output {
                Output::Released => {
                    if next.lock == Some(at) {
                        next.lock = None;
                    }
                }
                Output::Announced { generation } => {
                    for other in (0..next.contexts.len()).filter(|other| self.channel && *other != at) {
                        next.contexts[other].heard += 1;
                        next.contexts[other].watch.has_heard(generation);
                    }
                }
                Output::Early => monitor::early(self, next, at)?,
                Output::Began(index) => next.contexts[at].watch.begins(&self.roles[at], index),
                Output::Settled(index, outcome) => self.settled(next, at, index, &outcome)?,
            }
        }
        if let Some(Effect::Present { token }) = histories.effect(next.contexts[at].history) {
            monitor::sending(self, next, at, token)?;
        }
        Ok(())
    }

    fn settled(&self, next: &mut State, at: usize, index: usize, outcome: &Outcome) -> Result<(), String> {
        monitor::settled(self, next, at, self.roles[at].program[index], outcome)
    }

    fn fail(&self, next: &mut State, at: usize, fault: Fault, histories: &mut Histories) -> Result<(), String> {
        next.budget -= 1;
        let effect = histories.effect(next.contexts[at].history).expect("it waits for an effect").clone();
        let sending = matches!(effect, Effect::Present { .. }) || next.contexts[at].watch.holds_a_grant;
        match fault {
            Fault::Lose => {
                next.happened.network = true;
                self.orphan(next, at, &effect);
                self.answer(next, at, Reply::Lost, histories)
            }
            Fault::Crash | Fault::CrashAfter => {
                next.happened.crash = true;
                if fault == Fault::CrashAfter {
                    self.happen(next, at, histories)?;
                }
                self.orphan(next, at, &effect);
                next.contexts[at].crashed = true;
                if next.lock == Some(at) {
                    next.lock = None;
                }
                Ok(())
            }
            Fault::Pause | Fault::PauseAfter => {
                next.happened.paused = true;
                next.happened.paused_sending |= sending;
                if fault == Fault::PauseAfter {
                    next.contexts[at].mailbox = Some(self.happen(next, at, histories)?);
                }
                next.contexts[at].paused = true;
                Ok(())
            }
            Fault::WriteFails | Fault::WriteUnknown | Fault::WriteLate => {
                next.happened.write = true;
                if fault == Fault::WriteUnknown {
                    self.happen(next, at, histories)?;
                }
                if let (Fault::WriteLate, Effect::Write { key, value, if_version, .. }) = (fault, effect) {
                    next.late.push((at, key, value.into(), if_version));
                }
                self.answer(next, at, Reply::StoreFailed, histories)
            }
        }
    }

    /// The context gives up on its request, which may still arrive.
    fn orphan(&self, next: &mut State, at: usize, effect: &Effect) {
        if matches!(effect, Effect::Present { .. }) && next.contexts[at].reply.take().is_none() {
            next.orphans.push(presented(Some(effect)));
            next.happened.orphan = true;
        }
    }

    /// Is a spent token at the server something that cannot be avoided? Only after a lost message, a crash, or, where
    /// locks do not tell a dead owner from a slow one, an owner that stood still between its send and its commit.
    pub fn may_reuse(&self, state: &State) -> bool {
        let leased = self.roles.iter().any(|role| role.lock != LockScope::Covering);
        state.happened.network || state.happened.crash || (leased && state.happened.paused_sending)
    }

    /// Is a lost session something that cannot be avoided? A server that only refuses what was used before never ends
    /// one for it, and one with a grace window hands the lost reply out again while the window is open.
    pub fn may_lose(&self, state: &State) -> bool {
        match self.server {
            Kind::NonRotating => false,
            Kind::RefuseOnly => state.happened.network || state.happened.crash,
            kind if kind.has_grace() && self.roles.iter().all(|role| role.lock == LockScope::Covering) => {
                self.may_reuse(state) && (state.happened.orphan || state.happened.paused || self.budget > 1)
            }
            _ => self.may_reuse(state),
        }
    }

    /// Checks a state from which nothing can follow.
    pub fn end(&self, state: &State, histories: &Histories) -> Result<(), String> {
        let waits = |context: &Running| !context.crashed && histories.effect(context.history).is_some();
        if let Some(at) = state.contexts.iter().position(waits) {
            return Err(format!("I4: {} waits for ever", self.roles[at].name));
        }
        monitor::end(self, state)
    }
}

fn presented(effect: Option<&Effect>) -> String {
    match effect {
        Some(Effect::Present { token }) => token.clone(),
        _ => String::new(),
    }
}

/// The record under the session's key.
pub fn record(state: &State) -> Option<Record> {
    state.store.get(Scenario::session_key().as_str()).and_then(|cell| Record::decode(&cell.value).ok())
}
