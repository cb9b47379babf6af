//! Limits on failed logins (security P8, contract/redis.md section 8).
//!
//! Three counters are kept, under digests, for names that exist and names that do not alike:
//!
//! | counter | counts | when it is full |
//! |---|---|---|
//! | pair | failures in a row of one account from one source | that account is locked for that source, in the vendor's manner |
//! | account | failures in a row of one account over all sources, of each a fifth of the ceiling at most | sources the owner has not used before are turned away |
//! | source | failures of one source over all accounts in a window | the source is turned away |
//!
//! For the first two the networks of one IPv6 site are one source: a customer has thousands of them.
//!
//! So a flood from one place never shuts out an owner who comes from another: a source that has used up its share of the account's
//! counter fills its own up to the same ceiling, and then is locked after every failure. With `vendor_lockout` the pair counter ignores
//! the source, as the vendor does. A lock looks like a wrong password, whatever the password (no oracle); being turned away
//! is said openly and costs no derivation.
//!
//! Beside them, [`Guesses`] counts what no login counts: passwords that somebody tries for a list by changing it.

use super::{
    audit_kept,
    clock::{has_been, holds, is_within},
    directory::is_locked,
    source::{site, source},
};
use crate::{
    record::{Attempts, Cluster, Lock, Stored, Uid, User, key},
    refusal::Refusal,
    seam::{Op, RecordKey, Stop},
    time::UnixTime,
};

/// How long a source that its owner has used stays known: 30 days, in seconds.
const KNOWN_SOURCE: u64 = 30 * DAY;
/// In seconds.
pub(super) const DAY: u64 = 86_400;
/// Into how many shares the ceiling of an account is divided; so many sources at least it takes to reach it.
const SHARES: u32 = 5;

/// Turns a source away that has failed too often, before anything is looked up. `turned_away` is told so once for each window, or attempts
/// that cost nothing would fill the audit trail.
pub(crate) fn admit_source(op: &Op<'_>, turned_away: &dyn Fn(&Refusal)) -> Result<(), Stop> {
    if op.settings.throttle.source_limit == 0 {
        return Ok(());
    }
    let attempts = op.load::<Attempts>(&source_key(op))?.unwrap_or_default();
    let window = u64::from(op.settings.throttle.source_window);
    if attempts.failures >= op.settings.throttle.source_limit && is_within(op, attempts.since, window) {
        let until = attempts.since.plus_secs(window);
        let told = key::turned_away(&id(op, "tries.source away", &source(op)));
        return Err(turn_away(op, &told, until, turned_away));
    }
    Ok(())
}

/// How often in a day somebody has tried passwords for a list in a way that no login counts, of each actor and `way` by itself: a thief with
/// somebody's token keeps nobody else from changing the list.
pub(super) struct Guesses {
    counter: RecordKey,
    told: RecordKey,
    attempts: Attempts,
}

impl Guesses {
    /// Those of `actor` at the list of `uid`, with what they count for.
    ///
    /// # Errors
    /// [`Refusal::Throttled`] when there were `most`; `turned_away` is told so once a day.
    pub(super) fn admit(
        op: &Op<'_>,
        (way, most): (u8, u32),
        actor: Uid,
        uid: Uid,
        turned_away: &dyn Fn(&Refusal),
    ) -> Result<Self, Stop> {
        let whose = [actor, uid].map(|uid| uid.as_u32().to_be_bytes());
        let id = |purpose| id(op, purpose, &[whose.as_flattened(), &[way]].concat());
        let counter = key::account_attempts(&id("tries.guess"));
        let known = op.load::<Attempts>(&counter)?.filter(|known| is_within(op, known.since, DAY));
        let attempts = known.unwrap_or_else(|| Attempts { since: op.now(), ..Attempts::default() });
        let guesses = Self { counter, told: key::turned_away(&id("tries.guess away")), attempts };
        if guesses.attempts.failures >= most {
            return Err(turn_away(op, &guesses.told, guesses.until(), turned_away));
        }
        Ok(guesses)
    }

    /// Counts one more, also if the operation is refused: what follows from it is told only if nothing that it has read has changed.
    pub(super) fn count(mut self, op: &Op<'_>) {
        self.attempts.failures += 1;
        let until = self.until();
        op.keep(self.counter, Some(self.attempts.encode()), expiry(until));
    }

    fn until(&self) -> UnixTime {
        self.attempts.since.plus_secs(DAY)
    }
}

/// Whether this is the first in so many seconds of what costs nothing and can be repeated at will, so that the audit trail is not filled
/// with it.
pub(super) fn is_first(op: &Op<'_>, purpose: &str, about: &[u8], secs: u64) -> Result<bool, Stop> {
    let told = key::turned_away(&id(op, purpose, about));
    if op.load::<Attempts>(&told)?.is_some_and(|known| is_within(op, known.since, secs)) {
        return Ok(false);
    }
    let until = op.now().plus_secs(secs);
    op.keep(told, Some(Attempts { since: op.now(), until, ..Attempts::default() }.encode()), expiry(until));
    Ok(true)
}

