//! One tab, worker or process: its tasks, what it hears, and what it is known to know.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use refresh_coordinator::protocol::ports::LockScope;
use refresh_coordinator::protocol::record::Record;

use super::bell::Bell;
use super::process::Process;

/// What the ports of a tab need besides the world.
pub struct Tab {
    pub name: char,
    pub lock: LockScope,
    /// Is a revocation endpoint configured?
    pub can_revoke: bool,
    pub process: Process,
    /// A sign-in is under way.
    pub signing_in: Cell<u32>,
    /// Whom the application in this tab has been told to be signed in, and the session of that.
    pub user: RefCell<Option<(String, String)>>,
    /// The record it claimed last.
    pub claimed: RefCell<Option<Record>>,
    /// It was frozen once.
    pub frozen: Cell<bool>,
    /// It has sent a request, and not written yet what came of it.
    pub sending: Cell<bool>,
    /// It was refused, and has not read the store since.
    pub refused_unread: Cell<bool>,
    /// Tokens it was granted a successor for, or was refused.
    pub spent: RefCell<Vec<String>>,
    nonces: Cell<u32>,
    hints: RefCell<BTreeMap<String, Rc<Bell>>>,
}

impl Tab {
    pub fn new(name: char, lock: LockScope, can_revoke: bool) -> Rc<Self> {
        Rc::new(Self {
            name,
            lock,
            can_revoke,
            process: Process::default(),
            signing_in: Cell::default(),
            user: RefCell::default(),
            claimed: RefCell::default(),
            frozen: Cell::default(),
            sending: Cell::default(),
            refused_unread: Cell::default(),
            spent: RefCell::default(),
            nonces: Cell::default(),
            hints: RefCell::default(),
        })
    }

    /// Rings with every hint about a key.
    pub fn hints(&self, key: &str) -> Rc<Bell> {
        self.hints.borrow_mut().entry(key.to_owned()).or_default().clone()
    }

    /// A nonce that nobody else has.
    pub fn nonce(&self) -> String {
        let count = self.nonces.get();
        self.nonces.set(count + 1);
        format!("{}{count}", self.name)
    }
}
