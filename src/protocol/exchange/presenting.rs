//! Rule 4: present the token of the claimed record, if the claim still stands in the step that sends.

use super::{Claimed, Exchange};
use crate::protocol::decide::claim::{Moment, may_send};
use crate::protocol::failure::Failure;
use crate::protocol::notice::What;
use crate::protocol::ports::{Presentation, World};
use crate::protocol::record::Record;
use crate::protocol::safeguard::{Safeguard, dropped};
use crate::protocol::verdict::Verdict;

impl<W: World> Exchange<'_, W> {
    /// Presents the token. Nothing: the claim does not stand any more, look again.
    pub(super) async fn present(&mut self, claimed: &mut Claimed<W::Prepared>) -> Option<(Verdict, Moment)> {
        let world = &self.context.world;
        if let Some(refusal) = self.context.memory().refusal(&claimed.record) {
            return Some((Verdict::Refused(Box::new(refusal)), self.context.moment()));
        }
        let heard_more = world.heard(self.key()) != claimed.heard && !dropped(Safeguard::HeedHints);
        if heard_more && !self.still_stands(claimed).await {
            return None;
        }
        let prepared = claimed.prepared.take()?;
        let record = &claimed.record;
        let token = self.captured.as_ref().or(record.refresh_token.as_ref());
        // From here to the send there is no await: nothing may come between this check and the request.
        let now = self.context.moment();
        let holds = self.held.as_ref().is_none_or(|held| world.still_held(held));
        if !holds || !may_send(claimed.began, now, &self.context.settings) {
            return None;
        }
        self.attempts += 1;
        self.context.memory_mut().sending(&claimed.nonce);
        (self.call.on_sent)();
        self.notice(record.generation, What::Presented);
        let deadline = now.wall + self.context.settings.timeout;
        let presentation =
            Presentation { refresh_token: token, params: &self.demand.params, attempt: self.attempts, deadline };
        let verdict = world.present(prepared, presentation).await;
        if matches!(verdict, Verdict::Refused(_)) {
            self.notice(record.generation, What::Refused);
        }
        Some((verdict, now))
    }

    /// A hint was heard since the claim: is our intent still what the record says?
    async fn still_stands(&self, claimed: &mut Claimed<W::Prepared>) -> bool {
        match self.context.read(&self.entry.address).await {
            Ok(Some(seen)) if seen.record == claimed.record => {
                claimed.version = seen.version;
                true
            }
            _ => false,
        }
    }

    /// Presents without a claim, because the store is away and the application chose that over waiting.
    pub(super) async fn present_unclaimed(
        &mut self,
        record: Record,
    ) -> Result<(Claimed<W::Prepared>, Verdict, Moment), Failure> {
        let prepared = self.context.world.prepare(self.attempts + 1).await;
        let prepared = prepared.map_err(|refusal| Failure::refused(&refusal, None))?;
        let began = self.context.moment();
        let nonce = self.context.world.nonce();
        let heard = self.context.world.heard(self.key());
        let mut claimed =
            Claimed { record, version: None, nonce, began, heard, taken_over: false, prepared: Some(prepared) };
        match self.present(&mut claimed).await {
            Some((verdict, sent)) => Ok((claimed, verdict, sent)),
            None => Err(Failure::busy("busy", "the host was suspended between two steps", None)),
        }
    }
}
