//! Rule 8: what a reply without tokens and without a verdict on the session leaves in the record.

use super::backoff::{FAILURES_CAP, RETRY_AT_CAP, cool_down};
use crate::protocol::record::Record;
use crate::protocol::safeguard::{Safeguard, dropped};
use crate::protocol::tokens::Millis;
use crate::protocol::verdict::{Class, Refusal, Spent};

/// The record without our intent, with what the next presenter must know. `per_mille`: the lot for the cool-down.
pub fn withdrawn(record: &Record, refusal: &Refusal, wall: Millis, per_mille: u32) -> Record {
    let mut next = record.clone();
    next.intent = None;
    if refusal.spent == Spent::Maybe && !dropped(Safeguard::CountSends) {
        next.sends = record.sends.saturating_add(1).min(2);
    }
    if refusal.class == Class::Transient {
        let wished = refusal.retry_after.map(|wait| wait.clamp(0, RETRY_AT_CAP));
        next.retry_at = Some(wall + wished.unwrap_or_else(|| cool_down(record.failures, per_mille)));
        next.failures = record.failures.saturating_add(1).min(FAILURES_CAP);
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::tokens::Secret;
    use crate::protocol::verdict::{Details, Fault};

    fn after(class: Class, spent: Spent, retry_after: Option<Millis>) -> Record {
        let record = Record::begun("s".into(), Some(Secret::new("R0")));
        let refusal = Refusal { class, spent, details: Details::new(Fault::Server, "", ""), retry_after };
        withdrawn(&record, &refusal, 10_000, 999)
    }

    #[test]
    fn a_transient_reply_leaves_a_cool_down() {
        let next = after(Class::Transient, Spent::No, None);
        assert_eq!((next.retry_at, next.failures, next.sends), (Some(11_000), 1, 0));
        let next = after(Class::Transient, Spent::Maybe, Some(30_000));
        assert_eq!((next.retry_at, next.failures, next.sends), (Some(40_000), 1, 1));
    }

    #[test]
    fn interaction_and_configuration_leave_no_cool_down_for_others() {
        let next = after(Class::Configuration, Spent::No, None);
        assert_eq!((next.retry_at, next.failures, next.sends), (None, 0, 0));
        assert_eq!(after(Class::Configuration, Spent::Maybe, None).sends, 1);
    }
}
