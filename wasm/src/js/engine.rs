//! Settings, root secret, signing keys.

use super::{Step, fault::Fault, shapes};
use crate::millis::time;
use core::net::IpAddr;
use std::sync::Arc;
use wasm_bindgen::prelude::*;
use waxseal_core::{
    engine::MAX_KEYS,
    record::key::SIGNING_KEYS,
    seam::{self, Call, Entropy, Method, Moment, Peer, World},
    settings::Settings,
    vault::Vault,
};
use zeroize::{Zeroize, Zeroizing};

/// Settings and secrets, in which calls are begun.
#[wasm_bindgen]
pub struct Engine {
    settings: Settings,
    root: Zeroizing<[u8; 32]>,
    world: Option<Arc<World>>,
}

#[wasm_bindgen]
impl Engine {
    /// `settings` as JSON, as their document names them, each with its default; `root` is the secret of 32 octets outside the store.
    ///
    /// # Errors
    /// `bad_settings`, `bad_root_key`.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str, mut root: Vec<u8>) -> Result<Self, JsValue> {
        let octets = <[u8; 32]>::try_from(root.as_slice()).map(Zeroizing::new);
        root.zeroize();
        let root = octets.map_err(|_| Fault::new("bad_root_key", "the root key does not have 32 octets"))?;
        let settings: Settings =
            serde_json::from_slice(settings.as_bytes()).map_err(|error| Fault::new("bad_settings", error))?;
        settings.check().map_err(|error| Fault::new("bad_settings", error))?;
        Ok(Self { settings, root, world: None })
    }

    /// What the keys of signing keys in the store start with.
    #[wasm_bindgen(getter, js_name = keysPrefix)]
    pub fn keys_prefix(&self) -> String {
        SIGNING_KEYS.into()
    }

    /// How many of them there may be.
    #[wasm_bindgen(getter, js_name = mostKeys)]
    pub fn most_keys(&self) -> u32 {
        MAX_KEYS
    }

    /// Opens the signing keys, as they are stored now.
    ///
    /// # Errors
    /// `unreadable_keys` when one is damaged or was sealed under another root key.
    pub fn open(&mut self, values: JsValue, now_millis: f64) -> Result<(), JsValue> {
        let values: Vec<serde_bytes::ByteBuf> = shapes::read(values, "bad_call")?;
        let opened = Vault::open(*self.root, values.iter().map(|value| value.as_slice()), time(now_millis));
        let unreadable = "a signing key cannot be opened: it is damaged or was sealed under another root key";
        let vault = opened.map_err(|_| Fault::new("unreadable_keys", unreadable))?;
        self.world = Some(Arc::new(World { settings: self.settings.clone(), vault }.keyed()));
        Ok(())
    }

    /// Starts a call; for a request whose body could not be read, it is at its end at once. To start over after a lost race, call this
    /// again with the same arguments.
    ///
    /// # Errors
    /// `bad_call`, `bad_address`; `not_open` before [`Engine::open`].
    pub fn begin(&self, request: JsValue, moment: JsValue) -> Result<Step, JsValue> {
        let shapes::Request { method, path, query, headers, body, unread } = shapes::read(request, "bad_call")?;
        let headers = headers.into_iter().map(|(name, value)| (name, value.into_vec())).collect();
        let method = Method::parse(&method);
        let request = seam::Request { method, path, query, headers, body: body.into_vec() };
        let shapes::Moment { now_millis, order, entropy, address, local, secure } = shapes::read(moment, "bad_call")?;
        let peer = Peer { address: address.as_deref().map(parse_address).transpose()?, local, secure, host: None };
        let entropy = entropy.and_then(|octets| <[u8; 32]>::try_from(octets.as_slice()).ok()).map(Entropy::new);
        let moment = Moment { now: time(now_millis), order, entropy, peer };
        let world = self.world.clone().ok_or_else(|| Fault::new("not_open", "the signing keys have not been opened"))?;
        let call = Call { request, moment, world };
        Ok(match unread {
            None => Step::new(seam::begin(Arc::new(call))),
            Some(why) => Step::at_end(seam::unread(&call, shapes::unread(&why)?)),
        })
    }
}

/// 32 octets from the platform's generator, for one call or a new root key; `undefined` where there is none, and then nothing
/// is issued (security E1).
#[wasm_bindgen]
pub fn entropy() -> Option<Vec<u8>> {
    let mut octets = Zeroizing::new([0; 32]);
    getrandom::fill(octets.as_mut_slice()).ok().map(|()| octets.to_vec())
}

fn parse_address(text: &str) -> Result<IpAddr, Fault> {
    text.parse().map_err(|_| {
        Fault::new("bad_address", format_args!("`clientAddress` gave `{text:.64}`, which is not one bare IP address"))
    })
}
