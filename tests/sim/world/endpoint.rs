//! Requests that reach the authorization server, with somebody waiting for the reply or not.

use super::{Scenario, State, Who};
use crate::sim::histories::Histories;
use crate::sim::monitor;
use crate::sim::replay::{Effect, Reply};
use crate::sim::server::Answer;
use crate::sim::text::Text;

impl Scenario {
    /// A program's request reaches the server.
    pub(super) fn arrive(
        &self,
        next: &mut State,
        who: Who,
        effect: Effect,
        histories: &Histories,
    ) -> Result<Reply, String> {
        let Effect::Present { token, scope } = effect else { return Err(format!("{effect:?} is no request")) };
        let reply = self.arrive_unheeded(next, token, scope, histories)?;
        if let Reply::Granted { .. } = reply {
            monitor::granted(self, next, who, token)?;
        }
        Ok(reply)
    }

    /// A request reaches the server, whoever sent it.
    pub(super) fn arrive_unheeded(
        &self,
        next: &mut State,
        token: Text,
        scope: Text,
        histories: &Histories,
    ) -> Result<Reply, String> {
        let reuses = next.server.reuses;
        let meets = next.contexts.iter().any(|context| {
            let effects = histories.effects(context.history).iter().zip(&context.slots);
            effects.into_iter().any(|(effect, slot)| {
                let same = matches!(effect, Some(Effect::Present { token: other, .. }) if *other == token);
                same && matches!(slot.reply, Some(Reply::Granted { .. }))
            })
        });
        let now = next.now;
        let answer = next.server.present(&token.get(), &scope.get(), now, meets);
        if next.server.reuses > reuses && !self.may_reuse(next) {
            return Err(format!("a spent token ({token:?}) reached the server without a cause that excuses it"));
        }
        Ok(match answer {
            Answer::Granted(refresh, access) => {
                Reply::Granted { refresh: Text::of(&refresh), access: Text::of(&access), subject: None }
            }
            Answer::Refused => Reply::Refused,
        })
    }
}
