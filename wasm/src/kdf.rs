//! Password derivations for JavaScript. Numbers cross the border, texts lie in one buffer: `salt`, then `password`; the result
//! takes their place. There is one derivation at a time.

use core::cell::RefCell;
use waxseal_core::{
    password::{self, Memory, Scheme},
    seam::Derivation,
};
use zeroize::{Zeroize, Zeroizing};

/// What the buffer holds: a salt of at most 64 octets and a prepared password of at most 1024 fit well.
const ROOM: usize = 4096;

thread_local! {
    static BUFFER: RefCell<[u8; ROOM]> = const { RefCell::new([0; ROOM]) };
    static MEMORY: RefCell<Memory> = RefCell::new(Memory::default());
}

/// Where the buffer is.
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn buffer() -> *mut u8 {
    BUFFER.with_borrow_mut(|buffer| buffer.as_mut_ptr())
}

/// How many octets the buffer holds.
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn room() -> usize {
    ROOM
}

/// Argon2id. 0 when the 32 octets are in the buffer; 1 when cost or salt are out of bounds; 2 when the memory cannot be had.
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn argon2id(memory: u32, passes: u32, lanes: u32, salt: usize, password: usize) -> u32 {
    derive(Scheme::Argon2id { memory, passes, lanes }, salt, password)
}

/// PBKDF2-HMAC-SHA256; ends like [`argon2id`].
#[expect(unsafe_code, reason = "an exported name")]
#[unsafe(no_mangle)]
extern "C" fn pbkdf2(iterations: u32, salt: usize, password: usize) -> u32 {
    derive(Scheme::Pbkdf2Sha256 { iterations }, salt, password)
}

fn derive(scheme: Scheme, salt: usize, password: usize) -> u32 {
    BUFFER.with_borrow_mut(|buffer| {
        let derivation = buffer.split_at_checked(salt).and_then(|(salt, rest)| {
            let password = Zeroizing::new(rest.get(..password)?.to_vec());
            Some(Derivation { scheme, salt: salt.to_vec(), password })
        });
        buffer.zeroize();
        let Some(derivation) = derivation else { return 1 };
        match MEMORY.with_borrow_mut(|memory| password::derive(&derivation, memory)) {
            Ok(bits) => {
                buffer.iter_mut().zip(bits.iter()).for_each(|(to, from)| *to = *from);
                0
            }
            Err(password::SchemeError::OutOfMemory) => 2,
            Err(_) => 1,
        }
    })
}
