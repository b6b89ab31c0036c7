//! The protocol over every interleaving: the real core, replayed in a simulated world.
//!
//! Two contexts with one fault of any kind, on every server, with locks and without, with a sign-out and another
//! user's sign-in at any point; and every mutant. `prove` searches further.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)] // A test may panic.

#[allow(dead_code)] // Shared by several test programs; each uses its part.
mod sim;

use std::collections::BTreeSet;

use refresh_coordinator::protocol::safeguard::drop_only;
use sim::explore::explore;
use sim::mutants::mutants;
use sim::scenarios::{ALL, ENDINGS, Ending, LOCKS, SERVERS, session, successor};
use sim::script::Action;
use sim::server::Kind;
use sim::world::Scenario;

/// Searches the scenario completely, prints its size, and fails with the shortest trace of a violation.
fn holds(scenario: &Scenario) {
    match explore(scenario) {
        Ok(found) => println!(
            "{}: {} states, {} histories, {:.1} s",
            scenario.name, found.states, found.histories, found.seconds
        ),
        Err(violation) => panic!("{}", violation.trace),
    }
}

#[test]
fn no_single_fault_breaks_an_invariant_between_two_contexts_with_two_calls_each() {
    for server in SERVERS {
        for lock in LOCKS {
            holds(&session(2, &[Action::Get, Action::Renewed], server, lock, Ending::None).with(ALL, 1));
        }
    }
}

#[test]
fn no_single_fault_breaks_an_invariant_when_the_user_signs_out_or_another_one_signs_in() {
    for server in [Kind::Strict, Kind::Grace(sim::scenarios::GRACE)] {
        for lock in LOCKS {
            for ending in ENDINGS {
                holds(&session(2, &[Action::Get], server, lock, ending).with(ALL, 1));
            }
        }
    }
}

#[test]
fn announcements_change_nothing_but_speed() {
    for lock in LOCKS {
        holds(
            &session(2, &[Action::Get], Kind::Strict, lock, Ending::Switch)
                .heard(sim::world::Channel::Prompt)
                .with(ALL, 1),
        );
    }
}

#[test]
fn three_contexts_without_a_fault_present_each_token_once() {
    for server in SERVERS {
        for lock in LOCKS {
            holds(&session(3, &[Action::Get], server, lock, Ending::Switch));
        }
    }
}

#[test]
fn late_callers_in_successor_mode_find_what_became_of_their_token() {
    let late = [Action::Carry("u.0"), Action::CarryMinted("u.0")];
    for lock in LOCKS {
        holds(&successor(2, &late, Kind::NonRotating, lock).with(ALL, 1));
        for server in SERVERS {
            holds(&successor(2, &late, server, lock));
            holds(&successor(2, &[Action::Carry("u.0")], server, lock).with(ALL, 1));
        }
    }
}

#[test]
fn every_mutant_is_caught() {
    let mut caught = BTreeSet::new();
    let mut missed = Vec::new();
    for mutant in mutants() {
        drop_only([None, None]);
        let intact = explore(&mutant.scenario);
        assert!(intact.is_ok(), "with all safeguards: {}", intact.err().map_or(String::new(), |found| found.trace));
        drop_only(mutant.dropped);
        let name = format!("{:?}", mutant.dropped.iter().flatten().collect::<Vec<_>>());
        match explore(&mutant.scenario) {
            Ok(found) => {
                missed.push(format!("{name} is not missed in {} states of: {}", found.states, mutant.scenario.name))
            }
            Err(violation) => {
                println!("{name}: {} steps: {}", violation.steps, violation.what);
                if violation.what.starts_with(mutant.finds) {
                    caught.extend(mutant.dropped.iter().flatten().map(|safeguard| format!("{safeguard:?}")));
                } else {
                    missed.push(format!("{name} is caught by something else: {}", violation.trace));
                }
            }
        }
    }
    drop_only([None, None]);
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    println!("{} safeguards, each one missed when it is gone", caught.len());
}
