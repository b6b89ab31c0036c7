//! One exchange, step by step: who waits for whom and how long, and what a failing store changes.

use std::cell::Cell;

use refresh_coordinator::protocol::context::{Call, Context};
use refresh_coordinator::protocol::demand::{Demand, Mark, Need};
use refresh_coordinator::protocol::failure::Failure;
use refresh_coordinator::protocol::notice::What;
use refresh_coordinator::protocol::ports::LockScope;
use refresh_coordinator::protocol::record::{Intent, Record, Spare, State};
use refresh_coordinator::protocol::settings::{OnStoreFailure, Settings};
use refresh_coordinator::protocol::tokens::{Secret, TokenSet};
use refresh_coordinator::protocol::verdict::{Class, Granted, Reason, Refusal, Spent, Verdict};

use crate::world::{
    Fate, LIFETIME, START, Scripted, Sent, access, any, call, carried, context, context_with, grant, grants, needing,
    refusal, refuses, run, session, told,
};

/// A session whose access token has ended.
fn stale() -> Record {
    let mut record = session();
    record.grants.insert(String::new(), grant("A0", 0, 0));
    record
}

/// A session whose access token is inside the mandatory window, and valid.
fn ending() -> Record {
    let mut record = session();
    record.grants.insert(String::new(), grant("A0", 5_000, 0));
    if let Some(grant) = record.grants.values_mut().next() {
        grant.issued_at -= LIFETIME;
    }
    record
}

fn renewed() -> Record {
    let mut record = session();
    record.remember_spent();
    record.refresh_token = Some(Secret::new("R1"));
    record.generation = 1;
    record.grants.insert(String::new(), grant("A1", LIFETIME, 1));
    record
}

fn intent(nonce: &str, locked: bool) -> Intent {
    Intent { nonce: nonce.into(), hash: String::new(), locked, deadline: START + 15_000, duration: 15_000 }
}

fn with(record: &Record) -> Context<Scripted> {
    let context = context();
    context.world.put(&context.names.session().key, record);
    context
}

fn there(context: &Context<Scripted>) -> Record {
    context.world.record(&context.names.session().key).expect("a record")
}

fn got(context: &Context<Scripted>) -> Result<String, Failure> {
    got_for(context, Need::Valid)
}

fn got_for(context: &Context<Scripted>, need: Need) -> Result<String, Failure> {
    run(context.refresh(&needing(need), &call(context))).map(|tokens| access(&tokens).to_owned())
}

fn retry_at<T: std::fmt::Debug>(result: Result<T, Failure>) -> Option<i64> {
    match result {
        Err(Failure::Transient { retry_at, .. }) => retry_at,
        other => panic!("{other:?}"),
    }
}

// Claims.

#[test]
fn a_claim_stands_in_the_record_while_the_request_is_on_its_way() {
    let context = with(&stale());
    let key = context.names.session().key;
    let during = key.clone();
    let claimed = move |world: &Scripted| {
        let intent = world.record(&during).and_then(|record| record.intent).expect("a claim");
        assert_eq!((intent.deadline, intent.duration, intent.locked), (START + 15_000, 15_000, false));
        assert_eq!(intent.hash, stale().live_hash());
    };
    context.world.answer_after(claimed, grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
    let sent = Sent { token: Some("R0".into()), attempt: 1, deadline: START + 10_000 };
    assert_eq!(*context.world.sent.borrow(), [sent]);
    assert_eq!(there(&context).intent, None);
    assert_eq!(context.mark(&Vec::new(), None), Some(Mark { minted: 1, access_token: Some(Secret::new("A1")) }));
    assert_eq!(context.world.store.borrow()[&key].ttl, None, "a session stays");
    assert_eq!(*context.world.notices.borrow(), [What::Presented, What::Refreshed]);
    assert_eq!(*context.world.announced.borrow(), [(key, "s".to_owned(), 1)]);
}

#[test]
fn under_a_covering_lock_the_claim_says_so_and_the_lock_is_let_go_at_the_end() {
    for (scope, locked) in [(LockScope::Covering, true), (LockScope::Partial, false)] {
        let context = with(&stale());
        let key = context.names.session().key;
        context.world.locks.set(Some(scope));
        let claimed = move |world: &Scripted| {
            assert_eq!(world.record(&key).and_then(|record| record.intent).map(|intent| intent.locked), Some(locked));
            assert_eq!(world.released.get(), 0);
        };
        context.world.answer_after(claimed, grants("R1", "A1"));
        assert_eq!(got(&context), Ok("A1".into()));
        assert_eq!(context.world.released.get(), 1);
    }
}

#[test]
fn a_claim_of_unknown_outcome_is_looked_for() {
    let context = with(&stale());
    context.world.writes.borrow_mut().push_back(Fate::ThrowsAfterwards);
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
    assert_eq!(context.world.sent.borrow().len(), 1);
    assert_eq!(context.world.store.borrow().values().next().map(|kept| kept.version), Some(3), "claim and commit");
}

#[test]
fn a_claim_that_was_not_written_is_written_again() {
    let context = with(&stale());
    let key = context.names.session().key;
    context.world.writes.borrow_mut().push_back(Fate::Throws);
    let claimed = move |world: &Scripted| assert!(world.record(&key).is_some_and(|record| record.intent.is_some()));
    context.world.answer_after(claimed, grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
    assert_eq!(context.world.noticed(&What::StoreFailed { operation: "write" }), 1);
}

#[test]
fn an_owner_without_a_lock_is_watched_for_its_whole_time() {
    let context = with(&Record { intent: Some(intent("theirs", false)), ..stale() });
    assert_eq!(told(got(&context)), ("transient", "busy".into()), "twelve seconds of patience");
    assert_eq!(*context.world.waited.borrow(), [12_000]);
    assert_eq!(context.world.noticed(&What::Waiting), 1);
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()), "the next call goes on watching");
    assert_eq!(*context.world.waited.borrow(), [12_000, 15_000]);
    assert_eq!(context.world.noticed(&What::TakenOver), 1);
}

#[test]
fn who_waits_in_vain_has_the_token_if_it_is_still_valid_then() {
    for (lock, scope) in [(false, LockScope::None), (true, LockScope::Covering)] {
        for (patience, answer) in [(4_999, Ok("A0".to_owned())), (5_000, Err(("transient", "busy".to_owned())))] {
            let context = context_with(Settings { lock_wait: patience, ..Settings::default() });
            let record = Record { intent: Some(intent("theirs", lock)), ..ending() };
            context.world.put(&context.names.session().key, &record);
            context.world.locks.set(Some(scope));
            context.world.taken.set(true);
            assert_eq!(got(&context).map_err(|failure| told::<()>(Err(failure))), answer);
            assert!(context.world.sent.borrow().is_empty(), "nobody goes on without the lock");
            assert_eq!(context.world.noticed(&What::Waiting), 1);
        }
    }
}

