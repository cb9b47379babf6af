//! `waxseal serve`.

use super::{
    Failure, Target,
    assembled::{Assembled, alone},
    config,
    first_start::{self, First, Password},
    secret,
    target::unread_variables,
    terminal,
};
use crate::{
    config::{Config, Host, Stated, StatedBy},
    data_dir::DataDir,
    http::{Limits, is_exposed},
    logging::{self, LogOptions},
    serve::{self, Bound, Parts, ServeOptions, Signals, TlsFiles},
    text::shell::word,
};
use core::{net::IpAddr, time::Duration};
use std::{io, path::Path, sync::Arc};
use waxseal_core::settings::PolicyName;

/// How to run the server.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  waxseal serve                                        for evaluation
  waxseal serve --listen 127.0.0.1:0 --data \"$(mktemp -d)\" --testing
  WAXSEAL_ADMIN_PASSWORD_FILE=/run/secrets/admin waxseal serve --data /var/lib/waxseal

The first start makes the data directory, the root key, a signing key and an administrator: \
WAXSEAL_ADMIN_NAME (`admin`) with WAXSEAL_ADMIN_PASSWORD or the password in the file \
WAXSEAL_ADMIN_PASSWORD_FILE; without them a password is made and shown once.
SIGTERM ends the server; SIGHUP reads the settings of the rules, their module and the certificates again.")]
pub(super) struct Args {
    #[arg(long, value_name = "ADDR", help = "Where to listen [env: WAXSEAL_LISTEN] [default: 127.0.0.1:8080]")]
    listen: Option<String>,
    /// For tests: local clients may move the clock with `PUT /testing/clock`
    #[arg(long)]
    testing: bool,
}

pub(super) fn run(args: Args, target: &Target) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::refused(format_args!("cannot start: {error}")))?;
    let inside = runtime.enter();
    let signals = Signals::take().map_err(Failure::refused)?;
    // Reading what the configuration names may hang, and nothing is begun yet that could be left half done.
    let reading = tokio::spawn(Signals::take().map_err(Failure::refused)?.end_the_process());
    drop(inside);
    let listen = args.listen.map(|value| {
        let (path, origin) = ("server.listen".into(), StatedBy::Flag("--listen".into()));
        Stated { path, value, origin }
    });
    let sources = target.sources(listen.into_iter().collect())?;
    let loaded = sources.clone().load()?;
    let config = &loaded.config;
    let options = ServeOptions { testing: args.testing, ..options(&config.host, target) };
    if options.testing && is_exposed(&options.listen) {
        return Err(Failure::usage(format_args!(
            "--testing: server.listen is `{}`, but only a loopback address is allowed with it",
            options.listen
        )));
    }
    // It tells of certificates. What it has left to say comes before any failure that is reported.
    let _flush = logging::start(&log(&config.host)).map_err(Failure::usage)?;
    // Read once, so that what was checked is what is used.
    let tls = config::files(&loaded).map_err(Failure::Usage)?;
    for (variable, meant) in unread_variables(&sources.env) {
        tracing::warn!(variable, meant, "nothing reads this environment variable");
    }
    let data = target.data();
    let mut behind = None;
    let ended = runtime.block_on(async {
        reading.abort();
        // Whatever it ends has then ended.
        let _ = reading.await;
        data.create()?;
        alone(&data).await?;
        let assembled = Arc::new(Assembled::for_server(&data, loaded.clone(), sources).await?);
        behind = Some(Arc::clone(&assembled));
        // Whatever can fail comes before the first administrator, whose password is shown once.
        let mut ready = serve::prepare(options, tls, signals).await.map_err(Failure::refused)?;
        let Some(wanted) = ready.unless_ended(first_start::wanted(&assembled)).await else { return Ok(()) };
        let first = first_start::make(&assembled, wanted?).await?;
        tell(&welcome(&ready.bound, config, &data, first.as_ref()), first.as_ref(), &data)?;
        // Its password has been shown, and nobody needs it any more (security S4).
        drop(first);
        let parts = Parts {
            backend: Arc::clone(&assembled),
            clock: Arc::clone(&assembled.clock),
            metrics: Arc::clone(&assembled.metrics),
            audit: assembled.audit.clone(),
        };
        ready.serve(parts).await.map_err(Failure::refused)
    });
    // What still goes on then hangs, as a reload may on files that cannot be had; everything that counts is on disk.
    runtime.shutdown_timeout(LAST);
    if let Some(assembled) = behind {
        assembled.end(LAST);
    }
    ended
}

/// How long work beside the requests may take to its end after all requests have ended, or were cut off.
const LAST: Duration = Duration::from_secs(5);

/// Prints the welcome. Nobody may be reading, and the server runs all the same, unless a password is in it that nobody would ever
/// see: that goes to standard error then.
fn tell(welcome: &str, first: Option<&First>, data: &DataDir) -> Result<(), Failure> {
    let nowhere = || Err(Failure::Unread);
    let said = if terminal::is_nowhere(io::stdout()) { nowhere() } else { terminal::say_once(welcome) };
    match first {
        Some(First { name, password: Password::Generated(_) }) if said.is_err() => {
            let mut err = io::stderr().lock();
            let said = if terminal::is_nowhere(&err) { nowhere() } else { terminal::say_to(&mut err, welcome) };
            said.map_err(|_| {
                Failure::refused(format_args!(
                    "the password of the first administrator `{name}` could not be shown; {} sets another",
                    passwd(name, data)
                ))
            })
        }
        _ => Ok(()),
    }
}

