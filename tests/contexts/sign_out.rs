//! Sign-out: the tombstone, and what the context knows afterwards.

use refresh_coordinator::protocol::notice::What;
use refresh_coordinator::protocol::record::{Record, State};
use refresh_coordinator::protocol::sign_out::SignedOut;
use refresh_coordinator::protocol::tokens::Secret;

use crate::world::{Fate, Scripted, any, call, carried, context, grants, run, session, told};

#[test]
fn a_session_that_was_never_met_is_ended_too() {
    let context = context();
    let key = context.names.session().key;
    context.world.can_revoke.set(true);
    context.world.put(&key, &Record { generation: 3, ..session() });
    let done = run(context.sign_out()).expect("signed out");
    assert_eq!(done, SignedOut { queued: 1, last: None });
    let record = context.world.record(&key).expect("a tombstone");
    assert_eq!((record.state, record.generation, record.revoke), (State::Out, 3, vec![Secret::new("R0")]));
    assert_eq!(*context.world.announced.borrow(), [(key.clone(), "s".to_owned(), 3)]);
    assert_eq!(*context.world.notices.borrow(), [What::SignedOut]);
    assert_eq!(context.world.store.borrow()[&key].ttl, None);
}

#[test]
fn a_second_sign_out_finds_nothing_to_do() {
    let context = context();
    assert_eq!(run(context.sign_out()), Ok(SignedOut { queued: 0, last: None }), "nobody was signed in");
    let key = context.names.session().key;
    let mut tombstone = Record::tombstone("s".into());
    tombstone.queue(Some(&Secret::new("R0")));
    context.world.put(&key, &tombstone);
    assert_eq!(run(context.sign_out()), Ok(SignedOut { queued: 1, last: None }));
    assert_eq!(context.world.record(&key), Some(tombstone));
    assert!(context.world.notices.borrow().is_empty() && context.world.announced.borrow().is_empty());
}

#[test]
fn the_session_of_another_user_is_left_alone() {
    let context = context();
    let key = context.names.session().key;
    run(context.sign_in(carried("R0", "A0"), &Vec::new())).expect("signed in");
    context.world.put(&key, &session());
    context.world.notices.borrow_mut().clear();
    assert_eq!(run(context.sign_out()), Ok(SignedOut { queued: 0, last: None }));
    assert_eq!(context.world.record(&key), Some(session()));
    assert!(context.world.notices.borrow().is_empty());
    assert_eq!(context.sid(), None);
}

#[test]
fn a_store_may_fail_twice() {
    for (reads, writes) in [(2, 0), (0, 2), (1, 1)] {
        let context = context();
        context.world.put(&context.names.session().key, &session());
        (0..reads).for_each(|_| context.world.fail_read());
        context.world.writes.borrow_mut().extend((0..writes).map(|_| Fate::Throws));
        run(context.sign_out()).expect("signed out");
        assert_eq!(context.world.noticed(&What::StoreFailed { operation: "write" }), writes);
    }
    for (reads, writes) in [(3, 0), (0, 3), (2, 1)] {
        let context = context();
        context.world.put(&context.names.session().key, &session());
        (0..reads).for_each(|_| context.world.fail_read());
        context.world.writes.borrow_mut().extend((0..writes).map(|_| Fate::Throws));
        assert_eq!(told(run(context.sign_out())), ("store", "store-threw".into()));
        assert!(context.world.reads.borrow().is_empty() && context.world.writes.borrow().is_empty());
    }
}

#[test]
fn a_sign_out_that_cannot_be_written_is_one_in_this_context_all_the_same() {
    let context = context();
    run(context.sign_in(carried("R0", "A0"), &Vec::new())).expect("signed in");
    (0..3).for_each(|_| context.world.fail_read());
    assert_eq!(told(run(context.sign_out())).0, "store");
    assert_eq!(context.sid(), None);
    assert_eq!(told(run(context.refresh(&any(), &call(&context)))).0, "no session");
    assert_eq!(told(run(context.look(&Vec::new()))).0, "no session");
}

