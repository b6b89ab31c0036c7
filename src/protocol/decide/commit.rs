//! Rule 6: what a grant makes of the record, and what it means when the record is not what it was.

use crate::protocol::record::{Record, Spare, State};
use crate::protocol::safeguard::{Safeguard, dropped};
use crate::protocol::settings::Settings;
use crate::protocol::tokens::{Grant, Millis};
use crate::protocol::verdict::Granted;

use super::claim::Moment;

/// The grant a reply brought. `sent`: the moment before the request was sent, from which its life counts.
pub fn grant_of(granted: &Granted, before: Option<&Grant>, minted: u64, sent: Moment, settings: &Settings) -> Grant {
    let lifetime = granted.lifetime.or_else(|| granted.expires_at.map(|at| at - sent.wall));
    let lifetime = lifetime.unwrap_or(settings.unknown_lifetime);
    Grant {
        access_token: granted.access_token.clone(),
        expires_at: sent.wall.saturating_add(lifetime),
        issued_at: sent.wall,
        minted,
        token_type: granted.token_type.clone(),
        // RFC 6749 section 5.1: an omitted scope is unchanged.
        scope: granted.scope.clone().or_else(|| before.and_then(|grant| grant.scope.clone())),
        // OpenID Connect Core 12.2: a refresh response may have no id token; the session's is still the last one.
        id_token: granted.id_token.clone().or_else(|| before.and_then(|grant| grant.id_token.clone())),
        extra: granted.extra.clone(),
    }
}

/// The record a grant makes of the one that was claimed.
pub fn committed(
    claimed: &Record,
    granted: &Granted,
    params_key: &str,
    sent: Moment,
    settings: &Settings,
    queue_replaced: bool,
) -> Record {
    // Saturating: a store may return any number.
    let generation = claimed.generation.saturating_add(1);
    let grant = grant_of(granted, claimed.grants.get(params_key), generation, sent, settings);
    let mut next = claimed.clone();
    next.state = State::Active;
    next.generation = generation;
    next.grants.insert(params_key.to_owned(), grant);
    // A grant that has ended answers nobody; and a record must not grow with every scope ever asked for.
    next.grants.retain(|key, grant| key == params_key || grant.expires_at > sent.wall);
    next.sub = granted.subject.clone().or(next.sub);
    next.spare = None;
    next.intent = None;
    next.sends = 0;
    next.retry_at = None;
    next.failures = 0;
    next.reason = None;
    if claimed.sends > 0 {
        next.forebode_loss();
    }
    if let Some(refresh_token) = &granted.refresh_token
        && claimed.refresh_token.as_ref() != Some(refresh_token)
    {
        next.remember_spent();
        next.refresh_token = Some(refresh_token.clone());
        if queue_replaced || dropped(Safeguard::KeepReplaced) {
            next.queue(claimed.refresh_token.as_ref());
        }
    }
    next
}

/// Is the reply for another user than the session's?
pub fn changes_identity(claimed: &Record, granted: &Granted) -> bool {
    let differs = matches!((&claimed.sub, &granted.subject), (Some(before), Some(now)) if before != now);
    differs && !dropped(Safeguard::Identity)
}

/// What a reply for another user makes of the record: over, and nothing of it may live on.
pub fn rejected_for_identity(claimed: &Record, granted: &Granted, can_revoke: bool) -> Record {
    let mut next = super::refusal::rejected(claimed, crate::protocol::verdict::Reason::Unknown);
    if can_revoke {
        next.queue(claimed.refresh_token.as_ref());
        next.queue(granted.refresh_token.as_ref());
    }
    next
}

/// What to do after the commit met a conflict, or its outcome is unknown.
#[derive(Clone, Debug, PartialEq)]
pub enum AfterConflict {
    /// Our set is there, whole.
    Durable,
    /// The session is over: write this record, which queues our token for revocation.
    Discard(Box<Record>),
    /// The session is over, and nothing can be queued.
    SignedOut,
    /// Another context has gone on. Write this record first, which keeps our set as a spare; then adopt theirs.
    Overtaken(Option<Box<Record>>),
    /// Only we hold a living token: write this record.
    WriteOurs(Box<Record>),
}

