//! What goes into an operation.

use super::{Request, World};
use crate::{mac::hmac_sha256, refusal::Refusal, time::UnixTime};
use alloc::sync::Arc;
use core::net::IpAddr;
use zeroize::Zeroizing;

/// One request and everything it may depend on besides the store.
#[derive(Debug)]
pub struct Call {
    /// What was asked.
    pub request: Request,
    /// When, by whom, with which randomness.
    pub moment: Moment,
    /// Settings and secrets.
    pub world: Arc<World>,
}

impl Call {
    /// The same call at a later moment, with its [order](Moment::order), and in the world of that moment, for a driver whose caller has
    /// waited: what is issued lives from when it is issued. To be started in place of this one, of which nothing may have been committed.
    #[must_use]
    pub fn at(&self, (now, order): (UnixTime, u16), world: Arc<World>) -> Self {
        let Self { request, moment: Moment { entropy, peer, .. }, .. } = self;
        let entropy = entropy.as_ref().map(|Entropy(octets)| Entropy(octets.clone()));
        let moment = Moment { now, order, entropy, peer: peer.clone() };
        Self { request: request.clone(), moment, world }
    }
}

/// What is different at each call.
#[derive(Debug, Default)]
pub struct Moment {
    /// The driver's clock.
    pub now: UnixTime,
    /// Which of the driver's calls at `now` it is, from 0: of what was made in one millisecond it tells which came later.
    pub order: u16,
    /// Randomness for this call; `None` where the platform has no source, and then nothing is issued.
    pub entropy: Option<Entropy>,
    /// Who is on the other side of the connection.
    pub peer: Peer,
}

/// The other side of the connection, as the driver (not the request) knows it.
#[derive(Clone, Debug, Default)]
pub struct Peer {
    /// Address of the client, after trusted proxies have been taken off.
    pub address: Option<IpAddr>,
    /// The request came over the owner-only administration socket or from within the process: `/admin` routes answer.
    pub local: bool,
    /// The client sees `https`.
    pub secure: bool,
    /// Host and port as the client sees them, where a trusted proxy has said so; else the `Host` header counts.
    pub host: Option<alloc::string::String>,
}

/// 256 bits from the system's generator, from which every random value of one call is drawn by label.
pub struct Entropy(Zeroizing<[u8; 32]>);

impl Entropy {
    /// Takes the octets over; they must come from the system's random generator and be used for one call only.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The octets, for handing the call into a wasm instance.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `N` random octets (at most 32) for the purpose `label`. The same label gives the same octets within a call, so a
    /// replay is exact; different labels give independent octets (HMAC-SHA-256 as a PRF over the seed).
    pub fn draw<const N: usize>(&self, label: &str) -> [u8; N] {
        const { assert!(N <= 32, "one draw gives at most 32 octets") };
        let mut out = [0; N];
        out.copy_from_slice(&hmac_sha256(&self.0, &[label.as_bytes()])[..N]);
        out
    }
}

impl core::fmt::Debug for Entropy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Entropy(..)")
    }
}

impl Moment {
    /// `N` random octets for the purpose `label`.
    ///
    /// # Errors
    /// [`Refusal::NoEntropy`] when the platform handed in none: there is no fall-back generator (security E1).
    pub fn draw<const N: usize>(&self, label: &str) -> Result<[u8; N], Refusal> {
        self.entropy.as_ref().map(|entropy| entropy.draw(label)).ok_or(Refusal::NoEntropy)
    }
}
