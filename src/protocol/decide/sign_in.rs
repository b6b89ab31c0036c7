//! What a sign-in makes of the record that is there.

use super::claim::Moment;
use super::commit::grant_of;
use crate::protocol::record::{Record, State};
use crate::protocol::safeguard::{Safeguard, dropped};
use crate::protocol::settings::Settings;
use crate::protocol::tokens::{Millis, Secret};
use crate::protocol::verdict::Granted;

/// What to do with the tokens that the user signs in with.
#[derive(Clone, Debug, PartialEq)]
pub enum SignIn {
    /// What is there stays, and is the answer.
    Keep(Box<Record>),
    /// This takes its place.
    Write(Box<Record>),
    /// The session was begun and ended already, or its token waits for revocation.
    Refuse,
}

/// Decides what becomes of the record that is there. `sid`: what this sign-in calls its session; `issued_at`: when its
/// tokens were issued, wall clock, milliseconds since the epoch.
pub fn signed_in(
    there: Option<&Record>,
    granted: &Granted,
    issued_at: Millis,
    params_key: &str,
    sid: &str,
    settings: &Settings,
) -> SignIn {
    let sent = Moment { wall: issued_at, monotonic: 0 };
    let keep = |record: &Record| SignIn::Keep(Box::new(record.clone()));
    if let Some(there) = there {
        // An attempt whose outcome was unknown has begun the session. What became of it since is the truth.
        if there.sid == sid {
            return if there.state == State::Active { keep(there) } else { SignIn::Refuse };
        }
        // A token that waits for its revocation must not live again: it would die under the new session. One that the
        // living session has spent is only late, see below.
        let late = |token: &Secret| there.state == State::Active && there.has_spent(token);
        if granted.refresh_token.as_ref().is_some_and(|token| there.revoke.contains(token) && !late(token)) {
            return SignIn::Refuse;
        }
    }
    if let Some(there) = there.filter(|there| there.state == State::Active)
        && let Some(token) = &granted.refresh_token
    {
        if there.has_spent(token) && !dropped(Safeguard::SuccessorMemory) {
            return keep(there);
        }
        if there.refresh_token.as_ref() == Some(token) {
            let known = there.grants.get(params_key);
            let grant = grant_of(granted, known, there.generation, sent, settings);
            if known.is_some_and(|known| known.expires_at >= grant.expires_at) {
                return keep(there);
            }
            let mut next = there.clone();
            next.grants.insert(params_key.to_owned(), grant);
            return SignIn::Write(Box::new(next));
        }
    }
    let mut next = Record::begun(sid.to_owned(), granted.refresh_token.clone());
    // A refresh token alone grants nothing yet: the first call fetches what it needs.
    if granted.access_token.is_some() || granted.lifetime.is_some() || granted.expires_at.is_some() {
        next.grants.insert(params_key.to_owned(), grant_of(granted, None, 0, sent, settings));
    }
    next.sub.clone_from(&granted.subject);
    if let Some(there) = there.filter(|_| !dropped(Safeguard::CarryQueue)) {
        next.carry_from(there);
    }
    SignIn::Write(Box::new(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_was_replaced_and_waits_for_revocation_begins_no_session_once_its_own_is_over() {
        let old = Secret::new("R0");
        let mut there = Record::begun("s".into(), Some(old.clone()));
        there.remember_spent();
        there.refresh_token = Some(Secret::new("R1"));
        there.queue(Some(&old));
        let granted = Granted { refresh_token: Some(old), ..Granted::default() };
        let decide = |there: &Record| signed_in(Some(there), &granted, 0, "", "new", &Settings::default());
        assert_eq!(decide(&there), SignIn::Keep(Box::new(there.clone())), "late, and ignored");
        for state in [State::Rejected, State::Out] {
            assert_eq!(decide(&Record { state, ..there.clone() }), SignIn::Refuse);
        }
    }
}