#[test]
fn nobody_goes_on_without_the_lock() {
    let context = with(&stale());
    context.world.locks.set(Some(LockScope::Covering));
    context.world.taken.set(true);
    assert_eq!(told(got(&context)), ("transient", "busy".into()));
    assert_eq!((there(&context), context.world.waited.borrow().clone()), (stale(), vec![12_000]));
}

#[test]
fn who_slept_has_not_waited() {
    let context = with(&stale());
    context.world.locks.set(Some(LockScope::Covering));
    context.world.taken.set(true);
    // When it wakes, nobody holds the lock any more.
    context.world.while_waiting(|world| {
        world.monotonic.set(600_000);
        world.taken.set(false);
    });
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
}

#[test]
fn who_slept_waits_no_longer_than_anybody_else_from_then_on() {
    for slept in [12_999, 13_000] {
        let context = with(&stale());
        context.world.locks.set(Some(LockScope::Covering));
        context.world.taken.set(true);
        context.world.while_waiting(move |world| world.monotonic.set(slept));
        context.world.while_waiting(|world| world.monotonic.set(world.monotonic.get() + 600_000));
        assert_eq!(told(got(&context)), ("transient", "busy".into()));
        let waited = if slept < 13_000 { vec![12_000] } else { vec![12_000, 25_000] };
        assert_eq!(*context.world.waited.borrow(), waited);
    }
}

#[test]
fn who_slept_is_served_by_what_another_one_got_meanwhile() {
    for locks in [LockScope::None, LockScope::Covering] {
        let context = with(&Record { intent: Some(intent("theirs", true)), ..stale() });
        let key = context.names.session().key;
        context.world.locks.set(Some(locks));
        context.world.taken.set(true);
        context.world.while_waiting(move |world| {
            world.put(&key, &renewed());
            world.monotonic.set(600_000);
        });
        assert_eq!(got(&context), Ok("A1".into()));
        assert!(context.world.sent.borrow().is_empty());
    }
}

#[test]
fn a_token_that_ends_while_the_request_is_on_its_way_is_no_consolation() {
    for (takes, answer) in [(4_999, Ok("A0".to_owned())), (5_000, Err(("configuration", String::new())))] {
        let context = with(&ending());
        let late = move |world: &Scripted| world.monotonic.set(takes);
        context.world.answer_after(late, refuses(Class::Configuration, Spent::No));
        assert_eq!(got(&context).map_err(|failure| told::<()>(Err(failure))), answer);
    }
}

#[test]
fn a_waiter_looks_again_when_it_hears_of_a_change() {
    for lock in [LockScope::None, LockScope::Covering] {
        let context = with(&Record { intent: Some(intent("theirs", false)), ..stale() });
        let key = context.names.session().key;
        context.world.locks.set(Some(lock));
        context.world.taken.set(true);
        context.world.while_waiting(move |world| {
            world.put(&key, &renewed());
            world.heard.set(1);
        });
        assert_eq!(got(&context), Ok("A1".into()));
        assert!(context.world.waited.borrow().is_empty());
        assert_eq!(context.world.noticed(&What::Adopted), 1);
    }
}

