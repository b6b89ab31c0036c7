//! Virtual time: it stands still while anybody is awake, and jumps to the next alarm once everybody sleeps.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::hands::Hands;

/// The tasks of one schedule, and their clock, in milliseconds.
#[derive(Clone, Default)]
pub struct Time(Rc<Inner>);

#[derive(Default)]
struct Inner {
    now: Cell<i64>,
    numbers: Cell<u64>,
    alarms: RefCell<BTreeMap<(i64, u64), Waker>>,
    /// The names of the tasks that have not ended.
    tasks: RefCell<BTreeMap<u64, String>>,
    hands: Hands,
}

/// A point where anybody may go first. Unlike shuttle's `yield_now` it asks for nothing: that one would take the
/// caller's priority away, and with it all that the PCT scheduler knows.
pub async fn step() {
    let mut passed = false;
    poll_fn(|task| {
        if passed {
            return Poll::Ready(());
        }
        passed = true;
        task.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

impl Time {
    /// What the clock says.
    pub fn now(&self) -> i64 {
        self.0.now.get()
    }

    /// Starts a task.
    pub fn spawn(&self, name: String, future: impl Future<Output = ()> + 'static) {
        let number = self.number();
        self.0.tasks.borrow_mut().insert(number, name);
        let time = Rc::downgrade(&self.0);
        self.0.hands.give(async move {
            future.await;
            if let Some(time) = time.upgrade() {
                time.tasks.borrow_mut().remove(&number);
            }
        });
    }

    /// Lets time pass until every task has ended.
    ///
    /// # Errors
    /// The names of tasks that nothing will ever wake.
    pub async fn pass(&self) -> Result<(), String> {
        self.0.hands.stand_ready();
        loop {
            self.0.hands.all_asleep().await;
            if self.0.tasks.borrow().is_empty() {
                return Ok(());
            }
            let Some(next) = self.0.alarms.borrow().keys().next().map(|(at, _)| *at) else {
                let tasks: Vec<String> = self.0.tasks.borrow().values().cloned().collect();
                return Err(tasks.join(", "));
            };
            self.0.now.set(next.max(self.now()));
            let later = self.0.alarms.borrow_mut().split_off(&(next + 1, 0));
            let due = self.0.alarms.replace(later);
            due.into_values().for_each(Waker::wake);
        }
    }

    /// An alarm at this moment.
    pub fn alarm(&self, at: i64) -> Alarm {
        Alarm { time: self.clone(), place: (at, self.number()) }
    }

    /// Is no alarm set?
    pub fn is_silent(&self) -> bool {
        self.0.alarms.borrow().is_empty()
    }

    fn number(&self) -> u64 {
        let number = self.0.numbers.get();
        self.0.numbers.set(number + 1);
        number
    }
}

/// A future that is ready at a moment. Dropping it takes the alarm back.
pub struct Alarm {
    time: Time,
    place: (i64, u64),
}

impl Future for Alarm {
    type Output = ();

    fn poll(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        if self.time.now() >= self.place.0 {
            return Poll::Ready(());
        }
        self.time.0.alarms.borrow_mut().insert(self.place, task.waker().clone());
        Poll::Pending
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        self.time.0.alarms.borrow_mut().remove(&self.place);
    }
}
