//! Taking a step: what it makes of the state, and what the context does that it reaches.

use super::steps::Step;
use super::{Channel, Running, Scenario, State, Who, Writing};
use crate::sim::histories::Histories;
use crate::sim::monitor;
use crate::sim::replay::{Answer, Effect, Reply, Senses};
use crate::sim::script::Output;

impl Scenario {
    /// Takes a step. An error is a violated invariant.
    pub fn take(&self, state: &State, step: Step, histories: &mut Histories) -> Result<State, String> {
        let mut next = state.clone();
        match step {
            Step::Act(who) => {
                let effect = next.effect(who, histories).expect("it waits for an effect");
                let reply = self.happen(&mut next, who, effect)?;
                self.answer(&mut next, who, reply, histories)?;
            }
            Step::Wake(who, reply) => {
                if reply == Reply::Locked {
                    next.lock = Some(who);
                }
                self.answer(&mut next, who, reply, histories)?;
            }
            Step::Arrive(who) => {
                let effect = next.effect(who, histories).expect("it waits for an effect");
                let reply = self.arrive(&mut next, who, effect, histories)?;
                next.slot(who).reply = Some(reply);
            }
            Step::Deliver(who) => {
                let reply = next.slot(who).reply.take().expect("it has arrived");
                self.answer(&mut next, who, reply, histories)?;
            }
            Step::Serve(who) => {
                let effect = next.effect(who, histories).expect("it waits for an effect");
                let reply = self.arrive(&mut next, who, effect, histories)?;
                self.answer(&mut next, who, reply, histories)?;
            }
            Step::Tick(end) => {
                next.now = end;
                Self::expire(&mut next);
                let overslept = |context: &Running| context.fenced_until.is_some_and(|until| until <= end);
                next.happened.paused_sending |= next.contexts.iter().any(|context| overslept(context));
            }
            Step::Resume(at) => {
                (next.contexts[at].paused, next.contexts[at].fenced_until) = (false, None);
                for program in 0..next.contexts[at].slots.len() {
                    if let Some(reply) = next.contexts[at].slots[program].mailbox.take() {
                        self.answer(&mut next, Who::new(at, program), reply, histories)?;
                    }
                }
            }
            Step::Hear(at) => {
                let generation = next.contexts[at].coming.take().expect("one is on its way");
                hears(&mut next, at, generation);
            }
            Step::Orphan(index) => {
                let (token, scope) = next.orphans.remove(index);
                self.arrive_unheeded(&mut next, token, scope, histories)?;
            }
            Step::Land(index) => {
                let writing = next.late.remove(index);
                self.write(&mut next, writing)?;
            }
            Step::Expire => {
                let key = Self::session_key();
                if let Some(place) = next.store.iter_mut().find(|place| place.key == key) {
                    (place.cell, place.before) = (None, None);
                }
            }
            Step::Fault(who, fault) => self.fail(&mut next, who, fault, histories)?,
        }
        Ok(next)
    }

    /// The effect happens in the world.
    pub(super) fn happen(&self, next: &mut State, who: Who, effect: Effect) -> Result<Reply, String> {
        match effect {
            Effect::Read { key } => {
                next.contexts[who.at()].watch.has_read(who.program());
                let cell = next.place(key).and_then(|place| place.cell);
                Ok(Reply::Read(cell.map(|cell| (cell.value, cell.version))))
            }
            Effect::Write { key, value, if_version, ttl } => {
                let action = next.contexts[who.at()].watch.programs[who.program()].action;
                self.write(next, Writing { who, action, key, value, if_version, ttl })
            }
            Effect::Revoke { token } => {
                monitor::revocation(next, token)?;
                next.server.revoke(&token.get());
                Ok(Reply::Revoked)
            }
            other => Err(format!("{other:?} does not just happen")),
        }
    }

    /// The reply reaches the program, which goes on to its next effect.
    pub(super) fn answer(
        &self,
        next: &mut State,
        who: Who,
        reply: Reply,
        histories: &mut Histories,
    ) -> Result<(), String> {
        let at = who.at();
        monitor::reply(next, who, reply, histories);
        let context = &next.contexts[at];
        let senses = Senses { now: next.now, wall: next.now + context.skew, heard: context.heard };
        let followed = histories.follow(context.history, Answer { program: who.program, reply, senses });
        next.contexts[at].history = followed;
        for (program, output) in histories.outputs(followed).to_vec() {
            let whose = Who::new(at, program);
            match output {
                Output::Released => {
                    if next.lock == Some(whose) {
                        next.lock = None;
                    }
                }
                Output::Announced { generation } => self.announce(next, at, generation),
                Output::Early => monitor::early(self, next, at)?,
                Output::Began(index) => {
                    monitor::begins(next, whose, self.roles[at].programs[program].get(index).copied());
                }
                Output::Settled(index, outcome) => {
                    monitor::settled(self, next, whose, self.roles[at].programs[program][index], outcome)?;
                }
            }
        }
        if let Some(Effect::Present { token, .. }) = next.effect(who, histories) {
            monitor::sending(self, next, who, token)?;
        }
        if histories.effects(followed).iter().all(Option::is_none) {
            self.forget(next, at, histories);
        }
        Ok(())
    }

    /// A context that is done or gone has no future: how it got there makes no difference any more.
    pub(super) fn forget(&self, next: &mut State, at: usize, histories: &Histories) {
        let context = &mut next.contexts[at];
        (context.history, context.over) = (histories.over(at), true);
        (context.heard, context.coming, context.skew) = (0, None, 0);
        (context.paused, context.fenced_until) = (false, None);
        context.slots = Default::default();
        context.watch = monitor::Watch::default();
    }

    fn announce(&self, next: &mut State, at: usize, generation: u64) {
        for other in 0..next.contexts.len() {
            if other == at || !next.contexts[other].lives() {
                continue;
            }
            match self.channel {
                Channel::Lost => {}
                Channel::Prompt => hears(next, other, generation),
                Channel::Late => {
                    let coming = &mut next.contexts[other].coming;
                    *coming = Some(coming.map_or(generation, |known| known.max(generation)));
                }
            }
        }
    }
}

fn hears(next: &mut State, at: usize, generation: u64) {
    next.contexts[at].heard += 1;
    next.contexts[at].watch.has_heard(generation);
}
