//! Random schedules: the second opinion beside the exhaustive search.
//!
//! The search replays one exchange per context. Here everything lives: callers in one tab share flights, several
//! exchanges run in one tab at once, wakers wake, callers go away, tabs die wherever they stand and drop what they
//! hold. `SCHEDULES` says how many schedules each scenario is given under each scheduler. A violation is told step by
//! step, with the schedule as shuttle prints it: `SCHEDULE=<that text> cargo test … <the test>` runs it again.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)] // A test may panic.

#[path = "schedules/mod.rs"]
mod living;
#[allow(dead_code)] // Shared with the search, which uses all of it.
#[path = "sim/server.rs"]
mod server;

use std::collections::BTreeMap;
use std::env::var;

use living::casts;
use living::explore::{Explored, Order, Scenario, Violation, explore, replay, told};
use living::faults::{ALL, NONE};
use living::mutants::{Mutant, mutants};
use refresh_coordinator::protocol::ports::LockScope;
use server::Kind;

/// Locks that the host releases when their holder ends, or none: then the intent alone decides.
const LOCKS: [LockScope; 2] = [LockScope::Covering, LockScope::None];
const ORDERS: [Order; 2] = [Order::Random, Order::Priorities];
/// How many times each scheduler is set to work: the calls of `holds` below, with locks and without.
const RUNS: usize = 54;
/// The grace window of the servers that have one, in milliseconds.
const GRACE: i64 = 10_000;

const STRICT: Scenario = Scenario {
    name: "",
    cast: casts::everybody,
    server: Kind::Strict,
    lock: LockScope::Covering,
    faults: NONE,
    successor_mode: false,
    grants: None,
    dropped: [None, None],
};

/// How many schedules one run is given, of the many thousands that each scheduler has in all.
fn share() -> usize {
    let all = var("SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(16_000_usize);
    all.div_ceil(RUNS)
}

/// How often something was reached.
type Reached = BTreeMap<&'static str, usize>;

/// No schedule breaks an invariant, with locks and without.
fn holds(scenario: Scenario) -> Reached {
    let mut all = Reached::new();
    for lock in LOCKS {
        let scenario = Scenario { lock, ..scenario };
        for order in ORDERS {
            if let Ok(schedule) = var("SCHEDULE") {
                replay(&scenario, &schedule);
                continue;
            }
            let name = format!("{}, {:?}, {lock:?}, {order:?}", scenario.name, scenario.server);
            match explore(&scenario, order, share()) {
                Ok(Explored { schedules, seconds, reached }) => {
                    println!("{name}: {schedules} schedules, {seconds:.1} s");
                    add(&mut all, reached);
                }
                Err(Violation { what, schedule }) => {
                    let told = told(&scenario, order, schedule);
                    assert!(what.is_empty(), "{name}, schedule {schedule}: {told}");
                }
            }
        }
    }
    println!("{}: {all:?}", scenario.name);
    all
}

fn add(all: &mut Reached, reached: Reached) {
    for (what, count) in reached {
        *all.entry(what).or_default() += count;
    }
}

/// Schedules that never come to what they are meant for say nothing.
fn came_to(all: &Reached, must_reach: &[&'static str]) {
    let missing = must_reach.iter().find(|what| !all.contains_key(**what));
    assert!(missing.is_none() || var("SCHEDULE").is_ok(), "no schedule came to this: {missing:?}");
}

#[test]
fn however_many_callers_present_the_token_once() {
    let reach = ["a caller joined a flight", "a caller went away", "tokens of another exchange were adopted"];
    came_to(&holds(Scenario { name: "everybody", ..STRICT }), &reach);
}

#[test]
fn exchanges_for_other_parameters_run_in_one_tab_one_after_the_other() {
    holds(Scenario { name: "parameters", cast: casts::parameters, grants: Some(3), ..STRICT });
}

#[test]
fn every_need_is_met_by_a_flight_of_its_own() {
    let reach = ["a caller came too late for a flight that was sent"];
    came_to(&holds(Scenario { name: "needs", cast: casts::needs, ..STRICT }), &reach);
}

#[test]
fn a_sign_out_turns_callers_away_at_once_and_wins_over_their_exchange() {
    let reach = ["a flight was turned away", "a late grant was queued for revocation", "a token was revoked"];
    came_to(&holds(Scenario { name: "one leaves", cast: casts::one_leaves, ..STRICT }), &reach);
    came_to(&holds(Scenario { name: "users change", cast: casts::users_change, ..STRICT }), &reach);
    let replaced = holds(Scenario { name: "one replaces", cast: casts::one_replaces, ..STRICT });
    came_to(&replaced, &["a flight was turned away"]);
}

#[test]
fn carriers_of_a_spent_token_find_its_successor() {
    holds(Scenario { name: "carriers", cast: casts::carriers, successor_mode: true, ..STRICT });
}

#[test]
fn no_fault_breaks_an_invariant() {
    let mut all = Reached::new();
    for server in [Kind::Strict, Kind::RefuseOnly, Kind::Grace(GRACE), Kind::GraceSibling(GRACE)] {
        let faulty = Scenario { server, faults: ALL, ..STRICT };
        add(&mut all, holds(Scenario { name: "everybody, faults", ..faulty }));
        add(&mut all, holds(Scenario { name: "parameters, faults", cast: casts::parameters, ..faulty }));
        add(&mut all, holds(Scenario { name: "needs, faults", cast: casts::needs, ..faulty }));
        add(&mut all, holds(Scenario { name: "users change, faults", cast: casts::users_change, ..faulty }));
        let carriers = Scenario { name: "carriers, faults", cast: casts::carriers, successor_mode: true, ..faulty };
        add(&mut all, holds(carriers));
    }
    let reach = [
        "a tab died",
        "a tab stood still",
        "an owner that was gone was taken over",
        "a write landed after its tab had died",
    ];
    came_to(&all, &reach);
}

#[test]
fn every_mutant_is_caught() {
    let mut missed = Vec::new();
    for Mutant { scenario, finds } in mutants() {
        let name =
            scenario.dropped.iter().flatten().map(|dropped| format!("{dropped:?}")).collect::<Vec<_>>().join(" and ");
        for order in ORDERS {
            match explore(&scenario, order, 5_000) {
                Ok(found) => missed.push(format!("{name} is not missed, {order:?}: {:?}", found.reached)),
                Err(Violation { what, schedule }) if what.contains(finds) => {
                    println!("{name}, {order:?}: schedule {schedule}: {}", what.lines().next().unwrap_or_default());
                }
                Err(Violation { what, .. }) => {
                    missed.push(format!("{name} is caught by something else, {order:?}: {what}"))
                }
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