#[test]
fn a_locked_claim_whose_lock_is_free_is_taken_over_at_once() {
    let context = with(&Record { intent: Some(intent("theirs", true)), ..stale() });
    context.world.locks.set(Some(LockScope::Covering));
    let key = context.names.session().key;
    let claimed = move |world: &Scripted| {
        let record = world.record(&key).expect("a record");
        assert_eq!((record.sends, record.intent.map(|intent| intent.locked)), (1, Some(true)));
    };
    context.world.answer_after(claimed, grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
    assert!(context.world.waited.borrow().is_empty());
}

#[test]
fn a_take_over_that_must_wait_is_written_for_the_others() {
    let context = with(&Record { intent: Some(intent("theirs", true)), ..ending() });
    context.world.locks.set(Some(LockScope::Covering));
    assert_eq!(got(&context), Ok("A0".into()), "there is something to lose");
    assert_eq!((there(&context).intent, there(&context).sends), (None, 1));
    assert_eq!(retry_at(got_for(&context, Need::MintedAfterNow)), Some(START + 5_000));
    assert!(context.world.sent.borrow().is_empty());
}

#[test]
fn a_client_authentication_that_cannot_be_computed_claims_nothing() {
    let context = with(&ending());
    context.world.prepared.borrow_mut().push_back(refusal(Class::Configuration, Spent::No));
    assert_eq!(got(&context), Ok("A0".into()));
    context.world.monotonic.set(4_999);
    assert_eq!(got_for(&context, Need::MintedAfterNow).map_err(|_| ()), Err(()), "remembered for five seconds");
    assert_eq!(there(&context), ending());
    context.world.monotonic.set(5_000);
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
}

// Presentations.

#[test]
fn a_hint_since_the_claim_costs_one_more_read() {
    let context = with(&stale());
    context.world.writes.borrow_mut().push_back(Fate::After(Box::new(|world| world.heard.set(1))));
    context.world.before_read(|_| {});
    let read = std::rc::Rc::new(Cell::new(0));
    let again = read.clone();
    context.world.before_read(move |_| again.set(1));
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
    assert_eq!((read.get(), context.world.sent.borrow().len()), (1, 1));
    assert_eq!(context.world.store.borrow().values().next().map(|kept| kept.version), Some(3), "claimed once");
}

#[test]
fn a_hint_that_tells_of_a_newer_record_stops_the_request() {
    let context = with(&stale());
    let key = context.names.session().key;
    context.world.writes.borrow_mut().push_back(Fate::After(Box::new(|world| world.heard.set(1))));
    context.world.before_read(|_| {});
    context.world.before_read(move |world| world.put(&key, &renewed()));
    assert_eq!(got(&context), Ok("A1".into()));
    assert!(context.world.sent.borrow().is_empty());
}

#[test]
fn who_queues_for_the_lock_and_is_told_before_its_turn_has_waited() {
    let context = with(&stale());
    let key = context.names.session().key;
    context.world.locks.set(Some(LockScope::Covering));
    context.world.taken.set(true);
    let renewed = move |world: &Scripted| {
        world.put(&key, &renewed());
        world.heard.set(1);
    };
    context.world.waits.borrow_mut().push_back(Box::new(renewed));
    assert_eq!(got(&context), Ok("A1".into()));
    assert_eq!(context.world.noticed(&What::Waiting), 1);
    assert_eq!(context.world.noticed(&What::Adopted), 1);
    assert!(context.world.sent.borrow().is_empty());
}

#[test]
fn a_host_that_slept_since_the_claim_looks_again() {
    let context = with(&stale());
    context.world.writes.borrow_mut().push_back(Fate::After(Box::new(|world| world.monotonic.set(5_000))));
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
    // The claim of before is its own, and nothing was sent under it.
    assert_eq!(*context.world.sent.borrow(), [Sent { token: Some("R0".into()), attempt: 1, deadline: START + 15_000 }]);
    assert_eq!(context.world.noticed(&What::Waiting), 0);
}

#[test]
fn a_stolen_lock_stops_the_request() {
    let context = with(&stale());
    context.world.locks.set(Some(LockScope::Covering));
    context.world.stolen.set(true);
    assert_eq!(told(got(&context)), ("transient", "contention".into()));
    assert!(context.world.sent.borrow().is_empty());
}

#[test]
fn a_lock_that_was_lost_is_asked_for_again() {
    let context = with(&stale());
    context.world.locks.set(Some(LockScope::Covering));
    let stolen = |world: &Scripted| world.stolen.set(true);
    context.world.writes.borrow_mut().push_back(Fate::After(Box::new(stolen)));
    // It is free again.
    context.world.before_read(|_| {});
    context.world.before_read(|_| {});
    context.world.before_read(|world| world.stolen.set(false));
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
    assert_eq!((context.world.sent.borrow().len(), context.world.released.get()), (1, 2));
}

#[test]
fn a_lock_that_was_lost_says_nothing_of_who_got_it_since() {
    let context = with(&stale());
    let key = context.names.session().key;
    context.world.locks.set(Some(LockScope::Covering));
    let theirs = Record { intent: Some(intent("theirs", true)), ..stale() };
    // In the middle of its claim it loses the lock, and the next owner claims.
    let (lost, now) = (key.clone(), theirs.clone());
    let lost = move |world: &Scripted| {
        world.stolen.set(true);
        world.taken.set(true);
        world.put(&lost, &now);
    };
    context.world.writes.borrow_mut().push_back(Fate::After(Box::new(lost)));
    context.world.while_waiting(move |world| {
        assert_eq!(world.record(&key), Some(theirs), "the owner that lives is left alone");
        world.put(&key, &renewed());
        world.heard.set(1);
    });
    assert_eq!(got(&context), Ok("A1".into()));
    assert!(context.world.sent.borrow().is_empty());
}

#[test]
fn the_flight_is_told_when_it_looks_and_when_it_sends() {
    let context = with(&stale());
    let (looks, sends, early) = (Cell::new(0), Cell::new(0), Cell::new(0));
    let (on_look, on_sent) = (|| looks.set(looks.get() + 1), || sends.set(sends.get() + 1));
    let on_tokens = |_: &TokenSet| early.set(early.get() + 1);
    let call = Call { sid: None, on_look: &on_look, on_sent: &on_sent, on_tokens: &on_tokens };
    context.world.answer(grants("R1", "A1"));
    run(context.refresh(&any(), &call)).expect("granted");
    assert_eq!((looks.get(), sends.get(), early.get()), (2, 1, 0));
}

// Looks.

#[test]
fn tokens_of_another_exchange_are_noticed_once() {
    let adopted = |record: &Record, waits: bool, lock: bool| {
        let context = with(record);
        let key = context.names.session().key;
        if waits || lock {
            context.world.put(&key, &Record { intent: Some(intent("theirs", false)), ..stale() });
        }
        context.world.locks.set(lock.then_some(LockScope::Covering));
        let (there, record) = (key, record.clone());
        if waits {
            context.world.while_waiting(move |world| {
                world.put(&there, &record);
                world.heard.set(1);
            });
        } else if lock {
            context.world.before_read(|_| {});
            context.world.before_read(move |world| world.put(&there, &record));
        }
        got(&context).expect("fresh");
        got(&context).expect("fresh");
        context.world.noticed(&What::Adopted)
    };
    assert_eq!(adopted(&session(), false, false), 0, "nobody has refreshed it");
    assert_eq!(adopted(&renewed(), false, false), 1);
    assert_eq!(adopted(&session(), true, false), 1, "somebody did while we waited");
    assert_eq!(adopted(&session(), false, true), 1, "or queued");
}

#[test]
fn a_call_belongs_to_the_session_it_began_with_and_its_context_takes_up_the_one_that_is_there() {
    let context = with(&session());
    let other = || Call { sid: Some("before".into()), ..call(&context) };
    assert_eq!(told(run(context.refresh(&any(), &other()))).0, "no session");
    assert_eq!(context.sid().as_deref(), Some("s"));
    assert_eq!(*context.world.notices.borrow(), [What::SignedIn]);
    assert_eq!(told(run(context.refresh(&any(), &other()))).0, "no session");
    assert_eq!(context.world.notices.borrow().len(), 1);
    context.world.put(&context.names.session().key, &Record::tombstone("s".into()));
    assert_eq!(told(got(&context)).0, "no session");
    assert_eq!(context.sid(), None);
    assert_eq!(told(run(context.refresh(&any(), &other()))).0, "no session");
    assert_eq!(context.world.notices.borrow().len(), 1, "nobody signed in");
}

#[test]
fn a_first_call_takes_the_session_up_without_an_event() {
    let context = with(&session());
    assert_eq!(got(&context), Ok("A0".into()));
    assert_eq!(context.sid().as_deref(), Some("s"));
    assert!(context.world.notices.borrow().is_empty());
}

#[test]
fn what_was_read_before_a_sign_in_changes_nothing_in_this_context() {
    for there in [Some(session()), Some(Record::tombstone("s".into())), None] {
        let context = std::rc::Rc::new(with(&session()));
        let (key, other) = (context.names.session().key, context.clone());
        context.world.before_read(move |world| {
            drop(run(other.sign_in(carried("R9", "A9"), &Vec::new())));
            match &there {
                Some(record) => world.put(&key, record),
                None => drop(world.store.borrow_mut().remove(&key)),
            }
        });
        let call = Call { sid: Some("before".into()), ..call(&context) };
        assert_eq!(told(run(context.refresh(&any(), &call))).0, "no session");
        assert_eq!(context.sid().as_deref(), Some("n1"), "the new session");
    }
}

#[test]
fn a_wall_clock_that_was_set_back_makes_nobody_keep_a_token_that_has_ended() {
    let context = with(&session());
    context.world.monotonic.set(5_000);
    assert_eq!(got(&context), Ok("A0".into()));
    context.world.monotonic.set(LIFETIME);
    context.world.jumped.set(5_000 - LIFETIME);
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
}

#[test]
fn where_there_is_no_record_there_is_no_session() {
    let context = with(&session());
    got(&context).expect("fresh");
    context.world.store.borrow_mut().clear();
    assert_eq!(told(got(&context)), ("no session", String::new()));
    assert_eq!(context.sid(), None);
}

#[test]
fn without_a_refresh_token_the_session_lives_as_long_as_its_access_token() {
    let without = |record: Record| {
        let context = with(&Record { refresh_token: None, ..record });
        context.world.needs_token.set(true);
        context
    };
    let context = without(ending());
    assert_eq!(got(&context), Ok("A0".into()));
    assert_eq!(told(got_for(&context, Need::MintedAfterNow)), ("no session", "no-refresh-token".into()));
    // A custom exchange may live on cookies.
    context.world.needs_token.set(false);
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got_for(&context, Need::MintedAfterNow), Ok("A1".into()));
    assert_eq!(context.world.sent.borrow()[0].token, None);
    let context = without(stale());
    context.world.answer(refuses(Class::Revoked(Reason::Unknown), Spent::No));
    assert_eq!(told(got(&context)).0, "revoked", "nothing lives any more");
    let context = with(&ending());
    context.world.needs_token.set(true);
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()), "there is one to present");
}

