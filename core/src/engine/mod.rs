//! What every dialect builds on: finding users, logging in, checking and issuing tokens, changing users, passwords and keys.
//!
//! A refusal that any operation may meet is a [`Refusal`]. One that a single operation gives is the inner part of
//! `Result<Result<_, NotDone>, Stop>`: the dialect that asked words it, and answers with `Ok` where something is stored all the same.
//!
//! Nothing here knows a status code, a header but `Authorization`, or the JSON of a request or an answer: that is the dialects' part.

mod audit;
mod authorization;
mod bearer;
mod clock;
mod credentials;
mod directory;
mod ended;
mod issue;
mod jwks;
mod keys;
mod login;
mod names;
mod pair;
mod passwords;
mod policies;
mod profile;
mod revoke;
mod roles;
#[cfg(feature = "public-keys")]
mod snapshot;
mod source;
mod throttle;
mod users;

pub(crate) use audit::{add_detail, as_typed, audit, audit_change, audit_denied, audit_kept, audit_refused, path_as_sent};
pub(crate) use authorization::{
    Authorized, NewAuthorization, add_authorization, authorization_token, authorization_with_id, authorizations,
    authorized, end_authorization, end_authorizations, find_authorization, find_revocable, is_authorization_token,
    note_authorization, revocable, revoke_everything,
};
pub(crate) use bearer::{
    Bearer, any_bearer, audit_unrefreshed, bearer, bearer_to_end, explain, verify, verify_any_time, verify_to_end,
};
pub(crate) use credentials::Credentials;
pub(crate) use directory::{account, all_records, behind, decoded_by_id, find_user, is_locked, user};
pub(crate) use issue::{issue, issue_as};
pub(crate) use jwks::{export_key, public_part, published_keys};
pub use keys::MAX_KEYS;
pub(crate) use keys::{
    NotImported, NotRetired, NotRotated, Rotation, bootstrap_key, import_keys, keys, retire_key, rotate_key,
};
pub(crate) use login::{Expired, Login, Proof, check_old_password, has_expired, login, password_expires};
pub(crate) use names::{NAME_RULE, ROLE_NAME_RULE, has_blank_ends, is_like_uid, valid_email, valid_name, valid_role_name};
pub(crate) use pair::{Counts, Grant, NotRefreshed, Selection, grant, grant_for_token, invalidate, refresh};
pub(crate) use passwords::{NewPassword, Setter, add_password, remove_password, replace_passwords, reset_passwords};
pub(crate) use policies::{cluster, schemes};
pub(crate) use profile::{named, profile, store_profile, want_profile, want_profile_of_token};
pub(crate) use revoke::{has_room, revoke, revoke_again, revoke_counted};
pub(crate) use roles::{MAX_ROLES, delete_role, put_role, roles};
#[cfg(feature = "public-keys")]
pub(crate) use snapshot::snapshot;
pub(crate) use throttle::admit_source;
pub(crate) use users::{
    Changes, NewUser, change_user, check_free, create_user, delete_user, enable_user, manages_users, may_create, may_give,
    may_manage, new_salt, store_user,
};

use crate::{refusal::Refusal, seam::Op};

/// True for one call in so many, a power of two, drawn by `label`: for upkeep that need not be done each time.
///
/// # Errors
/// [`Refusal::NoEntropy`].
fn now_and_then(op: &Op<'_>, label: &str, one_in: u16) -> Result<bool, Refusal> {
    Ok(u16::from_le_bytes(op.moment.draw(label)?).is_multiple_of(one_in))
}
