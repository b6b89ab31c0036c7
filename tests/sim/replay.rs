//! The replaying ports: an exchange is a deterministic function of the replies it gets, so a context's state *is* the
//! list of its replies. To learn what it wants next, it is run afresh from the start with the recorded replies.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, Waker};

use refresh_coordinator::protocol::context::{Call, Carried, Context};
use refresh_coordinator::protocol::demand::{Demand, Need};
use refresh_coordinator::protocol::failure::Failure;
use refresh_coordinator::protocol::names::Names;
use refresh_coordinator::protocol::notice::Notice;
use refresh_coordinator::protocol::ports::{
    Address, Channel, Clock, LockScope, Locks, Observer, Presentation, Randomness, Store, StoreFailure, TokenEndpoint,
    Versioned, Wait, Waiting, Woken, Written,
};
use refresh_coordinator::protocol::settings::Settings;
use refresh_coordinator::protocol::tokens::{Secret, TokenSet};
use refresh_coordinator::protocol::verdict::{Class, Details, Fault, Granted, Reason, Refusal, Spent, Verdict};

/// The life of every access token in the simulated world, in milliseconds.
pub const LIFETIME: i64 = 3_600_000;

/// What a context wants from the world.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    Read { key: String },
    Write { key: String, value: String, if_version: Option<String>, ttl: Option<i64> },
    Wait { lock: bool, hint_after: Option<u64>, until: i64 },
    Present { token: String },
    Revoke { token: String },
}

/// What the world answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    Read(Option<(String, String)>),
    Written(String),
    Conflict,
    StoreFailed,
    Locked,
    Hinted,
    Elapsed,
    Granted {
        refresh: String,
        access: String,
    },
    Refused,
    /// The reply was lost, or came too late.
    Lost,
    Revoked,
}

/// What a context notices of the world when a reply reaches it. Between replies nothing changes for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Senses {
    pub now: i64,
    pub heard: u64,
}

/// What a context does between two effects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    Tokens { refresh: Option<String>, access: Option<String> },
    NoSession,
    Revoked(Reason),
    Transient,
    Failed,
    Done,
}

