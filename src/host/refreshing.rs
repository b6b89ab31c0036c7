//! The two members that bring tokens: for the coordinator's own session, and for tokens that the caller carries.

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::coordinator::{Coordinator, Flight, Mode};
use super::errors::{raise, raise_wrong};
use super::shared::Shared;
use super::tokens::{self, Freshness};
use crate::options::given::Wrong;
use crate::protocol::context::{Call, Carried};
use crate::protocol::decide::freshness::advisory;
use crate::protocol::demand::{Demand, Need};
use crate::protocol::failure::Failure;
use crate::protocol::flight::FlightKey;
use crate::protocol::ports::{Clock, TokenEndpoint};
use crate::protocol::tokens::{Secret, TokenSet};

/// How often a flight looks again at what was announced while it read. Forged messages must not keep it for ever.
const CONFIRMATIONS: u32 = 8;

impl Coordinator {
    /// Session mode: the shared promise for this need. The numbers are those of `Need` in the JavaScript half.
    pub fn flight(self: &Rc<Self>, need: u32, number: u32, other: Option<String>) -> Promise {
        if let Err(wrong) = self.session_mode() {
            return Shared::rejected(&raise_wrong(&self.embedder, &wrong));
        }
        let params = self.params(number);
        let need = match need {
            0 => Need::Valid,
            1 => Need::Ahead,
            2 => Need::Newer(self.context.mark(&params, other.map(Secret::new))),
            3 => Need::MintedAfterNow,
            _ => Need::NotThis(Secret::new(other.unwrap_or_default())),
        };
        let demand = Demand { params, need };
        let key = FlightKey { presented: None, demand: demand.clone() };
        let coordinator = self.clone();
        self.join_or_start(Mode::Session, key, number, |flight| {
            Box::pin(async move { coordinator.refresh(&flight, &demand).await })
        })
    }

    async fn refresh(&self, flight: &Flight, demand: &Demand) {
        // Whoever signs in and then asks gets the new session, even without waiting in between.
        while self.entering.get() > 0 {
            self.entered.after(self.entered.count()).await;
        }
        let on_look = || flight.looked.set(self.doubts());
        let on_sent = || self.sent(flight);
        let on_tokens = |tokens: &TokenSet| self.land_early(flight, tokens);
        let call = Call { sid: self.context.sid(), on_look: &on_look, on_sent: &on_sent, on_tokens: &on_tokens };
        let outcome = match self.context.refresh(demand, &call).await {
            // What was just minted is nobody's but ours.
            Ok(tokens) if !flight.sent.get() => self.confirm(flight, tokens).await,
            outcome => outcome,
        };
        match outcome {
            Ok(tokens) => self.land(flight, &tokens),
            Err(failure) => {
                if failure.ends_session() {
                    self.embedder.forget();
                }
                self.fail(flight, &failure);
            }
        }
        self.context.world.journal.deliver();
        if flight.sent.get() {
            self.drain_behind().await;
        }
    }

    /// Looks again if there was a hint after the tokens were read: callers may have joined that came after the hint, and
    /// count on its being heeded.
    async fn confirm(&self, flight: &Flight, mut tokens: TokenSet) -> Result<TokenSet, Failure> {
        for _ in 0..CONFIRMATIONS {
            let looked = self.doubts();
            if looked == flight.looked.get() {
                break;
            }
            match self.context.look(&self.params(flight.params)).await {
                Ok(there) => {
                    if self.context.sid().as_deref() != Some(&tokens.sid) {
                        return Err(Failure::no_session("another session took the place of this one"));
                    }
                    // Nothing newer to hand out: what was adopted is a good answer, but is not kept.
                    let Some(there) = there else { break };
                    flight.looked.set(looked);
                    if there.generation >= tokens.generation {
                        tokens = there;
                    }
                }
                // While the store is away, the tokens in hand serve.
                Err(Failure::Store { .. }) => break,
                Err(failure) => return Err(failure),
            }
        }
        Ok(tokens)
    }

