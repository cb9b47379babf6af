//! Ending the tokens of a user.

use crate::{
    record::{Ended, User, key},
    seam::Op,
    time::UnixTime,
};

/// Ending tokens. There is no other way, so that the record of it is never forgotten.
impl User {
    /// Ends all tokens of this user, whom the caller stores; those of authorizations too, unless they outlive a replaced password list.
    /// That is decided now: what has ended must not live again when the setting changes.
    pub(crate) fn end_tokens(&mut self, op: &Op<'_>) {
        self.end(op, op.settings.openshift.password_change_revokes);
    }

    /// The generation of tokens that begins now, after `last`. It tells the time: a store that was restored from an older copy gives uids
    /// out a second time, and the tokens of a uid's former owner must not become those of its present one.
    pub(crate) fn next_generation(op: &Op<'_>, last: u32) -> u32 {
        // To the second until 2072; from then on a step takes 256 seconds, so that the numbers last as long as times do.
        const COARSE_FROM: u64 = 0xC000_0000;
        let now = op.now().as_secs();
        let now = now.min(COARSE_FROM) + now.saturating_sub(COARSE_FROM) / 256;
        let now = u32::try_from(now).unwrap_or(Ended::GONE);
        now.max(last.saturating_add(1)).min(Ended::GONE - 1)
    }

    /// Ends all tokens of this user, and authorizations that would outlive a replaced password list.
    pub(crate) fn log_out(&mut self, op: &Op<'_>) {
        self.end(op, true);
    }

    fn end(&mut self, op: &Op<'_>, authorizations: bool) {
        self.generation = Self::next_generation(op, self.generation);
        if authorizations {
            self.session_epoch = self.session_epoch.saturating_add(1);
        }
        self.remember_end(op);
    }

    /// Lets a user in again, or no longer; the latter ends all tokens.
    pub(crate) fn set_disabled(&mut self, op: &Op<'_>, disabled: bool) {
        self.disabled = disabled;
        if disabled { self.log_out(op) } else { self.remember_end(op) }
    }

    fn remember_end(&self, op: &Op<'_>) {
        let generation = if self.disabled { Ended::GONE } else { self.generation };
        self.remember(op, generation, self.generation.saturating_sub(1));
    }

    /// Ends all tokens of this user, who is being deleted.
    pub(crate) fn end_for_good(&self, op: &Op<'_>) {
        self.remember(op, Ended::GONE, self.generation);
    }

    /// Remembers it until the tokens of the `last` generation have expired, also where that began while the clock was ahead.
    fn remember(&self, op: &Op<'_>, generation: u32, last: u32) {
        let began = UnixTime::from_secs(last.into());
        // Generations that followed each other within a second are a few seconds ahead of the time.
        let is_ahead = began > op.now().plus_secs(60);
        let until = Ended::until(if is_ahead { began } else { op.now() });
        op.store_until(key::ended(self.uid), &Ended { uid: self.uid, generation }, until);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{TestWorld, request};
    use alloc::format;

    #[test]
    fn tokens_end_in_any_century() {
        // Now, a moment before the steps grow, the end of 32 bits, the last year.
        for at in [0, 0xC000_0000 - 1, u32::MAX.into(), 253_402_000_000_u64] {
            let mut world = TestWorld::with_admin("pw");
            world.advance(at.saturating_sub(world.now().as_secs()));
            for _ in 0..3 {
                let bearer = format!("Bearer {}", world.token("admin", "pw"));
                let verify = request("GET /auth/verify", "").with_header("authorization", &bearer);
                assert_eq!(world.call(verify.clone()).status, 204);
                assert_eq!(world.local(request("POST /admin/users/admin/logout", "")).status, 200);
                assert_eq!(world.call(verify).status, 401, "{at}");
            }
        }
    }
}
