//! What holds of all options, whatever an application gives: they are right and within their ranges, or one is named.
//!
//! An input is choices, of which an object is built as JavaScript has them: with the names that are known and some that
//! are not, values of every type, getters that throw, and secrets in every place.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use refresh_coordinator::oauth::request::ClientAuthentication;
use refresh_coordinator::options::durations::LONGEST_DELAY;
use refresh_coordinator::options::given::Wrong;
use refresh_coordinator::options::{Exchange, Options, Surroundings, Threw, Url, Value};

/// What must never stand in a message, whole or in part. A value that is no secret says so.
const SECRET: &str = "Zq7hush0secret4of1ours9";
/// Names that are known, in the order of the documentation.
const NAMES: [&str; 30] = [
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
/// Names of parameters that the coordinator sets itself, or that reach a prototype.
const RESERVED: [&str; 7] =
    ["grant_type", "refresh_token", "client_id", "client_secret", "__proto__", "constructor", "prototype"];

/// Reads the options, and asserts of the outcome what must hold of any.
pub fn check(input: &[u8]) {
    let mut choices = Unstructured::new(input);
    let Ok((given, surroundings)) = scene(&mut choices) else { return };
    match Options::read(&given, &surroundings) {
        Ok(options) => of_right(&given, &options),
        Err(wrong) => of_wrong(&given, &wrong),
    }
    // The same object, as the parameters of one call.
    if let Err(wrong) = refresh_coordinator::options::parameters::read(&given) {
        assert!(wrong.message.contains("params") && !shows(&wrong.message), "{}", wrong.message);
    }
}

fn of_right(given: &Script, options: &Options<Script>) {
    let Script::Object(members) = given else { panic!("{given:?} is no object") };
    let is = |name: &str| members.get(name).is_some_and(|value| !matches!(value, Ok(Script::Undefined)));
    assert!(members.keys().all(|name| NAMES.contains(&name.as_str())), "a name that nobody knows");
    let (settings, limits) = (&options.settings, &options.limits);
    for duration in [settings.timeout, settings.lock_wait, settings.unknown_lifetime, limits.store, limits.call] {
        assert!((1..=LONGEST_DELAY).contains(&duration), "{settings:?} {limits:?}");
    }
    for window in [settings.mandatory_window, settings.advisory_window].into_iter().flatten() {
        assert!((0..=LONGEST_DELAY).contains(&window), "{settings:?}");
    }
    assert!((0..=LONGEST_DELAY).contains(&settings.grace) && settings.retries <= 10, "{settings:?}");
    let lasts = settings.timeout <= (settings.grace * 3 / 10).max(1) || settings.grace == 0;
    assert!(lasts, "a lost reply is noticed while the server still accepts the token: {settings:?}");
    assert!(settings.intent_duration() > settings.timeout || settings.timeout == 1, "an intent outlives its request");

    let insecure = matches!(members.get("allowInsecure"), Some(Ok(Script::Flag(true))));
    let endpoint = if let Exchange::Endpoint(url) = &options.exchange { Some(url) } else { None };
    assert_eq!((endpoint.is_some(), endpoint.is_none()), (is("tokenEndpoint"), is("refresh")), "one of both");
    for url in endpoint.into_iter().chain(&options.revocation_endpoint) {
        let url = url::Url::parse(url).expect("an absolute URL");
        let loopback = url.host_str().is_some_and(|host| {
            host.starts_with("127.") || host == "[::1]" || host == "localhost" || host.ends_with(".localhost")
        });
        assert!(url.scheme() == "https" || url.scheme() == "http" && (insecure || loopback), "{url}");
        assert!(
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none_or(str::is_empty),
            "{url}"
        );
        assert!(!options.client.id.is_empty(), "an endpoint wants a client");
    }
    let secret = match &options.client.authentication {
        ClientAuthentication::Basic { secret } | ClientAuthentication::Post { secret } => Some(secret),
        ClientAuthentication::Public => None,
    };
    assert_eq!(secret.is_some(), is("clientSecret"));
    assert!(secret.is_none_or(|secret| !secret.expose().is_empty()));
    assert!(options.seal_key.as_ref().is_none_or(|key| key.expose().chars().count() >= 16));
    assert!(!options.needs_seal_key || options.seal_key.is_none());
    assert!(options.params.is_sorted(), "the same parameters have the same key");
    for (name, _) in &options.params {
        assert!(!name.is_empty() && !RESERVED.contains(&name.as_str()) && !name.starts_with("client_"), "{name}");
    }
    for function in [&options.classify, &options.wait_until].into_iter().flatten() {
        assert!(function.is_function());
    }
    assert_eq!((options.has_fetch, !options.owns_channel), (is("fetch"), is("channel")));
    assert!(!options.session_key.contains(SECRET) && options.session_key.starts_with('k'));
}

fn of_wrong(given: &Script, wrong: &Wrong) {
    let Wrong { code, message } = wrong;
    assert_eq!(*code, "invalid-option");
    assert!(!shows(message), "a secret in {message}");
    let Script::Object(members) = given else {
        assert!(message.starts_with("the options "), "{message}");
        return;
    };
    if message.starts_with("the options could not be read") {
        assert!(members.values().any(std::result::Result::is_err), "{message}");
        return;
    }
    let names = |name: &str| {
        let rest = message.strip_prefix("the option `").and_then(|rest| rest.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with('`') || rest.starts_with('.'))
    };
    let required = ["clientId", "tokenEndpoint", "clientSecret"];
    // A store may also be the host's own; what it declares is checked like the user's.
    let of_host = ["store", "locks"];
    assert!(members.keys().map(String::as_str).chain(required).chain(of_host).any(names), "{message}");
}

/// Eight characters in a row of the secret.
fn shows(text: &str) -> bool {
    (0..=SECRET.len() - 8).filter_map(|at| SECRET.get(at..at + 8)).any(|run| text.contains(run))
}

/// A value of JavaScript.
#[derive(Clone, Debug)]
enum Script {
    Undefined,
    Null,
    Flag(bool),
    Number(f64),
    Text(String),
    Function,
    Array(Vec<Script>),
    /// Properties; some cannot be read.
    Object(BTreeMap<String, std::result::Result<Script, ()>>),
    /// Looks like an object, and throws at every touch.
    Hostile,
}

impl Value for Script {
    type Url = Parsed;

    fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined)
    }

    fn is_function(&self) -> bool {
        matches!(self, Self::Function)
    }

    fn text(&self) -> Option<String> {
        if let Self::Text(text) = self { Some(text.clone()) } else { None }
    }

    fn number(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    fn flag(&self) -> Option<bool> {
        if let Self::Flag(flag) = self { Some(*flag) } else { None }
    }

    fn items(&self) -> Option<impl Iterator<Item = Self>> {
        if let Self::Array(items) = self { Some(items.clone().into_iter()) } else { None }
    }

    fn members(&self) -> std::result::Result<Option<Vec<(String, Self)>>, Threw> {
        match self {
            Self::Hostile => Err(Threw),
            Self::Object(members) => {
                let read = |(name, value): (&String, &std::result::Result<Self, ()>)| {
                    value.clone().map(|value| (name.clone(), value)).map_err(|()| Threw)
                };
                members.iter().map(read).collect::<std::result::Result<_, _>>().map(Some)
            }
            _ => Ok(None),
        }
    }

    fn property(&self, name: &str) -> std::result::Result<Self, Threw> {
        match self {
            Self::Hostile => Err(Threw),
            Self::Object(members) => members.get(name).cloned().unwrap_or(Ok(Self::Undefined)).map_err(|()| Threw),
            _ => Ok(Self::Undefined),
        }
    }
}

