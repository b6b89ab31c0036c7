//! Writes to the store: conditional, each with a version that was never there before.

use super::{Cell, Place, Scenario, State, Writing};
use crate::sim::monitor;
use crate::sim::replay::Reply;
use refresh_coordinator::protocol::safeguard::{Safeguard, dropped};

impl Scenario {
    /// Time has passed: what has expired is gone.
    pub(super) fn expire(next: &mut State) {
        let now = next.now;
        let due = |place: &Place| place.expires_at.is_some_and(|at| at <= now);
        if next.store.iter().any(due) {
            next.store.retain(|place| !due(place));
        }
    }

    pub(super) fn write(&self, next: &mut State, writing: Writing) -> Result<Reply, String> {
        let Writing { who, action, key, value, if_version, ttl } = writing;
        let there = next.place(key).and_then(|place| place.cell);
        if there.map(|cell| cell.version) != if_version && !dropped(Safeguard::ConditionalWrite) {
            return Ok(Reply::Conflict);
        }
        monitor::write(self, next, who, action, key, there.map(|cell| cell.value), value)?;
        let version = next.next_version;
        next.next_version += 1;
        let cell = Some(Cell { value, version });
        // Only where reads can be late does it matter what was there, and since when it is not.
        let before = self.faults.stale.then_some(there);
        let written_at = if self.faults.stale { next.now } else { 0 };
        let expires_at = ttl.map(|ttl| next.now + ttl);
        let place = Place { key, cell, before, written_at, expires_at };
        match next.store.iter_mut().find(|there| there.key == key) {
            Some(there) => *there = place,
            None => {
                next.store.push(place);
                next.store.sort_unstable_by_key(|place| place.key);
            }
        }
        Ok(Reply::Written(version))
    }
}
