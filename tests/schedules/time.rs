//! Virtual time: it stands still while anybody is awake, and jumps to the next alarm once everybody sleeps.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

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
    awake: Arc<Awake>,
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
        self.0.awake.rise();
        let pulse = Pulse { awake: self.0.awake.clone(), counted: true.into(), woken: false.into(), task: Mutex::default() };
        let task = Task { future: Box::pin(future), pulse: Arc::new(pulse), time: self.clone(), number };
        drop(shuttle::future::spawn_local(task));
    }

    /// Lets time pass until every task has ended.
    ///
    /// # Errors
    /// The names of tasks that nothing will ever wake.
    pub async fn pass(&self) -> Result<(), String> {
        loop {
            poll_fn(|task| self.0.awake.poll_all_asleep(task)).await;
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

/// Counts the tasks that are awake.
#[derive(Default)]
struct Awake {
    count: AtomicUsize,
    watcher: Mutex<Option<Waker>>,
}

impl Awake {
    fn rise(&self) {
        self.count.fetch_add(1, Relaxed);
    }

    fn rest(&self) {
        if self.count.fetch_sub(1, Relaxed) == 1
            && let Some(watcher) = self.watcher.lock().unwrap_or_else(PoisonError::into_inner).take()
        {
            watcher.wake();
        }
    }

    fn poll_all_asleep(&self, task: &mut Context<'_>) -> Poll<()> {
        if self.count.load(Relaxed) == 0 {
            return Poll::Ready(());
        }
        *self.watcher.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.waker().clone());
        Poll::Pending
    }
}

/// A task that is counted while it is awake: from its waker's call to the poll that leaves it waiting.
struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    pulse: Arc<Pulse>,
    time: Time,
    number: u64,
}

struct Pulse {
    awake: Arc<Awake>,
    counted: AtomicBool,
    woken: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Future for Task {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let pulse = self.pulse.clone();
        pulse.count();
        pulse.woken.store(false, Relaxed);
        *pulse.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task.waker().clone());
        let polled = self.future.as_mut().poll(&mut Context::from_waker(&Waker::from(pulse.clone())));
        if polled.is_ready() {
            self.time.0.tasks.borrow_mut().remove(&self.number);
            *pulse.task.lock().unwrap_or_else(PoisonError::into_inner) = None;
            pulse.awake.rest();
        } else if !pulse.woken.load(Relaxed) {
            pulse.counted.store(false, Relaxed);
            pulse.awake.rest();
        }
        polled
    }
}

impl Pulse {
    fn count(&self) {
        if !self.counted.swap(true, Relaxed) {
            self.awake.rise();
        }
    }
}

impl Wake for Pulse {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // One that has ended, or was not polled yet, is not asleep.
        if let Some(task) = self.task.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            self.woken.store(true, Relaxed);
            self.count();
            task.wake_by_ref();
        }
    }
}
