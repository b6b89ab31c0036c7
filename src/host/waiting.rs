//! The one place where an exchange waits: for the lock, a hint or the time, whichever comes first.

use std::future::{Future, pending};

use super::clock::host_sleep;
use super::locks::Held;
use super::race::{First, race};
use super::world::HostWorld;
use crate::protocol::notice::{Notice, What};
use crate::protocol::ports::{Clock, LockScope, Locks, Observer, Randomness, SLEPT, Wait, Waiting, Woken};
use crate::protocol::tokens::Millis;

/// How long after `close` a store in trouble is still asked to take what was granted, in milliseconds: longer than a database
/// takes to be started again or to hand over to its replica. Then the process may end: its timers keep one of Node's alive.
const PERSISTENCE: Millis = 300_000;

/// The pause after a timer that ended too early, in milliseconds.
const NO_CIRCLE: Millis = 50;

impl Locks for HostWorld {
    type Held = Held;

    fn scope(&self, key: &str) -> LockScope {
        self.locks.scope(self.store.scope(key))
    }

    fn still_held(&self, held: &Held) -> bool {
        held.is_ours()
    }
}

impl Waiting for HostWorld {
    async fn wait_any(&self, wait: Wait<'_>) -> Woken<Held> {
        // Others are waited for, so nothing of ours is between claim and commit; or a troubled store is left alone, and
        // there is no hurry: events may go out.
        self.journal.deliver();
        // The lock is asked for first, and dropped, that is withdrawn, if something else comes first.
        let probe = || [wait.key, "/", &self.random.nonce()].concat();
        let lock = when(wait.lock, self.locks.acquire(wait.key, probe));
        // Who queues for the lock is called: only the others need to look again for themselves.
        let hint = self.channel.after(wait.key, wait.hint_after.unwrap_or_default(), !wait.lock);
        let hint = when(wait.hint_after.is_some(), hint);
        // A troubled store is waited for also after `close`, for a while: only this context holds what it is to keep.
        let others = wait.lock || wait.hint_after.is_some();
        if !others && self.has_persisted() {
            return Woken::Dismissed;
        }
        let timer = race(
            self.clock.sleep(wait.until.saturating_sub(self.clock.monotonic())),
            when(others, self.closing.after(0)),
        );
        match race(lock, race(hint, timer)).await {
            First::Left(Some(held)) => Woken::Locked(held),
            First::Left(None) => {
                let what = What::Degraded { what: "locks" };
                self.journal.notice(Notice { key: wait.key.to_owned(), generation: 0, what });
                Woken::Unlockable
            }
            First::Right(First::Left(())) => Woken::Hinted,
            First::Right(First::Right(First::Left(()))) => {
                self.slept_until(wait.until);
                // A user's clock may have timers that end at once: nobody is to wait in a circle without a pause.
                if self.clock.monotonic() + 1 < wait.until {
                    host_sleep(NO_CIRCLE).await;
                }
                Woken::Elapsed
            }
            First::Right(First::Right(First::Right(()))) => Woken::Dismissed,
        }
    }
}

impl HostWorld {
    /// Nobody waits any more, and nothing more is sent. What was granted already is still written, for [`PERSISTENCE`].
    pub(super) fn close(&self) {
        self.persists_until.set(Some(self.clock.monotonic().saturating_add(PERSISTENCE)));
        self.closing.ring(1);
        self.channel.close();
    }

    /// Closed, and the store has had its time since then?
    fn has_persisted(&self) -> bool {
        self.persists_until.get().is_some_and(|end| self.clock.monotonic() >= end)
    }

    /// A time that was slept through is none of the store's.
    fn slept_until(&self, until: Millis) {
        let late = self.clock.monotonic().saturating_sub(until);
        if late >= SLEPT {
            self.persists_until.set(self.persists_until.get().map(|end| end.saturating_add(late)));
        }
    }
}

/// A future that never ends unless it is wanted.
async fn when<T>(wanted: bool, future: impl Future<Output = T>) -> T {
    if wanted { future.await } else { pending().await }
}
