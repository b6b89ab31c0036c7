//! The tasks of one tab, worker or process: they stand still together while it is frozen, and end together when it
//! dies, in the middle of whatever they do.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use super::time::Time;
use super::trace::chance;

/// A process.
#[derive(Default)]
pub struct Process {
    dead: Cell<bool>,
    frozen: Rc<Cell<bool>>,
    tasks: RefCell<Vec<Running>>,
}

/// One of its tasks.
#[derive(Clone)]
pub struct Running(Rc<Slot>);

struct Slot {
    future: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>>,
    waker: RefCell<Option<Waker>>,
}

impl Process {
    /// Starts a task, which ends at the latest with the process.
    pub fn spawn(&self, time: &Time, name: String, future: impl Future<Output = ()> + 'static) -> Running {
        let slot = Rc::new(Slot { future: RefCell::new(Some(Box::pin(future))), waker: RefCell::default() });
        let running = Running(slot.clone());
        if self.is_dead() {
            running.end();
        }
        self.tasks.borrow_mut().push(running.clone());
        time.spawn(
            name,
            poll_fn(move |task| {
                let mut future = slot.future.borrow_mut();
                let Some(alive) = future.as_mut() else { return Poll::Ready(()) };
                if alive.as_mut().poll(task).is_ready() {
                    *future = None;
                    return Poll::Ready(());
                }
                *slot.waker.borrow_mut() = Some(task.waker().clone());
                Poll::Pending
            }),
        );
        running
    }

    /// Ends all tasks at once, in any order. Nothing of them runs any more but the destructors of what they hold.
    pub fn die(&self) {
        self.dead.set(true);
        let mut tasks = self.tasks.take();
        while !tasks.is_empty() {
            let next = chance(tasks.len());
            tasks.swap_remove(next).end();
        }
    }

    /// Nothing of it runs until it is thawed.
    pub fn freeze(&self) {
        self.frozen.set(true);
    }

    /// It goes on, with all that has happened meanwhile.
    pub fn thaw(&self) {
        self.frozen.set(false);
        for task in self.tasks.borrow().iter() {
            task.wake();
        }
    }

    /// Has it died?
    pub fn is_dead(&self) -> bool {
        self.dead.get()
    }
}

impl Running {
    /// Has it nothing more to do?
    pub fn has_ended(&self) -> bool {
        self.0.future.borrow().is_none()
    }

    /// Drops the task where it stands.
    pub fn end(&self) {
        let future = self.0.future.take();
        drop(future);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.0.waker.take() {
            waker.wake();
        }
    }
}
