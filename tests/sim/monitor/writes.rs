//! Writes to the store and revocations: I3, I5, I7, I8 and I11.

use refresh_coordinator::protocol::record::{Record, State as Life};
use refresh_coordinator::protocol::tokens::Secret;

use super::watch::program;
use crate::sim::script::Action;
use crate::sim::text::Text;
use crate::sim::world::{Scenario, State, Who};

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
