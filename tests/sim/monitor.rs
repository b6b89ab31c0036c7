//! The invariants of the protocol, checked at every step of the simulated world.

use refresh_coordinator::protocol::record::{Record, State as Life};
use refresh_coordinator::protocol::tokens::{Grant, Secret};
use refresh_coordinator::protocol::verdict::Reason;

use super::histories::Histories;
use super::replay::{Effect, Reply};
use super::script::{Action, LIFETIME, Outcome, PROGRAMS, Role};
use super::server::{Kind, number_of};
use super::text::Text;
use super::world::{Scenario, State, Who};

/// A cool-down further ahead than this counts as past, in milliseconds: a clock was set back.
const COOLING_CAP: i64 = 300_000;

/// What is noted about one context.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Watch {
    /// The user whose session its calls belong to, as far as that is settled.
    user: Option<Text>,
    /// Tokens it knows to be spent.
    spent: Vec<Text>,
    /// The newest generation that was announced to it.
    announced: u64,
    /// Who has signed out here, while nobody has signed in since.
    left: Option<Text>,
    /// Who has signed in here, and not left since.
    entered: Option<Text>,
    pub programs: [Program; PROGRAMS],
}

/// What is noted about one program of a context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Program {
    pub action: Option<Action>,
    /// The user whose session this action belongs to, as far as that was settled when it began.
    user: Option<Text>,
    /// The session and generation of its last claim.
    claim: Option<(Text, u64)>,
    /// When it made that claim, where there is nothing but the intent.
    pub claimed_at: Option<i64>,
    /// It was refused, and has not read the record since.
    refused_unread: bool,
    /// It was granted something that is not committed yet.
    pub holds_a_grant: bool,
    /// How many access tokens had been minted when its action began, if it wants a later one.
    minted_before: u8,
    /// Who had signed in here when its action began.
    began_as: Option<Text>,
    /// Who had signed out here when its action began.
    began_without: Option<Text>,
}

/// What is noted about the world.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ledger {
    /// Generations that were granted: session, generation. Kept while a second grant would be a violation.
    granted: Vec<(Text, u64)>,
    /// Until when the token of a generation must not be presented.
    cooling: Option<(Text, u64, i64)>,
    /// The users who signed out.
    signed_out: Vec<Text>,
    /// A session ended, by a sign-out or because another one took its place.
    ended: bool,
}

/// The record of a session whose access token ends after so many milliseconds.
pub fn signed_in(sid: &str, user: &str, life_left: i64) -> Record {
    let mut record = Record::begun(sid.into(), Some(Secret::new(format!("{user}.0"))));
    let grant = Grant {
        access_token: Some(Secret::new(format!("{user}-access-0"))),
        expires_at: life_left,
        issued_at: life_left - LIFETIME,
        minted: 0,
        token_type: None,
        scope: None,
        id_token: None,
        extra: Default::default(),
    };
    record.grants.insert(String::new(), grant);
    record.sub = Some(user.into());
    record
}

impl Watch {
    pub fn new(role: &Role) -> Self {
        let mut watch = Self { user: role.sid.map(|_| Text::of("u")), ..Self::default() };
        for (program, actions) in role.programs.iter().enumerate() {
            watch.programs[program].action = actions.first().copied();
            watch.programs[program].user = watch.user;
        }
        watch.user = watch.user.filter(|_| !watch.leaves());
        watch
    }

    /// Is its user about to sign out here? From then on its calls belong to whoever is there.
    fn leaves(&self) -> bool {
        self.programs.iter().any(|program| program.action == Some(Action::SignOut))
    }

    pub fn has_read(&mut self, program: usize) {
        self.programs[program].refused_unread = false;
    }

    pub fn has_heard(&mut self, generation: u64) {
        self.announced = self.announced.max(generation);
    }
}

/// An action begins.
pub fn begins(next: &mut State, who: Who, action: Option<Action>) {
    let minted = next.server.minted();
    let watch = &mut next.contexts[who.at()].watch;
    let (entered, left, user) = (watch.entered, watch.left, watch.user);
    if matches!(action, Some(Action::SignOut)) {
        watch.user = None;
    }
    let program = program(next, who);
    (program.action, program.user) = (action, user);
    (program.began_as, program.began_without) = (entered, left);
    program.minted_before = if action.is_some_and(Action::wants_new) { minted } else { 0 };
}

fn program(next: &mut State, who: Who) -> &mut Program {
    &mut next.contexts[who.at()].watch.programs[who.program()]
}

