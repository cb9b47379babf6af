//! Reads a body within its limits, and decodes it.

use super::{Limits, memory_budget::MemoryBudget};
use crate::source_limit::SourceLimit;
use core::net::IpAddr;
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::{
    HeaderMap,
    body::{Body, Bytes, Incoming},
    header,
};
use std::{
    error::Error,
    io::{self, Read},
    sync::Arc,
};
use tokio::{sync::Semaphore, task::spawn_blocking};
use waxseal_core::seam::Unread;

/// How much of a body that is too large is still read, so that the connection may go on.
const DRAIN: usize = 256 * 1024;

/// How large a body may be to be unpacked right where it was read.
const AT_ONCE: usize = 2048;

/// How many larger ones wait to be unpacked.
const UNPACKING: usize = 64;
/// How many of these are of one source.
const UNPACKING_OF_ONE: usize = 8;

/// Why there is no body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct BodyError {
    pub(super) why: Why,
    /// Whether the body was left unread, or cannot be read, so that the connection has to end.
    pub(super) close: bool,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Why {
    /// It could not be read.
    Unread(Unread),
    /// All bodies together, or those of its source, hold too much already.
    Busy,
}

impl BodyError {
    /// Of a body that was read to its end.
    const fn whole(why: Unread) -> Self {
        Self { why: Why::Unread(why), close: false }
    }

    /// Of a body that was left unread, or cannot be read.
    const fn cut_off(why: Unread) -> Self {
        Self { why: Why::Unread(why), close: true }
    }
}

/// What the bodies that are being read take, and who takes it.
#[derive(Debug)]
pub(super) struct Bodies {
    held: MemoryBudget,
    /// Who waits to have one unpacked, how many there may be of them, and whose turn it is.
    unpacking: Arc<SourceLimit>,
    places: Arc<Semaphore>,
    turn: Arc<Semaphore>,
}

/// How a body is encoded (RFC 9110, 8.4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Coding {
    Identity,
    Gzip,
}

impl Coding {
    /// `None` for what is not decoded here: other codings, and several on top of each other.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let lines: Option<Vec<&str>> =
            headers.get_all(header::CONTENT_ENCODING).iter().map(|line| line.to_str().ok()).collect();
        let lines = lines?;
        let names = lines.iter().flat_map(|line| line.split(',')).map(str::trim);
        let mut named = names.filter(|name| !name.is_empty() && !name.eq_ignore_ascii_case("identity"));
        match (named.next(), named.next()) {
            (None, _) => Some(Self::Identity),
            (Some(name), None) if ["gzip", "x-gzip"].iter().any(|known| name.eq_ignore_ascii_case(known)) => {
                Some(Self::Gzip)
            }
            _ => None,
        }
    }
}

impl Bodies {
    pub(super) fn new() -> Self {
        Self {
            held: MemoryBudget::default(),
            unpacking: SourceLimit::of(UNPACKING_OF_ONE),
            places: Arc::new(Semaphore::new(UNPACKING)),
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// The whole body from `source` as it was before its sender encoded it. The limit holds for what is sent and for what comes out.
    pub(super) async fn decoded(
        &self,
        headers: &HeaderMap,
        body: Incoming,
        limits: &Limits,
        source: Option<IpAddr>,
    ) -> Result<Vec<u8>, BodyError> {
        // Its sender waits to be asked for it (RFC 9110, 10.1.1), so there is nothing to be read for the connection to go on.
        if headers.contains_key(header::EXPECT) && announced(&body).is_some_and(|octets| octets > limits.body) {
            return Err(BodyError::cut_off(Unread::TooLarge));
        }
        match Coding::of(headers) {
            _ if body.is_end_stream() => Ok(Vec::new()),
            Some(Coding::Identity) => self.read(body, limits, source).await,
            Some(Coding::Gzip) => {
                let (packed, limit) = (self.read(body, limits, source).await?, limits.body);
                if packed.len() <= AT_ONCE {
                    unpacked(&packed, limit)
                } else {
                    self.unpacked_aside(packed, limit, source).await
                }
            }
            None => Err(BodyError::cut_off(Unread::UnknownEncoding)),
        }
    }

    /// The whole body from `source`; that of the owner, who has no address, waits for nobody else's.
    pub(super) async fn read(&self, body: Incoming, limits: &Limits, source: Option<IpAddr>) -> Result<Vec<u8>, BodyError> {
        let mut room = Room { held: &self.held, source, octets: 0 };
        collect(body, limits, Some(&mut room)).await
    }

    /// As [`unpacked`], without holding up those who have packed nothing: one body after the other, and only so many wait. A few
    /// crafted octets can take as long to unpack as a thousand times as many plain ones.
    async fn unpacked_aside(&self, octets: Vec<u8>, limit: usize, source: Option<IpAddr>) -> Result<Vec<u8>, BodyError> {
        let busy = BodyError { why: Why::Busy, close: false };
        let share = self.unpacking.take(source).ok_or(busy)?;
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy)?;
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|_| busy)?;
        let unpacked = spawn_blocking(move || {
            let _until_then = (share, place, turn);
            unpacked(&octets, limit)
        });
        unpacked.await.unwrap_or(Err(busy))
    }
}

