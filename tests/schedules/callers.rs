//! Callers: what they want of a coordinator, one thing after the other, and who goes away before it comes.

use std::rc::Rc;

use refresh_coordinator::protocol::demand::{Demand, Need};
use refresh_coordinator::protocol::ports::Params;
use refresh_coordinator::protocol::tokens::Secret;

use super::coordinator::Coordinator;
use super::monitor::LIFETIME;
use super::process::Running;
use super::time::step;
use super::trace::{chance, note, reached};

/// One thing a caller wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// A token that is valid.
    Valid,
    /// One that is valid for long.
    Ahead,
    /// A newer one than its tab has handed out.
    Newer,
    /// One that was asked for after this call.
    Minted,
    /// Another one than it was given: a resource server has refused it.
    Other,
    /// A valid one for a carried refresh token.
    Carry(&'static str),
    /// One asked for after this call, for a carried refresh token.
    CarryMinted(&'static str),
    /// Nothing, until the access tokens have expired.
    Sleep,
}

/// A caller without request parameters.
pub fn caller(coordinator: &Rc<Coordinator>, wants: &'static [Want]) -> Running {
    caller_with(coordinator, wants, Params::new())
}

/// A caller with these parameters.
pub fn caller_with(coordinator: &Rc<Coordinator>, wants: &'static [Want], params: Params) -> Running {
    let caller = coordinator.clone();
    let name = format!("{}'s caller {wants:?}", coordinator.tab().name);
    coordinator.tab().process.spawn(&coordinator.site().time, name, async move {
        let site = caller.site().clone();
        let mut last = Secret::new("");
        for want in wants {
            step().await;
            if *want == Want::Sleep {
                site.time.alarm(site.time.now() + LIFETIME).await;
                continue;
            }
            let (presented, need) = needs(*want, &caller, &params, &last);
            let demand = Demand { params: params.clone(), need };
            let asked = caller.ask(&format!("caller of {want:?}"), presented, demand);
            let outcome = asked.promise.value().await;
            site.ledger.answered(&site, &asked, &outcome);
            last = outcome.ok().and_then(|tokens| tokens.grant.access_token).unwrap_or(last);
        }
    })
}

fn needs(want: Want, coordinator: &Coordinator, params: &Params, last: &Secret) -> (Option<Secret>, Need) {
    match want {
        Want::Valid | Want::Sleep => (None, Need::Valid),
        Want::Ahead => (None, Need::Ahead),
        Want::Newer => (None, coordinator.newer(params)),
        Want::Minted => (None, Need::MintedAfterNow),
        Want::Other => (None, Need::NotThis(last.clone())),
        Want::Carry(token) => (Some(Secret::new(token)), Need::Valid),
        Want::CarryMinted(token) => (Some(Secret::new(token)), Need::MintedAfterNow),
    }
}

/// The same caller, but it goes away at some point, wherever it stands.
pub fn goes_away(coordinator: &Rc<Coordinator>, caller: Running) {
    let tab = coordinator.tab().clone();
    coordinator.site().time.spawn("a caller's patience".to_owned(), async move {
        for _ in 0..chance(24) {
            step().await;
        }
        if !caller.has_ended() {
            note(|| format!("{}: a caller goes away", tab.name));
            reached("a caller went away");
        }
        caller.end();
    });
}

/// What the users in front of a tab do, one after the other, at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    SignOut,
    SignIn(&'static str),
}

/// Users in front of a tab.
pub fn users(coordinator: &Rc<Coordinator>, deeds: &'static [Deed]) {
    let here = coordinator.clone();
    let name = format!("{}'s users {deeds:?}", coordinator.tab().name);
    coordinator.tab().process.spawn(&coordinator.site().time, name, async move {
        for deed in deeds {
            for _ in 0..chance(24) {
                step().await;
            }
            match deed {
                Deed::SignOut => here.sign_out().await,
                Deed::SignIn(user) => here.sign_in(user).await,
            }
        }
    });
}
