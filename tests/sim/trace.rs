//! Steps in words, for the trace of a violation.

use refresh_coordinator::protocol::record::Record;

use super::histories::Histories;
use super::replay::Effect;
use super::world::{Scenario, State, Step};

/// One step in words.
pub fn line(scenario: &Scenario, state: &State, step: &Step, histories: &Histories) -> String {
    let name = |at: &usize| scenario.roles[*at].name;
    let wants = |at: &usize| histories.effect(state.contexts[*at].history).map_or(String::new(), effect);
    match step {
        Step::Act(at) => format!("{} {}", name(at), wants(at)),
        Step::Wake(at, reply) => format!("{} stops waiting: {reply:?}", name(at)),
        Step::Arrive(at) => format!("the server gets {}'s request: {}", name(at), wants(at)),
        Step::Deliver(at) => format!("{} gets the reply {:?}", name(at), state.contexts[*at].reply),
        Step::Tick(end) => format!("time passes until {end} ms"),
        Step::Resume(at) => format!("{} goes on: {}", name(at), wants(at)),
        Step::Orphan(index) => format!("a late request presents {}", state.orphans[*index]),
        Step::Land(index) => format!("a late write of {} lands", name(&state.late[*index].0)),
        Step::Expire => "the tombstone expires".into(),
        Step::Fault(at, fault) => format!("{} ── {fault:?} ── at: {}", name(at), wants(at)),
    }
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Read { .. } => "reads".into(),
        Effect::Write { value, if_version, .. } => {
            let what = Record::decode(value).map_or_else(|_| "a mark".into(), |record| summary(&record));
            format!("writes [{what}] if version {}", if_version.as_deref().unwrap_or("none"))
        }
        Effect::Wait { lock, hint_after, until } => {
            format!(
                "waits{}{} until {until} ms",
                if *lock { " for the lock" } else { "" },
                if hint_after.is_some() { " for a hint" } else { "" }
            )
        }
        Effect::Present { token } => format!("presents {token}"),
        Effect::Revoke { token } => format!("revokes {token}"),
    }
}

fn summary(record: &Record) -> String {
    let live = record.refresh_token.as_ref().map_or("-", |token| token.expose());
    let mut text = format!("{:?} {} gen {} live {live}", record.state, record.sid, record.generation);
    if let Some(intent) = &record.intent {
        text += &format!(" intent {}{}", intent.nonce, if intent.locked { " locked" } else { "" });
    }
    if record.sends > 0 {
        text += &format!(" sends {}", record.sends);
    }
    if let Some(at) = record.retry_at {
        text += &format!(" retryAt {at}");
    }
    if !record.revoke.is_empty() {
        text += &format!(" revoke {:?}", record.revoke.iter().map(|token| token.expose()).collect::<Vec<_>>());
    }
    text
}
