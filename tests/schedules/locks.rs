//! Locks that queue, in the order of the requests: dropping a request withdraws it, dropping the lock wakes the next.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// The locks of one host.
#[derive(Clone, Default)]
pub struct Locks(Rc<Inner>);

#[derive(Default)]
struct Inner {
    numbers: Cell<u64>,
    queues: RefCell<BTreeMap<String, Queue>>,
}

/// Who holds a lock, and who waits for it.
#[derive(Default)]
struct Queue {
    holder: Option<u64>,
    waiting: VecDeque<(u64, Option<Waker>)>,
}

/// A place in the queue, and then the lock itself. Dropping it leaves the queue or lets the lock go.
pub struct Held {
    locks: Locks,
    key: String,
    number: u64,
}

impl Locks {
    /// Queues for a lock.
    pub fn request(&self, key: &str) -> Held {
        let number = self.0.numbers.get();
        self.0.numbers.set(number + 1);
        let mut queues = self.0.queues.borrow_mut();
        let queue = queues.entry(key.to_owned()).or_default();
        queue.waiting.push_back((number, None));
        queue.grant();
        Held { locks: self.clone(), key: key.to_owned(), number }
    }

    /// Does nobody hold a lock or wait for one?
    pub fn are_free(&self) -> bool {
        self.0.queues.borrow().values().all(|queue| queue.holder.is_none() && queue.waiting.is_empty())
    }
}

impl Queue {
    /// A free lock goes to the first who waits.
    fn grant(&mut self) {
        if self.holder.is_some() {
            return;
        }
        if let Some((number, waker)) = self.waiting.pop_front() {
            self.holder = Some(number);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

impl Held {
    /// Is the lock granted? If not, the task is woken when it is.
    pub fn poll_granted(&self, task: &mut Context<'_>) -> Poll<()> {
        let mut queues = self.locks.0.queues.borrow_mut();
        let Some(queue) = queues.get_mut(&self.key) else { return Poll::Pending };
        if queue.holder == Some(self.number) {
            return Poll::Ready(());
        }
        for (number, waker) in &mut queue.waiting {
            if *number == self.number {
                *waker = Some(task.waker().clone());
            }
        }
        Poll::Pending
    }

    /// Is it the lock, not only a place in the queue?
    pub fn is_granted(&self) -> bool {
        self.locks.0.queues.borrow().get(&self.key).is_some_and(|queue| queue.holder == Some(self.number))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut queues = self.locks.0.queues.borrow_mut();
        let Some(queue) = queues.get_mut(&self.key) else { return };
        queue.waiting.retain(|(number, _)| *number != self.number);
        if queue.holder == Some(self.number) {
            queue.holder = None;
            queue.grant();
        }
    }
}
