//! The long searches: `npm run prove`. What `npm test` searches with one fault is searched here with two, and with
//! three and four contexts. Each world is told in a line as soon as it is searched, and each sweep in a row.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable, clippy::unwrap_used)] // A test may panic.

#[allow(dead_code)] // Shared by several test programs; each uses its part.
mod sim;

use std::time::Instant;

use refresh_coordinator::protocol::ports::LockScope;
use sim::explore::explore;
use sim::scenarios::{
    ALL, ENDINGS, EVERYTHING, Ending, GRACE, HARMLESS, LOCKS, NONE, SERVERS, meanwhile, session, successor,
};
use sim::script::Action::{
    self, Ahead, Carry, CarryMinted, Drain, Get, GetFor, Minted, NotThis, Renewed, SignIn, SignOut, SignOutCarried,
};
use sim::server::Kind;
use sim::world::faults::Faults;
use sim::world::{Channel, Scenario};

/// Strict, and with a grace window of each kind.
const DEMANDED: [Kind; 4] = [Kind::Strict, Kind::Grace(GRACE), Kind::GraceSibling(GRACE), Kind::GraceLatest(GRACE)];

/// Searches each of these worlds completely. Fails with the shortest trace of the first violation.
fn sweep(name: &str, worlds: impl Iterator<Item = Scenario>) {
    let began = Instant::now();
    let (mut runs, mut states, mut largest, mut contexts, mut faults) = (0, 0, 0, 0, 0);
    for world in worlds {
        match explore(&world) {
            Ok(found) => {
                println!("{}, {} faults: {} states, {:.1} s", world.name, world.budget, found.states, found.seconds);
                (runs, states, largest) = (runs + 1, states + found.states, largest.max(found.states));
                (contexts, faults) = (contexts.max(world.roles.len()), faults.max(world.budget));
            }
            Err(violation) => panic!("{}", violation.trace),
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("| {name} | {contexts} | {faults} | {runs} | {states} | {largest} | {seconds:.0} s | no violation |");
}

fn each<'a>(servers: &'a [Kind], locks: &'a [LockScope]) -> impl Iterator<Item = (Kind, LockScope)> + 'a {
    servers.iter().flat_map(move |server| locks.iter().map(move |lock| (*server, *lock)))
}

fn each_ending(
    servers: &'static [Kind],
    endings: &'static [Ending],
) -> impl Iterator<Item = (Kind, LockScope, Ending)> + 'static {
    each(servers, &LOCKS).flat_map(move |(server, lock)| endings.iter().map(move |ending| (server, lock, *ending)))
}

#[test]
fn three_contexts_two_faults() {
    let world = |(server, lock)| session(3, &[Get], server, lock, Ending::None).with(ALL, 2);
    sweep("session mode, every server, with locks and by lease", each(&SERVERS, &LOCKS).map(world));
}

#[test]
fn three_contexts_two_faults_and_a_sign_out() {
    let world = |(server, lock)| session(3, &[Get], server, lock, Ending::SignOut).with(ALL, 2);
    sweep(
        "session mode, strict and refusing, with locks, sign-out",
        each(&[Kind::Strict, Kind::RefuseOnly], &LOCKS[..1]).map(world),
    );
}

#[test]
fn three_contexts_one_fault_and_another_user() {
    let world = |(server, lock, ending)| session(3, &[Get], server, lock, ending).with(ALL, 1);
    sweep("session mode, every server, sign-out and sign-in", each_ending(&SERVERS, &ENDINGS[1..]).map(world));
}

#[test]
fn four_contexts_one_fault() {
    let world = |(server, lock)| session(4, &[Get], server, lock, Ending::None).with(ALL, 1);
    sweep("session mode, strict and grace", each(&DEMANDED, &LOCKS).map(world));
    let world = |(server, lock)| session(4, &[Get], server, lock, Ending::SignOut).with(ALL, 1);
    sweep("session mode, strict and grace, sign-out", each(&DEMANDED[..2], &LOCKS).map(world));
}

#[test]
fn successor_mode_three_contexts_two_faults() {
    let world = |(server, lock)| successor(3, &[Carry("u.0")], server, lock).with(ALL, 2);
    sweep("successor mode, every server", each(&SERVERS, &LOCKS).map(world));
}

#[test]
fn successor_mode_two_calls() {
    let late = [Carry("u.0"), CarryMinted("u.0")];
    let world = |(server, lock)| successor(2, &late, server, lock).with(ALL, 1);
    sweep("successor mode, late callers", each(&SERVERS, &LOCKS).map(world));
    let harmless = |(server, lock)| successor(2, &late, server, lock).with(HARMLESS, 1);
    sweep("successor mode, late callers, harmless faults", each(&SERVERS, &LOCKS).map(harmless));
    let everything = |(server, lock)| successor(2, &[Carry("u.0")], server, lock).with(EVERYTHING, 2);
    sweep("successor mode, faults of every kind", each(&SERVERS, &LOCKS).map(everything));
    let leaving =
        |(server, lock)| meanwhile(successor(2, &[Carry("u.0")], server, lock), &[SignOutCarried("u.0")]).with(ALL, 2);
    sweep("successor mode, strict and grace, sign-out", each(&DEMANDED[..2], &LOCKS).map(leaving));
}

#[test]
fn two_contexts_two_calls_two_faults() {
    let world = |(server, lock)| session(2, &[Get, Renewed], server, lock, Ending::None).with(ALL, 2);
    sweep("two calls each, every server", each(&SERVERS, &LOCKS).map(world));
}

#[test]
fn faults_of_every_kind() {
    let world = |(server, lock, ending)| session(2, &[Get], server, lock, ending).with(EVERYTHING, 2);
    sweep("faults of every kind, every server, sign-out and sign-in", each_ending(&SERVERS, &ENDINGS).map(world));
}

#[test]
fn harmless_faults_cost_no_session() {
    let world = |(server, lock)| session(2, &[Get, Renewed], server, lock, Ending::None).with(HARMLESS, 2);
    sweep("harmless faults, every server", each(&SERVERS, &LOCKS).map(world));
    let world = |(server, lock)| session(2, &[Get], server, lock, Ending::Switch).with(HARMLESS, 2);
    sweep("harmless faults, strict and grace, sign-in", each(&DEMANDED, &LOCKS).map(world));
}

#[test]
fn access_tokens_that_still_live() {
    let calls: [&'static [Action]; 3] = [&[Get, Get], &[Ahead, NotThis("u-access-0")], &[Minted]];
    let worlds = each(&DEMANDED, &LOCKS).flat_map(move |(server, lock)| {
        calls.into_iter().flat_map(move |calls| {
            [5_000, 60_000].into_iter().flat_map(move |life| {
                let world = session(2, calls, server, lock, Ending::None).living(life);
                [world.clone().with(ALL, 2), world.with(HARMLESS, 2)]
            })
        })
    });
    sweep("a valid access token, in both windows", worlds);
}

#[test]
fn two_calls_at_once_in_one_context() {
    let scopes = |(server, lock)| session(2, &[Get], server, lock, Ending::None).beside(&[GetFor("a")]).with(ALL, 1);
    sweep("two scopes at once in one context", each(&DEMANDED[..2], &LOCKS).map(scopes));
    let alone =
        |(server, lock)| session(1, &[Get], server, lock, Ending::Switch).beside(&[GetFor("a")]).with(EVERYTHING, 1);
    sweep("two scopes at once, another user signs in elsewhere", each(&DEMANDED[..2], &LOCKS).map(alone));
    let ending = |(server, lock)| session(1, &[Get], server, lock, Ending::SignOut).beside(&[GetFor("a")]).with(ALL, 1);
    sweep("two scopes at once, the user signs out elsewhere", each(&DEMANDED[..2], &LOCKS).map(ending));
    let leaving = |(server, lock)| {
        session(1, &[Get, Get], server, lock, Ending::None).beside(&[SignOut, SignIn("v"), Get]).with(EVERYTHING, 1)
    };
    sweep("a call beside a sign-out and a sign-in in the same context", each(&DEMANDED[..2], &LOCKS).map(leaving));
}

#[test]
fn announcements() {
    let worlds = each(&DEMANDED[..2], &LOCKS).flat_map(|(server, lock)| {
        let calls = session(2, &[Get, Renewed], server, lock, Ending::None);
        let leaving = session(2, &[Get], server, lock, Ending::SignOut);
        [
            calls.clone().heard(Channel::Prompt).with(ALL, 1),
            calls.heard(Channel::Late).with(ALL, 1),
            leaving.clone().heard(Channel::Prompt).with(ALL, 1),
            leaving.heard(Channel::Late).with(ALL, 1),
        ]
    });
    sweep("announcements heard at once, late or never", worlds);
}

#[test]
fn revocations_and_identities() {
    let revoking = |(server, lock)| {
        let calls = session(1, &[Get], server, lock, Ending::None);
        meanwhile(calls, &[SignOut, Drain, SignIn("v"), Drain]).with(Faults { revoke: true, ..ALL }, 2)
    };
    sweep("revocations that fail", each(&DEMANDED, &LOCKS).map(revoking));
    let faults = Faults { identity: true, write: true, read: true, revoke: true, ..NONE };
    let identity = move |(server, lock)| session(2, &[Get, Renewed], server, lock, Ending::None).with(faults, 2);
    sweep("replies for another user", each(&SERVERS, &LOCKS).map(identity));
    let stranger = |(server, lock, ending)| session(2, &[Get], server, lock, ending).strangers().with(ALL, 2);
    sweep("contexts that do not know the session yet", each_ending(&DEMANDED[..2], &ENDINGS).map(stranger));
    let faults = Faults { stale: true, network: true, ..NONE };
    let lagging =
        move |(server, lock)| session(2, &[Get, Renewed], server, lock, Ending::None).lagging(1_000).with(faults, 2);
    sweep("a store that declares a lag", each(&DEMANDED, &LOCKS).map(lagging));
    let faults = Faults { network: true, crash: true, ..NONE };
    let burst = move |(server, lock)| session(2, &[Get, Get, Get], server, lock, Ending::None).with(faults, 3);
    sweep("three calls each, lost replies and crashes", each(&[Kind::Strict], &LOCKS).map(burst));
}
