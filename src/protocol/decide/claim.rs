//! Rules 3 and 4: may the intent be written, must another owner be awaited, and may the request still be sent?

use super::backoff::cool_down;
use super::freshness::Knowledge;
use super::look::must_wait;
use crate::protocol::record::{Intent, Record};
use crate::protocol::safeguard::{Safeguard, dropped};
use crate::protocol::settings::Settings;
use crate::protocol::tokens::Millis;

/// What this context knows about the intent it found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Ours, from an attempt that ended before anything was sent.
    OursUnsent,
    /// Ours, from an attempt whose end could not be written.
    OursSent,
    /// Ours, from an attempt that is under way in this very context, for other parameters.
    OursRunning,
    /// Someone else's, or not known to be ours; watched unchanged for so long on the monotonic clock.
    Foreign {
        /// Milliseconds.
        watched: Millis,
    },
}

/// What to do about the intent in the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Nobody is in the way.
    Free,
    /// The owner is gone; whether it has sent the token is not known.
    TakeOver,
    /// The owner may live. Wait for a change, but no longer than this many milliseconds.
    Wait(Millis),
}

/// Judges the intent found in the record. `covered`: we hold a lock that covers everybody who shares the store.
pub fn claim(intent: Option<&Intent>, owner: Owner, covered: bool) -> Claim {
    let Some(intent) = intent else { return Claim::Free };
    match owner {
        Owner::OursUnsent => Claim::Free,
        Owner::OursSent => Claim::TakeOver,
        // However long it takes: it lives, and may know already that the token is spent.
        Owner::OursRunning => Claim::Wait(intent.duration),
        Owner::Foreign { .. } if covered && (intent.locked || dropped(Safeguard::LockedFlag)) => Claim::TakeOver,
        Owner::Foreign { watched } if watched >= intent.duration || dropped(Safeguard::WatchUnchanged) => {
            Claim::TakeOver
        }
        Owner::Foreign { watched } => Claim::Wait(intent.duration - watched),
    }
}

/// What a take-over makes of the record before our own intent is written.
#[derive(Clone, Debug, PartialEq)]
pub enum TakenOver {
    /// Present at once.
    Present(Record),
    /// Write this instead of an intent: the token must wait, for a cool-down or while there is something to lose.
    Wait(Record),
}

/// Takes the record over from an owner that is gone. `per_mille`: the lot for a cool-down.
///
/// The first send after an unknown one may go out at once; from the second on there is one per cool-down, also
/// across contexts that crash one after the other.
pub fn take_over(record: &Record, settings: &Settings, known: &Knowledge<'_>, per_mille: u32) -> TakenOver {
    let mut next = record.clone();
    next.intent = None;
    next.sends = record.sends.saturating_add(1).min(2);
    if record.sends > 0 {
        next.retry_at = Some(known.wall + cool_down(record.failures, per_mille));
        next.failures = record.failures.saturating_add(1).min(super::backoff::FAILURES_CAP);
        return TakenOver::Wait(next);
    }
    if must_wait(&next, next.sends, settings, known).is_some() {
        return TakenOver::Wait(next);
    }
    TakenOver::Present(next)
}

/// The record with our intent in it, which lives for so many milliseconds.
pub fn claimed(record: &Record, nonce: String, locked: bool, wall: Millis, duration: Millis) -> Record {
    let mut next = record.clone();
    next.intent = Some(Intent { nonce, hash: record.live_hash(), locked, deadline: wall + duration, duration });
    next.retry_at = None;
    next
}

/// A moment on both clocks, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Moment {
    /// Since the epoch.
    pub wall: Millis,
    /// Since an arbitrary start.
    pub monotonic: Millis,
}

