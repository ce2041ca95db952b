//! Handles that are shown once: a recognisable prefix, the row's identifier, and 256 random bits of
//! which only a SHA-256 is stored.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::domain::pkce::{CodeChallenge, CodeVerifier};
use crate::domain::secret_hash::SecretHash;
use crate::entropy::{Entropy, secret};

/// What a handle is for. The prefix tells a person (and a secret scanner) what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandleKind {
    AccessToken,
    Code,
    /// The cookie of a signed-in browser.
    Session,
    /// The same sign-in as partner pages may use it: good for nothing but resuming a button.
    ButtonSession,
    /// The cookie of a browser that has not signed in: it binds a flow to where it was started.
    Browser,
    ResumeHandle,
    /// The code of the standard grant (RFC 6749 section 4.1).
    AuthorizationCode,
    /// Behind `urn:ietf:params:oauth:request_uri:` (RFC 9126).
    PushedRequest,
    /// RFC 8628.
    DeviceCode,
    /// An initial access token (RFC 7591).
    RegistrationToken,
    /// A registration access token (RFC 7592).
    ManagementToken,
    /// In the link of an invitation.
    Invitation,
}

impl HandleKind {
    pub const fn prefix(self) -> &'static str {
        match self {
            HandleKind::AccessToken => "lga_",
            HandleKind::Code => "lgc_",
            HandleKind::Session => "lgs_",
            HandleKind::ButtonSession => "lgn_",
            HandleKind::Browser => "lgb_",
            HandleKind::ResumeHandle => "lgh_",
            HandleKind::AuthorizationCode => "lgo_",
            HandleKind::PushedRequest => "lgp_",
            HandleKind::DeviceCode => "lgd_",
            HandleKind::RegistrationToken => "lgi_",
            HandleKind::ManagementToken => "lgm_",
            HandleKind::Invitation => "lgv_",
        }
    }
}

/// Characters of a handle: a prefix of 4, then base64url of 16 + 32 bytes.
pub const HANDLE_LENGTH: usize = 4 + 64;

/// A handle as its holder has it.
#[derive(Clone, PartialEq, Eq)]
pub struct Handle {
    pub id: Uuid,
    secret: [u8; 32],
}

impl Handle {
    pub fn mint(id: Uuid, entropy: &dyn Entropy) -> Self {
        Self { id, secret: secret(entropy) }
    }

    /// The same secret under another row's id.
    pub fn with_id(self, id: Uuid) -> Self {
        Self { id, ..self }
    }

    /// `None` for whatever this server cannot have written.
    pub fn parse(kind: HandleKind, text: &str) -> Option<Self> {
        let body = text.strip_prefix(kind.prefix())?;
        if text.len() != HANDLE_LENGTH {
            return None;
        }
        let mut bytes = [0; 48];
        (URL_SAFE_NO_PAD.decode_slice(body, &mut bytes).ok()? == 48).then_some(())?;
        let (id, secret) = bytes.split_at(16);
        Some(Self { id: Uuid::from_slice(id).ok()?, secret: secret.try_into().ok()? })
    }

    pub fn encode(&self, kind: HandleKind) -> String {
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(self.id.as_bytes());
        bytes[16..].copy_from_slice(&self.secret);
        let mut text = String::with_capacity(HANDLE_LENGTH);
        text.push_str(kind.prefix());
        URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
        text
    }

    /// What is stored of it. A fast hash is right for a secret of 256 random bits.
    pub fn hash(&self) -> SecretHash {
        SecretHash(sha256(&self.secret))
    }

    /// Constant time.
    pub fn matches(&self, stored: &SecretHash) -> bool {
        verify_hash(&self.hash(), stored)
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle(…)")
    }
}

/// Whether two hashes are of one secret. Constant time.
pub fn verify_hash(presented: &SecretHash, stored: &SecretHash) -> bool {
    verify_slices_are_equal(&presented.0, &stored.0).is_ok()
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest(&SHA256, bytes).as_ref());
    out
}

/// Twelve characters that stand for a secret in logs: enough to follow one, useless to guess it.
pub fn fingerprint(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(&sha256(secret.as_bytes())[..9])
}

/// Whether a verifier is the one whose S256 challenge was given (RFC 7636 section 4.6). Constant time.
pub fn proves(verifier: &CodeVerifier, challenge: &CodeChallenge) -> bool {
    let computed = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
    verify_slices_are_equal(computed.as_bytes(), challenge.as_str().as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    #[test]
    fn a_handle_reads_back_as_its_own_kind_only() {
        let handle = Handle::mint(Uuid::from_u128(7), &SystemEntropy);
        let text = handle.encode(HandleKind::AccessToken);
        assert_eq!(text.len(), HANDLE_LENGTH);
        assert!(Handle::parse(HandleKind::AccessToken, &text).unwrap().matches(&handle.hash()));
        assert!(Handle::parse(HandleKind::Session, &text).is_none());
        let other = Handle::mint(Uuid::from_u128(7), &SystemEntropy);
        assert!(!other.matches(&handle.hash()));
        for bad in ["", "lga_", "lga_!", &text[..text.len() - 1], &format!("{text}A"), &text.replace("lga_", "lgaé")] {
            assert!(Handle::parse(HandleKind::AccessToken, bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn d10_the_vector_of_rfc_7636_appendix_b() {
        let verifier = CodeVerifier::parse("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk").unwrap();
        assert!(proves(&verifier, &CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap()));
        assert!(!proves(&verifier, &CodeChallenge::parse(&"E".repeat(43)).unwrap()));
    }

    #[test]
    fn debug_shows_nothing() {
        let handle = Handle::mint(Uuid::from_u128(7), &SystemEntropy);
        assert_eq!(format!("{handle:?} {:?}", handle.hash()), "Handle(…) SecretHash(…)");
    }
}
