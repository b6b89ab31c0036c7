//! Extra form parameters: of the option `params`, and of one call.

use super::Value;
use super::given::{Given, Wrong};
use crate::protocol::ports::Params;

/// Reads parameters: own properties, each a string or an array of strings (RFC 8707 `resource`). Sorted.
pub fn read<V: Value>(value: &V) -> Result<Params, Wrong> {
    let given = Given::read(value, "the option `params`")?;
    let mut params = Params::new();
    for (name, value) in given.members() {
        if value.is_undefined() {
            continue;
        }
        if is_reserved(name) {
            return Err(about(name, "is not a parameter of its own: it is set by the coordinator"));
        }
        match value.items() {
            Some(list) => {
                for item in list {
                    insert(&mut params, (name.clone(), text(name, &item)?));
                }
            }
            None => insert(&mut params, (name.clone(), text(name, value)?)),
        }
    }
    Ok(params)
}

/// The parameters of one call over those of the option: a name that is given again replaces all its values.
pub fn merge(option: &Params, call: Params) -> Params {
    let kept = option.iter().filter(|(name, _)| !call.iter().any(|(other, _)| other == name)).cloned();
    let mut merged: Params = kept.collect();
    call.into_iter().for_each(|param| insert(&mut merged, param));
    merged
}

/// Keeps the list sorted. It has a few entries: the sort of the standard library would be the larger part of this.
fn insert(params: &mut Params, param: (String, String)) {
    let at = params.iter().position(|other| *other > param).unwrap_or(params.len());
    params.insert(at, param);
}

fn is_reserved(name: &str) -> bool {
    matches!(name, "" | "grant_type" | "refresh_token" | "__proto__" | "constructor" | "prototype")
        || name.starts_with("client_")
}

fn text<V: Value>(name: &str, value: &V) -> Result<String, Wrong> {
    value.text().ok_or_else(|| about(name, "must be a string or an array of strings"))
}

fn about(name: &str, rest: &str) -> Wrong {
    Wrong::option("params", &["is wrong: `", name, "` ", rest].concat())
}
