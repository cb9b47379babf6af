//! A cache of answers to proxies, at `/auth/verify` and `/auth/envoy`.
//!
//! A proxy asks about the same token for every request of its client. What core says of a token follows from the token, the time,
//! the settings with the keys, and the records it reads. So as long as the [`Mark`] is the same, which changes with every commit
//! and every change of settings or keys, and the token has not expired, the last answer is the answer, and core is not asked
//! again. A revocation is a commit: it is told before it is acknowledged, so no answer from before it is given after it.
//!
//! Kept are answers that let a request pass, under a digest of the header; never a token.

use super::convert::HttpResponse;
use crate::engine::Mark;
use hyper::{
    Method,
    body::{Body, Incoming},
    header,
    http::request::Parts,
};
use quick_cache::sync::Cache;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use waxseal_core::time::UnixTime;

/// How many answers are kept, at about a kilobyte each.
const KEPT: usize = 4096;
/// Says until when the token is good.
const EXPIRES: &str = "x-auth-expires";

/// The digest of an `Authorization` header, and of which of the two routes it came to.
pub(super) type Asked = [u8; 32];

pub(super) struct ResponseCache(Cache<Asked, Arc<Cached>>);

struct Cached {
    answer: HttpResponse,
    mark: Mark,
    since: UnixTime,
    until: UnixTime,
}

impl ResponseCache {
    pub(super) fn new() -> Self {
        Self(Cache::new(KEPT))
    }

    /// The answer to what was asked, if one stands at `mark` and `now`.
    pub(super) fn find(&self, asked: &Asked, mark: Mark, now: UnixTime) -> Option<HttpResponse> {
        let cached = self.0.get(asked)?;
        (cached.mark == mark && cached.since <= now && now < cached.until).then(|| cached.answer.clone())
    }

    /// Keeps an answer that was made after `mark` was read, at `now` or later.
    pub(super) fn keep(&self, asked: Asked, mark: Mark, now: UnixTime, answer: &HttpResponse) {
        let expires = || answer.headers().get(EXPIRES)?.to_str().ok()?.parse().ok();
        if answer.status().is_success()
            && let Some(until) = expires().map(UnixTime::from_secs)
        {
            self.0.insert(asked, Arc::new(Cached { answer: answer.clone(), mark, since: now, until }));
        }
    }
}

/// What a proxy asks, if the answer follows from one `Authorization` header alone. Proxies hand on the method and the path of their
/// client, which do not matter here.
pub(super) fn asked(parts: &Parts, body: &Incoming) -> Option<Asked> {
    let mut credentials = parts.headers.get_all(header::AUTHORIZATION).into_iter();
    let (Some(one), None) = (credentials.next(), credentials.next()) else { return None };
    let route = parts.uri.path().split('/').nth(2)?;
    (METHODS.contains(&parts.method) && body.is_end_stream())
        .then(|| Sha256::new().chain_update(route).chain_update([0]).chain_update(one.as_bytes()).finalize().into())
}

/// Those whose answer may be given again; `HEAD` has one of its own kind.
const METHODS: [Method; 5] = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;
    use hyper::{Response, body::Bytes};

    const MARK: Mark = Mark::new(1, 1);
    const NOW: UnixTime = UnixTime::from_secs(1000);

    fn answer(status: u16, expires: &str) -> HttpResponse {
        Response::builder().status(status).header(EXPIRES, expires).body(Full::new(Bytes::new())).unwrap()
    }

    fn kept(answer: &HttpResponse) -> ResponseCache {
        let cache = ResponseCache::new();
        cache.keep([1; 32], MARK, NOW, answer);
        cache
    }

    #[test]
    fn an_answer_stands_while_nothing_changes() {
        let cache = kept(&answer(204, "1100"));
        let stands = |asked, mark, now| cache.find(&asked, mark, UnixTime::from_secs(now)).is_some();
        assert!(stands([1; 32], MARK, 1000) && stands([1; 32], MARK, 1099));
        assert!(!stands([2; 32], MARK, 1000), "another token");
        assert!(!stands([1; 32], Mark::new(1, 2), 1000), "after a commit");
        assert!(!stands([1; 32], Mark::new(2, 1), 1000), "under other settings or keys");
        assert!(!stands([1; 32], MARK, 1100), "when the token has expired");
        assert!(!stands([1; 32], MARK, 999), "before it was given");
    }

    #[test]
    fn refusals_and_answers_without_an_end_are_not_kept() {
        for answer in [answer(401, "1100"), answer(503, "1100"), answer(302, "1100"), answer(204, "never")] {
            assert!(kept(&answer).find(&[1; 32], MARK, NOW).is_none());
        }
    }
}
