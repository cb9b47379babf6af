//! Authorizations of the OpenShift dialect.

use super::{Stored, Uid};
use crate::time::UnixTime;
use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// What a token may do (contract/openshift.md section 3).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Scope {
    /// Everything the account may.
    Session,
    /// GET anywhere but authorizations.
    Read,
    /// GET of the account only.
    Userinfo,
}

impl Scope {
    /// Every scope that is offered.
    pub const ALL: [Self; 3] = [Self::Session, Self::Read, Self::Userinfo];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Read => "read",
            Self::Userinfo => "userinfo",
        }
    }

    /// The words of several, separated by blanks.
    pub fn join(scopes: &[Self]) -> String {
        scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// From the word of the API, in lower case.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// A long-lived token and what is said about it. The token itself is derived from `secret` under the root secret.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct Authorization {
    /// The public id: 24 hex digits when shown.
    pub id: [u8; 12],
    /// 256 random bits, from which the token is derived.
    pub secret: [u8; 32],
    /// Whose it is.
    pub uid: Uid,
    /// What it may do, in the order asked for, each once; never empty.
    pub scopes: Vec<Scope>,
    /// What the owner noted.
    pub note: Option<String>,
    /// When it was made.
    pub created: UnixTime,
    /// When it ends.
    pub expires: UnixTime,
    /// [`super::User::generation`] when it was made.
    pub generation: u32,
    /// [`super::User::session_epoch`] when it was made.
    pub session_epoch: u32,
    /// [`super::Count`] of everybody and the [`RevokedScopes`] of its scopes when it was made, added up.
    pub era: u32,
}

impl Stored for Authorization {
    const VERSION: u8 = 1;
}

/// Where an authorization is stored: its owner and the rest of its key.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct AuthorizationAt {
    /// Whose it is.
    pub uid: Uid,
    /// When it was made; newer ones stand first.
    pub created: UnixTime,
    /// Its id.
    pub id: [u8; 12],
}

impl Stored for AuthorizationAt {
    const VERSION: u8 = 1;
}

/// How often a user has ended all their authorizations with a scope. None of the numbers ever falls.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct RevokedScopes {
    session: u32,
    read: u32,
    userinfo: u32,
}

impl RevokedScopes {
    /// How often those with this scope were.
    pub const fn of(&self, scope: Scope) -> u32 {
        match scope {
            Scope::Session => self.session,
            Scope::Read => self.read,
            Scope::Userinfo => self.userinfo,
        }
    }

    /// Once more for `scope`, or for all.
    #[must_use]
    pub fn plus(mut self, scope: Option<Scope>) -> Self {
        for ended in Scope::ALL.into_iter().filter(|known| scope.is_none_or(|scope| scope == *known)) {
            let count = match ended {
                Scope::Session => &mut self.session,
                Scope::Read => &mut self.read,
                Scope::Userinfo => &mut self.userinfo,
            };
            *count = count.saturating_add(1);
        }
        self
    }
}

impl Stored for RevokedScopes {
    const VERSION: u8 = 1;
}
