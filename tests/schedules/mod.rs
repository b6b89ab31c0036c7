//! A living world for the real core: real tasks, real wakers and destructors, under random schedules.
//!
//! | file | what it is |
//! | --- | --- |
//! | `hands`, `time` | tasks, and the clock that stands still while one of them is awake |
//! | `process` | tasks that die together |
//! | `bell`, `promise`, `locks` | what they wait for |
//! | `site` | what all tabs share: store, network, server |
//! | `tab`, `ports` | one tab, and the ports of the protocol in it |
//! | `coordinator` | flights over exchanges, as a host builds them |
//! | `callers`, `casts` | who takes part |
//! | `faults` | what goes wrong, once in a schedule |
//! | `monitor`, `mutants` | the invariants, and what breaks without which safeguard |
//! | `trace` | what was reached, and a schedule in words |
//! | `explore` | the schedules |

pub mod bell;
pub mod callers;
pub mod casts;
pub mod coordinator;
pub mod explore;
pub mod faults;
pub mod hands;
pub mod locks;
pub mod monitor;
pub mod mutants;
pub mod ports;
pub mod process;
pub mod promise;
pub mod site;
pub mod tab;
pub mod time;
pub mod trace;
