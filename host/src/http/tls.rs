//! Certificates: read from files, read again when they change.

use crate::{
    clock::Clock,
    files::{regular, write::open_to_others},
    serve::TlsFiles,
    sync,
};
use arc_swap::ArcSwap;
use core::{fmt, time::Duration};
use rustls::{
    CertificateError, Error, RootCertStore, ServerConfig,
    client::{WebPkiServerVerifier, danger::ServerCertVerifier},
    crypto::{CryptoProvider, ring},
    pki_types::{
        self, CertificateDer, PrivateKeyDer, ServerName,
        pem::{self, PemObject},
    },
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};
use std::{
    fs::{self, File},
    io::Read,
    os::unix::fs::MetadataExt,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
};
use tokio_rustls::TlsAcceptor;
use waxseal_core::time::UnixTime;
use zeroize::Zeroizing;

/// The TLS side of a listener. Connections keep the configuration they were opened with.
pub(crate) struct Tls {
    files: TlsFiles,
    loaded: ArcSwap<Loaded>,
    /// How the files looked when they were last read.
    seen: Mutex<Stamp>,
    /// When the log was last told of a certificate that expires.
    told: Mutex<UnixTime>,
}

/// What was read from the files.
struct Loaded {
    config: Arc<ServerConfig>,
    validity: Validity,
}

/// From when and until when every certificate of a chain is valid; `None` where that cannot be told.
#[derive(Clone, Copy)]
pub(crate) struct Validity {
    pub(crate) from: Option<UnixTime>,
    pub(crate) until: Option<UnixTime>,
}

/// Device, inode, size and time of change (ctime, so of the mode too) of each file, in order; `None` for one that cannot be looked at.
type Stamp = Vec<Option<(u64, u64, u64, i64, i64)>>;

/// The certificate, the key or the authorities cannot be used: why, each with its setting.
#[derive(Debug)]
pub(crate) struct TlsError(pub(crate) Vec<(&'static str, String)>);

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each: Vec<String> = self.0.iter().map(|(setting, why)| format!("{setting}: {why}")).collect();
        f.write_str(&each.join("; "))
    }
}

impl Tls {
    pub(crate) fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let seen = stamp(&files);
        let loaded = ArcSwap::from_pointee(load(&files)?);
        let tls = Self { files, loaded, seen: Mutex::new(seen), told: Mutex::new(UnixTime::from_secs(0)) };
        tls.remind();
        Ok(tls)
    }

    pub(crate) fn validity(&self) -> Validity {
        self.loaded.load().validity
    }

    /// Tells the log once a day of a certificate that clients refuse, or soon will.
    fn remind(&self) {
        const DAY: u64 = 86_400;
        let now = Clock::system().now();
        let Validity { from, until } = self.validity();
        let (from, until) =
            (from.filter(|from| *from > now), until.filter(|until| *until <= now.plus_secs(SOON.as_secs())));
        let mut told = sync::lock(&self.told);
        if (from.is_none() && until.is_none()) || now < told.plus_secs(DAY) {
            return;
        }
        *told = now;
        if let Some(from) = from {
            tracing::error!(%from, "a certificate of `server.tls_cert` is not valid yet: clients may refuse to connect");
        }
        match until {
            Some(until) if until <= now => {
                tracing::error!(%until, "a certificate of `server.tls_cert` has expired: clients may refuse to connect");
            }
            Some(until) => tracing::warn!(%until, "a certificate of `server.tls_cert` expires soon"),
            None => {}
        }
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.loaded.load().config))
    }

    /// Reads the files again; what was in use stays in use when they are wrong.
    pub(crate) fn reload(&self) -> Result<(), TlsError> {
        self.read_again(&mut self.seen())
    }

    /// Reads the files again if they have changed since they were last read, with success or not.
    pub(crate) fn reload_if_changed(&self) -> Result<(), TlsError> {
        let mut seen = self.seen();
        if *seen != stamp(&self.files) {
            return self.read_again(&mut seen);
        }
        self.remind();
        Ok(())
    }

    /// Whoever has it reads the files alone: so what was read last stays.
    pub(super) fn seen(&self) -> MutexGuard<'_, Stamp> {
        sync::lock(&self.seen)
    }

    fn read_again(&self, seen: &mut Stamp) -> Result<(), TlsError> {
        *seen = stamp(&self.files);
        self.loaded.store(Arc::new(load(&self.files)?));
        tracing::info!("certificates read again");
        *sync::lock(&self.told) = UnixTime::from_secs(0);
        self.remind();
        Ok(())
    }
}

