//! Names of records: hashes that carry neither a session's name nor a token.

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use super::ports::{Address, Params};
use super::tokens::Secret;

/// Keeps keys of different kinds apart even if all their other parts are equal.
const SESSION: &str = "refresh-coordinator/session/1";
const SUCCESSOR: &str = "refresh-coordinator/successor/1";
const SPENT: &str = "refresh-coordinator/spent/1";
const TOKEN: &str = "refresh-coordinator/token/1";
const PARAMS: &str = "refresh-coordinator/params/1";

/// Derives the addresses of all records of one coordinator.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Names {
    endpoint: String,
    client_id: String,
    session: String,
}

impl Names {
    /// `endpoint` is the token endpoint's URL, or the option `name` of a coordinator with a custom `refresh`.
    pub fn new(endpoint: &str, client_id: &str, session: &str) -> Self {
        Self { endpoint: endpoint.into(), client_id: client_id.into(), session: session.into() }
    }

    /// Where the session's record lives.
    pub fn session(&self) -> Address {
        Address { key: self.key(SESSION, &self.session), seal: None }
    }

    /// Where it is written what became of a presented refresh token.
    pub fn successor(&self, presented: &Secret) -> Address {
        Address { key: self.key(SUCCESSOR, presented.expose()), seal: Some(presented.clone()) }
    }

    /// Where it is written that a refresh token is spent, for longer than its successor is remembered.
    pub fn spent(&self, presented: &Secret) -> Address {
        Address { key: self.key(SPENT, presented.expose()), seal: None }
    }

    /// Begins with a letter of its own: a key is the name of a lock too, and `request()` of the Web Locks API refuses a name
    /// that begins with a hyphen, as every 64th hash does in this alphabet.
    fn key(&self, domain: &str, last: &str) -> String {
        let hash = digest(&[domain, &self.endpoint, &self.client_id, last]);
        ["k", &Base64UrlUnpadded::encode_string(&hash)].concat()
    }
}

/// The salted hash of a refresh token as records hold it: 128 bits.
pub fn token_hash(salt: &str, token: Option<&Secret>) -> String {
    short(&digest(&[TOKEN, salt, token.map_or("", Secret::expose)]))
}

/// The member of `grants` under which the grant for these parameters is kept; empty for no parameters.
pub fn params_key(params: &Params) -> String {
    if params.is_empty() {
        return String::new();
    }
    let mut parts = vec![PARAMS];
    for (name, value) in params {
        parts.push(name);
        parts.push(value);
    }
    short(&digest(&parts))
}

/// SHA-256 over length-prefixed parts, so that no two lists of parts can run together.
fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize().into()
}

fn short(digest: &[u8; 32]) -> String {
    Base64UrlUnpadded::encode_string(digest.get(..16).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_run_together_have_different_keys() {
        assert_ne!(Names::new("ab", "c", "d").session(), Names::new("a", "bc", "d").session());
    }

    #[test]
    fn the_kinds_of_records_are_kept_apart() {
        let names = Names::new("https://issuer.example/token", "web", "same");
        let token = Secret::new("same");
        let keys = [names.session().key, names.successor(&token).key, names.spent(&token).key];
        assert!(keys.iter().all(|key| keys.iter().filter(|other| *other == key).count() == 1));
    }

    #[test]
    fn every_key_may_name_a_lock() {
        let begins = |number: u32| Names::new("https://issuer.example/token", "web", &number.to_string()).session().key;
        assert!((0..1_000).all(|number| begins(number).starts_with(|first: char| first.is_ascii_alphabetic())));
    }

    #[test]
    fn a_token_hash_depends_on_its_salt() {
        let token = Secret::new("R0");
        assert_ne!(token_hash("one", Some(&token)), token_hash("two", Some(&token)));
        assert_eq!(token_hash("one", Some(&token)).len(), 22, "128 bits");
    }

    #[test]
    fn no_parameters_have_the_empty_key() {
        assert_eq!(params_key(&Vec::new()), "");
        assert_ne!(params_key(&vec![("scope".into(), "a".into())]), params_key(&vec![("scope".into(), "b".into())]));
    }
}
