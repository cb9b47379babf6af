//! How much memory deciding on a token takes (security T7).

use core::{
    alloc::{GlobalAlloc, Layout},
    cell::Cell,
};
use std::alloc::System;
use waxseal_core::{
    time::UnixTime,
    token::{Algorithm, Key, KeyRole, KeySet, MAX_TOKEN, Profile},
};

#[global_allocator]
static COUNTING: Counting = Counting;

/// The system's allocator, which notes what each thread holds.
struct Counting;

thread_local! {
    /// Octets that the thread holds more than it held at the start of [`most`], and the most of it.
    static HELD: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

fn note(octets: usize, sign: isize) {
    // A thread that is ending counts no more.
    let _ = HELD.try_with(|held| {
        let (now, most) = held.get();
        let now = now.saturating_add(isize::try_from(octets).unwrap_or(isize::MAX).saturating_mul(sign));
        held.set((now, most.max(now)));
    });
}

// SAFETY: every call is handed on as it came.
#[expect(unsafe_code, reason = "an allocator cannot be had without")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size(), 1);
        // SAFETY: as the caller vouches.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        note(layout.size(), -1);
        // SAFETY: as the caller vouches.
        unsafe { System.dealloc(block, layout) }
    }
}

/// The most that `act` holds at one time, in octets.
fn most(act: impl FnOnce()) -> usize {
    HELD.set((0, 0));
    act();
    usize::try_from(HELD.get().1).unwrap()
}

#[test]
fn a_token_takes_a_small_multiple_of_its_size() {
    let now = UnixTime::from_secs(1_800_000_000);
    let keys = KeySet::new([(Key::new("k", Algorithm::Hs256, &[7; 32]).unwrap(), KeyRole::Sign)]).unwrap();
    let profile = Profile { issuer: "i", audience: None, leeway: 0, typ: "JWT" };
    let signed = |claims: &str| {
        let rest = r#""iss":"i","sub":"s","exp":1900000000}"#;
        keys.sign("JWT", &format!("{{{claims}{rest}"), now).unwrap()
    };
    let plain = signed("");
    let good = [
        plain.clone(),
        signed(&format!(r#""x":"{}","#, "y".repeat(5800))),
        signed(&format!(r#""x":"{}","#, r"\u00e4".repeat(960))),
        signed(&format!(r#""x":{}{},"#, "[".repeat(126), "]".repeat(126))),
        signed(&(0..600).map(|n| format!(r#""{n}":{n},"#)).collect::<Vec<_>>().concat()),
    ];
    for token in &good {
        assert!(token.len() <= MAX_TOKEN, "{}", token.len());
        let taken = most(|| assert!(keys.verify(token, &profile, now).is_ok()));
        assert!(taken <= 4 * token.len() + 1024, "{} octets took {taken}", token.len());
    }
    let deep = signed(&format!(r#""x":{},"#, "[".repeat(5000)));
    let bad = [
        deep,
        plain.replace('.', ""),
        ".".repeat(MAX_TOKEN),
        format!("{}.", "A".repeat(MAX_TOKEN - 1)),
        format!("{plain}{}", "A".repeat(MAX_TOKEN - plain.len())),
    ];
    for token in &bad {
        let taken = most(|| assert!(keys.verify(token, &profile, now).is_err()));
        assert!(taken <= 4 * token.len() + 1024, "{} octets took {taken}", token.len());
    }
    // Above the limit nothing is decoded at all.
    let long = format!("{plain}{}", "A".repeat(50_000_000));
    let taken = most(|| assert!(keys.verify(&long, &profile, now).is_err()));
    assert!(taken <= 1024, "{taken}");
}
