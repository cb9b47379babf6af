//! The server as a whole: its sockets, its signals, its end.

use crate::{
    audit::AuditTrail,
    clock::Clock,
    http::{
        Backend, Forwarding, Limits, Network, Proxies, admin_socket, is_exposed,
        listener::{self, Listener},
        page::{self, Page},
        reload::Reload,
        service::{Entrance, Service, Setup},
        tls::Tls,
    },
    metrics::Metrics,
    process,
};
use core::{fmt, future::poll_fn, net::SocketAddr, task::Poll, time::Duration};
use std::{fs, io, path::PathBuf, sync::Arc};
use tokio::{
    net::{TcpListener, UnixListener},
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::spawn_blocking,
    time::{Instant, sleep, timeout},
};

/// How to serve.
#[derive(Clone, Debug)]
pub struct ServeOptions {
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// A further address that answers `/metrics` and the health routes, in plain HTTP. Without it the main listener answers `/metrics`,
    /// to loopback peers only, and to nobody if there are trusted proxies.
    pub operations: Option<SocketAddr>,
    /// The data directory, which holds the administration socket `admin.sock`.
    pub data: PathBuf,
    /// Certificate and key; `None` for plain HTTP.
    pub tls: Option<TlsFiles>,
    /// How often the files of [`ServeOptions::tls`] are looked at for changes.
    pub certificate_poll: Duration,
    /// Allows plain HTTP also where others than this machine can reach it (security H6).
    pub allow_plain_http: bool,
    /// Proxies whose `Forwarded` or `X-Forwarded-…` headers are believed; none by default.
    pub trusted_proxies: Vec<Network>,
    /// Which headers these proxies write.
    pub forwarding: Forwarding,
    /// Sizes, times and counts.
    pub limits: Limits,
    /// Whether `GET /` shows the page to a browser.
    pub page: bool,
    /// Whether a loopback peer may move the clock by `PUT /testing/clock`.
    pub testing: bool,
}

impl ServeOptions {
    /// Plain HTTP on `listen` with the data in `data`, everything else as by default.
    pub fn new(listen: SocketAddr, data: impl Into<PathBuf>) -> Self {
        Self {
            listen,
            operations: None,
            data: data.into(),
            tls: None,
            allow_plain_http: false,
            trusted_proxies: Vec::new(),
            forwarding: Forwarding::default(),
            certificate_poll: Duration::from_secs(5),
            limits: Limits::default(),
            page: true,
            testing: false,
        }
    }
}

/// The PEM files of a TLS server; read again when they change and at SIGHUP.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate, followed by its intermediates.
    pub certificate: PathBuf,
    /// The private key; refused when group or others can read it (security S3).
    pub key: PathBuf,
    /// Authorities, from one of which every client must show a certificate.
    pub client_ca: Option<PathBuf>,
}

/// What is served.
pub struct Parts<A> {
    /// The engine.
    pub backend: Arc<A>,
    /// The clock that `PUT /testing/clock` moves.
    pub clock: Arc<Clock>,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// The audit trail, reopened at SIGHUP and closed at the end.
    pub audit: Option<Arc<AuditTrail>>,
}

/// Where the server listens, once it does.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The main listener.
    pub http: SocketAddr,
    /// Whether it speaks TLS.
    pub tls: bool,
    /// The listener for metrics and health.
    pub operations: Option<SocketAddr>,
    /// The administration socket.
    pub admin: PathBuf,
}

/// Why the server could not start, or had to end.
#[derive(Debug)]
pub struct ServeError(String);

impl ServeError {
    fn io(what: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self(format!("cannot {what}: {error}"))
    }
}

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for ServeError {}

/// A server that has its sockets and certificates, so that little can go wrong any more, but does not answer yet: whoever connects waits.
pub struct Ready {
    /// Where it listens.
    pub bound: Bound,
    sockets: Sockets,
    signals: Signals,
}

/// The signals that end the server or have it read its settings again. From when this is made none is lost, even before the server
/// answers.
pub struct Signals {
    end: End,
    hang_up: Signal,
}

