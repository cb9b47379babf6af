//! JSON web keys (RFC 7517): read for import and verification, written for export.

use super::{Algorithm, Key, KeyError, KeyRole, KeySet, base64url};
use alloc::{borrow::ToOwned, collections::BTreeMap, string::String, vec::Vec};
use core::fmt;
use serde::{
    Deserialize, Deserializer,
    de::{Error, MapAccess, Visitor},
};
use serde_json::Value;
use zeroize::{Zeroize, Zeroizing};

/// A JSON web key as far as it concerns this verifier.
#[derive(Clone, Debug)]
pub enum Jwk {
    /// A key to verify with.
    Usable(Key),
    /// A key that is well-formed and not for verifying here.
    Unusable {
        /// Its `kid`; empty if it has none.
        kid: String,
        /// Whether it is a secret, `kty` `oct`.
        symmetric: bool,
        /// What speaks against it.
        reason: &'static str,
    },
}

impl Jwk {
    /// Reads one key, or the keys of a set (an object with `keys`).
    ///
    /// # Errors
    /// [`KeyError::BadJwk`] when the text is neither, names a member twice or has a member of the wrong type;
    /// [`KeyError::ShortSecret`], [`KeyError::BadKey`], [`KeyError::BadKid`].
    pub fn read(text: &str) -> Result<Vec<Self>, KeyError> {
        let document: Document = serde_json::from_slice(text.as_bytes())
            .map_err(|_| KeyError::BadJwk("not a JSON object with each name once"))?;
        match &document.keys {
            Some(keys) => keys.iter().map(Self::from_members).collect(),
            None => Ok([Self::from_members(&document.members)?].into()),
        }
    }

    /// The key as a JWK for `use` `sig`, with its secret or private part if it has one.
    pub fn write(key: &Key) -> Zeroizing<String> {
        write(key, key.private())
    }

    /// The public part of the key as a JWK for `use` `sig`; none for a secret, which has no public part.
    pub fn write_public(key: &Key) -> Option<String> {
        key.public().map(|_| core::mem::take(&mut *write(key, None)))
    }

    fn from_members(members: &Members) -> Result<Self, KeyError> {
        let kid = members.text("kid")?.unwrap_or_default();
        if members.0.contains_key("kid") && kid.is_empty() {
            return Err(KeyError::BadKid);
        }
        let symmetric = members.text("kty")?.ok_or(KeyError::BadJwk("`kty` is missing"))? == "oct";
        let unusable = |reason| Ok(Self::Unusable { kid: kid.to_owned(), symmetric, reason });
        if members.text("use")?.is_some_and(|purpose| purpose != "sig") {
            return unusable("its use is not signatures");
        }
        if members.texts("key_ops")?.is_some_and(|ops| !ops.contains(&"verify")) {
            return unusable("its operations do not include verify");
        }
        let Some(algorithm) = members.text("alg")? else {
            return unusable("it names no algorithm, and a key is for exactly one");
        };
        let Some(algorithm) = Algorithm::from_name(algorithm) else {
            return unusable("its algorithm is not supported");
        };
        let (kty, crv) = algorithm.key_type();
        if members.text("kty")? != Some(kty) {
            return unusable("its algorithm is for keys of another type");
        }
        if members.text("crv")?.filter(|_| crv.is_some()) != crv {
            return unusable("its algorithm is for keys of another curve");
        }
        let octets = members.key_octets(algorithm)?;
        let made = if kid.is_empty() { Key::nameless(algorithm, &octets) } else { Key::new(kid, algorithm, &octets) };
        Ok(Self::Usable(made?))
    }
}

/// The members of a key of this type that hold octets, in the order of [`Key::new`]; the first of them is the private one.
fn octet_members(algorithm: Algorithm) -> &'static [&'static str] {
    match algorithm.key_type() {
        ("OKP", _) => &["d", "x"],
        ("EC", _) => &["d", "x", "y"],
        _ => &["k"],
    }
}