// Commits.

#[test]
fn callers_need_not_wait_for_a_store_that_is_away() {
    for (reads, writes, handed) in [(0, 1, 1), (2, 1, 3), (0, 3, 3)] {
        let context = with(&stale());
        context.world.writes.borrow_mut().push_back(Fate::Works);
        context.world.writes.borrow_mut().extend((0..writes).map(|_| Fate::Throws));
        context.world.before_read(|_| {});
        (0..reads).for_each(|_| context.world.fail_read());
        context.world.answer(grants("R1", "A1"));
        let early = std::cell::RefCell::new(Vec::new());
        let on_tokens = |tokens: &TokenSet| early.borrow_mut().push(access(tokens).to_owned());
        let call = Call { on_tokens: &on_tokens, ..call(&context) };
        run(context.refresh(&any(), &call)).expect("granted");
        assert_eq!(*early.borrow(), vec!["A1"; handed], "{reads} reads, {writes} writes");
        assert_eq!(there(&context).refresh_token, Some(Secret::new("R1")));
        assert_eq!(context.world.noticed(&What::Refreshed), 1);
    }
}

#[test]
fn a_store_in_trouble_is_left_alone_longer_each_time() {
    let context = with(&stale());
    context.world.writes.borrow_mut().push_back(Fate::Works);
    context.world.writes.borrow_mut().extend((0..5).map(|_| Fate::Throws));
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
    // At once after the first failure, then after 2, 4, 4 and 4 seconds.
    assert_eq!(*context.world.waited.borrow(), [2_000, 6_000, 10_000, 14_000]);
    let context = with(&stale());
    context.world.before_read(|_| {});
    (0..4).for_each(|_| context.world.fail_read());
    context.world.writes.borrow_mut().extend([Fate::Works, Fate::Throws]);
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
    assert_eq!(*context.world.waited.borrow(), [4_000, 8_000, 12_000, 16_000]);
}

#[test]
fn what_a_closed_context_cannot_commit_is_given_up_with_the_lock() {
    for (reads, writes) in [(0, 9), (9, 1)] {
        let context = with(&stale());
        context.world.locks.set(Some(LockScope::Covering));
        context.world.before_read(|_| {});
        context.world.before_read(|_| {});
        (0..reads).for_each(|_| context.world.fail_read());
        context.world.writes.borrow_mut().push_back(Fate::Works);
        context.world.writes.borrow_mut().extend((0..writes).map(|_| Fate::Throws));
        context.world.answer(grants("R1", "A1"));
        context.world.while_waiting(|_| {});
        context.world.while_waiting(|world| world.dismissed.set(true));
        let early = std::cell::Cell::new(0);
        let on_tokens = |_: &TokenSet| early.set(early.get() + 1);
        let call = Call { on_tokens: &on_tokens, ..call(&context) };
        let failed = run(context.refresh(&any(), &call));
        assert!(matches!(failed, Err(Failure::Store { .. })), "{reads} reads, {writes} writes: {failed:?}");
        assert!(early.get() > 0, "the callers have what was granted");
        assert_eq!(context.world.noticed(&What::StoreFailed { operation: "commit" }), 1);
        assert_eq!((context.world.noticed(&What::Refreshed), context.world.announced.borrow().len()), (0, 0));
        assert_eq!(context.world.waited.borrow().len(), 1, "it was tried once more");
        assert_eq!(context.world.released.get(), 1);
        assert!(there(&context).intent.is_some(), "who comes next counts a send of unknown outcome");
    }
}

#[test]
fn a_commit_that_failed_and_happened_is_durable() {
    let context = with(&stale());
    context.world.writes.borrow_mut().extend([Fate::Works, Fate::ThrowsAfterwards]);
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
    assert_eq!(context.world.store.borrow().values().next().map(|kept| kept.version), Some(3));
}

#[test]
fn who_was_overtaken_answers_with_what_is_there_and_keeps_its_own_as_a_spare() {
    let context = with(&stale());
    let key = context.names.session().key;
    context.world.answer_after(move |world| world.put(&key, &renewed()), grants("R1b", "A1b"));
    assert_eq!(got(&context), Ok("A1".into()));
    let spare = there(&context).spare.expect("a spare");
    assert_eq!(spare.refresh_token, Some(Secret::new("R1b")));
    assert_eq!((context.world.noticed(&What::Adopted), context.world.noticed(&What::Refreshed)), (1, 0));
    assert!(context.world.announced.borrow().is_empty());
}

#[test]
fn who_was_overtaken_for_other_parameters_answers_with_its_own() {
    let context = with(&stale());
    let key = context.names.session().key;
    let mut theirs = renewed();
    theirs.grants.clear();
    context.world.answer_after(move |world| world.put(&key, &theirs), grants("R1b", "A1b"));
    assert_eq!(got(&context), Ok("A1b".into()));
}

