//! A certificate authority for one host name. Its key is in a file that only this user may read, and it is constrained to that
//! name: who gets hold of the key can stand in for no other host.

use std::fs;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use cookie::time::OffsetDateTime;
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, PKCS_ECDSA_P256_SHA256,
};
use tokio_rustls::rustls::crypto::aws_lc_rs::sign::any_supported_type;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::super::backup::random;
use crate::domain::timestamp::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How long the authority lives; trusting one is done by hand.
const LIFE: Duration = DAY.saturating_mul(365);
/// How long a certificate of its lives.
const CERTIFICATE_LIFE: Duration = DAY.saturating_mul(30);
/// Of an authority that has less than that left, a new one is made.
const LEAST: Duration = DAY.saturating_mul(7);
/// Clocks of containers and virtual machines differ.
const EARLIER: Duration = Duration::from_secs(3600);

const KEY_FILE: &str = "ca.key";
const CERTIFICATE_FILE: &str = "ca.pem";
/// In the key's file, before the date: only we read that one.
const VALID_UNTIL: &str = "Valid until ";
const END_OF_KEY: &str = "-----END PRIVATE KEY-----\n";

/// Why there is no certificate. Says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error("{path} could not be {action}: {why}. Name another directory with --directory")]
    File { path: PathBuf, action: &'static str, why: io::Error },
    #[error("{path} may be read by other users (mode {mode:o}). Close it: chmod 600 {path}")]
    Open { path: PathBuf, mode: u32 },
    #[error("{path} is no authority of Leadgate's. Remove it, or run `leadgate impersonate --untrust`")]
    NotOurs { path: PathBuf },
    #[error("a certificate could not be made: {0}")]
    Made(String),
}

fn failed<'p>(path: &'p Path, action: &'static str) -> impl Fn(io::Error) -> AuthorityError + 'p {
    move |why| AuthorityError::File { path: path.to_owned(), action, why }
}

fn unmade(why: impl ToString) -> AuthorityError {
    AuthorityError::Made(why.to_string())
}

fn moment(at: Timestamp) -> Result<OffsetDateTime, AuthorityError> {
    OffsetDateTime::from_unix_timestamp(at.unix_seconds()).map_err(unmade)
}

/// The authority, with its key.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    host: String,
    directory: PathBuf,
    /// When it ends.
    pub ends: Timestamp,
    /// Whether nobody can have trusted it before.
    pub is_new: bool,
}

impl Authority {
    /// Reads what is in the directory, or makes it.
    pub fn open_or_make(directory: &Path, host: &str, now: Timestamp) -> Result<Self, AuthorityError> {
        let path = directory.join(KEY_FILE);
        if !path.exists() {
            return Self::make(directory, host, now);
        }
        let there = Self::open(directory, host)?;
        if there.ends < now.plus(LEAST) { Self::make(directory, host, now) } else { Ok(there) }
    }