    /// Session mode, after a hint: looks at the record, fills the mirror with what is valid there, and asks nobody for
    /// anything.
    pub fn look(self: &Rc<Self>) -> Promise {
        if let Err(wrong) = self.session_mode() {
            return Shared::rejected(&raise_wrong(&self.embedder, &wrong));
        }
        // Whoever waits looks at every hint: at an expiry all tabs do, and a second look of each would keep the last one waiting.
        if let Some(open) = self.flights(Mode::Session).looking(&self.options.params) {
            return open.promise();
        }
        let (coordinator, shared) = (self.clone(), Shared::new());
        let settling = shared.clone();
        let work = async move {
            let looked = coordinator.doubts();
            match coordinator.context.look(&coordinator.options.params).await {
                Ok(None) => settling.resolve(&JsValue::UNDEFINED),
                Ok(Some(tokens)) => {
                    let value = tokens::to_js(&tokens);
                    // Otherwise the next look, which is due already, has the say.
                    if coordinator.doubts() == looked {
                        coordinator.hold(0, &tokens, &value, looked);
                    }
                    settling.resolve(&value);
                }
                Err(failure) => settling.reject(&raise(&coordinator.embedder, &failure)),
            }
        };
        self.run(&shared, None, Box::pin(work));
        shared.promise()
    }

    /// Successor mode: the shared promise for these tokens. The numbers are those of `Need` in the JavaScript half.
    pub fn renew(self: &Rc<Self>, tokens: &JsValue, need: u32, number: u32, fixed: bool) -> Promise {
        let read = self.open().and_then(|()| self.carried(tokens, "renew"));
        let (mut carried, presented) = match read {
            Ok(read) => read,
            Err(wrong) => return Shared::rejected(&raise_wrong(&self.embedder, &wrong)),
        };
        carried.fixed = fixed;
        let need = match (need, &carried.granted.access_token) {
            (2, Some(access_token)) => Need::Another(access_token.clone()),
            (3, _) => Need::MintedAfterNow,
            _ => Need::Valid,
        };
        let demand = Demand { params: self.params(number), need };
        let key = FlightKey { presented: Some(presented.clone()), demand: demand.clone() };
        let coordinator = self.clone();
        self.join_or_start(Mode::Successor, key, number, |flight| {
            Box::pin(async move { coordinator.follow(&flight, &carried, &presented, demand).await })
        })
    }

    async fn follow(&self, flight: &Flight, carried: &Carried, presented: &Secret, mut demand: Demand) {
        let on_sent = || self.sent(flight);
        let on_tokens = |tokens: &TokenSet| self.land_early(flight, tokens);
        let call = Call { sid: None, on_look: &|| (), on_sent: &on_sent, on_tokens: &on_tokens };
        match self.context.renew(carried, &demand, &call).await {
            Ok(tokens) => {
                self.land(flight, &tokens);
                self.context.world.journal.deliver();
                // Where the host can be asked to stay for it, the next set is fetched before it is needed.
                let left = tokens.expires_monotonic - self.context.world.clock.monotonic();
                if self.options.wait_until.is_some() && left <= advisory(&self.context.settings, &tokens.grant) {
                    demand.need = Need::Ahead;
                    // The callers have their answer; whoever comes next finds the result, or has its own failure.
                    let _ = self.context.renew(carried, &demand, &call).await;
                }
            }
            Err(failure) => self.fail(flight, &failure),
        }
        if flight.sent.get() && self.context.world.can_revoke() {
            self.context.drain_carried(presented, carried.fixed).await;
        }
    }

    /// Tokens that the caller carries, with the refresh token that names their record.
    pub(super) fn carried(&self, tokens: &JsValue, member: &str) -> Result<(Carried, Secret), Wrong> {
        let carried = tokens::carried(tokens, self.context.world.clock.wall(), Freshness::Kept)?;
        match carried.granted.refresh_token.clone() {
            Some(presented) => Ok((carried, presented)),
            None => Err(Wrong {
                code: "no-refresh-token",
                message: ["the tokens given to `", member, "` hold no refresh token"].concat(),
            }),
        }
    }
}
