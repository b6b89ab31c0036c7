//! Time: the host's clock, or the user's in its place.
//!
//! A clock that throws or returns no number must not stop anybody's wait from ending, so the host's own timers stand in.

use std::cell::Cell;
use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use js_sys::Promise;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::abort::Abort;
use super::race::{First, at_once, race};
use super::settle::{Foreign, call, has_properties, invoke, property, settle};
use crate::options::durations::LONGEST_DELAY;
use crate::protocol::ports::{Clock, SLEPT};
use crate::protocol::tokens::Millis;

/// The furthest moment that a `Date` can show, in milliseconds from the epoch. Sums of moments up to here never overflow.
const FURTHEST: f64 = 8.64e15;

/// The clock of one coordinator.
pub struct HostClock {
    clock: JsValue,
    /// The last value of the monotonic clock: a user's clock may go back.
    last: Cell<Millis>,
    /// Once the user's monotonic clock has failed: what to add to the host's, so that time goes on from there.
    offset: Cell<Option<Millis>>,
}

impl HostClock {
    /// Takes `{ now(), monotonic(), sleep(ms, signal) }`.
    pub fn new(clock: JsValue) -> Self {
        Self { clock, last: Cell::new(Millis::MIN), offset: Cell::new(None) }
    }

    /// Sleeps; dropping it clears the timer.
    pub fn sleep(&self, delay: Millis) -> Sleep {
        let delay = delay.clamp(0, LONGEST_DELAY);
        let abort = Abort::new();
        let slept = settle(invoke(&self.clock, "sleep", &[&JsValue::from(delay as f64), &abort.signal()]));
        let future = async move {
            if slept.await.is_err() {
                host_sleep(delay).await;
            }
        };
        Sleep { abort, future: Box::pin(future) }
    }

    /// So much time for something to end in. A page at rest and a computer asleep have let nothing happen in it, so after that
    /// it begins once more.
    pub fn patience(&self, limit: Millis) -> impl Future<Output = ()> + '_ {
        let (until, slept) = (self.monotonic() + limit, self.sleep(limit));
        async move {
            slept.await;
            if self.monotonic() - until >= SLEPT {
                self.sleep(limit).await;
            }
        }
    }

    /// Gives a future so much time. No timer is set for what is ready at once.
    pub async fn within<T>(&self, limit: Millis, work: impl Future<Output = T>) -> Result<T, Foreign> {
        let mut work = pin!(work);
        if let Some(output) = at_once(work.as_mut()).await {
            return Ok(output);
        }
        match race(work, self.patience(limit)).await {
            First::Left(output) => Ok(output),
            First::Right(()) => Err(Foreign::TimedOut),
        }
    }

    /// Follows what a call returned to its end, for so long.
    pub async fn settle(&self, limit: Millis, called: Result<JsValue, Foreign>) -> Result<JsValue, Foreign> {
        self.within(limit, settle(called)).await?
    }

    fn read(&self, method: &str) -> Option<Millis> {
        let answer = invoke(&self.clock, method, &[]).ok()?;
        if has_properties(&answer) {
            // Perhaps a promise, perhaps one that rejects: nobody else will look at it.
            drop(settle(Ok(answer)));
            return None;
        }
        let number = answer.as_f64()?;
        // What no `Date` can show is no time; neither is what is not finite.
        (number.abs() <= FURTHEST).then_some(number.floor() as Millis)
    }
}

impl Clock for HostClock {
    fn wall(&self) -> Millis {
        self.read("now").unwrap_or_else(|| js_sys::Date::now() as Millis)
    }

    fn monotonic(&self) -> Millis {
        let read = if self.offset.get().is_none() { self.read("monotonic") } else { None };
        let now = read.unwrap_or_else(|| {
            let host = host_monotonic();
            let offset = self.offset.get().unwrap_or_else(|| self.last.get().max(0) - host);
            self.offset.set(Some(offset));
            host + offset
        });
        self.last.set(now.max(self.last.get()));
        self.last.get()
    }
}

/// A timer that is running.
pub struct Sleep {
    abort: Abort,
    future: Pin<Box<dyn Future<Output = ()>>>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let polled = self.future.as_mut().poll(context);
        if polled.is_ready() {
            self.abort.disarm();
        }
        polled
    }
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_name = setTimeout)]
    fn set_timeout(then: &JsValue, delay: f64) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(catch, js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue) -> Result<(), JsValue>;
}

struct HostTimer(JsValue);

impl Drop for HostTimer {
    fn drop(&mut self) {
        let _ = clear_timeout(&self.0);
    }
}

/// Sleeps on the host's own timer, whatever clock the user gave.
pub async fn host_sleep(delay: Millis) {
    let mut timer = HostTimer(JsValue::UNDEFINED);
    let promise = Promise::new(&mut |resolve, _reject| match set_timeout(&resolve, delay as f64) {
        Ok(id) => timer.0 = id,
        Err(_) => drop(call(&resolve, &JsValue::UNDEFINED, &[])),
    });
    let _ = settle(Ok(promise.into())).await;
    drop(timer);
}

/// The host's own monotonic clock.
pub fn host_monotonic() -> Millis {
    host_moment() as Millis
}

/// The same with the fractions it has.
pub fn host_moment() -> f64 {
    let performance = property(&js_sys::global(), "performance").unwrap_or(JsValue::UNDEFINED);
    let now = invoke(&performance, "now", &[]).ok().and_then(|now| now.as_f64());
    now.unwrap_or_else(js_sys::Date::now)
}