/// Refuses until then, and says so once, as `told` remembers.
fn turn_away(op: &Op<'_>, told: &RecordKey, until: UnixTime, turned_away: &dyn Fn(&Refusal)) -> Stop {
    let refusal = throttled(until.secs_since(op.now()));
    match op.load::<Attempts>(told) {
        Err(stop) => return stop,
        Ok(Some(known)) if known.until == until => {}
        Ok(_) => {
            op.keep(told.clone(), Some(Attempts { until, ..Attempts::default() }.encode()), expiry(until));
            turned_away(&refusal);
        }
    }
    refusal.into()
}

/// The counters of one login attempt.
pub(super) struct Gate {
    keys: [RecordKey; 3],
    pair: Attempts,
    account: Attempts,
    source: Attempts,
    epoch: u32,
    /// Until when the user is known to be locked. Read only where a pause of the account can begin or end.
    locked: UnixTime,
}

impl Gate {
    /// The keys of the counters that [`Gate::open`] reads.
    pub(super) fn keys(op: &Op<'_>, account: &[u8; 32]) -> [RecordKey; 3] {
        let pair = if op.settings.throttle.vendor_lockout {
            id(op, "tries.pair", account)
        } else {
            id(op, "tries.pair", &[account.as_slice(), &site(op)].concat())
        };
        [key::pair_attempts(&pair), key::account_attempts(&id(op, "tries.account", account)), source_key(op)]
    }

    /// Reads the counters and turns the attempt away if the account is under a flood. `turned_away` is told so once for each source and
    /// pause, or attempts that cost nothing would fill the audit trail.
    pub(super) fn open(
        op: &Op<'_>,
        account: &[u8; 32],
        user: Option<&User>,
        turned_away: &dyn Fn(&Refusal),
    ) -> Result<Self, Stop> {
        let keys = Self::keys(op, account);
        op.want(&keys);
        let [pair, all, of_source] = &keys;
        let epoch = user.map_or(0, |user| user.lock_epoch);
        let current = |attempts: Option<Attempts>| {
            let mut attempts = attempts.filter(|attempts| attempts.epoch == epoch).unwrap_or_default();
            // Without this, the next failure would be taken for the beginning of a lock that a clock which was ahead has written.
            if !holds(op, attempts.since, attempts.until) {
                attempts.until = UnixTime::default();
            }
            attempts
        };
        let known = op.load::<Attempts>(pair)?;
        let mut gate = Self {
            pair: Attempts { succeeded: known.map_or(UnixTime::default(), |known| known.succeeded), ..current(known) },
            account: current(op.load(all)?),
            source: op.load(of_source)?.unwrap_or_default(),
            epoch,
            locked: UnixTime::default(),
            keys,
        };
        if holds(op, gate.account.since, gate.account.until) && !gate.is_known_source(op) {
            let told = key::turned_away(&id(op, "tries.away", &[account.as_slice(), &site(op)].concat()));
            return Err(turn_away(op, &told, gate.account.until, turned_away));
        }
        if let Some(user) = user
            && gate.account.failures.saturating_add(1) >= op.settings.throttle.account_ceiling
            && let Some(lock) = op.load::<Lock>(&key::lock(user.uid))?
            && is_locked(op, user, Some(&lock))
        {
            gate.locked = lock.until;
        }
        Ok(gate)
    }

    /// Whether the account is locked for this source.
    pub(super) fn is_locked(&self, op: &Op<'_>) -> bool {
        holds(op, self.pair.since, self.pair.until)
    }

    /// Counts a failure. A failure while locked does not count, so a lock ends in time even under attack.
    pub(super) fn failed(mut self, op: &Op<'_>, cluster: &Cluster, user: Option<&User>) {
        if !self.is_locked(op) {
            let until = self.count_pair(op, cluster, user).max(self.count_account(op));
            if let (Some(user), Some(until)) = (user, until) {
                self.lock(op, user, until);
            }
        }
        self.count_source(op);
        self.keep(op, cluster);
    }

    /// Counts a failure of the account from this source, and locks it for the source when there have been too many: until then.
    fn count_pair(&mut self, op: &Op<'_>, cluster: &Cluster, user: Option<&User>) -> Option<UnixTime> {
        let (now, settings) = (op.now(), &op.settings.throttle);
        let reset_after = u64::from(cluster.login_lockout_counter_reset_after);
        let in_time = has_been(op, self.pair.since) && now <= self.pair.since.plus_secs(reset_after);
        let goes_on = self.pair.failures > 0 && in_time;
        self.pair.failures = if goes_on { self.pair.failures.saturating_add(1) } else { 1 };
        // Another operation may have begun later and ended before.
        self.pair.since = if goes_on { now.max(self.pair.since) } else { now };
        self.pair.total = self.pair.total.saturating_add(1);
        let threshold = cluster.login_lockout_threshold;
        let locks = threshold > 0 && self.pair.failures >= threshold;
        // Without the vendor's locks, or when they have not helped.
        let is_hopeless = self.pair.total >= settings.account_ceiling && !settings.vendor_lockout;
        if !locks && !is_hopeless {
            return None;
        }
        self.pair.failures = 0;
        let pause = if is_hopeless { now.plus_secs(settings.account_pause.into()) } else { now };
        let lock = match cluster.login_lockout_duration {
            _ if !locks => now,
            // Only an administrator ends it.
            0 if user.is_some() => UnixTime::NEVER,
            // Nobody could ever end it; it looks the same.
            0 => now.plus_secs(KNOWN_SOURCE),
            secs => now.plus_secs(secs.into()),
        };
        self.pair.until = lock.max(pause);
        Some(self.pair.until)
    }