/// Those that end the server.
struct End {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens to them from now on. To be called within a runtime, before anything that takes time or that should not be left half done.
    ///
    /// # Errors
    /// [`ServeError`] when the system refuses.
    pub fn take() -> Result<Self, ServeError> {
        let listen_to = |kind| signal(kind).map_err(ServeError::io("listen to signals"));
        let end = End { terminate: listen_to(SignalKind::terminate())?, interrupt: listen_to(SignalKind::interrupt())? };
        Ok(Self { end, hang_up: listen_to(SignalKind::hangup())? })
    }

    /// Ends the process as soon as one comes that would end the server.
    pub(crate) async fn end_the_process(mut self) {
        self.end.comes().await;
        std::process::exit(0);
    }
}

/// Listens from now on to the signals that end a command, as also that of a terminal does which is closed; the future waits for one. Those
/// that whoever started it has had ignored, as `nohup` does, stay ignored. To be called within a runtime.
///
/// # Errors
/// [`ServeError`] when the system refuses.
pub(crate) fn end_of_command() -> Result<impl Future<Output = ()>, ServeError> {
    let kinds = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()];
    let heeded = kinds.into_iter().filter(|kind| !process::ignores(kind.as_raw_value())).map(signal);
    let mut heeded = heeded.collect::<Result<Vec<Signal>, _>>().map_err(ServeError::io("listen to signals"))?;
    Ok(poll_fn(move |context| {
        if heeded.iter_mut().any(|signal| signal.poll_recv(context).is_ready()) { Poll::Ready(()) } else { Poll::Pending }
    }))
}

impl End {
    async fn comes(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Waits for one more, of somebody who has lost patience. What comes within a moment is the same wish once more, as `timeout` sends its
    /// signal to the process and to the group of it.
    async fn comes_again(&mut self) {
        let moment = Instant::now() + MOMENT;
        self.comes().await;
        while Instant::now() < moment {
            self.comes().await;
        }
    }
}

/// Opens the sockets; `tls` is what [`ServeOptions::tls`] names.
///
/// # Errors
/// [`ServeError`] when the server cannot start with these options.
pub(crate) async fn prepare(options: ServeOptions, tls: Option<Tls>, signals: Signals) -> Result<Ready, ServeError> {
    process::take_descriptors();
    let sockets = Sockets::open(options, tls).await?;
    Ok(Ready { bound: sockets.bound.clone(), sockets, signals })
}

impl Ready {
    /// Does `work` first; `None` when a signal comes meanwhile that ends the server.
    pub(crate) async fn unless_ended<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.signals.end.comes() => None,
        }
    }

    /// Serves until SIGTERM or SIGINT, then ends the requests in progress within [`Limits::drain_time`]. A second signal, at least a
    /// second later, ends the process at once. SIGHUP reads certificates and settings again and reopens the audit trail.
    ///
    /// # Errors
    /// When nothing can be answered any more ([`Backend::broken`]).
    pub async fn serve<A: Backend>(self, parts: Parts<A>) -> Result<(), ServeError> {
        let Self { sockets, mut signals, .. } = self;
        let (backend, audit) = (Arc::clone(&parts.backend), parts.audit.clone());
        let server = Server::start(sockets, parts);
        let mut ending = Ok(());
        // Reading may hang, as on a file system that is not there any more; no other signal waits for that.
        let reloading = tokio::spawn(server.reload_whenever(signals.hang_up));
        tokio::select! {
            () = signals.end.comes() => {}
            why = backend.broken() => ending = Err(ServeError(why)),
        }
        reloading.abort();
        tracing::info!("stopping");
        tokio::select! {
            () = server.stop() => {}
            () = signals.end.comes_again() => {
                tracing::warn!("a second signal came, and requests in progress are cut off");
                if let Some(audit) = audit {
                    let _ = timeout(MOMENT, spawn_blocking(move || audit.close())).await;
                }
                std::process::exit(1)
            }
        }
        ending
    }
}

