//! The passwords of one user.

use super::{Derived, Hash, Refusal, Scheme};
use alloc::{vec, vec::Vec};
use serde::{Deserialize, Serialize};
use subtle::{Choice, ConditionallySelectable};

/// The ordered passwords of one user; any of them logs in. Stored as a sequence of [`Hash`] texts.
///
/// INVARIANT: there are 1 to 64 entries, no two of them equal, of at most two schemes, and all of one scheme share one salt. So a
/// user is never without a password (security P9), and one derivation for each scheme checks a password against the whole
/// list, however long it is (security P6).
///
/// ```text
///   salt(scheme) ──▶ one derivation for each of schemes() ──▶ position(&derived)
/// ```
#[derive(Clone, Debug, Eq, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "Vec<Hash>", into = "Vec<Hash>")]
pub struct List(Vec<Hash>);

impl List {
    /// The list of a user with one password.
    pub fn new(hash: Hash) -> Self {
        Self(vec![hash])
    }

    /// A list of hashes made elsewhere, in their order. The same password under two schemes cannot be seen here; the first
    /// login with it makes one entry of the two.
    ///
    /// # Errors
    /// [`Refusal::EmptyList`], [`Refusal::TooMany`] above `max` (or 64), [`Refusal::SameAsCurrent`] for a hash given twice,
    /// [`Refusal::SaltsDiffer`] and [`Refusal::TooManySchemes`].
    pub fn import(hashes: Vec<Hash>, max: u8) -> Result<Self, Refusal> {
        let mut hashes = hashes.into_iter();
        let mut list = Self::new(hashes.next().ok_or(Refusal::EmptyList)?);
        hashes.try_for_each(|hash| list.add(hash, max))?;
        // Only a bound of 0 refuses the first one.
        if max == 0 { Err(Refusal::TooMany { max }) } else { Ok(list) }
    }

    /// How many passwords there are; at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a list is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The salt of all entries of `scheme`, if there are any. A new entry of that scheme is derived with it.
    pub fn salt(&self, scheme: Scheme) -> Option<&[u8]> {
        self.0.iter().find(|hash| hash.scheme() == scheme).map(Hash::salt)
    }

    /// The schemes of the entries, each once, in the order they first appear: one or two.
    pub fn schemes(&self) -> impl Iterator<Item = Scheme> {
        let first = self.0.first().map(Hash::scheme);
        let second = self.0.iter().map(Hash::scheme).find(move |scheme| Some(*scheme) != first);
        first.into_iter().chain(second)
    }

    /// The scheme for a new entry when `current` is the configured one: `current`, unless the list already has entries of two
    /// others, of which it is then the stronger.
    pub fn scheme_for_new(&self, current: Scheme) -> Scheme {
        let mut schemes = self.schemes();
        match (schemes.next(), schemes.next()) {
            (Some(one), Some(two)) if current != one && current != two => one.stronger(two),
            _ => current,
        }
    }

    /// Where the password behind `derived` stands, which holds one derivation for each of [`List::schemes`]. Compares every entry
    /// with every derivation, whichever of them match.
    pub fn position(&self, derived: &[Derived]) -> Option<usize> {
        let (mut found, mut position) = (Choice::from(0), 0_u64);
        for (index, hash) in (0_u64..).zip(&self.0) {
            for derived in derived {
                let hit = hash.matches(derived) & !found;
                position.conditional_assign(&index, hit);
                found |= hit;
            }
        }
        if bool::from(found) { usize::try_from(position).ok() } else { None }
    }

    /// Makes `hash` the only password.
    pub fn replace_all(&mut self, hash: Hash) {
        *self = Self::new(hash);
    }

    /// Appends a password.
    ///
    /// # Errors
    /// [`Refusal::SameAsCurrent`] when it is in the list, [`Refusal::TooMany`] when there are `max` (or 64) already,
    /// [`Refusal::SaltsDiffer`] and [`Refusal::TooManySchemes`] when it was not derived as [`List::scheme_for_new`] and
    /// [`List::salt`] say. The list is then unchanged.
    pub fn add(&mut self, hash: Hash, max: u8) -> Result<(), Refusal> {
        if self.0.contains(&hash) {
            return Err(Refusal::SameAsCurrent);
        }
        let max = max.min(MAX_ENTRIES);
        if self.0.len() >= usize::from(max) {
            return Err(Refusal::TooMany { max });
        }
        self.fits(&hash)?;
        self.0.push(hash);
        Ok(())
    }

    /// Takes the password at `position` out.
    ///
    /// # Errors
    /// [`Refusal::NotInList`] when there is none, [`Refusal::LastPassword`] when there is no other.
    pub fn remove(&mut self, position: usize) -> Result<(), Refusal> {
        if position >= self.0.len() {
            return Err(Refusal::NotInList);
        }
        if self.0.len() == 1 {
            return Err(Refusal::LastPassword);
        }
        self.0.remove(position);
        Ok(())
    }

    /// Puts `hash`, the same password under another scheme, in the place of the entry at `position` (security P4). If the list
    /// holds `hash` elsewhere, the entry is dropped instead. The other entries stay as and where they are.
    ///
    /// Returns whether the list has changed. It does not while it holds a third scheme, or with a salt other than
    /// [`List::salt`] says.
    pub fn upgrade(&mut self, position: usize, hash: Hash) -> bool {
        let Some(entry) = self.0.get(position) else { return false };
        if *entry == hash {
            return false;
        }
        let mut others = self.0.clone();
        others.remove(position);
        if !others.contains(&hash) {
            // A lone entry may change its salt with its scheme.
            if !others.is_empty() && Self(others.clone()).fits(&hash).is_err() {
                return false;
            }
            others.insert(position, hash);
        }
        self.0 = others;
        true
    }

    /// Whether the invariant lets `hash` join.
    fn fits(&self, hash: &Hash) -> Result<(), Refusal> {
        match self.salt(hash.scheme()) {
            Some(salt) if salt == hash.salt() => Ok(()),
            Some(_) => Err(Refusal::SaltsDiffer),
            None if self.schemes().count() < MAX_SCHEMES => Ok(()),
            None => Err(Refusal::TooManySchemes),
        }
    }
}

impl TryFrom<Vec<Hash>> for List {
    type Error = Refusal;

    fn try_from(hashes: Vec<Hash>) -> Result<Self, Refusal> {
        Self::import(hashes, MAX_ENTRIES)
    }
}

impl From<List> for Vec<Hash> {
    fn from(list: List) -> Self {
        list.0
    }
}

const MAX_ENTRIES: u8 = 64;
const MAX_SCHEMES: usize = 2;
