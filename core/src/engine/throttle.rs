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
//! So a flood from one place never shuts out an owner who comes from another: a source that has used up its share of the account's
//! counter fills its own up to the same ceiling, and then is locked after every failure. With `vendor_lockout` the pair counter ignores
//! the source, as the vendor does. A lock looks like a wrong password, whatever the password (no oracle); being turned away
//! is said openly and costs no derivation.

use super::{audit, source::source};
use crate::{
    record::{Attempts, Cluster, Lock, Stored, User, key},
    refusal::Refusal,
    seam::{Key, Op, Stop},
    time::UnixTime,
};

/// How long a source that its owner has used stays known: 30 days, in seconds.
const KNOWN_SOURCE: u64 = 2_592_000;
/// Into how many shares the ceiling of an account is divided; from so many sources it takes to reach it.
const SHARES: u32 = 5;
/// How long counters are kept in the store at least, in seconds.
const KEEP: u64 = 86_400;

/// Turns a source away that has failed too often, before anything is looked up.
pub(crate) fn admit_source(op: &Op<'_>) -> Result<(), Stop> {
    if op.settings.throttle.source_limit == 0 {
        return Ok(());
    }
    let attempts = op.load::<Attempts>(&source_key(op))?.unwrap_or_default();
    let window = u64::from(op.settings.throttle.source_window);
    if attempts.failures >= op.settings.throttle.source_limit && op.now() < attempts.since.plus_secs(window) {
        let left = attempts.since.plus_secs(window).secs_since(op.now());
        return Err(throttled(left).into());
    }
    Ok(())
}

/// The counters of one login attempt.
pub(super) struct Gate {
    keys: [Key; 3],
    pair: Attempts,
    account: Attempts,
    source: Attempts,
    epoch: u32,
}

impl Gate {
    /// Says which counters will be read.
    pub(super) fn keys(op: &Op<'_>, account: &[u8; 32]) -> [Key; 3] {
        let id = |purpose, data: &[u8]| {
            let digest = op.vault.derive(purpose, data);
            let mut id = [0; 16];
            id.copy_from_slice(&digest[..16]);
            id
        };
        let pair = if op.settings.throttle.vendor_lockout {
            id("tries.pair", account)
        } else {
            id("tries.pair", &[account.as_slice(), &source(op)].concat())
        };
        [key::pair_attempts(&pair), key::account_attempts(&id("tries.account", account)), source_key(op)]
    }

    /// Reads the counters and turns the attempt away if the account is under a flood.
    pub(super) fn open(op: &Op<'_>, account: &[u8; 32], user: Option<&User>) -> Result<Self, Stop> {
        let keys = Self::keys(op, account);
        op.want(&keys);
        let [pair, account, source] = &keys;
        let epoch = user.map_or(0, |user| user.lock_epoch);
        let current = |attempts: Option<Attempts>| attempts.filter(|attempts| attempts.epoch == epoch).unwrap_or_default();
        let known = op.load::<Attempts>(pair)?;
        let gate = Self {
            pair: Attempts { succeeded: known.map_or(UnixTime::default(), |known| known.succeeded), ..current(known) },
            account: current(op.load(account)?),
            source: op.load(source)?.unwrap_or_default(),
            epoch,
            keys,
        };
        if op.now() < gate.account.until && !gate.is_known_source(op) {
            return Err(throttled(gate.account.until.secs_since(op.now())).into());
        }
        Ok(gate)
    }

    /// As it is once [`Gate::succeeded`] is in the store. What the source has failed at stays.
    pub(super) fn after_success(self, op: &Op<'_>) -> Self {
        let pair = Attempts { succeeded: op.now(), ..Attempts::default() };
        Self { pair, account: Attempts::default(), ..self }
    }

    /// Whether the account is locked for this source.
    pub(super) fn is_locked(&self, op: &Op<'_>) -> bool {
        op.now() < self.pair.until
    }

