//! Rule 1: what the record means to a call, before anything is claimed.

use super::backoff::is_ahead;
use super::freshness::{Knowledge, left_to_lose, may_fall_back, meets};
use crate::protocol::demand::Need;
use crate::protocol::record::{Record, State};
use crate::protocol::safeguard::{Safeguard, dropped};
use crate::protocol::settings::Settings;
use crate::protocol::tokens::{Grant, Millis, Secret};
use crate::protocol::verdict::Reason;

/// Which call looks, and with what knowledge.
#[derive(Clone, Copy, Debug)]
pub struct Viewpoint<'a> {
    /// The session the call belongs to; nothing while it has not met one.
    pub sid: Option<&'a str>,
    /// The presented token, in successor mode.
    pub presented: Option<&'a Secret>,
    /// How new the tokens must be.
    pub need: &'a Need,
    /// The member of `grants` that is asked for.
    pub params_key: &'a str,
    /// Clocks and refused tokens.
    pub known: Knowledge<'a>,
}

/// What follows from a look at the record.
#[derive(Clone, Debug, PartialEq)]
pub enum Look<'a> {
    /// The session is another one, or over, or never was.
    NoSession,
    /// The server has ended it.
    Revoked(Reason),
    /// The demand is met.
    Adopt(&'a Grant),
    /// Successor mode: the presented token is spent, and this one replaced it.
    Follow(&'a Secret),
    /// Nobody presents before this moment (wall clock); meanwhile a valid token may serve the call.
    Cooling {
        /// Wall clock, milliseconds since the epoch.
        until: Millis,
        /// True if the token must wait because there is something to lose, not because the server asked for a pause.
        sparing: bool,
        /// What may be served instead.
        fall_back: Option<&'a Grant>,
    },
    /// The token has to be presented; while that is not possible, a valid token may serve the call.
    Present {
        /// What may be served instead.
        fall_back: Option<&'a Grant>,
    },
}

/// Looks at an active, rejected or signed-out record. An absent one never gets here: in session mode it means
/// [`Look::NoSession`], in successor mode generation 0 of the presented token.
pub fn look<'a>(record: &'a Record, view: &Viewpoint<'a>, settings: &Settings) -> Look<'a> {
    let session_mode = view.presented.is_none();
    if session_mode && view.sid.is_some_and(|sid| sid != record.sid) && !dropped(Safeguard::SessionId) {
        return Look::NoSession;
    }
    match record.state {
        State::Out => return Look::NoSession,
        State::Rejected => return Look::Revoked(record.rejected_for()),
        State::Active => {}
    }
    let grant = record.grants.get(view.params_key);
    // In successor mode generation 0 holds what the caller carried here; that is no answer from elsewhere,
    // but it is as good while it is valid.
    if let Some(grant) = grant.filter(|grant| meets(view.need, grant, settings, &view.known)) {
        return Look::Adopt(grant);
    }
    if let (Some(presented), Some(live)) = (view.presented, record.refresh_token.as_ref())
        && live != presented
    {
        return Look::Follow(live);
    }
    let fall_back = grant.filter(|grant| may_fall_back(view.need, grant, &view.known));
    if let Some(until) = is_ahead(record.retry_at, view.known.wall)
        && !dropped(Safeguard::RetryAt)
    {
        return Look::Cooling { until, sparing: false, fall_back };
    }
    if let Some(until) = must_wait(record, record.sends, settings, &view.known) {
        return Look::Cooling { until, sparing: true, fall_back };
    }
    Look::Present { fall_back }
}

/// Rule 4, the send limit: until when a token with this many sends of unknown outcome must wait (wall clock).
///
/// On a server that takes a second send for theft, a resend also kills the access tokens that are still valid;
/// so it waits until the last of them has ended, unless the server grants a grace window.
pub fn must_wait(record: &Record, sends: u8, settings: &Settings, known: &Knowledge<'_>) -> Option<Millis> {
    if sends == 0 || settings.grace > 0 || dropped(Safeguard::SparingResend) {
        return None;
    }
    left_to_lose(record, known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::decide::backoff::RETRY_AT_CAP;

    fn record() -> Record {
        let mut record = Record::begun("s1".into(), Some(Secret::new("R1")));
        record.generation = 1;
        record.grants.insert(
            String::new(),
            Grant {
                access_token: Some(Secret::new("A1")),
                expires_at: 100_000,
                issued_at: 0,
                minted: 1,
                token_type: None,
                scope: None,
                id_token: None,
                extra: Default::default(),
            },
        );
        record
    }

    fn view<'a>(sid: &'a str, need: &'a Need, wall: Millis) -> Viewpoint<'a> {
        let known = Knowledge { wall, monotonic_left: None, refused: &[] };
        Viewpoint { sid: Some(sid), presented: None, need, params_key: "", known }
    }

    #[test]
    fn another_session_a_tombstone_and_a_rejection_settle_the_call() {
        let (settings, mut record) = (Settings::default(), record());
        assert_eq!(look(&record, &view("other", &Need::Valid, 0), &settings), Look::NoSession);
        record.state = State::Out;
        assert_eq!(look(&record, &view("s1", &Need::Valid, 0), &settings), Look::NoSession);
        record.state = State::Rejected;
        record.reason = Some("idle".into());
        assert_eq!(look(&record, &view("s1", &Need::Valid, 0), &settings), Look::Revoked(Reason::Idle));
    }

    #[test]
    fn a_call_that_has_met_no_session_yet_belongs_to_the_one_that_is_there() {
        let (settings, record, need) = (Settings::default(), record(), Need::Valid);
        let unmet = Viewpoint { sid: None, ..view("", &need, 0) };
        assert!(matches!(look(&record, &unmet, &settings), Look::Adopt(_)));
        let token = Secret::new("R1");
        let carried = Viewpoint { presented: Some(&token), ..view("other", &need, 0) };
        assert!(matches!(look(&record, &carried, &settings), Look::Adopt(_)), "the key is the identity");
    }

    #[test]
    fn a_met_demand_adopts_even_during_a_cool_down() {
        let (settings, mut record) = (Settings::default(), record());
        record.retry_at = Some(5_000);
        assert!(matches!(look(&record, &view("s1", &Need::Valid, 0), &settings), Look::Adopt(_)));
    }

    #[test]
    fn a_cool_down_falls_back_to_a_valid_token_only_for_who_accepts_any_valid_one() {
        let (settings, mut record) = (Settings::default(), record());
        record.retry_at = Some(99_000);
        let cooling = |need: &Need, wall| match look(&record, &view("s1", need, wall), &settings) {
            Look::Cooling { until: 99_000, sparing: false, fall_back } => fall_back.is_some(),
            other => panic!("{other:?}"),
        };
        assert!(cooling(&Need::Valid, 95_000));
        assert!(!cooling(&Need::MintedAfterNow, 95_000));
        record.retry_at = Some(95_001 + RETRY_AT_CAP);
        assert!(matches!(look(&record, &view("s1", &Need::Valid, 95_000), &settings), Look::Present { .. }));
    }

    #[test]
    fn an_ambiguous_token_waits_while_there_is_something_to_lose() {
        let (settings, mut record) = (Settings::default(), record());
        record.sends = 1;
        let need = Need::Valid;
        let sparing = |settings: &Settings, wall| match look(&record, &view("s1", &need, wall), settings) {
            Look::Cooling { until, sparing: true, fall_back: Some(_) } => Some(until),
            Look::Present { .. } => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(sparing(&settings, 95_000), Some(100_000));
        assert_eq!(sparing(&settings, 100_000), None, "nothing left to lose");
        assert_eq!(sparing(&Settings { grace: 10_000, ..settings }, 95_000), None, "the server allows it");
    }

    #[test]
    fn a_spent_token_leads_to_its_successor_once_the_access_token_is_spent_too() {
        let (settings, record) = (Settings::default(), record());
        let (old, live) = (Secret::new("R0"), Secret::new("R1"));
        let at =
            |presented, wall| Viewpoint { sid: None, presented: Some(presented), ..view("s1", &Need::Valid, wall) };
        assert!(matches!(look(&record, &at(&old, 0), &settings), Look::Adopt(_)));
        assert_eq!(look(&record, &at(&old, 100_000), &settings), Look::Follow(&live));
        assert!(matches!(look(&record, &at(&live, 100_000), &settings), Look::Present { .. }), "no rotation");
    }
}
