//! Something that rings and counts: who waits for it is woken, by a real waker.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Context, Poll, Waker};

/// A counter that can be waited for.
#[derive(Default)]
pub struct Bell {
    count: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
}

impl Bell {
    /// How often it rang.
    pub fn count(&self) -> u64 {
        self.count.get()
    }

    /// Wakes everybody who waits.
    pub fn ring(&self) {
        self.count.set(self.count.get() + 1);
        for waker in self.waiting.take() {
            waker.wake();
        }
    }

    /// Did it ring more often than this? If not, the task is woken when it does.
    pub fn poll_after(&self, count: u64, task: &mut Context<'_>) -> Poll<()> {
        if self.count.get() > count {
            return Poll::Ready(());
        }
        self.waiting.borrow_mut().push(task.waker().clone());
        Poll::Pending
    }

    /// Waits until it rang more often than this.
    pub async fn after(&self, count: u64) {
        poll_fn(|task| self.poll_after(count, task)).await;
    }
}
