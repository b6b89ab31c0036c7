//! Successor mode: from a carried token to the one that lives.

use refresh_coordinator::protocol::demand::Need;
use refresh_coordinator::protocol::notice::What;
use refresh_coordinator::protocol::record::{Intent, Record, State};
use refresh_coordinator::protocol::settings::Settings;
use refresh_coordinator::protocol::tokens::Secret;
use refresh_coordinator::protocol::verdict::{Class, Granted, Reason, Spent};

use crate::world::{
    Fate, LIFETIME, START, access, any, call, carried, context, context_with, grant, grants, needing, refuses, run,
    told,
};

/// What became of one token: another one, with an access token that has ended.
fn entry(key: &str, next: &str, generation: u64) -> Record {
    let mut record = Record::begun(key.to_owned(), Some(Secret::new(next)));
    record.grants.insert(String::new(), grant("ended", -1, generation));
    record.generation = generation;
    record
}

#[test]
fn without_a_refresh_token_there_is_no_session() {
    let context = context();
    let mut tokens = carried("R0", "A0");
    tokens.granted.refresh_token = None;
    assert_eq!(told(run(context.renew(&tokens, &any(), &call(&context)))), ("no session", String::new()));
}

#[test]
fn a_carried_access_token_that_is_fresh_is_the_answer() {
    let by_moment = Granted { lifetime: None, expires_at: Some(START + LIFETIME), ..carried("R0", "A0").granted };
    for granted in [carried("R0", "A0").granted, by_moment] {
        let context = context();
        let mut tokens = carried("R0", "A0");
        tokens.granted = granted;
        let answer = run(context.renew(&tokens, &any(), &call(&context))).expect("fresh");
        assert_eq!((access(&answer), answer.grant.expires_at), ("A0", START + LIFETIME));
        assert_eq!(
            (context.sid(), context.mark(&Vec::new(), None)),
            (None, None),
            "the caller remembers, not the context"
        );
        assert!(context.world.sent.borrow().is_empty());
    }
}

#[test]
fn a_carried_access_token_that_does_not_say_when_it_ends_is_none() {
    let without_end = Granted { lifetime: None, ..carried("R0", "A0").granted };
    let without_token = Granted { access_token: None, ..carried("R0", "A0").granted };
    for granted in [without_end, without_token] {
        let context = context();
        let mut tokens = carried("R0", "A0");
        tokens.granted = granted;
        context.world.answer(grants("R1", "A1"));
        let answer = run(context.renew(&tokens, &any(), &call(&context))).expect("granted");
        assert_eq!(access(&answer), "A1");
    }
}

#[test]
fn a_rotation_leaves_an_entry_and_a_mark_that_outlives_it() {
    let context = context();
    let presented = Secret::new("R0");
    context.world.answer(grants("R1", "A1"));
    let answer = run(context.renew(&carried("R0", "A0"), &needing(Need::MintedAfterNow), &call(&context)));
    assert_eq!(answer.map(|tokens| tokens.generation), Ok(1));
    let kept = context.world.store.borrow().clone();
    assert_eq!(kept[&context.names.successor(&presented).key].ttl, Some(LIFETIME));
    let mark = &kept[&context.names.spent(&presented).key];
    assert_eq!((mark.value.as_str(), mark.ttl), ("spent", Some(24 * 3_600_000)));
    // The successor is remembered for an hour; the mark tells who comes later still.
    context.world.store.borrow_mut().remove(&context.names.successor(&presented).key);
    let late = run(context.renew(&carried("R0", "A0"), &any(), &call(&context))).expect_err("spent");
    assert!(matches!(
        late,
        refresh_coordinator::protocol::failure::Failure::Revoked { reason: Reason::Superseded, .. }
    ));
}

#[test]
fn a_mark_that_cannot_be_written_costs_nobody_the_tokens() {
    let context = context();
    context.world.answer(grants("R1", "A1"));
    // Claim, commit, mark.
    context.world.writes.borrow_mut().extend([Fate::Works, Fate::Works, Fate::Throws]);
    run(context.renew(&carried("R0", "A0"), &needing(Need::MintedAfterNow), &call(&context))).expect("granted");
    assert_eq!(context.world.noticed(&What::StoreFailed { operation: "write" }), 1);
    assert_eq!(context.world.noticed(&What::Refreshed), 1);
}

