//! The own properties of an options object, each read once, and the words for what is wrong with one.

use super::{Threw, Value};

/// An option or an argument is wrong. Becomes a `ConfigurationError`.
#[derive(Debug)]
pub struct Wrong {
    /// Stable, kebab-case.
    pub code: &'static str,
    /// One sentence that names the option.
    pub message: String,
}

impl Wrong {
    /// About an option: the sentence begins with its name.
    pub fn option(name: &str, rest: &str) -> Self {
        Self { code: "invalid-option", message: ["the option `", name, "` ", rest].concat() }
    }
}

/// Objects in the place of options, as they were when they were read.
pub struct Given<V> {
    members: Vec<(String, V)>,
}

impl<V: Value> Given<V> {
    /// Reads all own properties that have a string for a name. `what` names the object in errors.
    pub fn read(object: &V, what: &str) -> Result<Self, Wrong> {
        let wrong = |rest| Wrong { code: "invalid-option", message: [what, rest].concat() };
        match object.members() {
            Ok(Some(members)) => Ok(Self { members }),
            Ok(None) => Err(wrong(" must be an object")),
            Err(Threw) => Err(wrong(" could not be read: a getter or proxy threw")),
        }
    }

    /// Refuses names that nobody knows, and names the nearest that somebody does.
    pub fn only(&self, known: &[&str]) -> Result<(), Wrong> {
        let Some((name, _)) = self.members.iter().find(|(name, _)| !known.contains(&name.as_str())) else {
            return Ok(());
        };
        let near = known.iter().map(|known| (distance(name, known), known)).min();
        let hint = match near {
            Some((distance, known)) if distance <= 2.max(name.chars().count() / 3) => {
                [": did you mean `", known, "`?"].concat()
            }
            _ => String::new(),
        };
        Err(Wrong::option(name, &["is unknown", &hint].concat()))
    }

    /// All members.
    pub fn members(&self) -> &[(String, V)] {
        &self.members
    }

    /// A member; `undefined` counts as absent.
    pub fn value(&self, name: &str) -> Option<&V> {
        let found = self.members.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value).filter(|value| !value.is_undefined())
    }

    /// A string that is not empty.
    pub fn text(&self, name: &str) -> Result<Option<String>, Wrong> {
        let Some(value) = self.value(name) else { return Ok(None) };
        match value.text() {
            Some(text) if !text.is_empty() => Ok(Some(text)),
            _ => Err(Wrong::option(name, "must be a string that is not empty")),
        }
    }

    /// One of some words.
    pub fn word<T: Copy>(&self, name: &str, words: &[(&str, T)]) -> Result<Option<T>, Wrong> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let text = value.text();
        match words.iter().find(|(word, _)| text.as_deref() == Some(word)) {
            Some((_, meaning)) => Ok(Some(*meaning)),
            None => {
                let words: Vec<String> = words.iter().map(|(word, _)| ["\"", word, "\""].concat()).collect();
                Err(Wrong::option(name, &["must be ", &words.join(" or ")].concat()))
            }
        }
    }

    /// `true` or `false`; absent means `false`.
    pub fn flag(&self, name: &str) -> Result<bool, Wrong> {
        let Some(value) = self.value(name) else { return Ok(false) };
        value.flag().ok_or_else(|| Wrong::option(name, "must be true or false"))
    }

    /// A function.
    pub fn function(&self, name: &str) -> Result<Option<V>, Wrong> {
        let Some(value) = self.value(name) else { return Ok(None) };
        if value.is_function() { Ok(Some(value.clone())) } else { Err(Wrong::option(name, "must be a function")) }
    }

    /// An object that has certain functions.
    pub fn duck(&self, name: &str, methods: &[&str]) -> Result<Option<V>, Wrong> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let missing = methods.iter().find(|method| !value.has_method(method));
        match missing {
            None => Ok(Some(value.clone())),
            Some(method) => Err(Wrong::option(name, &["must be an object with the function `", method, "`"].concat())),
        }
    }
}

/// How many letters have to be changed, added or left out to get from one name to the other; case does not count.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.to_ascii_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.to_ascii_lowercase().chars().enumerate() {
        let (mut diagonal, mut left) = (index, index + 1);
        let mut next = vec![left];
        for (other, above) in to.iter().zip(row.iter().skip(1)) {
            left = (diagonal + usize::from(letter != *other)).min(left + 1).min(above + 1);
            diagonal = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
