//! The invariants of the protocol, checked at every step of the simulated world.

use refresh_coordinator::protocol::record::{Record, State as Life};
use refresh_coordinator::protocol::tokens::{Grant, Secret};
use refresh_coordinator::protocol::verdict::Reason;

use super::histories::Histories;
use super::replay::{Action, Effect, LIFETIME, Outcome, Reply, Role};
use super::server::Kind;
use super::world::{Scenario, State, record};

/// What is noted about one context.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Watch {
    action: Option<Action>,
    /// The user whose session its calls belong to, as far as that is settled.
    user: Option<String>,
    /// The session and generation of its last claim.
    claim: Option<(String, u64)>,
    /// It was refused, and has not read the record since.
    refused_unread: bool,
    /// Tokens it knows to be spent.
    spent: Vec<String>,
    /// The newest generation that was announced to it.
    announced: u64,
    /// It was granted something that is not committed yet.
    pub holds_a_grant: bool,
}

/// What is noted about the world.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ledger {
    /// Generations that were granted: session, generation.
    granted: Vec<(String, u64)>,
    /// Until when the token of a generation must not be presented.
    cooling: Option<(String, u64, i64)>,
    /// The users who signed out.
    signed_out: Vec<String>,
    /// A session ended, by a sign-out or because another one took its place.
    ended: bool,
}

