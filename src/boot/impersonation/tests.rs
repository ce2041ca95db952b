use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rcgen::{CertificateParams, Issuer, KeyPair};
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::*;
use crate::clock::ManualClock;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_795_342_530);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A directory that a test has for itself.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("leadgate-authority-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Self(path)
    }

    fn authority(&self, now: Timestamp) -> Authority {
        Authority::open_or_make(&self.0, HOST, now).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Whether somebody who trusts the authority believes this certificate for this host at this moment.
fn believed(directory: &Path, certificate: &CertificateDer<'_>, host: &str, at: Timestamp) -> bool {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(directory.join("ca.pem")).unwrap()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
    let at = UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(at.unix_seconds()).unwrap()));
    verifier.verify_server_cert(certificate, &[], &ServerName::try_from(host).unwrap(), &[], at).is_ok()
}

#[test]
fn a_certificate_is_believed_for_the_host_and_for_as_long_as_it_lives() {
    let place = Place::new("believed");
    let (issued, ends) = place.authority(NOW).issue(NOW).unwrap();
    let certificate = issued.end_entity_cert().unwrap();
    assert!(believed(&place.0, certificate, HOST, NOW));
    assert!(believed(&place.0, certificate, HOST, ends.minus(Duration::from_secs(1))));
    assert!(!believed(&place.0, certificate, HOST, ends.plus(Duration::from_secs(1))));
    assert!(!believed(&place.0, certificate, "leadexec.net", NOW));
}

#[test]
fn whoever_has_the_authoritys_key_can_stand_in_for_no_other_host() {
    let place = Place::new("constrained");
    place.authority(NOW);
    let text = std::fs::read_to_string(place.0.join("ca.key")).unwrap();
    let key = KeyPair::from_pem(&text).unwrap();
    let mut own = CertificateParams::default();
    own.distinguished_name = authority::authority_name(HOST);
    let thief = Issuer::new(own, key);
    let stolen = |host: &str| {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![host.to_owned()]).unwrap().signed_by(&key, &thief).unwrap();
        believed(&place.0, certificate.der(), host, NOW)
    };
    // That it is the constraint that stops the others, and not something else.
    assert!(stolen(HOST));
    for other in ["www.leadexec.net", "example.com", "localhost", "127.0.0.1", "::1"] {
        assert!(!stolen(other), "{other}");
    }
}

#[test]
fn the_authority_is_kept_and_its_key_is_private() {
    let place = Place::new("kept");
    let first = place.authority(NOW);
    assert!(first.is_new);
    let mode = |name: &str| std::fs::metadata(place.0.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("ca.key"), mode("")), (0o600, 0o700));
    let published = std::fs::read_to_string(first.certificate_file()).unwrap();
    assert!(published.starts_with("-----BEGIN CERTIFICATE-----") && !published.contains("PRIVATE"));
    std::fs::remove_file(first.certificate_file()).unwrap();
    let again = place.authority(NOW.plus(100 * DAY));
    assert_eq!((again.is_new, again.ends), (false, first.ends));
    assert_eq!(std::fs::read_to_string(again.certificate_file()).unwrap(), published, "it is written anew as it was");
    let late = place.authority(NOW.plus(360 * DAY));
    assert!(late.is_new && late.ends > first.ends);
    assert!(remove(&place.0).unwrap() && !place.0.exists());
    assert!(!remove(&place.0).unwrap());
}

#[test]
fn a_key_that_others_may_read_and_one_that_is_not_ours_are_refused() {
    let place = Place::new("refused");
    place.authority(NOW);
    let key = place.0.join("ca.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let open = Authority::open_or_make(&place.0, HOST, NOW).err().unwrap().to_string();
    assert!(open.contains("chmod 600"), "{open}");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&key, "hello").unwrap();
    let other = Authority::open_or_make(&place.0, HOST, NOW).err().unwrap().to_string();
    assert!(other.contains("--untrust"), "{other}");
}

#[test]
fn a_certificate_is_replaced_before_it_ends() {
    let place = Place::new("renewed");
    let clock = ManualClock::at(NOW);
    let certificates = Certificates::new(place.authority(NOW), Arc::new(clock.clone())).unwrap();
    let first = certificates.present();
    clock.advance(19 * DAY);
    assert!(Arc::ptr_eq(&first, &certificates.present()));
    clock.advance(2 * DAY);
    let second = certificates.present();
    assert!(!Arc::ptr_eq(&first, &second));
    let at = NOW.plus(45 * DAY);
    assert!(believed(&place.0, second.end_entity_cert().unwrap(), HOST, at));
    assert!(!believed(&place.0, first.end_entity_cert().unwrap(), HOST, at));
}
