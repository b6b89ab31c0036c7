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
    matches!((&claimed.sub, &granted.subject), (Some(before), Some(now)) if before != now)
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
    AfterConflict::WriteOurs(Box::new(next))
}

/// Do both hold the same token set? By its tokens and its end: a fraction among the other members of a reply may come back
/// from its text form a hair different.
fn same_set(there: &Record, ours: &Record, params_key: &str) -> bool {
    let set = |record: &Record| {
        let grant = record.grants.get(params_key);
        (record.refresh_token.clone(), grant.map(|grant| (grant.access_token.clone(), grant.expires_at)))
    };
    set(there) == set(ours)
}

/// Keeps our set as a spare beside the one that overtook us, if ours is its sibling: a server may let only the
/// latest child live, and which of the two that is cannot be known.
fn keep_as_spare(there: &Record, ours: &Record) -> Option<Box<Record>> {
    let sibling = there.generation == ours.generation
        && there.state == State::Active
        && there.refresh_token != ours.refresh_token;
    let known = there.spare.as_ref().is_some_and(|spare| spare.refresh_token == ours.refresh_token);
    // A server may grant the replaced token once more and leave it in place, within its grace window. It is spent all the same.
    let spent = ours.refresh_token.as_ref().is_some_and(|token| there.has_spent(token));
    if !sibling || known || spent {
        return None;
    }
    let mut next = there.clone();
    next.spare = Some(Spare { refresh_token: ours.refresh_token.clone(), grants: ours.grants.clone() });
    Some(Box::new(next))
}

/// How long a successor-mode record is kept, in milliseconds: until its access token expires, at least 60 s, at most
/// 1 h, and never shorter than what it fences.
pub fn time_to_live(record: &Record, wall: Millis) -> Millis {
    let expires = record.grants.values().map(|grant| grant.expires_at).max().unwrap_or(wall);
    let kept = expires.saturating_sub(wall).clamp(60_000, 3_600_000);
    let fenced = record.intent.as_ref().map_or(0, |intent| intent.duration);
    let unfinished = record.sends > 0 || !record.revoke.is_empty();
    fenced + if unfinished { 3_600_000 } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::tokens::Secret;

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
