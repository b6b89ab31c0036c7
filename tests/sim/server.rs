//! The authorization server of the simulated world: rotation, reuse detection and grace, as far as they matter.

/// How the server treats a refresh token that was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Reuse ends the whole family (RFC 9700 section 4.14.2).
    Strict,
    /// Reuse is refused, and nothing else happens.
    RefuseOnly,
    /// For the given milliseconds, the previous token is answered with the successor it already has; later: strict.
    Grace(i64),
    /// For the given milliseconds, the previous token gets a second successor; later: strict.
    GraceSibling(i64),
    /// For the given milliseconds, and until its successor is used, the previous token gets another successor, and only the
    /// latest lives: the others are refused; later: strict.
    GraceLatest(i64),
    /// Requests with the same token that meet at the server are all granted, each with a successor of its own; later: strict.
    Forking,
    /// The refresh token stays the same.
    NonRotating,
}

impl Kind {
    /// Does it accept a token again for a while after its first use?
    pub fn has_grace(self) -> bool {
        matches!(self, Self::Grace(_) | Self::GraceSibling(_) | Self::GraceLatest(_))
    }
}

/// A refresh token as the server knows it. Its name is `<user>.<position>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Token {
    /// The position of its newest successor.
    successor: Option<usize>,
    /// When it was first used.
    used_at: Option<i64>,
    /// Another successor of its predecessor took its place.
    replaced: bool,
}

/// The tokens of one sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Family {
    user: &'static str,
    tokens: Vec<Token>,
    /// Reuse was detected, or a token was revoked: nothing of it is accepted any more.
    dead: bool,
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// A refresh token and an access token.
    Granted(String, String),
    /// `invalid_grant`.
    Refused,
}

/// The server's state.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    pub kind: Kind,
    families: Vec<Family>,
    /// How often a token was presented that was spent already, and was not let through by grace.
    pub reuses: u8,
    /// Access tokens are numbered.
    minted: u8,
}

impl Server {
    /// A server that has signed these users in; the first refresh token of each is `<user>.0`.
    pub fn new(kind: Kind, users: &[&'static str]) -> Self {
        let family = |user: &&'static str| Family { user, tokens: vec![Token::default()], dead: false };
        Self { kind, families: users.iter().map(family).collect(), reuses: 0, minted: 0 }
    }

    /// A refresh request arrives. `meets`: one with the same token has been granted, and its reply has not left yet.
    pub fn present(&mut self, token: &str, scope: &str, now: i64, meets: bool) -> Answer {
        let (kind, minted) = (self.kind, self.minted + 1);
        let Some((family, at)) = self.find(token) else { return Answer::Refused };
        if family.dead {
            return Answer::Refused;
        }
        let mut access = format!("{}-access-{minted}", family.user);
        if !scope.is_empty() {
            access = format!("{access}+{scope}");
        }
        let granted = if kind == Kind::NonRotating {
            Some(at)
        } else if family.tokens[at].replaced {
            None
        } else if family.tokens[at].used_at.is_none() {
            family.tokens[at].used_at = Some(now);
            Some(family.beget(at))
        } else if kind == Kind::Forking && meets {
            Some(family.beget(at))
        } else if family.in_grace(at, kind, now) {
            let known = family.tokens[at].successor.filter(|_| matches!(kind, Kind::Grace(_)));
            if let (Kind::GraceLatest(_), Some(child)) = (kind, family.tokens[at].successor) {
                family.tokens[child].replaced = true;
            }
            Some(known.unwrap_or_else(|| family.beget(at)))
        } else {
            family.dead |= kind != Kind::RefuseOnly;
            None
        };
        let user = family.user;
        match granted {
            Some(at) => {
                self.minted = minted;
                Answer::Granted(format!("{user}.{at}"), access)
            }
            None => {
                self.reuses += 1;
                Answer::Refused
            }
        }
    }

    /// How many access tokens it has minted.
    pub fn minted(&self) -> u8 {
        self.minted
    }

    /// A revocation arrives: the grant ends with the token, as on a server that takes rotation seriously.
    pub fn revoke(&mut self, token: &str) {
        if let Some((family, _)) = self.find(token) {
            family.dead = true;
        }
    }

    /// Would this token be granted something now?
    pub fn accepts(&self, token: &str, now: i64) -> bool {
        self.families.iter().any(|family| {
            let position = token.strip_prefix(family.user).and_then(|rest| rest.strip_prefix('.')?.parse().ok());
            let usable = |at: usize| {
                let unused = family.tokens.get(at).is_some_and(Token::is_unused);
                unused || self.kind == Kind::NonRotating || family.in_grace(at, self.kind, now)
            };
            !family.dead && position.is_some_and(usable)
        })
    }

    /// The tokens of a user that have never been used and would be granted something.
    pub fn living(&self, user: &str) -> Vec<String> {
        let families = self.families.iter().filter(|family| family.user == user && !family.dead);
        let names = |family: &Family| -> Vec<String> {
            let unused = (0..family.tokens.len()).filter(|at| family.tokens[*at].is_unused());
            unused.map(|at| format!("{}.{at}", family.user)).collect()
        };
        families.flat_map(names).collect()
    }

    fn find(&mut self, token: &str) -> Option<(&mut Family, usize)> {
        let (user, at) = token.split_once('.')?;
        let at = at.parse().ok()?;
        self.families
            .iter_mut()
            .find(|family| family.user == user && at < family.tokens.len())
            .map(|family| (family, at))
    }
}

/// The number of an access token, and the scope it is for.
pub fn number_of(access: &str) -> (u8, &str) {
    let (token, scope) = access.split_once('+').unwrap_or((access, ""));
    (token.rsplit('-').next().and_then(|number| number.parse().ok()).unwrap_or_default(), scope)
}

impl Token {
    fn is_unused(&self) -> bool {
        self.used_at.is_none() && !self.replaced
    }
}

impl Family {
    /// A new token takes the place of the one at this position.
    fn beget(&mut self, at: usize) -> usize {
        self.tokens.push(Token::default());
        self.tokens[at].successor = Some(self.tokens.len() - 1);
        self.tokens.len() - 1
    }

    fn in_grace(&self, at: usize, kind: Kind, now: i64) -> bool {
        let (Kind::Grace(grace) | Kind::GraceSibling(grace) | Kind::GraceLatest(grace)) = kind else { return false };
        let child = self.tokens.get(at).and_then(|held| self.tokens.get(held.successor?));
        if matches!(kind, Kind::GraceLatest(_)) && child.is_some_and(|child| child.used_at.is_some()) {
            return false;
        }
        self.tokens.get(at).and_then(|held| held.used_at).is_some_and(|used_at| now - used_at <= grace)
    }
}
