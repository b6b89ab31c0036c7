//! What holds of every record that a store returns, whoever wrote it, and of every decision about it.
//!
//! An input is the text of one or two records, one line each, and behind a zero byte the choices for what happens to
//! them: clocks, settings, replies. An input that begins with a byte no text has, [`BUILT`], is choices only, of which
//! the records are built.

use arbitrary::{Result, Unstructured};
use refresh_coordinator::protocol::decide::backoff::{FAILURES_CAP, RETRY_AT_CAP, cool_down};
use refresh_coordinator::protocol::decide::claim::{
    Claim, Moment, Owner, TakenOver, claim, claimed, may_send, take_over,
};
use refresh_coordinator::protocol::decide::commit::{
    AfterConflict, after_conflict, changes_identity, committed, rejected_for_identity, time_to_live,
};
use refresh_coordinator::protocol::decide::freshness::{Knowledge, advisory, mandatory, meets};
use refresh_coordinator::protocol::decide::look::{Look, Viewpoint, look};
use refresh_coordinator::protocol::decide::refusal::{AfterRefusal, after_refusal, rejected};
use refresh_coordinator::protocol::decide::sign_in::{SignIn, signed_in};
use refresh_coordinator::protocol::decide::sign_out::buried;
use refresh_coordinator::protocol::decide::withdrawal::withdrawn;
use refresh_coordinator::protocol::demand::{Mark, Need};
use refresh_coordinator::protocol::record::{Intent, Record, SCHEMA, Spare, State, Unreadable};
use refresh_coordinator::protocol::settings::{OnStoreFailure, Settings};
use refresh_coordinator::protocol::tokens::{Grant, Millis, Secret};
use refresh_coordinator::protocol::verdict::{Class, Details, Fault, Granted, Reason, Refusal, Spent};
use serde_json::Value;

/// The first byte of an input that is built of choices.
const BUILT: u8 = 0xff;
/// The furthest moment a clock can show: that of `Date` in JavaScript, in milliseconds.
const FURTHEST: Millis = 8_640_000_000_000_000;
/// The longest duration an option may have, in milliseconds.
const LONGEST: Millis = 0x7fff_ffff;
/// A hundred years in milliseconds: the longest life that a reply is believed.
const LONGEST_LIFE: Millis = 3_155_760_000_000;
/// How many tokens a record queues for revocation, and how many it remembers as spent.
const QUEUE: usize = 16;
const REMEMBERED: usize = 8;

/// Reads the records, decides about them in every way there is, and asserts of each outcome what must hold of it.
pub fn check(input: &[u8]) {
    let (records, mut choices) = match input.split_first() {
        Some((&BUILT, choices)) => {
            let mut choices = Unstructured::new(choices);
            let records = [built(&mut choices), built(&mut choices)];
            (records.into_iter().flatten().map(read_again).collect::<Vec<Record>>(), choices)
        }
        _ => {
            let zero = input.iter().position(|byte| *byte == 0).unwrap_or(input.len());
            let (text, choices) = input.split_at(zero);
            let text = String::from_utf8_lossy(text);
            (text.lines().filter_map(read).collect(), Unstructured::new(choices))
        }
    };
    let Some(record) = records.first() else { return };
    let _ = decide(record, records.get(1).unwrap_or(record), &mut choices);
}

/// Reads a text, and asserts what holds of any.
fn read(text: &str) -> Option<Record> {
    let record = Record::decode(text);
    let schema = serde_json::from_str::<Value>(text).ok().and_then(|value| value.get("v")?.as_u64());
    if schema.is_some_and(|schema| schema > SCHEMA.into()) {
        assert_eq!(record, Err(Unreadable::NewerSchema), "a newer schema is left alone");
    } else {
        assert_ne!(record, Err(Unreadable::NewerSchema));
    }
    record.ok().map(read_again)
}

