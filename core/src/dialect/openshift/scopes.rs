//! Scopes and lifetimes as requests state them (contract sections 2 to 4).

use crate::{
    lifetime::{Bounds, Lifetime},
    record::Scope,
    settings::Openshift,
};
use alloc::{vec, vec::Vec};
use serde_json::Value;

/// An unknown scope, or none of text.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct UnknownScope;

/// Splits on commas and white space; lower-cases; drops repetitions; keeps the order. Blank means `userinfo`.
pub(super) fn parse(asked: Option<&Value>) -> Result<Vec<Scope>, UnknownScope> {
    let text = match asked {
        None => "",
        Some(Value::String(text)) => text.as_str(),
        Some(_) => return Err(UnknownScope),
    };
    let mut scopes = Vec::new();
    for word in text.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty()) {
        let scope = Scope::parse(&word.to_ascii_lowercase()).ok_or(UnknownScope)?;
        if !scopes.contains(&scope) {
            scopes.push(scope);
        }
    }
    Ok(if scopes.is_empty() { vec![Scope::Userinfo] } else { scopes })
}

/// The bounds of one scope.
pub(super) const fn bounds(settings: &Openshift, scope: Scope) -> Bounds {
    match scope {
        Scope::Session => settings.session,
        Scope::Read => settings.read,
        Scope::Userinfo => settings.userinfo,
    }
}

/// The life of an authorization with these scopes: default and maximum are the minimum over them.
pub(super) fn lifetime(settings: &Openshift, scopes: &[Scope], asked: Option<&Value>) -> Lifetime {
    let each = scopes.iter().map(|scope| bounds(settings, *scope));
    let bounds = each.reduce(Bounds::and).unwrap_or(settings.userinfo);
    // Clamping bounds, which `Settings::check` sees to, admit everything.
    asked.and_then(whole_seconds).map_or(bounds.unasked(), |asked| bounds.admit(asked).unwrap_or(bounds.unasked()))
}

/// A whole number, as a number or as text; anything else counts as absent. Beyond 128 bits it is the largest there is.
fn whole_seconds(asked: &Value) -> Option<i128> {
    match asked {
        Value::Number(_) => crate::dialect::json::integer(asked),
        Value::String(text) => {
            let text = text.trim();
            let text = text.strip_prefix('+').unwrap_or(text);
            let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
            digits.then(|| text.parse().unwrap_or(i128::MAX))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn scopes_are_split_and_ordered() {
        use Scope::{Read, Session, Userinfo};
        for (asked, expected) in [
            (json!(null), Err(UnknownScope)),
            (json!(""), Ok(vec![Userinfo])),
            (json!(" , "), Ok(vec![Userinfo])),
            (json!("READ,session read"), Ok(vec![Read, Session])),
            (json!("session\tread"), Ok(vec![Session, Read])),
            (json!("session admin"), Err(UnknownScope)),
            (json!(["session"]), Err(UnknownScope)),
            (json!(1), Err(UnknownScope)),
        ] {
            assert_eq!(parse(Some(&asked)), expected, "{asked}");
        }
        assert_eq!(parse(None), Ok(vec![Userinfo]));
    }

    #[test]
    fn lifetimes_are_clamped_and_never_refused() {
        let settings = Openshift::default();
        let check = |scopes: &[Scope], asked: Value, expected: u32| {
            assert_eq!(lifetime(&settings, scopes, Some(&asked)).as_secs(), expected, "{asked}");
        };
        check(&[Scope::Userinfo], json!(100), 100);
        check(&[Scope::Userinfo], json!("100"), 100);
        for other in
            [json!(-1), json!("abc"), json!("12h"), json!(1.5), json!("1.5"), json!(""), json!(true), json!(0), json!("-5")]
        {
            check(&[Scope::Userinfo], other, 2_592_000);
        }
        check(&[Scope::Userinfo], json!("99999999999999999999"), 15_552_000);
        check(&[Scope::Userinfo], json!("9".repeat(400)), 15_552_000);
        check(&[Scope::Session], json!(999_999_999), 604_800);
        check(&[Scope::Read, Scope::Session], json!(999_999_999), 604_800);
        check(&[Scope::Read, Scope::Session], json!(null), 86_400);
    }
}
