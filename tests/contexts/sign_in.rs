//! Sign-in: what becomes of the session that was there, and of a store that fails meanwhile.

use refresh_coordinator::protocol::demand::Mark;
use refresh_coordinator::protocol::notice::What;
use refresh_coordinator::protocol::record::{Record, State};
use refresh_coordinator::protocol::tokens::Secret;
use refresh_coordinator::protocol::verdict::Granted;

use crate::world::{Fate, LIFETIME, START, access, any, call, carried, context, grant, grants, run, session, told};

#[test]
fn a_session_begins_with_the_tokens_that_are_given() {
    let context = context();
    let key = context.names.session().key;
    let tokens = run(context.sign_in(carried("R0", "A0"), &Vec::new())).expect("signed in");
    assert_eq!((access(&tokens), tokens.generation, tokens.sid.as_str()), ("A0", 0, "n1"));
    assert_eq!(tokens.expires_monotonic, LIFETIME);
    let record = context.world.record(&key).expect("a record");
    assert_eq!((record.state, record.refresh_token), (State::Active, Some(Secret::new("R0"))));
    assert_eq!(*context.world.announced.borrow(), [(key, "n1".to_owned(), 0)]);
    assert_eq!(*context.world.notices.borrow(), [What::SignedIn]);
    assert_eq!(context.sid().as_deref(), Some("n1"));
    assert_eq!(context.mark(&Vec::new(), None), Some(Mark { minted: 0, access_token: Some(Secret::new("A0")) }));
}

#[test]
fn a_spent_token_is_ignored_and_what_is_current_is_returned() {
    let context = context();
    let key = context.names.session().key;
    let mut there = session();
    there.remember_spent();
    there.refresh_token = Some(Secret::new("R1"));
    there.generation = 1;
    // With `revokeReplaced` a spent token may still wait for its revocation.
    there.queue(Some(&Secret::new("R0")));
    context.world.put(&key, &there);
    let tokens = run(context.sign_in(carried("R0", "other"), &Vec::new())).expect("ignored");
    assert_eq!((access(&tokens), tokens.generation, tokens.sid.as_str()), ("A0", 1, "s"));
    assert_eq!(context.world.record(&key), Some(there));
    assert_eq!(context.sid().as_deref(), Some("s"));
}

#[test]
fn the_live_token_brings_only_a_newer_access_token_along() {
    let context = context();
    let key = context.names.session().key;
    context.world.put(&key, &session());
    let mut same = carried("R0", "same");
    let tokens = run(context.sign_in(same.clone(), &Vec::new())).expect("kept");
    assert_eq!(access(&tokens), "A0", "it does not live longer");
    assert_eq!(context.world.record(&key), Some(session()));
    same.granted.lifetime = Some(LIFETIME + 1);
    let tokens = run(context.sign_in(same, &Vec::new())).expect("merged");
    assert_eq!((access(&tokens), tokens.sid.as_str(), tokens.grant.minted), ("same", "s", 0));
    assert_eq!(context.world.record(&key).map(|record| record.sid), Some("s".into()));
}

#[test]
fn the_token_of_a_session_that_is_over_begins_a_new_one() {
    let context = context();
    let key = context.names.session().key;
    let mut there = session();
    there.remember_spent();
    there.state = State::Rejected;
    context.world.put(&key, &there);
    let tokens = run(context.sign_in(carried("R0", "A1"), &Vec::new())).expect("signed in");
    assert_eq!((access(&tokens), tokens.sid.as_str()), ("A1", "n1"));
}

#[test]
fn a_token_that_waits_for_its_revocation_does_not_live_again() {
    let context = context();
    let key = context.names.session().key;
    let mut there = Record::tombstone("s".into());
    there.queue(Some(&Secret::new("R0")));
    context.world.put(&key, &there);
    assert_eq!(told(run(context.sign_in(carried("R0", "A0"), &Vec::new()))).0, "no session");
    assert_eq!(context.world.record(&key), Some(there));
    // The user has not left a session that was never met: the next one is taken up.
    let tokens = run(context.sign_in(carried("R1", "A1"), &Vec::new())).expect("another token is another session");
    assert_eq!(access(&tokens), "A1");
    assert_eq!(context.world.record(&key).map(|record| record.revoke), Some(vec![Secret::new("R0")]));
}

#[test]
fn a_refresh_token_alone_grants_nothing_yet() {
    let mut alone = carried("R0", "");
    alone.granted = Granted { refresh_token: Some(Secret::new("R0")), ..Granted::default() };
    let context = context();
    let key = context.names.session().key;
    let tokens = run(context.sign_in(alone, &Vec::new())).expect("signed in");
    assert_eq!((tokens.grant.access_token, tokens.grant.expires_at), (None, START));
    assert_eq!(context.world.record(&key).map(|record| record.grants.values().count()), Some(0));
    context.world.answer(grants("R1", "A1"));
    let tokens = run(context.refresh(&any(), &call(&context))).expect("fetched");
    assert_eq!(access(&tokens), "A1");
}

