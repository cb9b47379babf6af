//! Token pairs of the Elasticsearch dialect.

use super::{Stored, Uid, from_version_1};
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
    /// The id of the pair that the login made; shared by all that refreshing made of it (security T17).
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
}

impl Stored for Pair {
    const VERSION: u8 = 2;

    /// Version 1 was the same without the last member; the family of such a pair counts from this pair on.
    fn migrate(version: u8, body: &[u8]) -> Option<Self> {
        from_version_1(version, body).map(|pair: Self| Self { began: pair.created, ..pair })
    }
}

/// All pairs of one user, or of everybody, that were made up to this time are invalidated: written where they are too many to
/// be invalidated one by one.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct PairsEnded(pub UnixTime);

impl Stored for PairsEnded {
    const VERSION: u8 = 1;
}

/// Which pair a token belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct PairOf {
    /// Whose pair it is.
    pub uid: Uid,
    /// Its id.
    pub id: PairId,
}

impl Stored for PairOf {
    const VERSION: u8 = 1;
}
