//! The ports of a context that is replayed: every effect is answered from its recorded replies, or it is where the
//! replay stops.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use refresh_coordinator::protocol::notice::Notice;
use refresh_coordinator::protocol::ports::{
    Address, Channel, Clock, LockScope, Locks, Observer, Presentation, Randomness, Store, StoreFailure, TokenEndpoint,
    Versioned, Wait, Waiting, Woken, Written,
};
use refresh_coordinator::protocol::tokens::Secret;
use refresh_coordinator::protocol::verdict::{Class, Details, Fault, Granted, Reason, Refusal, Spent, Verdict};

use super::replay::{Effect, Reply, Senses};
use super::script::{LIFETIME, Output, PROGRAMS, Role};
use super::text::Text;

/// What a replay knows and notes.
pub struct Ports {
    role: Role,
    /// The program that runs at the moment.
    pub running: Cell<usize>,
    /// The reply it is given.
    pub reply: Cell<Option<Reply>>,
    pub senses: Cell<Senses>,
    /// What each program waits for.
    pub pending: RefCell<[Option<Effect>; PROGRAMS]>,
    pub outputs: RefCell<Vec<Output>>,
    nonces: Cell<u32>,
    /// The replay is over, and what is dropped now is only not replayed any further.
    pub over: Cell<bool>,
}

impl Ports {
    pub fn new(role: &Role) -> Self {
        Self {
            role: role.clone(),
            running: Cell::new(0),
            reply: Cell::new(None),
            senses: Cell::default(),
            pending: RefCell::default(),
            outputs: RefCell::default(),
            nonces: Cell::new(0),
            over: Cell::new(false),
        }
    }
}

/// The world as the core sees it.
#[derive(Clone)]
pub struct World(pub Rc<Ports>);

/// The lock while it is held.
pub struct Held(Rc<Ports>);

impl Drop for Held {
    fn drop(&mut self) {
        if !self.0.over.get() {
            self.0.outputs.borrow_mut().push(Output::Released);
        }
    }
}

impl World {
    async fn effect(&self, effect: Effect) -> Reply {
        self.0.pending.borrow_mut()[self.0.running.get()] = Some(effect);
        poll_fn(|_| match self.0.reply.take() {
            Some(reply) => {
                self.0.pending.borrow_mut()[self.0.running.get()] = None;
                Poll::Ready(reply)
            }
            None => Poll::Pending,
        })
        .await
    }

    pub fn output(&self, output: Output) {
        self.0.outputs.borrow_mut().push(output);
    }
}

fn store_failed() -> StoreFailure {
    StoreFailure { code: "store-threw", message: String::new(), cause: None }
}

impl Store for World {
    async fn read(&self, at: &Address) -> Result<Option<Versioned>, StoreFailure> {
        let versioned =
            |(value, version): (Text, u32)| Versioned { value: value.get().to_string(), version: version.to_string() };
        match self.effect(Effect::Read { key: Text::of(&at.key) }).await {
            Reply::Read(found) => Ok(found.map(versioned)),
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
        let if_version = if_version.and_then(|version| version.parse().ok());
        let effect = Effect::Write { key: Text::of(&at.key), value: Text::of(value), if_version, ttl };
        match self.effect(effect).await {
            Reply::Written(version) => Ok(Written::Done(version.to_string())),
            Reply::Conflict => Ok(Written::Conflict),
            _ => Err(store_failed()),
        }
    }

    fn lag(&self) -> i64 {
        self.0.role.lag
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
        let token = Text::of(presentation.refresh_token.map_or("", Secret::expose));
        let scope = Text::of(presentation.params.first().map_or("", |(_, scope)| scope));
        let refused = |class, spent| Verdict::Refused(Box::new(refusal(class, spent)));
        match self.effect(Effect::Present { token, scope }).await {
            Reply::Granted { refresh, access, subject } => Verdict::Granted(Box::new(Granted {
                refresh_token: Some(Secret::new(&*refresh.get())),
                access_token: Some(Secret::new(&*access.get())),
                lifetime: Some(LIFETIME),
                subject: subject.map(|subject| subject.get().to_string()),
                ..Granted::default()
            })),
            Reply::Refused => refused(Class::Revoked(Reason::Unknown), Spent::Yes),
            Reply::Unavailable => refused(Class::Transient, Spent::No),
            _ => refused(Class::Transient, Spent::Maybe),
        }
    }

    async fn revoke(&self, token: &Secret) -> Result<(), Refusal> {
        match self.effect(Effect::Revoke { token: Text::of(token.expose()) }).await {
            Reply::Revoked => Ok(()),
            _ => Err(refusal(Class::Transient, Spent::No)),
        }
    }

    fn can_revoke(&self) -> bool {
        self.0.role.can_revoke
    }
}

fn refusal(class: Class, spent: Spent) -> Refusal {
    Refusal { class, spent, details: Details::new(Fault::Server, "", ""), retry_after: None }
}

impl Clock for World {
    fn wall(&self) -> i64 {
        self.0.senses.get().wall
    }

    fn monotonic(&self) -> i64 {
        self.0.senses.get().now
    }
}

impl Randomness for World {
    /// Names its context, so that interchangeable ones can be told apart and renamed.
    fn nonce(&self) -> String {
        let count = self.0.nonces.get();
        self.0.nonces.set(count + 1);
        format!("@{}{count}", self.0.role.name)
    }

    fn per_mille(&self) -> u32 {
        999
    }
}

impl Observer for World {
    fn notice(&self, _notice: Notice) {}
}