#[test]
fn a_session_that_only_says_when_it_ends_has_a_grant() {
    let lasting = Granted { lifetime: Some(5_000), ..Granted::default() };
    let ending = Granted { expires_at: Some(START + 5_000), ..Granted::default() };
    for granted in [lasting, ending] {
        let context = context();
        let key = context.names.session().key;
        let mut cookie = carried("", "");
        cookie.granted = granted;
        run(context.sign_in(cookie, &Vec::new())).expect("signed in");
        let record = context.world.record(&key).expect("a record");
        assert_eq!(record.grants.get("").map(|grant| grant.expires_at), Some(START + 5_000));
    }
}

#[test]
fn a_session_without_a_grant_for_these_parameters_hands_out_what_has_ended() {
    let context = context();
    let key = context.names.session().key;
    let mut there = session();
    there.grants.clear();
    there.grants.insert("other".into(), grant("B0", LIFETIME, 0));
    there.remember_spent();
    context.world.put(&key, &there);
    context.world.monotonic.set(700);
    let tokens = run(context.sign_in(carried("R0", "A0"), &Vec::new())).expect("ignored");
    assert_eq!((tokens.grant.access_token, tokens.grant.expires_at), (None, START + 700));
}

#[test]
fn a_store_may_fail_twice() {
    for (reads, writes) in [(2, 0), (0, 2), (1, 1)] {
        let context = context();
        (0..reads).for_each(|_| context.world.fail_read());
        context.world.writes.borrow_mut().extend((0..writes).map(|_| Fate::Throws));
        run(context.sign_in(carried("R0", "A0"), &Vec::new())).expect("signed in");
        assert_eq!(context.world.noticed(&What::StoreFailed { operation: "write" }), writes);
    }
    for (reads, writes) in [(3, 0), (0, 3), (2, 1)] {
        let context = context();
        (0..reads).for_each(|_| context.world.fail_read());
        context.world.writes.borrow_mut().extend((0..writes).map(|_| Fate::Throws));
        let result = run(context.sign_in(carried("R0", "A0"), &Vec::new()));
        assert_eq!(told(result), ("store", "store-threw".into()));
        assert!(context.world.reads.borrow().is_empty() && context.world.writes.borrow().is_empty());
    }
}

#[test]
fn a_write_that_failed_and_happened_has_begun_the_session() {
    let context = context();
    let key = context.names.session().key;
    context.world.writes.borrow_mut().push_back(Fate::ThrowsAfterwards);
    let tokens = run(context.sign_in(carried("R0", "A0"), &Vec::new())).expect("signed in");
    assert_eq!(tokens.sid, "n1");
    assert_eq!(context.world.store.borrow()[&key].version, 1, "written once");
}

#[test]
fn a_session_that_began_unknown_and_was_ended_meanwhile_is_over() {
    let context = context();
    let key = context.names.session().key;
    context.world.writes.borrow_mut().push_back(Fate::ThrowsAfterwards);
    context.world.before_read(|_| {});
    let there = key.clone();
    context.world.before_read(move |world| world.put(&there, &Record::tombstone("n1".into())));
    assert_eq!(told(run(context.sign_in(carried("R0", "A0"), &Vec::new()))).0, "no session");
    assert_eq!(context.sid(), None);
    // It was left here, whatever a slow store still shows of it.
    context.world.put(&key, &Record { sid: "n1".into(), ..session() });
    assert_eq!(told(run(context.look(&Vec::new()))).0, "no session");
}

#[test]
fn whoever_signed_in_after_an_attempt_of_unknown_outcome_stays() {
    let context = context();
    let key = context.names.session().key;
    context.world.writes.borrow_mut().push_back(Fate::ThrowsAfterwards);
    context.world.before_read(|_| {});
    let next = Record { sid: "next".into(), ..session() };
    let (there, theirs) = (key.clone(), next.clone());
    context.world.before_read(move |world| world.put(&there, &theirs));
    assert_eq!(told(run(context.sign_in(carried("R9", "A9"), &Vec::new()))).0, "store");
    assert_eq!(context.world.record(&key), Some(next));
}

#[test]
fn garbage_is_replaced_and_a_newer_schema_is_left_alone() {
    let context = context();
    let key = context.names.session().key;
    let keep = |value: &str| {
        context.world.put(&key, &session());
        context.world.store.borrow_mut().get_mut(&key).expect("kept").value = value.to_owned();
    };
    keep("<html>");
    run(context.sign_in(carried("R0", "A0"), &Vec::new())).expect("signed in");
    assert_eq!(context.world.record(&key).and_then(|record| record.refresh_token), Some(Secret::new("R0")));
    keep(r#"{"v":2}"#);
    let result = run(context.sign_in(carried("R1", "A1"), &Vec::new()));
    assert_eq!(told(result), ("store", "store-newer-schema".into()));
    assert_eq!(context.world.store.borrow()[&key].value, r#"{"v":2}"#);
}

#[test]
fn a_record_that_keeps_changing_is_given_up() {
    let context = context();
    let key = context.names.session().key;
    for _ in 0..32 {
        let key = key.clone();
        let changed = move |world: &crate::world::Scripted| world.put(&key, &session());
        context.world.writes.borrow_mut().push_back(Fate::After(Box::new(changed)));
    }
    let result = run(context.sign_in(carried("R9", "A9"), &Vec::new()));
    assert_eq!(told(result), ("store", "contention".into()));
}
