//! What is noted of contexts and of the world, so that the invariants can be checked.

use refresh_coordinator::protocol::record::Record;
use refresh_coordinator::protocol::tokens::{Grant, Secret};

use crate::sim::script::{Action, LIFETIME, PROGRAMS, Role};
use crate::sim::text::Text;
use crate::sim::world::{State, Who};

/// What is noted about one context.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Watch {
    /// The user whose session its calls belong to, as far as that is settled.
    pub(super) user: Option<Text>,
    /// Tokens it knows to be spent.
    pub(super) spent: Vec<Text>,
    /// The newest generation that was announced to it.
    pub(super) announced: u64,
    /// Who has signed out here, while nobody has signed in since.
    pub(super) left: Option<Text>,
    /// Who has signed in here, and not left since.
    pub(super) entered: Option<Text>,
    pub programs: [Program; PROGRAMS],
}

/// What is noted about one program of a context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Program {
    pub action: Option<Action>,
    /// The user whose session this action belongs to, as far as that was settled when it began.
    pub(super) user: Option<Text>,
    /// The session and generation of its last claim.
    pub(super) claim: Option<(Text, u64)>,
    /// When it made that claim, where there is nothing but the intent.
    pub claimed_at: Option<i64>,
    /// It was refused, and has not read the record since.
    pub(super) refused_unread: bool,
    /// It was granted something that is not committed yet.
    pub holds_a_grant: bool,
    /// How many access tokens had been minted when its action began, if it wants a later one.
    pub(super) minted_before: u8,
    /// Who had signed in here when its action began.
    pub(super) began_as: Option<Text>,
    /// Who had signed out here when its action began.
    pub(super) began_without: Option<Text>,
}

/// What is noted about the world.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Ledger {
    /// Generations that were granted: session, generation. Kept while a second grant would be a violation.
    pub(super) granted: Vec<(Text, u64)>,
    /// Until when the token of a generation must not be presented.
    pub(super) cooling: Option<(Text, u64, i64)>,
    /// The users who signed out.
    pub(super) signed_out: Vec<Text>,
    /// A session ended, by a sign-out or because another one took its place.
    pub(super) ended: bool,
}

/// The record of a session whose access token ends after so many milliseconds.
pub fn signed_in(sid: &str, user: &str, life_left: i64) -> Record {
    let mut record = Record::begun(sid.into(), Some(Secret::new(format!("{user}.0"))));
    let grant = Grant {
        access_token: Some(Secret::new(format!("{user}-access-0"))),
        expires_at: life_left,
        issued_at: life_left - LIFETIME,
        minted: 0,
        token_type: None,
        scope: None,
        id_token: None,
        extra: Default::default(),
    };
    record.grants.insert(String::new(), grant);
    record.sub = Some(user.into());
    record
}

impl Watch {
    pub fn new(role: &Role) -> Self {
        let mut watch = Self { user: role.sid.map(|_| Text::of("u")), ..Self::default() };
        for (program, actions) in role.programs.iter().enumerate() {
            watch.programs[program].action = actions.first().copied();
            watch.programs[program].user = watch.user;
        }
        watch.user = watch.user.filter(|_| !watch.leaves());
        watch
    }

    /// Is its user about to sign out here? From then on its calls belong to whoever is there.
    pub(super) fn leaves(&self) -> bool {
        self.programs.iter().any(|program| program.action == Some(Action::SignOut))
    }

    pub fn has_read(&mut self, program: usize) {
        self.programs[program].refused_unread = false;
    }

    pub fn has_heard(&mut self, generation: u64) {
        self.announced = self.announced.max(generation);
    }
}

/// An action begins.
pub fn begins(next: &mut State, who: Who, action: Option<Action>) {
    let minted = next.server.minted();
    let watch = &mut next.contexts[who.at()].watch;
    let (entered, left, user) = (watch.entered, watch.left, watch.user);
    if matches!(action, Some(Action::SignOut)) {
        watch.user = None;
    }
    let program = program(next, who);
    (program.action, program.user) = (action, user);
    (program.began_as, program.began_without) = (entered, left);
    program.minted_before = if action.is_some_and(Action::wants_new) { minted } else { 0 };
}

pub(super) fn program(next: &mut State, who: Who) -> &mut Program {
    &mut next.contexts[who.at()].watch.programs[who.program()]
}
