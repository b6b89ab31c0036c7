//! Steps in words, for the trace of a violation.

use refresh_coordinator::protocol::record::Record;

use super::histories::Histories;
use super::replay::Effect;
use super::world::steps::Step;
use super::world::{Scenario, State, Who};

/// One step in words.
pub fn line(scenario: &Scenario, state: &State, step: &Step, histories: &Histories) -> String {
    let wants = |who: &Who| state.effect(*who, histories).map_or(String::new(), effect);
    let name = |who: &Who| {
        let role = &scenario.roles[who.at()];
        if role.programs.len() > 1 { format!("{}{}", role.name, who.program() + 1) } else { role.name.to_string() }
    };
    let context = |at: &usize| scenario.roles[*at].name;
    match step {
        Step::Act(who) => format!("{} {}", name(who), wants(who)),
        Step::Wake(who, reply) => format!("{} stops waiting: {reply:?}", name(who)),
        Step::Arrive(who) => format!("the server gets {}'s request: {}", name(who), wants(who)),
        Step::Deliver(who) => {
            let reply = state.contexts[who.at()].slots[who.program()].reply;
            format!("{} gets the reply {}", name(who), reply.map_or(String::new(), |reply| format!("{reply:?}")))
        }
        Step::Serve(who) => format!("{} {}, and gets the reply", name(who), wants(who)),
        Step::Tick(end) => format!("time passes until {end} ms"),
        Step::Resume(at) => format!("{} goes on", context(at)),
        Step::Hear(at) => format!("{} hears an announcement", context(at)),
        Step::Orphan(index) => format!("a late request presents {:?}", state.orphans[*index].0),
        Step::Land(index) => format!("a late write of {} lands", name(&state.late[*index].who)),
        Step::Expire => "the tombstone expires".into(),
        Step::Fault(who, fault) => format!("{} ── {fault:?} ── at: {}", name(who), wants(who)),
    }
}

fn effect(effect: Effect) -> String {
    match effect {
        Effect::Read { .. } => "reads".into(),
        Effect::Write { value, if_version, .. } => {
            let what = value.record().map_or_else(|| "a mark".into(), |record| summary(&record));
            let version = if_version.map_or("none".into(), |version| version.to_string());
            format!("writes [{what}] if version {version}")
        }
        Effect::Wait { lock, hint_after, until } => {
            format!(
                "waits{}{} until {until} ms",
                if lock { " for the lock" } else { "" },
                if hint_after.is_some() { " for a hint" } else { "" }
            )
        }
        Effect::Present { token, scope } => format!("presents {token:?} {scope:?}"),
        Effect::Revoke { token } => format!("revokes {token:?}"),
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
