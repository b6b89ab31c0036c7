//! Requests and their replies: I1, I2, the cool-down and the send limit.

use refresh_coordinator::protocol::tokens::Secret;

use super::watch::program;
use crate::sim::histories::Histories;
use crate::sim::replay::{Effect, Reply};
use crate::sim::script::Action;
use crate::sim::server::Kind;
use crate::sim::text::Text;
use crate::sim::world::{Scenario, State, Who};

/// A cool-down further ahead than this counts as past, in milliseconds: a clock was set back.
const COOLING_CAP: i64 = 300_000;

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
