//! What one context remembers between its calls. Lost with the context; nothing in it is needed for safety but to
//! spare a presentation, and nothing in it outranks the record.

use super::decide::claim::Owner;
use super::demand::Mark;
use super::failure::Failure;
use super::record::{Intent, Record};
use super::safeguard::{Safeguard, dropped};
use super::tokens::{Grant, Millis, Secret};
use super::verdict::Refusal;
use super::watching::Watching;

/// Everything here is bounded: a server may serve any number of sessions through one coordinator.
const REMEMBERED: usize = 64;

/// The memory of one context.
#[derive(Debug, Default)]
pub struct Memory {
    /// The session this context has taken up.
    pub sid: Option<String>,
    /// Counts the sign-ins and sign-outs of this context: what was read before the last one says nothing of the session now.
    pub turns: u64,
    /// The session the user has left here: over for this context, even if its tombstone cannot be written.
    left: Option<String>,
    /// The session's record when it was last read or written, for the time the store is away.
    pub last: Option<Record>,
    /// What was last handed out, by parameters.
    handed: Vec<(String, Mark)>,
    /// Access tokens that a resource server refused.
    refused: Vec<Secret>,
    /// When grants end on the monotonic clock.
    ends: Vec<(GrantId, Millis)>,
    /// Our own intents.
    own: Vec<Own>,
    /// Refresh tokens that the server refused to this context: session, generation, hash.
    spent: Vec<((String, u64, String), Refusal)>,
    /// Foreign intents under observation.
    pub watched: Watching,
    /// Failures that a developer or the user must mend: key and parameters, until when (monotonic clock).
    cooling: Vec<((String, String), Millis, Failure)>,
}

/// An intent of ours that may still stand in the record.
#[derive(Debug)]
struct Own {
    nonce: String,
    /// The token was sent under it.
    sent: bool,
    /// Its attempt is under way: every other attempt of this context waits for it.
    running: bool,
}

/// Tells one grant from another without holding its token.
#[derive(Clone, Debug, PartialEq, Eq)]
struct GrantId {
    sid: String,
    minted: u64,
    issued_at: Millis,
    expires_at: Millis,
}

impl GrantId {
    fn of(sid: &str, grant: &Grant) -> Self {
        let Grant { minted, issued_at, expires_at, .. } = *grant;
        Self { sid: sid.to_owned(), minted, issued_at, expires_at }
    }
}

impl Memory {
    /// Takes up a session, or none. True if it is another one than before.
    pub fn take_up(&mut self, sid: Option<&str>) -> bool {
        if self.sid.as_deref() == sid {
            return false;
        }
        self.sid = sid.map(str::to_owned);
        self.last = None;
        self.handed.clear();
        // What stood in the way of one user need not stand in that of the next.
        self.cooling.clear();
        true
    }

    /// Remembers the session's record for the time the store is away. A read that was overtaken brings an older one, and
    /// an exchange that ends after a sign-out here brings one that nobody may be served from any more.
    pub fn remember(&mut self, record: &Record) {
        let newer = |last: &Record| last.sid == record.sid && last.generation > record.generation;
        if !self.last.as_ref().is_some_and(newer) && !self.has_left(&record.sid) {
            self.last = Some(record.clone());
        }
    }

    /// The user signs out of this session here: it is not taken up again.
    pub fn leave(&mut self, sid: &str) {
        self.turns += 1;
        self.left = Some(sid.to_owned());
        self.last = self.last.take().filter(|last| last.sid != sid);
        self.take_up(None);
    }

    /// The user signs in here.
    pub fn enter(&mut self, sid: &str) -> bool {
        self.turns += 1;
        // Signing in again goes on with a session whose sign-out could not be written.
        self.left = self.left.take().filter(|left| left != sid);
        self.take_up(Some(sid))
    }

    /// Has the user left this session here?
    pub fn has_left(&self, sid: &str) -> bool {
        self.left.as_deref() == Some(sid) && !dropped(Safeguard::HasLeft)
    }

    /// Notes what was handed out. True if it is not what was handed out before.
    pub fn hand(&mut self, params_key: &str, mark: Mark) -> bool {
        if self.handed(params_key).as_ref() == Some(&mark) {
            return false;
        }
        self.handed.retain(|(key, _)| key != params_key);
        self.handed.push((params_key.to_owned(), mark));
        true
    }

    /// What was last handed out for these parameters.
    pub fn handed(&self, params_key: &str) -> Option<Mark> {
        self.handed.iter().find(|(key, _)| key == params_key).map(|(_, mark)| mark.clone())
    }

