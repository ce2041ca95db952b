//! A namespace: a whole world of its own beside the server's, for as long as a test needs it (wire.md E).

use std::fmt;
use std::time::Duration;

use super::timestamp::Timestamp;

/// How long one lives where nobody says.
pub const DEFAULT_TTL: Duration = Duration::from_secs(600);
/// How long one may live.
pub const MIN_TTL: Duration = Duration::from_secs(1);
pub const MAX_TTL: Duration = Duration::from_secs(24 * 3_600);
/// How many there may be at once.
pub const MAX_NAMESPACES: usize = 64;

const ID_BYTES: usize = 8;

/// Sixteen hexadecimal digits, in lower case: part of addresses, and of the name of a database's schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NamespaceId(String);

impl NamespaceId {
    /// Of random bytes.
    pub fn of(random: [u8; ID_BYTES]) -> Self {
        Self(random.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 2 * ID_BYTES && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NamespaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Its times are the machine's: a test clock moves nothing about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    pub id: NamespaceId,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wire_e_an_id_is_written_in_one_way() {
        let id = NamespaceId::of([0, 1, 0xab, 0xff, 4, 5, 6, 7]);
        assert_eq!(id.as_str(), "0001abff04050607");
        assert_eq!(NamespaceId::parse(id.as_str()), Some(id));
        for bad in
            ["", "0001abff0405060", "0001abff040506070", "0001ABFF04050607", "0001abff0405060g", "0001abff0405060\""]
        {
            assert_eq!(NamespaceId::parse(bad), None, "{bad}");
        }
    }
}
