//! Everything between a socket and [`Answer::answer`].

mod answer;
mod limits;
mod network;

pub use answer::Answer;
pub use limits::Limits;
pub use network::{Network, NetworkError};
