//! Names that core knows at compile time and a component can only send as text.

use crate::sync;
use std::{
    collections::HashSet,
    sync::{LazyLock, RwLock},
};

/// How many different names are taken; core has a few dozen.
const MOST: usize = 1024;
/// How long a name may be, in octets.
const LONGEST: usize = 64;

static NAMES: LazyLock<RwLock<HashSet<&'static str>>> = LazyLock::new(RwLock::default);

/// `text` as a name that lives as long as the process. `None` when there are more and longer names than core has, so that a
/// defective component cannot fill the memory.
pub(super) fn name(text: &str) -> Option<&'static str> {
    if let Some(known) = sync::read(&NAMES).get(text) {
        return Some(known);
    }
    let mut names = sync::write(&NAMES);
    // Another thread may have been faster.
    if let Some(known) = names.get(text) {
        return Some(known);
    }
    if text.len() > LONGEST || names.len() >= MOST {
        return None;
    }
    let kept: &'static str = Box::leak(text.into());
    names.insert(kept);
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_once() {
        let first = name("x-test-name").unwrap();
        assert_eq!(first, "x-test-name");
        assert!(core::ptr::eq(first, name(&String::from("x-test-name")).unwrap()));
    }

    #[test]
    fn no_long_name_is_kept() {
        assert_eq!(name(&"x".repeat(LONGEST + 1)), None);
    }
}
