//! Who asks for tokens, and how: the token endpoint and client authentication, or a custom `refresh`.

use super::Value;
use super::given::{Given, Wrong};
use super::urls::Rules;
use crate::oauth::request::ClientAuthentication;
use crate::protocol::tokens::Secret;

/// How new tokens are obtained.
#[derive(Clone)]
pub enum Exchange<V> {
    /// From the token endpoint at this URL (RFC 6749 section 6).
    Endpoint(String),
    /// By the user's function.
    Custom {
        /// The function.
        refresh: V,
        /// Tells coordinators with a custom `refresh` apart.
        name: String,
    },
}

impl<V: Value> Exchange<V> {
    /// Exactly one of `tokenEndpoint` and `refresh`.
    pub fn read(given: &Given<V>, rules: &Rules) -> Result<Self, Wrong> {
        let name = given.text("name")?;
        match (rules.endpoint(given, "tokenEndpoint")?, given.function("refresh")?) {
            (Some(_), Some(_)) => {
                Err(Wrong::option("refresh", "must not be given beside `tokenEndpoint`: it takes its place"))
            }
            (None, None) => Err(Wrong::option("tokenEndpoint", "is required, or `refresh` in its place")),
            (Some(_), None) if name.is_some() => Err(Wrong::option(
                "name",
                "is only for coordinators with a custom `refresh`; sessions are told apart by `session`",
            )),
            (Some(url), None) => Ok(Self::Endpoint(url)),
            (None, Some(refresh)) => Ok(Self::Custom { refresh, name: name.unwrap_or_else(|| "custom".to_owned()) }),
        }
    }

    /// What names the records beside client and session.
    pub fn identity(&self) -> &str {
        match self {
            Self::Endpoint(url) => url,
            Self::Custom { name, .. } => name,
        }
    }
}

/// The client, as the authorization server knows it.
#[derive(Clone)]
pub struct Client<V> {
    /// `client_id`; empty with a custom `refresh` that needs none.
    pub id: String,
    /// How it authenticates.
    pub authentication: ClientAuthentication,
    /// The user's function that adds to each attempt: assertions, DPoP proofs.
    pub additions: Option<V>,
}

impl<V: Value> Client<V> {
    /// Reads and checks what is said of the client.
    pub fn read(given: &Given<V>, exchange: &Exchange<V>) -> Result<Self, Wrong> {
        let id = given.text("clientId")?;
        let needed = if matches!(exchange, Exchange::Endpoint(_)) { Some("tokenEndpoint") } else { None };
        let needed = needed.or_else(|| given.value("revocationEndpoint").map(|_| "revocationEndpoint"));
        if let (None, Some(needed)) = (&id, needed) {
            return Err(Wrong::option("clientId", &["is required with `", needed, "`"].concat()));
        }
        let (authentication, additions) = authentication(given)?;
        Ok(Self { id: id.unwrap_or_default(), authentication, additions })
    }
}

/// A secret is sent by HTTP Basic unless told otherwise, also where a function adds to the request.
fn authentication<V: Value>(given: &Given<V>) -> Result<(ClientAuthentication, Option<V>), Wrong> {
    let secret = given.text("clientSecret")?.map(Secret::new);
    let wish = given.value("clientAuthentication");
    if let Some(function) = wish.filter(|wish| wish.is_function()) {
        let authentication = secret.map(|secret| ClientAuthentication::Basic { secret });
        return Ok((authentication.unwrap_or(ClientAuthentication::Public), Some(function.clone())));
    }
    let wish = wish.map(|wish| wish.text().unwrap_or_default());
    let authentication = match (secret, wish.as_deref()) {
        (None, None) => ClientAuthentication::Public,
        (Some(secret), None | Some("basic")) => ClientAuthentication::Basic { secret },
        (Some(secret), Some("post")) => ClientAuthentication::Post { secret },
        (None, Some("basic" | "post")) => {
            return Err(Wrong::option("clientSecret", "is required by `clientAuthentication`"));
        }
        (_, Some(_)) => {
            return Err(Wrong::option("clientAuthentication", "must be \"basic\", \"post\" or a function"));
        }
    };
    Ok((authentication, None))
}