/// Reads the body of a request that has nothing to say in it, and keeps none of it.
pub(super) async fn skip(body: Incoming, limits: &Limits) -> Result<(), BodyError> {
    collect(body, limits, None).await.map(drop)
}

/// What is packed in `octets`, one gzip member or several in a row (RFC 1952). Unpacks no more than `limit` octets, however much there
/// would be.
fn unpacked(octets: &[u8], limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut out = Vec::new();
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    match MultiGzDecoder::new(octets).take(most).read_to_end(&mut out) {
        Ok(_) if out.len() > limit => Err(BodyError::whole(Unread::TooLarge)),
        Ok(_) => Ok(out),
        Err(_) => Err(BodyError::whole(Unread::Undecodable)),
    }
}

/// How many octets the head has announced.
fn announced(body: &impl Body) -> Option<usize> {
    body.size_hint().exact().map(|octets| usize::try_from(octets).unwrap_or(usize::MAX))
}

/// Reads the whole body, and keeps it if there is `room` for it.
async fn collect<B>(mut body: B, limits: &Limits, mut room: Option<&mut Room<'_>>) -> Result<Vec<u8>, BodyError>
where
    B: Body<Data = Bytes, Error = hyper::Error> + Unpin,
{
    if body.is_end_stream() {
        return Ok(Vec::new());
    }
    let announced = announced(&body);
    if announced.is_some_and(|octets| octets > limits.body + DRAIN) {
        return Err(BodyError::cut_off(Unread::TooLarge));
    }
    let mut whole = Vec::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let data = match frame {
            Ok(frame) => frame.into_data().unwrap_or_else(|_trailers| Bytes::new()),
            Err(error) => return Err(unreadable(&error)),
        };
        length = length.saturating_add(data.len());
        if length > limits.body {
            whole = Vec::new();
            if let Some(room) = &mut room {
                room.give_back();
            }
            if length > limits.body + DRAIN {
                return Err(BodyError::cut_off(Unread::TooLarge));
            }
            continue;
        }
        let Some(room) = &mut room else { continue };
        if body.is_end_stream() && whole.is_empty() {
            return Ok(data.into());
        }
        // Room for as much again as there is, and no more than was announced or may come: else whoever sends one octet would hold room
        // for all.
        let (before, needed) = (whole.capacity(), whole.len() + data.len());
        if needed > before {
            let most = announced.map_or(limits.body, |octets| octets.min(limits.body));
            whole.reserve_exact(needed.max(most.min(before * 2)) - whole.len());
        }
        if !room.take(whole.capacity() - before, limits.bodies) {
            return Err(BodyError { why: Why::Busy, close: true });
        }
        whole.extend_from_slice(&data);
    }
    if length > limits.body { Err(BodyError::whole(Unread::TooLarge)) } else { Ok(whole) }
}

/// Too slow, or ended by something else; anything that ends a body early is its sender's fault too.
fn unreadable(error: &hyper::Error) -> BodyError {
    let cause = error.source().and_then(|source| source.downcast_ref::<io::Error>()).map(io::Error::kind);
    let why = if cause == Some(io::ErrorKind::TimedOut) { Unread::TooSlow } else { Unread::Incomplete };
    BodyError::cut_off(why)
}

/// What one body has taken of the octets all bodies may hold together, and those of its source.
struct Room<'a> {
    held: &'a MemoryBudget,
    source: Option<IpAddr>,
    octets: usize,
}

