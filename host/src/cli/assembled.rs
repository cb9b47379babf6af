//! Everything behind the sockets, put together: store, keys, password derivation, audit trail, engine.

use super::{Failure, module, serve};
use crate::{
    audit::{self, AuditTrail},
    backup::{self, BackupError, Unfinished},
    clock::Clock,
    config::{self, Config, Host, Loaded, Problem, Sources, diff},
    data_dir::{DataDir, RootKey},
    engine::{self, Audit, Choice, Code, Engine, Execution, Mark, Occasion, Rules},
    http::{Astray, Backend, Reloaded, admin_socket, tls::Tls},
    kdf,
    metrics::Metrics,
    request_id::RequestId,
    store::{Embedded, LostFile, Measured, Revision, Store, StoreError},
    sync,
    text::hex,
};
use core::{
    num::{NonZeroU32, NonZeroUsize},
    time::Duration,
};
use std::{
    fs, io,
    path::Path,
    sync::{Arc, Mutex, mpsc::channel},
    thread,
    time::Instant,
};
use waxseal_core::seam::{Event, Method, Outcome, Peer, Request, Response, Unread};

/// A data directory, open and ready to answer.
pub(super) struct Assembled {
    pub(super) clock: Arc<Clock>,
    pub(super) metrics: Arc<Metrics>,
    /// `None` where nothing is changed.
    pub(super) audit: Option<Arc<AuditTrail>>,
    engine: Engine,
    store: Arc<Embedded>,
    data: DataDir,
    unfinished: Arc<Unfinished>,
    /// What opens the signing keys; its file may be gone by now.
    root: RootKey,
    /// Where the configuration is read from again, and what was read the last time; `None` where nobody asks for that.
    sources: Option<Mutex<(Sources, Loaded)>>,
    /// What the server was started with.
    host: Host,
}

impl Assembled {
    /// For one command in this process.
    pub(super) async fn here(data: &DataDir, config: &Config) -> Result<Self, Failure> {
        Self::open(data, &compiled_in(config), true).await
    }

    /// To look at the data of a stopped server: nothing in the data directory changes, and what would change something fails.
    pub(super) async fn look(data: &DataDir, config: &Config) -> Result<Self, Failure> {
        Self::open(data, &compiled_in(config), false).await
    }

    /// For a server with what was `loaded` from `sources`. Makes store and root key where there are none yet.
    pub(super) async fn for_server(data: &DataDir, loaded: Loaded, sources: Sources) -> Result<Self, Failure> {
        let Config { host, settings } = &loaded.config.clone();
        let opened = Self::open(data, &loaded.config, true).await?;
        opened.note("config.start", "settings", Ok(diff::stated(&loaded).join(", ")));
        let assembled = Self { sources: Some(Mutex::new((sources, loaded))), ..opened };
        if let Some(code) = module::named(host).map_err(Failure::usage)? {
            let rules = assembled.rules(Some(&code)).map_err(Failure::usage)?;
            assembled.engine.set(settings.clone(), Some(rules)).await.map_err(Failure::refused)?;
            assembled.note("config.module", "settings", Ok(assembled.tell_module()));
        }
        Ok(assembled)
    }

    async fn open(data: &DataDir, config: &Config, writable: bool) -> Result<Self, Failure> {
        let Config { host, settings } = config;
        let clock = Arc::new(Clock::system());
        let metrics = Arc::new(Metrics::default());
        data.check_store()?;
        let root = if writable { data.root_key_or_new() } else { data.root_key() }?;
        let store = open_store(data, &clock, writable).await.map_err(|error| locked(data, error))?;
        let store = Arc::new(store);
        let audit = if writable {
            Some(Arc::new(open_audit(data, &clock, &metrics, store.revision() == Revision(0))?))
        } else {
            None
        };
        let kdf = kdf::Pool::start(kdf_limits(host), settings.passwords.scheme)
            .map_err(|error| Failure::refused(format_args!("cannot start the derivation pool: {error}")))?;
        let kdf = Arc::new(kdf);
        let parts = engine::Parts {
            store: Arc::new(Measured::new(Arc::clone(&store), metrics.store.clone())),
            kdf: Arc::clone(&kdf),
            audit: match &audit {
                Some(audit) => Arc::<AuditTrail>::clone(audit),
                None => Arc::new(()),
            },
            clock: Arc::clone(&clock),
            settings: settings.clone(),
            root: root.clone(),
            choice: Choice { hot: host.engine.hot, api: host.engine.api },
            limits: module_limits(host),
        };
        let engine = Engine::start(parts).await.map_err(|error| {
            let error = error.to_string();
            let advice = if error.contains("memory pool") { NO_ADDRESSES } else { "" };
            Failure::refused(format_args!("cannot start on `{}`: {error}{advice}", data.path().display()))
        })?;
        metrics.watch_kdf(move || kdf.stats());
        let modules = engine.modules().clone();
        metrics.watch_module(move || (modules.stats(), modules.other()));
        let host = host.clone();
        let (data, unfinished) = (data.clone(), Arc::default());
        Ok(Self { clock, metrics, audit, engine, store, data, unfinished, root, sources: None, host })
    }

