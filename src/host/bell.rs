//! A bell that tasks of this context can wait for.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// Counts how often it rang.
#[derive(Default)]
pub struct Bell {
    count: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
}

impl Bell {
    /// A bell that counts on from here.
    pub fn counting_from(count: u64) -> Self {
        Self { count: Cell::new(count), waiting: RefCell::default() }
    }

    /// The count.
    pub fn count(&self) -> u64 {
        self.count.get()
    }

    /// Rings: the count becomes `count`, and everybody who waits looks again.
    pub fn ring(&self, count: u64) {
        self.count.set(count);
        for waker in self.waiting.take() {
            waker.wake();
        }
    }

    /// Waits until the count is higher than this.
    pub async fn after(&self, count: u64) {
        poll_fn(|context| {
            if self.count.get() > count {
                return Poll::Ready(());
            }
            let mut waiting = self.waiting.borrow_mut();
            if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}
