//! Contexts that differ in nothing but their name are interchangeable: of all the states that renaming them leads to,
//! one is searched.
//!
//! A context's name occurs in its nonces, which read `@A0`; in the order of the contexts; and wherever the world says
//! who. All three are hashed under the renaming in force, and a state's digest is the least one under all renamings.

use std::cell::{Cell, RefCell};
use std::hash::{Hash, Hasher};

use foldhash::quality::RandomState;
use std::hash::BuildHasher;

use super::script::Role;

/// One way to exchange the names of interchangeable contexts: who takes whose place.
#[derive(Clone, Debug)]
struct Renaming {
    to: Vec<usize>,
    /// Who comes to stand in each place.
    from: Vec<usize>,
}

#[derive(Default)]
struct Symmetry {
    names: Vec<char>,
    renamings: Vec<Renaming>,
    seeds: Option<[RandomState; 2]>,
}

thread_local! {
    static SYMMETRY: RefCell<Symmetry> = RefCell::default();
    static CURRENT: Cell<usize> = const { Cell::new(0) };
}

/// Begins another search: finds out who is interchangeable.
pub fn begin(roles: &[Role]) {
    let mut renamings = Vec::new();
    permute(roles, &mut Vec::new(), &mut renamings);
    let names = roles.iter().map(|role| role.name).collect();
    let seeds = Some([RandomState::default(), RandomState::default()]);
    SYMMETRY.set(Symmetry { names, renamings, seeds });
    CURRENT.set(0);
}

/// How many renamings there are; the first one changes nothing.
pub fn renamings() -> usize {
    SYMMETRY.with_borrow(|symmetry| symmetry.renamings.len())
}

/// The one in force.
pub fn current() -> usize {
    CURRENT.get()
}

/// The least digest under all renamings of something that has a part in which no context is named, and one in which
/// some may be.
pub fn least_digest(nameless: &impl Hash, named: &impl Hash) -> u128 {
    let nameless = digest_under(0, nameless);
    let least = (0..renamings()).map(|renaming| digest_under(renaming, &(nameless, named))).min();
    least.unwrap_or_default()
}

/// Its digest as it is.
pub fn digest(thing: &impl Hash) -> u128 {
    digest_under(0, thing)
}

/// Its digest under each renaming.
pub fn digests(thing: &impl Hash) -> Box<[u128]> {
    (0..renamings()).map(|renaming| digest_under(renaming, thing)).collect()
}

fn digest_under(renaming: usize, thing: &impl Hash) -> u128 {
    let mut both = SYMMETRY.with_borrow(|symmetry| {
        let [high, low] = symmetry.seeds.as_ref().expect("a search has begun");
        Both { high: high.build_hasher(), low: low.build_hasher() }
    });
    let before = CURRENT.replace(renaming);
    thing.hash(&mut both);
    CURRENT.set(before);
    u128::from(both.high.finish()) << 64 | u128::from(both.low.finish())
}

/// The digests of a text in which nonces of contexts may occur.
pub fn digests_of(text: &str) -> Box<[u128]> {
    let renamed = |renaming: usize| {
        SYMMETRY.with_borrow(|symmetry| {
            let mut letters = text.chars();
            let mut renamed = String::with_capacity(text.len());
            while let Some(letter) = letters.next() {
                renamed.push(letter);
                if letter == '@'
                    && let Some(name) = letters.next()
                {
                    renamed.push(symmetry.rename(renaming, name));
                }
            }
            renamed
        })
    };
    (0..renamings()).map(|renaming| digest_under(0, &renamed(renaming))).collect()
}

/// A context, by its place. Hashes as the place that it has under the renaming in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At(pub u8);

impl Hash for At {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let at = SYMMETRY.with_borrow(|symmetry| symmetry.renamings[current()].to[usize::from(self.0)]);
        hasher.write_usize(at);
    }
}

/// Hashes what there is of each context in the order that the renaming in force brings about.
pub fn hash_in_order<T: Hash, H: Hasher>(all: &[T], hasher: &mut H) {
    for place in 0..all.len() {
        let from = SYMMETRY.with_borrow(|symmetry| symmetry.renamings[current()].from[place]);
        all[from].hash(hasher);
    }
}

impl Symmetry {
    fn rename(&self, renaming: usize, name: char) -> char {
        let at = self.names.iter().position(|known| *known == name);
        at.map_or(name, |at| self.names[self.renamings[renaming].to[at]])
    }
}

/// All renamings that put each context in the place of one that is like it; the unchanged order comes first.
fn permute(roles: &[Role], to: &mut Vec<usize>, all: &mut Vec<Renaming>) {
    if to.len() == roles.len() {
        let mut from = vec![0; to.len()];
        for (old, new) in to.iter().enumerate() {
            from[*new] = old;
        }
        all.push(Renaming { to: to.clone(), from });
        return;
    }
    for place in 0..roles.len() {
        if !to.contains(&place) && roles[place].is_like(&roles[to.len()]) {
            to.push(place);
            permute(roles, to, all);
            to.pop();
        }
    }
}

/// Two independent 64-bit digests: among a hundred million states, the chance that any two are taken for one is
/// below 10^-21.
struct Both<H> {
    high: H,
    low: H,
}

impl<H: Hasher> Hasher for Both<H> {
    fn write(&mut self, bytes: &[u8]) {
        self.high.write(bytes);
        self.low.write(bytes);
    }

    fn write_u8(&mut self, number: u8) {
        self.high.write_u8(number);
        self.low.write_u8(number);
    }

    fn write_u32(&mut self, number: u32) {
        self.high.write_u32(number);
        self.low.write_u32(number);
    }

    fn write_u64(&mut self, number: u64) {
        self.high.write_u64(number);
        self.low.write_u64(number);
    }

    fn write_u128(&mut self, number: u128) {
        self.high.write_u128(number);
        self.low.write_u128(number);
    }

    fn write_usize(&mut self, number: usize) {
        self.high.write_usize(number);
        self.low.write_usize(number);
    }

    fn finish(&self) -> u64 {
        self.high.finish()
    }
}
