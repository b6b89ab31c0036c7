//! The ports of one tab over the shared world: every operation lets others go first, before its effect and after it.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use refresh_coordinator::protocol::notice::{Notice, What};
use refresh_coordinator::protocol::ports::{
    Address, Channel, Clock, LockScope, Locks, Observer, Presentation, Randomness, Store, StoreFailure, TokenEndpoint,
    Versioned, Wait, Waiting, Woken, Written,
};
use refresh_coordinator::protocol::tokens::Secret;
use refresh_coordinator::protocol::verdict::{Class, Details, Fault, Granted, Reason, Refusal, Spent, Verdict};

use super::faults::Throw;
use super::locks::Held;
use super::monitor::LIFETIME;
use super::site::{Reply, Request, Site, Write};
use super::tab::Tab;
use super::time::step;
use super::trace::{chance, note, reached};
use crate::server::Answer;

/// The world as one tab sees it.
#[derive(Clone)]
pub struct Ports {
    pub site: Rc<Site>,
    pub tab: Rc<Tab>,
}

/// A write that was handed to the store. It may land even if its tab dies meanwhile.
struct Posted {
    ports: Ports,
    write: Option<Write>,
}

impl Posted {
    fn land(&mut self) -> Written {
        self.write.take().map_or(Written::Conflict, |write| self.ports.site.put(&self.ports.tab, &write))
    }
}

impl Drop for Posted {
    fn drop(&mut self) {
        if self.write.is_none() || chance(2) == 0 {
            return;
        }
        let mut posted = Self { ports: self.ports.clone(), write: self.write.take() };
        self.ports.site.time.spawn(format!("{}'s last write", self.ports.tab.name), async move {
            step().await;
            reached("a write landed after its tab had died");
            posted.land();
        });
    }
}

fn thrown() -> StoreFailure {
    StoreFailure { code: "store-threw", message: String::new(), cause: None }
}

impl Store for Ports {
    async fn read(&self, at: &Address) -> Result<Option<Versioned>, StoreFailure> {
        let throws = self.site.plan.read();
        step().await;
        let found = self.site.get(&at.key);
        self.tab.refused_unread.set(false);
        note(|| format!("{}: reads version {:?}", self.tab.name, found.as_ref().map(|found| &found.version)));
        step().await;
        if throws {
            note(|| format!("{}: a read throws", self.tab.name));
            return Err(thrown());
        }
        Ok(found)
    }

    async fn write(
        &self,
        at: &Address,
        value: &str,
        _generation: u64,
        if_version: Option<&str>,
        ttl: Option<i64>,
    ) -> Result<Written, StoreFailure> {
        let throws = self.site.plan.write();
        let write =
            Write { key: at.key.clone(), value: value.to_owned(), if_version: if_version.map(str::to_owned), ttl };
        if throws == Some(Throw::Before) {
            step().await;
            note(|| format!("{}: a write throws", self.tab.name));
            return Err(thrown());
        }
        let mut posted = Posted { ports: self.clone(), write: Some(write) };
        step().await;
        let written = posted.land();
        step().await;
        if throws == Some(Throw::After) {
            note(|| format!("{}: a write throws although it has happened", self.tab.name));
            return Err(thrown());
        }
        Ok(written)
    }

    fn lag(&self) -> i64 {
        0
    }
}

impl Locks for Ports {
    type Held = Held;

    fn scope(&self, _key: &str) -> LockScope {
        self.tab.lock
    }

    fn still_held(&self, held: &Held) -> bool {
        held.is_granted()
    }
}

impl Waiting for Ports {
    async fn wait_any(&self, wait: Wait<'_>) -> Woken<Held> {
        step().await;
        let hints = self.tab.hints(wait.key);
        let mut request = wait.lock.then(|| self.site.locks.request(wait.key));
        let mut alarm = self.site.time.alarm(wait.until);
        let woken = poll_fn(|task| {
            let mut ready = Vec::new();
            if request.as_ref().is_some_and(|request| request.poll_granted(task).is_ready()) {
                ready.push(0);
            }
            if wait.hint_after.is_some_and(|count| hints.poll_after(count, task).is_ready()) {
                ready.push(1);
            }
            if Pin::new(&mut alarm).poll(task).is_ready() {
                ready.push(2);
            }
            // Of what comes together, anything may be taken; a lock that is not is let go.
            match ready.get(chance(ready.len())) {
                Some(0) => Poll::Ready(request.take().map_or(Woken::Unlockable, Woken::Locked)),
                Some(1) => Poll::Ready(Woken::Hinted),
                Some(_) => Poll::Ready(Woken::Elapsed),
                None => Poll::Pending,
            }
        })
        .await;
        drop((request, alarm));
        reached(match woken {
            Woken::Locked(_) => "a lock was granted",
            Woken::Hinted => "a hint woke a waiter",
            Woken::Elapsed | Woken::Unlockable | Woken::Dismissed => "a wait elapsed",
        });
        step().await;
        woken
    }
}

