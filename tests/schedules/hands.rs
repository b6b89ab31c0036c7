//! The shuttle tasks that do all the work: each runs one task of the world after the other, and counts as awake from
//! the call of its waker to the poll that leaves it waiting.
//!
//! They stand ready from the start, because shuttle lets others run inside `spawn_local` itself: a task that spawned
//! another would be interrupted in mid-poll, which cannot happen on a JavaScript thread.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

/// How many hands stand ready besides those that begin with a task.
const SPARE: usize = 6;

type Work = Pin<Box<dyn Future<Output = ()>>>;

/// All hands of one schedule.
#[derive(Clone, Default)]
pub struct Hands(Rc<Inner>);

#[derive(Default)]
struct Inner {
    /// Work for which no hand was free.
    waiting: RefCell<VecDeque<Work>>,
    idle: RefCell<Vec<Rc<Hand>>>,
    awake: Arc<Awake>,
}

/// A hand that has nothing to do.
#[derive(Default)]
struct Hand {
    work: RefCell<Option<Work>>,
    waker: RefCell<Option<Waker>>,
}

impl Hands {
    /// Gives work to a hand that has none, or to a new one.
    pub fn give(&self, work: impl Future<Output = ()> + 'static) {
        let work: Work = Box::pin(work);
        let idle = self.0.idle.borrow_mut().pop();
        let Some(hand) = idle else {
            self.0.waiting.borrow_mut().push_back(work);
            self.0.awake.call_watcher();
            return;
        };
        *hand.work.borrow_mut() = Some(work);
        if let Some(waker) = hand.waker.take() {
            waker.wake();
        }
    }

    /// Brings the first hands in.
    pub fn stand_ready(&self) {
        for _ in 0..SPARE {
            self.bring_in(None);
        }
    }

    /// Waits until every hand is asleep or has nothing to do; brings new ones in if they are too few.
    pub async fn all_asleep(&self) {
        loop {
            poll_fn(|task| self.0.awake.poll(task, !self.0.waiting.borrow().is_empty())).await;
            let work = self.0.waiting.borrow_mut().pop_front();
            if work.is_none() {
                return;
            }
            self.bring_in(work);
        }
    }

    fn bring_in(&self, first: Option<Work>) {
        let hands = Rc::downgrade(&self.0);
        let mut work = first;
        let labour = async move {
            loop {
                if let Some(work) = work.take() {
                    work.await;
                }
                let hand = Rc::new(Hand::default());
                let Some(hands) = hands.upgrade() else { return };
                hands.idle.borrow_mut().push(hand.clone());
                drop(hands);
                work = Some(poll_fn(|task| hand.poll_work(task)).await);
            }
        };
        self.0.awake.rise();
        let pulse =
            Pulse { awake: self.0.awake.clone(), counted: true.into(), woken: false.into(), task: Mutex::default() };
        drop(shuttle::future::spawn_local(Counted { labour: Box::pin(labour), pulse: Arc::new(pulse) }));
    }
}

impl Hand {
    fn poll_work(&self, task: &mut Context<'_>) -> Poll<Work> {
        if let Some(work) = self.work.take() {
            return Poll::Ready(work);
        }
        *self.waker.borrow_mut() = Some(task.waker().clone());
        Poll::Pending
    }
}

/// Counts the hands that are awake.
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
        if self.count.fetch_sub(1, Relaxed) == 1 {
            self.call_watcher();
        }
    }

    fn call_watcher(&self) {
        if let Some(watcher) = lock(&self.watcher).take() {
            watcher.wake();
        }
    }

    fn poll(&self, task: &mut Context<'_>, too_few: bool) -> Poll<()> {
        if too_few || self.count.load(Relaxed) == 0 {
            return Poll::Ready(());
        }
        *lock(&self.watcher) = Some(task.waker().clone());
        Poll::Pending
    }
}

/// A hand as shuttle sees it.
struct Counted {
    labour: Work,
    pulse: Arc<Pulse>,
}

struct Pulse {
    awake: Arc<Awake>,
    counted: AtomicBool,
    woken: AtomicBool,
    task: Mutex<Option<Waker>>,
}

impl Future for Counted {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<()> {
        let pulse = self.pulse.clone();
        pulse.count();
        pulse.woken.store(false, Relaxed);
        *lock(&pulse.task) = Some(task.waker().clone());
        let polled = self.labour.as_mut().poll(&mut Context::from_waker(&Waker::from(pulse.clone())));
        if polled.is_ready() || !pulse.woken.load(Relaxed) {
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
        if let Some(task) = lock(&self.task).as_ref() {
            self.woken.store(true, Relaxed);
            self.count();
            task.wake_by_ref();
        }
    }
}

/// Everything runs on one thread: nobody else can have the mutex.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
