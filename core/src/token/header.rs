//! The protected header (RFC 7515, 4).

use super::{
    Refusal,
    json::{self, Field, Name, Text},
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
        const NAMES: [Name; 4] = [Name::new(b"alg"), Name::new(b"kid"), Name::new(b"typ"), Name::new(b"crit")];
        let [alg, kid, typ, crit] = json::object(json, &NAMES).map_err(|_| Refusal::BadHeaderJson)?;
        if crit.is_some() {
            return Err(Refusal::CritPresent);
        }
        Ok(Self { alg: Field::text(alg), kid: Field::text(kid), typ: Field::text(typ) })
    }
}
