//! Proof Key for Code Exchange, method S256 only (RFC 7636; RFC 9700 section 2.1.1).

/// The `code_challenge`: base64url of a SHA-256, 43 characters (RFC 7636 section 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChallenge(String);

/// The `code_verifier`: 43 to 128 unreserved characters (RFC 7636 section 4.1).
pub struct CodeVerifier(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PkceError {
    #[error("a code_challenge is the base64url SHA-256 of the verifier: 43 characters")]
    Challenge,
    #[error("a code_verifier is 43 to 128 characters out of A-Z a-z 0-9 - . _ ~")]
    Verifier,
}

impl CodeChallenge {
    pub fn parse(text: &str) -> Result<Self, PkceError> {
        let base64url = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if text.len() == 43 && text.bytes().all(base64url) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PkceError::Challenge)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl CodeVerifier {
    pub fn parse(text: &str) -> Result<Self, PkceError> {
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        if (43..=128).contains(&text.len()) && text.bytes().all(unreserved) {
            Ok(Self(text.to_owned()))
        } else {
            Err(PkceError::Verifier)
        }
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b13_d8_lengths_and_alphabet() {
        assert!(CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").is_ok());
        for bad in ["", "short", &"a".repeat(42), &"a".repeat(44), &"+".repeat(43)] {
            assert!(CodeChallenge::parse(bad).is_err(), "{bad}");
        }
        assert!(CodeVerifier::parse(&"a".repeat(43)).is_ok() && CodeVerifier::parse(&"~".repeat(128)).is_ok());
        for bad in ["", &"a".repeat(42), &"a".repeat(129), &"é".repeat(30), &" ".repeat(50)] {
            assert!(CodeVerifier::parse(bad).is_err(), "{bad}");
        }
    }
}
