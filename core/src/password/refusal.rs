//! Why a password, or a change to a list of passwords, is refused.

use core::fmt;

/// Why a password, or a change to a list of passwords, is refused. Its text tells the user what to do (security P3) and
/// never repeats the password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// No character at all.
    Empty,
    /// More octets than any policy takes, counted after preparation.
    TooLarge {
        /// The most octets allowed.
        max: u16,
    },
    /// More characters than the policy takes.
    TooLong {
        /// The most characters allowed.
        max: u16,
    },
    /// Fewer characters than the policy demands.
    TooShort {
        /// The fewest characters allowed.
        min: u16,
    },
    /// A control character, which no keyboard enters reliably.
    ControlCharacter,
    /// No uppercase letter.
    NoUppercase,
    /// No lowercase letter.
    NoLowercase,
    /// No digit.
    NoDigit,
    /// Nothing but letters and digits.
    NoSpecial,
    /// Too many equal characters in a row.
    RepeatedCharacters {
        /// How many may stand in a row.
        max: u16,
    },
    /// The user's e-mail address, or its reverse, is part of it.
    ContainsEmail,
    /// Little more than the name of the user or of the service.
    ContainsName,
    /// On the list of common passwords.
    Common,
    /// Already one of the user's passwords.
    SameAsCurrent,
    /// The only password of the user, which cannot be taken away.
    LastPassword,
    /// Not one of the user's passwords.
    NotInList,
    /// The user has as many passwords as allowed.
    TooMany {
        /// The most passwords a user may have.
        max: u8,
    },
    /// A list without any password.
    EmptyList,
    /// Two hashes of one scheme with different salts: one derivation could not check both (security P6).
    SaltsDiffer,
    /// Hashes of more than two schemes: too many derivations to check one password (security P6).
    TooManySchemes,
    /// As many schemes are in use on this server as may be, so that a hash of yet another is not taken in (security P6).
    NoRoomForScheme,
}

impl Refusal {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "password_empty",
            Self::TooLarge { .. } => "password_too_large",
            Self::TooLong { .. } => "password_too_long",
            Self::TooShort { .. } => "password_too_short",
            Self::ControlCharacter => "password_control_character",
            Self::NoUppercase => "password_no_uppercase",
            Self::NoLowercase => "password_no_lowercase",
            Self::NoDigit => "password_no_digit",
            Self::NoSpecial => "password_no_special",
            Self::RepeatedCharacters { .. } => "password_repeated_characters",
            Self::ContainsEmail => "password_contains_email",
            Self::ContainsName => "password_contains_name",
            Self::Common => "password_common",
            Self::SameAsCurrent => "password_same_as_current",
            Self::LastPassword => "password_last",
            Self::NotInList => "password_not_in_list",
            Self::TooMany { .. } => "password_too_many",
            Self::EmptyList => "password_list_empty",
            Self::SaltsDiffer => "password_salts_differ",
            Self::TooManySchemes => "password_too_many_schemes",
            Self::NoRoomForScheme => "password_no_room_for_scheme",
        }
    }

    /// Whether the text itself breaks a rule of the [`Policy`](super::Policy), so that another text would do.
    pub const fn is_policy(self) -> bool {
        match self {
            Self::TooLong { .. }
            | Self::TooShort { .. }
            | Self::ControlCharacter
            | Self::NoUppercase
            | Self::NoLowercase
            | Self::NoDigit
            | Self::NoSpecial
            | Self::RepeatedCharacters { .. }
            | Self::ContainsEmail
            | Self::ContainsName
            | Self::Common => true,
            Self::Empty
            | Self::TooLarge { .. }
            | Self::SameAsCurrent
            | Self::LastPassword
            | Self::NotInList
            | Self::TooMany { .. }
            | Self::EmptyList
            | Self::SaltsDiffer
            | Self::TooManySchemes
            | Self::NoRoomForScheme => false,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the password is empty: choose one"),
            Self::TooLarge { max } => write!(f, "the password takes more than {max} octets: choose a shorter one"),
            Self::TooLong { max } => write!(f, "the password has more than {max} characters: choose a shorter one"),
            Self::TooShort { min } => write!(f, "the password has fewer than {min} characters: choose a longer one"),
            Self::ControlCharacter => {
                f.write_str("the password has a control character: use printable characters and spaces")
            }
            Self::NoUppercase => f.write_str("the password has no uppercase letter: add one"),
            Self::NoLowercase => f.write_str("the password has no lowercase letter: add one"),
            Self::NoDigit => f.write_str("the password has no digit: add one of 0 to 9"),
            Self::NoSpecial => {
                f.write_str("the password has only letters and digits: add a special character such as ! or -")
            }
            Self::RepeatedCharacters { max } => {
                write!(f, "the password has more than {max} equal characters in a row: vary them")
            }
            Self::ContainsEmail => f.write_str("the password contains the e-mail address or its reverse: leave it out"),
            Self::ContainsName => {
                f.write_str("the password is little more than the name of the user or of the service: choose other words")
            }
            Self::Common => {
                f.write_str("the password is one of the most common ones, which are guessed first: choose another")
            }
            Self::SameAsCurrent => f.write_str("the password is already in use for this user: choose a new one"),
            Self::LastPassword => f.write_str("the user has no other password: add one before removing this"),
            Self::NotInList => f.write_str("the password is not one of this user's passwords"),
            Self::TooMany { max } => write!(f, "a user may have {max} passwords at most: remove some first"),
            Self::EmptyList => f.write_str("the list holds no password: give at least one"),
            Self::SaltsDiffer => {
                f.write_str("the list holds hashes of one scheme with different salts: give them one salt")
            }
            Self::TooManySchemes => f.write_str("the list holds hashes of more than two schemes: give at most two"),
            Self::NoRoomForScheme => f.write_str(
                "no password can be hashed as `passwords.scheme` says, because hashes of three other schemes may still be in use: \
                 an administrator has to forget those that are not (`waxseal user prune-schemes`)",
            ),
        }
    }
}

impl core::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{collections::BTreeSet, string::ToString};

    const ALL: [Refusal; 21] = [
        Refusal::Empty,
        Refusal::TooLarge { max: 1024 },
        Refusal::TooLong { max: 256 },
        Refusal::TooShort { min: 15 },
        Refusal::ControlCharacter,
        Refusal::NoUppercase,
        Refusal::NoLowercase,
        Refusal::NoDigit,
        Refusal::NoSpecial,
        Refusal::RepeatedCharacters { max: 3 },
        Refusal::ContainsEmail,
        Refusal::ContainsName,
        Refusal::Common,
        Refusal::SameAsCurrent,
        Refusal::LastPassword,
        Refusal::NotInList,
        Refusal::TooMany { max: 16 },
        Refusal::EmptyList,
        Refusal::SaltsDiffer,
        Refusal::TooManySchemes,
        Refusal::NoRoomForScheme,
    ];

    #[test]
    fn codes_and_texts_tell_all_apart() {
        assert_eq!(ALL.map(Refusal::code).iter().collect::<BTreeSet<_>>().len(), ALL.len());
        assert_eq!(ALL.map(|refusal| refusal.to_string()).iter().collect::<BTreeSet<_>>().len(), ALL.len());
        assert!(ALL.iter().all(|refusal| refusal.code().starts_with("password_")));
    }

    #[test]
    fn a_text_says_why_and_what_to_do() {
        let text = Refusal::TooShort { min: 15 }.to_string();
        assert_eq!(text, "the password has fewer than 15 characters: choose a longer one");
    }
}
