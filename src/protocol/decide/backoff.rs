//! Cool-downs: how long nobody presents after a reply that brought nothing.

use crate::protocol::tokens::Millis;

/// The longest cool-down of our own making.
const CAP: Millis = 60_000;
/// The longest one a server may ask for. A moment further ahead than this is a clock that was set back.
pub const RETRY_AT_CAP: Millis = 300_000;
/// How long a failure that only a developer or the user can mend is answered from memory, in milliseconds.
pub const STANDING_FAILURE: Millis = 5_000;
/// The longest cool-down a caller waits out before it presents again, in milliseconds.
pub const WORTH_WAITING: Millis = 2_000;
/// `failures` counts no further.
pub const FAILURES_CAP: u8 = 6;

/// The cool-down after `failures` earlier failures in a row: min(60 s, 2^failures s), full jitter.
///
/// `per_mille` is the lot drawn, 0 to 999. Full jitter spreads the contexts of one session least predictably,
/// and starts the first retries soon: a server's reuse window is seconds long.
pub fn cool_down(failures: u8, per_mille: u32) -> Millis {
    let longest = (1_000_i64 << failures.min(FAILURES_CAP)).min(CAP);
    longest * Millis::from(per_mille.min(999) + 1) / 1_000
}

/// Is this `retryAt` ahead? One beyond every cap counts as past: the clock was set back.
pub fn is_ahead(retry_at: Option<Millis>, now: Millis) -> Option<Millis> {
    retry_at.filter(|&at| at > now && at - now <= RETRY_AT_CAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cool_downs_double_up_to_a_minute() {
        let longest: Vec<Millis> = (0..=7).map(|failures| cool_down(failures, 999)).collect();
        assert_eq!(longest, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
        assert_eq!(cool_down(0, 0), 1, "never zero: the record must say that there was a failure");
    }

    #[test]
    fn a_moment_beyond_the_cap_counts_as_past() {
        assert_eq!(is_ahead(Some(1_001), 1_000), Some(1_001));
        assert_eq!(is_ahead(Some(1_000), 1_000), None);
        assert_eq!(is_ahead(Some(1_000 + RETRY_AT_CAP), 1_000), Some(1_000 + RETRY_AT_CAP));
        assert_eq!(is_ahead(Some(1_001 + RETRY_AT_CAP), 1_000), None);
    }
}
