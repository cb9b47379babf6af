//! A map for what comes mostly in order, and a sort for what does not.

use alloc::vec::Vec;
use core::{cmp::Ordering, mem};
use serde::{Serialize, Serializer};

/// A map in a sorted vector. What is put behind all others costs nothing to place, as with records that were read in the order of
/// their keys; anything else moves what follows it. Each instantiation takes a tenth of the code that a tree does.
#[derive(Clone, Debug)]
pub(crate) struct Sorted<K, V>(Vec<(K, V)>);

impl<K: Ord, V> Sorted<K, V> {
    /// An earlier value under the same key is replaced.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        if self.0.last().is_none_or(|(last, _)| *last < key) {
            return self.0.push((key, value));
        }
        match self.0.binary_search_by(|(other, _)| other.cmp(&key)) {
            Ok(at) => {
                if let Some((_, old)) = self.0.get_mut(at) {
                    *old = value;
                }
            }
            Err(at) => self.0.insert(at, (key, value)),
        }
    }

    pub(crate) fn get(&self, key: &K) -> Option<&V> {
        let at = self.0.binary_search_by(|(other, _)| other.cmp(key)).ok()?;
        self.0.get(at).map(|(_, value)| value)
    }

    pub(crate) fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.0.binary_search_by(|(other, _)| other.cmp(key)).ok()?;
        self.0.get_mut(at).map(|(_, value)| value)
    }

    /// All entries in the order of their keys.
    pub(crate) fn as_slice(&self) -> &[(K, V)] {
        &self.0
    }

    /// The values may be changed, and the keys must not.
    pub(crate) fn as_mut_slice(&mut self) -> &mut [(K, V)] {
        &mut self.0
    }

    pub(crate) fn into_vec(self) -> Vec<(K, V)> {
        self.0
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl<K, V> Default for Sorted<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// Nothing has to move for entries in the order of their keys, wherever they belong.
impl<K: Ord, V> Extend<(K, V)> for Sorted<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        let mut before = mem::take(&mut self.0).into_iter().peekable();
        for (key, value) in entries {
            while let Some((earlier, kept)) = before.next_if(|(earlier, _)| *earlier <= key) {
                self.insert(earlier, kept);
            }
            self.insert(key, value);
        }
        self.0.extend(before);
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for Sorted<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut sorted = Self::default();
        for (key, value) in entries {
            sorted.insert(key, value);
        }
        sorted
    }
}

impl<K: Serialize, V: Serialize> Serialize for Sorted<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

/// The items in the order that `compare` says. What is sorted is their places, in one way for all types: each instantiation of the
/// library's sort takes 4 KB of code.
pub(crate) fn in_order<T>(items: Vec<T>, compare: impl Fn(&T, &T) -> Ordering) -> Vec<T> {
    let places = places(items.len(), &|one, other| match (items.get(one), items.get(other)) {
        (Some(one), Some(other)) => compare(one, other),
        _ => Ordering::Equal,
    });
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    places.into_iter().filter_map(|place| items.get_mut(place)?.take()).collect()
}

/// So many places, in the order that `compare` says.
fn places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).collect();
    places.sort_unstable_by(|one, other| compare(*one, *other));
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{collections::BTreeMap, rc::Rc};
    use core::cell::Cell;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn items_are_sorted(items: Vec<(u8, u16)>) {
            let mut expected = items.clone();
            expected.sort_unstable();
            prop_assert_eq!(in_order(items, Ord::cmp), expected);
        }

        #[test]
        fn it_is_a_map(
            entries in prop::collection::vec((0_u8..16, any::<u8>()), 0..40),
            more in prop::collection::vec((0_u8..16, any::<u8>()), 0..40),
            wanted in 0_u8..16,
        ) {
            let mut sorted: Sorted<u8, u8> = entries.iter().copied().collect();
            let mut map: BTreeMap<u8, u8> = entries.into_iter().collect();
            prop_assert_eq!(sorted.as_slice(), map.clone().into_iter().collect::<Vec<_>>());
            sorted.extend(more.iter().copied());
            map.extend(more);
            prop_assert_eq!(sorted.as_slice(), map.clone().into_iter().collect::<Vec<_>>());
            prop_assert_eq!(sorted.get(&wanted), map.get(&wanted));
            prop_assert_eq!(sorted.get_mut(&wanted), map.get_mut(&wanted));
            prop_assert_eq!(serde_json::to_string(&sorted).unwrap(), serde_json::to_string(&map).unwrap());
            sorted.clear();
            prop_assert!(sorted.into_vec().is_empty());
        }
    }

    /// A number that counts how often it is compared.
    struct Counted(u32, Rc<Cell<u32>>);

    impl Ord for Counted {
        fn cmp(&self, other: &Self) -> Ordering {
            self.1.set(self.1.get() + 1);
            self.0.cmp(&other.0)
        }
    }

    impl PartialOrd for Counted {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    impl Eq for Counted {}

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            self.cmp(other).is_eq()
        }
    }

    /// Otherwise two long lists that come one after the other would take a step of a call for ever.
    #[test]
    fn what_comes_in_order_is_not_searched_for() {
        let count = Rc::new(Cell::new(0));
        let numbers = |first: u32| (first..2_000).step_by(2).map(|n| (Counted(n, Rc::clone(&count)), n));
        let mut sorted: Sorted<Counted, u32> = numbers(1).collect();
        sorted.extend(numbers(0));
        assert!(sorted.as_slice().iter().map(|(_, value)| *value).eq(0..2_000));
        assert!(count.get() < 8_000, "{} comparisons", count.get());
    }
}
