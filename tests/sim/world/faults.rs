//! What may go wrong, and where. Each fault costs one unit of the budget.

use super::steps::Step;
use super::{Place, Scenario, State, Who};
use crate::sim::histories::Histories;
use crate::sim::replay::Effect;
use crate::sim::script::Output;

/// Which faults may happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Requests that arrive late or never, and replies that are lost.
    pub network: bool,
    /// A server that says that it is away.
    pub unavailable: bool,
    /// Contexts that end.
    pub crash: bool,
    /// Contexts that stand still for any time, and come back.
    pub pause: bool,
    /// Writes that fail, whose outcome is unknown, or that land late.
    pub write: bool,
    /// Reads that fail.
    pub read: bool,
    /// Reads that see the value before the last one.
    pub stale: bool,
    /// Reads whose answer takes a while, beside another call in the same context.
    pub slow: bool,
    /// Wall clocks that jump.
    pub jump: bool,
    /// Revocations that fail, before or after the server has carried them out.
    pub revoke: bool,
    /// Replies that are for another user.
    pub identity: bool,
}

/// What has happened, as far as it excuses a lost session or a bad answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Happened {
    pub network: bool,
    pub crash: bool,
    /// Somebody stood still between send and commit.
    pub paused_sending: bool,
    pub paused: bool,
    /// A request was on its way with nobody waiting for its reply.
    pub orphan: bool,
    pub write: bool,
    pub read: bool,
    pub stale: bool,
    pub unavailable: bool,
    /// A reply was for another user.
    pub identity: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request, or the reply if it has arrived, is lost for the context; a lost request may still arrive.
    Lose,
    /// The request arrives, and the reply is lost.
    LoseReply,
    /// The server turns the request away.
    Unavailable,
    /// The server answers with the tokens of another user.
    OtherUser,
    Crash,
    /// It crashes right after its write was applied.
    CrashAfter,
    /// It stands still before its effect happens.
    Pause,
    /// Its effect happens, then it stands still.
    PauseAfter,
    WriteFails,
    WriteUnknown,
    WriteLate,
    ReadFails,
    ReadStale,
    ReadSlow,
    /// Its wall clock jumps by so many milliseconds.
    Jump(i64),
    RevokeFails,
    RevokeUnknown,
}

/// Further than any deadline, and than any cool-down may be ahead.
const JUMP: i64 = 600_000;

impl Scenario {
    /// The faults that can hit a program now. Those that change nothing for anybody else are left out: a context that
    /// ends or stands still while it only reads or waits is one that never began, or not yet.
    pub(super) fn faults_of(
        &self,
        state: &State,
        who: Who,
        effect: Effect,
        histories: &Histories,
        steps: &mut Vec<Step>,
    ) {
        if state.budget == 0 {
            return;
        }
        let mut fault = |fault| steps.push(Step::Fault(who, fault));
        let faults = self.faults;
        let writes = matches!(effect, Effect::Write { .. });
        let presents = matches!(effect, Effect::Present { .. });
        let arrived = state.contexts[who.at()].slots[who.program()].reply.is_some();
        if faults.network && presents {
            fault(Fault::Lose);
            if !self.replies_travel() {
                fault(Fault::LoseReply);
            }
        }
        if faults.unavailable && presents && !arrived {
            fault(Fault::Unavailable);
        }
        if faults.identity && presents && !arrived {
            fault(Fault::OtherUser);
        }
        if faults.crash && (writes || presents) {
            fault(Fault::Crash);
            if writes {
                fault(Fault::CrashAfter);
            }
        }
        let holds = state.lock.is_some_and(|holder| holder == who);
        if faults.pause && (writes || presents || holds) {
            fault(Fault::Pause);
            if writes {
                fault(Fault::PauseAfter);
            }
        }
        if faults.write && writes {
            fault(Fault::WriteFails);
            fault(Fault::WriteUnknown);
            fault(Fault::WriteLate);
        }
        if let Effect::Read { key } = effect {
            if faults.slow && self.roles[who.at()].programs.len() > 1 && !arrived {
                fault(Fault::ReadSlow);
            }
            if faults.read {
                fault(Fault::ReadFails);
            }
            let declared = self.roles[who.at()].lag;
            let may_lag =
                |place: &Place| place.before.is_some() && (declared == 0 || state.now - place.written_at <= declared);
            if faults.stale && state.place(key).is_some_and(may_lag) {
                fault(Fault::ReadStale);
            }
        }
        if faults.jump {
            // Before it has looked at its clock, a jump is a clock that was wrong from the start: one of them is enough.
            let began =
                matches!(histories.outputs(state.contexts[who.at()].history).last(), Some((_, Output::Began(_))));
            if !began || state.contexts[who.at()].skew == 0 {
                fault(Fault::Jump(JUMP));
                fault(Fault::Jump(-JUMP));
            }
        }
        if faults.revoke && matches!(effect, Effect::Revoke { .. }) {
            fault(Fault::RevokeFails);
            fault(Fault::RevokeUnknown);
        }
    }
}