    /// Answers an administration request of this process.
    pub(super) async fn ask(&self, method: Method, path: &str, body: &[u8]) -> Response {
        let mut request = Request::new(method, path);
        if !body.is_empty() {
            request = request.with_header("content-type", "application/json").with_body(body);
        }
        self.engine.answer(request, Peer { local: true, ..Peer::default() }).await
    }

    /// What the latest changes may have suffered before the store was opened.
    pub(super) fn doubts(&self) -> &[&'static str] {
        self.store.doubts()
    }

    /// Writes a backup to the new file `to`. Blocks.
    pub(super) fn backup_to(&self, to: &Path) -> Result<(), BackupError> {
        if let Some(astray) = self.astray().root_key {
            tracing::warn!("{astray}; the backup gets the one that the server runs with");
        }
        if self.audit.as_ref().is_some_and(|audit| !audit.takes_records()) {
            return Err(BackupError::Untold(to.into()));
        }
        // The file holds the root key and all else, so the trail has to tell who has had one made, as it tells who has exported a key.
        let tell = |outcome| self.note("backup.write", "data", outcome);
        let written = backup::write(&self.store, &self.root, to, &self.unfinished)
            .and_then(|written| written.keep(|| tell(Ok(to.display().to_string()))));
        // What is abandoned has been noted by whoever ends the process, and the trail is closed.
        if written.is_err() && !self.unfinished.is_abandoned() {
            tell(Err("not_written"));
        }
        written
    }

    /// Closes the audit trail, also where a backup hangs that holds on to it, and removes what there is of such a one; each is not waited
    /// for longer than `patience`. Blocks.
    pub(super) fn end(&self, patience: Duration) {
        let unfinished = Arc::clone(&self.unfinished);
        let (left, abandoned) = channel();
        let (done, removed) = channel::<()>();
        let remove = move || {
            let files = unfinished.abandon();
            let _ = left.send(!files.is_empty());
            for file in files {
                let _ = fs::remove_file(file);
            }
            drop(done);
        };
        let removes = thread::Builder::new().spawn(remove).is_ok();
        // One that cannot even be abandoned hangs.
        if removes && abandoned.recv_timeout(patience) != Ok(false) {
            tracing::warn!("a backup had not ended, and was given up");
            self.note("backup.write", "data", Err("not_written"));
        }
        if let Some(audit) = &self.audit {
            audit.close();
        }
        if removes {
            let _: Result<(), _> = removed.recv_timeout(patience);
        }
    }
}

impl Backend for Assembled {
    fn answer(&self, request: Request, peer: Peer) -> impl Future<Output = Response> + Send {
        self.engine.answer(request, peer)
    }

    fn unavailable(&self, request: Request, peer: Peer) -> Response {
        self.engine.unavailable(request, peer)
    }

    fn unread(&self, request: Request, peer: Peer, why: Unread) -> Response {
        self.engine.unread(request, peer, why)
    }

    fn mark(&self) -> Option<Mark> {
        self.engine.mark()
    }

    fn given_again(&self) {
        self.engine.give_way();
    }

    fn ready(&self) -> Result<(), String> {
        self.store.intact().map_err(|error| error.to_string())
    }

    async fn broken(&self) -> String {
        self.store.damaged().await.to_string()
    }

    fn backup(&self, to: &Path) -> io::Result<()> {
        // Whoever asks may be another user, and see other files.
        self.backup_to(to).map_err(|error| match error {
            BackupError::Io { .. } | BackupError::Occupied(_) => {
                io::Error::other(format!("{error}; the running server writes it, as the user that it runs as"))
            }
            error => io::Error::other(error),
        })
    }

    fn astray(&self) -> Astray {
        let root_key = (!self.data.holds(&self.root)).then(|| {
            format!(
                "`{}` is not the root key that the server runs with: it was moved, deleted, replaced or made unreadable, and no server \
                 starts with what is there now",
                self.data.root_key_file().display()
            )
        });
        let (store, store_log) = match self.store.lost() {
            Some(lost @ LostFile::Store(_)) => (Some(lost.to_string()), None),
            Some(lost @ LostFile::Log(_)) => (None, Some(lost.to_string())),
            None => (None, None),
        };
        Astray { root_key, store, store_log, clock_secs_behind: self.clock.secs_behind() }
    }

