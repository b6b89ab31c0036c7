//! Which faults excuse what: DESIGN section 3, "what cannot be kept".

use refresh_coordinator::protocol::ports::LockScope;

use super::{Scenario, State};
use crate::sim::script::Role;
use crate::sim::server::Kind;

impl Scenario {
    /// Does nothing but the intent keep contexts apart?
    pub fn is_leased(&self) -> bool {
        self.roles.iter().any(|role| role.lock != LockScope::Covering)
    }

    /// Does every caller's patience last until it must see the end of what it waits for? Not where one context has locks and
    /// another has not, nor where an intent lives longer.
    pub fn is_patient(&self) -> bool {
        let sees_the_end =
            |role: &Role| role.lock == LockScope::Covering || role.settings.lock_wait > role.settings.intent_duration();
        self.roles.iter().all(sees_the_end) && self.roles.windows(2).all(|two| two[0].lock == two[1].lock)
    }

    /// Is a spent token at the server something that cannot be avoided? Only after a lost message, a crash, or, where
    /// locks do not tell a dead owner from a slow one, an owner that stood still past its deadline between its send and its
    /// commit.
    pub fn may_reuse(&self, state: &State) -> bool {
        state.happened.network || state.happened.crash || (self.is_leased() && state.happened.paused_sending)
    }

    /// May the server have ended the session of its own accord?
    pub fn may_give_up(&self, state: &State) -> bool {
        self.may_reuse(state) || state.happened.identity
    }

    /// Is a lost session something that cannot be avoided? A server that only refuses what was used before never ends
    /// one for it, and one with a grace window hands the lost reply out again while the window is open.
    pub fn may_lose(&self, state: &State) -> bool {
        if !self.forgiving {
            return false;
        }
        let excused = match self.server {
            Kind::NonRotating => false,
            Kind::RefuseOnly => state.happened.network || state.happened.crash,
            kind if kind.has_grace() => {
                // By lease, a second fault is seen only once the first one's intent has passed: the window may be closed then.
                let twice = self.is_leased() && self.budget - state.budget > 1;
                self.may_reuse(state) && (state.happened.orphan || state.happened.paused || twice)
            }
            _ => self.may_reuse(state),
        };
        excused || state.happened.identity
    }
}
