//! A connection that hands on only what [`Framing`] lets pass, in the time it may take.

use super::{Limits, framing::Framing};
use core::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use std::io;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// How long, and over how many octets, a closing connection still listens: closing a socket with unread input resets it, and
/// the client might lose the answer that told it why.
const LINGER_TIME: Duration = Duration::from_secs(1);
const LINGER_OCTETS: usize = 4 * 1024 * 1024;
/// It asks for the body: when it is written alone, it is no answer yet.
const INTERIM: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// Octets a second that a client takes of an answer at least, on average after the time that a request may take.
const SLOWEST: u64 = 4096;

/// A connection under the limits of time and grammar.
///
/// A head that breaks the grammar is handed on with a NUL instead of its line end, and then with what looks like the end of a head, as
/// hyper looks at a head that comes in pieces only when it has ended: it answers with 400 and a close. A body that breaks the grammar
/// ends in an error, which the reader of the body answers. Too slow a client causes an error of kind `TimedOut`.
pub(super) struct Strict<IO> {
    io: IO,
    framing: Framing,
    limits: Limits,
    broken: Option<Ending>,
    /// When the present state began: accepted, head begun, request begun, response written to its end.
    since: Instant,
    state: State,
    write_stalled: Option<Instant>,
    /// When the first of the answers began to be written that the client has not taken whole, and how much has been since; `None` while
    /// there is none. It says nothing of the next request, whose head may have come long before.
    answer: Option<(Instant, u64)>,
    /// One timer a connection, moved only when it would fire too late: an early alarm is cheaper than moving it every time.
    timer: Pin<Box<Sleep>>,
    lingered: Option<usize>,
}

