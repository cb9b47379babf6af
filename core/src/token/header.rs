//! The protected header (RFC 7515, 4).

use super::{
    Refusal,
    json::{self, Field, Text},
};

/// The parameters that decide; all others, `jwk`, `jku`, `x5u` and `x5c` among them, are ignored (security T1b).
pub(super) struct Header {
    pub(super) alg: Field<Text>,
    pub(super) kid: Field<Text>,
    pub(super) typ: Field<Text>,
}

impl Header {
    /// Reads the decoded header.
    ///
    /// # Errors
    /// [`Refusal::BadHeaderJson`], and [`Refusal::CritPresent`] for any `crit`: no extension is implemented, so whatever it
    /// names is unknown, and a malformed one is refused as well (security T1a).
    pub(super) fn read(json: &str) -> Result<Self, Refusal> {
        const NAMES: [&str; 4] = ["alg", "kid", "typ", "crit"];
        const ALG: usize = 0;
        const KID: usize = 1;
        const TYP: usize = 2;
        let mut header = Self { alg: Field::Absent, kid: Field::Absent, typ: Field::Absent };
        let mut crit = false;
        let member = |name, value| match name {
            ALG => header.alg = Field::text(value),
            KID => header.kid = Field::text(value),
            TYP => header.typ = Field::text(value),
            _ => crit = true,
        };
        json::object(json, &NAMES, member).map_err(|_| Refusal::BadHeaderJson)?;
        if crit { Err(Refusal::CritPresent) } else { Ok(header) }
    }
}