/// What a server listens on.
pub(crate) struct Sockets {
    options: ServeOptions,
    tls: Option<Arc<Tls>>,
    admin: UnixListener,
    main: TcpListener,
    operations: Option<TcpListener>,
    bound: Bound,
}

impl Sockets {
    pub(crate) async fn open(options: ServeOptions, tls: Option<Tls>) -> Result<Self, ServeError> {
        options.check()?;
        let tls = tls.map(Arc::new);
        let main = listen_on(options.listen).await?;
        let operations = match options.operations {
            Some(address) => Some(listen_on(address).await?),
            None => None,
        };
        let admin_path = admin_socket::path(&options.data);
        let admin = admin_socket::bind(&options.data).and_then(UnixListener::from_std);
        let admin = admin.map_err(ServeError::io(format_args!("open `{}`", admin_path.display())))?;
        let address = |socket: &TcpListener| socket.local_addr().map_err(ServeError::io("read the address of a listener"));
        let bound = Bound {
            http: address(&main)?,
            tls: tls.is_some(),
            operations: operations.as_ref().map(address).transpose()?,
            admin: admin_path,
        };
        Ok(Self { options, tls, admin, main, operations, bound })
    }
}

/// A server that answers.
pub(crate) struct Server<A> {
    pub(crate) bound: Bound,
    service: Arc<Service<A>>,
    audit: Option<Arc<AuditTrail>>,
    reload: Arc<Reload>,
}

impl<A: Backend> Server<A> {
    /// Answers from now on.
    pub(crate) fn start(sockets: Sockets, parts: Parts<A>) -> Self {
        let Sockets { options, tls, admin, main, operations, bound } = sockets;
        if options.testing {
            parts.clock.resume();
        }
        let behind = tell_of(&parts.clock, false);
        let clock = Arc::clone(&parts.clock);

        let reload = Arc::new(Reload::new(tls.clone(), parts.audit.clone(), Arc::clone(&parts.backend)));
        let service = Arc::new(Service::new(Setup {
            backend: parts.backend,
            clock: parts.clock,
            metrics: parts.metrics,
            limits: options.limits,
            proxies: Proxies { trusted: options.trusted_proxies, forwarding: options.forwarding },
            page: if options.page { Page::new(page::FILES) } else { Page::default() },
            testing: options.testing,
            main_metrics: operations.is_none(),
            reload: Arc::clone(&reload),
        }));
        let most = options.limits.connections.min(process::connections());
        if let Some(tls) = &tls {
            tokio::spawn(watch_certificates(Arc::clone(tls), options.certificate_poll, service.stop.subscribe()));
        }
        tokio::spawn(watch_clock(clock, behind, service.stop.subscribe()));
        let main = Listener::Tcp { socket: main, tls, entrance: Entrance::Main };
        tokio::spawn(listener::listen(main, Arc::clone(&service), most));
        tokio::spawn(listener::listen(Listener::Unix(admin), Arc::clone(&service), OWN_CONNECTIONS));
        if let Some(socket) = operations {
            let operations = Listener::Tcp { socket, tls: None, entrance: Entrance::Operations };
            tokio::spawn(listener::listen(operations, Arc::clone(&service), OWN_CONNECTIONS));
        }
        tracing::info!(listen = %bound.http, tls = bound.tls, admin = %bound.admin.display(), "serving");
        Self { bound, service, audit: parts.audit, reload }
    }

    /// Reads certificates and settings again and reopens the audit trail, whenever the signal comes. One that comes meanwhile is not
    /// lost.
    fn reload_whenever(&self, mut hang_up: Signal) -> impl Future<Output = ()> + use<A> {
        let reload = Arc::clone(&self.reload);
        async move {
            while hang_up.recv().await.is_some() {
                reload.run().await;
            }
        }
    }

    #[cfg(test)]
    pub(crate) async fn reload(&self) {
        self.reload.run().await;
    }

