//! What a context does in the simulated world: its role, the actions of its programs, and how each one ends.

use refresh_coordinator::protocol::context::{Call, Carried, Context};
use refresh_coordinator::protocol::demand::{Demand, Need};
use refresh_coordinator::protocol::failure::Failure;
use refresh_coordinator::protocol::ports::{LockScope, Params};
use refresh_coordinator::protocol::settings::Settings;
use refresh_coordinator::protocol::tokens::{Secret, TokenSet};
use refresh_coordinator::protocol::verdict::{Granted, Reason};

use super::ports::World;
use super::text::Text;

/// The life of every access token in the simulated world, in milliseconds.
pub const LIFETIME: i64 = 3_600_000;

/// How many programs a context may run side by side.
pub const PROGRAMS: usize = 2;

/// What distinguishes one context from another.
#[derive(Clone, Debug)]
pub struct Role {
    pub name: char,
    /// What it does; with two programs, side by side.
    pub programs: Vec<Vec<Action>>,
    pub lock: LockScope,
    pub settings: Settings,
    pub can_revoke: bool,
    /// The lag that its store declares, in milliseconds.
    pub lag: i64,
    /// The session it holds when it begins.
    pub sid: Option<&'static str>,
}

impl Role {
    /// Do they differ in nothing but their name?
    pub fn is_like(&self, other: &Self) -> bool {
        let all = |role: &Self| {
            let Self { name: _, programs, lock, settings, can_revoke, lag, sid } = role.clone();
            (programs, lock, settings, can_revoke, lag, sid)
        };
        all(self) == all(other)
    }
}

/// One action of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A valid token.
    Get,
    /// A valid token for this scope.
    GetFor(&'static str),
    /// One that is not about to expire: a refresh ahead of need.
    Ahead,
    /// Another one than this, which a resource server refused.
    NotThis(&'static str),
    /// A newer one than this context had before.
    Renewed,
    /// One minted after the call.
    Minted,
    /// Successor mode: a valid token for this carried refresh token.
    Carry(&'static str),
    /// Successor mode: the same, minted after the call.
    CarryMinted(&'static str),
    /// Successor mode: the session of this carried refresh token ends.
    SignOutCarried(&'static str),
    SignOut,
    /// This user signs in.
    SignIn(&'static str),
    /// Work off the revocation queue.
    Drain,
}

impl Action {
    /// The scope it asks for.
    pub fn scope(self) -> &'static str {
        match self {
            Self::GetFor(scope) => scope,
            _ => "",
        }
    }

    /// Must what it brings have been minted after it began?
    pub fn wants_new(self) -> bool {
        matches!(self, Self::Minted | Self::CarryMinted(_))
    }
}

/// What a context does between two effects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    Released,
    Announced {
        generation: u64,
    },
    /// Callers have tokens although the exchange is not over.
    Early,
    /// The n-th action of its program begins.
    Began(usize),
    /// It ends so.
    Settled(usize, Outcome),
}

/// How an action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Tokens { refresh: Option<Text>, access: Option<Text> },
    NoSession,
    Revoked(Reason),
    Transient,
    Failed,
    Done,
}

/// Runs one program of a context.
pub async fn run(context: &Context<World>, role: &Role, program: usize) {
    let mut sid = role.sid.map(str::to_owned);
    for (index, action) in role.programs[program].iter().enumerate() {
        context.world.output(Output::Began(index));
        let outcome = act(context, *action, sid.take()).await;
        context.world.output(Output::Settled(index, outcome));
    }
}

async fn act(context: &Context<World>, action: Action, sid: Option<String>) -> Outcome {
    let early = |_: &TokenSet| context.world.output(Output::Early);
    let call = Call { sid: sid.or_else(|| context.sid()), on_look: &|| (), on_sent: &|| (), on_tokens: &early };
    let params: Params = match action.scope() {
        "" => Vec::new(),
        scope => vec![("scope".to_owned(), scope.to_owned())],
    };
    let demand = |need| Demand { params: params.clone(), need };
    match action {
        Action::Get | Action::GetFor(_) => outcome(context.refresh(&demand(Need::Valid), &call).await),
        Action::Ahead => outcome(context.refresh(&demand(Need::Ahead), &call).await),
        Action::NotThis(token) => outcome(context.refresh(&demand(Need::NotThis(Secret::new(token))), &call).await),
        Action::Renewed => outcome(context.refresh(&demand(Need::Newer(context.mark(&Vec::new(), None))), &call).await),
        Action::Minted => outcome(context.refresh(&demand(Need::MintedAfterNow), &call).await),
        Action::Carry(token) => outcome(context.renew(&carried(token), &demand(Need::Valid), &call).await),
        Action::CarryMinted(token) => {
            outcome(context.renew(&carried(token), &demand(Need::MintedAfterNow), &call).await)
        }
        Action::SignIn(user) => {
            let mut tokens = carried(&format!("{user}.0"));
            tokens.granted.access_token = Some(Secret::new(format!("{user}-access-0")));
            tokens.granted.lifetime = Some(LIFETIME);
            outcome(context.sign_in(tokens, &Vec::new()).await)
        }
        Action::SignOut => context.sign_out().await.map_or(Outcome::Failed, |_| Outcome::Done),
        Action::SignOutCarried(token) => {
            context.sign_out_carried(&carried(token)).await.map_or(Outcome::Failed, |_| Outcome::Done)
        }
        Action::Drain => {
            context.drain().await;
            Outcome::Done
        }
    }
}

fn carried(token: &str) -> Carried {
    let subject = token.split('.').next().map(str::to_owned);
    Carried {
        granted: Granted { refresh_token: Some(Secret::new(token)), subject, ..Granted::default() },
        issued_at: 0,
        fixed: false,
    }
}

fn outcome(result: Result<TokenSet, Failure>) -> Outcome {
    let text = |secret: &Secret| Text::of(secret.expose());
    match result {
        Ok(tokens) => Outcome::Tokens {
            refresh: tokens.refresh_token.as_ref().map(text),
            access: tokens.grant.access_token.as_ref().map(text),
        },
        Err(Failure::NoSession { .. }) => Outcome::NoSession,
        Err(Failure::Revoked { reason, .. }) => Outcome::Revoked(reason),
        Err(Failure::Transient { .. }) => Outcome::Transient,
        Err(_) => Outcome::Failed,
    }
}
