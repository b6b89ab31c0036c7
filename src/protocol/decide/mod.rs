//! The decisions of the protocol: pure functions of a record, a clock reading and the settings.
//!
//! Nothing in here waits, reads a clock, writes or draws lots; `exchange` does that and asks here what follows.
//!
//! | file | decides |
//! | --- | --- |
//! | [`freshness`] | how long a grant still lives, and whether it meets a demand |
//! | [`look`] | rule 1: what a record means to a call |
//! | [`claim`] | rules 3 and 4: claim, take over, wait, and may the request still be sent |
//! | [`commit`] | rule 6: what a grant makes of the record, and what a conflict means |
//! | [`refusal`] | rule 7: what a refusal means after the record was read again |
//! | [`withdrawal`] | rule 8: what a reply without verdict leaves behind |
//! | [`sign_in`] | what a sign-in makes of the record that is there |
//! | [`sign_out`] | rule 11: what a sign-out leaves of it |
//! | [`backoff`] | cool-downs, with jitter |

pub mod backoff;
pub mod claim;
pub mod commit;
pub mod freshness;
pub mod look;
pub mod refusal;
pub mod sign_in;
pub mod sign_out;
pub mod withdrawal;
