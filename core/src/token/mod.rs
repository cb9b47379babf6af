//! Tokens: JWS compact serialization, strict parsing, claims and keys (security, part T).
//!
//! ```text
//!   text ── Unverified::parse ──▶ Unverified ── KeySet ──▶ Signed ── Profile, now ──▶ Verified
//!           size, shape, header            key, signature        claims
//! ```
//!
//! Each arrow may end in a [`Refusal`]; there is no other way to a [`Verified`].
//!
//! INVARIANT: nothing on this path but the length of the input decides how deep or how far the reader goes; it does not
//! recurse, and it allocates at most a few times the size of the token.

mod algorithm;
pub(crate) mod base64url;
mod claims;
pub(crate) mod dialect;
mod digits;
#[cfg(feature = "public-keys")]
mod edge_verifier;
mod explain;
mod handed;
mod header;
mod issue;
mod json;
mod jwk;
mod key;
mod key_error;
mod key_set;
mod mac;
#[cfg(feature = "public-keys")]
mod new_snapshot;
mod numeric_date;
mod profile;
#[cfg(feature = "public-keys")]
mod public;
mod refusal;
#[cfg(feature = "public-keys")]
mod snapshot;
mod unverified;
mod verified;

#[cfg(test)]
#[cfg(feature = "public-keys")]
mod public_tests;
#[cfg(test)]
#[cfg(feature = "public-keys")]
mod snapshot_tests;
#[cfg(test)]
mod tests;

pub use algorithm::Algorithm;
#[cfg(feature = "public-keys")]
pub use edge_verifier::{EdgeVerifier, Stale};
pub use explain::{Explanation, Part};
pub use issue::NewClaims;
pub use jwk::Jwk;
pub use key::Key;
pub use key_error::KeyError;
pub use key_set::{KeyRole, KeySet};
#[cfg(feature = "public-keys")]
pub use new_snapshot::NewSnapshot;
pub use profile::{ACCESS, MAX_LEEWAY, Profile};
pub use refusal::Refusal;
#[cfg(feature = "public-keys")]
pub use snapshot::{MAX_SNAPSHOT, REVOCATIONS, Snapshot, SnapshotError};
pub use unverified::{MAX_TOKEN, Signed, Unverified};
pub use verified::Verified;

/// The longest `kid`, in octets (security T3).
pub const MAX_KID: usize = 256;
