//! A stored hash and its text form.

use super::{Scheme, SchemeError};
use crate::token::base64url;
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};
use subtle::{Choice, ConstantTimeEq};
use zeroize::ZeroizeOnDrop;

/// Octets of every output.
pub(super) const OUTPUT: usize = 32;

/// What a derivation gave for a password that is being set or tried. Cleared on drop.
#[derive(Clone, ZeroizeOnDrop)]
pub struct Derived {
    /// By which scheme.
    #[zeroize(skip)]
    pub scheme: Scheme,
    /// Its output.
    pub bits: [u8; OUTPUT],
}

impl Derived {
    /// The answer of a driver to the [`Derivation`](crate::seam::Derivation) of `scheme`; `None` unless it has 32 octets.
    pub fn new(scheme: Scheme, bits: &[u8]) -> Option<Self> {
        Some(Self { scheme, bits: bits.try_into().ok()? })
    }
}

impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Derived").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

/// A stored password hash: scheme, salt (8 to 64 octets), output (32 octets). Every one that exists is within bounds.
///
/// Its text form, which is also its stored form, is the PHC string format:
///
/// ```text
/// $argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$iqbHhgtqJMWWf23kIatRWniYNRyhFWif/l6I+m/2Exw
/// $pbkdf2-sha256$i=600000$<salt>$<output>
/// ```
///
/// For imports, `i=600000,l=32` is read as well, and so is the form of Python's passlib, `$pbkdf2-sha256$29000$<salt>$<output>` with
/// `.` in place of `+`. The `Debug` form shows neither salt nor output.
#[derive(Clone, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash {
    scheme: Scheme,
    salt: Vec<u8>,
    output: [u8; OUTPUT],
}

impl Hash {
    /// The hash of the password behind `derived`, which was derived with `salt`.
    ///
    /// # Errors
    /// [`HashError::Scheme`] or [`HashError::Salt`] when one of them is out of bounds.
    pub fn new(salt: &[u8], derived: &Derived) -> Result<Self, HashError> {
        Self::from_parts(derived.scheme, salt.to_vec(), &derived.bits)
    }

    /// Algorithm and cost.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The salt, 8 to 64 octets.
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// Whether the password behind `derived` is the one behind this hash; takes the same time for every output.
    pub(super) fn matches(&self, derived: &Derived) -> Choice {
        // Schemes and salts are no secrets.
        Choice::from(u8::from(self.scheme == derived.scheme)) & self.output.ct_eq(&derived.bits)
    }

    fn from_parts(scheme: Scheme, salt: Vec<u8>, output: &[u8]) -> Result<Self, HashError> {
        let scheme = scheme.bounded().map_err(HashError::Scheme)?;
        if !(MIN_SALT..=MAX_SALT).contains(&salt.len()) {
            return Err(HashError::Salt { octets: salt.len() });
        }
        let output = output.try_into().map_err(|_| HashError::Output { octets: output.len() })?;
        Ok(Self { scheme, salt, output })
    }
}

impl PartialEq for Hash {
    fn eq(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.salt == other.salt && bool::from(self.output.ct_eq(&other.output))
    }
}

impl Eq for Hash {}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hash").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.scheme {
            Scheme::Argon2id { memory, passes, lanes } => write!(f, "$argon2id$v=19$m={memory},t={passes},p={lanes}")?,
            Scheme::Pbkdf2Sha256 { iterations } => write!(f, "$pbkdf2-sha256$i={iterations}")?,
        }
        write!(f, "${}${}", encode(&self.salt), encode(&self.output))
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        if text.len() > MAX_TEXT {
            return Err(HashError::Malformed);
        }
        let mut fields = text.split('$');
        let mut next = || fields.next().ok_or(HashError::Malformed);
        if !next()?.is_empty() {
            return Err(HashError::Malformed);
        }
        let (scheme, alphabet) = match next()? {
            "argon2id" => (argon2id(next()?, next()?)?, Alphabet::Standard),
            "pbkdf2-sha256" => pbkdf2_sha256(next()?)?,
            _ => return Err(HashError::Unknown),
        };
        let (salt, output) = (alphabet.decode(next()?)?, alphabet.decode(next()?)?);
        if fields.next().is_some() {
            return Err(HashError::Malformed);
        }
        Self::from_parts(scheme, salt, &output)
    }
}

impl TryFrom<String> for Hash {
    type Error = HashError;

