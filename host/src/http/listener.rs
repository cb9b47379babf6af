//! Accepts connections and runs each in a task of its own.

use super::{
    Backend,
    service::{Arrival, Entrance, Service},
    socket::Socket,
    strict::Strict,
    tls::Tls,
};
use crate::{
    metrics::Metrics,
    source_limit::{SourceLimit, SourcePermit},
};
use core::{net::IpAddr, pin::pin, time::Duration};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use prometheus_client::metrics::gauge::Gauge;
use std::{io, sync::Arc};
use tokio::{
    net::{TcpListener, TcpStream, UnixListener},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};

/// The smallest buffer hyper accepts.
const LEAST_BUFFER: usize = 8192;
/// How long to wait after a failed accept; doubled each time up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Where connections come from.
pub(crate) enum Listener {
    Tcp { socket: TcpListener, tls: Option<Arc<Tls>>, entrance: Entrance },
    Unix(UnixListener),
}

/// A connection before its TLS handshake.
enum Accepted {
    Tcp(TcpStream, IpAddr),
    Unix(tokio::net::UnixStream),
}

impl Listener {
    async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Tcp { socket, .. } => {
                let (stream, address) = socket.accept().await?;
                // Answers are written in one piece; waiting for more only delays them. Failing to say so does no harm.
                let _ = stream.set_nodelay(true);
                Ok(Accepted::Tcp(stream, address.ip()))
            }
            Self::Unix(socket) => socket.accept().await.map(|(stream, _)| Accepted::Unix(stream)),
        }
    }

    fn tls(&self) -> Option<&Tls> {
        match self {
            Self::Tcp { tls, .. } => tls.as_deref(),
            Self::Unix(_) => None,
        }
    }

    fn entrance(&self) -> Entrance {
        match self {
            Self::Tcp { entrance, .. } => *entrance,
            Self::Unix(_) => Entrance::Admin,
        }
    }
}

/// Accepts until the service is told to stop. At `most` open connections it leaves further ones in the system's queue; it closes those
/// of a source that already has its share of them.
pub(crate) async fn listen<A: Backend>(listener: Listener, service: Arc<Service<A>>, most: usize) {
    let slots = Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
    let per_source = SourceLimit::of_many(most);
    let mut stop = service.stop.subscribe();
    let mut pause = None;
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopped(&mut stop) => return,
            accepted = next(&listener, &slots) => accepted,
        };
        match accepted {
            Ok((connection, slot)) => {
                if pause.take().is_some() {
                    tracing::info!("accepting connections again");
                }
                if let Some(permit) = per_source.take(source(&connection, &service)) {
                    spawn(&listener, connection, (slot, permit), &service);
                } else {
                    tracing::debug!("closed a connection: its source has too many");
                }
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                // Mostly no more file descriptors: what is open goes on, and closing frees some.
                if pause.is_none() {
                    tracing::error!(%error, "cannot accept connections");
                }
                let time = pause.map_or(FIRST_PAUSE, |time: Duration| (time * 2).min(LONGEST_PAUSE));
                pause = Some(time);
                tokio::select! {
                    () = stopped(&mut stop) => return,
                    () = sleep(time) => {}
                }
            }
        }
    }
}

async fn next(listener: &Listener, slots: &Arc<Semaphore>) -> io::Result<(Accepted, OwnedSemaphorePermit)> {
    let slot = Arc::clone(slots).acquire_owned().await.map_err(io::Error::other)?;
    Ok((listener.accept().await?, slot))
}

/// The connection was gone before it was accepted.
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

/// The source that a connection is counted for. Proxies are not, as they bring many sources, and neither is this machine, where they
/// often run.
fn source<A: Backend>(connection: &Accepted, service: &Service<A>) -> Option<IpAddr> {
    match connection {
        Accepted::Tcp(_, address) if !address.to_canonical().is_loopback() && !service.trusts(*address) => Some(*address),
        _ => None,
    }
}

/// What a connection holds while it is open.
type Permits = (OwnedSemaphorePermit, SourcePermit);

fn spawn<A: Backend>(listener: &Listener, connection: Accepted, permits: Permits, service: &Arc<Service<A>>) {
    let service = Arc::clone(service);
    let entrance = listener.entrance();
    let mut stop = service.stop.subscribe();
    let (address, stream, acceptor) = match connection {
        Accepted::Unix(stream) => (None, Err(stream), None),
        Accepted::Tcp(stream, address) => (Some(address), Ok(stream), listener.tls().map(Tls::acceptor)),
    };
    tokio::spawn(async move {
        let _permits = permits;
        let _open = Open::new(service.metrics());
        let arrival = Arrival { entrance, address, tls: acceptor.is_some() };
        let socket = match (stream, acceptor) {
            (Err(stream), _) => Some(Socket::Unix(stream)),
            (Ok(stream), None) => Some(Socket::Plain(stream)),
            (Ok(stream), Some(acceptor)) => tokio::select! {
                () = stopped(&mut stop) => None,
                shaken = timeout(service.limits().head_time, acceptor.accept(stream)) => match shaken {
                    Ok(Ok(stream)) => Some(Socket::Tls(Box::new(stream))),
                    Ok(Err(error)) => {
                        tracing::debug!(%error, "tls handshake failed");
                        None
                    }
                    Err(_) => None,
                },
            },
        };
        if let Some(socket) = socket {
            run(socket, arrival, &service, &mut stop).await;
        }
    });
}

/// Counts a connection as open while it is, also when its task is aborted.
struct Open(Gauge);

impl Open {
    fn new(metrics: &Metrics) -> Self {
        metrics.connections.inc();
        Self(metrics.connections.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Serves one connection to its end. Told to stop, it ends after the request in progress.
async fn run<A: Backend>(socket: Socket, arrival: Arrival, service: &Arc<Service<A>>, stop: &mut watch::Receiver<bool>) {
    let limits = service.limits();
    let io = TokioIo::new(Strict::new(socket, limits));
    let answer = service_fn(|request| Arc::clone(service).serve(arrival, request));
    let mut connection = pin!(
        http1::Builder::new()
            // A client that has sent everything may close its side and still read.
            .half_close(true)
            .header_read_timeout(None)
            .max_buf_size(limits.head.max(LEAST_BUFFER))
            .max_header_size(limits.head)
            .serve_connection(io, answer)
    );
    let ended = tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = stopped(stop) => {
            connection.as_mut().graceful_shutdown();
            connection.as_mut().await
        }
    };
    // Once a request has had an `Upgrade` field, which nobody need follow (RFC 9110, 7.8), hyper leaves the connection to others: not
    // flushed and not ended. Polled again it ends as any other does; one that has ended stays so.
    let ended = match ended {
        Err(error) if !error.is_parse() => Err(error),
        answered => answered.and(connection.await),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

/// Returns once the service is told to stop.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // The service holds the sender, and whoever waits here holds the service.
    let _ = stop.wait_for(|stop| *stop).await;
}
