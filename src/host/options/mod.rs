//! The options, checked by hand at construction: own properties only, and every message names the option.

pub mod given;
pub mod parameters;
pub mod ports;

mod client;
mod durations;
mod urls;

use wasm_bindgen::JsValue;

pub use self::client::{Client, Exchange};
use self::durations::Limits;
use self::given::{Given, Wrong};
use self::ports::Scope;
use self::urls::Rules;
use super::embedder::Embedder;
use crate::protocol::names::Names;
use crate::protocol::ports::Params;
use crate::protocol::settings::Settings;
use crate::protocol::tokens::Secret;

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
pub struct Options {
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
    pub exchange: Exchange,
    /// Who asks for them.
    pub client: Client,
    /// Where tokens are revoked.
    pub revocation_endpoint: Option<String>,
    /// Has the last word on refusals.
    pub classify: Option<JsValue>,
    /// Seals the session's record.
    pub seal_key: Option<Secret>,
    /// Session mode is refused until there is a `sealKey`.
    pub needs_seal_key: bool,
    /// Keeps the host alive for a promise.
    pub wait_until: Option<JsValue>,
    /// Is the channel the host's, and not the user's?
    pub owns_channel: bool,
    /// Did the user plug in a `fetch`?
    pub has_fetch: bool,
    /// How far the locks reach.
    pub lock_scope: Scope,
}

impl Options {
    /// Reads and checks the object that the user gave.
    pub fn read(options: &JsValue, embedder: &Embedder) -> Result<Self, Wrong> {
        let given = Given::read(options, "the options")?;
        given.only(KNOWN)?;
        let (settings, limits) = durations::read(&given)?;
        let rules =
            Rules { location: embedder.member("location").as_string(), allow_insecure: given.flag("allowInsecure")? };
        let exchange = Exchange::read(&given, &rules)?;
        let client = Client::read(&given, &exchange)?;
        rules.origins(&given, "origins")?;
        ports::check(&given)?;
        let session = given.text("session")?.unwrap_or_else(|| "default".to_owned());
        let names = Names::new(exchange.identity(), &client.id, &session);
        let seal_key = seal_key(&given)?;
        let locks = embedder.member("locks");
        Ok(Self {
            settings,
            limits,
            session_key: names.session().key,
            names,
            params: given.value("params").map_or(Ok(Params::new()), parameters::read)?,
            revocation_endpoint: rules.endpoint(&given, "revocationEndpoint")?,
            classify: given.function("classify")?,
            needs_seal_key: seal_key.is_none() && reaches_cluster(embedder)?,
            seal_key,
            wait_until: given.function("waitUntil")?,
            has_fetch: given.value("fetch").is_some(),
            owns_channel: given.value("channel").is_none(),
            lock_scope: ports::scope(&locks, "locks.scope", Scope::Origin)?,
            exchange,
            client,
        })
    }
}

fn seal_key(given: &Given) -> Result<Option<Secret>, Wrong> {
    let Some(key) = given.text("sealKey")? else { return Ok(None) };
    if key.chars().count() < SHORTEST_SEAL_KEY {
        return Err(Wrong::option("sealKey", "must have at least 16 characters, chosen at random"));
    }
    Ok(Some(Secret::new(key)))
}

/// Is the session's record kept where several machines see it?
fn reaches_cluster(embedder: &Embedder) -> Result<bool, Wrong> {
    let stores = embedder.member("stores");
    let session = super::settle::property(&stores, "session").unwrap_or(JsValue::UNDEFINED);
    Ok(ports::scope(&session, "store.scope", Scope::Context)? == Scope::Cluster)
}
