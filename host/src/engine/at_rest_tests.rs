//! What the store's file holds of OpenShift tokens: nothing that makes one.

use super::{Choice, Engine, Execution, Limits, Parts, StartError};
use crate::{
    clock::Clock,
    kdf,
    store::{Embedded, Store},
};
use std::{fs, path::Path, sync::Arc};
use waxseal_core::{
    password::Scheme,
    record::key,
    seam::{Commit, Expect, Method, Peer, Range, Request, Write},
    settings::Settings,
    time::UnixTime,
};
use zeroize::Zeroizing;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const LIST: &str = "/broker/rest/user/authorizations";
/// Of `admin:secret`.
const BASIC: &str = "Basic YWRtaW46c2VjcmV0";

struct Server {
    engine: Engine,
}

impl Server {
    async fn open(data: &Path, root: [u8; 32]) -> Self {
        Self::try_open(data, root).await.unwrap()
    }

    async fn try_open(data: &Path, root: [u8; 32]) -> Result<Self, StartError> {
        let clock = Arc::new(Clock::stopped_at(NOW));
        let store: Arc<dyn Store> = Arc::new(Embedded::open(data, Arc::clone(&clock)).unwrap());
        let mut settings = Settings::default();
        settings.passwords.scheme = Scheme::Argon2id { memory: 8, passes: 1, lanes: 1 };
        let engine = Engine::start(Parts {
            store,
            kdf: Arc::new(kdf::Pool::start(kdf::Limits::default(), settings.passwords.scheme).unwrap()),
            audit: Arc::new(()),
            clock,
            settings,
            root: Zeroizing::new(root),
            choice: Choice { hot: Execution::Native, api: Execution::Native },
            limits: Limits::default(),
        });
        Ok(Self { engine: engine.await? })
    }

    async fn call(&self, method: Method, path: &str, authorization: &str, body: &str) -> (u16, Vec<u8>) {
        let request = Request::new(method, path).with_header("host", "h").with_header("authorization", authorization);
        let response = self.engine.answer(request.with_body(body), Peer::default()).await;
        (response.status, response.body)
    }

    async fn make_admin(&self) {
        let peer = Peer { local: true, ..Peer::default() };
        let request = Request::new(Method::Post, "/admin/bootstrap").with_header("content-type", "application/json");
        let request = request.with_body(r#"{"name": "admin", "password": "secret"}"#);
        assert_eq!(self.engine.answer(request, peer).await.status, 201);
    }

    async fn add(&self, form: &str) -> serde_json::Value {
        let (status, body) = self.call(Method::Post, LIST, BASIC, form).await;
        assert_eq!(status, 201);
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()["data"].take()
    }
}

fn holds(file: &[u8], text: &[u8]) -> bool {
    file.windows(text.len()).any(|window| window == text)
}

#[tokio::test]
async fn a_stolen_store_makes_no_token() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::open(home.path(), [9; 32]).await;
    server.make_admin().await;
    let mut tokens = Vec::new();
    for scope in ["session", "read", "userinfo"] {
        let made = server.add(&format!("scope={scope}&note=find-me-{scope}")).await;
        tokens.push((made["token"].as_str().unwrap().to_owned(), made["id"].as_str().unwrap().to_owned()));
    }
    let (session, _) = tokens[0].clone();
    assert_eq!(server.call(Method::Get, LIST, &format!("Bearer {session}"), "").await.0, 200);
    drop(server);

    let octets: Vec<u8> =
        fs::read_dir(home.path()).unwrap().flat_map(|entry| fs::read(entry.unwrap().path()).unwrap_or_default()).collect();
    // The file is the right one and is not encrypted as a whole, so that finding nothing means something.
    assert!(holds(&octets, b"find-me-session"));
    for (token, id) in &tokens {
        assert!(holds(&octets, id.as_bytes()));
        let raw: Vec<u8> = (0..64).step_by(2).map(|at| u8::from_str_radix(&token[at..at + 2], 16).unwrap()).collect();
        assert!(!holds(&octets, token.as_bytes()) && !holds(&octets, &raw) && !holds(&octets, &raw[..8]));
    }

    // Whoever has the store without the root secret cannot even start on it. With the sealed keys thrown away they can, but what is
    // derived from their own secret is none of the earlier tokens.
    assert!(Server::try_open(home.path(), [8; 32]).await.is_err());
    unlock(home.path()).await;
    let thief = Server::open(home.path(), [8; 32]).await;
    assert_eq!(thief.call(Method::Get, LIST, &format!("Bearer {session}"), "").await.0, 401);
    let (_, listed) = thief.call(Method::Get, LIST, BASIC, "").await;
    assert!(tokens.iter().all(|(token, _)| !holds(&listed, token.as_bytes())));
}

/// Deletes the signing keys.
async fn unlock(data: &Path) {
    let store = Embedded::open(data, Arc::new(Clock::stopped_at(NOW))).unwrap();
    let keys = store.range(&Range { prefix: key::SIGNING_KEYS.into(), after: String::new(), limit: 100 }).await.unwrap();
    assert!(!keys.is_empty());
    let writes = keys.into_iter().map(|(key, _)| Write { key, expect: Expect::Any, value: None, expires: None });
    store.commit(Commit { checks: Vec::new(), writes: writes.collect() }).await.unwrap();
}