/// The record of a session whose access token has just expired.
pub fn signed_in(sid: &str, user: &str) -> Record {
    let mut record = Record::begun(sid.into(), Some(Secret::new(format!("{user}.0"))));
    let grant = Grant {
        access_token: Some(Secret::new(format!("{user}-access-0"))),
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

impl Watch {
    pub fn new(role: &Role) -> Self {
        Self {
            action: role.program.first().copied(),
            user: role.sid.map(|_| "u".to_owned()),
            claim: None,
            refused_unread: false,
            spent: Vec::new(),
            announced: 0,
            holds_a_grant: false,
        }
    }

    pub fn begins(&mut self, role: &Role, index: usize) {
        self.action = role.program.get(index).copied();
    }

    pub fn has_read(&mut self) {
        self.refused_unread = false;
    }

    pub fn has_heard(&mut self, generation: u64) {
        self.announced = self.announced.max(generation);
    }
}

pub fn is_tombstone(state: &State) -> bool {
    record(state).is_some_and(|record| record.state == Life::Out && record.revoke.is_empty())
}

/// A write is about to be applied.
pub fn write(
    scenario: &Scenario,
    next: &mut State,
    at: usize,
    key: &str,
    before: Option<&str>,
    value: &str,
) -> Result<(), String> {
    let Ok(after) = Record::decode(value) else { return Ok(()) };
    let before = before.and_then(|text| Record::decode(text).ok());
    note_write(next, at, &after);
    let session = key == Scenario::session_key();
    let action = next.contexts[at].watch.action;
    if after.state == Life::Rejected && next.contexts[at].watch.refused_unread {
        return Err("I8: rejected is written without the record having been read again".into());
    }
    if after.state == Life::Rejected && !scenario.may_reuse(next) {
        return Err("I11: the session is given up although nothing happened that costs it".into());
    }
    let Some(before) = before else {
        let revives = session && after.state == Life::Active && !matches!(action, Some(Action::SignIn(_)));
        return if revives { Err("I7: a session that is gone was written back".into()) } else { Ok(()) };
    };
    if before.sid == after.sid {
        if after.generation < before.generation {
            return Err(format!("I3: generation {} replaced generation {}", after.generation, before.generation));
        }
        if before.state == Life::Out && after.state != Life::Out {
            return Err("I7: a signed-out session was written back".into());
        }
    } else if !matches!(action, Some(Action::SignIn(_))) {
        return Err(format!("I3: the record of session {} was overwritten by session {}", before.sid, after.sid));
    }
    let lost = before.revoke.iter().find(|token| !after.revoke.contains(token));
    if lost.is_some() && action != Some(Action::Drain) {
        return Err("I3: a token that waits for revocation was dropped from the queue".into());
    }
    if session && before.state != Life::Out && (after.state == Life::Out || before.sid != after.sid) {
        let user = before.refresh_token.as_ref().and_then(|token| token.expose().split('.').next().map(str::to_owned));
        next.ledger.signed_out.extend(user.filter(|_| after.state == Life::Out));
        next.ledger.ended = true;
    }
    Ok(())
}

fn note_write(next: &mut State, at: usize, after: &Record) {
    let live = after.refresh_token.as_ref().map_or("", Secret::expose).to_owned();
    let name = next.contexts[at].watch.claim.clone();
    if after.intent.is_some() {
        next.contexts[at].watch.claim = Some((after.sid.clone(), after.generation));
        next.ledger.cooling =
            next.ledger.cooling.take().filter(|(token, _, until)| *token == live && *until > next.now);
    } else if let Some(until) = after.retry_at {
        next.ledger.cooling = Some((live, after.generation, until));
    } else if name.is_some() {
        next.contexts[at].watch.holds_a_grant = false;
    }
}

/// A request is about to be sent.
pub fn sending(scenario: &Scenario, next: &State, at: usize, token: &str) -> Result<(), String> {
    let watch = &next.contexts[at].watch;
    let name = scenario.roles[at].name;
    if watch.spent.iter().any(|spent| spent == token) {
        return Err(format!("I1: {name} presents {token}, which it knows to be spent"));
    }
    if watch.claim.as_ref().is_some_and(|(sid, generation)| sid == "s0" && watch.announced > *generation) {
        return Err(format!("I1: {name} presents {token} although it has heard of a newer generation"));
    }
    let claimed = watch.claim.as_ref().map_or(0, |(_, generation)| *generation);
    let cooling = |(cooling, generation, until): &(String, u64, i64)| {
        cooling == token && *generation == claimed && *until > next.now
    };
    if next.ledger.cooling.as_ref().is_some_and(cooling) {
        return Err(format!("{name} presents {token} during its cool-down"));
    }
    Ok(())
}

/// The server has granted a request.
pub fn granted(scenario: &Scenario, next: &mut State, token: &str, from: Option<usize>) -> Result<(), String> {
    let Some(at) = from else { return Ok(()) };
    next.contexts[at].watch.holds_a_grant = true;
    let place = next.contexts[at].watch.claim.clone().unwrap_or_else(|| (token.to_owned(), 0));
    let again = next.ledger.granted.contains(&place);
    let leased_pause = next.happened.paused && scenario.roles.iter().any(|role| role.lock != super::covering());
    let excused = next.happened.network || next.happened.crash || leased_pause;
    if again && !excused {
        return Err(format!("I2: generation {} of {} was granted twice", place.1, place.0));
    }
    next.ledger.granted.push(place);
    Ok(())
}

/// A reply is about to reach a context.
pub fn reply(next: &mut State, at: usize, reply: &Reply, histories: &Histories) {
    let token = match histories.effect(next.contexts[at].history) {
        Some(Effect::Present { token }) => token.clone(),
        _ => return,
    };
    let rotates = next.server.kind != Kind::NonRotating;
    let watch = &mut next.contexts[at].watch;
    match reply {
        Reply::Granted { .. } if rotates => watch.spent.push(token),
        Reply::Refused => {
            watch.spent.push(token);
            watch.refused_unread = true;
        }
        _ => {}
    }
}

/// A revocation is about to be sent.
pub fn revocation(next: &State, token: &str) -> Result<(), String> {
    let live = record(next).is_some_and(|record| record.is_live(&Secret::new(token)));
    if live { Err(format!("I5: {token} is revoked while it is the live token")) } else { Ok(()) }
}

/// Callers get tokens although these are not durable yet.
pub fn early(scenario: &Scenario, next: &State, at: usize) -> Result<(), String> {
    let signed_out = record(next).is_none_or(|record| record.state == Life::Out);
    if signed_out && !scenario.successor_mode {
        return Err(format!("I7: {} hands tokens out after a sign-out", scenario.roles[at].name));
    }
    Ok(())
}

/// An action has ended.
pub fn settled(
    scenario: &Scenario,
    next: &mut State,
    at: usize,
    action: Action,
    outcome: &Outcome,
) -> Result<(), String> {
    let name = scenario.roles[at].name;
    next.contexts[at].watch.holds_a_grant = false;
    match outcome {
        Outcome::Tokens { access, refresh } => {
            let user = access.as_ref().and_then(|token| token.split('-').next()).unwrap_or("u").to_owned();
            let expected = match action {
                Action::SignIn(user) => Some(user.to_owned()),
                _ => next.contexts[at].watch.user.clone(),
            };
            if expected.is_some_and(|expected| expected != user) {
                return Err(format!("I6: {name} got the tokens of user {user}"));
            }
            let stranger = refresh.as_ref().is_some_and(|token| !token.starts_with(&user));
            if stranger {
                return Err(format!("I6: {name} got a refresh token and an access token of different users"));
            }
            next.contexts[at].watch.user = Some(user);
        }
        Outcome::Revoked(reason) => {
            if next.contexts[at].watch.refused_unread {
                return Err(format!("I8: {name} says revoked without having read the record again"));
            }
            // Where a late commit may still bring the session back, a caller can be told too early: it cannot know better.
            if !scenario.may_reuse(next) {
                return Err(format!(
                    "I11: {name} is told that the session is revoked, and nothing happened that costs it"
                ));
            }
            let plain = !next.happened.orphan && !next.happened.paused;
            if plain && *reason != Reason::ResponseLost {
                return Err(format!("I11: {name} is told {reason:?} although a reply was lost"));
            }
            next.contexts[at].watch.user = None;
        }
        Outcome::NoSession => {
            if !next.ledger.ended {
                return Err(format!("I11: {name} is told that there is no session, and nobody signed out"));
            }
            next.contexts[at].watch.user = None;
        }
        Outcome::Transient if scenario.budget == 0 && next.now == 0 => {
            return Err(format!("{name} is told to try later, and nothing is in its way"));
        }
        Outcome::Failed if !next.happened.write => return Err(format!("{name} fails without a failing store")),
        Outcome::Done if action == Action::SignOut => next.contexts[at].watch.user = None,
        _ => {}
    }
    Ok(())
}

/// Nothing can follow this state.
pub fn end(scenario: &Scenario, state: &State) -> Result<(), String> {
    let record = record(state);
    let excused = scenario.may_lose(state);
    if record.as_ref().is_some_and(|record| record.state == Life::Rejected) && !excused {
        return Err("the session is lost: nobody has brought it back".into());
    }
    if let Some(live) =
        record.as_ref().filter(|record| record.state == Life::Active).and_then(|record| record.refresh_token.as_ref())
        && !state.server.accepts(live.expose(), state.now)
        && !excused
    {
        return Err(format!("the session is lost: the server does not accept {} any more", live.expose()));
    }
    let can_revoke = scenario.roles.iter().all(|role| role.can_revoke);
    for user in &state.ledger.signed_out {
        let over = record.as_ref().is_none_or(|record| {
            record.state != Life::Active
                || record.refresh_token.as_ref().is_none_or(|token| !token.expose().starts_with(user))
        });
        let queued = |token: &String| {
            record.as_ref().is_some_and(|record| record.revoke.iter().any(|queued| queued.expose() == token))
        };
        let outlives = state.server.living(user).into_iter().find(|token| !queued(token));
        if let Some(token) = outlives.filter(|_| {
            over && can_revoke && !state.happened.network && !state.happened.crash && !state.happened.paused
        }) {
            return Err(format!("I7: {token} outlives the sign-out"));
        }
    }
    Ok(())
}