    /// A resource server refused this access token.
    pub fn refuse(&mut self, access_token: &Secret) {
        if !self.refused.contains(access_token) {
            push(&mut self.refused, access_token.clone());
        }
    }

    /// The access tokens that were refused.
    pub fn refused(&self) -> &[Secret] {
        &self.refused
    }

    /// Notes when a grant ends on the monotonic clock, unless that is known already.
    pub fn note_end(&mut self, sid: &str, grant: &Grant, end: Millis) {
        let id = GrantId::of(sid, grant);
        if !self.ends.iter().any(|(known, _)| *known == id) {
            push(&mut self.ends, (id, end));
        }
    }

    /// When a grant ends on the monotonic clock, if this context saw it before.
    pub fn end(&self, sid: &str, grant: &Grant) -> Option<Millis> {
        let id = GrantId::of(sid, grant);
        self.ends.iter().find(|(known, _)| *known == id).map(|(_, end)| *end)
    }

    /// An intent of ours is about to be written.
    pub fn claiming(&mut self, nonce: &str) {
        push(&mut self.own, Own { nonce: nonce.to_owned(), sent: false, running: true });
    }

    /// The token is about to be sent under this intent of ours.
    pub fn sending(&mut self, nonce: &str) {
        for own in self.own.iter_mut().filter(|own| own.nonce == nonce) {
            own.sent = true;
        }
    }

    /// The attempt has ended, but its intent may still stand in the record.
    pub fn abandoned(&mut self, nonce: &str) {
        for own in self.own.iter_mut().filter(|own| own.nonce == nonce) {
            own.running = false;
        }
    }

    /// The attempt has ended, and its intent is out of the record.
    pub fn ended(&mut self, nonce: &str) {
        self.own.retain(|own| own.nonce != nonce);
    }

    /// Does this intent stand for the attempt with that nonce?
    pub fn stands_for(&self, intent: &Intent, nonce: &str) -> bool {
        let any_of_ours = || self.own.iter().any(|own| own.nonce == intent.nonce);
        intent.nonce == nonce || (dropped(Safeguard::NonceOfThisAttempt) && any_of_ours())
    }

    /// Whose intent is it? Begins to watch a foreign one, or goes on watching it.
    pub fn owner(&mut self, key: &str, intent: &Intent, monotonic: Millis) -> Owner {
        if let Some(own) = self.own.iter().find(|own| own.nonce == intent.nonce) {
            return match own {
                Own { running: true, .. } if !dropped(Safeguard::OwnAttempt) => Owner::OursRunning,
                Own { running: true, .. } => self.watch(key, intent, monotonic),
                Own { sent: true, .. } => Owner::OursSent,
                Own { .. } => Owner::OursUnsent,
            };
        }
        self.watch(key, intent, monotonic)
    }

    fn watch(&mut self, key: &str, intent: &Intent, monotonic: Millis) -> Owner {
        Owner::Foreign { watched: self.watched.watch(key, intent, monotonic) }
    }

    /// The server refused this record's live token: this context never presents it again, whoever's claim on it ends.
    pub fn note_refusal(&mut self, record: &Record, refusal: Refusal) {
        push(&mut self.spent, (live_token(record), refusal));
    }

    /// How the server refused this record's live token, if it was this context that it refused.
    pub fn refusal(&self, record: &Record) -> Option<Refusal> {
        if dropped(Safeguard::OwnRefusal) {
            return None;
        }
        let token = live_token(record);
        self.spent.iter().find(|(spent, _)| *spent == token).map(|(_, refusal)| refusal.clone())
    }

    /// Remembers a failure that will not mend itself, so that callers in a loop do not reach the server.
    pub fn cool_down(&mut self, key: &str, params_key: &str, until: Millis, failure: Failure) {
        let place = (key.to_owned(), params_key.to_owned());
        self.cooling.retain(|(other, _, _)| *other != place);
        push(&mut self.cooling, (place, until, failure));
    }

    /// The failure remembered for this key and these parameters, if it is still recent.
    pub fn cooling(&self, key: &str, params_key: &str, monotonic: Millis) -> Option<Failure> {
        let here = |((other, params), until, _): &&((String, String), Millis, Failure)| {
            other == key && params == params_key && monotonic < *until
        };
        self.cooling.iter().find(here).map(|(_, _, failure)| failure.clone())
    }
}

fn live_token(record: &Record) -> (String, u64, String) {
    (record.sid.clone(), record.generation, record.live_hash())
}

