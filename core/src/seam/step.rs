//! The steps of a call.

use super::{Answer, Ask, Call, Done, Key, Method, Op, Record, Response, Stop, known::Known};
use crate::{dialect, refusal::Refusal};
use alloc::{sync::Arc, vec::Vec};

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
/// been read. Named twice, the first counts.
pub fn begin_foreseeing(call: Arc<Call>, records: Vec<(Key, Option<Record>)>) -> Step {
    run(call, Known::foreseeing(records), 0)
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

/// What a driver answers that cannot do its part, in the dialect of the call: 503 with `Retry-After`, in seconds. Nothing has changed,
/// or nobody knows whether it has.
pub fn unavailable(call: &Call, retry_after: u32) -> Response {
    let known = Known::default();
    let op = Op::new(call, &known);
    let mut response = dialect::refuse(&op, &Refusal::Unavailable { retry_after });
    if response.header("cache-control").is_none() {
        response = response.with_header("cache-control", "no-store");
    }
    if call.request.method == Method::Head {
        response.body.clear();
    }
    response
}

fn run(call: Arc<Call>, mut known: Known, rounds: u8) -> Step {
    let op = Op::new(&call, &known);
    match dialect::answer(&op) {
        Err(Stop::Need) => {
            let (ask, verified) = op.into_ask();
            known.verified = known.verified.or(verified);
            if ask.is_empty() || rounds >= MAX_ROUNDS {
                return defect();
            }
            Step::Ask(Pending { call, known, ask, rounds })
        }
        Ok(response) => Step::Done(finish(response, op)),
        Err(Stop::Refuse(refusal)) => {
            op.note_token(&refusal);
            refuse(dialect::refuse(&op, &refusal), op)
        }
        Err(Stop::Answer(response)) => refuse(*response, op),
    }
}

fn refuse(response: Response, op: Op<'_>) -> Step {
    op.drop_changes();
    Step::Done(finish(response, op))
}

fn finish(mut response: Response, op: Op<'_>) -> Done {
    if op.request.method == Method::Head {
        // Everything a GET would have, but the body (RFC 9110, 9.3.2).
        response.body.clear();
    }
    op.into_done(response)
}

/// The answer to a broken promise between core and its driver: refuse, change nothing.
fn defect() -> Step {
    let response = Response::empty(503).with_header("retry-after", "1");
    Step::Done(Done { response, commit: super::Commit::default(), events: Vec::new(), token_refusal: None })
}