/// How a broken stream looks to hyper from now on.
#[derive(Clone, Copy)]
enum Ending {
    /// After the NUL there is this to read, and then nothing more.
    Head(&'static [u8]),
    Body(&'static str),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Nothing has come yet.
    New,
    /// A request is complete or its body is coming, and no answer has been written.
    Asked,
    /// The last thing that happened was our answer.
    Answered,
    /// A head has begun.
    Head,
}

impl<IO> Strict<IO> {
    pub(super) fn new(io: IO, limits: &Limits) -> Self {
        Self {
            io,
            framing: Framing::new(limits),
            limits: *limits,
            broken: None,
            since: Instant::now(),
            state: State::New,
            write_stalled: None,
            answer: None,
            timer: Box::pin(sleep(limits.head_time)),
            lingered: None,
        }
    }

    /// Looks at what has been read into `buf` from `start` on.
    fn inspect(&mut self, buf: &mut ReadBuf<'_>, start: usize) -> io::Result<()> {
        let requests = self.framing.requests();
        let verdict = self.framing.inspect(buf.filled().get(start..).unwrap_or_default());
        if let Err(broken) = verdict {
            tracing::debug!(why = broken.why, "refused a malformed request");
            buf.set_filled(start + broken.passed);
            if broken.in_head {
                // There is room: the octet that is held back left it.
                buf.put_slice(b"\0");
                self.broken = Some(Ending::Head(b"\r\n\r\n"));
            } else {
                self.broken = Some(Ending::Body(broken.why));
                if broken.passed == 0 {
                    return Err(malformed(broken.why));
                }
            }
        }
        let asked = self.framing.requests() > requests;
        if self.framing.is_in_head() {
            if asked || self.state != State::Head {
                self.enter(State::Head);
            }
        } else if asked {
            self.enter(State::Asked);
        }
        Ok(())
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.since = Instant::now();
    }

    /// Until when the next octet must have come; `None` while the client waits for us.
    fn read_deadline(&self) -> Option<Instant> {
        // While an answer is being taken, its own limit holds.
        if self.write_stalled.is_some() {
            return None;
        }
        let patience = if self.framing.is_in_head() || self.state == State::New {
            self.limits.head_time
        } else if !self.framing.is_between_requests() {
            self.limits.request_time
        } else if self.state == State::Asked {
            return None;
        } else {
            self.limits.idle_time
        };
        Some(self.since + patience)
    }

    /// Whether `deadline` has passed; else wakes the task once it has.
    fn is_late(&mut self, cx: &mut Context<'_>, deadline: Instant) -> bool {
        if self.timer.deadline() > deadline {
            self.timer.as_mut().reset(deadline);
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            if Instant::now() >= deadline {
                return true;
            }
            self.timer.as_mut().reset(deadline);
        }
        false
    }

    /// So many octets have been written, of what begins with `part`.
    fn wrote(&mut self, octets: usize, part: &[u8]) {
        self.write_stalled = None;
        if octets == INTERIM.len() && part.starts_with(INTERIM) {
            return;
        }
        if self.state == State::Asked {
            self.enter(State::Answered);
        }
        let (_, written) = self.answer.get_or_insert_with(|| (Instant::now(), 0));
        *written = written.saturating_add(octets as u64);
    }

    /// Turns a write that cannot go on into an error once the client has taken too long, whether it takes nothing for a while or too
    /// little all the time: what waits to be written is held in memory.
    fn stalled<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let since = *self.write_stalled.get_or_insert_with(Instant::now);
        let (begun, written) = self.answer.unwrap_or((since, 0));
        let deadline = (begun + Duration::from_secs(written / SLOWEST)).min(since) + self.limits.request_time;
        if self.is_late(cx, deadline) { Poll::Ready(Err(io::ErrorKind::TimedOut.into())) } else { Poll::Pending }
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Strict<IO> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.broken {
            Some(Ending::Head(rest)) => {
                let (now, later) = rest.split_at(rest.len().min(buf.remaining()));
                buf.put_slice(now);
                this.broken = Some(Ending::Head(later));
                return Poll::Ready(Ok(()));
            }
            Some(Ending::Body(why)) => return Poll::Ready(Err(malformed(why))),
            None => {}
        }
        let start = buf.filled().len();
        match Pin::new(&mut this.io).poll_read(cx, buf) {
            Poll::Ready(Ok(())) if buf.filled().len() > start => Poll::Ready(this.inspect(buf, start)),
            Poll::Ready(result) => Poll::Ready(result),
            Poll::Pending => match this.read_deadline() {
                Some(deadline) if this.is_late(cx, deadline) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
                _ => Poll::Pending,
            },
        }
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Strict<IO> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.io).poll_write(cx, octets) {
            Poll::Pending => this.stalled(cx),
            Poll::Ready(result) => {
                this.wrote(*result.as_ref().unwrap_or(&0), octets);
                Poll::Ready(result)
            }
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        match Pin::new(&mut this.io).poll_write_vectored(cx, parts) {
            Poll::Pending => this.stalled(cx),
            Poll::Ready(result) => {
                this.wrote(*result.as_ref().unwrap_or(&0), parts.first().map_or(&[], |part| part));
                Poll::Ready(result)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.io).poll_flush(cx) {
            Poll::Pending => this.stalled(cx),
            ready @ Poll::Ready(_) => {
                this.write_stalled = None;
                if this.answer.take().is_some() && this.state == State::Answered {
                    this.since = Instant::now();
                }
                ready
            }
        }
    }

    /// Ends our side; if the client was still sending, listens a little longer so that it can read our answer.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.lingered.is_none() {
            match Pin::new(&mut this.io).poll_shutdown(cx) {
                // TLS has something more to say, which the client has to take as well.
                Poll::Pending => return this.stalled(cx),
                Poll::Ready(result) => result?,
            }
            this.lingered = Some(0);
            this.since = Instant::now();
        }
        if this.broken.is_none() && this.framing.is_between_requests() {
            return Poll::Ready(Ok(()));
        }
        let mut waste = [0; 4096];
        while this.lingered.is_some_and(|octets| octets < LINGER_OCTETS) {
            let mut buf = ReadBuf::new(&mut waste);
            match Pin::new(&mut this.io).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {
                    this.lingered = this.lingered.map(|octets| octets + buf.filled().len());
                }
                Poll::Ready(_) => break,
                Poll::Pending if this.is_late(cx, this.since + LINGER_TIME) => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }
}

fn malformed(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    /// As TLS does while the socket is full: it takes what is written, has to be flushed later, and cannot say that it ends.
    struct Buffering(usize);

    impl AsyncRead for Buffering {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    impl AsyncWrite for Buffering {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Ok(octets.len()))
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            let Some(left) = self.0.checked_sub(1) else { return Poll::Ready(Ok(())) };
            self.0 = left;
            cx.waker().wake_by_ref();
            Poll::Pending
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Pending
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_take_the_end_is_let_go() {
        let limits = Limits::default();
        let mut strict = Strict::new(Buffering(0), &limits);
        let ended = tokio::time::timeout(limits.request_time * 2, strict.shutdown()).await;
        assert_eq!(ended.expect("it is never closed").unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    /// Otherwise whoever has taken an answer slowly would have no time left for another request.
    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_from_the_end_of_an_answer_on() {
        let (ours, mut theirs) = duplex(64);
        let limits = Limits { idle_time: Duration::from_secs(5), ..Limits::default() };
        let mut strict = Strict::new(ours, &limits);
        theirs.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
        let mut request = [0; 64];
        assert_ne!(strict.read(&mut request).await.unwrap(), 0);
        tokio::spawn(async move {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                theirs.read_exact(&mut [0; 64]).await.unwrap();
            }
            tokio::time::sleep(Duration::from_secs(3)).await;
            theirs.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
            tokio::time::sleep(Duration::from_mins(1)).await;
        });
        strict.write_all(&[0; 640]).await.unwrap();
        strict.flush().await.unwrap();
        assert_ne!(strict.read(&mut request).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_flush_that_had_to_wait_leaves_the_connection_its_limits() {
        let limits = Limits { head_time: Duration::from_millis(20), ..Limits::default() };
        let mut strict = Strict::new(Buffering(2), &limits);
        strict.write_all(b"answer").await.unwrap();
        strict.flush().await.unwrap();
        let read = tokio::time::timeout(Duration::from_secs(5), strict.read_u8()).await;
        assert_eq!(read.expect("it is never closed").unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    /// Otherwise a connection whose answer went out together with an interim one would never be idle.
    #[test]
    fn an_interim_response_is_no_answer_when_it_is_written_alone() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _runtime = runtime.enter();
        let both = [INTERIM, b"HTTP/1.1 200 OK\r\n\r\n"].concat();
        for (written, state) in [(INTERIM.len(), State::Asked), (both.len(), State::Answered), (7, State::Answered)] {
            let mut strict = Strict::new((), &Limits::default());
            strict.enter(State::Asked);
            strict.wrote(written, &both);
            assert_eq!(strict.state, state, "{written}");
        }
    }

    /// Otherwise whoever sends requests one after the other, and waits a while in between, would have no time left to take an answer.
    #[tokio::test(start_paused = true)]
    async fn an_answer_has_its_own_time_though_the_next_head_has_begun() {
        let (ours, mut theirs) = duplex(64);
        let limits = Limits { request_time: Duration::from_secs(1), ..Limits::default() };
        let mut strict = Strict::new(ours, &limits);
        let mut request = [0; 64];
        tokio::spawn(async move {
            theirs.write_all(b"GET / HTTP/1.0\r\n\r\nG").await.unwrap();
            tokio::io::copy(&mut theirs, &mut tokio::io::sink()).await
        });
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_secs(5)).await;
            if strict.state == State::New {
                assert_ne!(strict.read(&mut request).await.unwrap(), 0);
            }
            assert_eq!(strict.state, State::Head);
            strict.write_all(&[0; 4000]).await.unwrap();
            strict.flush().await.unwrap();
        }
    }

    /// Whoever takes an octet now and then makes progress, and would hold an answer in memory for ever.
    #[tokio::test]
    async fn a_client_that_takes_little_at_a_time_is_let_go() {
        let (ours, mut theirs) = duplex(1);
        let limits = Limits { request_time: Duration::from_millis(50), ..Limits::default() };
        let mut strict = Strict::new(ours, &limits);
        let taking = tokio::spawn(async move {
            let mut taken = 0;
            while theirs.read_u8().await.is_ok() {
                taken += 1;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            taken
        });
        let written = strict.write_all(&[0; 4000]).await;
        assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(strict);
        assert!((1..4000).contains(&taking.await.unwrap()));
    }
}
