//! The one seam between the rules and the world.
//!
//! ```text
//!            begin(call)                resume(answer)
//!   driver ───────────────▶ Ask ─────────────────────────▶ Ask … ─▶ Done
//!                            │  ▲                                    │
//!                 read keys, │  │ records,               commit all  │ response, events
//!                 ranges,    ▼  │ derived bits           or start    ▼
//!                 derive   [world]                       over      [world]
//! ```
//!
//! Inside, an operation is a plain function over an [`Op`] that leaves with `?` when a value has not been read yet; each
//! answer replays it from the top. Time and entropy are part of the [`Call`], so a replay is exact.
//!
//! INVARIANT: every record an operation has read by its key is a precondition of its commit, so two operations that saw the same
//! records end in one of the two serial orders. This does not hold for the records of a range ([`Op::range`]): the commit goes in
//! even if they have changed meanwhile, or others have been added.

mod ask;
mod call;
mod done;
mod event;
mod known;
mod op;
mod request;
mod response;
mod step;
mod unread;
mod world;

pub use ask::{Answer, Ask, Derivation, Range, Record, RecordKey, Version};
pub use call::{Call, Entropy, Moment, Peer};
pub use done::{Check, Commit, Done, Expect, Write};
pub use event::{ACTIONS, Event, Outcome};
pub use op::{Op, Stop};
pub use request::{Method, Request};
pub use response::Response;
pub use step::{Pending, Step, begin, begin_prefetched, unavailable};
pub use unread::{Unread, has_two_types, unread};
pub use world::World;