    /// Only the rules can change while running, by their settings and by their module; what concerns sockets, engine and log waits for
    /// a restart.
    fn reload(&self) -> Result<Reloaded, String> {
        let Some(sources) = &self.sources else { return Ok(Reloaded::default()) };
        let (sources, before) = &mut *sync::lock(sources);
        let problems = |problems: Vec<Problem>| problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ");
        let mut load = || {
            let loaded = sources.clone().load().map_err(problems)?;
            module::check_author(&loaded)?;
            let Loaded { config, file, .. } = loaded.clone();
            // One that was read once has to be there from then on: without it, everything in it would be as if never stated.
            sources.file = file;
            let waiting = diff::of_server(&self.host, &config.host);
            if !waiting.is_empty() {
                tracing::warn!(settings = waiting.join(", "), "these have changed, and wait for a restart");
            }
            let host = config.host.clone();
            let mut reloaded = Reloaded { waiting, ..Reloaded::default() };
            match self.put_in_force(config, &mut reloaded.warnings) {
                Ok(other) => {
                    reloaded.in_force = diff::of_rules(before, &loaded);
                    if !reloaded.in_force.is_empty() {
                        tracing::info!(changes = reloaded.in_force.join(", "), "other settings are in force");
                    }
                    reloaded.in_force.extend(other.then(|| self.tell_module()));
                    *before = loaded;
                }
                Err(error) => reloaded.error = Some(error),
            }
            Ok::<_, String>((reloaded, host))
        };
        let loaded = load();
        let done = match &loaded {
            Ok((Reloaded { error: None, in_force, .. }, _)) => Ok(in_force.join(", ")),
            _ => Err("bad_configuration"),
        };
        self.note("config.reload", "settings", done);
        let (mut reloaded, host) = loaded?;
        // At the end: what waits holds up nothing that can be in force now.
        reloaded.warnings.extend(refused_later(&host, &reloaded.waiting));
        Ok(reloaded)
    }
}

impl Assembled {
    /// Whether other rules are in force now, besides the settings.
    fn put_in_force(&self, config: Config, warnings: &mut Vec<String>) -> Result<bool, String> {
        let rules = self.other_rules(&config.host, warnings)?;
        let other = rules.is_some();
        let runtime = tokio::runtime::Handle::try_current().map_err(|error| error.to_string())?;
        runtime.block_on(self.engine.set(config.settings, rules)).map_err(|error| error.to_string())?;
        Ok(other)
    }

    /// The rules that this configuration names, if they are not in force.
    fn other_rules(&self, host: &Host, warnings: &mut Vec<String>) -> Result<Option<Rules>, String> {
        let named = module::named(host);
        if host.engine.module_sha256 == self.engine.modules().other() {
            if let Err(error) = named {
                tracing::warn!(error, "the module in force could not be read again; the next start would fail");
                warnings
                    .push(format!("the module in force could not be read again, and the next start would fail: {error}"));
            }
            return Ok(None);
        }
        self.rules(named?.as_ref()).map(Some)
    }

    /// Rules of this machine code, or of this binary as the server was started with them, ready to be put in force.
    fn rules(&self, code: Option<&Code>) -> Result<Rules, String> {
        let choice = match code {
            Some(_) => Choice { hot: Execution::Module, api: Execution::Module },
            None => Choice { hot: self.host.engine.hot, api: self.host.engine.api },
        };
        let whose = if code.is_some() { "engine.module" } else { "the module of this binary" };
        self.engine.prepare(code, choice).map_err(|error| format!("{whose}: it cannot be run here: {error:#}"))
    }

    /// Tells the log whose rules are in force now, and gives the same for the audit trail.
    fn tell_module(&self) -> String {
        if let Some(sha256) = self.engine.modules().other() {
            let sha256 = hex::text(&sha256);
            tracing::info!(sha256, "everything is answered by the module that the configuration names");
            return format!("module {sha256}");
        }
        tracing::info!("the rules of this binary answer again");
        "module of this binary".into()
    }

    /// What is done to the server itself belongs to the audit trail (security L1), with its detail; and so does what was refused, with a
    /// code for the reason.
    fn note(&self, action: &'static str, subject: &str, done: Result<String, &'static str>) {
        let (outcome, reason, detail) = match done {
            Ok(detail) => (Outcome::Success, "", detail),
            Err(reason) => (Outcome::Refused, reason, String::new()),
        };
        let event =
            Event { action, actor: "local".into(), subject: subject.into(), detail, outcome, reason, dialect: "admin" };
        if let Some(audit) = &self.audit {
            audit.record(Occasion { time: self.clock.now(), source: None, request: RequestId::NONE }, &[event]);
        }
    }
}