/// May the request still be sent? The last check before it is: `began` is the moment before the claim was written.
///
/// The intent must outlive the request: more than `timeout` of its life must be ahead, on both clocks.
pub fn may_send(began: Moment, now: Moment, settings: &Settings) -> bool {
    if dropped(Safeguard::DeadlineAtSend) {
        return true;
    }
    let margin = settings.intent_duration() - settings.timeout;
    // A wall clock that went backwards is as untrustworthy as one that jumped ahead.
    let wall = now.wall - began.wall;
    now.monotonic - began.monotonic < margin && wall < margin && wall > -margin
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::tokens::{Grant, Secret};

    fn intent(locked: bool) -> Intent {
        Intent { nonce: "n".into(), hash: "h".into(), locked, deadline: 15_000, duration: 15_000 }
    }

    #[test]
    fn a_locked_intent_falls_with_its_lock() {
        let foreign = Owner::Foreign { watched: 0 };
        assert_eq!(claim(Some(&intent(true)), foreign, true), Claim::TakeOver);
        assert_eq!(claim(Some(&intent(false)), foreign, true), Claim::Wait(15_000));
        assert_eq!(claim(Some(&intent(true)), foreign, false), Claim::Wait(15_000));
        assert_eq!(claim(None, foreign, false), Claim::Free);
    }

    #[test]
    fn without_a_covering_lock_the_whole_duration_must_have_been_watched() {
        assert_eq!(claim(Some(&intent(false)), Owner::Foreign { watched: 14_999 }, false), Claim::Wait(1));
        assert_eq!(claim(Some(&intent(false)), Owner::Foreign { watched: 15_000 }, false), Claim::TakeOver);
    }

    #[test]
    fn an_own_intent_is_a_take_over_only_if_something_was_sent() {
        assert_eq!(claim(Some(&intent(false)), Owner::OursUnsent, false), Claim::Free);
        assert_eq!(claim(Some(&intent(false)), Owner::OursSent, false), Claim::TakeOver);
        assert_eq!(claim(Some(&intent(true)), Owner::OursRunning, true), Claim::Wait(15_000), "it lives");
    }

    fn known(wall: Millis) -> Knowledge<'static> {
        Knowledge { wall, monotonic_left: None, refused: &[] }
    }

    #[test]
    fn the_second_unknown_send_waits_for_a_cool_down() {
        let mut record = Record::begun("s".into(), Some(Secret::new("R0")));
        record.intent = Some(intent(true));
        let TakenOver::Present(once) = take_over(&record, &Settings::default(), &known(0), 999) else {
            panic!("nothing to lose")
        };
        assert_eq!((once.sends, once.intent.clone()), (1, None));
        let TakenOver::Wait(twice) = take_over(&once, &Settings::default(), &known(500), 999) else {
            panic!("must cool down")
        };
        assert_eq!((twice.sends, twice.retry_at, twice.failures), (2, Some(1_500), 1));
        let TakenOver::Wait(often) = take_over(&Record { failures: 6, ..twice }, &Settings::default(), &known(0), 999)
        else {
            panic!("must cool down")
        };
        assert_eq!((often.sends, often.retry_at, often.failures), (2, Some(60_000), 6), "they count no further");
    }

    #[test]
    fn a_take_over_waits_while_an_access_token_is_valid_unless_the_server_grants_grace() {
        let mut record = Record::begun("s".into(), Some(Secret::new("R0")));
        let grant = Grant {
            access_token: Some(Secret::new("A0")),
            expires_at: 60_000,
            issued_at: 0,
            minted: 0,
            token_type: None,
            scope: None,
            id_token: None,
            extra: Default::default(),
        };
        record.grants.insert(String::new(), grant);
        let strict = Settings::default();
        let lenient = Settings { grace: 10_000, ..Settings::default() };
        assert!(matches!(take_over(&record, &strict, &known(0), 0), TakenOver::Wait(_)));
        assert!(matches!(take_over(&record, &lenient, &known(0), 0), TakenOver::Present(_)));
        assert!(matches!(take_over(&record, &strict, &known(60_000), 0), TakenOver::Present(_)));
    }

    #[test]
    fn the_request_must_fit_into_what_is_left_of_the_intent_on_both_clocks() {
        let settings = Settings::default();
        let began = Moment { wall: 1_000, monotonic: 1_000 };
        let at = |wall, monotonic| may_send(began, Moment { wall, monotonic }, &settings);
        assert!(at(5_999, 5_999));
        assert!(!at(6_000, 5_999) && !at(5_999, 6_000));
        assert!(at(-3_999, 1_000) && !at(-4_000, 1_000), "the wall clock was set back");
    }
}