    /// Takes no more connections and waits for the requests in progress, though not for ever.
    pub(crate) async fn stop(self) {
        self.service.stop.send_replace(true);
        let limit = self.service.limits().drain_time;
        if timeout(limit, self.service.stop.closed()).await.is_err() {
            tracing::warn!("requests in progress were cut off");
        }
        // The next server replaces it if this fails.
        let _ = fs::remove_file(&self.bound.admin);
        if let Some(audit) = self.audit {
            let closed = spawn_blocking(move || audit.flush()).await;
            if !matches!(closed, Ok(Ok(()))) {
                tracing::error!("the end of the audit trail may be missing");
            }
        }
    }
}

/// For how long a signal to end is taken for the one before, and how long the audit trail may take to be closed for the last one.
const MOMENT: Duration = Duration::from_secs(1);

/// How far the system's clock may be behind before anybody is told.
pub(crate) const TOLERATED_SECS: u64 = 60;

/// How often the system's clock is looked at.
const CLOCK_LOOK: Duration = Duration::from_mins(1);

/// Connections to the administration socket and to the listener for metrics, each.
const OWN_CONNECTIONS: usize = 64;

impl ServeOptions {
    /// Security H6.
    pub(crate) fn check(&self) -> Result<(), ServeError> {
        let exposed = |address: &SocketAddr| is_exposed(address) && !self.allow_plain_http;
        if let Some(address) = Some(self.listen).filter(|_| self.tls.is_none()).filter(exposed) {
            return Err(ServeError(format!(
                "`{address}` can be reached from elsewhere, in plain HTTP: give a certificate (`server.tls_cert`), or allow that \
                 (`server.allow_plain_http`)"
            )));
        }
        if let Some(address) = self.operations.filter(exposed) {
            return Err(ServeError(format!(
                "the address for operations, `{address}`, can be reached from elsewhere, and is always plain HTTP: choose a \
                 loopback address, or allow that (`server.allow_plain_http`)"
            )));
        }
        if self.testing {
            tracing::warn!("testing: the clock can be moved from this machine");
        }
        Ok(())
    }
}

async fn listen_on(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(ServeError::io(format_args!("listen on `{address}`")))
}

async fn watch_certificates(tls: Arc<Tls>, every: Duration, mut stop: watch::Receiver<bool>) {
    loop {
        let looked = async {
            sleep(every).await;
            let tls = Arc::clone(&tls);
            spawn_blocking(move || tls.reload_if_changed()).await
        };
        tokio::select! {
            // Also while reading hangs.
            _ = stop.wait_for(|stop| *stop) => return,
            looked = looked => {
                // A panic has been logged.
                if let Ok(Err(error)) = looked {
                    tracing::error!(%error, "the certificates in use stay");
                }
            }
        }
    }
}

/// Looks at the clock until the server stops; `behind`: the log has been told that it is.
async fn watch_clock(clock: Arc<Clock>, mut behind: bool, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = sleep(CLOCK_LOOK) => behind = tell_of(&clock, behind),
        }
    }
}

/// Tells the log when the system's clock falls behind what the store has seen, and when it has caught up. Whether it is behind.
fn tell_of(clock: &Clock, was_behind: bool) -> bool {
    let seconds = clock.secs_behind();
    if !was_behind && seconds > TOLERATED_SECS {
        tracing::warn!(
            seconds,
            "the system's clock is behind what this store has seen; until it has caught up, time passes here at half its pace"
        );
        return true;
    }
    if was_behind && seconds == 0 {
        tracing::info!("the system's clock has caught up with what this store has seen");
        return false;
    }
    was_behind
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxseal_core::time::UnixTime;

    #[test]
    fn a_clock_that_is_set_back_is_told_once_and_so_is_its_catching_up() {
        let clock = Clock::stopped_at(UnixTime::from_secs(1_800_000_000));
        clock.hold(None);
        let mut behind = false;
        // While it is behind, time passes at half its pace.
        for (advance_secs, expected) in
            [(0, false), (-60, false), (-1, true), (-3600, true), (3600, true), (3722, false), (1, false), (-62, true)]
        {
            clock.advance(advance_secs * 1_000);
            behind = tell_of(&clock, behind);
            assert_eq!(behind, expected, "{advance_secs}");
        }
    }
}