pub(super) fn options(host: &Host, target: &Target) -> ServeOptions {
    let server = &host.server;
    let usual = Limits::default();
    let secs = |secs: u32| Duration::from_secs(secs.into());
    ServeOptions {
        operations: server.operations,
        tls: tls_files(host),
        allow_plain_http: server.allow_plain_http,
        trusted_proxies: server.trusted_proxies.clone(),
        forwarding: server.forwarding,
        page: server.page,
        limits: Limits {
            head: server.head_bytes as usize,
            body: server.body_bytes as usize,
            head_time: secs(server.head_secs),
            request_time: secs(server.request_secs),
            idle_time: secs(server.idle_secs),
            connections: server.max_connections as usize,
            in_flight: server.max_in_flight as usize,
            drain_time: secs(server.drain_secs),
            ..usual
        },
        ..ServeOptions::new(server.listen, &target.data)
    }
}

pub(super) fn tls_files(host: &Host) -> Option<TlsFiles> {
    let server = &host.server;
    let named = server.tls_cert.clone().zip(server.tls_key.clone());
    named.map(|(certificate, key)| TlsFiles { certificate, key, client_ca: server.tls_client_ca.clone() })
}

fn log(host: &Host) -> LogOptions {
    LogOptions { format: host.log.format, filter: host.log.filter.clone() }
}

/// What the operator reads once the server listens. Goes to standard output and never into the log, as it may hold the first
/// administrator's password.
fn welcome(bound: &Bound, config: &Config, data: &DataDir, first: Option<&First>) -> String {
    let scheme = if bound.tls { "https" } else { "http" };
    let mut address = bound.http;
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() {
            IpAddr::from([127, 0, 0, 1])
        } else {
            IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])
        });
    }
    let url = format!("{scheme}://{address}");
    let mut lines = vec![format!("Waxseal listens on {scheme}://{}", bound.http)];
    if config.host.server.page {
        lines.push(format!("The page to try it by hand: {url}/"));
    }
    let settings = &config.settings;
    if settings.passwords.policy == PolicyName::Open {
        lines.push("Note: policy `open`: any password will do. For production see `waxseal init`.".into());
    }
    if settings.dialects.elasticsearch && settings.elasticsearch.password_grant {
        lines.push(
            "Note: the password grant is on (elasticsearch.password_grant); new systems should not use it (RFC 9700)."
                .into(),
        );
    }
    if let Some(first) = first {
        let curl = curl(config.host.server.tls_cert.as_deref());
        lines.extend(introduction(&url, &curl, first, data, settings.dialects.redis));
    }
    lines.join("\n")
}

/// The command that sets a password of this server's user.
fn passwd(name: &str, data: &DataDir) -> String {
    format!("`waxseal user passwd {} --data {}`", word(name), word(data.path().display()))
}

/// `curl`, as it believes this server: a certificate of one's own making is known to nobody else.
fn curl(certificate: Option<&Path>) -> String {
    certificate.map_or_else(|| "curl".into(), |path| format!("curl --cacert {}", word(path.display())))
}

fn introduction(url: &str, curl: &str, First { name, password }: &First, data: &DataDir, redis: bool) -> Vec<String> {
    let shown = match password {
        Password::Generated(secret) => {
            format!("{}   shown only now; {} sets another", secret.as_str(), passwd(name, data))
        }
        Password::Env => "the one in WAXSEAL_ADMIN_PASSWORD".into(),
        Password::File(path) => format!("the one in {}", path.display()),
    };
    let mut lines = vec![String::new(), format!("First administrator: {name}"), format!("Password:            {shown}")];
    // Another each time: whoever pastes the line has a password that nobody else can know.
    let second = secret::generate().ok().filter(|_| redis);
    let at = |path: &str| word(format_args!("{url}{path}"));
    if let Some(second) = second.as_deref() {
        let user = match word(name) {
            plain if plain == *name => format!("\"{name}:{}\"", password.in_shell()),
            quoted => format!("{quoted}\":{}\"", password.in_shell()),
        };
        lines.extend([
            String::new(),
            "Get a token, use it, add a second password:".into(),
            format!(
                "  TOKEN=$({curl} -sS -u {user} -X POST {} | sed 's/.*\"access_token\": *\"\\([^\"]*\\)\".*/\\1/')",
                at("/v1/users/authorize")
            ),
            format!("  {curl} -sSi -H \"Authorization: Bearer $TOKEN\" {}", at("/auth/verify")),
            format!(
                "  {curl} -sSi -u {user} -X POST {} -H 'Content-Type: application/json' -d '{{\"new_password\": \"{second}\"}}'",
                at("/v1/users/password")
            ),
        ]);
    }
    lines
}