#[test]
fn a_token_that_is_not_replaced_is_not_marked_as_spent() {
    let context = context();
    context.world.answer(grants("R0", "A1"));
    run(context.renew(&carried("R0", "A0"), &needing(Need::MintedAfterNow), &call(&context))).expect("granted");
    assert_eq!(context.world.store.borrow().len(), 1);
    context.world.answer(grants("R0", "A2"));
    let again = run(context.renew(&carried("R0", "A0"), &needing(Need::MintedAfterNow), &call(&context)));
    assert_eq!(again.map(|tokens| tokens.generation), Ok(2), "the same record counts on");
}

#[test]
fn an_entry_that_appears_while_the_mark_is_read_is_heeded() {
    let context = context();
    let presented = Secret::new("R0");
    let (key, mark) = (context.names.successor(&presented).key, context.names.spent(&presented).key);
    context.world.before_read(|_| {});
    context.world.before_read(move |world| {
        let mut record = entry(&key, "R1", 1);
        record.grants.insert(String::new(), grant("A1", LIFETIME, 1));
        world.put(&key, &record);
        world.put(&mark, &record);
    });
    let late = run(context.renew(&carried("R0", "A0"), &needing(Need::NotThis(Secret::new("A0"))), &call(&context)));
    assert_eq!(late.map(|tokens| access(&tokens).to_owned()), Ok("A1".to_owned()));
}

#[test]
fn who_cannot_store_the_successor_has_it_kept_for_as_long_as_the_mark() {
    let context = context();
    let key = context.names.successor(&Secret::new("R0")).key;
    let mut tokens = carried("R0", "A0");
    tokens.fixed = true;
    context.world.answer(grants("R1", "A1"));
    run(context.renew(&tokens, &needing(Need::MintedAfterNow), &call(&context))).expect("granted");
    assert_eq!(context.world.store.borrow()[&key].ttl, Some(24 * 3_600_000));
    // Its access token has ended; the first entry is rewritten, and kept as long again.
    context.world.put(&key, &entry(&key, "R1", 1));
    context.world.answer(grants("R2", "A2"));
    let late = run(context.renew(&tokens, &needing(Need::Another(Secret::new("A0"))), &call(&context)));
    assert_eq!(late.map(|tokens| access(&tokens).to_owned()), Ok("A2".to_owned()));
    let next = context.names.successor(&Secret::new("R1")).key;
    assert_eq!([&key, &next].map(|key| context.world.store.borrow()[key].ttl), [Some(24 * 3_600_000); 2]);
}

#[test]
fn another_token_than_the_one_carried_is_found_or_minted_and_the_one_carried_goes_on_serving() {
    let context = context_with(Settings { retries: 0, ..Settings::default() });
    let another = needing(Need::Another(Secret::new("A0")));
    context.world.answer(refuses(Class::Transient, Spent::No));
    let outage = run(context.renew(&carried("R0", "A0"), &another, &call(&context)));
    assert_eq!(told(outage).0, "transient", "not even the living one is another");
    let others = run(context.renew(&carried("R0", "A0"), &any(), &call(&context)));
    assert_eq!(others.map(|tokens| access(&tokens).to_owned()), Ok("A0".to_owned()));
}

#[test]
fn a_late_caller_follows_the_successors_and_the_first_entry_is_shortened() {
    let context = context();
    let keys = ["R0", "R1", "R2"].map(|token| context.names.successor(&Secret::new(token)).key);
    context.world.put(&keys[0], &entry(&keys[0], "R1", 1));
    context.world.put(&keys[1], &entry(&keys[1], "R2", 1));
    context.world.answer(grants("R3", "A3"));
    let tokens = run(context.renew(&carried("R0", "A0"), &needing(Need::NotThis(Secret::new("A0"))), &call(&context)));
    let tokens = tokens.expect("granted");
    assert_eq!((access(&tokens), tokens.refresh_token.clone()), ("A3", Some(Secret::new("R3"))));
    assert_eq!(context.world.sent.borrow()[0].token.as_deref(), Some("R2"));
    let first = context.world.record(&keys[0]).expect("an entry");
    assert_eq!((first.refresh_token, first.generation), (Some(Secret::new("R3")), 3), "raised by the hops taken");
    assert_eq!(first.grants.get("").and_then(|grant| grant.access_token.clone()), Some(Secret::new("A3")));
    assert_eq!(context.world.store.borrow()[&keys[0]].ttl, Some(LIFETIME));
    assert_eq!(context.world.record(&keys[1]), Some(entry(&keys[1], "R2", 1)), "the others are left");
}