fn push<T>(list: &mut Vec<T>, item: T) {
    if list.len() >= REMEMBERED {
        list.remove(0);
    }
    list.push(item);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::verdict::{Class, Details, Fault, Spent};

    fn intent(nonce: &str) -> Intent {
        Intent { nonce: nonce.into(), hash: String::new(), locked: false, deadline: 0, duration: 10 }
    }

    #[test]
    fn watching_goes_on_across_calls_and_begins_anew_with_another_intent() {
        let mut memory = Memory::default();
        assert_eq!(memory.owner("k", &intent("a"), 100), Owner::Foreign { watched: 0 });
        assert_eq!(memory.owner("k", &intent("a"), 107), Owner::Foreign { watched: 7 });
        assert_eq!(memory.owner("k", &intent("b"), 110), Owner::Foreign { watched: 0 });
        assert_eq!(memory.owner("k", &intent("a"), 120), Owner::Foreign { watched: 0 });
    }

    #[test]
    fn an_own_intent_is_waited_for_while_its_attempt_runs() {
        let mut memory = Memory::default();
        memory.claiming("mine");
        assert_eq!(memory.owner("k", &intent("mine"), 0), Owner::OursRunning);
        assert_eq!(memory.owner("k", &intent("mine"), 100), Owner::OursRunning);
        memory.abandoned("mine");
        assert_eq!(memory.owner("k", &intent("mine"), 0), Owner::OursUnsent);
        memory.sending("mine");
        assert_eq!(memory.owner("k", &intent("mine"), 0), Owner::OursSent);
        memory.ended("mine");
        assert_eq!(memory.owner("k", &intent("mine"), 0), Owner::Foreign { watched: 0 });
    }

    #[test]
    fn who_signs_in_again_after_a_sign_out_that_failed_is_signed_in() {
        let mut memory = Memory::default();
        memory.enter("s");
        memory.leave("s");
        assert!(memory.enter("s") && !memory.has_left("s"));
    }

    #[test]
    fn a_session_that_was_left_is_not_remembered_again() {
        let mut memory = Memory::default();
        let record = Record::begun("s".into(), None);
        memory.remember(&record);
        memory.leave("s");
        memory.remember(&record);
        assert_eq!(memory.last, None);
    }

    #[test]
    fn another_session_forgets_what_was_handed_out() {
        let mut memory = Memory::default();
        assert!(memory.take_up(Some("one")));
        assert!(memory.hand("", Mark { minted: 1, access_token: None }));
        assert!(!memory.hand("", Mark { minted: 1, access_token: None }));
        assert!(!memory.take_up(Some("one")));
        assert!(memory.take_up(Some("two")));
        assert_eq!(memory.handed(""), None);
    }

    #[test]
    fn what_was_handed_out_is_kept_for_each_set_of_parameters() {
        let mut memory = Memory::default();
        let mark = |minted| Mark { minted, access_token: None };
        assert!(memory.hand("a", mark(1)) && memory.hand("b", mark(2)) && memory.hand("a", mark(3)));
        assert_eq!((memory.handed("a"), memory.handed("b")), (Some(mark(3)), Some(mark(2))));
    }

    #[test]
    fn an_older_read_of_the_same_session_is_not_remembered() {
        let mut memory = Memory::default();
        let record = |sid: &str, generation, failures| Record {
            generation,
            failures,
            ..Record::begun(sid.into(), Some(Secret::new("R")))
        };
        let after = |memory: &mut Memory, record: Record| {
            memory.remember(&record);
            memory.last.as_ref() == Some(&record)
        };
        assert!(after(&mut memory, record("s", 1, 0)));
        assert!(!after(&mut memory, record("s", 0, 0)));
        assert!(after(&mut memory, record("s", 1, 1)), "of the same generation the last one counts");
        assert!(after(&mut memory, record("s", 2, 0)));
        assert!(after(&mut memory, record("t", 0, 0)));
    }

    #[test]
    fn sign_ins_and_sign_outs_are_counted() {
        let mut memory = Memory::default();
        assert!(memory.enter("s") && !memory.enter("s"));
        assert_eq!(memory.turns, 2);
        memory.leave("s");
        assert_eq!((memory.turns, memory.sid.as_deref()), (3, None));
        assert!(memory.has_left("s") && !memory.has_left("t"));
    }

    #[test]
    fn no_list_grows_without_end() {
        let mut memory = Memory::default();
        for count in 0..=REMEMBERED {
            memory.refuse(&Secret::new(format!("A{count}")));
            memory.refuse(&Secret::new(format!("A{count}")));
        }
        assert_eq!(memory.refused().len(), REMEMBERED);
        assert_eq!(
            (&memory.refused()[0], &memory.refused()[REMEMBERED - 1]),
            (&Secret::new("A1"), &Secret::new("A64"))
        );
    }

    #[test]
    fn the_first_end_that_is_noted_counts_for_this_very_grant() {
        let grant = |minted, issued_at, expires_at| Grant {
            access_token: None,
            expires_at,
            issued_at,
            minted,
            token_type: None,
            scope: None,
            id_token: None,
            extra: Default::default(),
        };
        let mut memory = Memory::default();
        memory.note_end("s", &grant(1, 0, 10), 7);
        memory.note_end("s", &grant(1, 0, 10), 8);
        assert_eq!(memory.end("s", &grant(1, 0, 10)), Some(7));
        memory.note_end("s", &grant(3, 0, 10), 9);
        assert_eq!(memory.end("s", &grant(3, 0, 10)), Some(9));
        for (sid, other) in
            [("t", grant(1, 0, 10)), ("s", grant(2, 0, 10)), ("s", grant(1, 1, 10)), ("s", grant(1, 0, 9))]
        {
            assert_eq!(memory.end(sid, &other), None);
        }
    }

    #[test]
    fn a_failure_cools_down_where_it_happened() {
        let mut memory = Memory::default();
        let failure = |message| Failure::no_session(message);
        memory.cool_down("k", "a", 10, failure("first"));
        memory.cool_down("k", "b", 10, failure("other parameters"));
        memory.cool_down("l", "a", 10, failure("other key"));
        memory.cool_down("k", "a", 20, failure("second"));
        assert_eq!(memory.cooling("k", "a", 19), Some(failure("second")));
        assert_eq!(memory.cooling("k", "a", 20), None);
        assert_eq!(memory.cooling("k", "b", 9), Some(failure("other parameters")));
        assert_eq!(memory.cooling("l", "a", 9), Some(failure("other key")));
        assert_eq!(memory.cooling("l", "b", 9), None);
        assert_eq!(memory.cooling.len(), 3, "the later failure takes the place of the earlier one");
        assert!(memory.take_up(Some("s")));
        assert_eq!(memory.cooling("l", "a", 9), None, "the next user may fare better");
    }

    #[test]
    fn an_intent_stands_for_its_own_attempt_and_ends_with_it() {
        let mut memory = Memory::default();
        memory.claiming("one");
        memory.claiming("two");
        assert!(memory.stands_for(&intent("one"), "one") && !memory.stands_for(&intent("two"), "one"));
        memory.sending("one");
        memory.abandoned("one");
        assert_eq!(memory.owner("k", &intent("one"), 0), Owner::OursSent);
        assert_eq!(memory.owner("k", &intent("two"), 0), Owner::OursRunning, "it is under way");
        memory.ended("one");
        assert_eq!(memory.owner("k", &intent("one"), 0), Owner::Foreign { watched: 0 });
        memory.abandoned("two");
        assert_eq!(memory.owner("k", &intent("two"), 0), Owner::OursUnsent);
    }

    #[test]
    fn intents_are_watched_under_each_key_by_itself() {
        let mut memory = Memory::default();
        memory.owner("k", &intent("a"), 0);
        memory.owner("l", &intent("a"), 5);
        assert_eq!(memory.owner("k", &intent("a"), 7), Owner::Foreign { watched: 7 });
        assert_eq!(memory.owner("l", &intent("a"), 7), Owner::Foreign { watched: 2 });
        memory.owner("l", &intent("b"), 8);
        assert_eq!(memory.owner("k", &intent("a"), 9), Owner::Foreign { watched: 9 });
    }

    #[test]
    fn a_refusal_belongs_to_one_token_of_one_session() {
        let mut memory = Memory::default();
        let record = Record::begun("s".into(), Some(Secret::new("R0")));
        let details = Details::new(Fault::Server, "", "");
        let refusal = Refusal { class: Class::Transient, spent: Spent::No, details, retry_after: None };
        memory.note_refusal(&record, refusal.clone());
        assert_eq!(memory.refusal(&record), Some(refusal));
        let others = [
            Record { sid: "t".into(), ..record.clone() },
            Record { generation: 1, ..record.clone() },
            Record { refresh_token: Some(Secret::new("R1")), ..record.clone() },
        ];
        assert!(others.iter().all(|other| memory.refusal(other).is_none()));
    }
}
