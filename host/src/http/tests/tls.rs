//! TLS, and certificates that change.

use super::{Client, Running, start};
use crate::{
    http::tls::{Tls, Validity},
    serve::{ServeOptions, TlsFiles},
};
use core::time::Duration;
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustls::{
    ClientConfig, RootCertStore, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{PrivateKeyDer, ServerName},
    version::{TLS12, TLS13},
};
use std::{
    fs::{self, Permissions},
    io,
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::Arc,
    thread,
    time::Instant,
};
use tokio::{io::AsyncReadExt, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};
use waxseal_core::time::UnixTime;

/// A certificate for `localhost` and its key.
struct Identity {
    certificate: Certificate,
    key: KeyPair,
}

impl Identity {
    fn new() -> Self {
        Self::until(4096)
    }

    /// Until the beginning of this year.
    fn until(year: i32) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = date_time_ymd(year, 1, 1);
        let certificate = params.self_signed(&key).unwrap();
        Self { certificate, key }
    }

    fn write(&self, home: &Path) -> TlsFiles {
        let files = TlsFiles { certificate: home.join("cert.pem"), key: home.join("key.pem"), client_ca: None };
        fs::write(&files.certificate, self.certificate.pem()).unwrap();
        fs::write(&files.key, self.key.serialize_pem()).unwrap();
        fs::set_permissions(&files.key, Permissions::from_mode(0o600)).unwrap();
        files
    }
}

async fn serve(files: TlsFiles, change: impl FnOnce(&mut ServeOptions)) -> Running {
    start(|options| {
        options.tls = Some(files);
        options.certificate_poll = Duration::from_millis(5);
        change(options);
    })
    .await
}

