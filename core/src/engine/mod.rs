//! What every dialect builds on: finding users, logging in, checking and issuing tokens, changing users, passwords and keys.
//!
//! Nothing here knows a status code, a header but `Authorization`, or a JSON body: that is the dialects' part.

mod bearer;
mod credentials;
mod directory;
mod issue;
mod keys;
mod login;
mod passwords;
mod source;
mod throttle;
mod users;

pub(crate) use bearer::{Bearer, Kind, bearer, revoke};
pub(crate) use credentials::Credentials;
pub(crate) use directory::{account, find, is_locked, user};
pub(crate) use issue::{Issued, TYP, issue};
pub(crate) use keys::{Imported, bootstrap_key, import_keys, keys, retire_key, rotate_key};
pub(crate) use login::{Login, Purpose, login, proves};
pub(crate) use passwords::{NewPassword, add_password, remove_password, replace_passwords};
pub(crate) use throttle::admit_source;
pub(crate) use users::{Changes, NewUser, create_user, delete_user, store_user};
