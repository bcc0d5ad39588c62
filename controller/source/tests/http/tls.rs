//! Over https a source is trusted by the CA in its `caFile` and by nothing else.

use crate::fake::{PATIENT, crypto, reader, second, vector, world};
use forewarm_core::observation::{Reading, Why};
use forewarm_source::DemandReader;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("a certificate")
}

/// Serves one vector over TLS for each connection, with a certificate for `name`.
fn serve(authority: &CertifiedIssuer<'_, KeyPair>, name: &str) -> SocketAddr {
    crypto();
    let keys = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new([name.to_owned()])
        .expect("a name")
        .signed_by(&keys, authority)
        .expect("signed");
    let key = rustls::pki_types::PrivateKeyDer::try_from(keys.serialize_der()).expect("a key");
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .expect("a configuration");
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").expect("a free port"));
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            // A client that does not trust us ends the handshake; the next one is served all the same.
            let _ = answer(&config, socket.expect("a connection"));
        }
    });
    address
}

fn answer(config: &Arc<rustls::ServerConfig>, socket: std::net::TcpStream) -> std::io::Result<()> {
    let tls = rustls::ServerConnection::new(config.clone()).expect("a session");
    let mut stream = rustls::StreamOwned::new(tls, socket);
    let mut seen = Vec::new();
    while !String::from_utf8_lossy(&seen).contains("query=") {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer)?;
        seen.extend_from_slice(&buffer[..read]);
    }
    let body = vector(&[("a", "f-1", "3")]);
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    stream.conn.send_close_notify();
    stream.flush()
}

async fn read(reader: &mut DemandReader) -> (Option<f64>, Option<Why>, String) {
    let (profiles, members) = world();
    let readings = reader.read(&profiles, &members, second(0), PATIENT).await;
    let text = readings.profiles["p"]
        .failed
        .clone()
        .map(|f| f.text)
        .unwrap_or_default();
    match &readings.demand[0] {
        Reading::Known(sample) => (Some(sample.current.get()), None, text),
        Reading::Unknown(why) => (None, Some(why.clone()), text),
    }
}

fn over_tls(address: SocketAddr, ca: &Path) -> DemandReader {
    reader(&format!("https://{address}"), &format!(", caFile: '{}'", ca.display()))
}

#[tokio::test]
async fn a_server_is_believed_when_the_ca_file_has_its_authority_and_it_is_read_again() {
    let (ours, theirs) = (authority(), authority());
    let address = serve(&ours, "127.0.0.1");
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.crt");
    let mut reader = over_tls(address, &ca);
    let (value, why, text) = read(&mut reader).await;
    assert_eq!((value, why), (None, Some(Why::SourceDown)));
    assert!(text.starts_with("could not read caFile"), "{text}");
    std::fs::write(&ca, theirs.pem()).expect("written");
    let (value, why, text) = read(&mut reader).await;
    assert_eq!((value, why), (None, Some(Why::SourceDown)));
    assert!(text.contains("certificate"), "{text}");
    std::fs::write(&ca, format!("{}{}", theirs.pem(), ours.pem())).expect("written");
    assert_eq!(read(&mut reader).await, (Some(3.0), None, String::new()));
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let ours = authority();
    let address = serve(&ours, "prometheus.example");
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.crt");
    std::fs::write(&ca, ours.pem()).expect("written");
    let (value, why, text) = read(&mut over_tls(address, &ca)).await;
    assert_eq!((value, why), (None, Some(Why::SourceDown)));
    assert!(text.contains("not valid for name"), "{text}");
}

#[tokio::test]
async fn a_ca_file_without_a_certificate_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let ca = folder.path().join("ca.crt");
    std::fs::write(&ca, "not a certificate").expect("written");
    let (_, why, text) = read(&mut over_tls("127.0.0.1:1".parse().expect("an address"), &ca)).await;
    assert_eq!(why, Some(Why::SourceDown));
    assert!(text.contains("there is no certificate in it"), "{text}");
}
