//! Token pairs of the Elasticsearch dialect.

use super::{Stored, Uid, lacking};
use crate::time::UnixTime;
use serde::{Deserialize, Serialize};

/// The random id of a pair. Both tokens are derived from it under the root secret, so they can be made again and do not lie
/// in the store.
pub type PairId = [u8; 32];

/// An access token and, with most grants, a refresh token: one record with two halves that live and die apart.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    /// The random id.
    pub id: PairId,
    /// The id of the pair that the login made; shared by all that came of it (security T17).
    pub family: PairId,
    /// Whom the tokens are for.
    pub uid: Uid,
    /// Who asked for them and alone may refresh them.
    pub client: Uid,
    /// [`super::User::generation`] when they were made.
    pub generation: u32,
    /// When they were made.
    pub created: UnixTime,
    /// When the access token ends.
    pub access_expires: UnixTime,
    /// The access token was invalidated.
    pub access_invalidated: bool,
    /// There is a refresh token.
    pub refreshable: bool,
    /// The refresh token was invalidated.
    pub refresh_invalidated: bool,
    /// When the refresh token was used, and which pair came of it.
    pub refreshed: Option<(UnixTime, PairId)>,
    /// When the login was that its family began with.
    pub began: UnixTime,
    /// When the family ends, by the settings under which its pairs were made.
    pub family_ends: UnixTime,
    /// [`PairsEnded::last`] of everybody and of its user when it was made: it has ended when one of them is later.
    pub ended: [UnixTime; 2],
}

impl Stored for Pair {
    const VERSION: u8 = 3;

    /// Version 2 was the same without the last two members: its family ends by the settings of today, and whatever has ended pairs
    /// together since it was made has ended it. Version 1 lacked the one before as well; the family of such a pair counts from that pair.
    fn migrate(version: u8, body: &[u8]) -> Option<Self> {
        let began: &[u8] = match version {
            1 => &[0],
            2 => &[],
            _ => return None,
        };
        let pair: Self = lacking(3, &[body, began].concat())?;
        let before = UnixTime::from_millis(pair.created.as_millis().saturating_sub(1));
        let began = if version == 1 { pair.created } else { pair.began };
        Some(Self { began, family_ends: UnixTime::from_millis(u64::MAX), ended: [before; 2], ..pair })
    }
}

/// All pairs of one user, or of everybody, have ended together: written where they are too many to be invalidated one by one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct PairsEnded {
    /// When they last did; always later than the time before, even if the clock was put right meanwhile, so that it counts how often.
    pub last: UnixTime,
    /// Access tokens that were issued up to then have ended, for verifiers elsewhere, who know nothing else of them.
    pub issued: UnixTime,
}

impl Stored for PairsEnded {
    const VERSION: u8 = 2;

    /// Version 1 was one time for both.
    fn migrate(version: u8, body: &[u8]) -> Option<Self> {
        lacking(1, body).filter(|_| version == 1).map(|ended: Self| Self { issued: ended.last, ..ended })
    }
}

/// Which pair a token belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct PairOf {
    /// Whose pair it is.
    pub uid: Uid,
    /// Its id.
    pub id: PairId,
    /// [`Pair::family`], so that one round tells whether that has ended.
    pub family: PairId,
}

impl Stored for PairOf {
    const VERSION: u8 = 2;

    /// Version 1 was the same without the last member. A pair of that time is found when its family is ended, and needs no family here;
    /// its own id stands in, which is no other family's.
    fn migrate(version: u8, body: &[u8]) -> Option<Self> {
        lacking(32, body).filter(|_| version == 1).map(|of: Self| Self { family: of.id, ..of })
    }
}
