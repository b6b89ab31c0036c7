//! The search over every state. Depth first, for it needs the least memory; when it finds a violation, the same world is
//! searched breadth first, so that the one that is told has a shortest trace.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Instant;

use super::histories::Histories;
use super::symmetry;
use super::text;
use super::trace;
use super::world::steps::Step;
use super::world::{Scenario, State};

/// What a complete search found.
#[derive(Debug)]
pub struct Searched {
    /// States, of which those that differ in the names of contexts only count once.
    pub states: usize,
    pub histories: usize,
    pub seconds: f64,
}

/// A violated invariant, with the shortest way to it.
#[derive(Debug)]
pub struct Violation {
    pub what: String,
    pub trace: String,
    pub steps: usize,
}

/// Searches every reachable state.
///
/// # Errors
/// A violation with a shortest trace.
pub fn explore(scenario: &Scenario) -> Result<Searched, Violation> {
    let began = Instant::now();
    let (mut histories, start) = begin(scenario);
    let mut seen = Seen::default();
    seen.insert(start.digest());
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        let steps = scenario.steps(&state, &histories);
        let ended = if steps.is_empty() { scenario.end(&state, &histories) } else { Ok(()) };
        if ended.is_err() {
            return Err(shortest(scenario));
        }
        for step in steps {
            let Ok(next) = scenario.take(&state, step, &mut histories) else { return Err(shortest(scenario)) };
            if seen.insert(next.digest()) {
                open.push(next);
            }
        }
    }
    Ok(Searched { states: seen.len(), histories: histories.count(), seconds: began.elapsed().as_secs_f64() })
}

/// Visits every state, also those that differ from others in names only, and counts how many they are when such are
/// taken for one: what [`explore`] must find, if it loses none.
pub fn count_without_symmetry(scenario: &Scenario) -> usize {
    let (mut histories, start) = begin(scenario);
    let (mut seen, mut classes) = (Seen::default(), Seen::default());
    seen.insert(start.own_digest());
    let mut open = vec![start];
    while let Some(state) = open.pop() {
        classes.insert(state.digest());
        for step in scenario.steps(&state, &histories) {
            let Ok(next) = scenario.take(&state, step, &mut histories) else { continue };
            if seen.insert(next.own_digest()) {
                open.push(next);
            }
        }
    }
    assert!(seen.len() > classes.len(), "nobody is interchangeable here");
    classes.len()
}

/// The digests of the states met. They are evenly spread already.
type Seen = std::collections::HashSet<u128, foldhash::fast::RandomState>;

fn begin(scenario: &Scenario) -> (Histories, State) {
    text::forget();
    symmetry::begin(&scenario.roles);
    let histories = Histories::new(&scenario.roles);
    let start = scenario.start(&histories);
    (histories, start)
}

/// The first violation of a search breadth first.
fn shortest(scenario: &Scenario) -> Violation {
    let (mut histories, start) = begin(scenario);
    let mut seen = Seen::default();
    seen.insert(start.digest());
    // Where each state came from; the states themselves are forgotten once they are expanded.
    let mut origins: Vec<(u32, Step)> = vec![(0, Step::Tick(0))];
    let mut open = VecDeque::from([(0_u32, start)]);
    while let Some((id, state)) = open.pop_front() {
        let steps = scenario.steps(&state, &histories);
        if steps.is_empty()
            && let Err(what) = scenario.end(&state, &histories)
        {
            return told(scenario, what, &origins, id, None);
        }
        for step in steps {
            let next = match scenario.take(&state, step, &mut histories) {
                Ok(next) => next,
                Err(what) => return told(scenario, what, &origins, id, Some(step)),
            };
            if seen.insert(next.digest()) {
                origins.push((id, step));
                open.push_back((origins.len() as u32 - 1, next));
            }
        }
    }
    unreachable!("the violation that was found depth first is found again")
}

fn told(scenario: &Scenario, what: String, origins: &[(u32, Step)], id: u32, last: Option<Step>) -> Violation {
    let mut steps: Vec<Step> = last.into_iter().collect();
    let mut at = id;
    while at != 0 {
        let (parent, step) = origins[at as usize];
        steps.push(step);
        at = parent;
    }
    steps.reverse();
    let mut trace = format!("{}: {what}\n", scenario.name);
    let (mut histories, mut state) = begin(scenario);
    for (number, step) in steps.iter().enumerate() {
        let _ = writeln!(trace, "{:3}. {}", number + 1, trace::line(scenario, &state, step, &histories));
        match scenario.take(&state, *step, &mut histories) {
            Ok(next) => state = next,
            Err(_) => break,
        }
    }
    Violation { what, trace, steps: steps.len() }
}
