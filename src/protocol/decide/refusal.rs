//! Rule 7: what a refusal means, once the record was read again.

use crate::protocol::record::{Record, State};
use crate::protocol::safeguard::{Safeguard, dropped};
use crate::protocol::verdict::Reason;

/// What to do after a refusal.
#[derive(Clone, Debug, PartialEq)]
pub enum AfterRefusal {
    /// The record has moved on: look again.
    Moved,
    /// Another owner is presenting the same token, and may have been granted what we were refused: wait for it.
    ForeignIntent,
    /// There is a second living token: write this record and look again.
    Switch(Box<Record>),
    /// The refusal stands: write this record. The session is over for this reason.
    Reject(Box<Record>, Reason),
}

/// Decides what the record that is there now makes of the refusal of `claimed`'s token.
pub fn after_refusal(
    there: Option<&Record>,
    claimed: &Record,
    nonce: &str,
    reason: Reason,
    session_mode: bool,
) -> AfterRefusal {
    let Some(there) = there else {
        // Session mode: signed out meanwhile. Successor mode: expired; the refusal is all that is known.
        return if session_mode { AfterRefusal::Moved } else { reject(claimed, claimed, reason) };
    };
    let other_session = session_mode && there.sid != claimed.sid && !dropped(Safeguard::SessionId);
    let moved = there.generation != claimed.generation || there.refresh_token != claimed.refresh_token;
    if other_session || moved || there.state != State::Active {
        return AfterRefusal::Moved;
    }
    if there.intent.as_ref().is_some_and(|intent| intent.nonce != nonce) {
        return AfterRefusal::ForeignIntent;
    }
    if let Some(switched) = switched(there) {
        return AfterRefusal::Switch(Box::new(switched));
    }
    reject(there, claimed, reason)
}

fn reject(there: &Record, claimed: &Record, reason: Reason) -> AfterRefusal {
    // An earlier send of this token had no known outcome: the refusal is its echo, nobody's theft and nobody's sign-out.
    let echo = there.sends > 0 || claimed.sends > 0;
    // The same for an earlier send of the token before, unless the server names another cause.
    let late = there.rejected_for() == Reason::ResponseLost && matches!(reason, Reason::Unknown | Reason::Reuse);
    let lost = echo || late;
    let reason = if lost { Reason::ResponseLost } else { reason };
    AfterRefusal::Reject(Box::new(rejected(there, reason)), reason)
}

/// The record of a session that the server has ended. Its tokens are of no more use, but it still tells late callers why.
pub fn rejected(record: &Record, reason: Reason) -> Record {
    let mut next = record.clone();
    next.state = State::Rejected;
    next.reason = Some(reason.name().to_owned());
    next.intent = None;
    next.retry_at = None;
    next.grants.clear();
    next
}

