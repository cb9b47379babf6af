//! Things of which there are only so many, such as connections: one source has a part of them at most, so that nobody alone keeps the
//! others out (security H4).

use crate::{source::site, sync};
use core::net::IpAddr;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

/// Who has how many.
#[derive(Debug)]
pub(crate) struct Shares {
    of_one: usize,
    by_source: Mutex<HashMap<IpAddr, usize>>,
}

/// One of a source, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    /// `None` where nothing is counted.
    counted: Option<(Arc<Shares>, IpAddr)>,
}

impl Shares {
    /// One source has `of_one` at the most.
    pub(crate) fn of(of_one: usize) -> Arc<Self> {
        Arc::new(Self { of_one, by_source: Mutex::default() })
    }

    /// One source has three quarters of `all`, at least one, so that nobody alone keeps the others out.
    pub(crate) fn of_many(all: usize) -> Arc<Self> {
        Self::of((all - all / 4).max(1))
    }

    /// One more for `address`; `None` when its source has as many as it may. Without an address it is counted for nobody.
    pub(crate) fn take(self: &Arc<Self>, address: Option<IpAddr>) -> Option<Share> {
        let Some(source) = address.map(site) else { return Some(Share { counted: None }) };
        let mut by_source = sync::lock(&self.by_source);
        let count = by_source.entry(source).or_default();
        if *count >= self.of_one {
            return None;
        }
        *count += 1;
        drop(by_source);
        Some(Share { counted: Some((Arc::clone(self), source)) })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some((shares, source)) = &self.counted else { return };
        let mut by_source = sync::lock(&shares.by_source);
        if let Some(count) = by_source.get_mut(source) {
            *count -= 1;
            if *count == 0 {
                by_source.remove(source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(shares: &Arc<Shares>, address: &str) -> Option<Share> {
        shares.take(Some(address.parse().unwrap()))
    }

    #[test]
    fn one_source_leaves_room_for_others() {
        let shares = Shares::of(6);
        let mut held: Vec<_> = (0..6).map(|_| take(&shares, "192.0.2.1").unwrap()).collect();
        assert!(take(&shares, "192.0.2.1").is_none() && take(&shares, "::ffff:192.0.2.1").is_none());
        let others: Vec<_> = (0..6).map(|network| take(&shares, &format!("2001:db8:7:{network}::1")).unwrap()).collect();
        assert!(take(&shares, "2001:db8:7:9::1").is_none(), "networks of one site are one source");
        held.pop();
        held.push(take(&shares, "192.0.2.1").unwrap());
        let uncounted: Vec<_> = (0..7).map(|_| shares.take(None).unwrap()).collect();
        drop((held, others, uncounted));
        assert!(sync::lock(&shares.by_source).is_empty(), "who has none is not remembered");
    }
}