/// A record comes back from its text form as it was, but for the last digit of fractions that a server sent.
fn read_again(record: Record) -> Record {
    let mut again = Record::decode(&record.encode()).expect("what is written can be read");
    for (key, grant) in record.grants.iter() {
        let there = again.grants.get(key).expect("the grant").clone();
        assert!(alike(&Value::Object(there.extra.clone()), &Value::Object(grant.extra.clone())), "{:?}", grant.extra);
        again.grants.insert(key.to_owned(), Grant { extra: grant.extra.clone(), ..there });
    }
    if let (Some(again), Some(spare)) = (&mut again.spare, &record.spare) {
        for (key, grant) in spare.grants.iter() {
            let there = again.grants.get(key).expect("the grant").clone();
            again.grants.insert(key.to_owned(), Grant { extra: grant.extra.clone(), ..there });
        }
    }
    assert_eq!(again, record, "the text form loses nothing");
    record
}

fn alike(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| one.0 == other.0 && alike(one.1, other.1))
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| alike(one, other))
        }
        (Value::Number(one), Value::Number(other)) if one.is_f64() && other.is_f64() => {
            let near = |one: f64, other: f64| (one - other).abs() <= one.abs() * 4.0 * f64::EPSILON + f64::MIN_POSITIVE;
            one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| near(one, other))
        }
        _ => one == other,
    }
}

fn decide(record: &Record, other: &Record, choices: &mut Unstructured<'_>) -> Result<()> {
    let settings = settings(choices)?;
    let wall = moment(choices)?;
    let lot: u32 = choices.arbitrary()?;
    let key = record.grants.iter().next().map_or("", |(key, _)| key).to_owned();
    let refused: Vec<Secret> = record
        .grants
        .values()
        .take(usize::from(choices.ratio(1, 4)?))
        .filter_map(|grant| grant.access_token.clone())
        .collect();
    let monotonic_left =
        if choices.arbitrary()? { Some(choices.int_in_range(-LONGEST_LIFE..=LONGEST_LIFE)?) } else { None };
    let known = Knowledge { wall, monotonic_left, refused: &refused };

    freshness(record, &settings, &known);
    looking(record, &settings, known, &key, choices)?;
    claiming(record, &settings, &known, lot, choices)?;
    let refusal = refusal(choices)?;
    withdrawing(record, &refusal, wall, lot);
    for there in [record, other] {
        refusing(record, there, choices)?;
    }
    let granted = granted(wall, choices)?;
    committing(record, other, &granted, &key, wall, &settings, choices)?;
    signing(record, &granted, &key, wall, &settings);
    assert!(
        (60_000..=3_600_000 + most_intent(record)).contains(&time_to_live(record, wall, false)),
        "kept for an hour at most"
    );
    assert!(time_to_live(record, wall, true) >= time_to_live(record, wall, false), "the only copy is kept no shorter");
    Ok(())
}

fn freshness(record: &Record, settings: &Settings, known: &Knowledge<'_>) {
    for grant in record.grants.values() {
        let left = known.remaining(grant);
        assert!((0..=grant.lifetime()).contains(&left), "no clock lengthens a life");
        let (must, may) = (mandatory(settings, grant), advisory(settings, grant));
        assert!(0 <= must && must <= may && may <= grant.lifetime() / 2, "a new token is fresh: {must} {may}");
        assert!(!meets(&Need::Valid, grant, settings, known) || known.is_alive(grant));
        assert!(!meets(&Need::Ahead, grant, settings, known) || meets(&Need::Valid, grant, settings, known));
        assert!(!meets(&Need::Newer(Some(Mark::of(grant))), grant, settings, known), "no grant is newer than itself");
        assert!(!meets(&Need::MintedAfterNow, grant, settings, known));
    }
}

