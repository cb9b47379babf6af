//! What a token costs: verifying and issuing against the bare HMAC of the same text, and against two peers.
//!
//! `cargo bench -p waxseal-bench --bench token`. Contenders take turns in batches of about two milliseconds, each batch is
//! measured in CPU time of this thread. Two figures: the median, and the best tenth, which says what the code costs where other
//! work on the same cores disturbs the median. Read the ratios, not the absolute figures.
#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints, and stops at the first surprise")]

use core::{hint::black_box, time::Duration};
use hmac::{Hmac, KeyInit, Mac};
use jwt_simple::prelude::MACLike;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::time::{SystemTime, UNIX_EPOCH};
use waxseal_core::{
    lifetime::{Bounds, Manner},
    time::UnixTime,
    token::{ACCESS, Algorithm, Key, KeyRole, KeySet, NewClaims, Profile},
};

const ROUNDS: usize = 100;
const SECRET: &[u8; 32] = b"an example secret of 32 octets!!";

fn main() {
    // The peers read the clock themselves, so the time is the real one.
    let now = UnixTime::from_secs(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
    let keys = KeySet::new([(Key::new("k1", Algorithm::Hs256, SECRET).unwrap(), KeyRole::Sign)]).unwrap();
    let stored = keys.to_bytes();
    let profile = Profile { issuer: "waxseal", audience: None, leeway: 0, typ: ACCESS };
    let new = NewClaims {
        issuer: "waxseal",
        audience: None,
        typ: ACCESS,
        uid: "1042",
        dialect: "redis",
        generation: 3,
        jti: [7; 16],
        issued: now,
        lifetime: Bounds::new(1, 300, 3600, Manner::Refuse).unwrap().unasked(),
    };
    let token = keys.issue(&new).unwrap();
    let signed = token.rsplit_once('.').unwrap().0;
    let mac = Hmac::<Sha256>::new_from_slice(SECRET).unwrap();

    let decoding = jsonwebtoken::DecodingKey::from_secret(SECRET);
    let encoding = jsonwebtoken::EncodingKey::from_secret(SECRET);
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::HS256);
    validation.leeway = 0;
    validation.set_issuer(&["waxseal"]);
    let mut header = jsonwebtoken::Header::new(jsonwebtoken::Algorithm::HS256);
    header.kid = Some("k1".into());
    let claims = jsonwebtoken::decode::<PeerClaims>(&token, &decoding, &validation).unwrap().claims;

    let simple = jwt_simple::prelude::HS256Key::from_bytes(SECRET).with_key_id("k1");
    let own = OwnClaims { uid: claims.uid.clone(), generation: claims.generation, dialect: claims.dialect.clone() };
    let options = || jwt_simple::prelude::VerificationOptions {
        allowed_issuers: Some([String::from("waxseal")].into()),
        time_tolerance: Some(jwt_simple::prelude::Duration::from_secs(0)),
        ..Default::default()
    };
    let with_options = options();
    let simple_issue = || {
        let claims =
            jwt_simple::prelude::Claims::with_custom_claims(own.clone(), jwt_simple::prelude::Duration::from_secs(300));
        simple
            .authenticate(claims.with_issuer("waxseal").with_subject("1042").with_jwt_id("BwcHBwcHBwcHBwcHBwcHBw"))
            .unwrap()
    };

    let mut contenders: Vec<Contender<'_>> = vec![
        Contender::new("bare HMAC of the signed text, keyed before", || {
            let mut mac = mac.clone();
            mac.update(black_box(signed).as_bytes());
            black_box(mac.finalize());
        }),
        Contender::new("verify", || _ = black_box(keys.verify(black_box(&token), &profile, now).unwrap())),
        Contender::new("verify the signature only", || _ = black_box(keys.verify_signature(black_box(&token)).unwrap())),
        Contender::new("verify, keys read from octets first", || {
            let keys = KeySet::from_bytes(black_box(&stored)).unwrap();
            black_box(keys.verify(black_box(&token), &profile, now).unwrap());
        }),
        Contender::new("issue", || _ = black_box(keys.issue(black_box(&new)).unwrap())),
        Contender::new("jsonwebtoken (aws-lc) verify", || {
            black_box(jsonwebtoken::decode::<PeerClaims>(black_box(&token), &decoding, &validation).unwrap());
        }),
        Contender::new("jsonwebtoken (aws-lc) issue", || {
            black_box(jsonwebtoken::encode(&header, black_box(&claims), &encoding).unwrap());
        }),
        Contender::new("jwt-simple (pure Rust) verify", || {
            let options = Some(with_options.clone());
            black_box(simple.verify_token::<OwnClaims>(black_box(&token), options).unwrap());
        }),
        Contender::new("jwt-simple (pure Rust) issue", || _ = black_box(simple_issue())),
    ];
    for _ in 0..ROUNDS {
        contenders.iter_mut().for_each(Contender::batch);
    }

    println!("token of {} octets, {} signed\n", token.len(), signed.len());
    println!("{:<44} {:>8} {:>7} {:>11} {:>7}", "", "median", "x bare", "best tenth", "x bare");
    let figures: Vec<[f64; 2]> =
        contenders.iter_mut().map(|contender| [2, 10].map(|part| contender.quantile(part))).collect();
    for (contender, [median, best]) in contenders.iter().zip(&figures) {
        let ratios = [median / figures[0][0], best / figures[0][1]];
        println!("{:<44} {median:>5.0} ns {:>7.2} {best:>8.0} ns {:>7.2}", contender.name, ratios[0], ratios[1]);
    }
    let ratio = |peer: usize, ours: usize| figures[peer][1] / figures[ours][1];
    println!("\nverify against jsonwebtoken {:.1} x, jwt-simple {:.1} x", ratio(5, 1), ratio(7, 1));
    println!("issue against jsonwebtoken {:.1} x, jwt-simple {:.1} x", ratio(6, 4), ratio(8, 4));
}

/// The claims of our tokens, as a peer's user would write them down.
#[derive(Clone, Serialize, Deserialize)]
struct PeerClaims {
    iss: String,
    sub: String,
    iat: u64,
    exp: u64,
    jti: String,
    uid: String,
    #[serde(rename = "gen")]
    generation: u32,
    dialect: String,
}

/// Those of them that a peer does not know by itself.
#[derive(Clone, Serialize, Deserialize)]
struct OwnClaims {
    uid: String,
    #[serde(rename = "gen")]
    generation: u32,
    dialect: String,
}

struct Contender<'a> {
    name: &'static str,
    run: Box<dyn Fn() + 'a>,
    per_batch: u32,
    nanos: Vec<f64>,
}

impl<'a> Contender<'a> {
    fn new(name: &'static str, run: impl Fn() + 'a) -> Self {
        let mut per_batch = 16;
        while timed(&run, per_batch) < Duration::from_millis(2) {
            per_batch *= 2;
        }
        Self { name, run: Box::new(run), per_batch, nanos: Vec::new() }
    }

    fn batch(&mut self) {
        let nanos = timed(&self.run, self.per_batch).as_secs_f64() * 1e9;
        self.nanos.push(nanos / f64::from(self.per_batch));
    }

    /// Nanoseconds that one part in `part` of the batches stays below.
    fn quantile(&mut self, part: usize) -> f64 {
        self.nanos.sort_by(f64::total_cmp);
        self.nanos[self.nanos.len() / part]
    }
}

fn timed(run: impl Fn(), times: u32) -> Duration {
    let start = thread_time();
    for _ in 0..times {
        run();
    }
    thread_time().saturating_sub(start)
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}