#[test]
fn a_reply_for_another_user_ends_the_session() {
    for revokes in [false, true] {
        let context = with(&Record { sub: Some("ann".into()), ..stale() });
        context.world.can_revoke.set(revokes);
        let bob = Granted { subject: Some("bob".into()), ..carried("R1", "A1").granted };
        context.world.answer(Verdict::Granted(Box::new(bob)));
        assert_eq!(told(got(&context)), ("revoked", "identity-changed".into()));
        let record = there(&context);
        assert_eq!((record.state, record.revoke.len()), (State::Rejected, if revokes { 2 } else { 0 }));
        assert_eq!(context.world.noticed(&What::Revoked { reason: Reason::Unknown }), 1);
        assert_eq!(context.world.announced.borrow().len(), 1);
    }
}

#[test]
fn a_reply_for_another_user_is_handed_to_nobody_whatever_the_store_does() {
    for (throws, changes) in [(true, false), (false, true), (true, true)] {
        let ann = Record { sub: Some("ann".into()), ..stale() };
        let context = with(&ann);
        let key = context.names.session().key;
        let bob = Granted { subject: Some("bob".into()), ..carried("R1", "A1").granted };
        let event = move |world: &Scripted| {
            if changes {
                world.put(&key, &Record { intent: Some(intent("theirs", false)), ..ann });
            }
            if throws {
                world.writes.borrow_mut().push_back(Fate::Throws);
            }
        };
        context.world.answer_after(event, Verdict::Granted(Box::new(bob)));
        let on_tokens = |_: &TokenSet| panic!("another user's tokens");
        let call = Call { on_tokens: &on_tokens, ..call(&context) };
        assert_eq!(told(run(context.refresh(&any(), &call))), ("revoked", "identity-changed".into()));
        assert_eq!((there(&context).state, there(&context).intent), (State::Rejected, None));
    }
}

#[test]
fn a_reply_for_another_user_leaves_what_another_owner_was_granted_meanwhile() {
    let context = with(&Record { sub: Some("ann".into()), ..stale() });
    let key = context.names.session().key;
    let bob = Granted { subject: Some("bob".into()), ..carried("R1b", "A1b").granted };
    context.world.answer_after(move |world| world.put(&key, &renewed()), Verdict::Granted(Box::new(bob)));
    assert_eq!(got(&context), Ok("A1".into()));
    assert_eq!(there(&context), renewed(), "a spent token is no spare");
}

#[test]
fn a_replaced_token_is_queued_only_by_option_and_where_it_can_be_revoked() {
    for (option, endpoint, queued) in [(true, true, 1), (true, false, 0), (false, true, 0)] {
        let context = context_with(Settings { revoke_replaced: option, ..Settings::default() });
        context.world.put(&context.names.session().key, &stale());
        context.world.can_revoke.set(endpoint);
        context.world.answer(grants("R1", "A1"));
        assert_eq!(got(&context), Ok("A1".into()));
        assert_eq!(there(&context).revoke.len(), queued);
    }
}

#[test]
fn the_life_of_a_token_counts_from_the_moment_the_request_was_sent() {
    let context = with(&stale());
    context.world.answer_after(|world| world.monotonic.set(8_000), grants("R1", "A1"));
    let tokens = run(context.refresh(&any(), &call(&context))).expect("granted");
    assert_eq!((tokens.expires_monotonic, tokens.grant.expires_at), (LIFETIME, START + LIFETIME));
    // Also if the wall clock jumps while the request is on its way.
    let context = with(&stale());
    context.world.answer_after(|world| world.jumped.set(60_000), grants("R1", "A1"));
    let tokens = run(context.refresh(&any(), &call(&context))).expect("granted");
    assert_eq!((tokens.expires_monotonic, tokens.grant.expires_at), (LIFETIME, START + LIFETIME));
}

// Refusals.

#[test]
fn a_refusal_is_said_after_the_record_was_read_again() {
    let context = with(&stale());
    context.world.answer(refuses(Class::Revoked(Reason::Expired), Spent::Yes));
    assert!(matches!(got(&context), Err(Failure::Revoked { reason: Reason::Expired, .. })));
    assert_eq!((there(&context).state, there(&context).rejected_for()), (State::Rejected, Reason::Expired));
    assert_eq!(context.world.noticed(&What::Refused), 1);
    assert_eq!(context.world.noticed(&What::Revoked { reason: Reason::Expired }), 1);
    assert_eq!(context.world.announced.borrow().len(), 1);
    assert!(context.world.waited.borrow().is_empty());
}

/// The next refresh is refused, and the store may not show for 700 ms what somebody else has stored.
fn refused_on_a_store_that_lags() -> Context<Scripted> {
    let context = with(&stale());
    context.world.lag.set(700);
    context.world.answer(refuses(Class::Revoked(Reason::Unknown), Spent::Yes));
    context
}

#[test]
fn a_store_that_lags_is_read_once_more_after_its_lag() {
    let context = refused_on_a_store_that_lags();
    let key = context.names.session().key;
    context.world.while_waiting(move |world| world.put(&key, &renewed()));
    assert_eq!(got(&context), Ok("A1".into()));
    assert_eq!(*context.world.waited.borrow(), [700]);
    // Once only.
    let context = refused_on_a_store_that_lags();
    assert_eq!(told(got(&context)).0, "revoked");
    assert_eq!(*context.world.waited.borrow(), [700]);
}

#[test]
fn what_wakes_it_meanwhile_does_not_shorten_that() {
    let context = refused_on_a_store_that_lags();
    let key = context.names.session().key;
    // More often than a record is read that keeps changing.
    for hint in 1..=20 {
        context.world.while_waiting(move |world| {
            world.monotonic.set(world.monotonic.get() + 30);
            world.heard.set(hint);
        });
    }
    context.world.while_waiting(move |world| world.put(&key, &renewed()));
    assert_eq!(got(&context), Ok("A1".into()));
    assert_eq!(*context.world.waited.borrow(), [700]);
    // Who is to end at once does.
    let context = refused_on_a_store_that_lags();
    context.world.while_waiting(|world| world.dismissed.set(true));
    assert_eq!(told(got(&context)).0, "revoked");
}

