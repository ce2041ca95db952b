//! The ways in which an application may get a token (RFC 6749 section 1.3, RFC 8628).

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantType {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
    Password,
    DeviceCode,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a grant type; they are {}", GrantType::ALL.map(GrantType::as_str).join(", "))]
pub struct GrantTypeError;

impl GrantType {
    pub const ALL: [GrantType; 5] = [
        GrantType::AuthorizationCode,
        GrantType::RefreshToken,
        GrantType::ClientCredentials,
        GrantType::Password,
        GrantType::DeviceCode,
    ];

    /// Those of an application of which nothing else was said.
    pub const DEFAULT: [GrantType; 2] = [GrantType::AuthorizationCode, GrantType::RefreshToken];

    /// The value of the `grant_type` parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            GrantType::AuthorizationCode => "authorization_code",
            GrantType::RefreshToken => "refresh_token",
            GrantType::ClientCredentials => "client_credentials",
            GrantType::Password => "password",
            GrantType::DeviceCode => "urn:ietf:params:oauth:grant-type:device_code",
        }
    }

    /// As people write it: the same, but for the one whose name is long.
    pub const fn short_name(self) -> &'static str {
        match self {
            GrantType::DeviceCode => "device_code",
            other => other.as_str(),
        }
    }

    /// Reads either name.
    pub fn named(text: &str) -> Result<Self, GrantTypeError> {
        GrantType::ALL.into_iter().find(|grant| grant.short_name() == text).map_or_else(|| Self::parse(text), Ok)
    }

    pub fn parse(text: &str) -> Result<Self, GrantTypeError> {
        GrantType::ALL.into_iter().find(|grant| grant.as_str() == text).ok_or(GrantTypeError)
    }
}
