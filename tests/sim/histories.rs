//! The histories of contexts: each is a list of replies, kept once, with what the context does after it.

use std::collections::HashMap;

use super::replay::{Effect, Next, Output, Reply, Role, Senses, replay};

/// Names one history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HistoryId(u32);

struct History {
    role: usize,
    parent: Option<HistoryId>,
    reply: Option<(Reply, Senses)>,
    next: Next,
}

/// All histories met so far. A context with the same history is in the same state, whatever happened around it: each
/// one is replayed once.
pub struct Histories {
    roles: Vec<Role>,
    all: Vec<History>,
    children: HashMap<(HistoryId, Reply, Senses), HistoryId>,
}

impl Histories {
    pub fn new(roles: &[Role]) -> Self {
        let mut histories = Self { roles: roles.to_vec(), all: Vec::new(), children: HashMap::new() };
        for (role, program) in roles.iter().enumerate() {
            let next = replay(program, Vec::new());
            histories.all.push(History { role, parent: None, reply: None, next });
        }
        histories
    }

    /// The history of a context that has not been answered yet.
    pub fn start(&self, role: usize) -> HistoryId {
        HistoryId(role as u32)
    }

    /// What the context waits for; nothing when its program is done.
    pub fn effect(&self, id: HistoryId) -> Option<&Effect> {
        self.all[id.0 as usize].next.effect.as_ref()
    }

    /// What it did since its last reply.
    pub fn outputs(&self, id: HistoryId) -> &[Output] {
        &self.all[id.0 as usize].next.outputs
    }

    /// The history with one more reply.
    pub fn follow(&mut self, id: HistoryId, reply: Reply, senses: Senses) -> HistoryId {
        if let Some(child) = self.children.get(&(id, reply.clone(), senses)) {
            return *child;
        }
        let role = self.all[id.0 as usize].role;
        let mut replies = vec![(reply.clone(), senses)];
        let mut at = Some(id);
        while let Some(HistoryId(index)) = at {
            let history = &self.all[index as usize];
            replies.extend(history.reply.clone());
            at = history.parent;
        }
        replies.reverse();
        let next = replay(&self.roles[role], replies);
        let child = HistoryId(self.all.len() as u32);
        self.all.push(History { role, parent: Some(id), reply: Some((reply.clone(), senses)), next });
        self.children.insert((id, reply, senses), child);
        child
    }

    /// How many different histories there are.
    pub fn count(&self) -> usize {
        self.all.len()
    }
}