#[test]
fn a_patient_caller_may_be_woken_any_number_of_times() {
    let context = with(&Record { intent: Some(intent("theirs", false)), ..stale() });
    for hint in 1..=500 {
        context.world.while_waiting(move |world| {
            world.monotonic.set(world.monotonic.get() + 1);
            world.heard.set(hint);
        });
    }
    let key = context.names.session().key;
    context.world.while_waiting(move |world| {
        world.put(&key, &renewed());
        world.heard.set(501);
    });
    assert_eq!(got(&context), Ok("A1".into()));
}

#[test]
fn hints_without_end_do_not_prolong_a_callers_patience() {
    let context = with(&stale());
    context.world.locks.set(Some(LockScope::Covering));
    context.world.taken.set(true);
    for hint in 1..=2_000 {
        context.world.while_waiting(move |world| {
            world.monotonic.set(world.monotonic.get() + 10);
            world.heard.set(hint);
        });
    }
    assert_eq!(told(got(&context)), ("transient", "contention".into()));
    assert_eq!(context.world.monotonic.get(), 12_000 + 10 * 63);
}

#[test]
fn one_look_of_a_waiter_may_fail() {
    let waits = |failures: u64| {
        let context = with(&Record { intent: Some(intent("theirs", false)), ..stale() });
        let key = context.names.session().key;
        context.world.while_waiting(move |world| {
            (0..failures).for_each(|_| world.fail_read());
            world.heard.set(1);
        });
        context.world.while_waiting(move |world| {
            world.put(&key, &renewed());
            world.heard.set(2);
        });
        got(&context)
    };
    assert_eq!(waits(1), Ok("A1".into()));
    assert_eq!(told(waits(2)).0, "store");
    // Without a hint it looks again soon: a token that the server still accepts may wait to be sent.
    let context = with(&stale());
    context.world.answer(not_now(2_000));
    context.world.while_waiting(|world| {
        world.fail_read();
        world.monotonic.set(2_000);
        world.heard.set(1);
    });
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
    assert_eq!(*context.world.waited.borrow(), [3_000]);
}

#[test]
fn after_a_take_over_the_late_owner_is_given_time_to_commit() {
    let context = with(&Record { intent: Some(intent("theirs", true)), ..stale() });
    context.world.locks.set(Some(LockScope::Covering));
    let key = context.names.session().key;
    context.world.answer(refuses(Class::Revoked(Reason::Unknown), Spent::Yes));
    context.world.while_waiting(move |world| world.put(&key, &renewed()));
    assert_eq!(got(&context), Ok("A1".into()));
    assert_eq!(*context.world.waited.borrow(), [1_200]);
}

#[test]
fn a_refused_token_gives_way_to_the_spare() {
    let mut record = stale();
    record.spare = Some(Spare { refresh_token: Some(Secret::new("R0b")), grants: Default::default() });
    let context = with(&record);
    context.world.answer(refuses(Class::Revoked(Reason::Unknown), Spent::Yes));
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
    let tokens: Vec<Option<String>> = context.world.sent.borrow().iter().map(|sent| sent.token.clone()).collect();
    assert_eq!(tokens, [Some("R0".into()), Some("R0b".into())]);
    assert_eq!(context.world.sent.borrow()[1].attempt, 2);
}

#[test]
fn a_refusal_of_what_another_owner_presents_too_waits_for_that_owner() {
    let context = with(&stale());
    let key = context.names.session().key;
    let there = key.clone();
    let foreign = move |world: &Scripted| {
        world.put(&there, &Record { intent: Some(intent("theirs", false)), ..stale() });
    };
    context.world.answer_after(foreign, refuses(Class::Revoked(Reason::Unknown), Spent::Yes));
    context.world.while_waiting(move |world| {
        world.put(&key, &renewed());
        world.heard.set(1);
    });
    assert_eq!(got(&context), Ok("A1".into()));
    assert!(context.world.waited.borrow().is_empty());
}

#[test]
fn a_rejection_that_cannot_be_written_is_tried_eight_times() {
    for (failures, class) in [(7, "revoked"), (8, "transient")] {
        let context = with(&stale());
        context.world.writes.borrow_mut().push_back(Fate::Works);
        context.world.writes.borrow_mut().extend((0..failures).map(|_| Fate::Throws));
        context.world.answer(refuses(Class::Revoked(Reason::Unknown), Spent::Yes));
        assert_eq!(told(got(&context)).0, class);
    }
}

#[test]
fn a_token_that_was_refused_here_is_never_sent_from_here_again() {
    let context = with(&stale());
    context.world.before_read(|_| {});
    context.world.fail_read();
    context.world.answer(refuses(Class::Revoked(Reason::Unknown), Spent::Yes));
    assert_eq!(told(got(&context)).0, "store", "nobody knows what the record says");
    assert_eq!(told(got(&context)).0, "revoked");
    assert_eq!(context.world.sent.borrow().len(), 1);
}

// Withdrawals.

fn not_now(wait: i64) -> Verdict {
    Verdict::Refused(Box::new(Refusal { retry_after: Some(wait), ..refusal(Class::Transient, Spent::No) }))
}

#[test]
fn a_short_cool_down_is_waited_out_as_often_as_there_are_retries() {
    let context = with(&stale());
    (0..3).for_each(|_| context.world.answer(not_now(2_000)));
    assert_eq!(retry_at(got(&context)), Some(START + 6_000));
    assert_eq!(*context.world.waited.borrow(), [2_000, 4_000]);
    let attempts: Vec<u32> = context.world.sent.borrow().iter().map(|sent| sent.attempt).collect();
    assert_eq!((attempts, context.world.attempts.borrow().clone()), (vec![1, 2, 3], vec![1, 2, 3]));
    assert_eq!(context.world.noticed(&What::Transient { retry_at: Some(START + 2_000) }), 1);
    assert_eq!(context.world.announced.borrow().len(), 3);
    assert_eq!(there(&context).intent, None);
}

#[test]
fn a_long_cool_down_is_reported_at_once() {
    let context = with(&stale());
    context.world.answer(not_now(2_001));
    let result = got(&context);
    assert_eq!(told(result.clone()), ("transient", String::new()), "what the server said, not that it cools down");
    assert_eq!(retry_at(result), Some(START + 2_001));
    assert!(context.world.waited.borrow().is_empty());
    // Who comes later hears of the cool-down, and asks nobody.
    let result = got(&context);
    assert_eq!(told(result.clone()), ("transient", "cooling-down".into()));
    assert_eq!(retry_at(result), Some(START + 2_001));
    assert_eq!(context.world.sent.borrow().len(), 1);
}