/// What the next start would not take of the settings that wait for it.
fn refused_later(host: &Host, waiting: &[String]) -> Option<String> {
    let is_tls = waiting.iter().any(|path| path.starts_with("server.tls_"));
    // Files that are in use are watched, and read again anyway.
    let files = serve::tls_files(host).filter(|_| is_tls)?;
    let refused = format!("the next start would refuse: {}", Tls::open(files).err()?);
    tracing::warn!("{refused}");
    Some(refused)
}

/// What helps where the system refuses the addresses for the module's memories.
const NO_ADDRESSES: &str = "; these are addresses, not memory: lift the limit on them (`ulimit -v`, `LimitAS=`), or set `engine.api` and \
                            `engine.hot` to \"native\"";

/// The rules as they are compiled in, one derivation at a time.
fn compiled_in(config: &Config) -> Config {
    let mut config = config.clone();
    config.host.engine =
        config::Engine { hot: Execution::Native, api: Execution::Native, kdf_workers: 1, ..config.host.engine };
    config
}

fn open_audit(data: &DataDir, clock: &Arc<Clock>, metrics: &Arc<Metrics>, is_new: bool) -> Result<AuditTrail, Failure> {
    // Where the trail is gone and its head is there, opening the trail tells of that.
    if !is_new && !data.audit().exists() && !audit::head_path(&data.audit()).exists() {
        tracing::warn!("there is no audit.log, though the store is not new: somebody has removed it");
    }
    AuditTrail::open(&data.audit(), is_new, Arc::clone(clock), Arc::clone(metrics)).map_err(|error| {
        Failure::refused(format_args!("cannot open the audit trail `{}`: {error}", data.audit().display()))
    })
}

/// Opens the store. One that another process has open is waited for a moment, as that process may be about to end: because it was
/// killed a moment ago, or is a command like this.
async fn open_store(data: &DataDir, clock: &Arc<Clock>, writable: bool) -> Result<Embedded, StoreError> {
    let until = Instant::now() + PATIENCE;
    let open = if writable { Embedded::open } else { Embedded::look };
    loop {
        match open(data.path(), Arc::clone(clock)) {
            Err(StoreError::Locked(_)) if Instant::now() < until => tokio::time::sleep(PATIENCE / 64).await,
            opened => return opened,
        }
    }
}

/// How long a locked store is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// Refuses, for what has to be alone, when a server answers on this data. One that was killed a moment ago may still seem to.
pub(super) async fn alone(data: &DataDir) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    while answers(data) {
        if Instant::now() >= until {
            return Err(running(data));
        }
        tokio::time::sleep(PATIENCE / 64).await;
    }
    Ok(())
}

fn answers(data: &DataDir) -> bool {
    admin_socket::connect(data.path()).is_ok()
}

fn running(data: &DataDir) -> Failure {
    Failure::refused(format_args!(
        "a server already runs on the data directory `{}`; stop it first, or name another directory with --data",
        data.path().display()
    ))
}

/// Refuses when another process has the store open, as a server has whose socket is gone.
pub(super) fn unlocked(data: &DataDir) -> Result<(), Failure> {
    match Embedded::look(data.path(), Arc::new(Clock::system())) {
        Err(error @ StoreError::Locked(_)) => Err(locked(data, error)),
        _ => Ok(()),
    }
}

fn locked(data: &DataDir, error: StoreError) -> Failure {
    match error {
        StoreError::Locked(_) if answers(data) => running(data),
        StoreError::Locked(path) => Failure::refused(format_args!(
            "another process has the store `{}` open and does not answer on its administration socket; wait for it to start, or \
             stop it",
            path.display()
        )),
        error => error.into(),
    }
}

fn kdf_limits(host: &Host) -> kdf::Limits {
    let workers = NonZeroUsize::new(host.engine.kdf_workers as usize);
    let usual = workers.map_or_else(kdf::Limits::default, kdf::Limits::of);
    match host.engine.kdf_queue as usize {
        0 => usual,
        queue => kdf::Limits { queue, ..usual },
    }
}

pub(super) fn module_limits(host: &Host) -> engine::Limits {
    let usual = engine::Limits::default();
    engine::Limits { instances: NonZeroU32::new(host.engine.instances).unwrap_or(usual.instances), ..usual }
}
