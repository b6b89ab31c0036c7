//! What is noted while schedules run: how often something was reached, and, of one schedule, everything in order.
//!
//! Shuttle runs all tasks of a test on the test's own thread, so a thread local is the test's own.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use shuttle::rand::{Rng, thread_rng};

thread_local! {
    static BEGUN: Cell<usize> = const { Cell::new(0) };
    static REACHED: RefCell<BTreeMap<&'static str, usize>> = const { RefCell::new(BTreeMap::new()) };
    static LINES: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Forgets everything, before a run.
pub fn reset() {
    BEGUN.set(0);
    REACHED.take();
    LINES.take();
}

/// A schedule begins. Its lines are kept if it is the one to be traced, counted from 0.
pub fn begin(traced: Option<usize>) {
    let lines = (traced == Some(BEGUN.get())).then(Vec::new);
    LINES.replace(lines);
    BEGUN.set(BEGUN.get() + 1);
}

/// How many schedules have begun.
pub fn begun() -> usize {
    BEGUN.get()
}

/// Counts that something was reached.
pub fn reached(what: &'static str) {
    REACHED.with_borrow_mut(|reached| *reached.entry(what).or_default() += 1);
}

/// What was reached, how often.
pub fn all_reached() -> BTreeMap<&'static str, usize> {
    REACHED.with_borrow(Clone::clone)
}

/// Notes a line, if this schedule is traced.
pub fn note(line: impl FnOnce() -> String) {
    // The line is made first: what makes it may be noted itself.
    if LINES.with_borrow(Option::is_some) {
        let line = line();
        LINES.with_borrow_mut(|lines| lines.iter_mut().for_each(|lines| lines.push(line.clone())));
    }
}

/// The lines of the traced schedule.
pub fn lines() -> String {
    LINES.with_borrow(|lines| lines.as_ref().map_or(String::new(), |lines| lines.join("\n")))
}

/// A number below `bound`, part of the schedule like every other choice.
pub fn chance(bound: usize) -> usize {
    if bound < 2 { 0 } else { thread_rng().gen_range(0..bound) }
}
