//! Why a request was refused, in words that no dialect owns.

use crate::{lifetime, password, token};
use core::fmt;

/// Why a request was refused. A dialect chooses status and wording; the code never changes.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// The request carries no credentials.
    NoCredentials,
    /// User unknown, disabled or locked, or password wrong: one case on purpose, so that none can be told from another.
    BadCredentials,
    /// The password is right and too old.
    PasswordExpired,
    /// The token is not good; the caller learns no more than that, the code goes to the log.
    Token(token::Refusal),
    /// The token was revoked; or, where it stands for a record, that is gone, as also when it has expired.
    TokenRevoked,
    /// It was ended together with others: all of its user by a replaced password list, or by an administrator; all of its kind or scope.
    TokenEnded,
    /// The user of the token is deleted or disabled, or the token names none.
    TokenUserGone,
    /// The token was issued by another dialect or by none, or has no id to revoke it by.
    TokenForeign,
    /// Too many tries from this source, or on this account from everywhere.
    Throttled {
        /// Seconds until another try is worth it; at least 1.
        retry_after: u32,
    },
    /// A page of another site had a browser send the request.
    CrossSite,
    /// The caller is known and may not do this.
    NotAllowed,
    /// The lifetime asked for is outside the bounds.
    Lifetime(lifetime::Error),
    /// The password breaks a rule of the policy or of the list.
    Password(password::Refusal),
    /// There is no such user.
    UserNotFound,
    /// Another user has this name, or has it as e-mail address.
    NameTaken,
    /// Another user has this e-mail address.
    EmailTaken,
    /// It would leave the server without an administrator.
    LastAdmin,
    /// The platform handed in no randomness, so nothing is issued.
    NoEntropy,
    /// There is no key to sign with.
    NoSigningKey,
    /// There are as many signing keys as there may be.
    TooManyKeys,
    /// Tokens are signed with a shared secret, so that nobody else can check them.
    NoPublicKey,
    /// More tokens and users are revoked than a snapshot holds.
    TooManyRevocations,
    /// A verifier elsewhere has no revocation snapshot, or one that is too old to go by.
    RevocationsStale,
    /// There are as many custom roles as there may be.
    TooManyRoles,
    /// The driver cannot do its part now: it is overloaded, or its store fails.
    Unavailable {
        /// Seconds until another try is worth it; at least 1.
        retry_after: u32,
    },
    /// A stored record cannot be read; nothing is allowed on the strength of it.
    BadRecord,
}

impl Refusal {
    /// The stable code, for logs and machines.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoCredentials => "no_credentials",
            Self::BadCredentials => "bad_credentials",
            Self::PasswordExpired => "password_expired",
            Self::Token(refusal) => refusal.code(),
            Self::TokenRevoked => "revoked",
            Self::TokenEnded => "ended",
            Self::TokenUserGone => "user_gone",
            Self::TokenForeign => "foreign",
            Self::Throttled { .. } => "throttled",
            Self::CrossSite => "cross_site",
            Self::NotAllowed => "not_allowed",
            Self::Lifetime(error) => error.code(),
            Self::Password(refusal) => refusal.code(),
            Self::UserNotFound => "user_not_found",
            Self::NameTaken => "name_taken",
            Self::EmailTaken => "email_taken",
            Self::LastAdmin => "last_admin",
            Self::NoEntropy => "no_entropy",
            Self::NoSigningKey => "no_signing_key",
            Self::TooManyKeys => "too_many_keys",
            Self::NoPublicKey => "no_public_key",
            Self::TooManyRevocations => "too_many_revocations",
            Self::RevocationsStale => "revocations_stale",
            Self::TooManyRoles => "too_many_roles",
            Self::Unavailable { .. } => "unavailable",
            Self::BadRecord => "bad_record",
        }
    }

    /// What is wrong with a token, as one plain sentence without a full stop, for the owner of the server; `None` where it is not a
    /// token that was refused.
    pub(crate) const fn sentence(&self) -> Option<&'static str> {
        match self {
            Self::Token(refusal) => Some(refusal.sentence()),
            Self::TokenRevoked => Some("the token was revoked, has expired, or was never issued here"),
            Self::TokenEnded => Some("it was ended together with others after it was issued"),
            Self::TokenUserGone => Some("it names no user of this server, or one who is deleted or disabled"),
            Self::TokenForeign => Some("it has no id, or no dialect that this server signs"),
            Self::RevocationsStale => Some("there are no revocations that are new enough to go by"),
            Self::NoCredentials
            | Self::BadCredentials
            | Self::PasswordExpired
            | Self::Throttled { .. }
            | Self::CrossSite
            | Self::NotAllowed
            | Self::Lifetime(_)
            | Self::Password(_)
            | Self::UserNotFound
            | Self::NameTaken
            | Self::EmailTaken
            | Self::LastAdmin
            | Self::NoEntropy
            | Self::NoSigningKey
            | Self::TooManyKeys
            | Self::NoPublicKey
            | Self::TooManyRevocations
            | Self::TooManyRoles
            | Self::Unavailable { .. }
            | Self::BadRecord => None,
        }
    }

    /// When it is the server that cannot answer: seconds until another try is worth it.
    pub(crate) const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::NoEntropy | Self::NoSigningKey | Self::BadRecord => Some(1),
            Self::Unavailable { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// Whether the token was at fault, whichever way; callers learn no more (security T10).
    pub const fn is_token(&self) -> bool {
        matches!(
            self,
            Self::Token(_)
                | Self::TokenRevoked
                | Self::TokenEnded
                | Self::TokenUserGone
                | Self::TokenForeign
                | Self::RevocationsStale
        )
    }
}

/// The code, as the words are the dialects'.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl core::error::Error for Refusal {}

impl From<token::Refusal> for Refusal {
    fn from(refusal: token::Refusal) -> Self {
        Self::Token(refusal)
    }
}

impl From<lifetime::Error> for Refusal {
    fn from(error: lifetime::Error) -> Self {
        Self::Lifetime(error)
    }
}

impl From<password::Refusal> for Refusal {
    fn from(refusal: password::Refusal) -> Self {
        Self::Password(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn a_refusal_is_an_error_that_says_its_code() {
        let refusal: &dyn core::error::Error = &Refusal::Token(token::Refusal::Expired);
        assert_eq!(refusal.to_string(), "expired");
    }
}
