//! Rule 11: the tombstone that takes the place of a session.

use crate::protocol::record::Record;

/// The tombstone of a session: no token lives in it, those that did wait for revocation.
pub fn buried(record: &Record, can_revoke: bool) -> Record {
    let mut next = Record::tombstone(record.sid.clone());
    next.generation = record.generation;
    next.spent.clone_from(&record.spent);
    next.revoke.clone_from(&record.revoke);
    if can_revoke {
        next.queue(record.refresh_token.as_ref());
        next.queue(record.spare.as_ref().and_then(|spare| spare.refresh_token.as_ref()));
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::record::{Spare, State};
    use crate::protocol::tokens::Secret;

    #[test]
    fn the_tombstone_queues_what_lived_and_holds_nothing_else() {
        let mut record = Record::begun("s".into(), Some(Secret::new("R1")));
        record.generation = 1;
        record.spare = Some(Spare { refresh_token: Some(Secret::new("R1b")), grants: Default::default() });
        record.revoke = vec![Secret::new("R0")];
        let tombstone = buried(&record, true);
        assert_eq!(tombstone.revoke, [Secret::new("R0"), Secret::new("R1"), Secret::new("R1b")]);
        assert_eq!((tombstone.state, tombstone.refresh_token, tombstone.spare), (State::Out, None, None));
        assert_eq!(buried(&record, false).revoke, [Secret::new("R0")]);
    }
}
