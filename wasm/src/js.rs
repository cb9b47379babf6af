//! The JavaScript face of core: converts types.

use wasm_bindgen::prelude::wasm_bindgen;
use waxseal_core::{seam::World, time::UnixTime};

/// Checks signature, times and profile of an access token against a world made by `World::to_bytes`. `undefined` when it
/// is good, else the stable code of the refusal.
#[wasm_bindgen]
pub fn verify(world: &[u8], token: &str, now_millis: f64) -> Option<String> {
    let Some(world) = World::from_bytes(world) else { return Some("bad_world".into()) };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, NaN becomes 0")]
    let now = UnixTime::from_millis(now_millis as u64);
    world.verify(token, now).err().map(|refusal| refusal.code().into())
}
