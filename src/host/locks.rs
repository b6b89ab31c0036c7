//! Locks: anything in the shape of `navigator.locks`, asked for a lock that is held until it is dropped.

use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_futures::spawn_local;

use super::abort::Abort;
use super::bell::Bell;
use super::clock::host_sleep;
use super::object::Members;
use super::race::{First, race};
use super::settle::{Foreign, call, invoke, settle};
use crate::options::ports::Scope;
use crate::protocol::ports::LockScope;
use crate::protocol::tokens::Millis;

/// How long the first request may go unanswered before it is doubted that the locks react at all, in milliseconds.
const DOUBT_AFTER: Millis = 1_000;
/// How long a request for a lock that nobody else can hold may take, in milliseconds.
const PROBE_LIMIT: Millis = 2_000;

/// The locks of one coordinator.
pub struct HostLocks {
    locks: JsValue,
    scope: Scope,
    trust: Rc<Trust>,
}

/// Do the locks work? Some hosts have them and refuse every request, or never answer one (sandboxed frames).
#[derive(Default)]
struct Trust {
    works: Cell<bool>,
    dead: Cell<bool>,
    probing: Cell<bool>,
    judged: Bell,
}

impl Trust {
    fn judge(&self, works: bool) {
        self.works.set(works);
        self.dead.set(!works);
        self.judged.ring(1);
    }
}

impl HostLocks {
    /// Takes the locks, or `undefined` where there are none.
    pub fn new(locks: JsValue, scope: Scope) -> Self {
        let trust = Trust::default();
        trust.dead.set(locks.is_undefined() || locks.is_null());
        Self { locks, scope, trust: Rc::new(trust) }
    }

    /// What they can do for a value that is shared as far as `store`.
    pub fn scope(&self, store: Scope) -> LockScope {
        match () {
            () if self.trust.dead.get() => LockScope::None,
            () if self.scope >= store => LockScope::Covering,
            () => LockScope::Partial,
        }
    }

    /// Waits for the lock. `None`: it cannot be had on this host. `probe` is a name that nobody else can hold.
    pub async fn acquire(&self, name: &str, probe: impl FnOnce() -> String) -> Option<Held> {
        if self.trust.dead.get() {
            return None;
        }
        let mut request = pin!(Request::new(&self.locks, name));
        if !self.trust.works.get() {
            match race(request.as_mut(), self.doubtful()).await {
                First::Left(answer) => {
                    self.trust.judge(answer.is_some());
                    return answer;
                }
                First::Right(()) => self.probe(probe()),
            }
        }
        match race(request.as_mut(), self.doubt()).await {
            // It was refused although locks work here: nobody goes on without it, so the caller's patience decides.
            First::Left(None) => pending().await,
            First::Left(held) => held,
            First::Right(()) => None,
        }
    }

    /// Ends when an answer has taken suspiciously long. Locks of a whole machine are granted or refused, and never silent; but a
    /// machine that is too busy, or was suspended, may well need longer than any probe is given.
    async fn doubtful(&self) {
        if self.scope >= Scope::Host {
            pending().await
        }
        host_sleep(DOUBT_AFTER).await;
    }

    /// Ends when the locks turn out to be dead.
    async fn doubt(&self) {
        self.trust.judged.after(0).await;
        if !self.trust.dead.get() {
            pending().await
        }
    }

    fn probe(&self, name: String) {
        if self.trust.probing.replace(true) {
            return;
        }
        let (trust, request) = (self.trust.clone(), Request::new(&self.locks, &name));
        spawn_local(async move {
            let granted = matches!(race(request, host_sleep(PROBE_LIMIT)).await, First::Left(Some(_)));
            trust.judge(granted);
        });
    }
}

/// A lock that was granted. Dropping it lets it go.
pub struct Held {
    release: JsValue,
    /// What `request` returned: it settles early if the lock was stolen, or was none.
    requested: RefCell<Requested>,
}

type Requested = Pin<Box<dyn Future<Output = Result<JsValue, Foreign>>>>;

impl Held {
    /// Is it still ours?
    pub fn is_ours(&self) -> bool {
        let mut requested = self.requested.borrow_mut();
        let lost = requested.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
        if lost {
            *requested = Box::pin(async { Err(Foreign::Missing) });
        }
        !lost
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = call(&self.release, &JsValue::UNDEFINED, &[]);
    }
}

/// A request that has been made. Dropping it withdraws it; a lock granted after that is let go at once.
struct Request {
    grant: Rc<Grant>,
    abort: Abort,
    requested: Option<Requested>,
}

#[derive(Default)]
struct Grant {
    withdrawn: Cell<bool>,
    release: RefCell<Option<JsValue>>,
    waker: Cell<Option<Waker>>,
}

impl Request {
    fn new(locks: &JsValue, name: &str) -> Self {
        let (grant, abort) = (Rc::<Grant>::default(), Abort::new());
        let granted = grant.clone();
        let callback = Closure::<dyn FnMut(JsValue) -> JsValue>::new(move |_lock| granted.give());
        let options = Members::new().set("signal", abort.signal()).done();
        let called = invoke(locks, "request", &[&name.into(), &options, &callback.into_js_value()]);
        Self { grant, abort, requested: Some(Box::pin(settle(called))) }
    }
}

impl Grant {
    /// The lock is granted: returns what it is held for.
    fn give(&self) -> JsValue {
        if self.withdrawn.replace(true) {
            return JsValue::UNDEFINED;
        }
        let held = Promise::new(&mut |release, _reject| *self.release.borrow_mut() = Some(release.into()));
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
        held.into()
    }
}

impl Future for Request {
    /// `None`: refused.
    type Output = Option<Held>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(release) = self.grant.release.take()
            && let Some(requested) = self.requested.take()
        {
            self.abort.disarm();
            return Poll::Ready(Some(Held { release, requested: RefCell::new(requested) }));
        }
        self.grant.waker.set(Some(context.waker().clone()));
        match self.requested.as_mut() {
            Some(requested) => requested.as_mut().poll(context).map(|_| None),
            None => Poll::Ready(None),
        }
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.grant.withdrawn.set(true);
        if let Some(release) = self.grant.release.take() {
            let _ = call(&release, &JsValue::UNDEFINED, &[]);
        }
    }
}