#[test]
fn a_cool_down_is_spared_who_can_be_served() {
    let context = with(&ending());
    context.world.answer(not_now(1_000));
    assert_eq!(got(&context), Ok("A0".into()));
    assert!(context.world.waited.borrow().is_empty());
}

#[test]
fn a_hint_during_a_cool_down_costs_no_attempt() {
    let context = with(&stale());
    (0..3).for_each(|_| context.world.answer(not_now(2_000)));
    for heard in 1..=3 {
        context.world.while_waiting(move |world| world.heard.set(heard));
    }
    assert_eq!(retry_at(got(&context)), Some(START + 6_000));
    assert_eq!(context.world.sent.borrow().len(), 3);
}

#[test]
fn a_cool_down_outlasts_a_callers_patience() {
    let context = context_with(Settings { lock_wait: 1_000, ..Settings::default() });
    context.world.put(&context.names.session().key, &stale());
    context.world.answer(not_now(2_000));
    let result = got(&context);
    assert_eq!(told(result.clone()), ("transient", String::new()));
    assert_eq!((retry_at(result), context.world.monotonic.get()), (Some(START + 2_000), 1_000));
}

#[test]
fn a_context_that_is_closed_waits_for_nothing() {
    let context = with(&stale());
    context.world.answer(not_now(2_000));
    context.world.while_waiting(|world| world.dismissed.set(true));
    assert_eq!(retry_at(got(&context)), Some(START + 2_000));
    let context = with(&Record { intent: Some(intent("theirs", false)), ..stale() });
    context.world.while_waiting(|world| world.dismissed.set(true));
    assert_eq!(told(got(&context)), ("transient", "busy".into()));
    assert!(context.world.waited.borrow().is_empty() && context.world.sent.borrow().is_empty());
}

#[test]
fn what_only_a_developer_can_mend_is_remembered_for_five_seconds() {
    for class in [Class::Configuration, Class::Interaction] {
        let context = with(&stale());
        context.world.answer(refuses(class, Spent::Maybe));
        let first = got(&context).expect_err("refused");
        assert_eq!((there(&context).retry_at, there(&context).sends, there(&context).intent), (None, 1, None));
        context.world.monotonic.set(4_999);
        assert_eq!(got(&context), Err(first));
        let other = refresh_coordinator::protocol::demand::Demand {
            params: vec![("scope".into(), "a".into())],
            need: Need::Valid,
        };
        context.world.answer(grants("R1", "A1"));
        run(context.refresh(&other, &call(&context))).expect("other parameters may be right");
        assert_eq!(context.world.sent.borrow().len(), 2);
        context.world.monotonic.set(5_000);
        context.world.answer(grants("R2", "A2"));
        assert_eq!(got(&context), Ok("A2".into()));
    }
}

#[test]
fn a_withdrawal_of_unknown_outcome_is_looked_for() {
    let context = with(&stale());
    context.world.writes.borrow_mut().extend([Fate::Works, Fate::ThrowsAfterwards]);
    context.world.answer(not_now(60_000));
    assert_eq!(retry_at(got(&context)), Some(START + 60_000));
    assert_eq!((there(&context).failures, there(&context).intent), (1, None));
}

#[test]
fn a_withdrawal_is_tried_three_times_and_then_the_claim_stands_to_its_end() {
    for (failures, withdrawn) in [(2, true), (3, false)] {
        let context = with(&stale());
        context.world.writes.borrow_mut().push_back(Fate::Works);
        context.world.writes.borrow_mut().extend((0..failures).map(|_| Fate::Throws));
        context.world.answer(not_now(60_000));
        assert_eq!(retry_at(got(&context)).is_some(), withdrawn);
        assert_eq!(there(&context).intent.is_none(), withdrawn);
        if !withdrawn {
            // It is our own: taken over without a wait, as a send of unknown outcome.
            context.world.answer(grants("R1", "A1"));
            assert_eq!(got(&context), Ok("A1".into()));
            assert!(context.world.waited.borrow().is_empty());
            assert_eq!(context.world.noticed(&What::TakenOver), 1);
        }
    }
}

#[test]
fn a_withdrawal_leaves_another_owner_alone_and_waits_for_what_it_gets() {
    let context = with(&stale());
    let key = context.names.session().key;
    let theirs = Record { intent: Some(intent("theirs", false)), ..stale() };
    let (taken_over, now) = (key.clone(), theirs.clone());
    context.world.answer_after(move |world| world.put(&taken_over, &now), not_now(60_000));
    context.world.while_waiting(move |world| {
        assert_eq!(world.record(&key), Some(theirs));
        world.put(&key, &renewed());
        world.heard.set(1);
    });
    assert_eq!(got(&context), Ok("A1".into()));
    assert_eq!((context.world.sent.borrow().len(), there(&context)), (1, renewed()));
}

/// The same as what this context got, but another one has got it meanwhile, or something has become of the session.
fn overtaken(by: Record, verdict: Verdict) -> (Context<Scripted>, Result<String, Failure>) {
    let context = with(&stale());
    let key = context.names.session().key;
    context.world.answer_after(move |world| world.put(&key, &by), verdict);
    let result = got(&context);
    (context, result)
}

#[test]
fn who_was_overtaken_and_has_nothing_to_show_has_what_the_other_one_got() {
    let no_tokens = [
        not_now(60_000),
        refuses(Class::Transient, Spent::Maybe),
        refuses(Class::Configuration, Spent::No),
        refuses(Class::Interaction, Spent::No),
    ];
    for verdict in no_tokens {
        let (context, result) = overtaken(renewed(), verdict);
        assert_eq!(result, Ok("A1".into()));
        assert_eq!((context.world.sent.borrow().len(), there(&context)), (1, renewed()));
    }
}

#[test]
fn who_was_overtaken_hears_what_became_of_the_session() {
    let rejected = Record { state: State::Rejected, reason: Some("idle".into()), ..stale() };
    assert_eq!(told(overtaken(rejected, not_now(60_000)).1).0, "revoked");
    let out = Record { state: State::Out, ..stale() };
    assert_eq!(told(overtaken(out, not_now(60_000)).1).0, "no session");
    let another = Record { sid: "another".into(), ..renewed() };
    assert_eq!(told(overtaken(another, not_now(60_000)).1).0, "no session");
}

