//! The histories of contexts: each is a list of replies, kept once, with what the context does after it.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};

use foldhash::HashMap;

use super::replay::{Answer, Effect, Next, replay};
use super::script::{Output, PROGRAMS, Role};
use super::symmetry;

/// Names one history. Hashes as its content under the renaming in force (`symmetry`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryId(u32);

struct History {
    role: usize,
    parent: Option<HistoryId>,
    answer: Option<Answer>,
    next: Next,
}

/// All histories met so far. A context with the same history is in the same state, whatever happened around it: each
/// one is replayed once.
pub struct Histories {
    roles: Vec<Role>,
    all: Vec<History>,
    children: HashMap<(u32, Answer), HistoryId>,
}

thread_local! {
    /// The digests of all histories under each renaming.
    static DIGESTS: RefCell<Vec<Box<[u128]>>> = const { RefCell::new(Vec::new()) };
}

impl Hash for HistoryId {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        hasher.write_u128(DIGESTS.with_borrow(|digests| digests[self.0 as usize][symmetry::current()]));
    }
}

impl Histories {
    pub fn new(roles: &[Role]) -> Self {
        let mut histories = Self { roles: roles.to_vec(), all: Vec::new(), children: HashMap::default() };
        DIGESTS.take();
        // Interchangeable contexts begin with the same history, but for their names.
        let kind = |role: usize| roles.iter().position(|other| other.is_like(&roles[role])).unwrap_or(role);
        for (role, script) in roles.iter().enumerate() {
            histories
                .add(History { role, parent: None, answer: None, next: replay(script, &[]) }, &(kind(role), "begun"));
        }
        for role in 0..roles.len() {
            let next = Next { effects: [None; PROGRAMS], outputs: Vec::new() };
            histories.add(History { role, parent: None, answer: None, next }, &(kind(role), "over"));
        }
        histories
    }

    fn add(&mut self, history: History, content: &impl Hash) -> HistoryId {
        let digests = symmetry::digests(content);
        DIGESTS.with_borrow_mut(|all| all.push(digests));
        self.all.push(history);
        HistoryId(self.all.len() as u32 - 1)
    }

    /// The history of a context that has not been answered yet.
    pub fn start(&self, role: usize) -> HistoryId {
        HistoryId(role as u32)
    }

    /// The one history of all contexts of this role that have nothing left to do: how they got there is forgotten.
    pub fn over(&self, role: usize) -> HistoryId {
        HistoryId((self.roles.len() + role) as u32)
    }

    /// What each program of the context waits for; nothing when it is done.
    pub fn effects(&self, id: HistoryId) -> &[Option<Effect>; PROGRAMS] {
        &self.all[id.0 as usize].next.effects
    }

    /// What it did since its last reply, and which program it was.
    pub fn outputs(&self, id: HistoryId) -> &[(usize, Output)] {
        &self.all[id.0 as usize].next.outputs
    }

    /// The history with one more reply.
    pub fn follow(&mut self, id: HistoryId, answer: Answer) -> HistoryId {
        if let Some(child) = self.children.get(&(id.0, answer)) {
            return *child;
        }
        let role = self.all[id.0 as usize].role;
        let mut answers = vec![answer];
        let mut at = Some(id);
        while let Some(HistoryId(index)) = at {
            let history = &self.all[index as usize];
            answers.extend(history.answer);
            at = history.parent;
        }
        answers.reverse();
        let next = replay(&self.roles[role], &answers);
        let child = self.add(History { role, parent: Some(id), answer: Some(answer), next }, &(id, answer));
        self.children.insert((id.0, answer), child);
        child
    }

    /// How many different histories there are.
    pub fn count(&self) -> usize {
        self.all.len()
    }
}
