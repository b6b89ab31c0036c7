//! What the protocol needs from the world: small traits, implemented by `host` in production and by a simulated
//! world in the searches.
//!
//! Contract for every implementation: a future does its effect when it is first polled, synchronously up to its
//! first suspension, so that a check followed by `.await` of a port has nothing in between. Every wait ends.

use super::notice::Notice;
use super::tokens::{Millis, Secret};
use super::verdict::{Cause, Refusal, Verdict};

/// A wait that ends so much later than it should was slept through, in milliseconds: a timer alone is not that late.
pub const SLEPT: Millis = 1_000;

/// Where a record lives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// The store's key; also the name of lock and channel. A hash: holds no name and no token.
    pub key: String,
    /// The secret that seals the value, in successor mode: the presented token. A store sees only sealed text.
    pub seal: Option<Secret>,
}

/// A value with the version that a conditional write must name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Versioned {
    /// The encoded record, unsealed.
    pub value: String,
    /// Opaque; never used twice for a key.
    pub version: String,
}

/// What a conditional write did.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Written {
    /// Written; this is the new version.
    Done(String),
    /// The version was another one. Nothing was written.
    Conflict,
}

/// The store threw, hung or returned garbage. For a write that means: outcome unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct StoreFailure {
    /// Stable, kebab-case: `store-threw`, `store-timeout`, `store-garbage`, or what one of our own stores says.
    pub code: &'static str,
    /// One sentence for the developer, without tokens.
    pub message: String,
    /// The host's own error object behind it.
    pub cause: Option<Cause>,
}

/// A versioned register, like HTTP's `ETag` and `If-Match`.
#[allow(async_fn_in_trait)] // One thread: no `Send` bound is wanted.
pub trait Store {
    /// The value and its version, or nothing.
    async fn read(&self, at: &Address) -> Result<Option<Versioned>, StoreFailure>;

    /// Writes if the version still is `if_version` (`None`: if there is nothing). `generation` is bound to the
    /// sealed text; `ttl` in milliseconds.
    async fn write(
        &self,
        at: &Address,
        value: &str,
        generation: u64,
        if_version: Option<&str>,
        ttl: Option<Millis>,
    ) -> Result<Written, StoreFailure>;

    /// For how long a read may return the previous value, in milliseconds.
    fn lag(&self) -> Millis;
}

/// What the locks of this host can do for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LockScope {
    /// There are none here: the intent alone decides.
    None,
    /// They queue some contexts, but not all that share the store: a free lock proves nothing.
    Partial,
    /// They cover every context that shares the store: a free lock proves the owner of a locked intent gone.
    Covering,
}

/// Locks that the host releases when their holder dies. Dropping `Held` lets the lock go.
pub trait Locks {
    /// The lock while it is held.
    type Held;

    /// What the locks here can do for this key.
    fn scope(&self, key: &str) -> LockScope;

    /// Is the lock still ours? It may have been stolen.
    fn still_held(&self, held: &Self::Held) -> bool;
}

/// What to wait for. Several things at once are one wait with several outcomes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Wait<'a> {
    /// The record's key.
    pub key: &'a str,
    /// Wait to be granted the lock.
    pub lock: bool,
    /// Wait for a hint (announcement or store watch) newer than this count of [`Channel::heard`].
    pub hint_after: Option<u64>,
    /// Wait until this moment of the monotonic clock at the latest.
    pub until: Millis,
}

/// How a wait ended.
#[derive(Debug)]
pub enum Woken<Held> {
    /// The lock was granted.
    Locked(Held),
    /// The lock cannot be had on this host: from now on [`Locks::scope`] says so.
    Unlockable,
    /// There was a hint: the record may have changed.
    Hinted,
    /// The moment has come.
    Elapsed,
    /// The context was closed: there is nobody left to wait for. Who waits for a troubled store alone, with what was granted in
    /// its hands, hears it some time later.
    Dismissed,
}

/// The one place where an exchange waits.
#[allow(async_fn_in_trait)]
pub trait Waiting: Locks {
    /// Waits for the first of several events. What was not taken is withdrawn: a lock granted too late is let go.
    async fn wait_any(&self, wait: Wait<'_>) -> Woken<Self::Held>;
}

/// Says to other contexts that a record changed, and counts what they say. A message is a hint to read, never evidence.
pub trait Channel {
    /// Tells everybody who shares the store. Fire and forget.
    fn announce(&self, key: &str, sid: &str, generation: u64);

    /// How many hints about this key arrived here since the start. Listening begins with the first call for a key.
    fn heard(&self, key: &str) -> u64;
}

/// One request for new tokens.
#[derive(Clone, Debug)]
pub struct Presentation<'a> {
    /// The token to present, from the record just claimed. Absent only with a custom `refresh` that needs none.
    pub refresh_token: Option<&'a Secret>,
    /// Extra form parameters, sorted by name.
    pub params: &'a Params,
    /// Counts the presentations of this flight, from 1.
    pub attempt: u32,
    /// When the attempt is given up: wall clock, milliseconds since the epoch.
    pub deadline: Millis,
}

/// Extra form parameters of a request: names and values, sorted, names may repeat (RFC 8707 `resource`).
pub type Params = Vec<(String, String)>;

/// The authorization server, or the custom `refresh` in its place.
#[allow(async_fn_in_trait)]
pub trait TokenEndpoint {
    /// The client authentication of one attempt.
    type Prepared;

    /// Can it do nothing without a refresh token? A custom exchange may live on cookies.
    fn needs_token(&self) -> bool {
        false
    }

    /// Computes the client authentication, before anything is claimed.
    async fn prepare(&self, attempt: u32) -> Result<Self::Prepared, Refusal>;

    /// Presents the token, once, with a hard timeout, and judges the reply. Calls `fetch` before it first suspends.
    async fn present(&self, prepared: Self::Prepared, presentation: Presentation<'_>) -> Verdict;

    /// Revokes a refresh token (RFC 7009).
    async fn revoke(&self, token: &Secret) -> Result<(), Refusal>;

    /// Is there a revocation endpoint?
    fn can_revoke(&self) -> bool;
}

/// Time. Both clocks in milliseconds.
pub trait Clock {
    /// Wall clock, since the epoch. May jump.
    fn wall(&self) -> Millis;

    /// Since an arbitrary start; never goes back.
    fn monotonic(&self) -> Millis;
}

/// Randomness.
pub trait Randomness {
    /// 128 random bits as text: a nonce or a `sid`, never used twice.
    fn nonce(&self) -> String;

    /// A number from 0 to 999, evenly spread: the jitter of a delay.
    fn per_mille(&self) -> u32;
}

/// Is told what happens, for events and statistics. Delivery to user code happens later, never from inside the call.
pub trait Observer {
    /// Something happened.
    fn notice(&self, notice: Notice);
}

/// All of them: the world an exchange lives in.
pub trait World: Store + Waiting + Channel + TokenEndpoint + Clock + Randomness + Observer {}

impl<T: Store + Waiting + Channel + TokenEndpoint + Clock + Randomness + Observer> World for T {}
