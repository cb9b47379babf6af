//! Which new passwords are taken.

use super::{Refusal, blocklist, prepare::normalise};
use crate::settings::PolicyName;
use alloc::{vec, vec::Vec};
use zeroize::Zeroizing;

/// The rules for new passwords (security P1). They are not applied at login.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Policy {
    /// The named rules.
    pub name: PolicyName,
    /// `password_complexity` of the cluster: the rules of contract/redis.md section 8 apply, whatever the name.
    pub complexity: bool,
    /// `password_min_length` of the cluster, in characters; counts only with `complexity`.
    pub min_length: u16,
}

/// Whose password it is, for the words it may not consist of. An empty text stands for "none".
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Who<'a> {
    /// The user's name.
    pub name: &'a str,
    /// The user's e-mail address.
    pub email: &'a str,
    /// The service, see [`Settings::service`](crate::settings::Settings::service).
    pub service: &'a str,
}

impl Policy {
    /// Checks a new password, as the user entered it. Lengths count code points after normalisation (security P2).
    ///
    /// - Every policy: what [`prepare`](super::prepare) takes.
    /// - `nist`: 15 to 256 characters, none of them a control character; not on the blocklist of common passwords; at least 8
    ///   characters beside the names of the user and the service (the name, the e-mail address and its local part),
    ///   so that none of them makes a password by being repeated or padded. Letter case does not count.
    /// - `complexity` on: at least `min_length` characters, with an uppercase letter, a lowercase letter, a digit from 0 to 9 and a
    ///   special character (neither letter, digit nor control character); without the e-mail address and its reverse
    ///   in any letter case; at most three equal characters in a row.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self, password: &str, who: &Who<'_>) -> Result<(), Refusal> {
        let password = normalise(password)?;
        match self.name {
            PolicyName::Nist => nist(&password, who)?,
            PolicyName::Open | PolicyName::Redis => {}
        }
        if self.complexity { complexity(&password, self.min_length, who) } else { Ok(()) }
    }
}

/// NIST SP 800-63B-4 section 3.1.1.2.
fn nist(password: &str, who: &Who<'_>) -> Result<(), Refusal> {
    let characters = password.chars().count();
    if characters < usize::from(NIST_MIN) {
        return Err(Refusal::TooShort { min: NIST_MIN });
    }
    if characters > usize::from(NIST_MAX) {
        return Err(Refusal::TooLong { max: NIST_MAX });
    }
    if password.chars().any(char::is_control) {
        return Err(Refusal::ControlCharacter);
    }
    let folded = fold(password);
    if blocklist::contains(&folded) {
        return Err(Refusal::Common);
    }
    let local_part = who.email.split('@').next().unwrap_or_default();
    if beside(&folded, [who.name, who.email, local_part, who.service]) < NIST_BESIDE_NAMES {
        return Err(Refusal::ContainsName);
    }
    Ok(())
}

/// contract/redis.md section 8.
fn complexity(password: &str, min: u16, who: &Who<'_>) -> Result<(), Refusal> {
    if password.chars().count() < usize::from(min) {
        return Err(Refusal::TooShort { min });
    }
    if !password.chars().any(char::is_uppercase) {
        return Err(Refusal::NoUppercase);
    }
    if !password.chars().any(char::is_lowercase) {
        return Err(Refusal::NoLowercase);
    }
    if !password.chars().any(|c| c.is_ascii_digit()) {
        return Err(Refusal::NoDigit);
    }
    if !password.chars().any(|c| !c.is_alphanumeric() && !c.is_control()) {
        return Err(Refusal::NoSpecial);
    }
    let (folded, mut email) = (fold(password), fold(who.email));
    let contains_email = holds(&folded, &email);
    email.reverse();
    if contains_email || holds(&folded, &email) {
        return Err(Refusal::ContainsEmail);
    }
    let mut run = (None, 0);
    for c in password.chars() {
        run = if run.0 == Some(c) { (Some(c), run.1 + 1) } else { (Some(c), 1) };
        if run.1 > MAX_RUN {
            return Err(Refusal::RepeatedCharacters { max: MAX_RUN });
        }
    }
    Ok(())
}

/// The characters of `text` in lower case. Cleared on drop.
fn fold(text: &str) -> Zeroizing<Vec<char>> {
    // Room for all from the start, since growing would leave uncleared copies: one octet never makes more than one character.
    let mut folded = Zeroizing::new(Vec::with_capacity(text.len()));
    folded.extend(text.chars().flat_map(char::to_lowercase));
    folded
}

/// Whether `part`, unless it is empty, stands anywhere in `text`.
fn holds(text: &[char], part: &[char]) -> bool {
    !part.is_empty() && text.windows(part.len()).any(|window| window == part)
}

/// How many characters of `folded` belong to no occurrence of any of `names`.
fn beside(folded: &[char], names: [&str; 4]) -> usize {
    let mut covered = vec![false; folded.len()];
    for name in names.map(fold).iter().filter(|name| !name.is_empty()) {
        for (start, window) in folded.windows(name.len()).enumerate() {
            if window == name.as_slice() {
                covered.iter_mut().skip(start).take(name.len()).for_each(|covered| *covered = true);
            }
        }
    }
    covered.into_iter().filter(|covered| !covered).count()
}

const NIST_MIN: u16 = 15;
const NIST_MAX: u16 = 256;
const NIST_BESIDE_NAMES: usize = 8;
const MAX_RUN: u16 = 3;
