//! Parts of a state that most steps leave as they are: shared between states, and hashed once.

use std::cell::OnceCell;
use std::hash::{Hash, Hasher};
use std::ops::{Deref, DerefMut};
use std::rc::Rc;

use super::symmetry;

/// A value shared until it is changed. Remembers its digest under each renaming.
#[derive(Clone, Debug, Default)]
pub struct Shared<T>(Rc<Inner<T>>);

#[derive(Debug, Default)]
struct Inner<T> {
    value: T,
    digests: OnceCell<Box<[u128]>>,
}

impl<T: Clone> Clone for Inner<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), digests: OnceCell::new() }
    }
}

impl<T> Shared<T> {
    pub fn new(value: T) -> Self {
        Self(Rc::new(Inner { value, digests: OnceCell::new() }))
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0.value
    }
}

impl<T: Clone> DerefMut for Shared<T> {
    fn deref_mut(&mut self) -> &mut T {
        let inner = Rc::make_mut(&mut self.0);
        inner.digests.take();
        &mut inner.value
    }
}

impl<T: Hash> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let digests = self.0.digests.get_or_init(|| symmetry::digests(&self.0.value));
        hasher.write_u128(digests[symmetry::current()]);
    }
}