pub fn is_tombstone(state: &State) -> bool {
    state.record().is_some_and(|record| record.state == Life::Out && record.revoke.is_empty())
}

/// A write is about to be applied, which was begun for this action.
pub fn write(
    scenario: &Scenario,
    next: &mut State,
    who: Who,
    action: Option<Action>,
    key: Text,
    before: Option<Text>,
    value: Text,
) -> Result<(), String> {
    let Some(after) = value.record() else { return Ok(()) };
    let before = before.and_then(Text::record);
    note_write(scenario, next, who, &after);
    let session = key == Scenario::session_key();
    if after.state == Life::Rejected {
        if next.contexts[who.at()].watch.programs[who.program()].refused_unread {
            return Err("I8: rejected is written without the record having been read again".into());
        }
        if !scenario.may_give_up(next) {
            return Err("I11: the session is given up although nothing happened that costs it".into());
        }
    }
    let signs_in = matches!(action, Some(Action::SignIn(_)));
    if scenario.successor_mode && after.state == Life::Out {
        next.ledger.ended = true;
    }
    let Some(before) = before else {
        let revives = session && after.state == Life::Active && !signs_in;
        return if revives { Err("I7: a session that is gone was written back".into()) } else { Ok(()) };
    };
    if before.sid == after.sid {
        if after.generation < before.generation {
            return Err(format!("I3: generation {} replaced generation {}", after.generation, before.generation));
        }
        if before.state == Life::Out && after.state != Life::Out {
            return Err("I7: a signed-out session was written back".into());
        }
    } else if !signs_in {
        return Err(format!("I3: the record of session {} was overwritten by session {}", before.sid, after.sid));
    }
    // A late commit may bring back what somebody else had given up.
    let lost = before.revoke.iter().find(|token| !after.revoke.contains(token) && !after.is_live(token));
    if lost.is_some() && action != Some(Action::Drain) {
        return Err("I3: a token that waits for revocation was dropped from the queue".into());
    }
    if session && before.state != Life::Out && (after.state == Life::Out || before.sid != after.sid) {
        let user = before.refresh_token.as_ref().and_then(|token| token.expose().split('.').next().map(Text::of));
        let ledger = &mut *next.ledger;
        ledger.signed_out.extend(user.filter(|_| after.state == Life::Out));
        ledger.ended = true;
    }
    Ok(())
}

fn note_write(scenario: &Scenario, next: &mut State, who: Who, after: &Record) {
    let live = Text::of(after.refresh_token.as_ref().map_or("", Secret::expose));
    let now = next.wall(who.at());
    let here = next.contexts[who.at()].lives();
    let cooling = next.ledger.cooling;
    if after.intent.is_some() {
        if here {
            let claimed_at = scenario.is_leased().then_some(next.now);
            let program = program(next, who);
            program.claim = Some((Text::of(&after.sid), after.generation));
            program.claimed_at = claimed_at;
        }
        let kept = cooling.filter(|(token, _, until)| *token == live && *until > now);
        if kept != cooling {
            next.ledger.cooling = kept;
        }
    } else if let Some(until) = after.retry_at {
        next.ledger.cooling = Some((live, after.generation, until));
    } else if here && program(next, who).claim.is_some() {
        program(next, who).holds_a_grant = false;
    }
}

/// A request is about to be sent.
pub fn sending(scenario: &Scenario, next: &State, who: Who, token: Text) -> Result<(), String> {
    let at = who.at();
    let watch = &next.contexts[at].watch;
    let name = scenario.roles[at].name;
    let claim = watch.programs[who.program()].claim;
    if watch.spent.contains(&token) {
        return Err(format!("I1: {name} presents {token:?}, which it knows to be spent"));
    }
    if claim.is_some_and(|(sid, generation)| &*sid.get() == "s0" && watch.announced > generation) {
        return Err(format!("I1: {name} presents {token:?} although it has heard of a newer generation"));
    }
    // A clock that has jumped reads every moment wrongly.
    if next.contexts[at].skew != 0 {
        return Ok(());
    }
    let claimed = claim.map_or(0, |(_, generation)| generation);
    let cooling = |(cooling, generation, until): &(Text, u64, i64)| {
        let ahead = until - next.now;
        *cooling == token && *generation == claimed && ahead > 0 && ahead <= COOLING_CAP
    };
    if next.ledger.cooling.as_ref().is_some_and(cooling) {
        return Err(format!("{name} presents {token:?} during its cool-down"));
    }
    let record = next.record().filter(|record| record.intent.is_some() && record.is_live(&Secret::new(&*token.get())));
    // A token that the resource server refused is nothing to lose.
    let refused = matches!(watch.programs[who.program()].action, Some(Action::NotThis(_)));
    let sparing = scenario.roles[at].settings.grace == 0 && next.happened_to_no_clock() && !refused;
    if let Some(record) = record.filter(|record| sparing && record.sends > 0)
        && record.grants.values().any(|grant| grant.expires_at > next.now)
    {
        return Err(format!("{name} presents {token:?} once more while there is something to lose"));
    }
    Ok(())
}

