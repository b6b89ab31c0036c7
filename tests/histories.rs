//! Histories of a session, drawn at random: contexts claim, are granted, refused or cut off, come late, take one another
//! over; users sign in and out. Every step goes through the decisions of the protocol, and nothing else. Along the whole
//! history no token is lost, none lives twice, and the record never goes back.

// The panic lints guard the code that ships; a test may fail by panicking.
#![allow(clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;

use proptest::prelude::*;
use refresh_coordinator::protocol::decide::backoff::RETRY_AT_CAP;
use refresh_coordinator::protocol::decide::claim::{Moment, TakenOver, claimed, take_over};
use refresh_coordinator::protocol::decide::commit::{
    AfterConflict, after_conflict, changes_identity, committed, rejected_for_identity,
};
use refresh_coordinator::protocol::decide::freshness::Knowledge;
use refresh_coordinator::protocol::decide::refusal::{AfterRefusal, after_refusal};
use refresh_coordinator::protocol::decide::sign_in::{SignIn, signed_in};
use refresh_coordinator::protocol::decide::sign_out::buried;
use refresh_coordinator::protocol::decide::withdrawal::withdrawn;
use refresh_coordinator::protocol::record::{Record, State};
use refresh_coordinator::protocol::settings::Settings;
use refresh_coordinator::protocol::tokens::{Millis, Secret};
use refresh_coordinator::protocol::verdict::{Class, Details, Fault, Granted, Reason, Refusal, Spent};

/// What the record is known to remember and to queue at most.
const REMEMBERED: usize = 8;
const QUEUE: usize = 16;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Step {
    /// A context wants to present: it claims, or takes over what stands in its way.
    Claim { lot: u32 },
    /// The server grants one of the open attempts, which commits. A late one meets whatever is there by now.
    Grant { who: usize, rotates: bool, scope: u8, other_user: bool },
    /// The server refuses one of the open attempts.
    Refuse { who: usize },
    /// An attempt ends without a verdict.
    Withdraw { who: usize, class: Class, spent: Spent, retry_after: Option<Millis>, lot: u32 },
    /// An attempt is never heard of again.
    Crash { who: usize },
    /// A user signs in: with new tokens, with the live one, or with an old one.
    SignIn { token: u8 },
    /// The user signs out.
    SignOut,
    /// The first token of the queue is revoked.
    Drain,
    /// Time passes.
    Wait { millis: Millis },
}

fn step() -> impl Strategy<Value = Step> {
    let class = prop::sample::select(vec![Class::Transient, Class::Interaction, Class::Configuration]);
    let spent = prop::sample::select(vec![Spent::No, Spent::Maybe]);
    let retry_after = prop::option::of(-1_000..1_000_000_i64);
    prop_oneof![
        6 => (0..1_000_u32).prop_map(|lot| Step::Claim { lot }),
        6 => (any::<usize>(), prop::bool::weighted(0.8), 0..3_u8, prop::bool::weighted(0.03))
            .prop_map(|(who, rotates, scope, other_user)| Step::Grant { who, rotates, scope, other_user }),
        2 => any::<usize>().prop_map(|who| Step::Refuse { who }),
        2 => (any::<usize>(), class, spent, retry_after, 0..1_000_u32).prop_map(|(who, class, spent, retry_after, lot)| {
            Step::Withdraw { who, class, spent, retry_after, lot }
        }),
        1 => any::<usize>().prop_map(|who| Step::Crash { who }),
        1 => (0..4_u8).prop_map(|token| Step::SignIn { token }),
        1 => Just(Step::SignOut),
        1 => Just(Step::Drain),
        2 => (0..90_000_i64).prop_map(|millis| Step::Wait { millis }),
    ]
}

/// A presentation under way: what was claimed.
#[derive(Clone, Debug)]
struct Attempt {
    nonce: String,
    claimed: Record,
}

