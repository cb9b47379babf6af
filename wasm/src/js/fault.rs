//! What a caller has done wrong.

use core::fmt::Display;
use wasm_bindgen::JsValue;

/// A mistake of the caller; thrown as `[code, sentence]`.
pub(super) struct Fault {
    code: &'static str,
    sentence: String,
}

impl Fault {
    pub(super) fn new(code: &'static str, sentence: impl Display) -> Self {
        Self { code, sentence: sentence.to_string() }
    }
}

impl From<Fault> for JsValue {
    fn from(Fault { code, sentence }: Fault) -> Self {
        vec![code.to_owned(), sentence].into()
    }
}
