//! Revocation: the queue is worked off, and what cannot be revoked stays in it.

use refresh_coordinator::protocol::notice::What;
use refresh_coordinator::protocol::record::Record;
use refresh_coordinator::protocol::revocation::Drained;
use refresh_coordinator::protocol::tokens::Secret;

use crate::world::{Fate, context, run, session};

fn tombstone(tokens: &[&str]) -> Record {
    let mut record = Record::tombstone("s".into());
    tokens.iter().for_each(|token| record.queue(Some(&Secret::new(*token))));
    record
}

#[test]
fn where_nothing_is_queued_nothing_is_revoked() {
    let context = context();
    context.world.can_revoke.set(true);
    assert_eq!(run(context.drain()), Drained::default());
    context.world.put(&context.names.session().key, &session());
    assert_eq!(run(context.drain()), Drained::default());
    assert!(context.world.notices.borrow().is_empty());
}

#[test]
fn without_an_endpoint_everything_stays_queued() {
    let context = context();
    context.world.put(&context.names.session().key, &tombstone(&["R0", "R1"]));
    assert_eq!(run(context.drain()), Drained { revoked: 0, left: 2 });
    assert!(context.world.notices.borrow().is_empty(), "no attempt, no failure");
}

#[test]
fn what_is_revoked_leaves_the_queue_and_an_empty_tombstone_ends() {
    let context = context();
    let key = context.names.session().key;
    context.world.can_revoke.set(true);
    context.world.put(&key, &tombstone(&["R0", "R1"]));
    context.world.unrevokable.borrow_mut().push("R0".into());
    assert_eq!(run(context.drain()), Drained { revoked: 1, left: 1 });
    assert_eq!(*context.world.revoked.borrow(), ["R1"]);
    assert_eq!(context.world.record(&key), Some(tombstone(&["R0"])));
    assert_eq!(context.world.store.borrow()[&key].ttl, None, "there is still something to do");
    assert_eq!(*context.world.notices.borrow(), [What::RevocationFailed { left: 1 }]);
    context.world.unrevokable.borrow_mut().clear();
    assert_eq!(run(context.drain()), Drained { revoked: 1, left: 0 });
    assert_eq!(context.world.store.borrow()[&key].ttl, Some(3_600_000));
    assert_eq!(context.world.notices.borrow().len(), 1);
}

#[test]
fn a_living_session_does_not_end_with_its_queue() {
    let context = context();
    let key = context.names.session().key;
    context.world.can_revoke.set(true);
    context.world.put(&key, &Record { revoke: vec![Secret::new("R0"), Secret::new("old")], ..session() });
    assert_eq!(run(context.drain()), Drained { revoked: 1, left: 0 });
    assert_eq!(*context.world.revoked.borrow(), ["old"], "never the live token");
    assert_eq!(context.world.store.borrow()[&key].ttl, None);
}

#[test]
fn an_entry_of_a_carried_token_always_ends() {
    let context = context();
    let presented = Secret::new("R0");
    let key = context.names.successor(&presented).key;
    context.world.can_revoke.set(true);
    context.world.put(&key, &tombstone(&["R0", "R1"]));
    context.world.unrevokable.borrow_mut().push("R0".into());
    assert_eq!(run(context.drain_carried(&presented, false)), Drained { revoked: 1, left: 1 });
    assert_eq!(context.world.store.borrow()[&key].ttl, Some(3_600_000));
    context.world.put(&key, &Record { revoke: vec![presented.clone(), Secret::new("R1")], ..session() });
    context.world.unrevokable.borrow_mut().clear();
    assert_eq!(run(context.drain_carried(&presented, true)), Drained { revoked: 1, left: 0 });
    assert_eq!(context.world.store.borrow()[&key].ttl, Some(24 * 3_600_000), "the only copy of what replaced it");
}

#[test]
fn a_store_that_fails_or_changes_is_asked_again() {
    let context = context();
    let key = context.names.session().key;
    context.world.can_revoke.set(true);
    context.world.put(&key, &tombstone(&["R0"]));
    context.world.before_read(|_| {});
    context.world.fail_read();
    let there = key.clone();
    let fates = [Fate::Throws, Fate::After(Box::new(move |world| world.put(&there, &tombstone(&["R0", "R2"]))))];
    context.world.writes.borrow_mut().extend(fates);
    assert_eq!(run(context.drain()), Drained { revoked: 1, left: 0 });
    assert_eq!(context.world.record(&key), Some(tombstone(&["R2"])));
}

#[test]
fn a_token_that_somebody_else_took_out_of_the_queue_is_revoked() {
    let context = context();
    let key = context.names.session().key;
    context.world.can_revoke.set(true);
    context.world.put(&key, &tombstone(&["R0"]));
    context.world.before_read(|_| {});
    let there = key.clone();
    context.world.before_read(move |world| world.put(&there, &tombstone(&[])));
    assert_eq!(run(context.drain()), Drained { revoked: 1, left: 0 });
    assert_eq!(context.world.store.borrow()[&key].version, 2, "nothing was written");
}

#[test]
fn a_token_that_cannot_be_taken_out_of_the_queue_is_revoked_again_later() {
    let context = context();
    context.world.can_revoke.set(true);
    context.world.put(&context.names.session().key, &tombstone(&["R0"]));
    context.world.writes.borrow_mut().extend((0..32).map(|_| Fate::Throws));
    assert_eq!(run(context.drain()), Drained { revoked: 0, left: 1 });
    assert_eq!(context.world.noticed(&What::RevocationFailed { left: 1 }), 1);
}
