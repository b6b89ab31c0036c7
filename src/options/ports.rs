//! The shapes of what users plug in: store, locks, channel, clock and callbacks. Methods may be inherited.

use super::given::{Given, Wrong};
use super::{Threw, Value};
use crate::protocol::tokens::Millis;

/// The longest staleness a store may declare: a caller waits for it after a refusal.
const LONGEST_LAG: f64 = 60_000.0;

/// How far a store or a lock reaches. Each scope contains those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// One coordinator, page or process.
    Context,
    /// All pages and workers of an origin.
    Origin,
    /// All processes of a machine.
    Host,
    /// Several machines.
    Cluster,
}

/// Checks the ports a user gave.
pub fn check<V: Value>(given: &Given<V>) -> Result<(), Wrong> {
    if let Some(store) = given.duck("store", &["read", "write"])? {
        scope(&store, "store.scope", Scope::Context)?;
        lag(&store, "store.lag")?;
        optional(&store, "store", "watch")?;
        let locks = read(&store, "store", "locks")?;
        if !(locks.is_undefined() || locks.has_method("request")) {
            return Err(Wrong::option("store.locks", "must be an object with the function `request`"));
        }
    }
    if let Some(locks) = given.duck("locks", &["request"])? {
        scope(&locks, "locks.scope", Scope::Origin)?;
    }
    if let Some(channel) = given.duck("channel", &["postMessage", "addEventListener", "removeEventListener"])? {
        optional(&channel, "channel", "close")?;
        optional(&channel, "channel", "unref")?;
    }
    given.duck("clock", &["now", "monotonic", "sleep"])?;
    given.function("fetch")?;
    Ok(())
}

/// The scope that a store or a lock declares.
pub fn scope<V: Value>(of: &V, name: &str, default: Scope) -> Result<Scope, Wrong> {
    let declared = read(of, name, "scope")?;
    if declared.is_undefined() {
        return Ok(default);
    }
    match declared.text().as_deref() {
        Some("context") => Ok(Scope::Context),
        Some("origin") => Ok(Scope::Origin),
        Some("host") => Ok(Scope::Host),
        Some("cluster") => Ok(Scope::Cluster),
        _ => Err(Wrong::option(name, "must be \"context\", \"origin\", \"host\" or \"cluster\"")),
    }
}

/// For how long a store's reads may be stale, in milliseconds.
pub fn lag<V: Value>(store: &V, name: &str) -> Result<Millis, Wrong> {
    let declared = read(store, name, "lag")?;
    if declared.is_undefined() {
        return Ok(0);
    }
    match declared.number() {
        Some(lag) if (0.0..=LONGEST_LAG).contains(&lag) => Ok(lag.ceil() as Millis),
        _ => Err(Wrong::option(name, "must be a number of milliseconds from 0 to 60000")),
    }
}

fn optional<V: Value>(of: &V, option: &str, method: &str) -> Result<(), Wrong> {
    let found = read(of, option, method)?;
    if found.is_undefined() || found.is_function() {
        return Ok(());
    }
    Err(Wrong::option(&[option, ".", method].concat(), "must be a function"))
}

fn read<V: Value>(of: &V, option: &str, name: &str) -> Result<V, Wrong> {
    of.property(name).map_err(|Threw| Wrong::option(option, "could not be read: a getter or proxy threw"))
}
