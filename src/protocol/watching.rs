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

/// How long an owner is given once a store that was in trouble takes writes again, in milliseconds. It holds a reply, perhaps,
/// lets the store rest for up to four seconds between two attempts, and its client may have to connect anew.
const RETURN: Millis = 10_000;

/// The intents under observation.
#[derive(Debug, Default)]
pub struct Watching {
    /// By their keys.
    watches: BTreeMap<String, Watch>,
    /// When the store last answered (monotonic clock).
    answered: Millis,
    /// It has not answered since.
    is_away: bool,
    /// It did not take the last write. It may answer reads all the same: a database that is full, or has lost its replicas.
    refuses: bool,
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
    /// an owner does, and no owner could store what it got. That time does not count, and then every owner has its turn.
    pub fn store_answered(&mut self, monotonic: Millis) {
        if std::mem::take(&mut self.is_away) {
            for watch in self.watches.values_mut() {
                watch.since += monotonic - watch.since.max(self.answered);
            }
            self.give_owners_a_turn(monotonic);
        }
        self.answered = monotonic;
    }

    /// A write failed.
    pub fn store_refused(&mut self) {
        self.refuses = true;
    }

    /// Has the store not taken a write since one failed? Then an owner may be there that only cannot store what it got.
    pub fn store_refuses(&self) -> bool {
        self.refuses
    }

    /// The store took a write.
    pub fn store_wrote(&mut self, monotonic: Millis) {
        if std::mem::take(&mut self.refuses) {
            self.give_owners_a_turn(monotonic);
        }
    }

    fn give_owners_a_turn(&mut self, monotonic: Millis) {
        for watch in self.watches.values_mut() {
            watch.since = watch.since.max(monotonic + RETURN - watch.duration);
        }
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
        let long = Intent { duration: 30_000, ..intent("a") };
        let mut watching = Watching::default();
        watching.store_answered(1_000);
        watching.watch("k", &long, 1_000);
        watching.store_answered(5_000);
        watching.store_failed();
        watching.store_failed();
        watching.store_answered(90_000);
        assert_eq!(watching.watch("k", &long, 90_000), 4_000, "it was there until 5,000");
        watching.store_answered(96_000);
        assert_eq!(watching.watch("k", &long, 96_000), 10_000);
        watching.watch("l", &long, 97_000);
        watching.store_failed();
        watching.store_answered(99_000);
        assert_eq!(watching.watch("k", &long, 99_000), 10_000);
        assert_eq!(watching.watch("l", &long, 99_000), 0);
    }

    #[test]
    fn an_owner_has_its_turn_when_the_store_is_back() {
        let short = Intent { duration: 1_500, ..intent("a") };
        let left = |watching: &mut Watching, now| short.duration - watching.watch("k", &short, now);
        let mut watching = Watching::default();
        watching.store_answered(0);
        watching.watch("k", &short, 0);
        watching.store_answered(1_499);
        watching.store_failed();
        watching.store_answered(60_000);
        assert_eq!(left(&mut watching, 60_000), RETURN);
        watching.store_answered(70_000);
        assert_eq!(left(&mut watching, 70_000), 0);
        // Reads are answered all the time; only a write that is taken says that writes are taken.
        watching.store_refused();
        watching.store_answered(71_000);
        assert!(watching.store_refuses());
        watching.store_wrote(72_000);
        assert!(!watching.store_refuses());
        assert_eq!(left(&mut watching, 72_000), RETURN);
        watching.store_wrote(80_000);
        assert_eq!(left(&mut watching, 82_000), 0, "one that was taken before another one changes nothing");
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