    fn try_from(text: String) -> Result<Self, HashError> {
        text.parse()
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}

/// Why a text is not a hash we take. Never repeats the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum HashError {
    /// Not in PHC string form.
    Malformed,
    /// Of another algorithm or version, or with other parameters.
    Unknown,
    /// The cost is out of bounds.
    Scheme(SchemeError),
    /// The salt is out of bounds.
    Salt {
        /// Octets of the salt.
        octets: usize,
    },
    /// The output is not 32 octets long.
    Output {
        /// Octets of the output.
        octets: usize,
    },
}

impl HashError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "hash_malformed",
            Self::Unknown => "hash_unknown",
            Self::Scheme(error) => error.code(),
            Self::Salt { .. } => "hash_salt_out_of_bounds",
            Self::Output { .. } => "hash_output_length",
        }
    }
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("a password hash is not in PHC string form"),
            Self::Unknown => {
                f.write_str("a password hash is of a kind other than argon2id (v=19, m, t, p) and pbkdf2-sha256 (i, l=32)")
            }
            Self::Scheme(error) => error.fmt(f),
            Self::Salt { octets } => write!(f, "a salt of `{octets}` octets is not within {MIN_SALT} and {MAX_SALT}"),
            Self::Output { octets } => write!(f, "a password hash of `{octets}` octets is not {OUTPUT} octets long"),
        }
    }
}

impl core::error::Error for HashError {}

/// In the alphabet of RFC 4648 section 4, which differs from that of URLs in two characters.
fn encode(octets: &[u8]) -> String {
    base64url::encode(octets).replace('-', "+").replace('_', "/")
}

/// Which characters stand for 62 and 63.
#[derive(Clone, Copy)]
enum Alphabet {
    /// `+` and `/` (RFC 4648 section 4).
    Standard,
    /// `.` and `/`, as passlib writes them.
    Passlib,
}

impl Alphabet {
    fn decode(self, text: &str) -> Result<Vec<u8>, HashError> {
        let octets = match self {
            Self::Standard => STANDARD_NO_PAD.decode(text),
            Self::Passlib if text.contains('+') => return Err(HashError::Malformed),
            Self::Passlib => STANDARD_NO_PAD.decode(text.replace('.', "+")),
        };
        octets.map_err(|_| HashError::Malformed)
    }
}

fn argon2id(version: &str, parameters: &str) -> Result<Scheme, HashError> {
    if version != "v=19" {
        return Err(HashError::Unknown);
    }
    let mut parameters = parameters.split(',');
    let mut next = |name| parameters.next().and_then(|p| p.strip_prefix(name)).ok_or(HashError::Unknown).and_then(number);
    let scheme = Scheme::Argon2id { memory: next("m=")?, passes: next("t=")?, lanes: next("p=")? };
    if parameters.next().is_some() { Err(HashError::Unknown) } else { Ok(scheme) }
}

fn pbkdf2_sha256(parameters: &str) -> Result<(Scheme, Alphabet), HashError> {
    let (iterations, alphabet) = match parameters.strip_prefix("i=") {
        Some(rest) => (rest.strip_suffix(",l=32").unwrap_or(rest), Alphabet::Standard),
        None => (parameters, Alphabet::Passlib),
    };
    if iterations.contains(',') || iterations.contains('=') {
        return Err(HashError::Unknown);
    }
    Ok((Scheme::Pbkdf2Sha256 { iterations: number(iterations)? }, alphabet))
}

/// A decimal without sign and leading zeros. One too large for 32 bits is out of every bound, so it becomes the largest.
fn number(text: &str) -> Result<u32, HashError> {
    let canonical = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if canonical { Ok(text.parse().unwrap_or(u32::MAX)) } else { Err(HashError::Malformed) }
}

