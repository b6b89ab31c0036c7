//! Every step that can follow a state.

use super::faults::Fault;
use super::{Scenario, State, Who};
use crate::sim::histories::Histories;
use crate::sim::monitor;
use crate::sim::replay::{Effect, Reply};
use crate::sim::script::Output;

/// One step of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A program's effect happens and is answered.
    Act(Who),
    /// Its wait ends with the lock, a hint, or its end.
    Wake(Who, Reply),
    /// Its request reaches the server; the reply is on its way.
    Arrive(Who),
    /// The reply reaches it.
    Deliver(Who),
    /// Its request is answered: both at once, where nothing can come between.
    Serve(Who),
    /// Time passes until the next wait ends.
    Tick(i64),
    /// A paused context goes on.
    Resume(usize),
    /// An announcement arrives late.
    Hear(usize),
    /// A request arrives that nobody waits for.
    Orphan(usize),
    /// A write lands that was reported as failed.
    Land(usize),
    /// The tombstone expires.
    Expire,
    Fault(Who, Fault),
}

impl Scenario {
    /// Every step possible in a state.
    pub fn steps(&self, state: &State, histories: &Histories) -> Vec<Step> {
        let mut steps = Vec::with_capacity(16);
        let mut may_tick = true;
        let mut next_end: Option<i64> = None;
        for (at, context) in state.contexts.iter().enumerate() {
            if context.crashed {
                continue;
            }
            if context.paused {
                steps.push(Step::Resume(at));
                continue;
            }
            if context.coming.is_some() {
                steps.push(Step::Hear(at));
            }
            for (program, effect) in histories.effects(context.history).iter().enumerate() {
                let Some(effect) = *effect else { continue };
                let who = Who::new(at, program);
                match effect {
                    Effect::Wait { lock, hint_after, until } => {
                        let before = steps.len();
                        if lock && state.lock.is_none() {
                            steps.push(Step::Wake(who, Reply::Locked));
                        }
                        if hint_after.is_some_and(|heard| context.heard > heard) {
                            steps.push(Step::Wake(who, Reply::Hinted));
                        }
                        if until <= state.now {
                            steps.push(Step::Wake(who, Reply::Elapsed));
                        }
                        may_tick &= steps.len() == before;
                        next_end = Some(next_end.map_or(until, |end| end.min(until)));
                    }
                    Effect::Present { .. } => {
                        let arrived = context.slots[program].reply.is_some();
                        steps.push(match (self.replies_travel(), arrived) {
                            (false, _) => Step::Serve(who),
                            (true, false) => Step::Arrive(who),
                            (true, true) => Step::Deliver(who),
                        });
                        may_tick = false;
                    }
                    _ => {
                        let slow = context.slots[program].reply.is_some();
                        steps.push(if slow { Step::Deliver(who) } else { Step::Act(who) });
                        // Nobody is in a hurry to begin: time may pass before.
                        may_tick &= begins(histories.outputs(context.history), program);
                    }
                }
                self.faults_of(state, who, effect, histories, &mut steps);
            }
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
}

/// Has this program just begun an action?
fn begins(outputs: &[(usize, Output)], program: usize) -> bool {
    let last = outputs.iter().rev().find(|(whose, _)| *whose == program);
    matches!(last, Some((_, Output::Began(_))))
}
