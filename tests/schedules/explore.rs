//! Runs a scenario under a scheduler, schedule by schedule; a violation is run again to be told step by step.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Instant;

use refresh_coordinator::protocol::ports::LockScope;
use refresh_coordinator::protocol::safeguard::{Safeguard, drop_only};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner};

use super::casts::Cast;
use super::coordinator::names;
use super::faults::Faults;
use super::site::Site;
use super::time::step;
use super::trace::{self, chance};
use crate::server::Kind;

/// Where the choices begin. `SHUTTLE_RANDOM_SEED` takes its place.
const SEED: u64 = 6749;
/// How many priority changes the PCT scheduler makes: enough for any three orderings that a bug needs.
const DEPTH: usize = 4;
/// A schedule that takes more steps than this runs in circles.
const LONGEST: usize = 200_000;

/// One world, under every schedule that is tried.
#[derive(Clone, Copy)]
pub struct Scenario {
    pub name: &'static str,
    pub cast: Cast,
    pub server: Kind,
    pub lock: LockScope,
    pub faults: Faults,
    /// Are tokens carried?
    pub successor_mode: bool,
    /// Without a fault, exactly so many tokens are granted something.
    pub grants: Option<usize>,
    pub dropped: [Option<Safeguard>; 2],
}

/// The order in which tasks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Any task that can run, at every step.
    Random,
    /// By priorities that rarely change: finds what needs few, but far, orderings (Burckhardt et al., ASPLOS 2010).
    Priorities,
}

/// What was found in schedules without a violation.
pub struct Explored {
    pub schedules: usize,
    pub seconds: f64,
    pub reached: BTreeMap<&'static str, usize>,
}

/// A violated invariant, the number of the schedule, and what happened in it.
pub struct Violation {
    pub what: String,
    pub schedule: usize,
}

/// Tries so many schedules.
///
/// # Errors
/// The first violation, told step by step.
pub fn explore(scenario: &Scenario, order: Order, schedules: usize) -> Result<Explored, Violation> {
    let began = Instant::now();
    match run(*scenario, order, schedules, None) {
        Ok(schedules) => {
            Ok(Explored { schedules, seconds: began.elapsed().as_secs_f64(), reached: trace::all_reached() })
        }
        Err(what) => Err(Violation { what, schedule: trace::begun() }),
    }
}

/// The schedule with this number, told step by step.
pub fn told(scenario: &Scenario, order: Order, schedule: usize) -> String {
    run(*scenario, order, schedule, Some(schedule - 1)).err().unwrap_or_else(|| "it does not happen again".to_owned())
}

/// Runs one schedule that shuttle has printed.
pub fn replay(scenario: &Scenario, schedule: &str) {
    trace::reset();
    let scenario = *scenario;
    shuttle::replay(move || perform(&scenario, Some(0)), schedule);
}

fn run(scenario: Scenario, order: Order, schedules: usize, traced: Option<usize>) -> Result<usize, String> {
    trace::reset();
    let mut config = Config::new();
    config.stack_size = 0x4_0000;
    config.max_steps = shuttle::MaxSteps::FailAfter(LONGEST);
    let body = move || perform(&scenario, traced);
    let ran = catch_unwind(AssertUnwindSafe(|| match order {
        Order::Random => Runner::new(RandomScheduler::new_from_seed(SEED, schedules), config).run(body),
        Order::Priorities => Runner::new(PctScheduler::new_from_seed(SEED, DEPTH, schedules), config).run(body),
    }));
    drop_only([None, None]);
    ran.map_err(|panic| message(panic.as_ref()))
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}

/// One schedule, from the cast's entry to the last task's end.
fn perform(scenario: &Scenario, traced: Option<usize>) {
    trace::begin(traced);
    // On the thread that shuttle runs all its tasks on, so that the protocol sees it.
    drop_only(scenario.dropped);
    let found = shuttle::future::block_on(async {
        let key = (!scenario.successor_mode).then(|| names().session().key);
        let site = Site::new(scenario.server, scenario.faults, key);
        (scenario.cast)(&site, scenario.lock);
        fate(&site);
        let passed = site.time.pass().await;
        site.ledger.end(&site);
        if let Err(tasks) = passed {
            site.ledger.violated(format!("I4: nothing will ever wake: {tasks}"));
        }
        let grants = site.ledger.grants();
        if let Some(expected) = scenario.grants.filter(|expected| site.faultless && *expected != grants) {
            site.ledger.violated(format!("{grants} tokens were granted something instead of {expected}"));
        }
        // Tabs and site hold each other.
        site.tabs.take();
        site.ledger.violation()
    });
    assert!(found.is_none(), "{}\n{}", found.unwrap_or_default(), trace::lines());
}

/// If a tab is to die or to stand still, that happens at any point.
fn fate(site: &Rc<Site>) {
    let (crash, freeze) = (site.plan.crash(), site.plan.freeze());
    let number = chance(site.tabs.borrow().len());
    let Some(tab) = site.tabs.borrow().get(number).map(|coordinator| coordinator.tab().clone()) else { return };
    if !crash && freeze.is_none() {
        return;
    }
    let here = site.clone();
    site.time.spawn("fate".to_owned(), async move {
        for _ in 0..chance(48) {
            step().await;
        }
        if let Some(time) = freeze {
            here.ledger.freezes(&tab);
            tab.process.freeze();
            here.time.alarm(here.time.now() + time).await;
            trace::note(|| format!("{} goes on", tab.name));
            tab.process.thaw();
        } else {
            here.ledger.dies(&tab);
            tab.process.die();
        }
    });
}
