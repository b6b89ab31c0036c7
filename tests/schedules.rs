//! Random schedules: the second opinion beside the exhaustive search.
//!
//! The search replays one exchange per context. Here everything lives: callers in one tab share flights, several
//! exchanges run in one tab at once, wakers wake, callers go away, tabs die wherever they stand and drop what they
//! hold. `SCHEDULES` says how many schedules each scenario is given under each scheduler. A violation is told step by
//! step, with the schedule as shuttle prints it: `SCHEDULE=<that text> cargo test … <the test>` runs it again.

#[path = "schedules/mod.rs"]
mod living;
#[path = "sim/server.rs"]
mod server;

use std::env::var;

use living::casts;
use living::explore::{Explored, Order, Scenario, Violation, explore, replay, told};
use living::faults::{ALL, Faults, NONE};
use refresh_coordinator::protocol::ports::LockScope;
use refresh_coordinator::protocol::safeguard::Safeguard;
use server::Kind;

/// Locks that the host releases when their holder ends, or none: then the intent alone decides.
const LOCKS: [LockScope; 2] = [LockScope::Covering, LockScope::None];
const ORDERS: [Order; 2] = [Order::Random, Order::Priorities];

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

/// How many schedules each scenario is given.
fn schedules() -> usize {
    var("SCHEDULES").ok().and_then(|count| count.parse().ok()).unwrap_or(2_000)
}

/// No schedule breaks an invariant, with locks and without; and all of this was reached on the way.
fn holds(scenario: Scenario, must_reach: &[&str]) {
    for lock in LOCKS {
        let scenario = Scenario { lock, ..scenario };
        for order in ORDERS {
            if let Ok(schedule) = var("SCHEDULE") {
                replay(&scenario, &schedule);
            }
            match explore(&scenario, order, schedules()) {
                Ok(Explored { schedules, seconds, reached }) => {
                    println!("{}, {lock:?}, {order:?}: {schedules} schedules, {seconds:.1} s, {reached:?}", scenario.name);
                    let missing = must_reach.iter().find(|what| !reached.contains_key(**what));
                    assert_eq!(missing, None, "no schedule came to this");
                }
                Err(Violation { schedule, .. }) => {
                    let told = told(&scenario, order, schedule);
                    assert!(told.is_empty(), "{}, {lock:?}, {order:?}, schedule {schedule}: {told}", scenario.name);
                }
            }
        }
    }
}

#[test]
fn however_many_callers_present_the_token_once() {
    let reach = ["a caller joined a flight", "a caller went away", "tokens of another exchange were adopted"];
    holds(Scenario { name: "everybody", ..STRICT }, &reach);
}

#[test]
fn exchanges_for_other_parameters_run_in_one_tab_one_after_the_other() {
    holds(Scenario { name: "parameters", cast: casts::parameters, grants: Some(3), ..STRICT }, &[]);
}

#[test]
fn every_need_is_met_by_a_flight_of_its_own() {
    let reach = ["a caller came too late for a flight that was sent"];
    holds(Scenario { name: "needs", cast: casts::needs, ..STRICT }, &reach);
}

#[test]
fn a_sign_out_turns_callers_away_at_once_and_wins_over_their_exchange() {
    let reach = ["a flight was turned away", "a late grant was queued for revocation", "a token was revoked"];
    holds(Scenario { name: "one leaves", cast: casts::one_leaves, ..STRICT }, &reach);
    holds(Scenario { name: "users change", cast: casts::users_change, ..STRICT }, &reach);
    holds(Scenario { name: "one replaces", cast: casts::one_replaces, ..STRICT }, &["a flight was turned away"]);
}

#[test]
fn carriers_of_a_spent_token_find_its_successor() {
    holds(Scenario { name: "carriers", cast: casts::carriers, successor_mode: true, ..STRICT }, &[]);
}

#[test]
fn no_fault_breaks_an_invariant() {
    let reach = ["a tab died", "an owner that was gone was taken over", "a write landed after its tab had died"];
    for server in [Kind::Strict, Kind::Grace(10_000)] {
        let faulty = Scenario { server, faults: ALL, ..STRICT };
        holds(Scenario { name: "everybody, faults", ..faulty }, &reach);
        holds(Scenario { name: "parameters, faults", cast: casts::parameters, ..faulty }, &reach);
        holds(Scenario { name: "needs, faults", cast: casts::needs, ..faulty }, &reach);
        holds(Scenario { name: "users change, faults", cast: casts::users_change, ..faulty }, &reach);
        holds(Scenario { name: "carriers, faults", cast: casts::carriers, successor_mode: true, ..faulty }, &reach);
    }
}