/// The server has granted a request.
pub fn granted(scenario: &Scenario, next: &mut State, who: Who, token: Text) -> Result<(), String> {
    let claim = next.contexts[who.at()].watch.programs[who.program()].claim;
    program(next, who).holds_a_grant = true;
    let place = claim.unwrap_or((token, 0));
    let again = next.ledger.granted.contains(&place);
    let leased_pause = next.happened.paused && scenario.is_leased();
    let ledger = &mut *next.ledger;
    if next.happened.network || next.happened.crash || leased_pause {
        ledger.granted.clear();
        return Ok(());
    }
    if again {
        return Err(format!("I2: generation {} of {:?} was granted twice", place.1, place.0));
    }
    ledger.granted.push(place);
    Ok(())
}

/// A reply is about to reach a context.
pub fn reply(next: &mut State, who: Who, reply: Reply, histories: &Histories) {
    let Some(Effect::Present { token, .. }) = next.effect(who, histories) else { return };
    let rotates = next.server.kind != Kind::NonRotating;
    let spends = match reply {
        Reply::Granted { .. } => rotates,
        Reply::Refused => {
            program(next, who).refused_unread = true;
            true
        }
        _ => false,
    };
    if spends {
        next.contexts[who.at()].watch.spent.push(token);
    }
}

/// A revocation is about to be sent.
pub fn revocation(next: &State, token: Text) -> Result<(), String> {
    let live = next.record().is_some_and(|record| record.is_live(&Secret::new(&*token.get())));
    if live { Err(format!("I5: {token:?} is revoked while it is the live token")) } else { Ok(()) }
}

/// Callers get tokens although these are not durable yet.
pub fn early(scenario: &Scenario, next: &State, at: usize) -> Result<(), String> {
    let signed_out = next.record().is_none_or(|record| record.state == Life::Out);
    // A read that is late, or fails, cannot tell.
    let blind = next.happened.stale || next.happened.read;
    if signed_out && !scenario.successor_mode && !blind {
        return Err(format!("I7: {} hands tokens out after a sign-out", scenario.roles[at].name));
    }
    Ok(())
}