    /// Notes that the user is locked until then, at least for one source.
    fn lock(&self, op: &Op<'_>, user: &User, until: UnixTime) {
        let until = until.max(self.locked);
        let lock = Lock { until, epoch: user.lock_epoch, since: self.pair.since };
        op.keep(key::lock(user.uid), Some(lock.encode()), expiry(until));
        audit_kept(op, "user.lock", &user.uid, &user.uid);
    }

    /// Counts a failure of the account over all sources, unless this one has used up its share; with too many new sources are turned
    /// away until then.
    fn count_account(&mut self, op: &Op<'_>) -> Option<UnixTime> {
        let settings = &op.settings.throttle;
        if !settings.vendor_lockout && self.pair.total > settings.account_ceiling / SHARES {
            return None;
        }
        self.account.failures = self.account.failures.saturating_add(1);
        self.account.since = op.now();
        if self.account.failures < settings.account_ceiling {
            return None;
        }
        self.account.until = op.now().plus_secs(settings.account_pause.into());
        Some(self.account.until)
    }

    /// Counts a failure of the source.
    fn count_source(&mut self, op: &Op<'_>) {
        let settings = &op.settings.throttle;
        if settings.source_limit == 0 {
            return;
        }
        let window = settings.source_window.into();
        let in_window = is_within(op, self.source.since, window);
        self.source.failures = if in_window { self.source.failures.saturating_add(1) } else { 1 };
        self.source.since = if in_window { self.source.since } else { op.now() };
        op.keep(self.keys[2].clone(), Some(self.source.encode()), expiry(op.now().plus_secs(window)));
    }

    /// Keeps the counters of the account, each as long as it says something.
    fn keep(mut self, op: &Op<'_>, cluster: &Cluster) {
        let now = op.now();
        self.pair.epoch = self.epoch;
        self.account.epoch = self.epoch;
        // A run of failures over all sources ends only with a success, or after a day of silence for each failure and a month at the most:
        // whoever tries a name once in a while is slower than the ceiling lets anybody be, and names that nobody has fill the store no
        // longer than that. What a source has added is remembered for as long, or its share would begin anew.
        let silence = now.plus_secs(DAY * u64::from(self.account.failures.clamp(1, 30)));
        let reset = now.plus_secs(cluster.login_lockout_counter_reset_after.into());
        let known =
            if self.pair.succeeded > UnixTime::default() { self.pair.succeeded.plus_secs(KNOWN_SOURCE) } else { now };
        let [pair, account, _] = self.keys;
        op.keep(pair, Some(self.pair.encode()), expiry(silence.max(reset).max(known).max(self.pair.until)));
        op.keep(account, Some(self.account.encode()), expiry(silence.max(self.account.until)));
    }

    /// Ends the runs of failures of this account, and remembers the source: once a day, or `always` where nothing else is kept of the
    /// success. Without a write the counters are no condition, and guesses that all read them before one had failed would not be limited.
    pub(super) fn succeeded(self, op: &Op<'_>, user: &User, always: bool) {
        let now = op.now();
        let [pair, account, _] = self.keys;
        if always || self.pair.failures > 0 || self.pair.total > 0 || !is_within(op, self.pair.succeeded, DAY) {
            let attempts = Attempts { succeeded: now, epoch: self.epoch, ..Attempts::default() };
            op.keep(pair, Some(attempts.encode()), expiry(now.plus_secs(KNOWN_SOURCE)));
        }
        if self.account.failures > 0 {
            op.keep(account, None, None);
            // The pause ends with them, and with it the lock that says so.
            if self.locked > now && self.locked == self.account.until {
                op.keep(key::lock(user.uid), None, None);
            }
        }
    }

    /// Whether the owner has logged in from this source; where all sources are one, that says nothing about any of them.
    fn is_known_source(&self, op: &Op<'_>) -> bool {
        !op.settings.throttle.vendor_lockout
            && self.pair.succeeded > UnixTime::default()
            && is_within(op, self.pair.succeeded, KNOWN_SOURCE)
    }
}

fn source_key(op: &Op<'_>) -> RecordKey {
    key::source_attempts(&id(op, "tries.source", &source(op)))
}

fn id(op: &Op<'_>, purpose: &str, data: &[u8]) -> [u8; 16] {
    let digest = op.vault.derive(purpose, data);
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    id
}

fn throttled(secs: u64) -> Refusal {
    Refusal::Throttled { retry_after: u32::try_from(secs.saturating_add(1)).unwrap_or(u32::MAX) }
}

