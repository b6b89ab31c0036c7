//! Interned texts: record values, tokens and keys are many times the same, and cheap to copy, compare and hash so.

use std::cell::RefCell;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use foldhash::HashMap;
use refresh_coordinator::protocol::record::Record;

use super::symmetry;

/// One text. Hashes as its content under the renaming in force (`symmetry`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(u32);

struct Known {
    text: Rc<str>,
    /// What it says, if it is a record.
    record: Option<Rc<Record>>,
    /// The digest of its content under each renaming.
    digests: Box<[u128]>,
}

#[derive(Default)]
struct Texts {
    all: Vec<Known>,
    ids: HashMap<Rc<str>, u32>,
}

thread_local! {
    static TEXTS: RefCell<Texts> = RefCell::default();
}

/// Forgets all texts, for another search.
pub fn forget() {
    TEXTS.take();
}

impl Text {
    pub fn of(text: &str) -> Self {
        TEXTS.with_borrow_mut(|texts| {
            if let Some(id) = texts.ids.get(text) {
                return Self(*id);
            }
            let id = texts.all.len() as u32;
            let text: Rc<str> = text.into();
            let record = Record::decode(&text).ok().map(Rc::new);
            texts.all.push(Known { text: text.clone(), record, digests: symmetry::digests_of(&text) });
            texts.ids.insert(text, id);
            Self(id)
        })
    }

    pub fn get(self) -> Rc<str> {
        TEXTS.with_borrow(|texts| texts.all[self.0 as usize].text.clone())
    }

    /// The record it encodes.
    pub fn record(self) -> Option<Rc<Record>> {
        TEXTS.with_borrow(|texts| texts.all[self.0 as usize].record.clone())
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let digest = TEXTS.with_borrow(|texts| texts.all[self.0 as usize].digests[symmetry::current()]);
        hasher.write_u128(digest);
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.get())
    }
}
