//! Text of others, made harmless: for a terminal, for the audit trail.

use std::borrow::Cow;

/// The same JSON without what a terminal would act on. Such characters are only inside strings there.
pub(crate) fn harmless(json: &str) -> Cow<'_, str> {
    // Most is, and is seen to be at once.
    if json.bytes().all(|octet| matches!(octet, b' '..=b'~')) {
        return json.into();
    }
    let mut units = [0; 2];
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if is_deceptive(c) {
            out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(c);
        }
    }
    out.into()
}

/// Control characters, and those that turn the direction of text or cannot be seen.
pub(crate) fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}
