//! The durations and policies an exchange obeys, checked and complete.

use super::tokens::Millis;

/// What to do when the store is away and a token has to be presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnStoreFailure {
    /// Present nothing without a claim.
    Closed,
    /// Present without a claim when there is nothing else to answer with.
    Open,
}

/// Settings of one coordinator. All durations in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Settings {
    /// With less life left than this, callers wait for a refresh. `None`: min(10 s, 10 % of the lifetime).
    pub mandatory_window: Option<Millis>,
    /// With less life left than this, one context refreshes in the background. `None`: min(120 s, 25 % of the lifetime).
    pub advisory_window: Option<Millis>,
    /// Hard limit of one presentation.
    pub timeout: Millis,
    /// How long a caller waits for the lock and for other owners.
    pub lock_wait: Millis,
    /// How often one flight may present again after a transient refusal.
    pub retries: u8,
    /// For how long the server accepts the previous refresh token again. 0: not at all.
    pub grace: Millis,
    /// Life of an access token when the reply does not tell.
    pub unknown_lifetime: Millis,
    /// Queue the replaced refresh token for revocation after the commit.
    pub revoke_replaced: bool,
    /// What to do when the store is away.
    pub on_store_failure: OnStoreFailure,
}

impl Settings {
    /// How long an intent lives: one presentation, and time to store what it brought.
    pub fn intent_duration(&self) -> Millis {
        self.timeout + (self.timeout / 2).min(5_000)
    }

    /// The same on a store with this lag: an owner that is refused waits for as long before it says so.
    pub fn intent_duration_with(&self, lag: Millis) -> Millis {
        if lag == 0 { self.intent_duration() } else { self.intent_duration().max(self.timeout + lag + 2_000) }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mandatory_window: None,
            advisory_window: None,
            timeout: 10_000,
            lock_wait: 12_000,
            retries: 2,
            grace: 0,
            unknown_lifetime: 300_000,
            revoke_replaced: false,
            on_store_failure: OnStoreFailure::Closed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_intent_outlives_its_presentation_by_five_seconds_at_most() {
        let duration = |timeout| Settings { timeout, ..Settings::default() }.intent_duration();
        assert_eq!([duration(10_000), duration(30_000), duration(4_000)], [15_000, 35_000, 6_000]);
        let with = |lag| Settings::default().intent_duration_with(lag);
        assert_eq!([with(0), with(3_000), with(60_000)], [15_000, 15_000, 72_000]);
        assert_eq!(Settings { timeout: 500, ..Settings::default() }.intent_duration_with(0), 750);
    }
}