fn looking(
    record: &Record,
    settings: &Settings,
    known: Knowledge<'_>,
    key: &str,
    choices: &mut Unstructured<'_>,
) -> Result<()> {
    let need = if choices.arbitrary()? { Need::Valid } else { Need::MintedAfterNow };
    let presented = record.refresh_token.clone().filter(|_| choices.ratio(1, 3).unwrap_or(false));
    let sid = if choices.ratio(1, 8)? { "another" } else { &record.sid };
    let view = Viewpoint { sid: Some(sid), presented: presented.as_ref(), need: &need, params_key: key, known };
    let ours = presented.is_some() || sid == record.sid;
    match look(record, &view, settings) {
        Look::NoSession => assert!(!ours || record.state == State::Out),
        Look::Revoked(_) => assert!(ours && record.state == State::Rejected),
        Look::Adopt(grant) => assert!(known.is_alive(grant) && record.state == State::Active && ours),
        Look::Follow(_) => panic!("the live token was presented"),
        Look::Cooling { until, sparing, fall_back } => {
            assert!(until > known.wall, "a cool-down is ahead");
            assert!(sparing || until - known.wall <= RETRY_AT_CAP, "and is capped");
            assert!(!sparing || record.sends > 0 && settings.grace == 0);
            assert!(fall_back.is_none_or(|grant| known.is_alive(grant)));
        }
        Look::Present { fall_back } => {
            assert!(record.state == State::Active && ours);
            assert!(fall_back.is_none_or(|grant| known.is_alive(grant)));
        }
    }
    Ok(())
}

fn claiming(
    record: &Record,
    settings: &Settings,
    known: &Knowledge<'_>,
    lot: u32,
    choices: &mut Unstructured<'_>,
) -> Result<()> {
    let watched = choices.int_in_range(0..=FURTHEST)?;
    let covered = choices.arbitrary()?;
    let intent = record.intent.as_ref();
    match (claim(intent, Owner::Foreign { watched }, covered), intent) {
        (Claim::Free, intent) => assert!(intent.is_none()),
        (Claim::Wait(wait), Some(intent)) => {
            assert!(0 < wait && wait <= intent.duration && !(covered && intent.locked), "{wait}");
        }
        (Claim::TakeOver, Some(intent)) => assert!(covered && intent.locked || watched >= intent.duration),
        (claim, None) => panic!("{claim:?} without an intent"),
    }
    let (TakenOver::Present(next) | TakenOver::Wait(next)) = &take_over(record, settings, known, lot);
    keeps(record, next);
    assert!(
        next.intent.is_none() && (1..=2).contains(&next.sends) && next.failures <= record.failures.max(FAILURES_CAP)
    );
    if record.sends > 0 {
        let wait = next.retry_at.expect("the second unknown send waits") - known.wall;
        assert!((1..=60_000).contains(&wait), "{wait}");
        assert!(next.failures > record.failures || next.failures == FAILURES_CAP, "and the next one longer");
    }
    let ours = claimed(record, "mine".into(), covered, known.wall, settings.intent_duration());
    keeps(record, &ours);
    let intent = ours.intent.as_ref().expect("an intent");
    assert!(intent.hash == record.live_hash() && intent.duration >= settings.timeout && ours.retry_at.is_none());
    let began = Moment { wall: known.wall, monotonic: watched };
    let now = Moment { wall: moment(choices)?, monotonic: choices.int_in_range(0..=FURTHEST)? };
    if may_send(began, now, settings) {
        let left = intent.deadline - now.wall;
        assert!(left > settings.timeout, "the intent outlives the request: {left}");
    }
    Ok(())
}

fn withdrawing(record: &Record, refusal: &Refusal, wall: Millis, lot: u32) {
    let next = withdrawn(record, refusal, wall, lot);
    keeps(record, &next);
    assert!(
        next.intent.is_none()
            && next.sends <= record.sends.max(2)
            && next.failures <= record.failures.max(FAILURES_CAP)
    );
    assert!(refusal.spent != Spent::Maybe || next.sends > 0, "what may be spent is not as good as new");
    if refusal.class == Class::Transient {
        let wait = next.retry_at.expect("a cool-down") - wall;
        assert!((0..=RETRY_AT_CAP).contains(&wait), "{wait}");
    } else {
        assert_eq!((next.retry_at, next.failures), (record.retry_at, record.failures));
    }
    assert!((1..=60_000).contains(&cool_down(record.failures, lot)));
}

