//! Revocation snapshots, for verifiers elsewhere (security E3).

use crate::{
    record::{Ended, PairsEnded, Published, Revoked, Stored, key},
    refusal::Refusal,
    seam::{Op, Range, Record, RecordKey, Stop},
    token::NewSnapshot,
};
use alloc::string::String;

/// The snapshot of this moment: for a few seconds the one that was made last, so that being asked often costs little; then a new
/// one with the next number.
///
/// INVARIANT: of two snapshots the one with the higher number has read the store later. The number is read before anything else
/// and is a condition of the commit, so that whoever has the next one has seen everything that came before the last.
///
/// # Errors
/// [`Refusal::NoPublicKey`], [`Refusal::NoSigningKey`], [`Refusal::TooManyRevocations`].
pub(crate) fn snapshot(op: &Op<'_>) -> Result<Published, Stop> {
    let keys = op.vault.keys();
    let signer = keys.signer(op.now()).ok_or(Refusal::NoSigningKey)?;
    if signer.algorithm().is_symmetric() {
        return Err(Refusal::NoPublicKey.into());
    }
    let (gateway, issuer) = (&op.settings.gateway, op.settings.issuer.as_str());
    let last = op.load::<Published>(&key::snapshot())?;
    let is_fresh = |last: &Published| {
        let until = last.issued.plus_secs(gateway.revocations_every.into());
        last.kid == signer.kid() && last.issuer == issuer && last.issued <= op.now() && op.now() < until
    };
    let number = match last {
        Some(last) if is_fresh(&last) && last.text.is_empty() => return Err(Refusal::TooManyRevocations.into()),
        Some(last) if is_fresh(&last) => return Ok(last),
        // The time, so that a store that was brought back from an older copy goes on above what it gave out before.
        last => last.map_or(0, |last| last.number + 1).max(op.now().as_secs()),
    };
    let mut new = NewSnapshot::new(issuer, number, op.now(), gateway.revocations_max_age);
    let [revoked, ended, pairs] = [key::REVOKED, key::ENDED, key::PAIRS_ENDED].map(|prefix| all(op, prefix));
    for (key, record) in revoked? {
        let revoked = Revoked::of(record)?;
        if op.now() < revoked.until && !revoked.only_here {
            new.revoke(key);
        }
    }
    for (_, record) in ended? {
        new.end(Ended::of(record)?);
    }
    for (key, record) in pairs? {
        new.end_pairs(key::whose_pairs_ended(key), PairsEnded::of(record)?.issued);
    }
    let made = |text| Published { number, issued: op.now(), kid: signer.kid().into(), issuer: issuer.into(), text };
    match keys.sign_snapshot(new) {
        Ok(text) => {
            let made = made(text);
            op.store(key::snapshot(), &made);
            Ok(made)
        }
        Err(refusal) => {
            if refusal == Refusal::TooManyRevocations {
                // Kept, to be found out once for all who ask: everybody may, and no other reading takes as long.
                op.keep(key::snapshot(), Some(made(String::new()).encode()), None);
            }
            Err(refusal.into())
        }
    }
}

/// All records of one kind, or one more than a snapshot holds.
fn all<'a>(op: &Op<'a>, prefix: &str) -> Result<&'a [(RecordKey, Record)], Stop> {
    op.range(&Range { prefix: prefix.into(), after: String::new(), limit: NewSnapshot::ENOUGH })
}