impl Room<'_> {
    fn take(&mut self, octets: usize, limit: usize) -> bool {
        let Some(source) = self.source else { return true };
        let taken = self.held.take(source, octets, limit);
        self.octets += if taken { octets } else { 0 };
        taken
    }

    fn give_back(&mut self) {
        if let Some(source) = self.source {
            self.held.give_back(source, self.octets);
        }
        self.octets = 0;
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::{
        pin::Pin,
        task::{Context, Poll, Waker},
    };
    use flate2::{Compression, write::GzEncoder};
    use hyper::{
        body::{Frame, SizeHint},
        header::HeaderValue,
    };
    use std::io::Write;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut out = GzEncoder::new(Vec::new(), Compression::default());
        out.write_all(text).unwrap();
        out.finish().unwrap()
    }

    #[test]
    fn the_coding_is_gzip_or_none() {
        let check = |lines: &[&'static str], coding| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::CONTENT_ENCODING, HeaderValue::from_static(line));
            }
            assert_eq!(Coding::of(&headers), coding, "{lines:?}");
        };
        check(&[], Some(Coding::Identity));
        check(&["identity"], Some(Coding::Identity));
        check(&["gzip"], Some(Coding::Gzip));
        check(&["X-GZIP", "identity"], Some(Coding::Gzip));
        for other in [&["br"][..], &["deflate"], &["gzip, gzip"], &["gzip", "br"], &["gzip;q=1"]] {
            check(other, None);
        }
    }

    /// So many parts of 1,000 octets; the length is stated or not.
    struct Parts(u64, SizeHint);

    impl Body for Parts {
        type Data = Bytes;
        type Error = hyper::Error;

        fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
            let Some(left) = self.0.checked_sub(1) else { return Poll::Ready(None) };
            self.0 = left;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b'x'; 1000])))))
        }

        fn size_hint(&self) -> SizeHint {
            self.1
        }
    }

    /// Otherwise a body that comes in many small parts would be copied as often as it has parts.
    #[tokio::test]
    async fn a_body_gets_room_for_as_much_again_within_what_it_may_have() {
        let room = async |limit, stated| {
            let limits = Limits { body: limit, ..Limits::default() };
            let bodies = Bodies::new();
            let mut room = Room { held: &bodies.held, source: Some([192, 0, 2, 1].into()), octets: 0 };
            let whole = collect(Parts(5, stated), &limits, Some(&mut room)).await.unwrap();
            assert_eq!((whole.len(), whole.capacity()), (5000, room.octets));
            room.octets
        };
        assert_eq!(room(65_536, SizeHint::with_exact(5000)).await, 5000);
        assert_eq!(room(65_536, SizeHint::default()).await, 8000);
        assert_eq!(room(6000, SizeHint::default()).await, 6000);
    }

    /// Otherwise whoever packs a few octets so that they take long would keep out everybody else who packs.
    #[tokio::test]
    async fn one_source_waits_with_so_many_packed_bodies_and_no_more() {
        let bodies = Bodies::new();
        let held = Arc::clone(&bodies.turn).acquire_owned().await.unwrap();
        let unpack = |source: Option<[u8; 4]>| {
            let mut unpacking = Box::pin(bodies.unpacked_aside(packed(b"{}"), 64, source.map(IpAddr::from)));
            let mut context = Context::from_waker(Waker::noop());
            match unpacking.as_mut().poll(&mut context) {
                Poll::Pending => Ok(unpacking),
                Poll::Ready(done) => Err(done.unwrap_err().why),
            }
        };
        let mut waiting: Vec<_> = (0..UNPACKING_OF_ONE).map(|_| unpack(Some([192, 0, 2, 1])).unwrap()).collect();
        assert_eq!(unpack(Some([192, 0, 2, 1])).err(), Some(Why::Busy));
        waiting.push(unpack(Some([192, 0, 2, 2])).unwrap());
        waiting.push(unpack(None).unwrap());
        drop(held);
        for unpacking in waiting {
            assert_eq!(unpacking.await.as_deref(), Ok(&b"{}"[..]));
        }
        let again = bodies.unpacked_aside(packed(b"{}"), 64, Some([192, 0, 2, 1].into())).await;
        assert!(again.is_ok(), "who has waited may again");
    }

    #[test]
    fn gzip_is_unpacked_within_the_limit() {
        let unpack = |octets: &[u8], limit| unpacked(octets, limit).map_err(|error| error.why);
        let (large, damaged) = (Err(Why::Unread(Unread::TooLarge)), Err(Why::Unread(Unread::Undecodable)));
        let text = b"{\"ttl\":60}";
        let whole = packed(text);
        assert_eq!(unpack(&whole, 64).as_deref(), Ok(&text[..]));
        assert_eq!(unpack(&whole, text.len()).as_deref(), Ok(&text[..]));
        assert_eq!(unpack(&whole, text.len() - 1), large);
        assert_eq!(unpack(&[whole.clone(), whole.clone()].concat(), 64).unwrap().len(), 2 * text.len());
        // A gigabyte would take seconds and the memory of the machine.
        let zeros = packed(&vec![0; 1 << 20]);
        let bomb: Vec<u8> = (0..1024).flat_map(|_| zeros.iter().copied()).collect();
        assert_eq!(unpack(&bomb, 65_536), large);
        for wrong in [&whole[..whole.len() - 1], &whole[1..], b"{}", &[&whole[..], b"{}"].concat()] {
            assert_eq!(unpack(wrong, 64), damaged);
        }
        let mut changed = whole;
        let last = changed.len() - 6;
        changed[last] ^= 1;
        assert_eq!(unpack(&changed, 64), damaged, "its sum");
    }
}