fn write(key: &Key, private: Option<&[u8]>) -> Zeroizing<String> {
    let (kty, crv) = key.algorithm().key_type();
    let (private_name, public_names) = octet_members(key.algorithm()).split_first().unwrap_or((&"k", &[]));
    let public = key.public().unwrap_or_default().chunks(32).map(base64url::encode);
    let octets: Vec<_> = public_names.iter().copied().zip(public).collect();
    let private = Zeroizing::new(private.map(base64url::encode).unwrap_or_default());
    let public_octets = octets.iter().map(|(name, text)| (*name, text.as_str()));
    let private_octets = (!private.is_empty()).then_some((*private_name, private.as_str()));
    let kid = (!key.kid().is_empty()).then_some(("kid", key.kid()));
    let crv = crv.map(|crv| ("crv", crv));
    let members = [("kty", kty)].into_iter().chain(crv).chain(kid);
    let members =
        members.chain([("alg", key.algorithm().name()), ("use", "sig")]).chain(public_octets).chain(private_octets);
    // Room for all of it, so that no outgrown buffer keeps a copy of the secret.
    let mut json = Vec::with_capacity(192 + private.len() + 6 * key.kid().len());
    for (name, value) in members {
        json.push(if json.is_empty() { b'{' } else { b',' });
        super::json::append_string(name, &mut json);
        json.push(b':');
        super::json::append_string(value, &mut json);
    }
    json.push(b'}');
    Zeroizing::new(String::from_utf8(json).unwrap_or_default())
}

impl KeySet {
    /// A set to verify with, from a JWK or a JWK set. Keys that are not for verifying here stay in it by name, so that a token
    /// which names one is refused for that reason.
    ///
    /// # Errors
    /// What [`Jwk::read`] and [`KeySet::new`] find.
    pub fn from_jwks(text: &str) -> Result<Self, KeyError> {
        let (mut keys, mut unusable) = (Vec::new(), Vec::new());
        let (mut secret, mut public) = (false, false);
        for jwk in Jwk::read(text)? {
            let symmetric = match jwk {
                Jwk::Usable(key) => {
                    let symmetric = key.algorithm().is_symmetric();
                    keys.push((key, KeyRole::Verify));
                    symmetric
                }
                Jwk::Unusable { kid, symmetric, .. } => {
                    unusable.push(kid);
                    symmetric
                }
            };
            secret |= symmetric;
            public |= !symmetric;
        }
        if secret && public { Err(KeyError::MixedSet) } else { Self::with_unusable(keys, unusable) }
    }
}

/// A JWK or a JWK set.
#[derive(Default)]
struct Document {
    keys: Option<Vec<Members>>,
    members: Members,
}

/// The members of one key, each name once. Texts are cleared on drop, as one of them is the secret.
#[derive(Default)]
struct Members(BTreeMap<String, Value>);

impl Members {
    fn text(&self, name: &str) -> Result<Option<&str>, KeyError> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(KeyError::BadJwk("a member that must be a string is not")),
        }
    }

    /// The octets of [`Key::new`]. Those of a curve have 32 each, no more and no fewer (RFC 7518, 6.2; RFC 8037, 2).
    fn key_octets(&self, algorithm: Algorithm) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let mut octets = Zeroizing::new(Vec::with_capacity(96));
        for name in octet_members(algorithm) {
            let Some(text) = self.text(name)? else {
                if *name == "d" {
                    continue;
                }
                return Err(KeyError::BadJwk("a member that holds the key is missing"));
            };
            let decoded = base64url::decode(text).map(Zeroizing::new);
            let decoded = decoded.map_err(|_| KeyError::BadJwk("a member that holds the key is not base64url"))?;
            if algorithm.is_symmetric() {
                return Ok(decoded);
            }
            if decoded.len() != 32 {
                return Err(KeyError::BadKey(algorithm));
            }
            octets.extend_from_slice(&decoded);
        }
        Ok(octets)
    }

    fn texts(&self, name: &str) -> Result<Option<Vec<&str>>, KeyError> {
        let wrong = KeyError::BadJwk("a member that must be an array of strings is not");
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::Array(texts)) => texts.iter().map(Value::as_str).collect::<Option<_>>().map(Some).ok_or(wrong),
            Some(_) => Err(wrong),
        }
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        for value in self.0.values_mut() {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Document::deserialize(deserializer).and_then(|document| match document.keys {
            Some(_) => Err(D::Error::custom("a set within a set")),
            None => Ok(document.members),
        })
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON web key or a set of them")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut document = Document::default();
        while let Some(name) = map.next_key::<String>()? {
            let repeated = if name == "keys" {
                document.keys.replace(map.next_value()?).is_some()
            } else {
                document.members.0.insert(name, map.next_value()?).is_some()
            };
            if repeated {
                return Err(A::Error::custom("a repeated name"));
            }
        }
        Ok(document)
    }
}
