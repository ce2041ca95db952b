//! What is kept of a secret that was shown once.

/// The SHA-256 of a 256-bit random secret, or a keyed MAC of a secret that a person chose. Has no `==`:
/// comparing is `crypto`'s, in constant time.
#[derive(Clone, Copy)]
pub struct SecretHash(pub [u8; 32]);

impl std::fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretHash(…)")
    }
}
