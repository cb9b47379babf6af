//! Which new passwords are taken.

use super::{Refusal, blocklist, lower::Lower, nfc, prepare::normalise};
use crate::settings::PolicyName;
use alloc::{vec, vec::Vec};
use zeroize::Zeroizing;

/// The rules for new passwords (security P1). They are not applied at login.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Policy {
    /// The named rules.
    pub name: PolicyName,
    /// `password_complexity` of the cluster: the rules of contract/redis.md section 8 apply. Never with `nist`, which knows no rules
    /// of composition ([`Cluster::complexity`](crate::record::Cluster::complexity)).
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
    /// What administrators have called the Redis cluster, if they have.
    pub cluster: &'a str,
}

impl Policy {
    /// Checks a new password, as the user entered it. Lengths count code points after normalisation (security P2).
    ///
    /// - Every policy: what [`prepare`](super::prepare()) takes, without control characters: nobody could log in with one by HTTP
    ///   Basic (security H1).
    /// - `nist`: 15 to 256 characters; not on the blocklist of common passwords; at least 8
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
        if password.chars().any(char::is_control) {
            return Err(Refusal::ControlCharacter);
        }
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
    let folded = fold(password);
    if blocklist::contains(&folded) {
        return Err(Refusal::Common);
    }
    let local_part = who.email.split('@').next().unwrap_or_default();
    if beside(&folded, [who.name, who.email, local_part, who.service, who.cluster]) < NIST_BESIDE_NAMES {
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

/// The characters of `text`, normalised and in lower case. Cleared on drop.
fn fold(text: &str) -> Zeroizing<Vec<char>> {
    // Room for all from the start, since growing would leave uncleared copies: one octet never makes more than one character.
    let mut folded = Zeroizing::new(Vec::with_capacity(text.len()));
    let lower = Lower::of(text);
    // Nothing refuses a character here.
    let _ = nfc::each(text, &mut |c| {
        folded.extend(lower.case(c));
        Ok(())
    });
    folded
}

/// Whether `part`, unless it is empty, stands anywhere in `text`.
fn holds(text: &[char], part: &[char]) -> bool {
    !part.is_empty() && text.windows(part.len()).any(|window| window == part)
}

/// How many characters of `folded` belong to no occurrence of any of `names`.
fn beside(folded: &[char], names: [&str; 5]) -> usize {
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};
    use proptest::prelude::*;
    use unicode_normalization::UnicodeNormalization;

    const OPEN: Policy = Policy { name: PolicyName::Open, complexity: false, min_length: 8 };
    const REDIS: Policy = Policy { name: PolicyName::Redis, complexity: true, min_length: 8 };
    const NIST: Policy = Policy { name: PolicyName::Nist, complexity: false, min_length: 8 };
    const WHO: Who<'_> =
        Who { name: "marianne", email: "Marie.Curie@example.com", service: "waxseal", cluster: "galactic warehouse" };

    #[track_caller]
    fn check(policy: Policy, password: &str, expected: Result<(), &str>) {
        assert_eq!(policy.check(password, &WHO).map_err(Refusal::code), expected, "`{password}`");
    }

    #[test]
    fn open_takes_anything_but_nothing() {
        check(OPEN, "a", Ok(()));
        check(OPEN, " ", Ok(()));
        check(OPEN, "marianne", Ok(()));
        check(OPEN, "", Err("password_empty"));
        check(OPEN, "secret\n", Err("password_control_character"));
        check(OPEN, &"x".repeat(1024), Ok(()));
        check(OPEN, &"x".repeat(1025), Err("password_too_large"));
    }

    #[test]
    fn redis_without_complexity_is_open() {
        check(Policy { complexity: false, ..REDIS }, "a", Ok(()));
        check(Policy { complexity: false, ..REDIS }, "", Err("password_empty"));
    }

    #[test]
    fn complexity_wants_every_class() {
        check(REDIS, "Secret-7", Ok(()));
        check(REDIS, "secret-7", Err("password_no_uppercase"));
        check(REDIS, "SECRET-7", Err("password_no_lowercase"));
        check(REDIS, "Secret-x", Err("password_no_digit"));
        check(REDIS, "Secret77", Err("password_no_special"));
        check(REDIS, "-Secret7", Ok(()));
        check(REDIS, "Secret 7", Ok(()));
        check(REDIS, "Secret-\u{7}7", Err("password_control_character"));
        check(REDIS, "\u{c9}tag\u{e8}re-7", Ok(()));
        check(REDIS, "Secret-\u{664}", Err("password_no_digit"));
    }

    #[test]
    fn complexity_counts_characters() {
        check(REDIS, "Secre-7", Err("password_too_short"));
        check(REDIS, "Sécré-7", Err("password_too_short"));
        check(REDIS, "Se\u{301}cre\u{301}-7", Err("password_too_short"));
        check(Policy { min_length: 9, ..REDIS }, "Secret-7", Err("password_too_short"));
        check(Policy { min_length: 256, ..REDIS }, &"Secret-7".repeat(32), Ok(()));
    }

    #[test]
    fn complexity_takes_three_in_a_row() {
        check(REDIS, "Seeecret-7", Ok(()));
        check(REDIS, "Seeeecret-7", Err("password_repeated_characters"));
        check(REDIS, "Secret-7777", Err("password_repeated_characters"));
        check(REDIS, "----Secret7", Err("password_repeated_characters"));
        check(REDIS, "SeEeEcret-7", Ok(()));
        check(REDIS, "S-e-e-e-e-7", Ok(()));
    }

    #[test]
    fn complexity_refuses_the_email_and_its_reverse() {
        check(REDIS, "7Marie.Curie@example.com", Err("password_contains_email"));
        check(REDIS, "Xmarie.curie@EXAMPLE.com7", Err("password_contains_email"));
        check(REDIS, "7moc.elpmaxE@eiruC.eiraM", Err("password_contains_email"));
        check(REDIS, "7Marie.Curie@example.co", Ok(()));
        assert_eq!(REDIS.check("Secret-7", &Who::default()), Ok(()));
    }

    #[test]
    fn complexity_holds_under_every_policy() {
        check(Policy { complexity: true, ..OPEN }, "secret-7", Err("password_no_uppercase"));
        check(Policy { complexity: true, ..NIST }, "Secret-7", Err("password_too_short"));
        check(Policy { complexity: true, ..NIST }, "correct horse battery", Err("password_no_uppercase"));
    }

    #[test]
    fn nist_counts_code_points() {
        check(NIST, "correct horse!", Err("password_too_short"));
        check(NIST, "correct horse!!", Ok(()));
        check(NIST, &"é".repeat(14), Err("password_too_short"));
        check(NIST, &"e\u{301}".repeat(14), Err("password_too_short"));
        check(NIST, &"e\u{301}".repeat(15), Ok(()));
        check(NIST, &"x".repeat(64), Ok(()));
        check(NIST, &"x".repeat(256), Ok(()));
        check(NIST, &"x".repeat(257), Err("password_too_long"));
        check(NIST, &"\u{1f600}".repeat(256), Ok(()));
        check(NIST, &"\u{1f600}".repeat(257), Err("password_too_large"));
    }

    #[test]
    fn nist_takes_every_printable_character_and_no_composition_rule() {
        check(NIST, "only lowercase letters", Ok(()));
        check(NIST, "8237482374238123", Ok(()));
        check(NIST, "\u{6b63}\u{786e}\u{9a6c}\u{7535}\u{6c60}\u{8ba2}\u{4e66}\u{9488} and more", Ok(()));
        check(NIST, "correct\thorse battery", Err("password_control_character"));
        check(NIST, "correct horse battery\0", Err("password_control_character"));
        check(NIST, "correct\u{85}horse battery", Err("password_control_character"));
        check(NIST, "                 ", Ok(()));
    }

    #[test]
    fn nist_refuses_common_passwords_in_any_case() {
        check(NIST, "passwordpassword", Err("password_common"));
        check(NIST, "PassWordPassWord", Err("password_common"));
        check(NIST, "123456789987654321", Err("password_common"));
        check(NIST, "passwordpasswordx", Ok(()));
        check(NIST, " passwordpassword", Ok(()));
    }

    #[test]
    fn nist_refuses_names_repeated_or_padded() {
        check(NIST, "mariannemarianne", Err("password_contains_name"));
        check(NIST, "Marianne-2026-!", Err("password_contains_name"));
        check(NIST, "marie.curie@example.com", Err("password_contains_name"));
        check(NIST, "Marie.Curie.1867", Err("password_contains_name"));
        check(NIST, "waxsealWAXSEAL1", Err("password_contains_name"));
        check(NIST, "waxseal-marianne-1", Err("password_contains_name"));
        check(NIST, "Galactic Warehouse!", Err("password_contains_name"));
        check(NIST, "marianne1234567", Err("password_contains_name"));
        check(NIST, "marianne12345678", Ok(()));
        check(NIST, "marianne likes radium", Ok(()));
    }

    #[test]
    fn absent_and_short_names_refuse_little() {
        let check = |name, password| NIST.check(password, &Who { name, ..Who::default() }).map_err(Refusal::code);
        assert_eq!(check("", "correct horse battery"), Ok(()));
        assert_eq!(check("e", "correct horse battery"), Ok(()));
        assert_eq!(check("e", "eeeeeeeeeeeeeeeee"), Err("password_contains_name"));
        assert_eq!(check("aa", "aaaaaaaaaaaaaaaaa"), Err("password_contains_name"));
        assert_eq!(check("jose\u{301}", "Jos\u{e9}jos\u{e9}jos\u{e9}jos\u{e9}"), Err("password_contains_name"));
        assert_eq!(check("a name longer than every password", "correct horse battery"), Ok(()));
    }

    proptest! {
        #[test]
        fn no_text_panics(password in "\\PC{0,40}|[\\x00-\u{ff}]{0,40}", name in "\\PC{0,10}", email in "\\PC{0,10}@\\PC{0,10}") {
            let who = Who { name: &name, email: &email, service: "waxseal", cluster: "" };
            for policy in [OPEN, REDIS, NIST] {
                let _ = policy.check(&password, &who);
            }
        }

        #[test]
        fn both_normal_forms_get_one_verdict(password in "[a-z\u{c0}-\u{ff}]{10,20}") {
            let decomposed: String = unicode_normalization::UnicodeNormalization::nfd(password.chars()).collect();
            for policy in [OPEN, REDIS, NIST] {
                prop_assert_eq!(policy.check(&password, &WHO), policy.check(&decomposed, &WHO));
            }
        }

        #[test]
        fn folding_never_grows_its_buffer(text in "\\PC*") {
            prop_assert!(fold(&text).len() <= text.len());
        }
    }

    #[test]
    fn no_character_folds_to_more_than_its_octets() {
        // What neither normalisation nor lower case changes is as long as before.
        let changes = |c: &char| c.to_lowercase().ne([*c]) || core::iter::once(*c).nfc().ne([*c]);
        let changed: Vec<_> = ('\0'..=char::MAX).filter(changes).collect();
        assert!(changed.len() > 2000, "{}", changed.len());
        for c in changed {
            assert!(fold(&c.to_string()).len() <= c.len_utf8(), "{c:?}");
        }
    }
}
