//! The search: breadth first over every state, so that the first violation found has a shortest trace.

use std::collections::{HashSet, VecDeque};
use std::fmt::Write as _;
use std::hash::BuildHasher;
use std::time::Instant;

use foldhash::quality::RandomState;

use super::histories::Histories;
use super::world::{Scenario, State, Step};

/// What a complete search found.
#[derive(Debug)]
pub struct Searched {
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
/// The first violation, with a shortest trace.
pub fn explore(scenario: &Scenario) -> Result<Searched, Violation> {
    let began = Instant::now();
    let mut histories = Histories::new(&scenario.roles);
    let start = scenario.start(&mut histories);
    let digest = Digest::new();
    let mut seen: HashSet<u128> = HashSet::from([digest.of(&start)]);
    // Where each state came from, for the trace; the states themselves are forgotten once they are expanded.
    let mut origins: Vec<(u32, Step)> = vec![(0, Step::Tick(0))];
    let mut frontier = VecDeque::from([(0_u32, start)]);
    while let Some((id, state)) = frontier.pop_front() {
        let steps = scenario.steps(&state, &histories);
        if steps.is_empty() {
            scenario.end(&state, &histories).map_err(|what| violation(scenario, what, &origins, id, None))?;
        }
        for step in steps {
            let next = match scenario.take(&state, &step, &mut histories) {
                Ok(next) => next,
                Err(what) => return Err(violation(scenario, what, &origins, id, Some(step))),
            };
            if seen.insert(digest.of(&next)) {
                origins.push((id, step));
                frontier.push_back((origins.len() as u32 - 1, next));
            }
        }
    }
    Ok(Searched { states: seen.len(), histories: histories.count(), seconds: began.elapsed().as_secs_f64() })
}

/// Tells states apart by two independent 64-bit digests: among a hundred million states, the chance that any two are
/// taken for one is below 10^-21.
struct Digest([RandomState; 2]);

impl Digest {
    fn new() -> Self {
        Self([RandomState::default(), RandomState::default()])
    }

    fn of(&self, state: &State) -> u128 {
        let [high, low] = &self.0;
        u128::from(high.hash_one(state)) << 64 | u128::from(low.hash_one(state))
    }
}

fn violation(scenario: &Scenario, what: String, origins: &[(u32, Step)], id: u32, last: Option<Step>) -> Violation {
    let mut steps: Vec<Step> = last.into_iter().collect();
    let mut at = id;
    while at != 0 {
        let (parent, step) = &origins[at as usize];
        steps.push(step.clone());
        at = *parent;
    }
    steps.reverse();
    let mut trace = format!("{}: {what}\n", scenario.name);
    let mut histories = Histories::new(&scenario.roles);
    let mut state = scenario.start(&mut histories);
    for (number, step) in steps.iter().enumerate() {
        let _ = writeln!(trace, "{:3}. {}", number + 1, super::trace::line(scenario, &state, step, &histories));
        match scenario.take(&state, step, &mut histories) {
            Ok(next) => state = next,
            Err(_) => break,
        }
    }
    Violation { what, trace, steps: steps.len() }
}
