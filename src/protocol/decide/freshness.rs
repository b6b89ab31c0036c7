//! How long a grant still lives, and whether it meets a demand.

use crate::protocol::demand::Need;
use crate::protocol::record::Record;
use crate::protocol::settings::Settings;
use crate::protocol::tokens::{Grant, Millis, Secret};

/// What a context knows beyond the record when it judges a grant.
#[derive(Clone, Copy, Debug)]
pub struct Knowledge<'a> {
    /// Wall clock, milliseconds since the epoch.
    pub wall: Millis,
    /// How long the grant still lives by the monotonic clock, in milliseconds, where this context knows when it began.
    pub monotonic_left: Option<Millis>,
    /// Access tokens that a resource server refused.
    pub refused: &'a [Secret],
}

impl Knowledge<'_> {
    /// Remaining life in milliseconds: the smaller of what the two clocks say. Zero for a token that was refused.
    pub fn remaining(&self, grant: &Grant) -> Millis {
        if grant.access_token.as_ref().is_some_and(|token| self.refused.contains(token)) {
            return 0;
        }
        let wall = grant.expires_at.saturating_sub(self.wall);
        // A wall clock set back must not lengthen a life beyond what the server gave.
        let wall = wall.min(grant.lifetime());
        self.monotonic_left.map_or(wall, |left| wall.min(left)).max(0)
    }

    /// May it still be used?
    pub fn is_alive(&self, grant: &Grant) -> bool {
        self.remaining(grant) > 0
    }
}

/// The mandatory window of a grant in milliseconds: with less life left, callers wait.
///
/// Never more than half of the lifetime, or a short-lived token would be stale the moment it arrives.
pub fn mandatory(settings: &Settings, grant: &Grant) -> Millis {
    let wished = settings.mandatory_window.unwrap_or_else(|| 10_000.min(grant.lifetime() / 10));
    wished.min(grant.lifetime() / 2)
}

/// The advisory window of a grant in milliseconds: with less life left, one context refreshes in the background.
pub fn advisory(settings: &Settings, grant: &Grant) -> Millis {
    let wished = settings.advisory_window.unwrap_or_else(|| 120_000.min(grant.lifetime() / 4));
    wished.min(grant.lifetime() / 2).max(mandatory(settings, grant))
}

/// Does the grant meet the need without an exchange?
pub fn meets(need: &Need, grant: &Grant, settings: &Settings, known: &Knowledge<'_>) -> bool {
    let left = known.remaining(grant);
    let fresh = left > mandatory(settings, grant);
    match need {
        Need::Valid => fresh,
        Need::Ahead => left > advisory(settings, grant),
        Need::NotThis(other) | Need::Another(other) => fresh && grant.access_token.as_ref() != Some(other),
        Need::Newer(None) => fresh,
        Need::Newer(Some(mark)) => {
            let newer =
                grant.minted > mark.minted || (grant.minted == mark.minted && grant.access_token != mark.access_token);
            fresh && newer
        }
        Need::MintedAfterNow => false,
    }
}

/// May a token that is inside its window still be served to this need, when there is nothing better?
pub fn may_fall_back(need: &Need, grant: &Grant, known: &Knowledge<'_>) -> bool {
    matches!(need, Need::Valid | Need::Ahead) && known.is_alive(grant)
}

/// When the last valid access token of the session ends; nothing if none is valid.
///
/// A replay makes a strict server revoke these too: they are what is left to lose.
pub fn left_to_lose(record: &Record, known: &Knowledge<'_>) -> Option<Millis> {
    record.grants.values().filter(|grant| known.is_alive(grant)).map(|grant| grant.expires_at).max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::demand::Mark;

    fn grant(lifetime: Millis) -> Grant {
        Grant {
            access_token: Some(Secret::new("A1")),
            expires_at: lifetime,
            issued_at: 0,
            minted: 1,
            token_type: None,
            scope: None,
            id_token: None,
            extra: Default::default(),
        }
    }

    fn at(wall: Millis) -> Knowledge<'static> {
        Knowledge { wall, monotonic_left: None, refused: &[] }
    }

    #[test]
    fn the_windows_follow_the_lifetime() {
        let settings = Settings::default();
        let windows = |lifetime| (mandatory(&settings, &grant(lifetime)), advisory(&settings, &grant(lifetime)));
        assert_eq!(windows(3_600_000), (10_000, 120_000));
        assert_eq!(windows(60_000), (6_000, 15_000));
        assert_eq!(windows(0), (0, 0));
    }

    #[test]
    fn a_window_longer_than_the_life_is_cut_so_that_a_new_token_is_fresh() {
        let settings = Settings { mandatory_window: Some(600_000), ..Settings::default() };
        assert!(meets(&Need::Valid, &grant(60_000), &settings, &at(0)));
        let settings = Settings { advisory_window: Some(600_000), ..Settings::default() };
        assert_eq!(advisory(&settings, &grant(60_000)), 30_000);
    }

    #[test]
    fn the_smaller_of_both_clocks_counts() {
        let token = grant(60_000);
        assert_eq!(at(50_000).remaining(&token), 10_000);
        assert_eq!(Knowledge { monotonic_left: Some(4_000), ..at(50_000) }.remaining(&token), 4_000);
        assert_eq!(at(-1_000_000).remaining(&token), 60_000, "a wall clock set back gives no extra life");
        assert_eq!(at(70_000).remaining(&token), 0);
    }

    #[test]
    fn a_refused_access_token_is_not_valid_whatever_the_clock_says() {
        let refused = [Secret::new("A1")];
        let known = Knowledge { refused: &refused, ..at(0) };
        assert!(!meets(&Need::Valid, &grant(60_000), &Settings::default(), &known));
        assert!(!may_fall_back(&Need::Valid, &grant(60_000), &known));
    }

    #[test]
    fn each_need_has_its_own_measure() {
        let settings = Settings::default();
        let token = grant(60_000);
        let mark = |minted, access: &str| Need::Newer(Some(Mark { minted, access_token: Some(Secret::new(access)) }));
        let met = |need: Need, wall| meets(&need, &token, &settings, &at(wall));
        assert!(met(Need::Valid, 53_000) && !met(Need::Valid, 54_000), "mandatory window 6 s");
        assert!(met(Need::Ahead, 44_000) && !met(Need::Ahead, 45_000), "advisory window 15 s");
        assert!(!met(Need::NotThis(Secret::new("A1")), 0) && met(Need::NotThis(Secret::new("A0")), 0));
        assert!(!met(Need::Another(Secret::new("A1")), 0) && met(Need::Another(Secret::new("A0")), 0));
        assert!(!met(Need::Another(Secret::new("A0")), 54_000), "in its mandatory window");
        assert!(met(mark(0, "A0"), 0) && !met(mark(1, "A1"), 0) && !met(mark(2, "A2"), 0));
        assert!(met(mark(1, "A0"), 0), "another token of the same generation was merged by a sign-in");
        assert!(!met(Need::MintedAfterNow, 0));
    }
}