#[test]
fn who_was_overtaken_in_vain_hears_why_its_own_attempt_failed() {
    let in_vain = Record { retry_at: Some(START + 60_000), failures: 1, ..stale() };
    let (_, result) = overtaken(in_vain, not_now(1_000));
    assert_eq!(told(result.clone()), ("transient", String::new()), "what the server said, not that it cools down");
    assert_eq!(retry_at(result), Some(START + 60_000));
    // What only a developer can mend is not tried again.
    let (context, result) = overtaken(stale(), refuses(Class::Configuration, Spent::No));
    assert_eq!(told(result).0, "configuration");
    assert_eq!(context.world.sent.borrow().len(), 1);
}

#[test]
fn a_withdrawal_meets_what_another_writer_left_beside_our_claim() {
    let context = with(&stale());
    let key = context.names.session().key;
    let changed = move |world: &Scripted| {
        let mut record = world.record(&key).expect("ours");
        record.queue(Some(&Secret::new("old")));
        world.put(&key, &record);
    };
    context.world.answer_after(changed, not_now(60_000));
    assert_eq!(retry_at(got(&context)), Some(START + 60_000));
    assert_eq!((there(&context).intent, there(&context).revoke), (None, vec![Secret::new("old")]));
}

// A store that is slow.

#[test]
fn a_slow_read_does_not_bring_back_what_this_context_has_replaced() {
    let context = std::rc::Rc::new(with(&session()));
    let (key, other) = (context.names.session().key, context.clone());
    context.world.before_read(move |world| {
        world.put(&key, &renewed());
        drop(run(other.look(&Vec::new())));
        // What the slow read has found before.
        world.put(&key, &session());
    });
    let tokens = run(context.refresh(&any(), &call(&context))).expect("fresh");
    assert_eq!((access(&tokens), &tokens.refresh_token), ("A1", &Some(Secret::new("R1"))));
}

#[test]
fn a_slow_read_brings_the_tokens_of_its_own_session_or_none() {
    let context = std::rc::Rc::new(with(&session()));
    let (key, other) = (context.names.session().key, context.clone());
    context.world.before_read(move |world| {
        world.put(&key, &Record { sid: "t".into(), generation: 5, ..session() });
        drop(run(other.sign_in(carried("R0", "T"), &Vec::new())));
        world.put(&key, &session());
    });
    let tokens = run(context.refresh(&any(), &call(&context))).expect("fresh");
    assert_eq!((tokens.sid.as_str(), tokens.generation, context.sid().as_deref()), ("s", 0, Some("t")));
}

#[test]
fn grants_that_have_ended_are_forgotten_with_the_next_commit() {
    let mut record = stale();
    record.grants.insert("ended".into(), grant("E", 0, 0));
    record.grants.insert("lives".into(), grant("L", 1, 0));
    let context = with(&record);
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
    let keys: Vec<String> = there(&context).grants.iter().map(|(key, _)| key.to_owned()).collect();
    assert_eq!(keys, ["", "lives"]);
}

// A store that is away.

#[test]
fn without_its_store_a_context_serves_what_it_remembers() {
    let context = context();
    context.world.fail_read();
    assert_eq!(told(got(&context)), ("store", "store-threw".into()), "it remembers nothing");
    let context = with(&ending());
    context.world.answer(not_now(60_000));
    got(&context).expect("valid");
    context.world.fail_read();
    assert_eq!(got(&context), Ok("A0".into()));
    context.world.fail_read();
    assert_eq!(told(got_for(&context, Need::MintedAfterNow)).0, "store");
    context.world.monotonic.set(5_000);
    context.world.fail_read();
    assert_eq!(told(got(&context)).0, "store", "it has ended");
}

#[test]
fn without_its_store_a_context_does_not_speak_for_another_session() {
    let context = with(&session());
    got(&context).expect("fresh");
    context.world.fail_read();
    let call = Call { sid: Some("other".into()), ..call(&context) };
    assert_eq!(told(run(context.refresh(&any(), &call))).0, "store");
    let rejected = Record { state: State::Rejected, ..session() };
    context.world.put(&context.names.session().key, &rejected);
    assert_eq!(told(got(&context)).0, "revoked");
    context.world.fail_read();
    assert_eq!(told(got(&context)).0, "store");
}

#[test]
fn by_option_a_token_is_presented_without_a_claim_while_the_store_is_away() {
    let context = with_memory_of(&stale());
    context.world.fail_read();
    context.world.answer(grants("R1", "A1"));
    assert_eq!(got(&context), Ok("A1".into()));
    assert_eq!(context.world.noticed(&What::Degraded { what: "claim" }), 1);
    assert_eq!(*context.world.attempts.borrow(), [1]);
    assert_eq!(there(&context).refresh_token, Some(Secret::new("R1")));
}

#[test]
fn without_a_claim_no_refusal_ends_the_session() {
    let context = with_memory_of(&stale());
    context.world.fail_read();
    context.world.answer(refuses(Class::Revoked(Reason::Unknown), Spent::Yes));
    assert_eq!(told(got(&context)), ("store", "store-threw".into()), "what the record says cannot be known");
    assert_eq!(there(&context), stale());
    context.world.fail_read();
    assert_eq!(told(got(&context)).0, "store", "nothing is remembered that could be presented again");
    assert_eq!(context.world.sent.borrow().len(), 1);
    let context = with_memory_of(&stale());
    context.world.monotonic.set(100);
    context.world.fail_read();
    context.world.answer(not_now(2_000));
    assert_eq!(retry_at(got(&context)), Some(START + 2_100));
}

/// A context with the option, which has seen the record and nothing since.
fn with_memory_of(record: &Record) -> Context<Scripted> {
    let context = context_with(Settings { on_store_failure: OnStoreFailure::Open, ..Settings::default() });
    context.world.put(&context.names.session().key, record);
    drop(run(context.look(&Vec::new())));
    context
}

#[test]
fn in_the_background_nothing_is_presented_without_a_claim() {
    let context = with_memory_of(&stale());
    context.world.fail_read();
    assert_eq!(told(got_for(&context, Need::Ahead)).0, "store");
    assert!(context.world.sent.borrow().is_empty());
}

#[test]
fn who_wants_a_token_minted_after_the_call_answers_with_its_own_when_overtaken() {
    let context = with(&stale());
    let key = context.names.session().key;
    context.world.answer_after(move |world| world.put(&key, &renewed()), grants("R1b", "A1b"));
    let minted = Demand { params: Vec::new(), need: Need::MintedAfterNow };
    let got = run(context.refresh(&minted, &call(&context))).expect("granted");
    assert_eq!(got.grant.access_token, Some(Secret::new("A1b")));
    assert_eq!(got.refresh_token, Some(Secret::new("R1")), "the refresh token is the session's");
}