fn refusing(record: &Record, there: &Record, choices: &mut Unstructured<'_>) -> Result<()> {
    let nonce = if choices.arbitrary()? { record.intent.as_ref().map_or("", |intent| &intent.nonce) } else { "mine" };
    let session_mode = choices.arbitrary()?;
    match after_refusal(Some(there), record, nonce, Reason::Idle, session_mode) {
        AfterRefusal::Moved => {}
        AfterRefusal::ForeignIntent => assert!(there.intent.as_ref().is_some_and(|intent| intent.nonce != nonce)),
        AfterRefusal::Switch(next) => {
            let spare = there.spare.as_ref().expect("a spare");
            assert_eq!(next.refresh_token, spare.refresh_token);
            assert!(next.generation > there.generation || there.generation == u64::MAX, "a generation of its own");
            assert!(next.spent.contains(&there.live_hash()) && next.intent.is_none() && next.sends == 0);
            assert_eq!((&next.sid, &next.revoke), (&there.sid, &there.revoke));
            read_again(*next);
        }
        AfterRefusal::Reject(next, reason) => {
            keeps(there, &next);
            assert_eq!((next.state, next.refresh_token == record.refresh_token), (State::Rejected, true));
            assert!(next.rejected_for() == reason && next.grants.values().count() == 0);
            assert_eq!(reason == Reason::ResponseLost, there.sends > 0 || record.sends > 0);
        }
    }
    keeps(record, &rejected(record, Reason::Expired));
    Ok(())
}

fn committing(
    record: &Record,
    there: &Record,
    granted: &Granted,
    key: &str,
    wall: Millis,
    settings: &Settings,
    choices: &mut Unstructured<'_>,
) -> Result<()> {
    let sent = Moment { wall, monotonic: 0 };
    let ours = committed(record, granted, key, sent, settings, settings.revoke_replaced);
    read_again(ours.clone());
    assert_eq!(ours.sid, record.sid);
    assert!(ours.generation > record.generation || record.generation == u64::MAX, "every rotation counts");
    assert!(ours.state == State::Active && ours.intent.is_none() && ours.spare.is_none());
    assert!(ours.sends == 0 && ours.failures == 0 && ours.retry_at.is_none());
    assert!(ours.spent.len() <= REMEMBERED.max(record.spent.len()));
    carries(record, &ours);
    match &granted.refresh_token {
        Some(token) => {
            assert_eq!(ours.refresh_token.as_ref(), Some(token), "the newest token lives");
            let rotated = record.refresh_token.as_ref() != Some(token);
            assert!(!rotated || ours.spent.contains(&record.live_hash()), "the replaced one is known to be spent");
        }
        None => assert_eq!(ours.refresh_token, record.refresh_token, "RFC 6749 section 6: the presented token stays"),
    }
    assert!(ours.grants.get(key).is_some_and(|grant| grant.access_token == granted.access_token));
    if changes_identity(record, granted) {
        let next = rejected_for_identity(record, granted, true);
        assert!(next.state == State::Rejected && next.sid == record.sid && next.generation == record.generation);
        for token in [&record.refresh_token, &granted.refresh_token].into_iter().flatten() {
            assert!(next.revoke.contains(token), "nothing of it lives on");
        }
    }
    let (session_mode, can_revoke) = (choices.arbitrary()?, choices.arbitrary()?);
    match after_conflict(Some(there), &ours, key, session_mode, can_revoke) {
        AfterConflict::Durable => {
            assert_eq!((there.generation, &there.refresh_token), (ours.generation, &ours.refresh_token));
        }
        AfterConflict::Discard(next) => {
            assert!(can_revoke && (there.state == State::Out || session_mode && there.sid != ours.sid));
            assert_eq!((&next.sid, next.state, next.generation), (&there.sid, there.state, there.generation));
            assert_eq!(next.refresh_token, there.refresh_token, "a sign-out wins");
            carries(there, &next);
            read_again(*next);
        }
        AfterConflict::SignedOut => assert!(there.state == State::Out || session_mode && there.sid != ours.sid),
        AfterConflict::Overtaken(spare) => {
            assert!(there.generation >= ours.generation);
            if let Some(next) = spare {
                keeps(there, &next);
                assert_eq!(next.spare.as_ref().map(|spare| &spare.refresh_token), Some(&ours.refresh_token));
            }
        }
        AfterConflict::WriteOurs(next) => {
            assert!(next.generation > there.generation, "a record never goes back");
            assert_eq!((&next.refresh_token, next.generation), (&ours.refresh_token, ours.generation));
            carries(there, &next);
            read_again(*next);
        }
    }
    Ok(())
}