    /// Counts a failure. A failure while locked does not count, so a lock ends in time even under attack.
    pub(super) fn failed(mut self, op: &Op<'_>, cluster: &Cluster, user: Option<&User>) {
        let (now, settings) = (op.now(), &op.settings.throttle);
        if !self.is_locked(op) {
            let reset_after = u64::from(cluster.login_lockout_counter_reset_after);
            let goes_on = self.pair.failures > 0 && now <= self.pair.since.plus_secs(reset_after);
            self.pair.failures = if goes_on { self.pair.failures.saturating_add(1) } else { 1 };
            self.pair.since = now;
            self.pair.total = self.pair.total.saturating_add(1);
            let threshold = cluster.login_lockout_threshold;
            let locks = threshold > 0 && self.pair.failures >= threshold;
            // Without the vendor's locks, or when they have not helped.
            let is_hopeless = self.pair.total >= settings.account_ceiling && !settings.vendor_lockout;
            if locks || is_hopeless {
                self.pair.failures = 0;
                let pause = if is_hopeless { now.plus_secs(settings.account_pause.into()) } else { now };
                let lock = match cluster.login_lockout_duration {
                    _ if !locks => now,
                    0 => UnixTime::from_millis(u64::MAX),
                    secs => now.plus_secs(secs.into()),
                };
                self.pair.until = lock.max(pause);
                if let Some(user) = user {
                    let lock = Lock { until: self.pair.until, epoch: user.lock_epoch };
                    op.keep(key::lock(user.uid), Some(lock.encode()), expiry(self.pair.until));
                    audit(op, "user.lock", &user.uid, &user.uid, None);
                }
            }
            if settings.vendor_lockout || self.pair.total <= settings.account_ceiling.div_ceil(SHARES) {
                self.account.failures = self.account.failures.saturating_add(1);
                self.account.since = now;
                if self.account.failures >= settings.account_ceiling {
                    self.account.until = now.plus_secs(settings.account_pause.into());
                }
            }
        }
        let in_window = now < self.source.since.plus_secs(settings.source_window.into());
        self.source.failures = if in_window { self.source.failures.saturating_add(1) } else { 1 };
        self.source.since = if in_window { self.source.since } else { now };

        self.pair.epoch = self.epoch;
        self.account.epoch = self.epoch;
        let reset_after = u64::from(cluster.login_lockout_counter_reset_after).max(KEEP);
        // Its share of the account's counter is remembered for as long as that counter.
        let used_up = if self.pair.total >= settings.account_ceiling.div_ceil(SHARES) { now } else { self.pair.succeeded };
        let keep_pair = now.plus_secs(reset_after).max(self.pair.until).max(used_up.plus_secs(KNOWN_SOURCE));
        let [pair, account, source] = self.keys;
        op.keep(pair, Some(self.pair.encode()), expiry(keep_pair));
        // A run of failures over all sources ends only with a success or after a month of silence.
        op.keep(account, Some(self.account.encode()), expiry(now.plus_secs(KNOWN_SOURCE).max(self.account.until)));
        if settings.source_limit > 0 {
            op.keep(source, Some(self.source.encode()), expiry(now.plus_secs(settings.source_window.into())));
        }
    }

    /// Ends the runs of failures of this account, and remembers the source once a day.
    pub(super) fn succeeded(self, op: &Op<'_>) {
        let now = op.now();
        let [pair, account, _] = self.keys;
        if self.pair.failures > 0 || self.pair.total > 0 || now.secs_since(self.pair.succeeded) >= 86_400 {
            let attempts = Attempts { succeeded: now, epoch: self.epoch, ..Attempts::default() };
            op.keep(pair, Some(attempts.encode()), expiry(now.plus_secs(KNOWN_SOURCE)));
        }
        if self.account.failures > 0 {
            op.keep(account, None, None);
        }
    }

    fn is_known_source(&self, op: &Op<'_>) -> bool {
        self.pair.succeeded > UnixTime::default() && op.now().secs_since(self.pair.succeeded) < KNOWN_SOURCE
    }
}

fn source_key(op: &Op<'_>) -> Key {
    let digest = op.vault.derive("tries.source", &source(op));
    let mut id = [0; 16];
    id.copy_from_slice(&digest[..16]);
    key::source_attempts(&id)
}

fn throttled(secs: u64) -> Refusal {
    Refusal::Throttled { retry_after: u32::try_from(secs.saturating_add(1)).unwrap_or(u32::MAX) }
}

/// No expiry for a lock without end.
fn expiry(at: UnixTime) -> Option<UnixTime> {
    (at.as_millis() < u64::MAX).then_some(at)
}

#[cfg(test)]
mod tests {
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
}
