//! Who takes part: tabs, their callers and their users.

use std::rc::Rc;

use refresh_coordinator::protocol::ports::{LockScope, Params};

use super::callers::Want::{Ahead, Carry, CarryMinted, Minted, Newer, Other, Sleep, Valid};
use super::callers::{Deed, caller, caller_with, goes_away, users};
use super::coordinator::Coordinator;
use super::site::Site;
use super::time::step;

/// Puts tabs and callers into a world, with this kind of locks.
pub type Cast = fn(&Rc<Site>, LockScope);

fn tab(site: &Rc<Site>, lock: LockScope) -> Rc<Coordinator> {
    Coordinator::open(site, lock, true)
}

/// Three tabs, three callers in each, one of whom goes away: the token has expired for all of them.
pub fn everybody(site: &Rc<Site>, lock: LockScope) {
    for _ in 0..3 {
        let here = tab(site, lock);
        caller(&here, &[Valid]);
        caller(&here, &[Valid, Sleep, Valid]);
        goes_away(&here, caller(&here, &[Valid]));
    }
}

/// Two tabs whose callers want tokens for three kinds of request parameters at once.
pub fn parameters(site: &Rc<Site>, lock: LockScope) {
    for _ in 0..2 {
        let here = tab(site, lock);
        for params in [Params::new(), scope("a"), scope("b")] {
            caller_with(&here, &[Valid], params.clone());
            caller_with(&here, &[Valid], params);
        }
    }
}

fn scope(value: &str) -> Params {
    vec![("scope".to_owned(), value.to_owned())]
}

/// Two tabs whose callers want tokens of every kind at once.
pub fn needs(site: &Rc<Site>, lock: LockScope) {
    for _ in 0..2 {
        let here = tab(site, lock);
        caller(&here, &[Valid, Newer]);
        caller(&here, &[Minted]);
        caller(&here, &[Minted, Valid]);
        caller(&here, &[Valid, Other]);
        goes_away(&here, caller(&here, &[Ahead, Newer]));
    }
}

/// Two tabs in which users come and go while callers of both wait.
pub fn users_change(site: &Rc<Site>, lock: LockScope) {
    let (here, there) = (tab(site, lock), tab(site, lock));
    for tab in [&here, &there] {
        caller(tab, &[Valid, Newer]);
        caller(tab, &[Valid, Valid, Minted]);
    }
    users(&here, &[Deed::SignOut, Deed::SignIn("v")]);
    users(&there, &[Deed::SignOut, Deed::SignIn("w")]);
}

/// One tab whose user signs out while its own exchange runs, and signs in again.
pub fn one_leaves(site: &Rc<Site>, lock: LockScope) {
    let here = tab(site, lock);
    caller(&here, &[Valid]);
    caller(&here, &[Valid, Minted]);
    users(&here, &[Deed::SignOut, Deed::SignIn("v")]);
}

/// Two tabs without a revocation endpoint, so that the store may forget a tombstone at once; one of them signs somebody
/// else in without a sign-out.
pub fn one_replaces(site: &Rc<Site>, lock: LockScope) {
    let (here, there) = (Coordinator::open(site, lock, false), Coordinator::open(site, lock, false));
    for tab in [&here, &there] {
        caller(tab, &[Valid, Newer]);
        caller(tab, &[Valid, Valid]);
    }
    users(&here, &[Deed::SignIn("v")]);
    users(&there, &[Deed::SignOut]);
    let forgetful = site.clone();
    site.time.spawn("the store forgets".to_owned(), async move {
        for _ in 0..48 {
            step().await;
            forgetful.expire();
        }
    });
}

/// Two servers whose callers carry the same token, and come back with it.
pub fn carriers(site: &Rc<Site>, lock: LockScope) {
    for _ in 0..2 {
        let here = tab(site, lock);
        caller(&here, &[Carry("u.0"), Carry("u.0")]);
        caller(&here, &[Carry("u.0"), CarryMinted("u.0")]);
        goes_away(&here, caller(&here, &[Carry("u.0")]));
    }
}

/// A tab with locks beside one that has none.
pub fn mixed(site: &Rc<Site>, _lock: LockScope) {
    for lock in [LockScope::Covering, LockScope::None] {
        let here = tab(site, lock);
        caller(&here, &[Valid]);
        caller(&here, &[Valid, Newer]);
    }
}
