//! Durations and counts: milliseconds everywhere, but for `grace`, which servers document in seconds.

use super::Value;
use super::given::{Given, Wrong};
use crate::protocol::settings::{OnStoreFailure, Settings};
use crate::protocol::tokens::Millis;

/// The longest delay that timers of JavaScript take, in milliseconds; a longer one fires at once.
pub const LONGEST_DELAY: Millis = 0x7fff_ffff;

/// What is left of a caller's patience, in milliseconds, when it has waited for an owner that died where no lock tells: else each
/// process would refuse its first caller.
const TAKE_OVER: Millis = 1_000;

/// The durations that are the host's business and not the protocol's.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// One call into the store.
    pub store: Millis,
    /// How long a caller waits in all.
    pub call: Millis,
}

/// Reads all options that are durations or counts, and the policies beside them.
pub fn read<V: Value>(given: &Given<V>) -> Result<(Settings, Limits), Wrong> {
    let grace = seconds(given, "grace")?.unwrap_or_default();
    let limits = Limits {
        store: duration(given, "storeTimeout")?.unwrap_or(5_000),
        call: duration(given, "callTimeout")?.unwrap_or(30_000),
    };
    let defaults = Settings { timeout: timeout(given, grace)?, ..Settings::default() };
    let settings = Settings {
        mandatory_window: window(given, "mandatoryWindow")?,
        advisory_window: window(given, "advisoryWindow")?,
        timeout: defaults.timeout,
        lock_wait: duration(given, "lockWait")?.unwrap_or_else(|| lock_wait(&defaults, limits.call)),
        retries: retries(given)?.unwrap_or(defaults.retries),
        grace,
        unknown_lifetime: duration(given, "unknownLifetime")?.unwrap_or(defaults.unknown_lifetime),
        revoke_replaced: given.flag("revokeReplaced")?,
        on_store_failure: given
            .word("onStoreFailure", &[("closed", OnStoreFailure::Closed), ("open", OnStoreFailure::Open)])?
            .unwrap_or(defaults.on_store_failure),
    };
    Ok((settings, limits))
}

/// Long enough to take over from an owner that died, if the caller is there for so long.
fn lock_wait(defaults: &Settings, call: Millis) -> Millis {
    let taken_over = defaults.intent_duration() + TAKE_OVER;
    if taken_over < call { defaults.lock_wait.max(taken_over) } else { defaults.lock_wait }
}

/// An attempt must leave time to send the same token again while the server still accepts it.
fn timeout<V: Value>(given: &Given<V>, grace: Millis) -> Result<Millis, Wrong> {
    let longest = if grace > 0 { (grace * 3 / 10).max(1) } else { LONGEST_DELAY };
    match duration(given, "timeout")? {
        Some(timeout) if timeout > longest => Err(Wrong::option(
            "timeout",
            "must not be longer than 0.3 × `grace` (in milliseconds): a lost reply has to be noticed while the server \
             still accepts the token again",
        )),
        Some(timeout) => Ok(timeout),
        None => Ok(Settings::default().timeout.min(longest)),
    }
}

fn duration<V: Value>(given: &Given<V>, name: &str) -> Result<Option<Millis>, Wrong> {
    number(given, name, 1.0, LONGEST_DELAY as f64, "must be a number of milliseconds from 1 to 2147483647")
}

fn window<V: Value>(given: &Given<V>, name: &str) -> Result<Option<Millis>, Wrong> {
    number(given, name, 0.0, LONGEST_DELAY as f64, "must be a number of milliseconds from 0 to 2147483647")
}

fn seconds<V: Value>(given: &Given<V>, name: &str) -> Result<Option<Millis>, Wrong> {
    let Some(value) = given.value(name) else { return Ok(None) };
    match value.number().map(|seconds| seconds * 1_000.0) {
        Some(millis) if (0.0..=LONGEST_DELAY as f64).contains(&millis) => Ok(Some(millis as Millis)),
        _ => Err(Wrong::option(name, "must be a number of seconds from 0 to 2147483")),
    }
}

fn retries<V: Value>(given: &Given<V>) -> Result<Option<u8>, Wrong> {
    let rule = "must be a whole number from 0 to 10";
    if given.value("retries").and_then(V::number).is_some_and(|retries| retries.fract() != 0.0) {
        return Err(Wrong::option("retries", rule));
    }
    Ok(number(given, "retries", 0.0, 10.0, rule)?.map(|retries| retries as u8))
}

/// `NaN` is in no range.
fn number<V: Value>(given: &Given<V>, name: &str, least: f64, most: f64, rule: &str) -> Result<Option<Millis>, Wrong> {
    let Some(value) = given.value(name) else { return Ok(None) };
    match value.number() {
        Some(number) if (least..=most).contains(&number) => Ok(Some(number as Millis)),
        _ => Err(Wrong::option(name, rule)),
    }
}
