//! What a context makes of a hint: it looks, and asks nobody for anything.

use refresh_coordinator::protocol::demand::Need;
use refresh_coordinator::protocol::failure::Failure;
use refresh_coordinator::protocol::notice::What;
use refresh_coordinator::protocol::record::{Record, State};
use refresh_coordinator::protocol::tokens::Secret;
use refresh_coordinator::protocol::verdict::Reason;

use crate::world::{LIFETIME, Scripted, access, any, call, carried, context, needing, run, session, told};
use refresh_coordinator::protocol::context::Context;

fn looked(context: &Context<Scripted>) -> Result<Option<String>, Failure> {
    run(context.look(&Vec::new())).map(|tokens| tokens.map(|tokens| access(&tokens).to_owned()))
}

#[test]
fn a_session_that_is_there_is_taken_up_once() {
    let context = context();
    context.world.put(&context.names.session().key, &session());
    assert_eq!(looked(&context), Ok(Some("A0".into())));
    assert_eq!(context.sid().as_deref(), Some("s"));
    assert_eq!(looked(&context), Ok(Some("A0".into())));
    assert_eq!(*context.world.notices.borrow(), [What::SignedIn]);
    assert!(context.world.sent.borrow().is_empty());
}

#[test]
fn where_nobody_is_signed_in_the_context_forgets_its_session() {
    for there in [None, Some(Record::tombstone("s".into()))] {
        let context = context();
        let key = context.names.session().key;
        context.world.put(&key, &session());
        looked(&context).expect("a session");
        context.world.store.borrow_mut().clear();
        if let Some(record) = there {
            context.world.put(&key, &record);
        }
        assert_eq!(told(looked(&context)), ("no session", String::new()));
        assert_eq!(context.sid(), None);
    }
}

#[test]
fn a_rejected_session_is_over_for_its_reason() {
    let context = context();
    let rejected = Record { state: State::Rejected, reason: Some("idle".into()), ..session() };
    context.world.put(&context.names.session().key, &rejected);
    assert!(matches!(looked(&context), Err(Failure::Revoked { reason: Reason::Idle, .. })));
}

#[test]
fn only_what_is_fresh_is_told() {
    let context = context();
    let key = context.names.session().key;
    context.world.put(&key, &session());
    context.world.monotonic.set(LIFETIME - 10_001);
    assert_eq!(looked(&context), Ok(Some("A0".into())));
    context.world.monotonic.set(LIFETIME - 10_000);
    assert_eq!(looked(&context), Ok(None), "callers would wait for a refresh");
    let mut bare = session();
    bare.grants.clear();
    context.world.put(&key, &bare);
    assert_eq!(looked(&context), Ok(None));
}

#[test]
fn a_wall_clock_that_was_set_back_gives_no_extra_life() {
    let context = context();
    context.world.put(&context.names.session().key, &session());
    context.world.monotonic.set(5_000);
    looked(&context).expect("a session");
    context.world.monotonic.set(LIFETIME - 9_000);
    context.world.jumped.set(5_000 - LIFETIME);
    assert_eq!(looked(&context), Ok(None));
}

#[test]
fn a_refused_token_is_not_told() {
    let context = context();
    run(context.sign_in(carried("R0", "A0"), &Vec::new())).expect("signed in");
    context.world.fail_read();
    let needs = needing(Need::NotThis(Secret::new("A0")));
    assert_eq!(told(run(context.refresh(&needs, &call(&context)))).0, "store");
    assert_eq!(looked(&context), Ok(None));
}

#[test]
fn what_was_read_before_a_sign_out_says_nothing() {
    let context = context();
    let key = context.names.session().key;
    context.world.put(&key, &session());
    // The sign-out of the same context comes between the read and its answer.
    let other = std::rc::Rc::new(context);
    let during = other.clone();
    other.world.before_read(move |_| drop(run(during.sign_out())));
    assert_eq!(looked(&other), Ok(None));
    assert_eq!(other.sid(), None);
}

#[test]
fn what_was_seen_serves_while_the_store_is_away() {
    let context = context();
    context.world.put(&context.names.session().key, &session());
    looked(&context).expect("a session");
    context.world.fail_read();
    let tokens = run(context.refresh(&any(), &call(&context))).expect("from memory");
    assert_eq!(access(&tokens), "A0");
    context.world.fail_read();
    assert_eq!(told(looked(&context)), ("store", "store-threw".into()));
    assert_eq!(context.world.noticed(&What::StoreFailed { operation: "read" }), 2);
}

#[test]
fn something_that_works_less_well_is_noticed() {
    let context = context();
    context.degraded("locks");
    assert_eq!(*context.world.notices.borrow(), [What::Degraded { what: "locks" }]);
}
