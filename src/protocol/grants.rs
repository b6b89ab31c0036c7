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

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(minted: u64) -> Grant {
        Grant {
            access_token: None,
            expires_at: 0,
            issued_at: 0,
            minted,
            token_type: None,
            scope: None,
            id_token: None,
            extra: Default::default(),
        }
    }

    #[test]
    fn each_key_has_one_grant_and_the_order_is_that_of_the_keys() {
        let mut grants = Grants::default();
        for (key, minted) in [("b", 1), ("c", 2), ("a", 3), ("b", 4)] {
            grants.insert(key.into(), grant(minted));
        }
        let minted =
            |grants: &Grants| grants.iter().map(|(key, grant)| (key.to_owned(), grant.minted)).collect::<Vec<_>>();
        assert_eq!(minted(&grants), [("a".into(), 3), ("b".into(), 4), ("c".into(), 2)]);
        assert_eq!((grants.get("c"), grants.get("d")), (Some(&grant(2)), None));
        grants.values_mut().for_each(|grant| grant.minted += 1);
        assert_eq!(grants.values().map(|grant| grant.minted).sum::<u64>(), 12);
        grants.retain(|key, grant| key != "a" && grant.minted > 3);
        assert_eq!(minted(&grants), [("b".into(), 5)]);
        grants.clear();
        assert_eq!(grants, Grants::default());
    }
}
