//! Runs core: asks the store and the derivation pool for what a call misses, commits what it decides, answers.

mod audit;

pub use audit::{Audit, Occasion};

use std::sync::Arc;
use waxseal_core::seam::{self, Call, Moment, Peer, Request, Response, Step, World};

use crate::clock::Clock;

/// The engine behind every route.
pub struct Engine {
    clock: Arc<Clock>,
    world: arc_swap::ArcSwap<World>,
}

impl Engine {
    /// An engine over `world`.
    pub fn new(world: World, clock: Arc<Clock>) -> Self {
        Self { clock, world: arc_swap::ArcSwap::from_pointee(world) }
    }

    /// Answers one request.
    pub async fn answer(&self, request: Request, peer: Peer) -> Response {
        let moment = Moment { now: self.clock.now(), entropy: None, peer };
        match seam::begin(Arc::new(Call { request, moment, world: self.world.load_full() })) {
            Step::Done(done) if done.commit.is_empty() => done.response,
            _ => Response::empty(503).with_header("retry-after", "1"),
        }
    }
}