/// Shakes hands with a server that must show exactly `expected`.
async fn connect(
    server: &Running,
    expected: &Certificate,
    versions: &[&'static SupportedProtocolVersion],
    own: Option<&Identity>,
) -> io::Result<Client<TlsStream<TcpStream>>> {
    let mut roots = RootCertStore::empty();
    roots.add(expected.der().clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let key = PrivateKeyDer::try_from(own.key.serialize_der()).unwrap();
            builder.with_client_auth_cert(vec![own.certificate.der().clone()], key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(server.address()).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await.map(Client::new)
}

const BOTH: &[&SupportedProtocolVersion] = &[&TLS13, &TLS12];

#[tokio::test]
async fn both_versions_are_spoken_and_http_1_1_is_chosen() {
    let (home, identity) = (tempfile::tempdir().unwrap(), Identity::new());
    let server = serve(identity.write(home.path()), |_| {}).await;
    for version in [&TLS12, &TLS13] {
        let mut client = connect(&server, &identity.certificate, &[version], None).await.unwrap();
        assert_eq!(client.io.get_ref().1.alpn_protocol(), Some(b"http/1.1".as_slice()));
        assert_eq!(client.get("/v1/peer", "").await.text(), "Some(127.0.0.1) false true None");
        assert_eq!(client.post("/v1/echo", &"x".repeat(60_000)).await.body.len(), 60_000);
    }
}

/// Whoever reads until the end has to see that nothing was cut off.
#[tokio::test]
async fn the_end_is_said_also_to_those_who_would_speak_another_protocol() {
    let (home, identity) = (tempfile::tempdir().unwrap(), Identity::new());
    let server = serve(identity.write(home.path()), |_| {}).await;
    for (last, status) in
        [("GET /v1/line HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 200), ("GET /v1/line HTTP/1.1\r\n\r\n", 400)]
    {
        let mut client = connect(&server, &identity.certificate, BOTH, None).await.unwrap();
        assert_eq!(client.get("/v1/line", "Connection: Upgrade\r\nUpgrade: h2c\r\n").await.status, 200);
        client.send(last).await;
        assert_eq!(client.reply().await.status, status);
        assert_eq!(client.io.read_to_end(&mut client.received).await.expect("it says that it ends"), 0);
    }
}

#[tokio::test]
async fn a_certificate_changes_under_open_connections() {
    let (home, first, second) = (tempfile::tempdir().unwrap(), Identity::new(), Identity::new());
    let server = serve(first.write(home.path()), |_| {}).await;
    let mut old = connect(&server, &first.certificate, BOTH, None).await.unwrap();
    second.write(home.path());
    while connect(&server, &second.certificate, BOTH, None).await.is_err() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(old.get("/v1/line", "").await.status, 200);
    assert!(connect(&server, &first.certificate, BOTH, None).await.is_err());
}

#[tokio::test]
async fn a_bad_certificate_changes_nothing() {
    let (home, identity) = (tempfile::tempdir().unwrap(), Identity::new());
    let files = identity.write(home.path());
    let tls = Tls::open(files.clone()).unwrap();
    tls.reload_if_changed().unwrap();
    fs::write(&files.certificate, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    assert!(tls.reload_if_changed().is_err());
    assert!(tls.reload_if_changed().is_ok(), "told once");
    assert!(tls.reload().is_err(), "asked, told again");
    fs::write(&files.certificate, Identity::new().certificate.pem()).unwrap();
    assert!(tls.reload_if_changed().is_err(), "not the certificate of this key");

    let server = serve(identity.write(home.path()), |_| {}).await;
    fs::write(&files.certificate, "").unwrap();
    server.server.reload().await;
    let mut client = connect(&server, &identity.certificate, BOTH, None).await.unwrap();
    assert_eq!(client.get("/v1/line", "").await.status, 200);
}

/// Files may be slow to read: who began before they were replaced must not have the last word.
#[test]
fn nobody_reads_while_another_does() {
    let home = tempfile::tempdir().unwrap();
    let tls = Arc::new(Tls::open(Identity::until(2100).write(home.path())).unwrap());
    Identity::until(2200).write(home.path());
    // Whoever reads needs it, until what was read is in use.
    let another = tls.seen();
    let readers = [Tls::reload, Tls::reload_if_changed].map(|how| {
        let tls = Arc::clone(&tls);
        thread::spawn(move || how(&tls).unwrap())
    });
    // For as long as it would take, if they waited for nobody.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(200) {
        assert_eq!(tls.validity().until, Some(UnixTime::from_secs(4_102_444_800)), "until 2100");
        thread::sleep(Duration::from_millis(5));
    }
    drop(another);
    for reader in readers {
        reader.join().unwrap();
    }
    assert_eq!(tls.validity().until, Some(UnixTime::from_secs(7_258_118_400)), "until 2200");
}

/// Otherwise opening it, and with it every later reading, would wait for somebody who writes into it.
#[tokio::test]
async fn a_pipe_in_the_place_of_a_file_is_refused_at_once() {
    let (home, identity) = (tempfile::tempdir().unwrap(), Identity::new());
    let files = identity.write(home.path());
    let server = serve(files.clone(), |options| options.limits.drain_time = Duration::from_mins(1)).await;
    for path in [&files.certificate, &files.key] {
        fs::remove_file(path).unwrap();
        mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let refused = Tls::open(files.clone()).err().unwrap().to_string();
        assert!(refused.ends_with(&format!("cannot read `{}`: it is no regular file", path.display())), "{refused}");
        server.server.reload().await;
        fs::remove_file(path).unwrap();
        identity.write(home.path());
    }
    let second = Identity::new();
    second.write(home.path());
    while connect(&server, &second.certificate, BOTH, None).await.is_err() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::timeout(Duration::from_secs(20), server.server.stop()).await.expect("it waits for a file");
}

#[test]
fn it_is_known_when_a_certificate_is_valid() {
    let (home, key) = (tempfile::tempdir().unwrap(), KeyPair::generate().unwrap());
    let valid = |from, until, is_ca| {
        let mut params = CertificateParams::new(["elsewhere.example".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(until, 1, 1));
        params.is_ca = is_ca;
        let certificate = params.self_signed(&key).unwrap();
        let copy = KeyPair::from_pem(&key.serialize_pem()).unwrap();
        let Validity { from, until } =
            Tls::open(Identity { certificate, key: copy }.write(home.path())).unwrap().validity();
        [from, until].map(|time| time.map(UnixTime::as_secs))
    };
    assert_eq!(valid(2000, 2001, IsCa::NoCa), [Some(946_684_800), Some(978_307_200)], "in the past");
    assert_eq!(valid(2000, 2100, IsCa::NoCa), [Some(946_684_800), Some(4_102_444_800)]);
    assert_eq!(valid(2100, 2101, IsCa::NoCa), [Some(4_102_444_800), Some(4_133_980_800)], "to come");
    let authority = IsCa::Ca(BasicConstraints::Unconstrained);
    assert_eq!(valid(2000, 2100, authority), valid(2000, 2100, IsCa::NoCa), "of an authority");
}

/// Of all that clients are shown, some take one that is not valid for a reason to refuse it all.
#[test]
fn a_chain_is_valid_while_each_certificate_is() {
    let home = tempfile::tempdir().unwrap();
    let authority = |until, issuer: Option<&Issuer<'static, KeyPair>>| {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.not_after = date_time_ymd(until, 1, 1);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = match issuer {
            Some(issuer) => params.signed_by(&key, issuer).unwrap(),
            None => params.self_signed(&key).unwrap(),
        };
        (certificate, Issuer::new(params, key))
    };
    let (_, root) = authority(2200, None);
    let (between, issuer) = authority(2021, Some(&root));
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2100, 1, 1));
    let certificate = params.signed_by(&key, &issuer).unwrap();
    let files = Identity { certificate, key }.write(home.path());
    let leaf = fs::read_to_string(&files.certificate).unwrap();
    fs::write(&files.certificate, leaf + &between.pem()).unwrap();
    let Validity { from, until } = Tls::open(files).unwrap().validity();
    assert_eq!([from, until].map(|time| time.map(UnixTime::as_secs)), [Some(1_546_300_800), Some(1_609_459_200)]);
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let files = Identity::new().write(home.path());
    assert!(Tls::open(files.clone()).is_ok());
    for mode in [0o640, 0o604, 0o644, 0o660] {
        fs::set_permissions(&files.key, Permissions::from_mode(mode)).unwrap();
        let error = Tls::open(files.clone()).err().unwrap().to_string();
        assert!(error.contains("mode 0") && error.contains("key.pem"), "{error}");
    }
}

#[test]
fn a_key_whose_mode_was_put_right_is_read() {
    let home = tempfile::tempdir().unwrap();
    let files = Identity::new().write(home.path());
    let tls = Tls::open(files.clone()).unwrap();
    fs::set_permissions(&files.key, Permissions::from_mode(0o644)).unwrap();
    assert!(tls.reload_if_changed().is_err());
    fs::set_permissions(&files.key, Permissions::from_mode(0o600)).unwrap();
    let before = tls.acceptor();
    tls.reload_if_changed().unwrap();
    assert!(!Arc::ptr_eq(before.config(), tls.acceptor().config()), "it was not read again");
}

#[test]
fn missing_and_empty_files_are_named() {
    let home = tempfile::tempdir().unwrap();
    let files = Identity::new().write(home.path());
    let error = |files: &TlsFiles| Tls::open(files.clone()).err().unwrap().to_string();
    fs::write(&files.certificate, "").unwrap();
    assert!(error(&files).contains("cert.pem"));
    fs::remove_file(&files.certificate).unwrap();
    assert!(error(&files).contains("cert.pem"));
}

#[tokio::test]
async fn a_client_certificate_may_be_demanded() {
    let (home, identity) = (tempfile::tempdir().unwrap(), Identity::new());
    let authority = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_certificate = params.self_signed(&authority).unwrap();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::new(params, authority);
    let certificate = CertificateParams::new(["client".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    let known = Identity { certificate, key };

    let mut files = identity.write(home.path());
    files.client_ca = Some(home.path().join("ca.pem"));
    fs::write(home.path().join("ca.pem"), authority_certificate.pem()).unwrap();
    let server = serve(files, |_| {}).await;
    let status = async |own: Option<&Identity>| {
        let mut client = connect(&server, &identity.certificate, BOTH, own).await.ok()?;
        client.send("GET /v1/line HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
        let mut answer = Vec::new();
        // Under TLS 1.3 the client learns of the refusal only when it reads.
        tokio::io::AsyncReadExt::read_to_end(&mut client.io, &mut answer).await.ok()?;
        Some(answer.starts_with(b"HTTP/1.1 200 "))
    };
    assert_eq!(status(Some(&known)).await, Some(true));
    assert_eq!(status(None).await, None);
    assert_eq!(status(Some(&Identity::new())).await, None);
}

#[tokio::test]
async fn a_stalled_handshake_ends() {
    let (home, identity) = (tempfile::tempdir().unwrap(), Identity::new());
    let server = serve(identity.write(home.path()), |options| options.limits.head_time = Duration::from_millis(50)).await;
    assert_eq!(server.talk("\x16\x03\x01").await, "");
    assert!(!server.talk("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.starts_with("HTTP"), "plain HTTP gets no answer");
}

#[tokio::test]
async fn plain_http_stays_on_this_machine() {
    let home = tempfile::tempdir().unwrap();
    let mut options = ServeOptions::new(([0, 0, 0, 0], 0).into(), home.path());
    let check = |options: &ServeOptions| options.check().is_ok();
    assert!(!check(&options));
    options.allow_plain_http = true;
    assert!(check(&options));
    options.allow_plain_http = false;
    options.tls = Some(Identity::new().write(home.path()));
    assert!(check(&options));
    options.operations = Some(([0, 0, 0, 0], 0).into());
    assert!(!check(&options), "metrics are plain HTTP");
}