/// The record with the spare in the place of the refused token: a generation of its own.
fn switched(record: &Record) -> Option<Record> {
    let mut next = record.clone();
    let spare = next.spare.take()?;
    next.remember_spent();
    next.generation = next.generation.saturating_add(1);
    next.refresh_token = spare.refresh_token;
    next.grants = spare.grants;
    for grant in next.grants.values_mut() {
        grant.minted = next.generation;
    }
    next.intent = None;
    next.sends = 0;
    Some(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::record::{Intent, Spare};
    use crate::protocol::tokens::Secret;

    fn claimed() -> Record {
        let mut record = Record::begun("s".into(), Some(Secret::new("R0")));
        record.intent =
            Some(Intent { nonce: "mine".into(), hash: record.live_hash(), locked: true, deadline: 1, duration: 1 });
        record
    }

    fn decide(there: Option<&Record>) -> AfterRefusal {
        after_refusal(there, &claimed(), "mine", Reason::Unknown, true)
    }

    #[test]
    fn a_record_that_moved_on_is_no_rejection() {
        let mut there = claimed();
        there.generation = 1;
        assert_eq!(decide(Some(&there)), AfterRefusal::Moved);
        assert_eq!(decide(Some(&Record { sid: "other".into(), ..claimed() })), AfterRefusal::Moved);
        assert_eq!(decide(Some(&Record { refresh_token: Some(Secret::new("R1")), ..claimed() })), AfterRefusal::Moved);
        assert_eq!(decide(Some(&Record { state: State::Rejected, ..claimed() })), AfterRefusal::Moved);
        assert_eq!(decide(Some(&Record { state: State::Out, ..claimed() })), AfterRefusal::Moved);
        assert_eq!(decide(None), AfterRefusal::Moved);
    }

    #[test]
    fn in_successor_mode_the_key_is_the_identity_and_absent_means_forgotten() {
        let decide = |there: Option<&Record>| after_refusal(there, &claimed(), "mine", Reason::Idle, false);
        assert!(matches!(decide(None), AfterRefusal::Reject(_, Reason::Idle)));
        let there = Record { sid: "other".into(), ..claimed() };
        assert!(matches!(decide(Some(&there)), AfterRefusal::Reject(_, Reason::Idle)));
    }

    #[test]
    fn a_foreign_owner_may_hold_what_we_were_refused() {
        let mut there = claimed();
        if let Some(intent) = &mut there.intent {
            intent.nonce = "theirs".into();
        }
        assert_eq!(decide(Some(&there)), AfterRefusal::ForeignIntent);
    }

    #[test]
    fn a_spare_is_tried_before_the_session_is_given_up() {
        let mut there = claimed();
        let mut grants = crate::protocol::grants::Grants::default();
        let grant = crate::protocol::tokens::Grant {
            access_token: Some(Secret::new("A1b")),
            expires_at: 9,
            issued_at: 0,
            minted: 0,
            token_type: None,
            scope: None,
            id_token: None,
            extra: Default::default(),
        };
        grants.insert(String::new(), grant);
        there.spare = Some(Spare { refresh_token: Some(Secret::new("R1b")), grants });
        there.sends = 1;
        let AfterRefusal::Switch(next) = decide(Some(&there)) else { panic!("not switched") };
        assert_eq!((next.grants.get("").map(|grant| grant.minted), next.sends), (Some(1), 0));
        assert_eq!((next.generation, next.refresh_token.clone()), (1, Some(Secret::new("R1b"))));
        assert!(next.spare.is_none() && next.intent.is_none() && next.has_spent(&Secret::new("R0")));
    }

    #[test]
    fn an_earlier_send_without_outcome_names_the_reason() {
        assert!(matches!(decide(Some(&claimed())), AfterRefusal::Reject(_, Reason::Unknown)));
        let before = Record { sends: 1, ..claimed() };
        let echo = after_refusal(Some(&claimed()), &before, "mine", Reason::Unknown, true);
        assert!(matches!(echo, AfterRefusal::Reject(_, Reason::ResponseLost)));
        let there = Record { sends: 1, ..claimed() };
        let AfterRefusal::Reject(next, Reason::ResponseLost) = decide(Some(&there)) else { panic!("not lost") };
        assert_eq!((next.state, next.rejected_for()), (State::Rejected, Reason::ResponseLost));
        assert_eq!((next.intent, next.grants.values().count()), (None, 0));
    }

    #[test]
    fn so_does_an_earlier_send_of_the_token_before_unless_the_server_knows_better() {
        let mut there = claimed();
        there.forebode_loss();
        let named = |reason| match after_refusal(Some(&there), &there, "mine", reason, true) {
            AfterRefusal::Reject(_, reason) => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!((named(Reason::Unknown), named(Reason::Reuse)), (Reason::ResponseLost, Reason::ResponseLost));
        assert_eq!((named(Reason::Idle), named(Reason::UserAction)), (Reason::Idle, Reason::UserAction));
    }
}
