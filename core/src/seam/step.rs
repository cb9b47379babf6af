//! The steps of a call.

use super::{Answer, Ask, Call, Done, Method, Op, Record, RecordKey, Response, Stop, known::Known};
use crate::{dialect, engine, refusal::Refusal};
use alloc::{string::ToString, sync::Arc, vec::Vec};
use core::mem;

/// How many answers an operation may need; more is a defect of a rule, and the call ends with 503.
const MAX_ROUNDS: u8 = 24;

/// Where a call stands.
#[must_use]
#[derive(Debug)]
pub enum Step {
    /// Values are missing.
    Ask(Pending),
    /// The end.
    Done(Done),
}

/// A call that waits for an answer.
#[derive(Debug)]
pub struct Pending {
    call: Arc<Call>,
    known: Known,
    ask: Ask,
    rounds: u8,
}

/// Starts a call. To start over after a lost race, call it again with the same `call`.
pub fn begin(call: Arc<Call>) -> Step {
    run(call, Known::default(), 0)
}

/// Like [`begin`], by a driver that has read ahead what the call is likely to ask for: records as they stand now, `None` for
/// those that do not exist. They save questions and change nothing else: what the call does not ask for is as if it had not
/// been read. Of a record that is named twice, the first counts.
pub fn begin_prefetched(call: Arc<Call>, records: Vec<(RecordKey, Option<Record>)>) -> Step {
    run(call, Known::prefetched(records), 0)
}

impl Pending {
    /// What is missing.
    pub fn ask(&self) -> &Ask {
        &self.ask
    }

    /// Spends the question with its answer; returns the next question or the end. An answer that does not fit its question
    /// ends the call with 503.
    pub fn resume(self, answer: Answer) -> Step {
        let Self { call, mut known, ask, rounds } = self;
        match known.learn(ask, answer) {
            Some(()) => run(call, known, rounds + 1),
            None => defect(),
        }
    }
}

/// The answer of a driver that cannot do its part, in the dialect of the call: 503 with `Retry-After`, in seconds. Nothing has changed,
/// or nobody knows whether anything has.
pub fn unavailable(call: &Call, retry_after: u32) -> Response {
    let known = Known::default();
    let op = Op::new(call, &known);
    let mut response = dialect::refuse(&op, &Refusal::Unavailable { retry_after });
    for (name, value) in [("retry-after", retry_after.to_string()), ("cache-control", "no-store".into())] {
        if response.header(name).is_none() {
            response = response.with_header(name, value);
        }
    }
    if call.request.method == Method::Head { without_body(response) } else { response }
}

fn run(call: Arc<Call>, mut known: Known, rounds: u8) -> Step {
    let op = Op::new(&call, &known);
    let Some(response) = response(&op) else {
        let (ask, verified) = op.into_ask();
        known.verified = known.verified.or(verified);
        if ask.is_empty() || rounds >= MAX_ROUNDS {
            return defect();
        }
        return Step::Ask(Pending { call, known, ask, rounds });
    };
    Step::Done(finish(response, op))
}

/// What is answered; `None` while something has not been read yet.
fn response(op: &Op<'_>) -> Option<Response> {
    let refused = match dialect::answer(op) {
        Err(Stop::Need) => return None,
        Ok(response) => return Some(response),
        Err(Stop::Refuse(refusal)) => {
            op.note_token(&refusal);
            dialect::refuse(op, &refusal)
        }
        Err(Stop::Answer(response)) => *response,
    };
    op.drop_changes();
    if refused.status == 403
        && let Err(Stop::Need) = engine::audit_denied(op)
    {
        return None;
    }
    Some(refused)
}

fn finish(response: Response, op: Op<'_>) -> Done {
    let response = if op.request.method == Method::Head { without_body(response) } else { response };
    op.into_done(response)
}

/// Everything that GET gives, but the body (RFC 9110, 9.3.2); with its length, as there are hosts that would say 0 (8.6). Not that of a
/// refusal, which may name the method.
fn without_body(mut response: Response) -> Response {
    match mem::take(&mut response.body).len() {
        length @ 1.. if response.status < 400 => response.with_header("content-length", length.to_string()),
        _ => response,
    }
}

/// The answer to a broken promise between core and its driver: refuse, change nothing.
fn defect() -> Step {
    let response = Response::empty(503).with_header("retry-after", "1");
    Step::Done(Done { response, commit: super::Commit::default(), events: Vec::new(), token_refusal: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        seam::Moment,
        testing::{TestWorld, basic, request},
    };
    use alloc::string::String;

    /// A driver that cannot do its part says so in the form that the clients of each dialect read.
    #[test]
    fn who_cannot_answer_says_so_in_the_dialect_of_the_request() {
        let world = TestWorld::with_admin("admin password");
        let moment = || Moment { now: world.now(), ..Moment::default() };
        let call = |line: &str| Call { request: request(line, ""), moment: moment(), world: Arc::new(world.world()) };
        let unavailable = |line: &str| unavailable(&call(line), 7);
        for (line, told) in [
            ("POST /v1/users/authorize", "\"error_code\":\"unavailable\""),
            ("POST /_security/oauth2/token", "\"type\":\"unavailable_exception\""),
            ("GET /broker/rest/user", "\"status\":\"service_unavailable\""),
            ("GET /broker/rest/api", "the server cannot answer this now"),
            ("GET /broker/rest/user.xml", "<text>the server cannot answer this now</text>"),
            ("POST /admin/users", "\"unavailable\""),
            ("GET /auth/verify", ""),
            ("HEAD /v1/users", ""),
        ] {
            let response = unavailable(line);
            let body = String::from_utf8_lossy(&response.body);
            assert_eq!(response.status, 503, "{line}");
            assert!(body.contains(told) && body.is_empty() == told.is_empty(), "{line}: {body}");
            assert_eq!(response.header("cache-control"), Some("no-store"), "{line}");
            assert_eq!(response.header("retry-after"), Some("7"), "{line}");
        }
        assert_eq!(unavailable("GET /_security/_authenticate").header("x-elastic-product"), Some("Elasticsearch"));
    }

    /// The answer shows the last login, which the login has written before: whether that record was read ahead or only when asked for,
    /// the commit has the same conditions. The world of the tests compares them.
    #[test]
    fn what_is_read_after_it_was_written_is_a_condition_too() {
        let mut world = TestWorld::with_admin("admin password");
        let change = request("PUT /v1/users/1", r#"{"email_alerts": false}"#);
        let changed = world.call(change.with_header("authorization", &basic("admin", "admin password")));
        assert_eq!(changed.status, 200);
    }
}
