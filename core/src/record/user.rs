//! Users and what belongs to them.

use super::Stored;
use crate::{password, time::UnixTime};
use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::{Deserialize, Serialize};

/// The number of a user, from 1; one store never gives it out twice. A store restored from an older backup does, for users that came
/// after the backup.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Uid(u32);

impl Uid {
    /// The uid `number`, if it is one.
    pub const fn new(number: u32) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    /// From decimal digits without sign or leading zero, as in paths and claims.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = !text.starts_with('0') && text.bytes().all(|octet| octet.is_ascii_digit());
        digits.then(|| text.parse().ok().and_then(Self::new)).flatten()
    }

    /// As a number.
    pub const fn as_u32(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Stored for Uid {
    const VERSION: u8 = 1;
}

/// What a user may do (contract/redis.md section 7).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub enum Role {
    /// Everything.
    Admin,
    /// Reads the cluster and its databases, changes databases.
    ClusterMember,
    /// Reads the cluster and its databases.
    ClusterViewer,
    /// Reads and changes databases.
    DbMember,
    /// Reads databases; what a user gets who is created without a role.
    DbViewer,
    /// Nothing but the user's own account.
    None,
    /// Manages users that are not administrators.
    UserManager,
}

impl Role {
    /// Every role, in the order of its number.
    pub const ALL: [Self; 7] = [
        Self::Admin,
        Self::ClusterMember,
        Self::ClusterViewer,
        Self::DbMember,
        Self::DbViewer,
        Self::None,
        Self::UserManager,
    ];

    /// The word of the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::ClusterMember => "cluster_member",
            Self::ClusterViewer => "cluster_viewer",
            Self::DbMember => "db_member",
            Self::DbViewer => "db_viewer",
            Self::None => "none",
            Self::UserManager => "user_manager",
        }
    }

    /// The name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Admin => "Admin",
            Self::ClusterMember => "Cluster Member",
            Self::ClusterViewer => "Cluster Viewer",
            Self::DbMember => "DB Member",
            Self::DbViewer => "DB Viewer",
            Self::None => "None",
            Self::UserManager => "User Manager",
        }
    }

    /// The number of the role object, from 1.
    pub const fn uid(self) -> u8 {
        match self {
            Self::Admin => 1,
            Self::ClusterMember => 2,
            Self::ClusterViewer => 3,
            Self::DbMember => 4,
            Self::DbViewer => 5,
            Self::None => 6,
            Self::UserManager => 7,
        }
    }

    /// From the word of the API.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }

    /// From the number of the role object.
    pub fn from_uid(uid: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|role| u64::from(role.uid()) == uid)
    }
}

/// One user, shared by all dialects.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// The number.
    pub uid: Uid,
    /// The account id of the OpenShift dialect: 24 hex digits when shown.
    pub id: [u8; 12],
    /// The login name.
    pub name: String,
    /// The e-mail address, also good for logging in; empty if there is none.
    pub email: String,
    /// What the user may do.
    pub role: Role,
    /// Whether alerts go to the e-mail address; kept for clients, no mail is ever sent.
    pub email_alerts: bool,
    /// The passwords that work, oldest first.
    pub passwords: password::List,
    /// The one salt under which new passwords of this user are hashed.
    pub salt: [u8; 16],
    /// When a password was last set.
    pub password_issued: UnixTime,
    /// Rises when all tokens of the user end (security T15): a token is good only in the generation that issued it.
    pub generation: u32,
    /// Rises when an administrator logs the user out: ends also what outlives a replaced password list.
    pub session_epoch: u32,
    /// Rises when an administrator unlocks the user: locks and counters of an older one no longer count.
    pub lock_epoch: u32,
    /// May not log in, and no token works.
    pub disabled: bool,
    /// When the user was created.
    pub created: UnixTime,
}

impl Stored for User {
    const VERSION: u8 = 1;
}

impl User {
    /// Ends all locks of this user.
    pub fn unlock(&mut self) {
        self.lock_epoch = self.lock_epoch.saturating_add(1);
    }
}

/// The uid given out last.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct LastUid(pub u32);

impl Stored for LastUid {
    const VERSION: u8 = 1;
}

/// The users with role `admin` who may log in, so that "the last one" is one record and two racing removals cannot both succeed.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct Admins(pub Vec<Uid>);

impl Stored for Admins {
    const VERSION: u8 = 1;
}