/// Decides what the record that is there now means to our commit. `ours` is the record we tried to write.
pub fn after_conflict(
    there: Option<&Record>,
    ours: &Record,
    params_key: &str,
    session_mode: bool,
    can_revoke: bool,
) -> AfterConflict {
    let discard = |there: Option<&Record>| {
        if !can_revoke || dropped(Safeguard::QueueLateToken) {
            return AfterConflict::SignedOut;
        }
        let mut next = there.cloned().unwrap_or_else(|| Record::tombstone(ours.sid.clone()));
        next.queue(ours.refresh_token.as_ref());
        next.carry_from(ours);
        if Some(&next) == there { AfterConflict::SignedOut } else { AfterConflict::Discard(Box::new(next)) }
    };
    let Some(there) = there else {
        // Session mode: signed out. Successor mode: expired, and ours is the only living token.
        let signed_out = session_mode && !dropped(Safeguard::AbsentIsSignedOut);
        return if signed_out { discard(None) } else { AfterConflict::WriteOurs(Box::new(ours.clone())) };
    };
    let foreign = session_mode && there.sid != ours.sid && !dropped(Safeguard::SessionId);
    if foreign || there.state == State::Out {
        return discard(Some(there));
    }
    if ours.state == State::Rejected {
        return after_rejection(there, ours);
    }
    if there.generation == ours.generation && same_set(there, ours, params_key) {
        return AfterConflict::Durable;
    }
    if there.generation >= ours.generation {
        return AfterConflict::Overtaken(keep_as_spare(there, ours));
    }
    if there.state == State::Rejected && dropped(Safeguard::CommitOverRejected) {
        return AfterConflict::Overtaken(None);
    }
    if there.intent.is_some() && dropped(Safeguard::CommitOverClaim) {
        return AfterConflict::Overtaken(None);
    }
    let mut next = ours.clone();
    if !dropped(Safeguard::CarryQueue) {
        next.carry_from(there);
    }
    if there.state == State::Rejected || there.sends > 0 {
        // Somebody else has presented the token too, thinking that we were gone.
        next.forebode_loss();
    }
    AfterConflict::WriteOurs(Box::new(next))
}

/// The same for a reply that was for another user: nothing in it is worth keeping, and its token must not live on.
fn after_rejection(there: &Record, ours: &Record) -> AfterConflict {
    let mut next = if there.generation > ours.generation { there.clone() } else { ours.clone() };
    if there.generation > ours.generation {
        // Another context went on with this session's own user. The token that both claimed is its predecessor, and
        // revoking it could cost what that context was granted.
        let obtained = ours.revoke.iter().filter(|token| ours.refresh_token.as_ref() != Some(token));
        obtained.for_each(|token| next.queue(Some(token)));
        return AfterConflict::Overtaken((next != *there).then(|| Box::new(next)));
    }
    next.carry_from(there);
    if next == *there { AfterConflict::Durable } else { AfterConflict::WriteOurs(Box::new(next)) }
}

/// Do both hold the same token set? By its tokens and its end: a fraction among the other members of a reply may come back
/// from its text form a hair different.
fn same_set(there: &Record, ours: &Record, params_key: &str) -> bool {
    let set = |record: &Record| {
        let grant = record.grants.get(params_key);
        let end = grant.map(|grant| (grant.access_token.clone(), grant.expires_at));
        (record.state, record.refresh_token.clone(), end)
    };
    set(there) == set(ours)
}

/// Keeps our set as a spare beside the one that overtook us, if ours is its sibling: a server may let only the
/// latest child live, and which of the two that is cannot be known.
fn keep_as_spare(there: &Record, ours: &Record) -> Option<Box<Record>> {
    let sibling = there.generation == ours.generation
        && (there.state, ours.state) == (State::Active, State::Active)
        && there.refresh_token != ours.refresh_token;
    let known = there.spare.as_ref().is_some_and(|spare| spare.refresh_token == ours.refresh_token);
    // A server may grant the replaced token once more and leave it in place, within its grace window. It is spent all the same.
    let spent = ours.refresh_token.as_ref().is_some_and(|token| there.has_spent(token));
    if !sibling || known || spent || dropped(Safeguard::Spare) {
        return None;
    }
    let mut next = there.clone();
    next.spare = Some(Spare { refresh_token: ours.refresh_token.clone(), grants: ours.grants.clone() });
    Some(Box::new(next))
}

