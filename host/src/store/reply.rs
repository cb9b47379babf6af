//! An answer that may be there already.

use super::StoreError;
use core::{
    future::Future,
    pin::{Pin, pin},
    task::{Context, Poll},
};
use std::{
    sync::Arc,
    task::{Wake, Waker},
    thread::{self, Thread},
};

/// What a store answers: at once, or later. Await it, or [`wait`](Self::wait) outside of a runtime.
#[must_use]
pub enum Reply<'a, T> {
    /// The answer is at hand; `None` once it has been taken.
    Ready(Option<Result<T, StoreError>>),
    /// The answer is under way.
    Pending(Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>),
}

impl<'a, T> Reply<'a, T> {
    /// An answer that is at hand.
    pub const fn ready(answer: Result<T, StoreError>) -> Self {
        Self::Ready(Some(answer))
    }

    /// An answer that is under way.
    pub fn pending(answer: impl Future<Output = Result<T, StoreError>> + Send + 'a) -> Self {
        Self::Pending(Box::pin(answer))
    }

    /// Blocks the thread until the answer is there: for tests and benchmarks, never inside a runtime.
    pub fn wait(self) -> Result<T, StoreError>
    where
        T: Unpin,
    {
        if let Self::Ready(Some(answer)) = self {
            return answer;
        }
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let (mut reply, mut context) = (pin!(self), Context::from_waker(&waker));
        loop {
            match reply.as_mut().poll(&mut context) {
                Poll::Ready(answer) => return answer,
                Poll::Pending => thread::park(),
            }
        }
    }
}

impl<T: Unpin> Future for Reply<'_, T> {
    type Output = Result<T, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Ready(answer) => Poll::Ready(answer.take().unwrap_or_else(|| Err(StoreError::taken()))),
            Self::Pending(answer) => answer.as_mut().poll(context),
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}