/// A URL parsed by the same standard as a browser's.
struct Parsed(url::Url);

impl Url for Parsed {
    fn parse(text: &str, base: Option<&str>) -> Option<Self> {
        let parsed = match base {
            None => url::Url::parse(text),
            Some(base) => url::Url::parse(base).and_then(|base| base.join(text)),
        };
        parsed.ok().map(Self)
    }

    fn href(&self) -> String {
        self.0.as_str().to_owned()
    }

    fn origin(&self) -> String {
        url::quirks::origin(&self.0)
    }

    fn protocol(&self) -> String {
        url::quirks::protocol(&self.0).to_owned()
    }

    fn hostname(&self) -> String {
        url::quirks::hostname(&self.0).to_owned()
    }

    fn username(&self) -> String {
        url::quirks::username(&self.0).to_owned()
    }

    fn password(&self) -> String {
        url::quirks::password(&self.0).to_owned()
    }

    fn hash(&self) -> String {
        url::quirks::hash(&self.0).to_owned()
    }
}

fn scene(choices: &mut Unstructured<'_>) -> Result<(Script, Surroundings<Script>)> {
    let location = match choices.int_in_range(0..=3)? {
        0 => Some("https://app.example/page?x#y".to_owned()),
        1 => Some("http://app.example/".to_owned()),
        2 => Some("about:blank".to_owned()),
        _ => None,
    };
    let (locks, session_store) = (port(choices)?, port(choices)?);
    if choices.ratio(1, 32)? {
        return Ok((value(choices, 2)?, Surroundings { location, locks, session_store }));
    }
    let mut members = BTreeMap::new();
    // What most applications give; then whatever comes.
    if choices.ratio(3, 4)? {
        members.insert("clientId".to_owned(), Ok(Script::Text("web".to_owned())));
        members.insert("tokenEndpoint".to_owned(), Ok(Script::Text("https://issuer.example/token".to_owned())));
    }
    for _ in 0..choices.int_in_range(0..=5)? {
        let name = match choices.int_in_range(0..=31)? {
            31 => choices.arbitrary::<&str>()?,
            30 => *choices.choose(&["clientID", "__proto__", "constructor", "tokenEndPoint", ""])?,
            known => NAMES.get(known).copied().unwrap_or_default(),
        };
        let value = if choices.ratio(1, 32)? { Err(()) } else { Ok(fitting(name, choices)?) };
        members.insert(name.to_owned(), value);
    }
    Ok((Script::Object(members), Surroundings { location, locks, session_store }))
}

