//! What happened, for events and statistics. Events are kept back until no user code can get between claim and commit.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::clock::{HostClock, host_moment};
use super::embedder::Embedder;
use super::object::Members;
use crate::protocol::notice::{Notice, What};
use crate::protocol::ports::{Clock, Observer};
use crate::protocol::verdict::Verdict;

/// A presentation that is over. Moments of the host's monotonic clock.
struct Presented {
    began: f64,
    ended: f64,
    /// `granted`, or the class of the refusal.
    verdict: &'static str,
    /// The same, or the code of the refusal.
    outcome: Cow<'static, str>,
}

/// The observer of one coordinator.
pub struct Journal {
    embedder: Rc<Embedder>,
    clock: Rc<HostClock>,
    undelivered: RefCell<Vec<JsValue>>,
    untold: RefCell<Vec<Presented>>,
    /// Calls that joined an open flight.
    pub joins: Cell<u32>,
    presentations: Cell<u32>,
    adoptions: Cell<u32>,
    waits: Cell<u32>,
    take_overs: Cell<u32>,
    refusals: Cell<u32>,
}

impl Journal {
    /// An empty journal.
    pub fn new(embedder: Rc<Embedder>, clock: Rc<HostClock>) -> Self {
        Self {
            embedder,
            clock,
            undelivered: RefCell::default(),
            untold: RefCell::default(),
            joins: Cell::default(),
            presentations: Cell::default(),
            adoptions: Cell::default(),
            waits: Cell::default(),
            take_overs: Cell::default(),
            refusals: Cell::default(),
        }
    }

    /// A presentation that began then is over.
    pub fn presented(&self, began: f64, verdict: &Verdict) {
        let (verdict, outcome) = match verdict {
            Verdict::Granted(_) => ("granted", Cow::Borrowed("granted")),
            Verdict::Refused(refusal) if refusal.details.code.is_empty() => {
                (refusal.class.name(), Cow::Borrowed("refused"))
            }
            Verdict::Refused(refusal) => (refusal.class.name(), refusal.details.code.clone()),
        };
        self.untold.borrow_mut().push(Presented { began, ended: host_moment(), verdict, outcome });
    }

    /// Hands over the events kept back.
    pub fn deliver(&self) {
        for Presented { began, ended, verdict, outcome } in self.untold.take() {
            self.embedder.presented(began, ended, &outcome, verdict);
        }
        for event in self.undelivered.take() {
            self.embedder.emit(&event);
        }
    }

    /// The statistics. Every join and every adoption saved a presentation.
    pub fn stats(&self) -> JsValue {
        Members::new()
            .set("presentations", self.presentations.get())
            .set("joins", self.joins.get())
            .set("adoptions", self.adoptions.get())
            .set("waits", self.waits.get())
            .set("takeOvers", self.take_overs.get())
            .set("refusals", self.refusals.get())
            .set("presentationsSaved", self.joins.get().saturating_add(self.adoptions.get()))
            .done()
    }

    /// Counts what is a statistic.
    fn count(&self, what: &What) {
        let counter = match what {
            What::Presented => &self.presentations,
            What::Adopted => &self.adoptions,
            What::Waiting => &self.waits,
            What::TakenOver => &self.take_overs,
            What::Refused => &self.refusals,
            _ => return,
        };
        counter.set(counter.get().saturating_add(1));
    }
}

impl Observer for Journal {
    fn notice(&self, notice: Notice) {
        self.count(&notice.what);
        let Some(name) = name(&notice.what) else { return };
        let event = Members::new()
            .set("type", name)
            .set("session", notice.key)
            .set("generation", notice.generation as f64)
            .set("at", self.clock.wall() as f64);
        let event = match notice.what {
            What::Transient { retry_at } => event.maybe("retryAt", retry_at.map(|at| at as f64)),
            What::Revoked { reason } => event.set("reason", reason.name()),
            What::StoreFailed { operation } => event.set("operation", operation),
            What::Degraded { what } => event.set("what", what),
            What::RevocationFailed { left } => event.set("left", left as f64),
            _ => event,
        };
        self.undelivered.borrow_mut().push(event.frozen());
    }
}

/// The event's type; `None` for what is a statistic only.
fn name(what: &What) -> Option<&'static str> {
    Some(match what {
        What::Presented | What::Refused => return None,
        What::Refreshed => "refreshed",
        What::Adopted => "adopted",
        What::Waiting => "waiting",
        What::TakenOver => "taken-over",
        What::Transient { .. } => "transient",
        What::Revoked { .. } => "revoked",
        What::SignedIn => "signed-in",
        What::SignedOut => "signed-out",
        What::StoreFailed { .. } => "store-failed",
        What::Degraded { .. } => "degraded",
        What::RevocationFailed { .. } => "revocation-failed",
    })
}
