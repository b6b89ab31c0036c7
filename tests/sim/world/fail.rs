//! What each fault does to the world.

use super::faults::Fault;
use super::{Scenario, State, Who, Writing};
use crate::sim::histories::Histories;
use crate::sim::monitor::Program;
use crate::sim::replay::{Effect, Reply};
use crate::sim::text::Text;

impl Scenario {
    /// A fault happens.
    pub(super) fn fail(
        &self,
        next: &mut State,
        who: Who,
        fault: Fault,
        histories: &mut Histories,
    ) -> Result<(), String> {
        next.budget -= 1;
        let effect = next.effect(who, histories).expect("it waits for an effect");
        let watch = &next.contexts[who.at()].watch;
        let sends = |program: usize, watched: &Program| {
            watched.holds_a_grant
                || matches!(histories.effects(next.contexts[who.at()].history)[program], Some(Effect::Present { .. }))
        };
        let mut programs = watch.programs.iter().enumerate();
        let sending = programs.find(|(program, watched)| sends(*program, watched)).map(|(_, watched)| *watched);
        match fault {
            Fault::Lose => {
                next.happened.network = true;
                self.orphan(next, who, effect);
                self.answer(next, who, Reply::Lost, histories)
            }
            Fault::LoseReply => {
                next.happened.network = true;
                self.arrive(next, who, effect, histories)?;
                self.answer(next, who, Reply::Lost, histories)
            }
            Fault::Unavailable => {
                next.happened.unavailable = true;
                self.answer(next, who, Reply::Unavailable, histories)
            }
            Fault::OtherUser => {
                let reply = match self.arrive(next, who, effect, histories)? {
                    Reply::Granted { refresh, access, .. } => {
                        next.happened.identity = true;
                        let access = Text::of(&access.get().replacen('u', "w", 1));
                        Reply::Granted { refresh, access, subject: Some(Text::of("w")) }
                    }
                    other => other,
                };
                self.answer(next, who, reply, histories)
            }
            Fault::Crash | Fault::CrashAfter => {
                next.happened.crash = true;
                if fault == Fault::CrashAfter {
                    self.happen(next, who, effect)?;
                }
                self.crash(next, who.at(), histories);
                Ok(())
            }
            Fault::Pause | Fault::PauseAfter => {
                next.happened.paused = true;
                let fence = self.roles[who.at()].settings.intent_duration();
                let fenced_until = sending.and_then(|program| program.claimed_at).map(|at| at + fence);
                next.contexts[who.at()].fenced_until = fenced_until.filter(|_| self.is_leased());
                if fault == Fault::PauseAfter {
                    let reply = self.happen(next, who, effect)?;
                    next.slot(who).mailbox = Some(reply);
                }
                next.contexts[who.at()].paused = true;
                Ok(())
            }
            Fault::WriteFails | Fault::WriteUnknown | Fault::WriteLate => {
                next.happened.write = true;
                if fault == Fault::WriteUnknown {
                    self.happen(next, who, effect)?;
                }
                if let (Fault::WriteLate, Effect::Write { key, value, if_version, ttl }) = (fault, effect) {
                    let action = next.contexts[who.at()].watch.programs[who.program()].action;
                    next.late.push(Writing { who, action, key, value, if_version, ttl });
                }
                self.answer(next, who, Reply::StoreFailed, histories)
            }
            Fault::ReadFails => {
                next.happened.read = true;
                self.answer(next, who, Reply::StoreFailed, histories)
            }
            Fault::ReadStale => {
                next.happened.stale = true;
                let Effect::Read { key } = effect else { return Err("only reads are late".into()) };
                let before = next.place(key).and_then(|place| place.before).flatten();
                next.contexts[who.at()].watch.has_read(who.program());
                let reply = Reply::Read(before.map(|cell| (cell.value, cell.version)));
                self.answer(next, who, reply, histories)
            }
            Fault::ReadSlow => {
                let reply = self.happen(next, who, effect)?;
                next.slot(who).reply = Some(reply);
                Ok(())
            }
            Fault::Jump(by) => {
                next.contexts[who.at()].skew += by;
                Ok(())
            }
            Fault::RevokeFails | Fault::RevokeUnknown => {
                if fault == Fault::RevokeUnknown {
                    self.happen(next, who, effect)?;
                }
                self.answer(next, who, Reply::NotRevoked, histories)
            }
        }
    }

    /// A context ends: its requests travel on, its lock is free.
    fn crash(&self, next: &mut State, at: usize, histories: &Histories) {
        for (program, effect) in histories.effects(next.contexts[at].history).iter().enumerate() {
            if let Some(effect) = effect {
                self.orphan(next, Who::new(at, program), *effect);
            }
        }
        next.contexts[at].crashed = true;
        self.forget(next, at, histories);
        if next.lock.is_some_and(|holder| holder.at() == at) {
            next.lock = None;
        }
    }

    /// The context gives up on its request, which may still arrive.
    fn orphan(&self, next: &mut State, who: Who, effect: Effect) {
        if let Effect::Present { token, scope } = effect
            && next.slot(who).reply.take().is_none()
        {
            next.orphans.push((token, scope));
            next.orphans.sort_by_key(|(token, scope)| (token.get(), scope.get()));
            next.happened.orphan = true;
        }
    }
}