/// One action of a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// A valid token.
    Get,
    /// A newer one than this context had before.
    Renewed,
    /// One minted after the call.
    Minted,
    /// Successor mode: a valid token for this carried refresh token.
    Carry(&'static str),
    /// Successor mode: the same, minted after the call.
    CarryMinted(&'static str),
    SignOut,
    /// This user signs in.
    SignIn(&'static str),
    /// Work off the revocation queue.
    Drain,
}

/// What distinguishes one context from another.
#[derive(Clone, Debug)]
pub struct Role {
    pub name: char,
    pub program: Vec<Action>,
    pub lock: LockScope,
    pub settings: Settings,
    pub can_revoke: bool,
    /// The session it holds when it begins.
    pub sid: Option<&'static str>,
}

/// What a context does next, and what it did to get there.
#[derive(Clone, Debug)]
pub struct Next {
    pub effect: Option<Effect>,
    pub outputs: Vec<Output>,
}

/// Runs a context from its start through the recorded replies.
pub fn replay(role: &Role, replies: Vec<(Reply, Senses)>) -> Next {
    let ports = Rc::new(Ports {
        role: role.clone(),
        replies: RefCell::new(replies.into_iter()),
        senses: Cell::default(),
        pending: RefCell::default(),
        outputs: RefCell::default(),
        nonces: Cell::new(0),
    });
    let world = World(ports.clone());
    let context = Context::new(world, role.settings.clone(), names());
    let done = {
        let mut program = pin!(run(&context, role));
        program.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_ready()
    };
    let effect = ports.pending.borrow().clone();
    assert_eq!(done, effect.is_none(), "a context waits for one effect, or is done");
    assert!(ports.replies.borrow().len() == 0, "all recorded replies are used");
    let outputs = ports.outputs.take();
    Next { effect, outputs }
}

/// The names all contexts share.
pub fn names() -> Names {
    Names::new("https://issuer.example/token", "client", "session")
}

async fn run(context: &Context<World>, role: &Role) {
    let ports = context.world.0.clone();
    let mut sid = role.sid.map(str::to_owned);
    for (index, action) in role.program.iter().enumerate() {
        ports.outputs.borrow_mut().push(Output::Began(index));
        let outcome = act(context, *action, sid.take()).await;
        ports.outputs.borrow_mut().push(Output::Settled(index, outcome));
    }
}

async fn act(context: &Context<World>, action: Action, sid: Option<String>) -> Outcome {
    let early = |_: &TokenSet| context.world.output(Output::Early);
    let call = Call { sid: sid.or_else(|| context.sid()), on_look: &|| (), on_sent: &|| (), on_tokens: &early };
    let demand = |need| Demand { params: Vec::new(), need };
    match action {
        Action::Get => outcome(context.refresh(&demand(Need::Valid), &call).await),
        Action::Renewed => outcome(context.refresh(&demand(Need::Newer(context.mark(&Vec::new()))), &call).await),
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
        Action::Drain => {
            context.drain().await;
            Outcome::Done
        }
    }
}

fn carried(token: &str) -> Carried {
    Carried { granted: Granted { refresh_token: Some(Secret::new(token)), ..Granted::default() }, issued_at: 0 }
}

fn outcome(result: Result<TokenSet, Failure>) -> Outcome {
    let text = |secret: &Secret| secret.expose().to_owned();
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

struct Ports {
    role: Role,
    replies: RefCell<std::vec::IntoIter<(Reply, Senses)>>,
    senses: Cell<Senses>,
    pending: RefCell<Option<Effect>>,
    outputs: RefCell<Vec<Output>>,
    nonces: Cell<u32>,
}

struct World(Rc<Ports>);

/// The lock while it is held.
struct Held(Rc<Ports>);

impl Drop for Held {
    fn drop(&mut self) {
        // A program that is dropped while it waits does not let its lock go: it only stops being replayed.
        if self.0.pending.borrow().is_none() {
            self.0.outputs.borrow_mut().push(Output::Released);
        }
    }
}

impl World {
    async fn effect(&self, effect: Effect) -> Reply {
        let mut effect = Some(effect);
        poll_fn(|_| match self.0.replies.borrow_mut().next() {
            Some((reply, senses)) => {
                self.0.senses.set(senses);
                self.0.outputs.borrow_mut().clear();
                Poll::Ready(reply)
            }
            None => {
                *self.0.pending.borrow_mut() = effect.take();
                Poll::Pending
            }
        })
        .await
    }

    fn output(&self, output: Output) {
        self.0.outputs.borrow_mut().push(output);
    }
}

fn store_failed() -> StoreFailure {
    StoreFailure { code: "store-threw", message: String::new(), cause: None }
}

impl Store for World {
    async fn read(&self, at: &Address) -> Result<Option<Versioned>, StoreFailure> {
        match self.effect(Effect::Read { key: at.key.clone() }).await {
            Reply::Read(found) => Ok(found.map(|(value, version)| Versioned { value, version })),
            _ => Err(store_failed()),
        }
    }

    async fn write(
        &self,
        at: &Address,
        value: &str,
        _generation: u64,
        if_version: Option<&str>,
        ttl: Option<i64>,
    ) -> Result<Written, StoreFailure> {
        let if_version = if_version.map(str::to_owned);
        let effect = Effect::Write { key: at.key.clone(), value: value.to_owned(), if_version, ttl };
        match self.effect(effect).await {
            Reply::Written(version) => Ok(Written::Done(version)),
            Reply::Conflict => Ok(Written::Conflict),
            _ => Err(store_failed()),
        }
    }

    fn lag(&self) -> i64 {
        0
    }
}

impl Locks for World {
    type Held = Held;

    fn scope(&self, _key: &str) -> LockScope {
        self.0.role.lock
    }

    fn still_held(&self, _held: &Held) -> bool {
        true
    }
}

impl Waiting for World {
    async fn wait_any(&self, wait: Wait<'_>) -> Woken<Held> {
        let Wait { lock, hint_after, until, .. } = wait;
        match self.effect(Effect::Wait { lock, hint_after, until }).await {
            Reply::Locked => Woken::Locked(Held(self.0.clone())),
            Reply::Hinted => Woken::Hinted,
            _ => Woken::Elapsed,
        }
    }
}

impl Channel for World {
    fn announce(&self, _key: &str, _sid: &str, generation: u64) {
        self.output(Output::Announced { generation });
    }

    fn heard(&self, _key: &str) -> u64 {
        self.0.senses.get().heard
    }
}

impl TokenEndpoint for World {
    type Prepared = ();

    async fn prepare(&self, _attempt: u32) -> Result<(), Refusal> {
        Ok(())
    }

    async fn present(&self, (): (), presentation: Presentation<'_>) -> Verdict {
        let token = presentation.refresh_token.map_or("", Secret::expose).to_owned();
        let refused = |class, spent| {
            let details = Details::new(Fault::Server, "", "");
            Verdict::Refused(Box::new(Refusal { class, spent, details, retry_after: None }))
        };
        match self.effect(Effect::Present { token }).await {
            Reply::Granted { refresh, access } => Verdict::Granted(Box::new(Granted {
                refresh_token: Some(Secret::new(refresh)),
                access_token: Some(Secret::new(access)),
                lifetime: Some(LIFETIME),
                ..Granted::default()
            })),
            Reply::Refused => refused(Class::Revoked(Reason::Unknown), Spent::Yes),
            _ => refused(Class::Transient, Spent::Maybe),
        }
    }

    async fn revoke(&self, token: &Secret) -> Result<(), Refusal> {
        self.effect(Effect::Revoke { token: token.expose().to_owned() }).await;
        Ok(())
    }

    fn can_revoke(&self) -> bool {
        self.0.role.can_revoke
    }
}

impl Clock for World {
    fn wall(&self) -> i64 {
        self.0.senses.get().now
    }

    fn monotonic(&self) -> i64 {
        self.0.senses.get().now
    }
}

impl Randomness for World {
    fn nonce(&self) -> String {
        let count = self.0.nonces.get();
        self.0.nonces.set(count + 1);
        format!("{}{count}", self.0.role.name)
    }

    fn per_mille(&self) -> u32 {
        999
    }
}

impl Observer for World {
    fn notice(&self, _notice: Notice) {}
}
