//! The options, checked by hand at construction: own properties only, and every message names the option.
//!
//! Must not know JavaScript: what a user gave is a [`Value`] here, and a URL a [`Url`]. So the rules run natively, where
//! a fuzzer reaches them; the values themselves stand in `host/options.rs`.

pub mod given;
pub mod parameters;
pub mod ports;

pub mod durations;

mod client;
mod urls;

pub use self::client::{Client, Exchange};
use self::durations::Limits;
use self::given::{Given, Wrong};
use self::ports::Scope;
use self::urls::Rules;
use crate::protocol::names::Names;
use crate::protocol::ports::Params;
use crate::protocol::settings::Settings;
use crate::protocol::tokens::Secret;

/// A value of JavaScript, as far as the rules look into it.
pub trait Value: Clone {
    /// What parses URLs.
    type Url: Url;

    /// Is it `undefined`? Then it counts as absent.
    fn is_undefined(&self) -> bool;

    /// Can it be called?
    fn is_function(&self) -> bool;

    /// A string.
    fn text(&self) -> Option<String>;

    /// A number, `NaN` and the infinite ones too.
    fn number(&self) -> Option<f64>;

    /// `true` or `false`.
    fn flag(&self) -> Option<bool>;

    /// The items of an array.
    fn items(&self) -> Option<impl Iterator<Item = Self>>;

    /// The own properties that have a string for a name, of an object that is neither array nor function.
    ///
    /// # Errors
    /// [`Threw`] from a getter or a proxy.
    fn members(&self) -> Result<Option<Vec<(String, Self)>>, Threw>;

    /// A property, own or inherited; `undefined` from anything that has none.
    ///
    /// # Errors
    /// [`Threw`] from a getter or a proxy.
    fn property(&self, name: &str) -> Result<Self, Threw>;

    /// Has it this method, own or inherited?
    fn has_method(&self, method: &str) -> bool {
        self.property(method).is_ok_and(|method| method.is_function())
    }
}

/// A getter or a proxy threw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threw;

/// A URL that was parsed, in the words of the URL standard of the WHATWG.
pub trait Url: Sized {
    /// Parses a text, relative to a base if there is one.
    fn parse(text: &str, base: Option<&str>) -> Option<Self>;
    /// All of it.
    fn href(&self) -> String;
    /// Scheme, host and port.
    fn origin(&self) -> String;
    /// The scheme, with its colon.
    fn protocol(&self) -> String;
    /// The host.
    fn hostname(&self) -> String;
    /// The user name, or nothing.
    fn username(&self) -> String;
    /// The password, or nothing.
    fn password(&self) -> String;
    /// The fragment with its `#`, or nothing.
    fn hash(&self) -> String;
}

/// What the rules must know of the host.
pub struct Surroundings<V> {
    /// The page's address, against which a relative URL is resolved.
    pub location: Option<String>,
    /// The locks that will be used, the user's or the host's.
    pub locks: V,
    /// The store of the session's record, the user's or the host's.
    pub session_store: V,
}

/// All that is known. The order is that of the documentation.
const KNOWN: &[&str] = &[
    "clientId",
    "tokenEndpoint",
    "refresh",
    "clientSecret",
    "clientAuthentication",
    "params",
    "session",
    "name",
    "store",
    "locks",
    "channel",
    "fetch",
    "origins",
    "mandatoryWindow",
    "advisoryWindow",
    "timeout",
    "lockWait",
    "storeTimeout",
    "callTimeout",
    "retries",
    "grace",
    "unknownLifetime",
    "revokeReplaced",
    "revocationEndpoint",
    "classify",
    "onStoreFailure",
    "sealKey",
    "waitUntil",
    "clock",
    "allowInsecure",
];

/// A seal key shorter than this can be guessed.
const SHORTEST_SEAL_KEY: usize = 16;

/// The options of one coordinator, complete.
pub struct Options<V> {
    /// What the protocol obeys.
    pub settings: Settings,
    /// What the host obeys.
    pub limits: Limits,
    /// Where records live.
    pub names: Names,
    /// The key of the session's record.
    pub session_key: String,
    /// Extra form parameters of every request.
    pub params: Params,
    /// How new tokens are obtained.
    pub exchange: Exchange<V>,
    /// Who asks for them.
    pub client: Client<V>,
    /// Where tokens are revoked.
    pub revocation_endpoint: Option<String>,
    /// Has the last word on refusals.
    pub classify: Option<V>,
    /// Seals the session's record.
    pub seal_key: Option<Secret>,
    /// Session mode is refused until there is a `sealKey`.
    pub needs_seal_key: bool,
    /// Keeps the host alive for a promise.
    pub wait_until: Option<V>,
    /// Is the channel the host's, and not the user's?
    pub owns_channel: bool,
    /// Did the user plug in a `fetch`?
    pub has_fetch: bool,
    /// How far the locks reach.
    pub lock_scope: Scope,
}

impl<V: Value> Options<V> {
    /// Reads and checks the object that the user gave.
    pub fn read(options: &V, surroundings: &Surroundings<V>) -> Result<Self, Wrong> {
        let given = Given::read(options, "the options")?;
        given.only(KNOWN)?;
        let (settings, limits) = durations::read(&given)?;
        let rules = Rules { location: surroundings.location.clone(), allow_insecure: given.flag("allowInsecure")? };
        let exchange = Exchange::read(&given, &rules)?;
        let client = Client::read(&given, &exchange)?;
        rules.origins(&given, "origins")?;
        ports::check(&given)?;
        let session = given.text("session")?.unwrap_or_else(|| "default".to_owned());
        let names = Names::new(exchange.identity(), &client.id, &session);
        let seal_key = seal_key(&given)?;
        Ok(Self {
            settings,
            limits,
            session_key: names.session().key,
            names,
            params: given.value("params").map_or(Ok(Params::new()), parameters::read)?,
            revocation_endpoint: rules.endpoint(&given, "revocationEndpoint")?,
            classify: given.function("classify")?,
            needs_seal_key: seal_key.is_none()
                && ports::scope(&surroundings.session_store, "store.scope", Scope::Context)? == Scope::Cluster,
            seal_key,
            wait_until: given.function("waitUntil")?,
            has_fetch: given.value("fetch").is_some(),
            owns_channel: given.value("channel").is_none(),
            lock_scope: ports::scope(&surroundings.locks, "locks.scope", Scope::Origin)?,
            exchange,
            client,
        })
    }
}

fn seal_key<V: Value>(given: &Given<V>) -> Result<Option<Secret>, Wrong> {
    let Some(key) = given.text("sealKey")? else { return Ok(None) };
    if key.chars().count() < SHORTEST_SEAL_KEY {
        return Err(Wrong::option("sealKey", "must have at least 16 characters, chosen at random"));
    }
    Ok(Some(Secret::new(key)))
}