/// What is known of one session beside its record.
#[derive(Default)]
struct Known {
    /// The tokens that were replaced, in order.
    replaced: Vec<Secret>,
    /// The tokens that were granted to an attempt that has committed, with the generation they make.
    granted: Vec<(u64, Secret)>,
}

struct History {
    settings: Settings,
    can_revoke: bool,
    wall: Millis,
    record: Record,
    attempts: Vec<Attempt>,
    sessions: BTreeMap<String, Known>,
    names: u32,
}

impl History {
    fn new(settings: Settings, can_revoke: bool) -> Self {
        let mut history = Self {
            settings,
            can_revoke,
            wall: 1_795_000_000_000,
            record: Record::tombstone("nobody".into()),
            attempts: Vec::new(),
            sessions: BTreeMap::new(),
            names: 0,
        };
        history.take(&Step::SignIn { token: 0 });
        history
    }

    /// Something that was never there before: a token, a nonce, a session.
    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("{kind}{}", self.names)
    }

    fn known(&mut self) -> &mut Known {
        self.sessions.entry(self.record.sid.clone()).or_default()
    }

    /// Takes one attempt out of those under way.
    fn attempt(&mut self, who: usize) -> Option<Attempt> {
        let count = self.attempts.len();
        (count > 0).then(|| self.attempts.remove(who % count))
    }

    fn take(&mut self, step: &Step) {
        match step {
            Step::Claim { lot } => self.claim(*lot),
            Step::Grant { who, rotates, scope, other_user } => self.grant(*who, *rotates, *scope, *other_user),
            Step::Refuse { who } => self.refuse(*who),
            Step::Withdraw { who, class, spent, retry_after, lot } => {
                let details = Details::new(Fault::Server, "", "");
                let refusal = Refusal { class: *class, spent: *spent, details, retry_after: *retry_after };
                self.withdraw(*who, &refusal, *lot);
            }
            Step::Crash { who } => drop(self.attempt(*who)),
            Step::SignIn { token } => self.sign_in(*token),
            Step::SignOut if self.record.state != State::Out => self.sign_out(),
            Step::SignOut => {}
            Step::Drain => {
                let mut next = self.record.clone();
                if let Some(token) = next.revoke.first().cloned() {
                    next.revoke.remove(0);
                    self.write(next, Some(&token));
                }
            }
            Step::Wait { millis } => self.wall += millis,
        }
    }

    fn claim(&mut self, lot: u32) {
        let record = self.record.clone();
        if record.state != State::Active || record.refresh_token.is_none() {
            return;
        }
        let known = Knowledge { wall: self.wall, monotonic_left: None, refused: &[] };
        let free = match record.intent {
            None => record,
            Some(_) => match take_over(&record, &self.settings, &known, lot) {
                TakenOver::Present(next) => next,
                TakenOver::Wait(next) => return self.write(next, None),
            },
        };
        let nonce = self.name("N");
        let next = claimed(&free, nonce.clone(), lot.is_multiple_of(2), self.wall, self.settings.intent_duration());
        self.attempts.push(Attempt { nonce, claimed: next.clone() });
        self.write(next, None);
    }

    fn grant(&mut self, who: usize, rotates: bool, scope: u8, other_user: bool) {
        let Some(Attempt { claimed, .. }) = self.attempt(who) else { return };
        let token = Secret::new(self.name("R"));
        let subject = if other_user { "bob" } else { "ann" };
        let granted = Granted {
            refresh_token: rotates.then(|| token.clone()),
            access_token: Some(Secret::new(self.name("A"))),
            lifetime: Some(60_000),
            subject: Some(subject.into()),
            ..Granted::default()
        };
        let params_key = ["", "one", "two"].get(usize::from(scope)).copied().unwrap_or_default();
        let sent = Moment { wall: self.wall, monotonic: 0 };
        let identity = changes_identity(&claimed, &granted);
        let ours = if identity {
            rejected_for_identity(&claimed, &granted, self.can_revoke)
        } else {
            let queue_replaced = self.settings.revoke_replaced && self.can_revoke;
            committed(&claimed, &granted, params_key, sent, &self.settings, queue_replaced)
        };
        if !identity && rotates {
            let session = self.sessions.entry(claimed.sid.clone()).or_default();
            session.granted.push((ours.generation, token.clone()));
        }
        if self.record == claimed {
            self.replace(&claimed, &ours);
            return self.write(ours, None);
        }
        if identity {
            // What follows is the same as for any late commit, but for the token, which nobody gets.
            return;
        }
        let there = self.record.clone();
        match after_conflict(Some(&there), &ours, params_key, true, self.can_revoke) {
            AfterConflict::Durable => panic!("what nobody wrote is durable"),
            AfterConflict::Discard(next) => {
                assert!(!rotates || next.revoke.contains(&token), "what was granted after a sign-out is revoked");
                self.write(*next, None);
            }
            AfterConflict::SignedOut => {
                let kept = rotates && self.can_revoke && there.revoke.len() < QUEUE;
                assert!(!kept || there.revoke.contains(&token), "what was granted after a sign-out is queued");
            }
            AfterConflict::Overtaken(spare) => {
                assert!(there.generation >= ours.generation);
                if let Some(next) = spare {
                    self.write(*next, None);
                }
            }
            AfterConflict::WriteOurs(next) => {
                self.replace(&there, &next);
                self.write(*next, None);
            }
        }
    }

    fn refuse(&mut self, who: usize) {
        let Some(Attempt { nonce, claimed }) = self.attempt(who) else { return };
        let there = self.record.clone();
        match after_refusal(Some(&there), &claimed, &nonce, Reason::Unknown, true) {
            AfterRefusal::Moved | AfterRefusal::ForeignIntent => {}
            AfterRefusal::Switch(next) => {
                self.replace(&there, &next);
                self.write(*next, None);
            }
            AfterRefusal::Reject(next, _) => self.write(*next, None),
        }
    }

    fn withdraw(&mut self, who: usize, refusal: &Refusal, lot: u32) {
        let Some(Attempt { nonce, .. }) = self.attempt(who) else { return };
        if self.record.intent.as_ref().is_some_and(|intent| intent.nonce == nonce) {
            self.write(withdrawn(&self.record, refusal, self.wall, lot), None);
        }
    }

    fn sign_in(&mut self, token: u8) {
        let there = self.record.clone();
        let replaced = self.known().replaced.last().cloned();
        let old = match token {
            1 => there.refresh_token.clone(),
            2 => replaced,
            3 => there.revoke.first().cloned(),
            _ => None,
        };
        let token = old.clone().unwrap_or_else(|| Secret::new(self.name("R")));
        let granted = Granted {
            refresh_token: Some(token.clone()),
            access_token: Some(Secret::new(self.name("A"))),
            lifetime: Some(60_000),
            subject: Some("ann".into()),
            ..Granted::default()
        };
        let sid = self.name("s");
        match signed_in(Some(&there), &granted, self.wall, "", &sid, &self.settings) {
            SignIn::Keep(kept) => assert_eq!(*kept, there, "what is there stays"),
            SignIn::Refuse => assert!(there.revoke.contains(&token), "only what waits for revocation is refused"),
            SignIn::Write(next) => {
                assert!(next.sid == sid || next.refresh_token == there.refresh_token);
                if next.sid == sid {
                    let spent = there.state == State::Active && there.has_spent(&token);
                    assert!(!spent, "a spent token begins no session");
                    assert!(!there.revoke.contains(&token), "nor does one that waits for its revocation");
                    self.sessions.entry(sid).or_default().granted.push((0, token));
                }
                self.write(*next, None);
            }
        }
    }

    fn sign_out(&mut self) {
        let there = self.record.clone();
        let next = buried(&there, self.can_revoke);
        let spare = there.spare.as_ref().and_then(|spare| spare.refresh_token.as_ref());
        for token in there.refresh_token.as_ref().into_iter().chain(spare).filter(|_| self.can_revoke) {
            assert!(next.revoke.contains(token), "what lived is revoked");
        }
        self.write(next, None);
    }

    /// The live token of a record is about to give way to another.
    fn replace(&mut self, before: &Record, after: &Record) {
        if before.sid == after.sid && before.refresh_token != after.refresh_token {
            self.known().replaced.extend(before.refresh_token.clone());
        }
    }

    /// Writes a record, and checks it against the one it replaces and against everything before.
    fn write(&mut self, next: Record, drained: Option<&Secret>) {
        let before = std::mem::replace(&mut self.record, next);
        let next = &self.record;
        assert_eq!(Record::decode(&next.encode()).as_ref(), Ok(next), "the text form loses nothing");
        assert!(next.sid != before.sid || next.generation >= before.generation, "a record never goes back");
        assert!(next.sends <= 2 && next.failures <= 6, "{} sends, {} failures", next.sends, next.failures);
        assert!(next.retry_at.is_none_or(|at| at <= self.wall + RETRY_AT_CAP), "a cool-down is capped");
        assert!(next.revoke.len() <= QUEUE && next.spent.len() <= REMEMBERED, "a record stays small");
        let kept = |token: &Secret| next.revoke.contains(token) || next.is_live(token) || Some(token) == drained;
        let lost = before.revoke.iter().find(|token| !kept(token));
        assert!(lost.is_none() || next.revoke.len() == QUEUE, "a queued token is lost");
        assert!(!next.revoke.iter().any(|token| next.is_live(token)), "a living token waits for its revocation");
        let Some(known) = self.sessions.get(&next.sid) else { return };
        for token in known.replaced.iter().rev().take(REMEMBERED) {
            assert!(next.has_spent(token), "a spent token is forgotten");
        }
        if next.state == State::Out {
            assert!(next.refresh_token.is_none() && next.spare.is_none());
            return;
        }
        let live = next.refresh_token.as_ref().expect("a session that rotates has a token");
        assert!(!known.replaced.contains(live), "a spent token lives again");
        assert!(known.granted.iter().any(|(_, token)| token == live), "a token of another session lives");
        if next.state == State::Active {
            let newest = known.granted.iter().map(|(generation, _)| *generation).max().unwrap_or_default();
            assert!(next.generation >= newest, "a newer token is lost");
            let kept = known.granted.iter().any(|(generation, token)| *generation == newest && next.is_live(token));
            // The last one granted may be dead already: refused, and its sibling in its place.
            assert!(kept || next.generation > newest, "none of the newest tokens lives");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_loses_a_token_or_goes_back(
        steps in prop::collection::vec(step(), 1..120),
        revoke_replaced: bool,
        can_revoke: bool,
        grace in prop::sample::select(vec![0, 30_000]),
    ) {
        let mut history = History::new(Settings { revoke_replaced, grace, ..Settings::default() }, can_revoke);
        for step in &steps {
            history.take(step);
        }
    }

    /// One context at a time and no sign-out: the last grant is what lives, and all eight before it are known.
    #[test]
    fn an_undisturbed_history_counts_its_rotations(grants in prop::collection::vec(any::<bool>(), 1..30)) {
        let mut history = History::new(Settings::default(), true);
        for rotates in &grants {
            history.take(&Step::Claim { lot: 0 });
            history.take(&Step::Grant { who: 0, rotates: *rotates, scope: 0, other_user: false });
        }
        let rotations = grants.iter().filter(|rotates| **rotates).count();
        let record = &history.record;
        prop_assert_eq!(record.generation, u64::try_from(grants.len()).expect("a few"));
        prop_assert_eq!(record.spent.len(), rotations.min(REMEMBERED));
        let newest = history.sessions.get(&record.sid).and_then(|known| known.granted.last()).map(|(_, token)| token);
        prop_assert_eq!(record.refresh_token.as_ref(), newest);
    }
}
