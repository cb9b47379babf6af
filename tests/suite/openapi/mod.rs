//! The `OpenAPI` documents (`docs/openapi/*.json`), held to what core answers.
//!
//! Three things keep them true: every reply of the list of cases is checked against them ([`check_reply`]); every path is asked
//! with every method and must be answered as the document says it has or has not that method; and the documents themselves
//! have no loose ends.

mod schema;

use schema::{Document, Schema};
use serde_json::{Map, Value};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};
use waxseal_core::{
    dialect::is_verification,
    seam::{Method, Peer, Request, Response, Unread, unavailable, unread},
    settings::Settings,
};
use waxseal_tests::{client::Reply, memory::Memory};

/// Every document with its name.
pub(crate) static DOCUMENTS: LazyLock<BTreeMap<&'static str, Value>> = LazyLock::new(|| {
    [
        ("redis", include_str!("../../../docs/openapi/redis.json")),
        ("openshift", include_str!("../../../docs/openapi/openshift.json")),
        ("elasticsearch", include_str!("../../../docs/openapi/elasticsearch.json")),
        ("gateway", include_str!("../../../docs/openapi/gateway.json")),
    ]
    .into_iter()
    .map(|(name, text)| (name, serde_json::from_str(text).unwrap()))
    .collect()
});

/// What the server answers itself, without the engine.
const OWN: [&str; 4] = ["/healthz", "/readyz", "/metrics", "/openapi/{dialect}.json"];

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// What a document says of a path.
struct Path {
    document: &'static str,
    template: &'static str,
    operations: &'static Map<String, Value>,
}

impl Path {
    /// Every path of every document.
    fn all() -> impl Iterator<Item = Self> {
        DOCUMENTS.iter().flat_map(|(document, value)| {
            let paths = value["paths"].as_object().unwrap();
            let path = move |(template, operations): (&'static String, &'static Value)| Self {
                document,
                template,
                operations: operations.as_object().unwrap(),
            };
            paths.iter().map(path)
        })
    }

    /// The path that `asked` is an instance of; the one with the fewest parameters, if there are several.
    fn of(asked: &str) -> Option<Self> {
        let asked = match asked.strip_suffix(".json").or_else(|| asked.strip_suffix(".xml")) {
            Some(bare) if asked.starts_with("/broker/") => bare,
            _ => asked,
        };
        Self::all().filter(|path| path.fits(asked)).min_by_key(|path| path.template.matches('{').count())
    }

    fn fits(&self, asked: &str) -> bool {
        // Below these two stands whatever a proxy appends.
        if let Some(above) = self.template.strip_suffix("/{path}") {
            return asked.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'));
        }
        let (stated, asked) = (self.template.split('/'), asked.split('/'));
        let same = |(stated, asked): (&str, &str)| stated == asked || stated.starts_with('{') && !asked.is_empty();
        stated.clone().count() == asked.clone().count() && stated.zip(asked).all(same)
    }

    fn operation(&self, method: &str) -> Option<&'static Value> {
        let method = if method == "HEAD" && !self.operations.contains_key("head") { "get" } else { method };
        self.operations.get(&method.to_ascii_lowercase())
    }

    /// Whether the path has the method, including the ones that every path has.
    fn takes(&self, method: &str) -> bool {
        let general = method == "OPTIONS" && self.document == "redis";
        general || self.operation(method).is_some()
    }

    /// An instance.
    fn example(&self) -> String {
        let segment = |segment: &'static str| match segment {
            "{uid}" => "1",
            "{role}" => "admin",
            "{id}" => "0123456789abcdef01234567",
            "{name}" => "laptop",
            "{path}" => "some/thing",
            other => other,
        };
        self.template.split('/').map(segment).collect::<Vec<_>>().join("/")
    }
}