const MIN_SALT: usize = 8;
const MAX_SALT: usize = 64;
/// The longest text that can be right has 207 octets.
const MAX_TEXT: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use proptest::prelude::*;

    const SALT: &str = "c29tZXNhbHQxMjM0NTY3OA";
    const OUT: &str = "iqbHhgtqJMWWf23kIatRWniYNRyhFWif/l6I+m/2Exw";

    #[track_caller]
    fn check(text: &str, expected: Result<Scheme, &str>) {
        let text = text.replace("SALT", SALT).replace("OUT", OUT);
        assert_eq!(text.parse::<Hash>().map(|hash| hash.scheme()).map_err(HashError::code), expected);
    }

    const fn argon2id(memory: u32, passes: u32, lanes: u32) -> Scheme {
        Scheme::Argon2id { memory, passes, lanes }
    }

    const fn pbkdf2(iterations: u32) -> Scheme {
        Scheme::Pbkdf2Sha256 { iterations }
    }

    #[test]
    fn argon2id_is_read() {
        check("$argon2id$v=19$m=19456,t=2,p=1$SALT$OUT", Ok(argon2id(19_456, 2, 1)));
        check("$argon2id$v=19$m=262144,t=16,p=16$SALT$OUT", Ok(argon2id(262_144, 16, 16)));
        check("$argon2id$v=19$m=8,t=1,p=1$SALT$OUT", Ok(argon2id(8, 1, 1)));
    }

    #[test]
    fn argon2id_of_another_kind_is_refused() {
        check("$argon2i$v=19$m=19456,t=2,p=1$SALT$OUT", Err("hash_unknown"));
        check("$Argon2id$v=19$m=19456,t=2,p=1$SALT$OUT", Err("hash_unknown"));
        check("$argon2id$v=16$m=19456,t=2,p=1$SALT$OUT", Err("hash_unknown"));
        check("$argon2id$m=19456,t=2,p=1$SALT$OUT", Err("hash_unknown"));
        check("$argon2id$v=19$t=2,m=19456,p=1$SALT$OUT", Err("hash_unknown"));
        check("$argon2id$v=19$m=19456,t=2$SALT$OUT", Err("hash_unknown"));
        check("$argon2id$v=19$m=19456,t=2,p=1,keyid=AAAA$SALT$OUT", Err("hash_unknown"));
        check("$argon2id$v=19$m=19456,t=2,p=1,data=AAAA$SALT$OUT", Err("hash_unknown"));
    }

    #[test]
    fn cost_is_bounded_when_read() {
        check("$argon2id$v=19$m=7,t=2,p=1$SALT$OUT", Err("scheme_memory_out_of_bounds"));
        check("$argon2id$v=19$m=262145,t=2,p=1$SALT$OUT", Err("scheme_memory_out_of_bounds"));
        check("$argon2id$v=19$m=4294967296,t=2,p=1$SALT$OUT", Err("scheme_memory_out_of_bounds"));
        check("$argon2id$v=19$m=99999999999999999999999,t=2,p=1$SALT$OUT", Err("scheme_memory_out_of_bounds"));
        check("$argon2id$v=19$m=19456,t=0,p=1$SALT$OUT", Err("scheme_passes_out_of_bounds"));
        check("$argon2id$v=19$m=19456,t=17,p=1$SALT$OUT", Err("scheme_passes_out_of_bounds"));
        check("$argon2id$v=19$m=19456,t=2,p=0$SALT$OUT", Err("scheme_lanes_out_of_bounds"));
        check("$argon2id$v=19$m=19456,t=2,p=17$SALT$OUT", Err("scheme_lanes_out_of_bounds"));
        check("$pbkdf2-sha256$i=999$SALT$OUT", Err("scheme_iterations_out_of_bounds"));
        check("$pbkdf2-sha256$i=10000001$SALT$OUT", Err("scheme_iterations_out_of_bounds"));
    }

    #[test]
    fn pbkdf2_is_read_in_three_forms() {
        check("$pbkdf2-sha256$i=600000$SALT$OUT", Ok(pbkdf2(600_000)));
        check("$pbkdf2-sha256$i=600000,l=32$SALT$OUT", Ok(pbkdf2(600_000)));
        check("$pbkdf2-sha256$29000$SALT$iqbHhgtqJMWWf23kIatRWniYNRyhFWif/l6I.m/2Exw", Ok(pbkdf2(29_000)));
    }

    #[test]
    fn pbkdf2_of_another_kind_is_refused() {
        check("$pbkdf2-sha512$i=600000$SALT$OUT", Err("hash_unknown"));
        check("$pbkdf2$i=600000$SALT$OUT", Err("hash_unknown"));
        check("$pbkdf2-sha256$i=600000,l=64$SALT$OUT", Err("hash_unknown"));
        check("$pbkdf2-sha256$l=32,i=600000$SALT$OUT", Err("hash_unknown"));
        check("$pbkdf2-sha256$29000$SALT$OUT", Err("hash_malformed"));
        check("$pbkdf2-sha256$i=29000$SALT$iqbHhgtqJMWWf23kIatRWniYNRyhFWif/l6I.m/2Exw", Err("hash_malformed"));
    }

    #[test]
    fn lengths_are_bounded() {
        check("$pbkdf2-sha256$i=1000$AAAAAAAAAA$OUT", Err("hash_salt_out_of_bounds"));
        check("$pbkdf2-sha256$i=1000$AAAAAAAAAAA$OUT", Ok(pbkdf2(1000)));
        check(&format!("$pbkdf2-sha256$i=1000${}$OUT", "B".repeat(86)), Err("hash_malformed"));
        check(&format!("$pbkdf2-sha256$i=1000${}$OUT", STANDARD_NO_PAD.encode([0; 64])), Ok(pbkdf2(1000)));
        check(&format!("$pbkdf2-sha256$i=1000${}$OUT", STANDARD_NO_PAD.encode([0; 65])), Err("hash_salt_out_of_bounds"));
        check(&format!("$pbkdf2-sha256$i=1000$SALT${}", STANDARD_NO_PAD.encode([0; 31])), Err("hash_output_length"));
        check(&format!("$pbkdf2-sha256$i=1000$SALT${}", STANDARD_NO_PAD.encode([0; 33])), Err("hash_output_length"));
        check(&format!("$pbkdf2-sha256$i=1000$SALT${}", "A".repeat(4096)), Err("hash_malformed"));
    }

    #[test]
    fn other_text_is_malformed() {
        for text in [
            "",
            "$argon2id",
            "argon2id$v=19$m=19456,t=2,p=1$SALT$OUT",
            "$argon2id$v=19$m=19456,t=2,p=1$SALT",
            "$argon2id$v=19$m=19456,t=2,p=1$SALT$OUT$",
            "$argon2id$v=19$m=19456,t=2,p=1$SALT$OUT=",
            "$argon2id$v=19$m=19456,t=2,p=1$SALT$OUT\n",
            "$argon2id$v=19$m=+19456,t=2,p=1$SALT$OUT",
            "$argon2id$v=19$m=019456,t=2,p=1$SALT$OUT",
            "$argon2id$v=19$m=,t=2,p=1$SALT$OUT",
            "$argon2id$v=19$m=19456,t=2,p=1$SA_T$OUT",
            "$pbkdf2-sha256$$SALT$OUT",
        ] {
            check(text, Err("hash_malformed"));
        }
    }

    #[test]
    fn nothing_of_a_hash_shows_in_debug() {
        let hash: Hash = format!("$argon2id$v=19$m=19456,t=2,p=1${SALT}${OUT}").parse().unwrap();
        assert_eq!(format!("{hash:?}"), "Hash { scheme: Argon2id { memory: 19456, passes: 2, lanes: 1 }, .. }");
        let derived = Derived::new(hash.scheme(), &[7; 32]).unwrap();
        assert_eq!(format!("{derived:?}"), "Derived { scheme: Argon2id { memory: 19456, passes: 2, lanes: 1 }, .. }");
    }

    #[test]
    fn derived_bits_are_32_octets() {
        for octets in [0, 31, 33] {
            assert!(Derived::new(Scheme::default(), &alloc::vec![0; octets]).is_none());
        }
    }

    fn any_scheme() -> impl Strategy<Value = Scheme> {
        prop_oneof![
            (1..=16_u32, 1..=16_u32).prop_flat_map(|(passes, lanes)| {
                (8 * lanes..=262_144).prop_map(move |memory| Scheme::Argon2id { memory, passes, lanes })
            }),
            (1_000..=10_000_000_u32).prop_map(|iterations| Scheme::Pbkdf2Sha256 { iterations }),
        ]
    }

    proptest! {
        #[test]
        fn text_and_hash_agree(scheme in any_scheme(), salt in prop::collection::vec(any::<u8>(), 8..=64), bits: [u8; 32]) {
            let hash = Hash::new(&salt, &Derived { scheme, bits }).unwrap();
            let text = hash.to_string();
            prop_assert!(text.len() <= MAX_TEXT);
            prop_assert_eq!(text.parse::<Hash>().unwrap(), hash);
        }

        #[test]
        fn a_changed_text_is_refused_or_means_itself(
            scheme in any_scheme(), bits: [u8; 32], at in any::<prop::sample::Index>(), c in any::<char>(), insert: bool,
        ) {
            let mut text: Vec<char> = Hash::new(&[3; 16], &Derived { scheme, bits }).unwrap().to_string().chars().collect();
            let at = at.index(text.len());
            if insert { text.insert(at, c) } else { text[at] = c }
            let text: String = text.into_iter().collect();
            if let Ok(hash) = text.parse::<Hash>() {
                prop_assert_eq!(hash.to_string(), text);
            }
        }

        #[test]
        fn no_text_panics(text in "[$a-z0-9=,+/.é-]{0,80}|\\PC*") {
            let _ = text.parse::<Hash>();
            let _ = alloc::format!("$argon2id$v=19${text}").parse::<Hash>();
            let _ = alloc::format!("$pbkdf2-sha256${text}").parse::<Hash>();
        }
    }
}
