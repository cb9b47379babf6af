//! Values with a notation of their own.

use waxseal_core::{password::Scheme, settings::MAX_AUTHORIZATION_LIFE};

/// `argon2id m=19456 t=2 p=1`, within the bounds and above the floor for new hashes (security P4).
pub(super) fn scheme(text: &str) -> Option<Scheme> {
    let mut words = text.split_ascii_whitespace();
    if words.next() != Some("argon2id") {
        return None;
    }
    let mut number = |name: &str| words.next()?.strip_prefix(name)?.strip_prefix('=')?.parse().ok();
    let scheme = Scheme::Argon2id { memory: number("m")?, passes: number("t")?, lanes: number("p")? };
    let known = scheme.bounded().ok().filter(|scheme| scheme.meets_floor());
    known.filter(|_| words.next().is_none())
}

/// The notation that [`scheme`] reads.
pub(crate) fn show_scheme(scheme: Scheme) -> String {
    match scheme {
        Scheme::Argon2id { memory, passes, lanes } => format!("argon2id m={memory} t={passes} p={lanes}"),
        Scheme::Pbkdf2Sha256 { iterations } => format!("pbkdf2-sha256 i={iterations}"),
    }
}

/// The scopes that have lifetimes.
pub(super) const SCOPES: [&str; 3] = ["session", "read", "userinfo"];

const DAY: u32 = 86_400;

/// Default and maximum life of each of [`SCOPES`], in seconds, from the broker's notation (contract/openshift.md section 3):
/// `session=1.days|7.days, *=1.months|6.months`. One value is both; `*` is the rest; what is not named lives one day.
pub(super) fn timeouts(text: &str) -> Option<[(u32, u32); 3]> {
    let mut stated = [None; 3];
    let mut rest = None;
    for part in text.split(',').map(str::trim) {
        let (scope, lives) = part.split_once('=')?;
        let (default, max) = lives.split_once('|').unwrap_or((lives, lives));
        let lives = (duration(default.trim())?, duration(max.trim())?);
        let slot = match scope.trim() {
            "*" => &mut rest,
            scope => stated.get_mut(SCOPES.iter().position(|known| *known == scope)?)?,
        };
        if lives.0 > lives.1 || slot.replace(lives).is_some() {
            return None;
        }
    }
    Some(stated.map(|lives| lives.or(rest).unwrap_or((DAY, DAY))))
}

/// `90`, `1.day`, `6.months` as seconds; a month is 30 days (contract/openshift.md section 3).
fn duration(text: &str) -> Option<u32> {
    let (number, unit) = text.split_once('.').unwrap_or((text, "seconds"));
    let secs = match unit.strip_suffix('s').unwrap_or(unit) {
        "second" => 1,
        "minute" => 60,
        "hour" => 3600,
        "day" => DAY,
        "week" => 7 * DAY,
        "month" => 30 * DAY,
        "year" => 365 * DAY,
        _ => return None,
    };
    let digits = number.bytes().all(|octet| octet.is_ascii_digit());
    let number: u32 = number.parse().ok().filter(|_| digits)?;
    number.checked_mul(secs).filter(|secs| (1..=MAX_AUTHORIZATION_LIFE).contains(secs))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_timeouts(text: &str, expected: Option<[(u32, u32); 3]>) {
        assert_eq!(timeouts(text), expected, "{text}");
    }

    #[test]
    fn the_brokers_notation_is_read() {
        let month = 30 * DAY;
        let all = |lives| Some([lives; 3]);
        check_timeouts("session=1.days|7.days, *=1.months|6.months", {
            Some([(DAY, 7 * DAY), (month, 6 * month), (month, 6 * month)])
        });
        check_timeouts("*=3600", all((3600, 3600)));
        check_timeouts("*=1.hour|2.weeks", all((3600, 14 * DAY)));
        check_timeouts("read=1.minutes|1.years", Some([(DAY, DAY), (60, 365 * DAY), (DAY, DAY)]));
    }

    #[test]
    fn what_is_not_the_brokers_notation_is_refused() {
        for text in [
            "",
            "session",
            "session=",
            "session=x",
            "session=0",
            "session=-1",
            "session=+1",
            "session=1.5.days",
            "session=2|1",
            "session=1.moons",
            "session=1,session=2",
            "domain=1",
            "*=1,*=1",
            "session=1|2|3",
            "*=11.years",
            "*=9999999999",
        ] {
            check_timeouts(text, None);
        }
    }

    #[test]
    fn schemes_below_the_floor_or_beyond_the_bounds_are_refused() {
        assert_eq!(scheme("argon2id m=19456 t=2 p=1"), Some(Scheme::default()));
        assert!(scheme("argon2id m=47104 t=1 p=1").is_some());
        for text in [
            "",
            "argon2i m=19456 t=2 p=1",
            "argon2id m=19455 t=2 p=1",
            "argon2id m=19456 t=1 p=1",
            "argon2id m=19456 t=2",
            "argon2id m=19456 t=2 p=1 x=1",
            "argon2id m=19456 t=2 p=0",
            "argon2id m=262145 t=2 p=1",
            "pbkdf2-sha256 i=600000",
        ] {
            assert_eq!(scheme(text), None, "{text}");
        }
        assert_eq!(show_scheme(Scheme::default()), "argon2id m=19456 t=2 p=1");
    }
}
