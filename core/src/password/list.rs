//! The passwords of one user.

use super::{Derived, Hash, Refusal, Scheme};
use alloc::{vec, vec::Vec};
use serde::{Deserialize, Serialize};
use subtle::{Choice, ConditionallySelectable};

/// The ordered passwords of one user; any of them logs in. Stored as a sequence of [`struct@Hash`] texts.
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
        self.check_room(max)?;
        self.fits(&hash)?;
        self.0.push(hash);
        Ok(())
    }

    /// Whether one more password may be added.
    ///
    /// # Errors
    /// [`Refusal::TooMany`] when there are `max` (or 64) already.
    pub fn check_room(&self, max: u8) -> Result<(), Refusal> {
        let max = max.min(MAX_ENTRIES);
        if self.0.len() < usize::from(max) { Ok(()) } else { Err(Refusal::TooMany { max }) }
    }

    /// Takes the password behind `derived` out, as [`List::position`] finds it, under every scheme that it is there under.
    ///
    /// # Errors
    /// [`Refusal::NotInList`] when it is not there, [`Refusal::LastPassword`] when there is no other. The list is then unchanged.
    pub fn remove(&mut self, derived: &[Derived]) -> Result<(), Refusal> {
        let is_it =
            |hash: &Hash| bool::from(derived.iter().fold(Choice::from(0), |hit, derived| hit | hash.matches(derived)));
        let others: Vec<_> = self.0.iter().filter(|hash| !is_it(hash)).cloned().collect();
        if others.len() == self.0.len() {
            return Err(Refusal::NotInList);
        }
        if others.is_empty() {
            return Err(Refusal::LastPassword);
        }
        self.0 = others;
        Ok(())
    }

    /// Puts `hash`, the same password under another scheme, in the place of the entry at `position` (security P4). If the list
    /// holds `hash` elsewhere, the entry is dropped instead. The other entries stay as and where they are.
    ///
    /// Returns whether the list has changed. It does not when that would break its invariant: while it holds entries of two
    /// other schemes, or when `hash` has a salt other than [`List::salt`] says.
    pub fn upgrade(&mut self, position: usize, hash: Hash) -> bool {
        if self.0.get(position).is_none_or(|entry| *entry == hash) {
            return false;
        }
        let mut hashes = self.0.clone();
        hashes.remove(position);
        if !hashes.contains(&hash) {
            hashes.insert(position, hash);
        }
        Self::import(hashes, MAX_ENTRIES).map(|list| *self = list).is_ok()
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use proptest::prelude::*;

    const SCHEMES: [Scheme; 3] = [
        Scheme::Argon2id { memory: 19_456, passes: 2, lanes: 1 },
        Scheme::Argon2id { memory: 8, passes: 1, lanes: 1 },
        Scheme::Pbkdf2Sha256 { iterations: 29_000 },
    ];

    /// What stands in for a derivation: passwords are single octets.
    fn derived(password: u8, scheme: usize) -> Derived {
        Derived { scheme: SCHEMES[scheme], bits: [password; 32] }
    }

    fn hash(password: u8, scheme: usize) -> Hash {
        Hash::new(&[u8::try_from(scheme).unwrap(); 16], &derived(password, scheme)).unwrap()
    }

    fn salted(password: u8, scheme: usize, salt: u8) -> Hash {
        Hash::new(&[salt; 16], &derived(password, scheme)).unwrap()
    }

    fn list(entries: &[(u8, usize)]) -> List {
        List::import(entries.iter().map(|(password, scheme)| hash(*password, *scheme)).collect(), 64).unwrap()
    }

    fn proof(password: u8) -> Vec<Derived> {
        (0..3).map(|scheme| derived(password, scheme)).collect()
    }

    /// Where a login with `password` ends up.
    fn find(list: &List, password: u8) -> Option<usize> {
        list.position(&proof(password))
    }

    #[track_caller]
    fn check_import(entries: &[Hash], max: u8, expected: Result<usize, &str>) {
        assert_eq!(List::import(entries.to_vec(), max).map(|list| list.len()).map_err(Refusal::code), expected);
    }

    #[test]
    fn an_import_keeps_the_invariant() {
        check_import(&[hash(1, 0)], 1, Ok(1));
        check_import(&[hash(1, 0), hash(2, 0), hash(1, 2)], 3, Ok(3));
        check_import(&[], 3, Err("password_list_empty"));
        check_import(&[hash(1, 0)], 0, Err("password_too_many"));
        check_import(&[hash(1, 0), hash(2, 0)], 1, Err("password_too_many"));
        check_import(&[hash(1, 0), hash(1, 0)], 3, Err("password_same_as_current"));
        check_import(&[hash(1, 0), salted(2, 0, 9)], 3, Err("password_salts_differ"));
        check_import(&[hash(1, 0), hash(2, 1), hash(3, 2)], 3, Err("password_too_many_schemes"));
    }

    #[test]
    fn an_import_takes_at_most_64() {
        let entries: Vec<_> = (0..65).map(|password| hash(password, 0)).collect();
        check_import(&entries[..64], 255, Ok(64));
        check_import(&entries, 255, Err("password_too_many"));
    }

    #[track_caller]
    fn check_add(entries: &[(u8, usize)], new: &Hash, max: u8, expected: Result<(), &str>) {
        let before = list(entries);
        let mut after = before.clone();
        assert_eq!(after.add(new.clone(), max).map_err(Refusal::code), expected);
        match expected {
            Ok(()) => assert_eq!(after.0.last(), Some(new)),
            Err(_) => assert_eq!(after, before),
        }
    }

    #[test]
    fn adding_appends_or_leaves_all_as_it_was() {
        check_add(&[(1, 0)], &hash(2, 0), 2, Ok(()));
        check_add(&[(1, 0)], &hash(2, 1), 2, Ok(()));
        check_add(&[(1, 0), (2, 0)], &hash(3, 0), 2, Err("password_too_many"));
        check_add(&[(1, 0), (2, 0)], &hash(2, 0), 2, Err("password_same_as_current"));
        check_add(&[(1, 0), (2, 0)], &hash(1, 0), 8, Err("password_same_as_current"));
        check_add(&[(1, 0)], &salted(2, 0, 9), 8, Err("password_salts_differ"));
        check_add(&[(1, 0), (2, 1)], &hash(3, 2), 8, Err("password_too_many_schemes"));
    }

    #[track_caller]
    fn check_remove(entries: &[(u8, usize)], password: u8, expected: Result<&[(u8, usize)], &str>) {
        let mut list = list(entries);
        let removed = list.remove(&proof(password)).map(|()| list.clone()).map_err(Refusal::code);
        assert_eq!(removed, expected.map(self::list));
        assert_eq!(list, self::list(expected.unwrap_or(entries)));
    }

    #[test]
    fn removing_leaves_the_others_in_order() {
        check_remove(&[(1, 0), (2, 0), (3, 0)], 2, Ok(&[(1, 0), (3, 0)]));
        check_remove(&[(1, 0), (2, 0)], 1, Ok(&[(2, 0)]));
        check_remove(&[(1, 0), (2, 0)], 3, Err("password_not_in_list"));
        check_remove(&[(1, 0)], 1, Err("password_last"));
        check_remove(&[(1, 0)], 2, Err("password_not_in_list"));
        check_remove(&[(1, 2), (2, 0), (1, 0)], 1, Ok(&[(2, 0)]));
        check_remove(&[(1, 2), (1, 0)], 1, Err("password_last"));
    }

    #[track_caller]
    fn check_upgrade(entries: &[(u8, usize)], position: usize, new: (u8, usize), expected: Option<&[(u8, usize)]>) {
        let mut list = list(entries);
        assert_eq!(list.upgrade(position, hash(new.0, new.1)), expected.is_some());
        assert_eq!(list, self::list(expected.unwrap_or(entries)));
    }

    #[test]
    fn an_upgrade_changes_one_entry_in_its_place() {
        check_upgrade(&[(1, 2)], 0, (1, 0), Some(&[(1, 0)]));
        check_upgrade(&[(1, 2), (2, 2), (3, 2)], 1, (2, 0), Some(&[(1, 2), (2, 0), (3, 2)]));
        check_upgrade(&[(1, 2), (2, 1)], 0, (1, 0), Some(&[(1, 0), (2, 1)]));
        check_upgrade(&[(1, 2), (2, 0), (1, 0)], 0, (1, 0), Some(&[(2, 0), (1, 0)]));
        check_upgrade(&[(1, 2), (2, 2), (3, 1)], 0, (1, 0), None);
        check_upgrade(&[(1, 0)], 0, (1, 0), None);
        check_upgrade(&[(1, 0)], 1, (1, 0), None);
    }

    #[test]
    fn an_upgrade_needs_the_salt_of_its_scheme() {
        let mut list = list(&[(1, 2), (2, 0)]);
        assert!(!list.upgrade(0, salted(1, 0, 9)));
        assert!(list.upgrade(0, hash(1, 0)));
    }

    #[track_caller]
    fn check_position(entries: &[(u8, usize)], tried: &[(u8, usize)], expected: Option<usize>) {
        let derived: Vec<_> = tried.iter().map(|(password, scheme)| derived(*password, *scheme)).collect();
        assert_eq!(list(entries).position(&derived), expected);
    }

    #[test]
    fn a_position_is_that_of_the_first_match() {
        check_position(&[(1, 0), (2, 0), (3, 0)], &[(1, 0)], Some(0));
        check_position(&[(1, 0), (2, 0), (3, 0)], &[(3, 0)], Some(2));
        check_position(&[(1, 0), (2, 0), (3, 0)], &[(4, 0)], None);
        check_position(&[(1, 0), (2, 2)], &[(2, 0), (2, 2)], Some(1));
        check_position(&[(1, 2), (1, 0)], &[(1, 0), (1, 2)], Some(0));
        check_position(&[(1, 0)], &[(1, 2)], None);
        check_position(&[(1, 0)], &[], None);
    }

    #[track_caller]
    fn check_scheme_for_new(entries: &[(u8, usize)], current: usize, expected: usize) {
        assert_eq!(list(entries).scheme_for_new(SCHEMES[current]), SCHEMES[expected]);
    }

    #[test]
    fn a_new_entry_takes_the_current_scheme_if_it_may() {
        check_scheme_for_new(&[(1, 2)], 0, 0);
        check_scheme_for_new(&[(1, 2), (2, 0)], 0, 0);
        check_scheme_for_new(&[(1, 2), (2, 1)], 0, 1);
        check_scheme_for_new(&[(1, 1), (2, 0)], 2, 0);
    }

    #[test]
    fn salts_and_schemes_are_told() {
        let list = list(&[(1, 2), (2, 2), (3, 0)]);
        assert_eq!(list.schemes().collect::<Vec<_>>(), [SCHEMES[2], SCHEMES[0]]);
        assert_eq!(list.salt(SCHEMES[2]), Some([2; 16].as_slice()));
        assert_eq!(list.salt(SCHEMES[1]), None);
    }

    #[test]
    fn a_stored_list_is_its_texts() {
        let list = list(&[(1, 2), (3, 0)]);
        let texts = [hash(1, 2).to_string(), hash(3, 0).to_string()];
        assert_eq!(serde_json::to_string(&list).unwrap(), serde_json::to_string(&texts).unwrap());
        assert_eq!(postcard::from_bytes::<List>(&postcard::to_allocvec(&texts.to_vec()).unwrap()).unwrap(), list);
        assert!(serde_json::from_str::<List>("[]").is_err());
        assert!(serde_json::from_str::<List>(&serde_json::to_string(&[&texts[0], &texts[0]]).unwrap()).is_err());
    }

    #[derive(Clone, Copy, Debug)]
    enum Change {
        ReplaceAll(u8, usize),
        Add(u8, usize),
        Remove(u8),
        Upgrade(u8, usize),
    }

    const MAX: usize = 4;

    impl Change {
        fn any() -> impl Strategy<Value = Self> {
            prop_oneof![
                1 => (0..6_u8, 0..3_usize).prop_map(|(password, scheme)| Self::ReplaceAll(password, scheme)),
                6 => (0..6_u8, 0..3_usize).prop_map(|(password, scheme)| Self::Add(password, scheme)),
                4 => (0..6_u8).prop_map(Self::Remove),
                3 => (0..6_u8, 0..3_usize).prop_map(|(password, scheme)| Self::Upgrade(password, scheme)),
            ]
        }

        /// As the rules do it: a password that is known is not added again.
        fn apply(self, list: &mut List) {
            match self {
                Self::ReplaceAll(password, scheme) => list.replace_all(hash(password, scheme)),
                Self::Add(password, scheme) if find(list, password).is_none() => {
                    let _ = list.add(hash(password, scheme), u8::try_from(MAX).unwrap());
                }
                Self::Remove(password) => {
                    let _ = list.remove(&proof(password));
                }
                Self::Upgrade(password, scheme) => {
                    let _ = find(list, password).map(|position| list.upgrade(position, hash(password, scheme)));
                }
                Self::Add(..) => {}
            }
        }

        /// The same on a plain sequence of passwords and schemes.
        fn apply_to_model(self, model: &mut Vec<(u8, usize)>) {
            let place = |password| model.iter().position(|entry| entry.0 == password);
            let schemes = |entries: &[(u8, usize)]| (0..3).filter(|s| entries.iter().any(|entry| entry.1 == *s)).count();
            match self {
                Self::ReplaceAll(password, scheme) => *model = vec![(password, scheme)],
                Self::Add(password, scheme) => {
                    let mut longer = model.clone();
                    longer.push((password, scheme));
                    if place(password).is_none() && model.len() < MAX && schemes(&longer) <= 2 {
                        *model = longer;
                    }
                }
                Self::Remove(password) => {
                    if let (Some(place), true) = (place(password), model.len() > 1) {
                        model.remove(place);
                    }
                }
                Self::Upgrade(password, scheme) => {
                    if let Some(place) = place(password) {
                        let mut other = model.clone();
                        other[place].1 = scheme;
                        if schemes(&other) <= 2 {
                            *model = other;
                        }
                    }
                }
            }
        }
    }

    /// A store of one record, as the seam demands it: a write goes in at the version that was read, or its operation starts over.
    struct Store {
        version: u32,
        list: List,
    }

    impl Store {
        fn commit(&mut self, read: u32, change: Change, mut list: List) -> bool {
            change.apply(&mut list);
            let wins = read == self.version;
            if wins {
                *self = Self { version: read + 1, list };
            }
            wins
        }
    }

    proptest! {
        #[test]
        fn every_history_agrees_with_a_plain_sequence(changes in prop::collection::vec(Change::any(), 0..40)) {
            let (mut list, mut model) = (List::new(hash(0, 0)), vec![(0, 0)]);
            for change in changes {
                change.apply(&mut list);
                change.apply_to_model(&mut model);
                prop_assert_eq!(&list, &self::list(&model), "after {:?}", change);
                prop_assert!((1..=MAX).contains(&list.len()) && (1..=2).contains(&list.schemes().count()));
                for password in 0..6 {
                    prop_assert_eq!(find(&list, password), model.iter().position(|entry| entry.0 == password));
                }
            }
            let stored = postcard::to_allocvec(&list).unwrap();
            prop_assert_eq!(postcard::from_bytes::<List>(&stored).unwrap(), list);
        }

        #[test]
        fn two_racing_changes_end_in_a_serial_order(
            history in prop::collection::vec(Change::any(), 0..10), one in Change::any(), two in Change::any(),
        ) {
            let mut start = List::new(hash(0, 0));
            for change in history {
                change.apply(&mut start);
            }
            let mut store = Store { version: 1, list: start.clone() };
            // Both have read before either writes; the loser reads again.
            let (seen_by_one, seen_by_two) = (store.list.clone(), store.list.clone());
            prop_assert!(store.commit(1, one, seen_by_one));
            prop_assert!(!store.commit(1, two, seen_by_two));
            let again = store.list.clone();
            prop_assert!(store.commit(2, two, again));
            let mut serial = start;
            one.apply(&mut serial);
            two.apply(&mut serial);
            prop_assert_eq!(store.list, serial);
        }
    }
}