fn stamp(files: &TlsFiles) -> Stamp {
    let look = |path: &Path| {
        fs::metadata(path).ok().map(|file| (file.dev(), file.ino(), file.size(), file.ctime(), file.ctime_nsec()))
    };
    [Some(&files.certificate), Some(&files.key), files.client_ca.as_ref()]
        .into_iter()
        .flatten()
        .map(|path| look(path))
        .collect()
}

fn load(files: &TlsFiles) -> Result<Loaded, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let mut wrong = Vec::new();
    let chain = kept(CERTIFICATE, certificates(&files.certificate), &mut wrong);
    let key = kept("server.tls_key", private_key(&files.key), &mut wrong);
    let authorities = files.client_ca.as_deref().map(|path| verifier(path, &provider)).transpose();
    let authorities = kept("server.tls_client_ca", authorities, &mut wrong);
    let (Some(chain), Some(key), Some(authorities)) = (chain, key, authorities) else { return Err(TlsError(wrong)) };
    let validity = Validity {
        from: chain.iter().filter_map(|certificate| bounds(certificate).from).max(),
        until: chain.iter().filter_map(|certificate| bounds(certificate).until).min(),
    };
    let failed = |why: String| TlsError(vec![(CERTIFICATE, why)]);
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|error| failed(format!("cannot set up TLS: {error}")))?;
    let builder = match authorities {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|error| failed(format!("cannot use `{}` with its key: {error}", files.certificate.display())))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Loaded { config: Arc::new(config), validity })
}

/// What the file of a setting holds; what is `wrong` with it is noted, so that all of it can be said at once.
fn kept<T>(setting: &'static str, read: Result<T, String>, wrong: &mut Vec<(&'static str, String)>) -> Option<T> {
    read.map_err(|why| wrong.push((setting, why))).ok()
}

const CERTIFICATE: &str = "server.tls_cert";

/// Takes certificates of clients from these authorities.
fn verifier(path: &Path, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let unusable = |error: &dyn fmt::Display| format!("cannot use `{}`: {error}", path.display());
    let mut roots = RootCertStore::empty();
    for authority in certificates(path)? {
        roots.add(authority).map_err(|error| unusable(&error))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    verifier.build().map_err(|error| unusable(&error))
}

/// When a certificate is valid. rustls says so only to whoever checks it too early or too late: so that is done.
fn bounds(certificate: &CertificateDer<'static>) -> Validity {
    let checked = |at: Duration| {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).ok()?;
        let provider = Arc::new(ring::default_provider());
        let client = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().ok()?;
        let name = ServerName::try_from("localhost").ok()?;
        client.verify_server_cert(certificate, &[], &name, &[], pki_types::UnixTime::since_unix_epoch(at)).err()
    };
    let from = match checked(Duration::ZERO) {
        Some(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => Some(not_before),
        _ => None,
    };
    let until = match checked(THE_LAST) {
        Some(Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => Some(not_after),
        _ => None,
    };
    let time = |time: pki_types::UnixTime| UnixTime::from_secs(time.as_secs());
    Validity { from: from.map(time), until: until.map(time) }
}

/// The end of the year 9999, behind which there is no time in certificates (RFC 5280, 4.1.2.5).
const THE_LAST: Duration = Duration::from_hours(70_389_528);
/// How long before its end a certificate is reported.
pub(crate) const SOON: Duration = Duration::from_hours(14 * 24);

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_reader_iter(open(path)?).collect();
    match chain {
        Ok(chain) if chain.is_empty() => Err(format!("there is no certificate in `{}`", path.display())),
        Ok(chain) => Ok(chain),
        Err(error) => Err(format!("cannot read `{}`: {}", path.display(), in_words(error))),
    }
}

fn open(path: &Path) -> Result<File, String> {
    regular::open(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))
}

/// Security S3: a key that others can read is no secret.
fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let unreadable = |error: &dyn fmt::Display| format!("cannot read `{}`: {error}", path.display());
    let mut file = open(path)?;
    let found = file.metadata().map_err(|error| unreadable(&error))?;
    if open_to_others(&found) {
        return Err(format!(
            "`{}` has mode {:04o}, so that others than its owner may use it; `chmod 600` it",
            path.display(),
            found.mode() & 0o7777
        ));
    }
    let mut pem = Zeroizing::new(Vec::new());
    file.read_to_end(&mut pem).map_err(|error| unreadable(&error))?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
        let why = match error {
            pem::Error::NoItemsFound => "there is no PEM private key in it".into(),
            error => in_words(error),
        };
        format!("cannot use `{}`: {why}; one that is encrypted cannot be used", path.display())
    })
}

/// Without the octets that the library shows.
fn in_words(error: pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => "it is cut off: the line is missing that ends a part".into(),
        pem::Error::IllegalSectionStart { .. } => "a line that begins a part is not whole".into(),
        pem::Error::Io(error) => error.to_string(),
        error => error.to_string(),
    }
}
