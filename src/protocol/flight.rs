//! Flights: one shared promise for all callers with the same demand, as long as it is open.
//!
//! Must not know what a promise is: the host's is a JavaScript Promise, the searches' is a number.

use std::cell::RefCell;

use super::demand::{Demand, Need};
use super::ports::Params;
use super::tokens::Secret;

/// Two calls with equal keys share one flight.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FlightKey {
    /// The presented refresh token in successor mode; nothing in session mode.
    pub presented: Option<Secret>,
    /// Parameters and need.
    pub demand: Demand,
}

/// Names one flight. Never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticket(u64);

/// The open flights of one context.
#[derive(Debug)]
pub struct Flights<P> {
    open: RefCell<Table<P>>,
}

#[derive(Debug)]
struct Table<P> {
    next: u64,
    flights: Vec<Flight<P>>,
}

#[derive(Debug)]
struct Flight<P> {
    ticket: Ticket,
    key: FlightKey,
    promise: P,
    /// Its request is on its way: a caller who needs tokens minted after the call comes too late for it.
    sent: bool,
}

impl<P: Clone> Default for Flights<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Clone> Flights<P> {
    /// No open flights.
    pub fn new() -> Self {
        Self { open: RefCell::new(Table { next: 0, flights: Vec::new() }) }
    }

    /// The shared promise of an open flight that will answer this demand.
    pub fn join(&self, key: &FlightKey) -> Option<P> {
        let open = self.open.borrow();
        let too_late = |flight: &Flight<P>| flight.sent && key.demand.need == Need::MintedAfterNow;
        open.flights.iter().find(|flight| flight.key == *key && !too_late(flight)).map(|flight| flight.promise.clone())
    }

    /// The shared promise of an open flight for these parameters that has not sent a request: a hint makes it look at the record.
    pub fn looking(&self, params: &Params) -> Option<P> {
        let open = self.open.borrow();
        let looks = |flight: &&Flight<P>| {
            !flight.sent && flight.key.demand.need == Need::Valid && flight.key.demand.params == *params
        };
        open.flights.iter().find(looks).map(|flight| flight.promise.clone())
    }

    /// Opens a flight.
    pub fn start(&self, key: FlightKey, promise: P) -> Ticket {
        let mut open = self.open.borrow_mut();
        let ticket = Ticket(open.next);
        open.next += 1;
        open.flights.push(Flight { ticket, key, promise, sent: false });
        ticket
    }

    /// The flight's request is about to be sent.
    pub fn sent(&self, ticket: Ticket) {
        for flight in &mut self.open.borrow_mut().flights {
            flight.sent |= flight.ticket == ticket;
        }
    }

    /// Ends a flight, before its promise is settled. False if it was not open any more: it is settled already.
    pub fn end(&self, ticket: Ticket) -> bool {
        let flights = &mut self.open.borrow_mut().flights;
        let before = flights.len();
        flights.retain(|flight| flight.ticket != ticket);
        flights.len() < before
    }

    /// Ends all flights at once, for a sign-out or another session: their promises are the caller's to settle.
    pub fn abandon(&self) -> Vec<P> {
        self.open.borrow_mut().flights.drain(..).map(|flight| flight.promise).collect()
    }

    /// Is no flight open?
    pub fn is_empty(&self) -> bool {
        self.open.borrow().flights.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(need: Need) -> FlightKey {
        FlightKey { presented: None, demand: Demand { params: Vec::new(), need } }
    }

    #[test]
    fn callers_with_the_same_demand_share_a_flight_until_it_ends() {
        let flights = Flights::new();
        assert_eq!(flights.join(&key(Need::Valid)), None);
        let ticket = flights.start(key(Need::Valid), 7);
        assert_eq!(flights.join(&key(Need::Valid)), Some(7));
        assert_eq!(flights.join(&key(Need::Newer(None))), None);
        assert!(flights.end(ticket));
        assert!(!flights.end(ticket), "a flight ends once");
        assert_eq!(flights.join(&key(Need::Valid)), None);
    }

    #[test]
    fn other_parameters_are_another_flight() {
        let flights = Flights::new();
        flights.start(key(Need::Valid), 7);
        let mut other = key(Need::Valid);
        other.demand.params.push(("scope".into(), "a".into()));
        assert_eq!(flights.join(&other), None);
    }

    #[test]
    fn who_needs_tokens_minted_after_now_joins_only_before_the_request_is_sent() {
        let flights = Flights::new();
        let ticket = flights.start(key(Need::MintedAfterNow), 1);
        assert_eq!(flights.join(&key(Need::MintedAfterNow)), Some(1));
        flights.sent(ticket);
        assert_eq!(flights.join(&key(Need::MintedAfterNow)), None);
        flights.start(key(Need::MintedAfterNow), 2);
        assert_eq!(flights.join(&key(Need::MintedAfterNow)), Some(2));
    }

    #[test]
    fn only_a_flight_that_has_sent_nothing_looks_for_others_too() {
        let (flights, plain) = (Flights::new(), Vec::new());
        flights.start(key(Need::MintedAfterNow), 1);
        assert_eq!(flights.looking(&plain), None);
        let ticket = flights.start(key(Need::Valid), 2);
        assert_eq!(flights.looking(&plain), Some(2));
        assert_eq!(flights.looking(&vec![("scope".into(), "a".into())]), None);
        flights.sent(ticket);
        assert_eq!(flights.looking(&plain), None);
    }

    #[test]
    fn flights_end_one_by_one() {
        let flights = Flights::new();
        assert!(flights.is_empty());
        let first = flights.start(key(Need::Valid), 1);
        let second = flights.start(key(Need::MintedAfterNow), 2);
        assert_eq!((first, second), (Ticket(0), Ticket(1)));
        assert!(flights.end(first) && !flights.is_empty());
        assert_eq!(flights.join(&key(Need::MintedAfterNow)), Some(2));
        assert!(flights.end(second) && flights.is_empty());
    }

    #[test]
    fn an_abandoned_flight_cannot_end_again() {
        let flights = Flights::new();
        let ticket = flights.start(key(Need::Valid), 7);
        assert_eq!(flights.abandon(), [7]);
        assert!(!flights.end(ticket));
    }
}