#[test]
fn a_record_that_changes_meanwhile_is_read_again_and_given_up_in_the_end() {
    let changing = |times: usize| {
        let context = context();
        let key = context.names.session().key;
        context.world.put(&key, &session());
        for _ in 0..times {
            let key = key.clone();
            let changed = move |world: &Scripted| world.put(&key, &session());
            context.world.writes.borrow_mut().push_back(Fate::After(Box::new(changed)));
        }
        run(context.sign_out())
    };
    assert_eq!(changing(31), Ok(SignedOut { queued: 0, last: None }));
    assert_eq!(told(changing(32)), ("store", "contention".into()));
}

/// Successor mode: what became of `R0` is `R1`.
fn rotated() -> Record {
    let mut record = session();
    record.remember_spent();
    record.refresh_token = Some(Secret::new("R1"));
    record.generation = 1;
    record
}

#[test]
fn every_entry_from_the_carried_token_on_is_ended_and_only_the_live_token_is_queued() {
    let context = context();
    context.world.can_revoke.set(true);
    let keys = ["R0", "R1"].map(|token| context.names.successor(&Secret::new(token)).key);
    context.world.put(&keys[0], &rotated());
    let done = run(context.sign_out_carried(&carried("R0", "A0"))).expect("signed out");
    assert_eq!(done, SignedOut { queued: 1, last: Some(Secret::new("R1")) });
    let queues = keys.clone().map(|key| {
        let record = context.world.record(&key).expect("a tombstone");
        assert_eq!(record.state, State::Out);
        record.revoke
    });
    assert_eq!(queues, [Vec::new(), vec![Secret::new("R1")]]);
    assert_eq!(context.world.noticed(&What::SignedOut), 2);
    assert_eq!(context.world.announced.borrow().len(), 2);
    let ttl = keys.map(|key| context.world.store.borrow()[&key].ttl);
    assert_eq!(ttl, [Some(3_600_000); 2]);
    assert_eq!(told(run(context.renew(&carried("R0", "A0"), &any(), &call(&context)))).0, "no session");
    // Once more, and nothing happens.
    run(context.sign_out_carried(&carried("R1", "A1"))).expect("signed out");
    assert_eq!(context.world.noticed(&What::SignedOut), 2);
}

#[test]
fn a_token_that_is_not_replaced_is_the_last_of_its_chain() {
    let context = context();
    context.world.can_revoke.set(true);
    context.world.put(&context.names.successor(&Secret::new("R0")).key, &session());
    let done = run(context.sign_out_carried(&carried("R0", "A0"))).expect("signed out");
    assert_eq!(done, SignedOut { queued: 1, last: Some(Secret::new("R0")) });
    assert_eq!(context.world.store.borrow().len(), 1);
}

#[test]
fn without_a_revocation_endpoint_nothing_is_queued() {
    let context = context();
    let done = run(context.sign_out_carried(&carried("R0", "A0"))).expect("signed out");
    assert_eq!(done, SignedOut { queued: 0, last: Some(Secret::new("R0")) });
}

#[test]
fn a_failing_store_is_asked_three_times_for_each_entry() {
    for (reads, writes, works) in [(2, 0, true), (0, 2, true), (3, 0, false), (0, 3, false)] {
        let context = context();
        context.world.before_read(|_| {});
        (0..reads).for_each(|_| context.world.fail_read());
        context.world.writes.borrow_mut().extend((0..writes).map(|_| Fate::Throws));
        let result = run(context.sign_out_carried(&carried("R0", "A0")));
        assert_eq!(result.is_ok(), works, "{reads} reads, {writes} writes");
        assert_eq!(context.world.noticed(&What::StoreFailed { operation: "write" }), writes);
    }
}

#[test]
fn a_call_under_way_hears_of_the_sign_out_and_its_tokens_are_queued() {
    let context = context();
    context.world.can_revoke.set(true);
    let key = context.names.session().key;
    context.world.put(&key, &Record { grants: Default::default(), ..session() });
    let there = key.clone();
    context.world.answer_after(move |world| world.put(&there, &Record::tombstone("s".into())), grants("R1", "A1"));
    assert_eq!(told(run(context.refresh(&any(), &call(&context)))).0, "no session");
    assert_eq!(context.world.record(&key).map(|record| record.revoke), Some(vec![Secret::new("R1")]));
    assert_eq!(context.world.announced.borrow().len(), 1);
    assert_eq!(context.sid(), None);
}
