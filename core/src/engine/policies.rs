//! What holds for all users: the policies that administrators have set, and the schemes that password hashes are of.

use crate::{
    record::{Cluster, Schemes, key},
    seam::{Op, Stop},
};

/// The policies; the defaults until somebody has set one.
///
/// # Errors
/// [`Stop::Need`].
pub(crate) fn cluster(op: &Op<'_>) -> Result<Cluster, Stop> {
    Ok(op.load(&key::cluster())?.unwrap_or_default())
}

/// The schemes in use; none before the first password.
///
/// # Errors
/// [`Stop::Need`].
pub(crate) fn schemes(op: &Op<'_>) -> Result<Schemes, Stop> {
    Ok(op.load(&key::schemes())?.unwrap_or_default())
}