    fn open(directory: &Path, host: &str) -> Result<Self, AuthorityError> {
        let path = directory.join(KEY_FILE);
        let mode = fs::metadata(&path).map_err(failed(&path, "read"))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(AuthorityError::Open { path, mode });
        }
        let text = fs::read_to_string(&path).map_err(failed(&path, "read"))?;
        let not_ours = || AuthorityError::NotOurs { path: path.clone() };
        let until = text.lines().find_map(|line| Timestamp::parse_rfc3339(line.strip_prefix(VALID_UNTIL)?));
        let (ends, (_, certificate)) = until.zip(text.split_once(END_OF_KEY)).ok_or_else(not_ours)?;
        let key = KeyPair::from_pem(&text).map_err(|_| not_ours())?;
        let published = directory.join(CERTIFICATE_FILE);
        if fs::read_to_string(&published).ok().as_deref() != Some(certificate) {
            write(&published, certificate, 0o644)?;
        }
        let issuer = Issuer::new(parameters(host, Timestamp::from_unix_seconds(0), ends)?, key);
        Ok(Self { issuer, host: host.to_owned(), directory: directory.to_owned(), ends, is_new: false })
    }

    fn make(directory: &Path, host: &str, now: Timestamp) -> Result<Self, AuthorityError> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(failed(directory, "made"))?;
        // To the second, as it is written down.
        let ends = Timestamp::from_unix_seconds(now.plus(LIFE).unix_seconds());
        let parameters = parameters(host, now, ends)?;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(unmade)?;
        let certificate = parameters.self_signed(&key).map_err(unmade)?.pem();
        let text = format!("{VALID_UNTIL}{}\n{}{certificate}", ends.to_rfc3339(), unix_lines(&key.serialize_pem()));
        write(&directory.join(KEY_FILE), &text, 0o600)?;
        Ok(Self { is_new: true, ..Self::open(directory, host)? })
    }

    /// A certificate for the host with a key of its own, and when it ends.
    pub fn issue(&self, now: Timestamp) -> Result<(CertifiedKey, Timestamp), AuthorityError> {
        let ends = now.plus(CERTIFICATE_LIFE).min(self.ends);
        let mut parameters = CertificateParams::new(vec![self.host.clone()]).map_err(unmade)?;
        parameters.distinguished_name = name("Leadgate, in the place of", &self.host);
        parameters.not_before = moment(now.minus(EARLIER))?;
        parameters.not_after = moment(ends)?;
        parameters.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        parameters.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(unmade)?;
        let certificate = parameters.signed_by(&key, &self.issuer).map_err(unmade)?;
        let signing = any_supported_type(&PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())));
        Ok((CertifiedKey::new(vec![certificate.der().clone()], signing.map_err(unmade)?), ends))
    }

    /// The file that whoever is to believe it is given.
    pub fn certificate_file(&self) -> PathBuf {
        self.directory.join(CERTIFICATE_FILE)
    }
}

fn unix_lines(pem: &str) -> String {
    pem.replace("\r\n", "\n")
}

fn name(what: &str, host: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::OrganizationName, "Leadgate, an emulator for development and tests");
    name.push(DnType::CommonName, format!("{what} {host}"));
    name
}

/// Its own, which stands in what it issues.
pub(super) fn authority_name(host: &str) -> DistinguishedName {
    name("Leadgate, for this machine and", host)
}

fn parameters(host: &str, now: Timestamp, ends: Timestamp) -> Result<CertificateParams, AuthorityError> {
    let mut parameters = CertificateParams::default();
    parameters.distinguished_name = authority_name(host);
    parameters.not_before = moment(now.minus(EARLIER))?;
    parameters.not_after = moment(ends)?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    parameters.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    // A name that is permitted forbids other names, and no address.
    let every = |address: IpAddr| GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(address, 0));
    parameters.name_constraints = Some(NameConstraints {
        permitted_subtrees: vec![GeneralSubtree::DnsName(host.to_owned())],
        excluded_subtrees: vec![every(Ipv4Addr::UNSPECIFIED.into()), every(Ipv6Addr::UNSPECIFIED.into())],
    });
    Ok(parameters)
}

/// Whole or not at all: another process may read it at any moment.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), AuthorityError> {
    let draft = path.with_extension(format!("{}.part", random()));
    let made = fs::File::options().write(true).create_new(true).mode(mode).open(&draft);
    let written = made.and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
    written.and_then(|()| fs::rename(&draft, path)).map_err(|why| {
        let _ = fs::remove_file(&draft);
        failed(path, "written")(why)
    })
}

/// Removes the authority of this directory; whether there was one.
pub fn remove(directory: &Path) -> Result<bool, AuthorityError> {
    let mut was_there = false;
    for file in [KEY_FILE, CERTIFICATE_FILE] {
        let path = directory.join(file);
        match fs::remove_file(&path) {
            Ok(()) => was_there = true,
            Err(why) if why.kind() == io::ErrorKind::NotFound => {}
            Err(why) => return Err(failed(&path, "removed")(why)),
        }
    }
    // Where somebody keeps other things in it, it stays.
    let _ = fs::remove_dir(directory);
    Ok(was_there)
}
