//! The protocol over every interleaving: the real core, replayed in a simulated world.
//!
//! Two contexts with one fault of any kind, on every server, with locks and without, with a sign-out and another
//! user's sign-in at any point; and every mutant. `prove` searches further.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable, clippy::unwrap_used)] // A test may panic.

#[allow(dead_code)] // Shared by several test programs; each uses its part.
mod sim;

use std::collections::BTreeSet;

use refresh_coordinator::protocol::safeguard::drop_only;
use sim::explore::{count_without_symmetry, explore};
use sim::mutants::mutants;
use sim::scenarios::{
    ALL, ENDINGS, EVERYTHING, Ending, GRACE, HARMLESS, LOCKS, NONE, SERVERS, meanwhile, session, successor,
};
use sim::script::Action::{
    Ahead, Carry, CarryMinted, Drain, Get, GetFor, Minted, NotThis, Renewed, SignIn, SignOut, SignOutCarried,
};
use sim::server::Kind;
use sim::world::faults::Faults;
use sim::world::{Channel, Scenario};

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
            holds(&session(2, &[Get, Renewed], server, lock, Ending::None).with(ALL, 1));
        }
    }
}

#[test]
fn no_two_faults_break_an_invariant_between_two_contexts() {
    for server in SERVERS {
        for lock in LOCKS {
            holds(&session(2, &[Get], server, lock, Ending::None).with(ALL, 2));
            holds(&successor(2, &[Carry("u.0")], server, lock).with(ALL, 2));
        }
    }
}

#[test]
fn no_fault_of_any_kind_breaks_an_invariant_when_the_user_signs_out_or_another_one_signs_in() {
    for server in [Kind::Strict, Kind::Grace(GRACE)] {
        for lock in LOCKS {
            for ending in ENDINGS {
                holds(&session(2, &[Get], server, lock, ending).with(EVERYTHING, 1));
            }
        }
    }
}

#[test]
fn clocks_that_jump_reads_that_lie_and_servers_that_are_away_cost_no_session() {
    for server in SERVERS {
        for lock in LOCKS {
            holds(&session(2, &[Get, Renewed], server, lock, Ending::None).with(HARMLESS, 1));
        }
    }
}

#[test]
fn a_token_that_was_sent_before_waits_while_an_access_token_lives() {
    for lock in LOCKS {
        for calls in [&[Get, Get][..], &[Ahead, NotThis("u-access-0")], &[Minted]] {
            holds(&session(2, calls, Kind::Strict, lock, Ending::None).living(5_000).with(ALL, 1));
            holds(&session(2, calls, Kind::Strict, lock, Ending::None).living(60_000).with(ALL, 1));
        }
    }
}

#[test]
fn two_calls_at_once_in_a_context_neither_meet_nor_mix() {
    for lock in LOCKS {
        let both = session(2, &[Get], Kind::Strict, lock, Ending::None);
        holds(&both.beside(&[GetFor("a")]));
        let alone = session(1, &[Get], Kind::Strict, lock, Ending::SignOut);
        // With faults of every kind these two take a minute: that is for `prove`.
        holds(&alone.beside(&[GetFor("a")]).with(Faults { slow: true, ..NONE }, 1));
        let leaving = session(1, &[Get, Get], Kind::Strict, lock, Ending::None);
        let faults = Faults { write: true, read: true, slow: true, ..NONE };
        holds(&leaving.beside(&[SignOut, SignIn("v"), Get]).with(faults, 1));
    }
}

#[test]
fn who_signs_in_again_after_a_sign_out_that_failed_is_signed_in() {
    for lock in LOCKS {
        let writes = Faults { write: true, ..NONE };
        holds(&session(1, &[SignOut, SignIn("u"), Get], Kind::Strict, lock, Ending::None).with(writes, 3));
    }
}

#[test]
fn what_waits_for_revocation_survives_revocations_that_fail() {
    for lock in LOCKS {
        let calls = session(1, &[Get], Kind::Strict, lock, Ending::None);
        let faults = Faults { revoke: true, ..ALL };
        holds(&meanwhile(calls, &[SignOut, Drain, SignIn("v"), Drain]).with(faults, 1));
    }
}

#[test]
fn announcements_change_nothing_but_speed() {
    for lock in LOCKS {
        let switch = session(2, &[Get], Kind::Strict, lock, Ending::Switch);
        holds(&switch.heard(Channel::Prompt).with(ALL, 1));
        holds(&session(2, &[Get], Kind::Strict, lock, Ending::SignOut).heard(Channel::Late).with(ALL, 1));
    }
}

#[test]
fn three_contexts_present_each_token_once() {
    for server in SERVERS {
        for lock in LOCKS {
            holds(&session(3, &[Get], server, lock, Ending::Switch));
            holds(&session(3, &[Get], server, lock, Ending::None).with(ALL, 1));
        }
    }
}

#[test]
fn late_callers_in_successor_mode_find_what_became_of_their_token() {
    let late = [Carry("u.0"), CarryMinted("u.0")];
    for lock in LOCKS {
        holds(&successor(2, &late, Kind::NonRotating, lock).with(ALL, 1));
        holds(&successor(2, &late, Kind::Strict, lock).with(HARMLESS, 1));
        holds(&meanwhile(successor(2, &[Carry("u.0")], Kind::Strict, lock), &[SignOutCarried("u.0")]).with(ALL, 1));
        for server in SERVERS {
            holds(&successor(2, &late, server, lock));
        }
    }
}

#[test]
fn taking_states_that_differ_in_names_for_one_loses_none() {
    for lock in LOCKS {
        for world in [
            session(3, &[Get], Kind::Strict, lock, Ending::SignOut).with(NONE, 0),
            session(3, &[Get], Kind::Forking, lock, Ending::None)
                .with(Faults { network: true, write: true, ..NONE }, 1),
            session(2, &[Get, SignIn("v")], Kind::GraceSibling(GRACE), lock, Ending::None).with(EVERYTHING, 1),
        ] {
            let found = explore(&world).map_err(|violation| violation.trace).expect("no violation");
            assert_eq!(found.states, count_without_symmetry(&world), "{}", world.name);
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