/// A value for this option: mostly one of the type it wants.
fn fitting(name: &str, choices: &mut Unstructured<'_>) -> Result<Script> {
    if choices.ratio(1, 6)? {
        return value(choices, 2);
    }
    Ok(match name {
        "tokenEndpoint" | "revocationEndpoint" => url(choices)?,
        "origins" => Script::Array((0..choices.int_in_range(0..=3)?).map(|_| url(choices)).collect::<Result<_>>()?),
        "mandatoryWindow" | "advisoryWindow" | "timeout" | "lockWait" | "storeTimeout" | "callTimeout" | "retries"
        | "grace" | "unknownLifetime" => number(choices)?,
        "revokeReplaced" | "allowInsecure" => Script::Flag(choices.arbitrary()?),
        "refresh" | "classify" | "waitUntil" | "fetch" => Script::Function,
        "store" | "locks" | "channel" | "clock" => port(choices)?,
        "params" => {
            let names = ["scope", "resource", "audience"].into_iter().chain(RESERVED).collect::<Vec<_>>();
            let mut members = BTreeMap::new();
            for _ in 0..choices.int_in_range(0..=3)? {
                let name = if choices.ratio(1, 4)? { choices.arbitrary::<&str>()? } else { *choices.choose(&names)? };
                let list = (0..choices.int_in_range(0..=3)?).map(|_| text(choices)).collect::<Result<_>>()?;
                let value = if choices.arbitrary()? { Script::Array(list) } else { text(choices)? };
                members.insert(name.to_owned(), Ok(value));
            }
            Script::Object(members)
        }
        _ => text(choices)?,
    })
}

