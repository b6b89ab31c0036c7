//! The long searches: `npm run prove`. What `npm test` searches with one fault is searched here with two, and with
//! three contexts.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)] // A test may panic.

#[allow(dead_code)] // Shared by several test programs; each uses its part.
mod sim;

use sim::explore::explore;
use sim::replay::Action;
use sim::scenarios::{ALL, ENDINGS, Ending, LOCKS, SERVERS, session, successor};
use sim::server::Kind;
use sim::world::Scenario;

fn holds(scenario: &Scenario) {
    match explore(scenario) {
        Ok(found) => println!(
            "{}, {} faults: {} states, {} histories, {:.1} s",
            scenario.name, scenario.budget, found.states, found.histories, found.seconds
        ),
        Err(violation) => panic!("{}", violation.trace),
    }
}

/// Strict, and with a grace window of either kind.
const DEMANDED: [Kind; 3] =
    [Kind::Strict, Kind::Grace(sim::scenarios::GRACE), Kind::GraceSibling(sim::scenarios::GRACE)];

#[test]
fn two_contexts_with_two_faults() {
    for server in SERVERS {
        for lock in LOCKS {
            holds(&session(2, &[Action::Get, Action::Renewed], server, lock, Ending::None).with(ALL, 2));
        }
    }
    for server in DEMANDED {
        for lock in LOCKS {
            for ending in [Ending::SignOut, Ending::Switch] {
                holds(&session(2, &[Action::Get], server, lock, ending).with(ALL, 2));
            }
        }
    }
}

#[test]
fn three_contexts_with_one_fault() {
    for server in DEMANDED {
        for lock in LOCKS {
            for ending in ENDINGS {
                holds(&session(3, &[Action::Get], server, lock, ending).with(ALL, 1));
            }
        }
    }
}

#[test]
fn successor_mode_with_one_fault() {
    for server in SERVERS {
        for lock in LOCKS {
            holds(&successor(2, &[Action::Carry("u.0"), Action::CarryMinted("u.0")], server, lock).with(ALL, 1));
        }
    }
}