/// No expiry for a lock without end.
fn expiry(at: UnixTime) -> Option<UnixTime> {
    (at < UnixTime::NEVER).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::KNOWN_SOURCE;
    use crate::testing::{TestWorld, basic, request};
    use alloc::vec::Vec;

    #[test]
    fn a_wrong_old_password_is_audited() {
        let mut world = TestWorld::with_admin("admin password");
        let bearer = alloc::format!("Bearer {}", world.token("admin", "admin password"));
        world.audited();
        let wrong =
            request("DELETE /v1/users/password", r#"{"old_password": "wrong"}"#).with_header("authorization", &bearer);
        assert_eq!(world.call(wrong).status, 401);
        assert_eq!(world.audited(), ["password.prove bad_credentials"]);
    }

    #[test]
    fn a_right_old_password_is_audited_although_the_change_is_refused() {
        let mut world = TestWorld::with_admin("admin password");
        let bearer = alloc::format!("Bearer {}", world.token("admin", "admin password"));
        world.audited();
        let last = request("DELETE /v1/users/password", r#"{"old_password": "admin password"}"#);
        assert_eq!(world.call(last.with_header("authorization", &bearer)).status, 400);
        assert_eq!(world.audited(), ["password.prove"]);
    }

    /// Otherwise guesses that come at once would be told apart, however many: the right one is refused for another reason.
    #[test]
    fn a_right_old_password_counts_only_while_the_counters_are_as_it_has_read_them() {
        let mut world = TestWorld::with_admin("admin password");
        let bearer = alloc::format!("Bearer {}", world.token("admin", "admin password"));
        let guess = |password| {
            let body = alloc::format!(r#"{{"old_password": "{password}"}}"#);
            request("DELETE /v1/users/password", &body).with_header("authorization", &bearer)
        };
        let raced = world.race(guess("admin password"), |world| {
            for _ in 0..5 {
                assert_eq!(world.call(guess("wrong")).status, 401);
            }
        });
        assert_eq!(raced.status, 401);
    }

    #[test]
    fn a_right_password_that_has_expired_counts_only_while_the_counters_are_as_it_has_read_them() {
        let mut world = TestWorld::with_admin("admin password");
        let login =
            |password| request("POST /v1/users/authorize", "").with_header("authorization", &basic("admin", password));
        let change = request("PUT /v1/cluster", r#"{"password_expiration_duration": 1}"#)
            .with_header("authorization", &basic("admin", "admin password"));
        assert_eq!(world.call(change).status, 200);
        world.advance(2 * 86_400);
        // From now on this source is one that the owner has used, and nothing of it is to be changed.
        assert_eq!(world.call(login("admin password")).status, 401);
        world.audited();
        let raced = world.race(login("admin password"), |world| {
            for _ in 0..5 {
                assert_eq!(world.call(login("wrong")).status, 401);
            }
        });
        assert_eq!(raced.status, 401);
        assert_eq!(world.audited().last().map(alloc::string::String::as_str), Some("login bad_credentials"));
    }

    /// The actor is whoever asked, no matter whose password it is.
    #[test]
    fn a_wrong_password_of_another_is_audited_as_the_askers() {
        let mut world = TestWorld::with_admin("admin password");
        let authorization = alloc::format!("Bearer {}", world.token("admin", "admin password"));
        let by_admin = |line, body| request(line, body).with_header("authorization", &authorization);
        let made = by_admin("POST /v1/users", r#"{"name": "pim", "password": "pim password", "role": "none"}"#);
        assert_eq!(world.call(made).status, 200);
        world.events.clear();
        let body = r#"{"username": "pim", "old_password": "wrong", "new_password": "another password"}"#;
        assert_eq!(world.call(by_admin("PUT /v1/users/password", body)).status, 401);
        let told: Vec<_> = world.events.iter().map(|event| (event.actor.as_str(), event.subject.as_str())).collect();
        assert_eq!(told, [("1", "2")]);
    }

    #[test]
    fn a_login_with_an_expired_password_is_audited_as_what_it_is() {
        let mut world = TestWorld::with_admin("admin password");
        let by_admin = |line, body| request(line, body).with_header("authorization", &basic("admin", "admin password"));
        let change = by_admin("PUT /v1/cluster", r#"{"password_expiration_duration": 1}"#);
        assert_eq!(world.call(change).status, 200);
        world.advance(2 * 86_400);
        world.audited();
        for line in [
            "POST /v1/users/authorize",
            "GET /v1/users/1",
            "GET /broker/rest/user",
            "POST /auth/introspect",
            "GET /_security/_authenticate",
        ] {
            assert_eq!(world.call(by_admin(line, "")).status, 401, "{line}");
            assert_eq!(world.audited(), ["login password_expired"], "{line}");
        }
        let replaced = by_admin("PUT /v1/users/password", r#"{"new_password": "another password"}"#);
        assert_eq!(world.call(replaced).status, 200);
        assert_eq!(world.audited(), ["login", "password.replace"]);
    }

    #[test]
    fn a_lock_is_audited() {
        let mut world = TestWorld::with_admin("admin password");
        let wrong = request("POST /v1/users/authorize", "").with_header("authorization", &basic("admin", "wrong"));
        let mut told = Vec::new();
        for _ in 0..6 {
            assert_eq!(world.call(wrong.clone()).status, 401);
            told.push(world.audited().join(", "));
        }
        assert!(told[4].contains("user.lock"), "{told:?}");
        assert_eq!(told.concat().matches("user.lock").count(), 1, "{told:?}");
    }

    /// Otherwise whoever makes names up would fill the store; and a slow guesser must not be forgotten between two guesses.
    #[test]
    fn few_failures_are_soon_forgotten_and_many_are_not() {
        let mut world = TestWorld::with_admin("admin password");
        let wrong = |name| request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, "wrong"));
        for name in ["admin", "nobody"] {
            for _ in 0..3 {
                assert_eq!(world.call(wrong(name)).status, 401);
            }
        }
        assert_eq!(world.call(wrong("somebody")).status, 401);
        let mut left = Vec::new();
        for days in [0, 1, 1, 2] {
            world.advance(days * 86_400);
            left.push(world.count("tries/account/") + world.count("tries/pair/"));
        }
        assert_eq!(left, [6, 4, 4, 0]);
    }

    /// A mistyped password must not make a stranger of an owner who is known.
    #[test]
    fn a_failure_forgets_no_source_of_the_owner() {
        let mut world = TestWorld::with_admin("admin password");
        world.settings_mut().throttle = crate::settings::Throttle { account_ceiling: 5, ..Default::default() };
        let login =
            |password| request("POST /v1/users/authorize", "").with_header("authorization", &basic("admin", password));
        assert_eq!(world.call_from("192.0.2.1", login("admin password")).status, 200);
        assert_eq!(world.call_from("192.0.2.1", login("wrong")).status, 401);
        world.advance(29 * 86_400);
        for source in ["192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5", "192.0.2.6"] {
            assert_eq!(world.call_from(source, login("wrong")).status, 401);
        }
        assert_eq!(world.call_from("192.0.2.7", login("admin password")).status, 429);
        assert_eq!(world.call_from("192.0.2.1", login("admin password")).status, 200);
    }

    /// Nobody can end it, so that it would be kept for ever.
    #[test]
    fn a_name_that_nobody_has_is_locked_for_a_while_only() {
        let mut world = TestWorld::with_admin("admin password");
        let token = alloc::format!("Bearer {}", world.token("admin", "admin password"));
        let change =
            request("PUT /v1/cluster/policy", r#"{"login_lockout_duration": 0}"#).with_header("authorization", &token);
        assert_eq!(world.call(change).status, 200);
        for name in ["admin", "nobody"] {
            let wrong = request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, "wrong"));
            for _ in 0..5 {
                assert_eq!(world.call(wrong.clone()).status, 401);
            }
        }
        world.advance(KNOWN_SOURCE + 86_400);
        assert_eq!(world.count("tries/pair/"), 1, "the administrator's");
    }

    /// Where the vendor's locks take all sources for one, a source that the owner has used is not told from those of an attacker, and
    /// names that exist are turned away as the others are.
    #[test]
    fn with_the_locks_of_the_vendor_no_source_is_known() {
        let mut world = TestWorld::with_admin("admin password");
        world.settings_mut().throttle =
            crate::settings::Throttle { vendor_lockout: true, account_ceiling: 20, ..Default::default() };
        let token = alloc::format!("Bearer {}", world.token("admin", "admin password"));
        let change =
            request("PUT /v1/cluster/policy", r#"{"login_lockout_threshold": 0}"#).with_header("authorization", &token);
        assert_eq!(world.call(change).status, 200);
        for name in ["admin", "nobody"] {
            let login =
                |password| request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, password));
            for nth in 0..20 {
                assert_eq!(world.call_from(&alloc::format!("198.51.100.{nth}"), login("wrong")).status, 401, "{name}");
            }
            for from in ["198.51.100.1", "203.0.113.1", "192.0.2.1"] {
                assert_eq!(world.call_from(from, login("admin password")).status, 429, "{name} from {from}");
            }
        }
        world.advance(901);
        let login = request("POST /v1/users/authorize", "").with_header("authorization", &basic("admin", "admin password"));
        assert_eq!(world.call(login).status, 200);
    }

    /// What a clock that was a year ahead has written locks nobody once it is right again.
    #[test]
    fn a_clock_that_was_ahead_locks_nobody_for_long() {
        let mut world = TestWorld::with_admin("admin password");
        world.settings_mut().throttle.source_limit = 7;
        let login =
            |password| request("POST /v1/users/authorize", "").with_header("authorization", &basic("admin", password));
        let right = world.now();
        world.advance(31_536_000);
        for _ in 0..7 {
            assert_eq!(world.call(login("wrong")).status, 401);
        }
        assert_eq!(world.call(login("admin password")).status, 429);
        world.set(right);
        assert_eq!(world.call(login("wrong")).status, 401);
        assert_eq!(world.call(login("admin password")).status, 200);
        let shown = world.local(request("GET /admin/users/admin", ""));
        assert_eq!(crate::testing::json(&shown)["locked"], false);
    }

    /// Otherwise whoever goes on against an account that turns strangers away would fill the audit trail.
    #[test]
    fn who_is_turned_away_from_an_account_is_noted_once() {
        let mut world = TestWorld::with_admin("admin password");
        world.settings_mut().throttle =
            crate::settings::Throttle { account_ceiling: 5, source_limit: 20, ..Default::default() };
        let login =
            |name, password| request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, password));
        for source in ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4", "192.0.2.5"] {
            assert_eq!(world.call_from(source, login("admin", "wrong")).status, 401);
        }
        world.audited();
        for _ in 0..100 {
            assert_eq!(world.call_from("192.0.2.9", login("admin", "wrong")).status, 429);
        }
        assert_eq!(world.audited(), ["login throttled"]);
        assert_eq!(world.call_from("192.0.2.9", login("nobody", "wrong")).status, 401, "the source has used up nothing");
        world.advance(901);
        assert_eq!(world.call_from("192.0.2.9", login("admin", "admin password")).status, 200);
    }

    #[test]
    fn a_source_that_is_turned_away_is_noted_once_a_window() {
        let mut world = TestWorld::with_admin("admin password");
        world.settings_mut().throttle =
            crate::settings::Throttle { source_limit: 3, source_window: 60, ..Default::default() };
        let login =
            |name, password| request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, password));
        for window in 0..2 {
            for _ in 0..3 {
                assert_eq!(world.call(login("nobody", "wrong")).status, 401, "{window}");
            }
            world.audited();
            for _ in 0..20 {
                assert_eq!(world.call(login("admin", "wrong")).status, 429, "{window}");
            }
            assert_eq!(world.audited(), ["login throttled"], "{window}");
            world.advance(61);
        }
    }

    /// Some put a token where a name belongs, and everybody who reads the trail would have it.
    #[test]
    fn a_token_that_is_given_as_a_name_is_in_no_trail() {
        let mut world = TestWorld::with_admin("admin password");
        let token = world.token("admin", "admin password");
        let digits = "0123456789abcdef".repeat(4);
        let [before, behind, around] =
            [alloc::format!("Bearer {token}"), alloc::format!("{digits} "), alloc::format!("ann {digits}/{token} bob")];
        for name in [token.as_str(), &digits, &digits[..43], &before, &behind, &around] {
            let login = request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, ""));
            assert_eq!(world.call(login).status, 401);
        }
        let told = world.actors();
        assert!(told.iter().all(|actor| !actor.contains("0123456789abcdef") && !actor.contains("eyJ")), "{told:?}");
        assert_eq!(told.iter().filter(|actor| actor.contains("token#")).count(), 6, "{told:?}");
        let shape = told.last().map(|actor| actor.split(|c: char| c.is_ascii_hexdigit()).collect::<Vec<_>>().concat());
        assert_eq!(shape.as_deref(), Some("nn tokn#/tokn# o"), "what stands around a token stays: {told:?}");
    }

    /// A customer's IPv6 prefix holds thousands of networks of the size that counts as a source.
    #[test]
    fn the_networks_of_one_site_fill_one_share() {
        let mut world = TestWorld::with_admin("admin password");
        world.settings_mut().throttle = crate::settings::Throttle { account_ceiling: 10, ..Default::default() };
        let login =
            |password| request("POST /v1/users/authorize", "").with_header("authorization", &basic("admin", password));
        for network in 0..40 {
            assert_eq!(world.call_from(&alloc::format!("2001:db8:7:{network:x}::1"), login("wrong")).status, 401);
        }
        assert_eq!(world.call_from("192.0.2.1", login("admin password")).status, 200, "the owner comes from elsewhere");
        assert_eq!(
            world.call_from("2001:db8:7:ffff::1", login("admin password")).status,
            401,
            "the site is locked as a whole"
        );
        for site in 0..5 {
            for network in 0..2 {
                let from = alloc::format!("2001:db8:{site:x}:{network:x}::1");
                assert_eq!(world.call_from(&from, login("wrong")).status, 401, "{from}");
            }
        }
        assert_eq!(world.call_from("2001:db8:9::1", login("admin password")).status, 429, "five sites fill it");
        assert_eq!(world.call_from("192.0.2.1", login("admin password")).status, 200);
    }

    /// Operations that began before others and end after them do not restart a count, and a shorter lock from now on ends none that runs.
    #[test]
    fn a_lock_lasts_whatever_comes_meanwhile() {
        let mut world = TestWorld::with_admin("admin password");
        let login =
            |password| request("POST /v1/users/authorize", "").with_header("authorization", &basic("admin", password));
        let began = world.now();
        for nth in 0..5 {
            world.set(began.plus_secs(if nth % 2 == 0 { 2 } else { 0 }));
            assert_eq!(world.call(login("wrong")).status, 401);
        }
        world.set(began);
        assert_eq!(world.call(login("admin password")).status, 401, "locked after five, in whatever order they end");
        let change = request("PUT /v1/cluster/policy", r#"{"login_lockout_duration": 1}"#)
            .with_header("authorization", &basic("admin", "admin password"));
        assert_eq!(world.call_from("192.0.2.7", change).status, 200);
        world.advance(600);
        assert_eq!(world.call(login("admin password")).status, 401, "as long as it was to last");
    }

    /// Whoever holds a token only must not try old passwords from a source that has used up its failures.
    #[test]
    fn a_source_that_is_turned_away_proves_no_old_password() {
        let mut world = TestWorld::with_admin("admin password");
        world.settings_mut().throttle.source_limit = 3;
        let bearer = alloc::format!("Bearer {}", world.token("admin", "admin password"));
        let login = request("POST /v1/users/authorize", "").with_header("authorization", &basic("nobody", "wrong"));
        for _ in 0..3 {
            assert_eq!(world.call(login.clone()).status, 401);
        }
        for old in ["wrong", "admin password"] {
            let body = alloc::format!(r#"{{"old_password": "{old}", "new_password": "another password"}}"#);
            let change = request("PUT /v1/users/password", &body).with_header("authorization", &bearer);
            assert_eq!((world.call(change).status, world.cost.derivations), (429, 0), "{old}");
        }
    }

    /// A right password was shown, whatever else is wrong with the request.
    #[test]
    fn a_login_is_remembered_although_the_request_is_refused() {
        let mut world = TestWorld::with_admin("admin password");
        world.advance(60);
        world.audited();
        let refused = request("PUT /v1/users/1", "{").with_header("authorization", &basic("admin", "admin password"));
        assert_eq!(world.call(refused).status, 400);
        assert_eq!(world.audited(), ["login"]);
        let shown = world.local(request("GET /admin/users/admin", ""));
        assert_eq!(crate::testing::json(&shown)["last_login"], "2027-01-15T08:01:00Z");
    }

    /// Security P8: never more than the ceiling in a row, also from one source and without the vendor's locks.
    #[test]
    fn one_source_never_fails_more_often_than_the_ceiling() {
        let mut world = TestWorld::with_admin("admin password");
        world.settings_mut().throttle = crate::settings::Throttle { account_ceiling: 10, ..Default::default() };
        let by_admin = |line, body| request(line, body).with_header("authorization", &basic("admin", "admin password"));
        let change = by_admin("PUT /v1/cluster/policy", r#"{"login_lockout_threshold": 0}"#);
        assert_eq!(world.call(change).status, 200);
        let login =
            |password| request("POST /v1/users/authorize", "").with_header("authorization", &basic("admin", password));
        for nth in 1..=10 {
            assert_eq!(world.call_from("192.0.2.9", login("wrong")).status, 401, "{nth}");
        }
        assert_eq!(world.call_from("192.0.2.9", login("admin password")).status, 401, "the tenth failure was the last");
        world.advance(900);
        assert_eq!(world.call_from("192.0.2.9", login("admin password")).status, 200);
    }

    /// Otherwise a source that many share would be turned away for what it has failed in days.
    #[test]
    fn the_window_of_a_source_begins_with_its_first_failure() {
        let mut world = TestWorld::with_admin("admin password");
        world.settings_mut().throttle =
            crate::settings::Throttle { source_limit: 3, source_window: 60, ..Default::default() };
        let login =
            |name, password| request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, password));
        for pause in [40, 40, 0] {
            assert_eq!(world.call(login("nobody", "wrong")).status, 401);
            world.advance(pause);
        }
        assert_eq!(world.call(login("admin", "admin password")).status, 200, "only the last is of this window");
    }

    /// Whoever waits as long as told is let in, whatever part of a second the pause began in.
    #[test]
    fn who_comes_back_when_told_is_let_in() {
        let mut world = TestWorld::with_admin("admin password");
        world.settings_mut().throttle.source_limit = 3;
        let login =
            |name, password| request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, password));
        for _ in 0..3 {
            assert_eq!(world.call(login("nobody", "wrong")).status, 401);
        }
        world.advance_millis(500);
        let away = world.call(login("admin", "admin password"));
        assert_eq!(away.status, 429);
        world.advance(away.header("retry-after").unwrap().parse().unwrap());
        assert_eq!(world.call(login("admin", "admin password")).status, 200);
    }

    /// A failure counts on until the time of the policy has passed, to the millisecond.
    #[test]
    fn the_count_goes_on_for_as_long_as_the_policy_says() {
        for (pause, status) in [(60_000, 401), (60_001, 200)] {
            let mut world = TestWorld::with_admin("admin password");
            let by_admin = |line, body| request(line, body).with_header("authorization", &basic("admin", "admin password"));
            let body = r#"{"login_lockout_threshold": 2, "login_lockout_counter_reset_after": 60}"#;
            assert_eq!(world.call(by_admin("PUT /v1/cluster/policy", body)).status, 200);
            let login =
                |password| request("POST /v1/users/authorize", "").with_header("authorization", &basic("admin", password));
            assert_eq!(world.call(login("wrong")).status, 401);
            world.advance_millis(pause);
            assert_eq!(world.call(login("wrong")).status, 401);
            assert_eq!(world.call(login("admin password")).status, status, "{pause} ms later");
        }
    }

    /// What is counted is kept for as long as the policy counts on, even if that is longer than a day.
    #[test]
    fn a_count_that_goes_on_for_days_is_kept_for_days() {
        let mut world = TestWorld::with_admin("admin password");
        let by_admin = |line, body| request(line, body).with_header("authorization", &basic("admin", "admin password"));
        let body = r#"{"login_lockout_threshold": 2, "login_lockout_counter_reset_after": 259200}"#;
        assert_eq!(world.call(by_admin("PUT /v1/cluster/policy", body)).status, 200);
        for name in ["admin", "nobody"] {
            let login =
                |password| request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, password));
            assert_eq!(world.call_from("192.0.2.9", login("wrong")).status, 401);
        }
        world.advance(2 * 86_400);
        assert_eq!(world.count("tries/pair/"), 3, "one of them is the source that the administrator has used");
        let login =
            |password| request("POST /v1/users/authorize", "").with_header("authorization", &basic("admin", password));
        assert_eq!(world.call_from("192.0.2.9", login("wrong")).status, 401);
        assert_eq!(world.call_from("192.0.2.9", login("admin password")).status, 401, "the second has locked");
    }

    /// An administrator who unlocks an account lets its owner in from anywhere.
    #[test]
    fn unlocking_ends_what_sources_have_done_together() {
        let mut world = TestWorld::with_admin("admin password");
        world.settings_mut().throttle = crate::settings::Throttle { account_ceiling: 5, ..Default::default() };
        let login =
            |password| request("POST /v1/users/authorize", "").with_header("authorization", &basic("admin", password));
        for source in 1..=5 {
            assert_eq!(world.call_from(&alloc::format!("192.0.2.{source}"), login("wrong")).status, 401);
        }
        assert_eq!(world.call_from("192.0.2.9", login("admin password")).status, 429);
        assert_eq!(world.local(request("POST /admin/users/admin/unlock", "")).status, 200);
        assert_eq!(world.call_from("192.0.2.9", login("admin password")).status, 200);
    }

    /// Otherwise an administrator would see nothing of what keeps the owner out.
    #[test]
    fn a_pause_of_an_account_is_told_and_shown() {
        let mut world = TestWorld::with_admin("admin password");
        world.settings_mut().throttle = crate::settings::Throttle { account_ceiling: 10, ..Default::default() };
        let by_admin =
            |line: &str, body: &str| request(line, body).with_header("authorization", &basic("admin", "admin password"));
        let login =
            |name, password| request("POST /v1/users/authorize", "").with_header("authorization", &basic(name, password));
        let threshold = |world: &mut TestWorld, threshold: u32, duration: u32| {
            let body =
                alloc::format!(r#"{{"login_lockout_threshold": {threshold}, "login_lockout_duration": {duration}}}"#);
            assert_eq!(world.call(by_admin("PUT /v1/cluster/policy", &body)).status, 200);
        };
        threshold(&mut world, 0, 1800);
        assert_eq!(world.local(request("POST /admin/users", r#"{"name": "ann", "password": "ann password"}"#)).status, 201);
        assert_eq!(world.call_from("198.51.100.1", login("ann", "ann password")).status, 200);
        let shown = |world: &mut TestWorld| {
            let shown = crate::testing::json(&world.local(request("GET /admin/users/ann", "")));
            (shown["locked"] == true, shown["locked_until"].as_str().map(alloc::string::String::from))
        };
        let flood = |world: &mut TestWorld, first: u32| {
            world.audited();
            for nth in 0..10 {
                let source = alloc::format!("192.0.2.{}", first + nth / 2);
                assert_eq!(world.call_from(&source, login("ann", "wrong")).status, 401);
            }
            assert_eq!(world.audited().iter().filter(|told| *told == "user.lock").count(), 1);
            assert_eq!(world.call_from("192.0.2.99", login("ann", "ann password")).status, 429);
            shown(world)
        };
        let paused = flood(&mut world, 10);
        assert_eq!(paused, (true, Some("2027-01-15T08:15:00Z".into())));
        // The owner gets in from a source that is known, and ends it.
        assert_eq!(world.call_from("198.51.100.1", login("ann", "ann password")).status, 200);
        assert_eq!((shown(&mut world).0, world.call_from("192.0.2.98", login("ann", "ann password")).status), (false, 200));
        // So does an administrator.
        world.advance(3600);
        assert!(flood(&mut world, 20).0);
        assert_eq!(world.local(request("POST /admin/users/ann/unlock", "")).status, 200);
        assert_eq!((shown(&mut world).0, world.call_from("192.0.2.97", login("ann", "ann password")).status), (false, 200));
        // A longer lock stays as it is, also when the pause ends.
        world.advance(3600);
        threshold(&mut world, 1, 7200);
        assert_eq!(world.call_from("203.0.113.1", login("ann", "wrong")).status, 401);
        let longer = shown(&mut world);
        threshold(&mut world, 0, 1800);
        for nth in 0..9 {
            assert_eq!(world.call_from(&alloc::format!("192.0.2.{}", 30 + nth / 2), login("ann", "wrong")).status, 401);
        }
        assert_eq!(world.call_from("192.0.2.96", login("ann", "ann password")).status, 429);
        assert_eq!(shown(&mut world), longer);
        assert_eq!(world.call_from("198.51.100.1", login("ann", "ann password")).status, 200);
        assert_eq!(shown(&mut world), longer);
    }

    /// Otherwise every source that ever failed, and every account that was ever locked, would have its record for ever.
    #[test]
    fn what_counts_no_more_is_kept_no_longer() {
        let mut world = TestWorld::with_admin("admin password");
        let wrong = request("POST /v1/users/authorize", "").with_header("authorization", &basic("admin", "wrong"));
        for _ in 0..5 {
            assert_eq!(world.call(wrong.clone()).status, 401);
        }
        let window = u64::from(world.settings_mut().throttle.source_window);
        assert_eq!((world.count("tries/source/"), world.count("lock/")), (1, 1));
        world.advance(window.max(1800));
        assert_eq!((world.count("tries/source/"), world.count("lock/")), (0, 0));
    }
}