fn text(choices: &mut Unstructured<'_>) -> Result<Script> {
    const TEXTS: [&str; 8] = [SECRET, "web", "", "basic", "post", "open", "closed", "0123456789abcdef"];
    let text = if choices.ratio(1, 8)? { choices.arbitrary::<&str>()? } else { *choices.choose(&TEXTS)? };
    Ok(Script::Text(text.to_owned()))
}

fn url(choices: &mut Unstructured<'_>) -> Result<Script> {
    const URLS: [&str; 16] = [
        "https://issuer.example/token",
        "https://issuer.example",
        "http://127.0.0.1:8080/token",
        "http://127.1/token",
        "http://127.example.com/token",
        "http://[::1]/token",
        "http://a.localhost/token",
        "http://issuer.example/token",
        "/token",
        "token",
        "//other.example/token",
        "https://user:Zq7hush0secret4of1ours9@issuer.example/",
        "https://issuer.example/#Zq7hush0secret4of1ours9",
        "https://issuer.example/token#",
        "javascript:alert(1)",
        "blob:https://issuer.example/x",
    ];
    let mut url = (*choices.choose(&URLS)?).to_owned();
    if choices.ratio(1, 4)? {
        url.push_str(choices.arbitrary()?);
    }
    let url = Script::Text(url);
    Ok(if choices.ratio(1, 8)? { Script::Object(BTreeMap::from([("href".to_owned(), Ok(url))])) } else { url })
}

fn number(choices: &mut Unstructured<'_>) -> Result<Script> {
    const NUMBERS: [f64; 14] = [
        0.0,
        -0.0,
        1.0,
        0.5,
        1.5,
        10.0,
        30.0,
        3_001.0,
        -1.0,
        2_147_483_647.0,
        2_147_483_648.0,
        2_147_483.647,
        f64::NAN,
        f64::INFINITY,
    ];
    Ok(Script::Number(if choices.ratio(1, 4)? { choices.arbitrary()? } else { *choices.choose(&NUMBERS)? }))
}

/// Something to plug in, with some of what it needs.
fn port(choices: &mut Unstructured<'_>) -> Result<Script> {
    const PARTS: [&str; 15] = [
        "read",
        "write",
        "request",
        "now",
        "monotonic",
        "sleep",
        "postMessage",
        "addEventListener",
        "removeEventListener",
        "watch",
        "close",
        "unref",
        "scope",
        "lag",
        "locks",
    ];
    let mut members = BTreeMap::new();
    let missing = choices.int_in_range(0..=PARTS.len())?;
    for (at, name) in PARTS.into_iter().enumerate() {
        if at == missing {
            continue;
        }
        let value = match name {
            "scope" => Script::Text((*choices.choose(&["context", "origin", "host", "cluster", "galaxy"])?).to_owned()),
            "lag" => number(choices)?,
            "locks" => Script::Object(BTreeMap::from([("request".to_owned(), Ok(Script::Function))])),
            _ => Script::Function,
        };
        let value = if choices.ratio(1, 32)? { value_or_throw(choices)? } else { Ok(value) };
        members.insert(name.to_owned(), value);
    }
    Ok(Script::Object(members))
}

fn value_or_throw(choices: &mut Unstructured<'_>) -> Result<std::result::Result<Script, ()>> {
    Ok(if choices.arbitrary()? { Err(()) } else { Ok(value(choices, 1)?) })
}

fn value(choices: &mut Unstructured<'_>, depth: u8) -> Result<Script> {
    Ok(match choices.int_in_range(0..=if depth > 0 { 10 } else { 6 })? {
        0 => Script::Undefined,
        1 => Script::Null,
        2 => Script::Flag(choices.arbitrary()?),
        3 => number(choices)?,
        4 | 5 => text(choices)?,
        6 => Script::Function,
        7 => Script::Hostile,
        8 => {
            Script::Array((0..choices.int_in_range(0..=3)?).map(|_| value(choices, depth - 1)).collect::<Result<_>>()?)
        }
        9 => port(choices)?,
        _ => Script::Object(BTreeMap::from([("any".to_owned(), Ok(value(choices, depth - 1)?))])),
    })
}