fn signing(record: &Record, granted: &Granted, key: &str, wall: Millis, settings: &Settings) {
    for can_revoke in [false, true] {
        let next = buried(record, can_revoke);
        read_again(next.clone());
        assert_eq!((&next.sid, next.generation, next.state), (&record.sid, record.generation, State::Out));
        assert!(next.refresh_token.is_none() && next.spare.is_none() && next.grants.values().count() == 0);
        carries(record, &next);
        if let Some(token) = record.refresh_token.as_ref().filter(|_| can_revoke && record.spare.is_none()) {
            assert!(next.revoke.contains(token), "what lived is revoked");
        }
    }
    match signed_in(Some(record), granted, wall, key, "new", settings) {
        SignIn::Keep(next) => assert_eq!(*next, *record),
        SignIn::Refuse => {
            let queued = granted.refresh_token.as_ref().is_some_and(|token| record.revoke.contains(token));
            assert!(queued || record.sid == "new");
        }
        SignIn::Write(next) => {
            let merged = next.sid == record.sid;
            assert!(if merged {
                next.generation == record.generation
            } else {
                next.sid == "new" && next.generation == 0
            });
            assert!(!merged || next.refresh_token == record.refresh_token);
            carries(record, &next);
            read_again(*next);
        }
    }
}

/// The same session at the same generation, with the same token, and nothing forgotten.
fn keeps(before: &Record, after: &Record) {
    assert_eq!(
        (&after.sid, after.generation),
        (&before.sid, before.generation),
        "another session, or another rotation"
    );
    assert_eq!((&after.refresh_token, &after.spent), (&before.refresh_token, &before.spent));
    assert_eq!(after.revoke, before.revoke, "every write carries the queue over");
    read_again(after.clone());
}

/// Every queued token is queued still, but for those that live again, and for the oldest of too many.
fn carries(before: &Record, after: &Record) {
    let lost = before.revoke.iter().filter(|token| !after.revoke.contains(token) && !after.is_live(token));
    assert!(lost.count() == 0 || after.revoke.len() >= QUEUE, "a queued token is lost");
    assert!(after.revoke.len() <= QUEUE.max(before.revoke.len()), "a record stays small");
}

fn most_intent(record: &Record) -> Millis {
    record.intent.as_ref().map_or(0, |intent| intent.duration)
}

/// A record such as this package writes.
fn built(choices: &mut Unstructured<'_>) -> Result<Record> {
    let sid = (*choices.choose(&["s1", "s1", "s1", "s2", ""])?).to_owned();
    let mut record = Record::begun(sid, token(choices)?);
    record.state = *choices.choose(&[State::Active, State::Active, State::Active, State::Rejected, State::Out])?;
    record.generation = if choices.ratio(1, 16)? { choices.arbitrary()? } else { choices.int_in_range(0..=3)? };
    record.grants = grants(choices)?;
    record.sub = text(choices)?;
    if choices.ratio(1, 3)? {
        record.spare = Some(Spare { refresh_token: token(choices)?, grants: grants(choices)? });
    }
    for _ in 0..choices.int_in_range(0..=9)? {
        record.spent.push(text(choices)?.unwrap_or_default());
    }
    if choices.arbitrary()? {
        let duration = choices.int_in_range(1..=2 * LONGEST)?;
        let nonce = (*choices.choose(&["mine", "theirs"])?).to_owned();
        let hash = record.live_hash();
        record.intent =
            Some(Intent { nonce, hash, locked: choices.arbitrary()?, deadline: moment(choices)?, duration });
    }
    record.sends = choices.int_in_range(0..=2)?;
    record.retry_at = if choices.arbitrary()? { Some(moment(choices)?) } else { None };
    record.failures = choices.int_in_range(0..=FAILURES_CAP)?;
    for _ in 0..choices.int_in_range(0..=17)? {
        record.queue(token(choices)?.as_ref());
    }
    record.reason = text(choices)?;
    Ok(record)
}