/// `Err` with what `reply` has that its document does not say.
pub(crate) fn check_reply(request: &Request, reply: &Reply) -> Result<(), String> {
    // Refused before any path is looked at, or by what stands in front of core.
    if matches!(reply.status, 404 | 413 | 414 | 431) && reply.body.is_empty() {
        return Ok(());
    }
    let method = request.method.as_str();
    // Elasticsearch takes a slash at the end of a path for nothing, unless a name would be empty.
    let counts =
        |path: &&str| path.starts_with("/_") && !path.ends_with("security/user") && !path.ends_with("security/role");
    let path = request.path.strip_suffix('/').filter(counts).unwrap_or(&request.path);
    let Some(path) = Path::of(path) else {
        // Elasticsearch answers 400 to a path it does not know.
        let unknown = matches!(reply.status, 400 | 404 | 405) || request.path.starts_with("/admin");
        return if unknown { Ok(()) } else { Err(format!("no OpenAPI document knows `{}`", request.path)) };
    };
    let place = format!("{} {} in docs/openapi/{}.json", method, path.template, path.document);
    let Some(operation) = path.operation(method) else {
        let refused = path.takes(method) || matches!(reply.status, 401 | 404 | 405);
        return if refused { Ok(()) } else { Err(format!("{place} is not there")) };
    };
    let document = Document(&DOCUMENTS[path.document]);
    let Some(response) = operation["responses"].get(reply.status.to_string()).map(|response| document.resolve(response))
    else {
        return Err(format!("{place} has no status {}", reply.status));
    };
    for (name, header) in response.get("headers").and_then(Value::as_object).into_iter().flatten() {
        if header["required"] != false && reply.header(&name.to_ascii_lowercase()).is_none() {
            return Err(format!("{place}: {} has no header `{name}`", reply.status));
        }
    }
    if reply.body.is_empty() {
        return Ok(());
    }
    let declared = reply.header("content-type").unwrap_or_default();
    let media_type = declared.split(';').next().unwrap_or_default().trim();
    let Some(content) = response.get("content").and_then(|content| content.get(media_type)) else {
        return Err(format!("{place}: {} has no `{media_type}`", reply.status));
    };
    if !media_type.ends_with("json") {
        return Ok(());
    }
    let body = reply.json().ok_or_else(|| format!("{place}: the body is not JSON"))?;
    Schema { document, value: &content["schema"] }.check(&body).map_err(|why| format!("{place}: {}: {why}", reply.status))
}

