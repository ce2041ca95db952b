//! How a token is signed (RFC 7518 section 3.1, RFC 8037).

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    Es256,
    Rs256,
    EdDsa,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a signing algorithm; they are {}", SigningAlgorithm::ALL.map(SigningAlgorithm::as_str).join(", "))]
pub struct SigningAlgorithmError;

impl SigningAlgorithm {
    pub const ALL: [SigningAlgorithm; 3] =
        [SigningAlgorithm::Es256, SigningAlgorithm::Rs256, SigningAlgorithm::EdDsa];

    /// The value of a JOSE header's `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            SigningAlgorithm::Es256 => "ES256",
            SigningAlgorithm::Rs256 => "RS256",
            SigningAlgorithm::EdDsa => "EdDSA",
        }
    }

    pub fn parse(text: &str) -> Result<Self, SigningAlgorithmError> {
        SigningAlgorithm::ALL.into_iter().find(|alg| alg.as_str() == text).ok_or(SigningAlgorithmError)
    }
}
