//! The one place where an exchange waits: for the lock, a hint or the time, whichever comes first.

use std::future::{Future, pending};

use super::locks::Held;
use super::race::{First, race};
use super::world::HostWorld;
use crate::protocol::notice::{Notice, What};
use crate::protocol::ports::{Clock, LockScope, Locks, Observer, Randomness, Wait, Waiting, Woken};

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
        if wait.lock || wait.hint_after.is_some() {
            // Others are waited for, so nothing of ours is between claim and commit: events may go out.
            self.journal.deliver();
        }
        // The lock is asked for first, and dropped, that is withdrawn, if something else comes first.
        let probe = || [wait.key, "/", &self.random.nonce()].concat();
        let lock = when(wait.lock, self.locks.acquire(wait.key, probe));
        // Who queues for the lock is called: only the others need to look again for themselves.
        let hint = self.channel.after(wait.key, wait.hint_after.unwrap_or_default(), !wait.lock);
        let hint = when(wait.hint_after.is_some(), hint);
        // A troubled store is waited for also after `close`: only this context holds what it is to keep.
        let others = wait.lock || wait.hint_after.is_some();
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
            First::Right(First::Right(First::Left(()))) => Woken::Elapsed,
            First::Right(First::Right(First::Right(()))) => Woken::Dismissed,
        }
    }
}

/// A future that never ends unless it is wanted.
async fn when<T>(wanted: bool, future: impl Future<Output = T>) -> T {
    if wanted { future.await } else { pending().await }
}
