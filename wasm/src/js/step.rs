//! Where a call stands.

use super::{fault::Fault, shapes};
use wasm_bindgen::prelude::*;
use waxseal_core::seam::{self, Commit, Done, Response};

/// Where a call stands: at a question, or at its end. Spent by [`Step::resume`] and [`Step::done`].
#[wasm_bindgen]
pub struct Step(seam::Step);

impl Step {
    pub(super) fn new(step: seam::Step) -> Self {
        Self(step)
    }

    /// Where nothing is asked and nothing changes.
    pub(super) fn at_end(response: Response) -> Self {
        Self(seam::Step::Done(Done { response, commit: Commit::default(), events: Vec::new(), token_refusal: None }))
    }
}

#[wasm_bindgen]
impl Step {
    /// The question; `undefined` at the end.
    ///
    /// # Errors
    /// None that a caller can cause.
    pub fn ask(&self) -> Result<JsValue, JsValue> {
        match &self.0 {
            seam::Step::Ask(pending) => shapes::write(&shapes::Ask::from(pending.ask())),
            seam::Step::Done(_) => Ok(JsValue::UNDEFINED),
        }
    }

    /// The next step, after the question has been answered.
    ///
    /// # Errors
    /// `bad_answer` when the answer is not of the right shape, or there was no question.
    pub fn resume(self, answer: JsValue) -> Result<Step, JsValue> {
        match self.0 {
            seam::Step::Ask(pending) => {
                Ok(Self(pending.resume(shapes::read::<shapes::Answer>(answer, "bad_answer")?.into())))
            }
            seam::Step::Done(_) => Err(Fault::new("bad_answer", "the call has ended").into()),
        }
    }

    /// The end.
    ///
    /// # Errors
    /// `bad_answer` when there is still a question.
    pub fn done(self) -> Result<JsValue, JsValue> {
        match self.0 {
            seam::Step::Done(done) => shapes::write(&shapes::Done::from(done)),
            seam::Step::Ask(_) => Err(Fault::new("bad_answer", "the call has not ended").into()),
        }
    }
}
