//! Answering under the name that LeadExec's partner pages are written for: a certificate for it, from an authority that is
//! good for nothing else, and the way from plain http to https.

mod authority;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::clock::{Clock as _, SharedClock, SystemClock};
use crate::config::Settings;
use crate::config::database_url::DatabaseUrl;
use crate::domain::timestamp::Timestamp;

pub use authority::{Authority, AuthorityError, remove};

/// The host that the published snippet and the published addresses name.
pub const HOST: &str = "apps.leadexec.net";

/// What a certificate has left when it is replaced.
const RENEWED_BEFORE: Duration = Duration::from_secs(10 * 24 * 3600);
/// How long none is tried again where one could not be made.
const PAUSE: Duration = Duration::from_secs(60);

/// How the name is answered under.
pub struct Impersonation {
    pub authority: Authority,
    /// Where those arrive whose page is on http, as the published snippet then is.
    pub plain: Option<SocketAddr>,
}

/// Where the authority is kept unless another directory is named: beside the database.
pub fn directory(settings: &Settings) -> PathBuf {
    let beside = match &settings.database_url {
        DatabaseUrl::SqliteFile(path) => path.parent().map(PathBuf::from),
        DatabaseUrl::SqliteMemory | DatabaseUrl::Postgres(_) => None,
    };
    beside.unwrap_or_else(|| "data".into()).join("impersonation")
}

/// The authority in this directory; makes one where there is none, or it ends soon.
pub fn authority(directory: &std::path::Path) -> Result<Authority, AuthorityError> {
    Authority::open_or_make(directory, HOST, SystemClock.now())
}

/// What turns connections into such of TLS.
pub(super) fn acceptor(authority: Authority) -> Result<TlsAcceptor, AuthorityError> {
    let certificates = Certificates::new(authority, Arc::new(SystemClock))?;
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|why| AuthorityError::Made(why.to_string()))?
        .with_no_client_auth();
    let mut config = config.with_cert_resolver(Arc::new(certificates));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// The certificate that is shown, which lives in memory only and is replaced before it ends.
struct Certificates {
    authority: Authority,
    clock: SharedClock,
    present: Mutex<Present>,
}

struct Present {
    certificate: Arc<CertifiedKey>,
    renewed_at: Timestamp,
}

impl Certificates {
    fn new(authority: Authority, clock: SharedClock) -> Result<Self, AuthorityError> {
        let present = issue(&authority, clock.now())?;
        Ok(Self { authority, clock, present: Mutex::new(present) })
    }

    fn present(&self) -> Arc<CertifiedKey> {
        let mut present = self.present.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        if now >= present.renewed_at {
            match issue(&self.authority, now) {
                Ok(fresh) => *present = fresh,
                Err(error) => {
                    tracing::error!(%error, "the certificate could not be renewed");
                    present.renewed_at = now.plus(PAUSE);
                }
            }
        }
        present.certificate.clone()
    }
}

fn issue(authority: &Authority, now: Timestamp) -> Result<Present, AuthorityError> {
    let (certificate, ends) = authority.issue(now)?;
    // An authority in its last days shortens what it issues: not each handshake needs another.
    let renewed_at = ends.minus(RENEWED_BEFORE).max(now.plus(PAUSE));
    Ok(Present { certificate: Arc::new(certificate), renewed_at })
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Certificates(…)")
    }
}

impl ResolvesServerCert for Certificates {
    /// Under another name nobody is answered.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        (hello.server_name()?.eq_ignore_ascii_case(HOST)).then(|| self.present())
    }
}

#[cfg(test)]
mod tests;