fn grants(choices: &mut Unstructured<'_>) -> Result<refresh_coordinator::protocol::grants::Grants> {
    let mut grants = refresh_coordinator::protocol::grants::Grants::default();
    for _ in 0..choices.int_in_range(0..=2)? {
        let key = (*choices.choose(&["", "k", "__proto__"])?).to_owned();
        let issued_at = moment(choices)?;
        let extra = serde_json::json!({ "n": choices.arbitrary::<i64>()?, "half": choices.arbitrary::<f64>()? });
        let grant = Grant {
            access_token: token(choices)?,
            expires_at: issued_at + choices.int_in_range(0..=LONGEST_LIFE)?,
            issued_at,
            minted: choices.int_in_range(0..=4)?,
            token_type: text(choices)?,
            scope: text(choices)?,
            id_token: token(choices)?,
            extra: if let Value::Object(extra) = extra { extra } else { Default::default() },
        };
        grants.insert(key, grant);
    }
    Ok(grants)
}

fn settings(choices: &mut Unstructured<'_>) -> Result<Settings> {
    let mut window = || Ok(if choices.arbitrary()? { Some(choices.int_in_range(0..=LONGEST)?) } else { None });
    let (mandatory_window, advisory_window) = (window()?, window()?);
    let mut duration = || choices.int_in_range(1..=LONGEST);
    Ok(Settings {
        mandatory_window,
        advisory_window,
        timeout: duration()?,
        lock_wait: duration()?,
        unknown_lifetime: duration()?,
        retries: choices.int_in_range(0..=10)?,
        grace: if choices.arbitrary()? { choices.int_in_range(0..=LONGEST)? } else { 0 },
        revoke_replaced: choices.arbitrary()?,
        on_store_failure: OnStoreFailure::Closed,
    })
}

fn refusal(choices: &mut Unstructured<'_>) -> Result<Refusal> {
    let class = *choices.choose(&[Class::Transient, Class::Interaction, Class::Configuration])?;
    let spent = *choices.choose(&[Spent::No, Spent::Maybe, Spent::Yes])?;
    // By `classify`, a user's function, any number.
    let retry_after = if choices.arbitrary()? { Some(choices.arbitrary()?) } else { None };
    Ok(Refusal { class, spent, details: Details::new(Fault::Server, "", ""), retry_after })
}

fn granted(wall: Millis, choices: &mut Unstructured<'_>) -> Result<Granted> {
    let (lifetime, expires_at) = match choices.int_in_range(0..=2)? {
        0 => (None, None),
        1 => (Some(choices.int_in_range(1..=LONGEST_LIFE)?), None),
        _ => (None, Some(wall.max(0) + choices.int_in_range(1..=LONGEST_LIFE)?)),
    };
    let (refresh_token, access_token, subject) = (token(choices)?, token(choices)?, text(choices)?);
    Ok(Granted { refresh_token, access_token, lifetime, expires_at, subject, ..Granted::default() })
}

fn token(choices: &mut Unstructured<'_>) -> Result<Option<Secret>> {
    Ok(match choices.int_in_range(0..=20)? {
        0 => None,
        number => Some(Secret::new(format!("R{number}"))),
    })
}

fn text(choices: &mut Unstructured<'_>) -> Result<Option<String>> {
    Ok(match choices.int_in_range(0..=3)? {
        0 | 1 => None,
        2 => Some((*choices.choose(&["ann", "bob", "idle", "\"\\\u{1f600}\u{0}"])?).to_owned()),
        _ => Some(choices.arbitrary::<&str>()?.to_owned()),
    })
}

/// What a clock may show: mostly today, sometimes nonsense.
fn moment(choices: &mut Unstructured<'_>) -> Result<Millis> {
    if choices.ratio(1, 8)? {
        return choices.int_in_range(-FURTHEST..=FURTHEST);
    }
    Ok(1_795_000_000_000 + choices.int_in_range(-400_000..=400_000)?)
}
