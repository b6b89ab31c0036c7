//! A promise: settled once, awaited by many, told from others by identity.

use std::cell::RefCell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll};

use super::bell::Bell;

/// A shared promise. Clones are the same promise.
pub struct Promise<T>(Rc<Inner<T>>);

struct Inner<T> {
    value: RefCell<Option<T>>,
    settled: Bell,
}

impl<T> Clone for Promise<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Clone> Promise<T> {
    /// An open promise.
    pub fn new() -> Self {
        Self(Rc::new(Inner { value: RefCell::new(None), settled: Bell::default() }))
    }

    /// Settles it, if it is still open. Says whether it was.
    pub fn settle(&self, value: T) -> bool {
        if self.is_settled() {
            return false;
        }
        *self.0.value.borrow_mut() = Some(value);
        self.0.settled.ring();
        true
    }

    /// Is it settled?
    pub fn is_settled(&self) -> bool {
        self.0.value.borrow().is_some()
    }

    /// Are they the same object?
    pub fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// What it was settled with. If it is open, the task is woken when it is settled.
    pub fn poll(&self, task: &mut Context<'_>) -> Poll<T> {
        match self.0.value.borrow().clone() {
            Some(value) => Poll::Ready(value),
            None => {
                let _ = self.0.settled.poll_after(self.0.settled.count(), task);
                Poll::Pending
            }
        }
    }

    /// Waits until it is settled.
    pub async fn value(&self) -> T {
        poll_fn(|task| self.poll(task)).await
    }
}