#[test]
fn the_carried_access_token_belongs_to_the_carried_refresh_token_only() {
    let context = context();
    let key = context.names.successor(&Secret::new("R0")).key;
    context.world.put(&key, &entry(&key, "R1", 1));
    context.world.answer(grants("R2", "A2"));
    let tokens = run(context.renew(&carried("R0", "A0"), &any(), &call(&context))).expect("granted");
    assert_eq!(access(&tokens), "A2", "A0 is no grant of R1");
}

#[test]
fn an_entry_that_somebody_works_on_is_not_shortened() {
    for (state, intent) in [(State::Out, false), (State::Active, true)] {
        let context = context();
        let key = context.names.successor(&Secret::new("R0")).key;
        let mut changed = entry(&key, "R1", 1);
        changed.state = state;
        changed.intent = intent.then(|| Intent {
            nonce: "theirs".into(),
            hash: String::new(),
            locked: false,
            deadline: START + 15_000,
            duration: 15_000,
        });
        context.world.put(&key, &entry(&key, "R1", 1));
        let (there, after) = (key.clone(), changed.clone());
        context.world.answer_after(move |world| world.put(&there, &after), grants("R2", "A2"));
        run(context.renew(&carried("R0", "A0"), &any(), &call(&context))).expect("granted");
        assert_eq!(context.world.record(&key), Some(changed));
    }
}

#[test]
fn an_entry_that_leads_there_already_is_not_written_again() {
    let context = context();
    let key = context.names.successor(&Secret::new("R0")).key;
    context.world.put(&key, &entry(&key, "R1", 1));
    context.world.answer(grants("R1", "A1"));
    run(context.renew(&carried("R0", "A0"), &any(), &call(&context))).expect("granted");
    assert_eq!(context.world.record(&key), Some(entry(&key, "R1", 1)));
}

#[test]
fn an_entry_that_another_owner_wrote_first_stays_its_own() {
    let context = context();
    let key = context.names.successor(&Secret::new("R0")).key;
    let mut theirs = entry(&key, "R1", 1);
    theirs.grants.clear();
    theirs.grants.insert("other parameters".into(), grant("B1", LIFETIME, 1));
    let (there, after) = (key.clone(), theirs.clone());
    context.world.answer_after(move |world| world.put(&there, &after), grants("R1b", "A1b"));
    let needs = needing(Need::MintedAfterNow);
    let tokens = run(context.renew(&carried("R0", "A0"), &needs, &call(&context))).expect("granted");
    assert_eq!(access(&tokens), "A1b");
    let record = context.world.record(&key).expect("an entry");
    assert_eq!((record.refresh_token, record.generation, record.spare.is_some()), (Some(Secret::new("R1")), 1, true));
}

#[test]
fn eight_successors_are_followed_in_one_call() {
    let chain = |length: u32| {
        let context = context();
        for at in 0..length {
            let key = context.names.successor(&Secret::new(format!("R{at}"))).key;
            context.world.put(&key, &entry(&key, &format!("R{}", at + 1), 1));
        }
        context.world.answer(grants("new", "A"));
        run(context.renew(&carried("R0", "A0"), &any(), &call(&context)))
    };
    assert_eq!(chain(8).map(|tokens| access(&tokens).to_owned()), Ok("A".to_owned()));
    assert_eq!(told(chain(9)), ("transient", "too-many-successors".into()));
}

#[test]
fn a_refused_token_without_an_entry_is_rejected_under_its_own_key() {
    let context = context();
    let key = context.names.successor(&Secret::new("R0")).key;
    context.world.answer(refuses(Class::Revoked(Reason::Idle), Spent::Yes));
    let needs = needing(Need::MintedAfterNow);
    assert_eq!(told(run(context.renew(&carried("R0", "A0"), &needs, &call(&context)))).0, "revoked");
    assert_eq!(context.world.record(&key).map(|record| record.rejected_for()), Some(Reason::Idle));
    assert_eq!(told(run(context.renew(&carried("R0", "A0"), &needs, &call(&context)))).0, "revoked");
    assert_eq!(context.world.sent.borrow().len(), 1);
}
