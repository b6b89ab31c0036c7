//! The grants of one session, by request parameters.

use super::tokens::Grant;

/// A map in the form of a sorted list: applications ask for two or three kinds of access token, not for hundreds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Grants(Vec<(String, Grant)>);

impl Grants {
    /// The grant under a key of `names::params_key`.
    pub fn get(&self, key: &str) -> Option<&Grant> {
        self.iter().find(|(other, _)| *other == key).map(|(_, grant)| grant)
    }

    /// Puts a grant in the place of the one under its key.
    pub fn insert(&mut self, key: String, grant: Grant) {
        let at = self.0.iter().position(|(other, _)| *other >= key).unwrap_or(self.0.len());
        match self.0.get_mut(at) {
            Some((other, there)) if *other == key => *there = grant,
            _ => self.0.insert(at, (key, grant)),
        }
    }

    /// Keeps only some.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Grant) -> bool) {
        self.0.retain(|(key, grant)| keep(key, grant));
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Keys and grants, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Grant)> {
        self.0.iter().map(|(key, grant)| (key.as_str(), grant))
    }

    /// The grants.
    pub fn values(&self) -> impl Iterator<Item = &Grant> {
        self.0.iter().map(|(_, grant)| grant)
    }

    /// The grants, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Grant> {
        self.0.iter_mut().map(|(_, grant)| grant)
    }
}
