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
pub(crate) struct SourceLimit {
    of_one: usize,
    by_source: Mutex<HashMap<IpAddr, usize>>,
}

/// One of a source, until it is dropped.
#[derive(Debug)]
pub(crate) struct SourcePermit {
    /// `None` where nothing is counted.
    counted: Option<(Arc<SourceLimit>, IpAddr)>,
}

impl SourceLimit {
    /// One source has `of_one` at the most.
    pub(crate) fn of(of_one: usize) -> Arc<Self> {
        Arc::new(Self { of_one, by_source: Mutex::default() })
    }

    /// One source has three quarters of `all`, at least one, so that nobody alone keeps the others out.
    pub(crate) fn of_many(all: usize) -> Arc<Self> {
        Self::of((all - all / 4).max(1))
    }

    /// One more for `address`; `None` when its source has as many as it may. Without an address it is counted for nobody.
    pub(crate) fn take(self: &Arc<Self>, address: Option<IpAddr>) -> Option<SourcePermit> {
        let Some(source) = address.map(site) else { return Some(SourcePermit { counted: None }) };
        let mut by_source = sync::lock(&self.by_source);
        let count = by_source.entry(source).or_default();
        if *count >= self.of_one {
            return None;
        }
        *count += 1;
        drop(by_source);
        Some(SourcePermit { counted: Some((Arc::clone(self), source)) })
    }
}

impl Drop for SourcePermit {
    fn drop(&mut self) {
        let Some((limit, source)) = &self.counted else { return };
        let mut by_source = sync::lock(&limit.by_source);
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

    fn take(limit: &Arc<SourceLimit>, address: &str) -> Option<SourcePermit> {
        limit.take(Some(address.parse().unwrap()))
    }

    #[test]
    fn one_source_leaves_room_for_others() {
        let limit = SourceLimit::of(6);
        let mut held: Vec<_> = (0..6).map(|_| take(&limit, "192.0.2.1").unwrap()).collect();
        assert!(take(&limit, "192.0.2.1").is_none() && take(&limit, "::ffff:192.0.2.1").is_none());
        let others: Vec<_> = (0..6).map(|network| take(&limit, &format!("2001:db8:7:{network}::1")).unwrap()).collect();
        assert!(take(&limit, "2001:db8:7:9::1").is_none(), "networks of one site are one source");
        held.pop();
        held.push(take(&limit, "192.0.2.1").unwrap());
        let uncounted: Vec<_> = (0..7).map(|_| limit.take(None).unwrap()).collect();
        drop((held, others, uncounted));
        assert!(sync::lock(&limit.by_source).is_empty(), "who has none is not remembered");
    }
}