/// An action has ended.
pub fn settled(
    scenario: &Scenario,
    next: &mut State,
    who: Who,
    action: Action,
    outcome: Outcome,
) -> Result<(), String> {
    let at = who.at();
    let name = scenario.roles[at].name;
    let state = *program(next, who);
    program(next, who).holds_a_grant = false;
    let mut user = next.contexts[at].watch.user;
    match outcome {
        Outcome::Tokens { access, refresh } => {
            let access = access.map_or_else(|| "u-access-0".into(), Text::get);
            let whose = access.split('-').next().unwrap_or("u");
            let expected = match action {
                Action::SignIn(user) => Some(user.into()),
                _ => state.user.map(Text::get),
            };
            if expected.is_some_and(|expected| &*expected != whose) {
                return Err(format!("I6: {name} got the tokens of user {whose}"));
            }
            if refresh.is_some_and(|refresh| !refresh.get().starts_with(whose)) {
                return Err(format!("I6: {name} got a refresh token and an access token of different users"));
            }
            let left = state.began_without.is_some_and(|left| &*left.get() == whose);
            if left && !matches!(action, Action::SignIn(_)) {
                return Err(format!("I7: {name} got tokens after its user had signed out there"));
            }
            let (number, scope) = number_of(&access);
            if scope != action.scope() {
                return Err(format!("I6: {name} got tokens for the scope {scope:?}, not {:?}", action.scope()));
            }
            if action.wants_new() && number <= state.minted_before {
                return Err(format!("I6: {name} wants a token minted after its call, and got {access}"));
            }
            // A slow answer for a user who has left meanwhile says nothing of the next one.
            let leaves = next.contexts[at].watch.leaves();
            let enters = matches!(action, Action::SignIn(_)) || (user.is_none() && !leaves);
            user = if enters { Some(Text::of(whose)) } else { user };
        }
        Outcome::Revoked(reason) => {
            if state.refused_unread {
                return Err(format!("I8: {name} says revoked without having read the record again"));
            }
            // Where a late commit may still bring the session back, a caller can be told too early: it cannot know better.
            if !scenario.may_give_up(next) {
                return Err(format!(
                    "I11: {name} is told that the session is revoked, and nothing happened that costs it"
                ));
            }
            let plain = !next.happened.orphan && !next.happened.paused && !next.happened.identity;
            if plain && reason != Reason::ResponseLost {
                return Err(format!("I11: {name} is told {reason:?} although a reply was lost"));
            }
            user = None;
        }
        Outcome::NoSession => {
            let record = next.record().filter(|record| record.state == Life::Active);
            let live = record.as_ref().and_then(|record| record.refresh_token.as_ref()).map_or("", Secret::expose);
            let stale = next.happened.stale;
            if let Some(user) = state.began_as.filter(|user| !stale && live.starts_with(&*user.get())) {
                return Err(format!("I11: {name} is told that there is no session, and {user:?} is signed in"));
            }
            let watch = &next.contexts[at].watch;
            let leaves =
                watch.left.is_some() || watch.programs.iter().any(|program| program.action == Some(Action::SignOut));
            if !next.ledger.ended && !leaves {
                return Err(format!("I11: {name} is told that there is no session, and nobody signed out"));
            }
            user = None;
        }
        Outcome::Transient if scenario.budget == 0 && next.now == 0 => {
            return Err(format!("{name} is told to try later, and nothing is in its way"));
        }
        Outcome::Failed if !next.happened.write && !next.happened.read => {
            return Err(format!("{name} fails without a failing store"));
        }
        // A context whose first read failed does not know yet whose session it has.
        Outcome::Failed => user = None,
        _ => {}
    }
    match action {
        Action::SignOut | Action::SignOutCarried(_) => {
            user = None;
            let watch = &mut next.contexts[at].watch;
            (watch.left, watch.entered) = (state.user.filter(|_| !scenario.successor_mode), None);
        }
        Action::SignIn(user) if matches!(outcome, Outcome::Tokens { .. }) => {
            let watch = &mut next.contexts[at].watch;
            (watch.left, watch.entered) = (None, Some(Text::of(user)));
        }
        _ => {}
    }
    next.contexts[at].watch.user = user;
    Ok(())
}

/// Nothing can follow this state.
pub fn end(scenario: &Scenario, state: &State) -> Result<(), String> {
    let record = state.record();
    let excused = scenario.may_lose(state);
    if record.as_ref().is_some_and(|record| record.state == Life::Rejected) && !excused {
        return Err("the session is lost: nobody has brought it back".into());
    }
    let accepts = |token: &Secret| state.server.accepts(token.expose(), state.now);
    if let Some(record) = record.as_ref().filter(|record| record.state == Life::Active)
        && let Some(live) = &record.refresh_token
        && !excused
    {
        let spare = record.spare.as_ref().and_then(|spare| spare.refresh_token.as_ref());
        if !accepts(live) && !spare.is_some_and(accepts) {
            return Err(format!("the session is lost: the server does not accept {} any more", live.expose()));
        }
    }
    let unheard = state.happened.network || state.happened.crash || state.happened.paused;
    if unheard || scenario.roles.iter().any(|role| !role.can_revoke) {
        return Ok(());
    }
    let queued = |token: &String| {
        record.as_ref().is_some_and(|record| record.revoke.iter().any(|queued| queued.expose() == token))
    };
    for user in &state.ledger.signed_out {
        let over = record.as_ref().is_none_or(|record| {
            record.state != Life::Active
                || record.refresh_token.as_ref().is_none_or(|token| !token.expose().starts_with(&*user.get()))
        });
        let outlives = state.server.living(&user.get()).into_iter().find(|token| !queued(token));
        if let Some(token) = outlives.filter(|_| over) {
            return Err(format!("I7: {token} outlives the sign-out"));
        }
    }
    if state.happened.identity && !scenario.successor_mode && scenario.server != Kind::NonRotating {
        let outlives = state.server.living("u").into_iter().find(|token| !queued(token));
        if let Some(token) = outlives {
            return Err(format!("{token}, which came with another user's tokens, lives on"));
        }
    }
    Ok(())
}
