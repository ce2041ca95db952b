//! The algorithms that this server signs tokens with, by their JOSE names (RFC 7518 section 3.1, RFC 8037 section 3.1).

/// In the order in which their keys are published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SigningAlgorithm {
    Es256,
    Rs256,
    EdDsa,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a signing algorithm; they are {}", SigningAlgorithm::ALL.map(SigningAlgorithm::as_str).join(", "))]
pub struct SigningAlgorithmError;

impl SigningAlgorithm {
    pub const ALL: [SigningAlgorithm; 3] = [SigningAlgorithm::Es256, SigningAlgorithm::Rs256, SigningAlgorithm::EdDsa];

    /// The value of a JWT's `alg`.
    pub const fn as_str(self) -> &'static str {
        match self {
            SigningAlgorithm::Es256 => "ES256",
            SigningAlgorithm::Rs256 => "RS256",
            SigningAlgorithm::EdDsa => "EdDSA",
        }
    }

    pub fn parse(text: &str) -> Result<Self, SigningAlgorithmError> {
        SigningAlgorithm::ALL.into_iter().find(|algorithm| algorithm.as_str() == text).ok_or(SigningAlgorithmError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_own_names_and_no_others() {
        for algorithm in SigningAlgorithm::ALL {
            assert_eq!(SigningAlgorithm::parse(algorithm.as_str()), Ok(algorithm));
        }
        for other in ["", "none", "HS256", "es256", "RS512", "PS256"] {
            assert_eq!(SigningAlgorithm::parse(other), Err(SigningAlgorithmError), "{other}");
        }
    }
}
