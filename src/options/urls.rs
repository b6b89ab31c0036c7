//! URLs and origins: https, or loopback, or allowed on purpose (RFC 6749 sections 3.1 and 3.2, RFC 8252 section 7.3).

use super::given::{Given, Wrong};
use super::{Url, Value};

/// Where URLs are allowed to lead.
pub struct Rules {
    /// The page's address, against which a relative URL is resolved.
    pub location: Option<String>,
    /// Plain http beyond loopback, allowed on purpose.
    pub allow_insecure: bool,
}

impl Rules {
    /// The absolute form of an endpoint's URL.
    pub fn endpoint<V: Value>(&self, given: &Given<V>, name: &str) -> Result<Option<String>, Wrong> {
        let Some(value) = given.value(name) else { return Ok(None) };
        let url = self.parse(name, value)?;
        if !url.username().is_empty() || !url.password().is_empty() {
            return Err(Wrong::option(name, "must not contain a user name or a password"));
        }
        if !url.hash().is_empty() {
            return Err(Wrong::option(name, "must not have a fragment (RFC 6749 section 3.2)"));
        }
        Ok(Some(url.href()))
    }

    /// Checks a list of origins. Only JavaScript uses it.
    pub fn origins<V: Value>(&self, given: &Given<V>, name: &str) -> Result<(), Wrong> {
        let Some(value) = given.value(name) else { return Ok(()) };
        let Some(list) = value.items() else {
            return Err(Wrong::option(name, "must be an array of origins, as \"https://api.example\""));
        };
        for origin in list {
            let url = self.parse(name, &origin)?;
            if !matches!(url.href().strip_prefix(&url.origin()), Some("/" | "")) {
                return Err(Wrong::option(name, "must hold origins only: scheme, host and port, no path"));
            }
        }
        Ok(())
    }

    fn parse<V: Value>(&self, name: &str, value: &V) -> Result<V::Url, Wrong> {
        // A URL object stands for its text.
        let text = value.text().or_else(|| value.property("href").ok()?.text());
        let Some(text) = text else { return Err(Wrong::option(name, "must be a URL")) };
        let absolute = V::Url::parse(&text, None);
        let url = absolute.or_else(|| V::Url::parse(&text, Some(self.location.as_deref()?)));
        let Some(url) = url else {
            return Err(Wrong::option(name, "must be an absolute URL; only in a page it may be relative"));
        };
        match url.protocol().as_str() {
            "https:" => Ok(url),
            "http:" if self.allow_insecure || is_loopback(&url.hostname()) => Ok(url),
            _ => {
                Err(Wrong::option(name, "must be https; plain http needs a loopback address, or `allowInsecure: true`"))
            }
        }
    }
}

/// The URL parser has normalised the host already: `127.1` is `127.0.0.1` here.
fn is_loopback(host: &str) -> bool {
    let four = host.starts_with("127.") && host.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
    four || host == "[::1]" || host == "localhost" || host.ends_with(".localhost")
}