#[test]
fn every_document_is_whole() {
    let mut ids = BTreeSet::new();
    for (name, value) in DOCUMENTS.iter() {
        assert_eq!(value["openapi"], "3.1.0", "{name}");
        assert_eq!(value["info"]["version"], env!("CARGO_PKG_VERSION"), "{name}");
        let document = Document(value);
        document.check_references();
        for path in Path::all().filter(|path| path.document == *name) {
            for (method, operation) in path.operations {
                let place = format!("{name}: {method} {}", path.template);
                assert!(
                    ids.insert((name, operation["operationId"].as_str().unwrap())),
                    "{place}: operationId is used twice"
                );
                let stated: BTreeSet<_> = operation["parameters"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter(|parameter| parameter["in"] == "path")
                    .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
                    .collect();
                let named: BTreeSet<_> = path
                    .template
                    .split('{')
                    .skip(1)
                    .map(|rest| format!("{{{}}}", rest.split('}').next().unwrap()))
                    .collect();
                assert_eq!(stated, named, "{place}: parameters");
                for (_, response) in operation["responses"].as_object().unwrap() {
                    let content = document.resolve(response).get("content").and_then(Value::as_object);
                    content.into_iter().flatten().for_each(|(_, media)| {
                        // Finds keywords that the checks would have to understand and do not.
                        let _ = Schema { document, value: &media["schema"] }.check(&Value::Null);
                    });
                }
            }
        }
    }
}

/// A body is read with every method, so it may be too large, come too late, or be packed with what is not read; those that come with the
/// questions of proxies are not unpacked.
#[test]
fn every_body_that_is_read_may_be_one_that_is_not() {
    for path in Path::all() {
        for (method, operation) in path.operations {
            let responses = operation["responses"].as_object().unwrap();
            let stated = ["408", "413", "415"].map(|status| responses.contains_key(status));
            let read = !OWN.contains(&path.template);
            let unpacks = read && !is_verification(path.template);
            assert_eq!(stated, [read, read, unpacks], "{method} {}", path.template);
        }
    }
}

/// `null` counts as absent in the broker's API, so it is as good as what may be left out.
#[test]
fn what_may_be_left_out_of_a_body_for_the_broker_may_be_null() {
    let document = Document(&DOCUMENTS["openshift"]);
    for name in ["NewAuthorization", "AuthorizationChange"] {
        let value = &document.0["components"]["schemas"][name];
        for (member, _) in value["properties"].as_object().unwrap() {
            let body = Value::Object([(member.clone(), Value::Null)].into_iter().collect());
            assert_eq!(Schema { document, value }.check(&body), Ok(()), "{name}");
        }
    }
}

/// Both directions: what a document has is answered, what it has not is refused as a wrong method.
#[test]
fn every_path_has_the_methods_its_document_says() {
    let mut memory = Memory::new(Settings::default());
    let mut ask = |method: &str, target: &str| {
        let request = Request::new(Method::parse(method), target).with_header("host", "127.0.0.1");
        let call = memory.call(Peer { address: Some([127, 0, 0, 1].into()), ..Peer::default() }, request);
        memory.play(&call).response
    };
    for path in Path::all().filter(|path| !OWN.contains(&path.template)) {
        for method in METHODS {
            let response = ask(method, &path.example());
            let place = format!("{method} {}: {}", path.template, response.status);
            if path.takes(method) {
                // The caller is not known, so it goes no further than that.
                assert!(!matches!(response.status, 404 | 405), "{place}");
                continue;
            }
            if path.document == "openshift" {
                // As the broker does; who may not know that a path exists is not told.
                assert!(matches!(response.status, 401 | 404 | 405), "{place}");
                continue;
            }
            assert_eq!(response.status, 405, "{place}");
            let allowed: BTreeSet<_> = response.header("allow").unwrap().split(',').map(str::trim).collect();
            let head_is_told = allowed.contains("HEAD");
            let stated: BTreeSet<_> =
                METHODS.into_iter().filter(|method| path.takes(method) && (*method != "HEAD" || head_is_told)).collect();
            assert_eq!(allowed, stated, "{place}: Allow");
        }
    }
}

/// What drivers answer by themselves: they read no body where proxies ask, but its length.
#[test]
fn what_is_answered_before_the_gateway_is_asked_is_in_its_document() {
    let mut memory = Memory::new(Settings::default());
    let own = ["/healthz", "/readyz", "/metrics", "/openapi/{dialect}.json"];
    for path in Path::all().filter(|path| path.document == "gateway" && !own.contains(&path.template)) {
        for method in METHODS.into_iter().filter(|method| path.takes(method)) {
            let request = Request::new(Method::parse(method), &path.example());
            let call = memory.call(Peer::default(), request);
            let reply = |response: Response| {
                let headers = response.headers.into_iter().map(|(name, value)| (name.into(), value));
                Reply { status: response.status, headers: headers.collect(), body: response.body }
            };
            let told = check_reply(&call.request, &reply(unavailable(&call, 1)));
            assert_eq!(told, Ok(()), "overloaded");
            for why in [Unread::TooLarge, Unread::TooSlow, Unread::Incomplete, Unread::TwoTypes] {
                assert_eq!(check_reply(&call.request, &reply(unread(&call, why))), Ok(()), "{why:?}");
            }
            let unpacks = path.operation(method).unwrap()["responses"].get("415").is_some();
            assert_eq!(unpacks, !is_verification(&call.request.path), "{method} {}", path.template);
        }
    }
}

#[test]
fn a_reply_that_no_document_allows_is_found() {
    let check = |line: &str, status: u16, headers: &[(&str, &str)], body: &str| {
        let (method, path) = line.split_once(' ').unwrap();
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let reply = Reply { status, headers, body: body.into() };
        check_reply(&Request::new(Method::parse(method), path), &reply)
    };
    let json = ("content-type", "application/json");
    let no_store = ("cache-control", "no-store");
    let authorize = "POST /v1/users/authorize";
    let token = r#"{"access_token":"a.b.c"}"#;
    assert_eq!(check(authorize, 200, &[json, no_store], token), Ok(()));
    assert_eq!(
        check(
            "GET /v1/users/17",
            401,
            &[json, ("www-authenticate", "Basic")],
            r#"{"error_code":"a","message":"b","description":"b"}"#
        ),
        Ok(())
    );
    for (line, status, headers, body) in [
        (authorize, 200, &[json][..], token),
        (authorize, 200, &[json, no_store], r#"{"access_token":"abc"}"#),
        (authorize, 200, &[json, no_store], r#"{"access_token":"a.b.c","more":1}"#),
        (authorize, 200, &[("content-type", "text/html"), no_store], token),
        (authorize, 204, &[no_store], ""),
        ("GET /v1/users/authorize", 200, &[json, no_store], token),
        ("GET /v1/other", 200, &[json], "{}"),
    ] {
        assert!(check(line, status, headers, body).is_err(), "{line} {status} {body}");
    }
}
