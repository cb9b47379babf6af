//! What holds wherever the module runs.

use js_sys::{Array, Reflect, Uint8Array};
use serde_json::{Value, json};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;
use waxseal_wasm::js::{Engine, Step, entropy};

const NOW: f64 = 1_935_990_489_000.0;

fn js(value: &Value) -> JsValue {
    js_sys::JSON::parse(&value.to_string()).unwrap()
}

fn member(of: &JsValue, path: &str) -> JsValue {
    path.split('.').fold(of.clone(), |value, name| Reflect::get(&value, &name.into()).unwrap())
}

fn length(of: &JsValue) -> u32 {
    Array::from(of).length()
}

fn engine() -> Engine {
    let mut engine = Engine::new("{}", vec![9; 32]).unwrap();
    engine.open(Array::new().into(), NOW).unwrap();
    engine
}

fn begin(engine: &Engine, method: &str, path: &str, authorization: Option<&str>) -> Step {
    let request = js(&json!({ "method": method, "path": path, "query": "", "headers": [] }));
    let headers = Array::new();
    if let Some(value) = authorization {
        headers.push(&Array::of2(&"authorization".into(), &Uint8Array::from(value.as_bytes())));
    }
    Reflect::set(&request, &"headers".into(), &headers).unwrap();
    Reflect::set(&request, &"body".into(), &Uint8Array::new_with_length(0)).unwrap();
    let moment = js(&json!({ "nowMillis": NOW, "order": 0, "address": "192.0.2.1", "local": false, "secure": true }));
    let seed = entropy().unwrap();
    Reflect::set(&moment, &"entropy".into(), &Uint8Array::from(seed.as_slice())).unwrap();
    engine.begin(request, moment).unwrap()
}

/// The stable code of what was thrown.
fn code(thrown: &JsValue) -> String {
    Array::from(thrown).get(0).as_string().unwrap()
}

#[wasm_bindgen_test]
fn the_platform_has_randomness() {
    let (one, other) = (entropy().unwrap(), entropy().unwrap());
    assert_eq!(one.len(), 32);
    assert_ne!(one, other);
}

#[wasm_bindgen_test]
fn administration_is_not_there_from_outside() {
    let step = begin(&engine(), "GET", "/admin/users", None);
    assert!(step.ask().unwrap().is_undefined());
    let done = step.done().unwrap();
    assert_eq!(member(&done, "response.status").as_f64(), Some(404.0));
    assert_eq!(length(&member(&done, "commit.writes")), 0);
}

#[wasm_bindgen_test]
fn a_login_asks_for_records_and_then_for_a_derivation() {
    let mut step = begin(&engine(), "POST", "/v1/users/authorize", Some("Basic YW5uOmFubi0x"));
    let mut derivations = 0;
    for _ in 0..10 {
        let ask = step.ask().unwrap();
        if ask.is_undefined() {
            break;
        }
        let answer = js(&json!({ "records": vec![Value::Null; length(&member(&ask, "keys")) as usize],
            "ranges": vec![json!([]); length(&member(&ask, "ranges")) as usize], "derived": null }));
        if member(&ask, "derive").is_object() {
            derivations += 1;
            assert!(member(&ask, "derive.salt").is_instance_of_uint8_array());
            Reflect::set(&answer, &"derived".into(), &Uint8Array::new_with_length(32)).unwrap();
        }
        step = step.resume(answer).unwrap();
    }
    let done = step.done().unwrap();
    assert_eq!((derivations, member(&done, "response.status").as_f64()), (1, Some(401.0)));
    // The failure is counted.
    assert!(length(&member(&done, "commit.writes")) > 0);
}

#[wasm_bindgen_test]
fn an_answer_that_does_not_fit_is_a_refusal() {
    let step = begin(&engine(), "POST", "/v1/users/authorize", Some("Basic YW5uOmFubi0x"));
    let done = step.resume(js(&json!({ "records": [], "ranges": [], "derived": null }))).unwrap().done().unwrap();
    assert_eq!(member(&done, "response.status").as_f64(), Some(503.0));
    let step = begin(&engine(), "POST", "/v1/users/authorize", Some("Basic YW5uOmFubi0x"));
    assert_eq!(code(&step.resume(js(&json!({ "records": 1 }))).err().unwrap()), "bad_answer");
}

#[wasm_bindgen_test]
fn mistakes_have_codes() {
    let thrown = |settings: Value, root: usize| code(&Engine::new(&settings.to_string(), vec![1; root]).err().unwrap());
    assert_eq!(thrown(json!({ "no_such": 1 }), 32), "bad_settings");
    assert_eq!(thrown(json!({ "leeway": 61 }), 32), "bad_settings");
    assert_eq!(thrown(json!({ "leeway": "1" }), 32), "bad_settings");
    assert_eq!(thrown(json!({}), 31), "bad_root_key");
    let mut engine = Engine::new("{}", vec![9; 32]).unwrap();
    assert_eq!(
        code(&engine.open(Array::of1(&Uint8Array::new_with_length(5)).into(), NOW).err().unwrap()),
        "unreadable_keys"
    );
    assert_eq!(code(&engine.begin(js(&json!({ "method": 1 })), JsValue::NULL).err().unwrap()), "bad_call");
}

trait IsUint8Array {
    fn is_instance_of_uint8_array(&self) -> bool;
}

impl IsUint8Array for JsValue {
    fn is_instance_of_uint8_array(&self) -> bool {
        wasm_bindgen::JsCast::is_instance_of::<Uint8Array>(self)
    }
}
