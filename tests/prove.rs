//! The long searches: `npm run prove`. What `npm test` searches with one fault is searched here with two, and with
//! three contexts.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable, clippy::unwrap_used)] // A test may panic.

#[allow(dead_code)] // Shared by several test programs; each uses its part.
mod sim;

use sim::explore::explore;
use sim::scenarios::*;
use sim::script::Action::{self, *};
use sim::server::Kind;
use sim::world::faults::Faults;
use sim::world::{Channel, Scenario};

fn holds(scenario: &Scenario) {
    match explore(scenario) {
        Ok(found) => println!(
            "{}, {} faults: {} states, {} histories, {:.1} s",
            scenario.name, scenario.budget, found.states, found.histories, found.seconds
        ),
        Err(violation) => println!("VIOLATION {}", violation.trace),
    }
}
fn budget() -> u8 {
    std::env::var("F").unwrap().parse().unwrap()
}
const DEMANDED: [Kind; 3] = [Kind::Strict, Kind::Grace(GRACE), Kind::GraceLatest(GRACE)];

#[test]
fn harmless() {
    for server in SERVERS {
        for lock in LOCKS {
            holds(&session(2, &[Get, Renewed], server, lock, Ending::None).with(HARMLESS, budget()));
        }
    }
    for server in DEMANDED {
        for lock in LOCKS {
            holds(&session(2, &[Get], server, lock, Ending::Switch).with(HARMLESS, budget()));
        }
    }
}
#[test]
fn everything() {
    for server in SERVERS {
        for lock in LOCKS {
            for ending in ENDINGS {
                holds(&session(2, &[Get], server, lock, ending).with(EVERYTHING, budget()));
            }
        }
    }
}
#[test]
fn living() {
    for server in DEMANDED {
        for lock in LOCKS {
            for life in [5_000, 60_000] {
                for calls in [&[Get, Get][..], &[Ahead, NotThis("u-access-0")], &[Minted]] {
                    holds(&session(2, calls, server, lock, Ending::None).living(life).with(ALL, budget()));
                    holds(&session(2, calls, server, lock, Ending::None).living(life).with(HARMLESS, budget()));
                }
            }
        }
    }
}
#[test]
fn beside() {
    for server in DEMANDED {
        for lock in LOCKS {
            holds(&session(2, &[Get], server, lock, Ending::None).beside(&[GetFor("a")]).with(ALL, budget()));
            holds(&session(1, &[Get], server, lock, Ending::Switch).beside(&[GetFor("a")]).with(EVERYTHING, budget()));
            holds(
                &session(2, &[GetFor("b")], server, lock, Ending::None)
                    .living(60_000)
                    .beside(&[GetFor("a")])
                    .with(ALL, budget()),
            );
        }
    }
}
#[test]
fn announced() {
    for server in DEMANDED {
        for lock in LOCKS {
            for channel in [Channel::Prompt, Channel::Late] {
                holds(&session(2, &[Get, Renewed], server, lock, Ending::None).heard(channel).with(ALL, budget()));
                holds(&session(2, &[Get], server, lock, Ending::Switch).heard(channel).with(ALL, budget()));
            }
        }
    }
}
#[test]
fn revocations() {
    let faults = Faults { revoke: true, ..ALL };
    for server in DEMANDED {
        for lock in LOCKS {
            holds(
                &meanwhile(session(1, &[Get], server, lock, Ending::None), &[SignOut, Drain, SignIn("v"), Drain])
                    .with(faults, budget()),
            );
        }
    }
}
#[test]
fn identity() {
    let faults = Faults { identity: true, write: true, read: true, revoke: true, ..NONE };
    for server in SERVERS {
        for lock in LOCKS {
            holds(&session(2, &[Get, Renewed], server, lock, Ending::None).with(faults, budget()));
        }
    }
}
#[test]
fn lag() {
    for server in DEMANDED {
        for lock in LOCKS {
            holds(
                &session(2, &[Get, Renewed], server, lock, Ending::None)
                    .lagging(1_000)
                    .with(Faults { stale: true, network: true, ..NONE }, budget()),
            );
        }
    }
}
#[test]
fn strangers() {
    for server in DEMANDED {
        for lock in LOCKS {
            for ending in ENDINGS {
                holds(&session(2, &[Get], server, lock, ending).strangers().with(ALL, budget()));
            }
        }
    }
}
#[test]
fn successor_signs_out() {
    for server in DEMANDED {
        for lock in LOCKS {
            holds(
                &meanwhile(successor(2, &[Carry("u.0")], server, lock), &[SignOutCarried("u.0")]).with(ALL, budget()),
            );
            holds(&successor(2, &[Carry("u.0")], server, lock).with(EVERYTHING, budget()));
            holds(&successor(2, &[Carry("u.0"), CarryMinted("u.0")], server, lock).with(HARMLESS, budget()));
        }
    }
}
#[test]
fn burst() {
    for lock in LOCKS {
        holds(
            &session(2, &[Get, Get, Get], Kind::Strict, lock, Ending::None)
                .with(Faults { network: true, crash: true, ..NONE }, budget() + 1),
        );
    }
}
#[test]
fn measure() {
    let env = |name: &str| std::env::var(name).unwrap().parse::<usize>().unwrap();
    let (contexts, faults) = (env("C"), env("F") as u8);
    let server = SERVERS[env("S")];
    let ending = ENDINGS[env("E")];
    let lock = LOCKS[env("L")];
    let calls: &[Action] = if env("N") == 1 { &[Action::Get] } else { &[Action::Get, Action::Renewed] };
    if env("M") == 0 {
        holds(&session(contexts, calls, server, lock, ending).with(ALL, faults));
    } else {
        let late = [Action::Carry("u.0"), Action::CarryMinted("u.0")];
        holds(&successor(contexts, &late[..env("N")], server, lock).with(ALL, faults));
    }
}
#[test]
fn big() {
    holds(&session(4, &[Get], Kind::Strict, LOCKS[0], Ending::Switch).with(ALL, 1));
    holds(&session(4, &[Get], Kind::Grace(GRACE), LOCKS[1], Ending::SignOut).with(ALL, 1));
    holds(&session(3, &[Get], Kind::Strict, LOCKS[0], Ending::SignOut).with(ALL, 2));
    holds(&session(3, &[Get], Kind::Strict, LOCKS[0], Ending::Switch).with(ALL, 2));
}
