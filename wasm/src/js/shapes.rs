//! The seam's types as JavaScript sees them: plain objects, numbers, `Uint8Array`s.

use super::fault::Fault;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_bytes::ByteBuf;
use wasm_bindgen::JsValue;
use waxseal_core::{
    password::Scheme,
    seam::{self, Event, Expect, Range, Record, RecordKey, Version},
    time::UnixTime,
};
use zeroize::Zeroizing;

/// A request. Values of headers are octets, one for each character of the byte string that `fetch` has.
#[derive(Deserialize)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: Vec<(String, ByteBuf)>,
    pub(super) body: ByteBuf,
    /// Why there is no body, where it could not be read: a name of [`unread`].
    pub(super) unread: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Moment {
    pub(super) now_millis: f64,
    pub(super) order: u16,
    pub(super) entropy: Option<ByteBuf>,
    pub(super) address: Option<String>,
    pub(super) local: bool,
    pub(super) secure: bool,
}

#[derive(Serialize)]
pub(super) struct Ask<'a> {
    keys: Vec<&'a str>,
    ranges: Vec<AskedRange<'a>>,
    derive: Option<Derivation<'a>>,
}

#[derive(Serialize)]
struct AskedRange<'a> {
    prefix: &'a str,
    after: &'a str,
    limit: u32,
}

#[derive(Serialize)]
struct Derivation<'a> {
    scheme: Scheme,
    #[serde(with = "serde_bytes")]
    salt: &'a [u8],
    #[serde(with = "serde_bytes")]
    password: &'a [u8],
}

#[derive(Deserialize)]
pub(super) struct Answer {
    records: Vec<Option<Stored>>,
    ranges: Vec<Vec<Keyed>>,
    derived: Option<ByteBuf>,
}

/// A version is a whole number, at least 1 and at most 2^53 - 1.
#[derive(Deserialize)]
struct Stored {
    version: u64,
    value: ByteBuf,
}

#[derive(Deserialize)]
struct Keyed {
    key: String,
    version: u64,
    value: ByteBuf,
}

#[derive(Serialize)]
pub(super) struct Done {
    response: Response,
    commit: Commit,
    events: Vec<Event>,
}

#[derive(Serialize)]
struct Response {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: ByteBuf,
}

#[derive(Serialize)]
struct Commit {
    checks: Vec<Check>,
    writes: Vec<Write>,
}

#[derive(Serialize)]
struct Check {
    key: String,
    version: u64,
}

/// `expect` is the version that must be there, 0 for "none"; null for whatever. A null `value` deletes.
#[derive(Serialize)]
struct Write {
    key: String,
    expect: Option<u64>,
    value: Option<ByteBuf>,
    expires: Option<u64>,
}

/// Reads what a caller gave; `code` says whose mistake it is when it has another shape.
pub(super) fn read<T: DeserializeOwned>(value: JsValue, code: &'static str) -> Result<T, Fault> {
    serde_wasm_bindgen::from_value(value).map_err(|error| Fault::new(code, error))
}

/// Why a body could not be read, by the name that the driver has for it.
pub(super) fn unread(why: &str) -> Result<seam::Unread, Fault> {
    match why {
        "too_large" => Ok(seam::Unread::TooLarge),
        "incomplete" => Ok(seam::Unread::Incomplete),
        "undecodable" => Ok(seam::Unread::Undecodable),
        "unknown_encoding" => Ok(seam::Unread::UnknownEncoding),
        _ => Err(Fault::new("bad_call", "a body can be read, or not for a reason")),
    }
}

pub(super) fn write(value: &impl Serialize) -> Result<JsValue, JsValue> {
    const SHAPE: serde_wasm_bindgen::Serializer =
        serde_wasm_bindgen::Serializer::json_compatible().serialize_bytes_as_arrays(false);
    value.serialize(&SHAPE).map_err(|error| Fault::new("bad_call", error).into())
}

impl<'a> From<&'a seam::Ask> for Ask<'a> {
    fn from(seam::Ask { keys, ranges, derive }: &'a seam::Ask) -> Self {
        let range = |Range { prefix, after, limit }: &'a Range| AskedRange { prefix, after, limit: *limit };
        let derive = derive.as_ref().map(|seam::Derivation { scheme, salt, password }| Derivation {
            scheme: *scheme,
            salt,
            password: password.as_slice(),
        });
        Self { keys: keys.iter().map(RecordKey::as_str).collect(), ranges: ranges.iter().map(range).collect(), derive }
    }
}

impl From<Answer> for seam::Answer {
    fn from(Answer { records, ranges, derived }: Answer) -> Self {
        let record = |version, value: ByteBuf| Record { version: Version(version), value: value.into_vec() };
        let keyed = |Keyed { key, version, value }| (RecordKey::from_stored(key), record(version, value));
        Self {
            records: records
                .into_iter()
                .map(|found| found.map(|Stored { version, value }| record(version, value)))
                .collect(),
            ranges: ranges.into_iter().map(|range| range.into_iter().map(keyed).collect()).collect(),
            derived: derived.map(|bits| Zeroizing::new(bits.into_vec())),
        }
    }
}

impl From<seam::Done> for Done {
    fn from(seam::Done { response, commit, events, token_refusal: _ }: seam::Done) -> Self {
        let seam::Response { status, headers, body } = response;
        let check = |seam::Check { key, version }: seam::Check| Check { key: key.as_str().into(), version: version.0 };
        let checks = commit.checks.into_iter().map(check).collect();
        let writes = commit.writes.into_iter().map(Write::from).collect();
        Self {
            response: Response { status, headers, body: ByteBuf::from(body) },
            commit: Commit { checks, writes },
            events,
        }
    }
}

impl From<seam::Write> for Write {
    fn from(seam::Write { key, expect, value, expires }: seam::Write) -> Self {
        let expect = match expect {
            Expect::Version(version) => Some(version.0),
            Expect::Any => None,
        };
        Self {
            key: key.as_str().into(),
            expect,
            value: value.map(ByteBuf::from),
            expires: expires.map(UnixTime::as_millis),
        }
    }
}
