//! The one fault of a schedule: which it is, and when it strikes, is a choice like every other.

use std::cell::Cell;

use super::trace::{chance, note};

/// The kinds of faults a scenario allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// A tab ends, wherever it stands.
    pub crash: bool,
    /// A tab stands still for a while.
    pub freeze: bool,
    /// A request or its reply is lost, or is too late.
    pub network: bool,
    /// The server has no time.
    pub busy: bool,
    /// A read or a write throws; the write may have happened.
    pub store: bool,
}

/// Every kind.
pub const ALL: Faults = Faults { crash: true, freeze: true, network: true, busy: true, store: true };
/// None.
pub const NONE: Faults = Faults { crash: false, freeze: false, network: false, busy: false, store: false };

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Crash,
    Freeze(i64),
    Request(Fate),
    Read,
    Write(Throw),
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Answered,
    /// It never arrives.
    Lost,
    /// The server answers, but nobody hears it.
    Unheard,
    /// It arrives when its sender has given up.
    Late,
    /// The server says 503.
    Busy,
}

/// How a write fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throw {
    Before,
    After,
}

/// The fault of one schedule, and how many occasions it lets pass.
pub struct Plan {
    fault: Cell<Option<Fault>>,
    occasions: Cell<usize>,
}

impl Plan {
    /// Chooses among what may happen; often enough that is nothing.
    pub fn choose(faults: Faults) -> Self {
        let mut all = vec![None];
        if faults.crash {
            all.extend([Some(Fault::Crash); 2]);
        }
        if faults.freeze {
            // Longer than a caller's patience, an intent, or both.
            all.extend([13_000, 17_000, 70_000].map(|time| Some(Fault::Freeze(time))));
        }
        if faults.network {
            all.extend([Fate::Lost, Fate::Unheard, Fate::Late].map(|fate| Some(Fault::Request(fate))));
        }
        if faults.busy {
            all.push(Some(Fault::Request(Fate::Busy)));
        }
        if faults.store {
            all.extend([Fault::Read, Fault::Write(Throw::Before), Fault::Write(Throw::After)].map(Some));
        }
        let fault = all.get(chance(all.len())).copied().flatten();
        let occasions = match fault {
            Some(Fault::Request(_)) => chance(3),
            Some(_) => chance(8),
            None => 0,
        };
        note(|| format!("fault: {fault:?} after {occasions} occasions"));
        Self { fault: Cell::new(fault), occasions: Cell::new(occasions) }
    }

    /// Will nothing happen?
    pub fn is_empty(&self) -> bool {
        self.fault.get().is_none()
    }

    /// Does a tab die?
    pub fn crash(&self) -> bool {
        self.fault.get() == Some(Fault::Crash)
    }

    /// For how long does a tab stand still?
    pub fn freeze(&self) -> Option<i64> {
        match self.fault.get() {
            Some(Fault::Freeze(time)) => Some(time),
            _ => None,
        }
    }

    /// What becomes of the request that is sent now.
    pub fn request(&self) -> Fate {
        match self.fault.get() {
            Some(Fault::Request(fate)) if self.strikes() => fate,
            _ => Fate::Answered,
        }
    }

    /// Does this read throw?
    pub fn read(&self) -> bool {
        self.fault.get() == Some(Fault::Read) && self.strikes()
    }

    /// Does this write throw?
    pub fn write(&self) -> Option<Throw> {
        match self.fault.get() {
            Some(Fault::Write(throw)) if self.strikes() => Some(throw),
            _ => None,
        }
    }

    fn strikes(&self) -> bool {
        if let Some(left) = self.occasions.get().checked_sub(1) {
            self.occasions.set(left);
            return false;
        }
        self.fault.set(None);
        true
    }
}
