//! Why a token is refused.

use core::fmt;

macro_rules! refusals {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $sentence:literal;)*) => {
        /// Why a token is refused. The caller learns "invalid"; the code is for the log and for explanations (security T10).
        ///
        /// Checks run in this order, and the first that fails gives the reason.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        #[non_exhaustive]
        pub enum Refusal {
            $($(#[$doc])* $name,)*
        }

        impl Refusal {
            /// Every reason, in the order of the checks.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its place in [`Self::ALL`].
            pub const fn place(self) -> usize {
                self as usize
            }

            /// The stable code.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// What is wrong, as one plain sentence without a full stop.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

refusals! {
    /// Longer than [`MAX_TOKEN`](super::MAX_TOKEN) (security T7).
    TooLong = "too_long", "the token is longer than 8192 octets";
    /// Not exactly three parts (security T4).
    Malformed = "malformed", "the token does not have exactly three parts separated by dots";
    /// A part is not canonical base64url (security T4).
    BadBase64 = "bad_base64", "a part of the token is not base64url without padding, whitespace and spare bits";
    /// The header is not a JSON object as security T5 wants it.
    BadHeaderJson = "bad_header_json", "the header is not a JSON object in UTF-8 with each name once";
    /// Any `crit`, since no extension is implemented (security T1a).
    CritPresent = "crit_present", "the header demands an extension, and none is supported";
    /// `alg` is missing, not a string or off the list (security T1).
    AlgorithmNotAllowed = "algorithm_not_allowed", "the header names no signature algorithm of the allowed list";
    /// `kid` is not a string, or longer than [`MAX_KID`](super::MAX_KID) (security T3).
    BadKid = "bad_kid", "the kid in the header is not a string of at most 256 octets";
    /// No `kid`, and more than one key, or none, could be meant.
    MissingKid = "missing_kid", "the header has no kid, and the set does not hold exactly one key";
    /// No key has this `kid` (security T3).
    UnknownKid = "unknown_kid", "no key has the kid that the header names";
    /// The key is meant for another use or kind of algorithm (security T2).
    KeyNotForVerify = "key_not_for_verify", "the key that the header names is not one to verify signatures with here";
    /// The key carries another algorithm (security T2).
    WrongAlgorithm = "wrong_algorithm", "the header names another algorithm than the one its key is for";
    /// The signature does not hold, or has the wrong length (security T1c).
    BadSignature = "bad_signature", "the signature does not hold for this token and key";
    /// The payload is not a JSON object as security T5 wants it.
    BadClaimsJson = "bad_claims_json", "the claims are not a JSON object in UTF-8 with each name once";
    /// `typ` is another than expected (security T6).
    WrongTyp = "wrong_typ", "the token is of another kind than the one expected here";
    /// No `exp` (security T8).
    MissingExp = "missing_exp", "the token does not say when it expires";
    /// `exp` is not a number, or out of range.
    BadExp = "bad_exp", "the expiry time is not a number that is a time";
    /// At or after `exp`.
    Expired = "expired", "the token has expired";
    /// `nbf` is not a number, or out of range.
    BadNbf = "bad_nbf", "the time before which the token is not valid is not a number that is a time";
    /// Before `nbf`.
    NotYetValid = "not_yet_valid", "the token is not valid yet";
    /// `iat` is not a number, or out of range.
    BadIat = "bad_iat", "the time of issue is not a number that is a time";
    /// `iat` is later than now.
    IssuedInFuture = "issued_in_future", "the token was issued in the future";
    /// `iss` is missing, not a string or another (security T6).
    WrongIssuer = "wrong_issuer", "the token was not issued by the issuer expected here";
    /// `aud` is neither a string nor an array of strings.
    BadAudience = "bad_audience", "the audience is neither a string nor an array of strings";
    /// `aud` is missing, does not contain us, or names somebody where nobody is expected (security T6).
    WrongAudience = "wrong_audience", "the token is meant for another audience";
    /// `sub` is missing, empty or not a string (security T8).
    BadSubject = "bad_subject", "the token does not name its subject";
    /// `jti` is not a string.
    BadJti = "bad_jti", "the id of the token is not a string";
    /// `uid`, `gen` or `dialect` has the wrong type: taken as absent it could slip past a revocation.
    BadPrivateClaim = "bad_private_claim", "one of the issuer's own claims has the wrong type";
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sentence())
    }
}

impl core::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_at_its_place() {
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::ALL.get(refusal.place()), Some(refusal));
        }
    }

    #[test]
    fn codes_are_distinct_snake_case() {
        for (at, refusal) in Refusal::ALL.iter().enumerate() {
            let code = refusal.code();
            assert!(code.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit()), "{code}");
            assert!(Refusal::ALL.iter().skip(at + 1).all(|other| other.code() != code), "{code}");
        }
    }

    #[test]
    fn sentences_are_lower_case_without_full_stop() {
        for refusal in Refusal::ALL {
            let sentence = refusal.sentence();
            assert!(sentence.starts_with(char::is_lowercase) && !sentence.ends_with('.'), "{sentence}");
        }
    }
}
