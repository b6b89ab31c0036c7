//! An exchange is a deterministic function of the replies it gets, so a context's state *is* the list of its replies.
//! To learn what it wants next, it is run afresh from the start with the recorded replies.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context as TaskContext, Waker};

use refresh_coordinator::protocol::context::Context;
use refresh_coordinator::protocol::names::Names;

use super::ports::{Ports, World};
use super::script::{Output, PROGRAMS, Role, run};
use super::text::Text;

/// What a context wants from the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    Read { key: Text },
    Write { key: Text, value: Text, if_version: Option<u32>, ttl: Option<i64> },
    Wait { lock: bool, hint_after: Option<u64>, until: i64 },
    Present { token: Text, scope: Text },
    Revoke { token: Text },
}

/// What the world answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reply {
    Read(Option<(Text, u32)>),
    Written(u32),
    Conflict,
    StoreFailed,
    Locked,
    Hinted,
    Elapsed,
    Granted {
        refresh: Text,
        access: Text,
        subject: Option<Text>,
    },
    Refused,
    /// The server is away, and says so: nothing was consumed.
    Unavailable,
    /// The reply was lost, or came too late.
    Lost,
    Revoked,
    NotRevoked,
}

/// What a context notices of the world when a reply reaches it. Between replies nothing changes for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Senses {
    /// Its monotonic clock.
    pub now: i64,
    /// Its wall clock.
    pub wall: i64,
    /// How many announcements it has heard.
    pub heard: u64,
}

/// One reply to one of a context's programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    pub program: u8,
    pub reply: Reply,
    pub senses: Senses,
}

/// What a context does next, and what it did to get there.
#[derive(Clone, Debug)]
pub struct Next {
    /// By program.
    pub effects: [Option<Effect>; PROGRAMS],
    pub outputs: Vec<(usize, Output)>,
}

/// A program of a context, until it ends.
type Program<'a> = Option<Pin<Box<dyn Future<Output = ()> + 'a>>>;

/// Runs a context from its start through the recorded replies.
pub fn replay(role: &Role, answers: &[Answer]) -> Next {
    let ports = Rc::new(Ports::new(role));
    let context = Context::new(World(ports.clone()), role.settings.clone(), names());
    let mut programs: Vec<Program<'_>> = Vec::new();
    let mut outputs = Vec::new();
    let go_on = |programs: &mut Vec<Program<'_>>, program: usize| {
        ports.running.set(program);
        let future = programs[program].as_mut().expect("a program that ended gets no reply");
        if future.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_ready() {
            programs[program] = None;
        }
    };
    for program in 0..role.programs.len() {
        programs.push(Some(Box::pin(run(&context, role, program))));
        go_on(&mut programs, program);
        outputs.extend(ports.outputs.take().into_iter().map(|output| (program, output)));
    }
    for answer in answers {
        let program = usize::from(answer.program);
        ports.reply.set(Some(answer.reply));
        ports.senses.set(answer.senses);
        go_on(&mut programs, program);
        outputs = ports.outputs.take().into_iter().map(|output| (program, output)).collect();
    }
    ports.over.set(true);
    let effects = *ports.pending.borrow();
    let waiting = programs.iter().filter(|program| program.is_some()).count();
    assert_eq!(effects.iter().flatten().count(), waiting, "a program waits for one effect, or is done");
    Next { effects, outputs }
}

/// The names all contexts share.
pub fn names() -> Names {
    Names::new("https://issuer.example/token", "client", "session")
}
