//! How actions end, and how the world does: I6, I7, I8 and I11.

use refresh_coordinator::protocol::record::State as Life;
use refresh_coordinator::protocol::tokens::Secret;
use refresh_coordinator::protocol::verdict::Reason;

use super::watch::program;
use crate::sim::script::{Action, Outcome};
use crate::sim::server::{Kind, number_of};
use crate::sim::text::Text;
use crate::sim::world::{Scenario, State, Who};

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
            // A request that comes so late that the session has been refreshed twice since, is nobody's to explain; and in
            // successor mode the entry of a token does not know what the token before it went through.
            let outlived = scenario.successor_mode || next.record().is_some_and(|record| record.generation > 1);
            let outlived = next.happened.orphan && outlived;
            let plain = !outlived && !next.happened.paused && !next.happened.identity;
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
        Outcome::Transient if next.budget == scenario.budget && scenario.life_left == 0 && scenario.is_patient() => {
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
    let unheard = state.happened.network || state.happened.crash;
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
        // Another context may have gone on with the session's own user.
        let lives = |token: &String| record.as_ref().is_some_and(|record| record.is_live(&Secret::new(token.as_str())));
        let outlives = state.server.living("u").into_iter().find(|token| !queued(token) && !lives(token));
        if let Some(token) = outlives {
            return Err(format!("{token}, which came with another user's tokens, lives on"));
        }
    }
    Ok(())
}