impl Channel for Ports {
    fn announce(&self, key: &str, _sid: &str, _generation: u64) {
        self.tab.hints(key).ring();
        if !self.site.channel {
            return;
        }
        let (site, from, key) = (self.site.clone(), self.tab.clone(), key.to_owned());
        self.site.time.spawn(format!("{}'s announcement", self.tab.name), async move {
            let tabs = site.tabs.borrow().clone();
            for coordinator in tabs {
                step().await;
                let tab = coordinator.tab();
                if !Rc::ptr_eq(tab, &from) && !tab.process.is_dead() {
                    tab.hints(&key).ring();
                }
            }
        });
    }

    fn heard(&self, key: &str) -> u64 {
        self.tab.hints(key).count()
    }
}

impl TokenEndpoint for Ports {
    type Prepared = ();

    async fn prepare(&self, _attempt: u32) -> Result<(), Refusal> {
        step().await;
        Ok(())
    }

    async fn present(&self, (): (), presentation: Presentation<'_>) -> Verdict {
        let token = presentation.refresh_token.map_or("", Secret::expose).to_owned();
        let sent = self.site.ledger.presenting(&self.site, &self.tab, &token);
        let request = Request { token: token.clone(), params: presentation.params.clone(), sent };
        let reply = self.site.send(&self.tab, request);
        let mut alarm = self.site.time.alarm(presentation.deadline);
        let reply = poll_fn(|task| match (reply.poll(task), Pin::new(&mut alarm).poll(task)) {
            // A tab that stood still finds both; whichever it sees first counts.
            (Poll::Ready(_), Poll::Ready(())) if chance(2) == 0 => {
                self.site.ledger.network.set(true);
                Poll::Ready(None)
            }
            (Poll::Ready(reply), _) => Poll::Ready(Some(reply)),
            (Poll::Pending, elapsed) => elapsed.map(|()| None),
        })
        .await;
        drop(alarm);
        if let Some(Reply::Answer(answer)) = &reply {
            self.tab.spent.borrow_mut().push(token);
            self.tab.refused_unread.set(*answer == Answer::Refused);
        }
        step().await;
        verdict(reply)
    }

    async fn revoke(&self, token: &Secret) -> Result<(), Refusal> {
        step().await;
        self.site.ledger.revoking(&self.site, &self.tab, token);
        self.site.server.borrow_mut().revoke(token.expose());
        step().await;
        Ok(())
    }

    fn can_revoke(&self) -> bool {
        self.tab.can_revoke
    }
}

/// The judgement of a reply; nothing is one that did not come in time.
fn verdict(reply: Option<Reply>) -> Verdict {
    let refused = |class, spent| {
        let details = Details::new(Fault::Server, "", "");
        Verdict::Refused(Box::new(Refusal { class, spent, details, retry_after: None }))
    };
    match reply {
        Some(Reply::Answer(Answer::Granted(refresh, access))) => Verdict::Granted(Box::new(Granted {
            refresh_token: Some(Secret::new(refresh)),
            access_token: Some(Secret::new(access)),
            lifetime: Some(LIFETIME),
            ..Granted::default()
        })),
        Some(Reply::Answer(Answer::Refused)) => refused(Class::Revoked(Reason::Unknown), Spent::Yes),
        Some(Reply::Busy) => refused(Class::Transient, Spent::No),
        None => refused(Class::Transient, Spent::Maybe),
    }
}

impl Clock for Ports {
    fn wall(&self) -> i64 {
        self.site.time.now()
    }

    fn monotonic(&self) -> i64 {
        self.site.time.now()
    }
}

impl Randomness for Ports {
    fn nonce(&self) -> String {
        self.tab.nonce()
    }

    fn per_mille(&self) -> u32 {
        chance(1_000) as u32
    }
}

impl Observer for Ports {
    fn notice(&self, notice: Notice) {
        note(|| format!("{}: {:?}, generation {}", self.tab.name, notice.what, notice.generation));
        match notice.what {
            // The application hears of another session, and asks anew.
            What::SignedIn => *self.tab.user.borrow_mut() = None,
            What::TakenOver => reached("an owner that was gone was taken over"),
            What::Adopted => reached("tokens of another exchange were adopted"),
            _ => {}
        }
    }
}