/// How long it is remembered that a token is spent, in milliseconds: at least as long as its successor is.
pub const SPENT_REMEMBERED: Millis = 24 * 3_600_000;

/// How long a record is kept that nobody needs but those who come late, in milliseconds: longer than any intent.
pub const LATECOMERS: Millis = 3_600_000;

/// How long a successor-mode record is kept, in milliseconds: until its access token expires, at least 60 s, at most
/// 1 h, and never shorter than what it fences. An hour, if it knows what nobody else does: that a token may be spent of which no
/// reply was stored, or that the user has signed out. `only_copy`: the caller cannot store what it gets, so nobody else has it until
/// one comes who can.
pub fn time_to_live(record: &Record, wall: Millis, only_copy: bool) -> Millis {
    let expires = record.grants.values().map(|grant| grant.expires_at).max().unwrap_or(wall);
    let kept = expires.saturating_sub(wall).clamp(60_000, LATECOMERS);
    let intent = record.intent.as_ref().filter(|_| !dropped(Safeguard::FencedLife));
    let fenced = intent.map_or(0, |intent| intent.duration);
    // An owner that died leaves its intent: then whoever comes within the hour still knows that the token may have been sent.
    let unfinished = intent.is_some() || record.sends > 0 || !record.revoke.is_empty() || record.state == State::Out;
    let kept = if only_copy { SPENT_REMEMBERED } else { kept };
    fenced + if unfinished { kept.max(LATECOMERS) } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::record::Intent;
    use crate::protocol::tokens::Secret;
    use crate::protocol::verdict::Reason;

    const SENT: Moment = Moment { wall: 1_000, monotonic: 0 };

    fn secret(text: &str) -> Option<Secret> {
        Some(Secret::new(text))
    }

    fn grant(access: &str, expires_at: Millis) -> Grant {
        Grant {
            access_token: secret(access),
            expires_at,
            issued_at: 0,
            minted: 0,
            token_type: None,
            scope: Some("a".into()),
            id_token: secret("I0"),
            extra: Default::default(),
        }
    }

    fn claimed() -> Record {
        let mut record = Record::begun("s".into(), secret("R0"));
        record.generation = 4;
        record.grants.insert(String::new(), grant("A0", 0));
        record.sub = Some("ann".into());
        let duration = 10;
        record.intent = Some(Intent { nonce: "n".into(), hash: String::new(), locked: false, deadline: 10, duration });
        record.sends = 1;
        record.retry_at = Some(1);
        record.failures = 1;
        record.spare = Some(Spare { refresh_token: secret("R0b"), grants: Default::default() });
        record
    }

    fn granted(refresh: Option<&str>) -> Granted {
        Granted { refresh_token: refresh.map(Secret::new), access_token: secret("A1"), ..Granted::default() }
    }

    fn ours() -> Record {
        committed(&claimed(), &granted(Some("R1")), "", SENT, &Settings::default(), false)
    }

    #[test]
    fn a_life_is_what_the_reply_says_or_else_five_minutes_and_counts_from_the_send() {
        let end = |lifetime, expires_at| {
            let granted = Granted { lifetime, expires_at, ..granted(None) };
            let grant = grant_of(&granted, None, 7, SENT, &Settings::default());
            assert_eq!((grant.issued_at, grant.minted), (1_000, 7));
            grant.expires_at
        };
        assert_eq!(end(Some(60_000), Some(5)), 61_000);
        assert_eq!(end(None, Some(90_000)), 90_000);
        assert_eq!(end(None, None), 301_000);
    }

    #[test]
    fn scope_and_id_token_stay_where_the_reply_does_not_name_them() {
        let (before, settings) = (grant("A0", 0), Settings::default());
        let kept = grant_of(&granted(None), Some(&before), 1, SENT, &settings);
        assert_eq!((kept.scope.as_deref(), kept.id_token), (Some("a"), secret("I0")));
        let named = Granted { scope: Some("b".into()), id_token: secret("I1"), ..granted(None) };
        let named = grant_of(&named, Some(&before), 1, SENT, &settings);
        assert_eq!((named.scope.as_deref(), named.id_token), (Some("b"), secret("I1")));
    }

    #[test]
    fn a_commit_begins_a_generation_and_ends_what_stood_before_it() {
        let next = ours();
        assert_eq!((next.generation, next.refresh_token.clone(), next.sub.as_deref()), (5, secret("R1"), Some("ann")));
        assert!(next.has_spent(&Secret::new("R0")) && next.intent.is_none() && next.spare.is_none());
        assert_eq!((next.sends, next.retry_at, next.failures), (0, None, 0));
        assert!(next.revoke.is_empty());
        let named = Granted { subject: Some("bob".into()), ..granted(None) };
        let named = committed(&claimed(), &named, "", SENT, &Settings::default(), false);
        assert_eq!(named.sub.as_deref(), Some("bob"));
    }

    #[test]
    fn a_token_that_went_out_before_may_come_late_and_the_next_refusal_is_its_echo() {
        let before = Record { sends: 1, ..claimed() };
        let next = committed(&before, &granted(Some("R1")), "", SENT, &Settings::default(), false);
        assert_eq!((next.sends, next.rejected_for()), (0, Reason::ResponseLost));
        let again = committed(&next, &granted(Some("R2")), "", SENT, &Settings::default(), false);
        assert_eq!(again.reason, None, "it lives: nothing came late");
    }

    #[test]
    fn so_may_that_of_somebody_who_thought_us_gone() {
        let once = Record { sends: 0, ..claimed() };
        let ours = committed(&once, &granted(Some("R1")), "", SENT, &Settings::default(), false);
        let forebodes = |there: &Record| match after_conflict(Some(there), &ours, "", true, false) {
            AfterConflict::WriteOurs(next) => next.rejected_for() == Reason::ResponseLost,
            other => panic!("{other:?}"),
        };
        assert!(
            forebodes(&Record { sends: 1, ..claimed() })
                && forebodes(&Record { state: State::Rejected, ..once.clone() })
        );
        assert!(!forebodes(&once), "nobody has");
    }

    #[test]
    fn a_token_that_stays_is_neither_spent_nor_queued() {
        for refresh in [None, Some("R0")] {
            let next = committed(&claimed(), &granted(refresh), "", SENT, &Settings::default(), true);
            assert_eq!((next.generation, next.refresh_token), (5, secret("R0")));
            assert!(next.spent.is_empty() && next.revoke.is_empty());
        }
        let next = committed(&claimed(), &granted(Some("R1")), "", SENT, &Settings::default(), true);
        assert_eq!(next.revoke, [Secret::new("R0")]);
    }

    #[test]
    fn grants_that_have_ended_go_but_for_the_new_one() {
        let mut before = claimed();
        before.grants.insert("ends now".into(), grant("B", 1_000));
        before.grants.insert("lives".into(), grant("C", 1_001));
        let short = Granted { lifetime: Some(0), ..granted(None) };
        let next = committed(&before, &short, "", SENT, &Settings::default(), false);
        assert_eq!(next.grants.iter().map(|(key, _)| key).collect::<Vec<&str>>(), ["", "lives"]);
    }

    fn after(there: Option<&Record>) -> AfterConflict {
        after_conflict(there, &ours(), "", true, true)
    }

    #[test]
    fn a_session_that_is_over_gets_our_token_to_revoke() {
        let queue = |after| match after {
            AfterConflict::Discard(record) => Some((record.sid, record.state, record.revoke)),
            AfterConflict::SignedOut => None,
            other => panic!("{other:?}"),
        };
        let token = || vec![Secret::new("R1")];
        assert_eq!(queue(after(None)), Some(("s".into(), State::Out, token())));
        let tombstone = Record::tombstone("s".into());
        assert_eq!(queue(after(Some(&tombstone))), Some(("s".into(), State::Out, token())));
        let other = Record::begun("other".into(), secret("X"));
        assert_eq!(queue(after(Some(&other))), Some(("other".into(), State::Active, token())));
        assert_eq!(queue(after(Some(&Record { revoke: token(), ..tombstone.clone() }))), None, "it is queued");
        for there in [None, Some(&tombstone), Some(&other)] {
            assert_eq!(after_conflict(there, &ours(), "", true, false), AfterConflict::SignedOut, "nowhere to revoke");
        }
    }

    #[test]
    fn in_successor_mode_the_key_is_the_identity_and_absent_means_forgotten() {
        let write = AfterConflict::WriteOurs(Box::new(ours()));
        assert_eq!(after_conflict(None, &ours(), "", false, true), write);
        let other = Record::begun("other".into(), secret("R0"));
        assert_eq!(after_conflict(Some(&other), &ours(), "", false, true), write);
    }

    #[test]
    fn our_whole_set_is_durable_and_nothing_less() {
        assert_eq!(after(Some(&ours())), AfterConflict::Durable);
        let marked = Record { failures: 3, ..ours() };
        assert_eq!(after(Some(&marked)), AfterConflict::Durable, "what another writer adds does not matter");
        let mut merged = ours();
        merged.grants.insert(String::new(), grant("other", 9));
        assert_eq!(after(Some(&merged)), AfterConflict::Overtaken(None));
        assert_eq!(after(Some(&Record { generation: 6, ..ours() })), AfterConflict::Overtaken(None));
        let rejected = Record { state: State::Rejected, ..ours() };
        assert_eq!(after(Some(&rejected)), AfterConflict::Overtaken(None));
    }

    #[test]
    fn a_sibling_keeps_our_set_as_a_spare_once() {
        let sibling = Record { refresh_token: secret("R1b"), ..ours() };
        let AfterConflict::Overtaken(Some(kept)) = after(Some(&sibling)) else { panic!("not kept") };
        let spare = Spare { refresh_token: secret("R1"), grants: ours().grants };
        assert_eq!(*kept, Record { spare: Some(spare), ..sibling.clone() });
        assert_eq!(after(Some(&kept)), AfterConflict::Overtaken(None), "it is kept");
        let further = Record { generation: 6, ..sibling.clone() };
        assert_eq!(after(Some(&further)), AfterConflict::Overtaken(None), "no sibling any more");
        let rejected = Record { state: State::Rejected, ..sibling.clone() };
        assert_eq!(after(Some(&rejected)), AfterConflict::Overtaken(None));
    }

    #[test]
    fn a_reply_for_another_user_ends_the_session_unless_another_context_went_on_with_its_own() {
        let over = rejected_for_identity(&claimed(), &granted(Some("R1b")), true);
        let after = |there: &Record| after_conflict(Some(there), &over, "", true, true);
        assert_eq!(after(&over), AfterConflict::Durable);
        let write = AfterConflict::WriteOurs(Box::new(over.clone()));
        assert_eq!(after(&claimed()), write, "our own intent is not what we wrote");
        assert_eq!(after(&Record { revoke: Vec::new(), ..over.clone() }), write);
        let AfterConflict::Overtaken(Some(kept)) = after(&ours()) else { panic!("the token must not live on") };
        assert_eq!(*kept, Record { revoke: vec![Secret::new("R1b")], ..ours() }, "the session's own tokens may");
        assert_eq!(after(&kept), AfterConflict::Overtaken(None));
    }

    #[test]
    fn over_what_is_older_our_set_is_written_with_what_waits_for_revocation() {
        let queued = |record: Record| Record { revoke: vec![Secret::new("old")], ..record };
        let write = AfterConflict::WriteOurs(Box::new(queued(ours())));
        assert_eq!(after(Some(&queued(claimed()))), write);
        assert_eq!(after(Some(&queued(Record { intent: None, ..claimed() }))), write);
        assert_eq!(after(Some(&queued(Record { state: State::Rejected, ..claimed() }))), write);
    }

    #[test]
    fn another_user_is_one_only_if_both_are_known() {
        let named = |subject: Option<&str>| Granted { subject: subject.map(str::to_owned), ..granted(None) };
        assert!(changes_identity(&claimed(), &named(Some("bob"))));
        assert!(!changes_identity(&claimed(), &named(Some("ann"))) && !changes_identity(&claimed(), &named(None)));
        assert!(!changes_identity(&Record { sub: None, ..claimed() }, &named(Some("bob"))));
    }

    #[test]
    fn the_reply_for_another_user_leaves_nothing_alive() {
        let next = rejected_for_identity(&claimed(), &granted(Some("R1")), true);
        assert_eq!((next.state, next.generation, next.intent), (State::Rejected, 4, None));
        assert_eq!(next.revoke, [Secret::new("R0"), Secret::new("R1")]);
        assert!(rejected_for_identity(&claimed(), &granted(Some("R1")), false).revoke.is_empty());
    }

    #[test]
    fn an_entry_is_kept_between_a_minute_and_an_hour_and_longer_than_what_it_fences() {
        let kept = |ends: Millis| {
            let mut record = Record::begun("k".into(), secret("R0"));
            record.grants.insert("a".into(), grant("A", ends));
            record.grants.insert("b".into(), grant("B", 0));
            record
        };
        let of = |record: &Record| time_to_live(record, 5_000, false);
        assert_eq!(of(&Record::begun("k".into(), None)), 60_000);
        assert_eq!(of(&kept(65_000)), 60_000);
        assert_eq!(of(&kept(65_001)), 60_001);
        assert_eq!(of(&kept(99_999_999)), 3_600_000);
        assert_eq!(of(&Record { intent: claimed().intent, ..kept(65_001) }), 3_600_010);
        assert_eq!(of(&Record { state: State::Rejected, ..kept(65_001) }), 60_001, "the server says so again");
        assert_eq!(of(&Record { state: State::Rejected, sends: 1, ..kept(65_001) }), 3_600_000);
        assert_eq!(of(&Record { state: State::Out, ..kept(65_001) }), 3_600_000);
        assert_eq!(of(&Record { sends: 1, ..kept(65_001) }), 3_600_000);
        assert_eq!(of(&Record { revoke: vec![Secret::new("R")], ..kept(65_001) }), 3_600_000);
    }

    #[test]
    fn a_set_is_recognised_when_a_fraction_beside_the_tokens_came_back_a_hair_different() {
        let mut granted = Granted { access_token: Some(Secret::new("A1")), ..Granted::default() };
        granted.refresh_token = Some(Secret::new("R1"));
        let seen = |fraction: f64| {
            let mut granted = granted.clone();
            granted.extra.insert("score".into(), fraction.into());
            let claimed = Record::begun("s".into(), Some(Secret::new("R0")));
            committed(&claimed, &granted, "", Moment { wall: 0, monotonic: 0 }, &Settings::default(), false)
        };
        let (ours, there) = (seen(0.1), seen(0.1_f64.next_up()));
        assert_ne!(there, ours);
        assert_eq!(after_conflict(Some(&there), &ours, "", true, true), AfterConflict::Durable);
    }

    #[test]
    fn a_token_that_the_other_set_has_spent_is_no_spare() {
        let claimed = Record::begun("s".into(), Some(Secret::new("R0")));
        let commit = |refresh_token: Option<&str>| {
            let refresh_token = refresh_token.map(Secret::new);
            let access_token = Some(Secret::new("A1"));
            let granted = Granted { refresh_token, access_token, ..Granted::default() };
            committed(&claimed, &granted, "", Moment { wall: 0, monotonic: 0 }, &Settings::default(), true)
        };
        let (rotated, kept) = (commit(Some("R1")), commit(None));
        assert_eq!(after_conflict(Some(&rotated), &kept, "", true, true), AfterConflict::Overtaken(None));
    }
}
