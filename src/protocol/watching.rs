//! For how long the intents of others have been seen unchanged: what tells that an owner is gone, where no lock does.

use std::collections::BTreeMap;

use super::record::Intent;
use super::tokens::Millis;

/// So many are never looked through for what is long over.
const FEW: usize = 64;
/// A server may serve any number of sessions through one coordinator, and all of them may wait at once for one that died.
const MANY: usize = 4_096;
/// What nobody has asked for in so many of its durations is long over.
const LONG_OVER: Millis = 4;

/// The intents under observation.
#[derive(Debug, Default)]
pub struct Watching {
    /// By their keys.
    watches: BTreeMap<String, Watch>,
    /// When the store last answered (monotonic clock).
    answered: Millis,
    /// It has not answered since.
    is_away: bool,
}

#[derive(Debug)]
struct Watch {
    nonce: String,
    /// On the monotonic clock.
    since: Millis,
    duration: Millis,
}

impl Watching {
    /// Begins to watch this intent, or goes on. Returns for how long it has been watched, in milliseconds.
    ///
    /// Never forgets one for the sake of another before its time is over: at a busy server none would ever be watched to
    /// the end. When there are too many, the new one waits until there is room.
    pub fn watch(&mut self, key: &str, intent: &Intent, monotonic: Millis) -> Millis {
        match self.watches.get(key) {
            Some(watch) if watch.nonce == intent.nonce => return monotonic - watch.since,
            Some(_) => {}
            None => self.make_room(monotonic),
        }
        if self.watches.len() < MANY || self.watches.contains_key(key) {
            let watch = Watch { nonce: intent.nonce.clone(), since: monotonic, duration: intent.duration };
            self.watches.insert(key.to_owned(), watch);
        }
        0
    }

    /// The store was asked, and did not answer.
    pub fn store_failed(&mut self) {
        self.is_away = true;
    }

    /// The store answers. If it did not before, it may have been away ever since the last time it did: nobody could see what
    /// an owner does, and no owner could store what it got. That time does not count.
    pub fn store_answered(&mut self, monotonic: Millis) {
        if std::mem::take(&mut self.is_away) {
            for watch in self.watches.values_mut() {
                watch.since += monotonic - watch.since.max(self.answered);
            }
        }
        self.answered = monotonic;
    }

    fn make_room(&mut self, monotonic: Millis) {
        if self.watches.len() >= FEW {
            self.watches.retain(|_, watch| monotonic - watch.since < watch.duration.saturating_mul(LONG_OVER));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(nonce: &str) -> Intent {
        Intent { nonce: nonce.into(), hash: String::new(), locked: false, deadline: 0, duration: 10 }
    }

    #[test]
    fn watching_goes_on_and_begins_anew_with_another_intent() {
        let mut watching = Watching::default();
        assert_eq!(watching.watch("k", &intent("a"), 100), 0);
        assert_eq!(watching.watch("k", &intent("a"), 107), 7);
        assert_eq!(watching.watch("l", &intent("a"), 108), 0);
        assert_eq!(watching.watch("k", &intent("b"), 110), 0);
        assert_eq!(watching.watch("k", &intent("a"), 120), 0);
        assert_eq!(watching.watch("l", &intent("a"), 120), 12);
    }

    #[test]
    fn none_is_forgotten_for_another_before_its_time_is_over() {
        let mut watching = Watching::default();
        for count in 0..MANY {
            assert_eq!(watching.watch(&format!("k{count}"), &intent("a"), 0), 0);
        }
        assert_eq!(watching.watch("one too many", &intent("a"), 0), 0);
        assert!((0..MANY).all(|count| watching.watch(&format!("k{count}"), &intent("a"), 10) == 10));
        assert_eq!(watching.watch("one too many", &intent("a"), 10), 0);
        assert_eq!(watching.watch("k0", &intent("b"), 11), 0);
        assert_eq!(watching.watch("k0", &intent("b"), 12), 1, "what is watched already has its place");
    }

    #[test]
    fn the_time_in_which_the_store_was_away_does_not_count() {
        let mut watching = Watching::default();
        watching.store_answered(100);
        watching.watch("k", &intent("a"), 100);
        watching.store_answered(104);
        watching.store_failed();
        watching.store_failed();
        watching.store_answered(200);
        assert_eq!(watching.watch("k", &intent("a"), 200), 4, "it was there until 104");
        watching.store_answered(206);
        assert_eq!(watching.watch("k", &intent("a"), 206), 10);
        watching.watch("l", &intent("a"), 207);
        watching.store_failed();
        watching.store_answered(210);
        assert_eq!(watching.watch("k", &intent("a"), 210), 10);
        assert_eq!(watching.watch("l", &intent("a"), 210), 0);
    }

    #[test]
    fn what_is_long_over_makes_room() {
        let mut watching = Watching::default();
        for count in 0..FEW {
            watching.watch(&format!("k{count}"), &intent("a"), 0);
        }
        watching.watch("k", &intent("a"), 39);
        assert_eq!(watching.watches.len(), FEW + 1);
        watching.watch("l", &intent("a"), 40);
        assert_eq!(watching.watches.len(), 2);
        assert_eq!(watching.watch("k", &intent("a"), 41), 2);
    }
}
