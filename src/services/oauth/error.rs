//! The error codes of OAuth and its extensions.

/// An `error` value, as registered at IANA (RFC 6749 section 11.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    AccessDenied,
    UnsupportedResponseType,
    ServerError,
    TemporarilyUnavailable,
    /// RFC 6750 section 3.1.
    InvalidToken,
    InsufficientScope,
    /// OpenID Connect Core 3.1.2.6.
    LoginRequired,
    ConsentRequired,
    RequestNotSupported,
    RegistrationNotSupported,
    /// RFC 8707 section 2.
    InvalidTarget,
    /// RFC 8628 section 3.5.
    AuthorizationPending,
    SlowDown,
    ExpiredToken,
    /// RFC 9449 section 12.2.
    InvalidDpopProof,
    /// RFC 7591 section 3.2.2.
    InvalidRedirectUri,
    InvalidClientMetadata,
}

impl ErrorCode {
    const ALL: [ErrorCode; 23] = [
        ErrorCode::InvalidRequest,
        ErrorCode::InvalidClient,
        ErrorCode::InvalidGrant,
        ErrorCode::UnauthorizedClient,
        ErrorCode::UnsupportedGrantType,
        ErrorCode::InvalidScope,
        ErrorCode::AccessDenied,
        ErrorCode::UnsupportedResponseType,
        ErrorCode::ServerError,
        ErrorCode::TemporarilyUnavailable,
        ErrorCode::InvalidToken,
        ErrorCode::InsufficientScope,
        ErrorCode::LoginRequired,
        ErrorCode::ConsentRequired,
        ErrorCode::RequestNotSupported,
        ErrorCode::RegistrationNotSupported,
        ErrorCode::InvalidTarget,
        ErrorCode::AuthorizationPending,
        ErrorCode::SlowDown,
        ErrorCode::ExpiredToken,
        ErrorCode::InvalidDpopProof,
        ErrorCode::InvalidRedirectUri,
        ErrorCode::InvalidClientMetadata,
    ];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == text)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            ErrorCode::InvalidRequest => "invalid_request",
            ErrorCode::InvalidClient => "invalid_client",
            ErrorCode::InvalidGrant => "invalid_grant",
            ErrorCode::UnauthorizedClient => "unauthorized_client",
            ErrorCode::UnsupportedGrantType => "unsupported_grant_type",
            ErrorCode::InvalidScope => "invalid_scope",
            ErrorCode::AccessDenied => "access_denied",
            ErrorCode::UnsupportedResponseType => "unsupported_response_type",
            ErrorCode::ServerError => "server_error",
            ErrorCode::TemporarilyUnavailable => "temporarily_unavailable",
            ErrorCode::InvalidToken => "invalid_token",
            ErrorCode::InsufficientScope => "insufficient_scope",
            ErrorCode::LoginRequired => "login_required",
            ErrorCode::ConsentRequired => "consent_required",
            ErrorCode::RequestNotSupported => "request_not_supported",
            ErrorCode::RegistrationNotSupported => "registration_not_supported",
            ErrorCode::InvalidTarget => "invalid_target",
            ErrorCode::AuthorizationPending => "authorization_pending",
            ErrorCode::SlowDown => "slow_down",
            ErrorCode::ExpiredToken => "expired_token",
            ErrorCode::InvalidDpopProof => "invalid_dpop_proof",
            ErrorCode::InvalidRedirectUri => "invalid_redirect_uri",
            ErrorCode::InvalidClientMetadata => "invalid_client_metadata",
        }
    }

    /// The name of the reason that is no more than this code.
    pub const fn rule(self) -> &'static str {
        match self {
            ErrorCode::InvalidRequest => "error.invalid_request",
            ErrorCode::InvalidClient => "error.invalid_client",
            ErrorCode::InvalidGrant => "error.invalid_grant",
            ErrorCode::UnauthorizedClient => "error.unauthorized_client",
            ErrorCode::UnsupportedGrantType => "error.unsupported_grant_type",
            ErrorCode::InvalidScope => "error.invalid_scope",
            ErrorCode::AccessDenied => "error.access_denied",
            ErrorCode::UnsupportedResponseType => "error.unsupported_response_type",
            ErrorCode::ServerError => "error.server_error",
            ErrorCode::TemporarilyUnavailable => "error.temporarily_unavailable",
            ErrorCode::InvalidToken => "error.invalid_token",
            ErrorCode::InsufficientScope => "error.insufficient_scope",
            ErrorCode::LoginRequired => "error.login_required",
            ErrorCode::ConsentRequired => "error.consent_required",
            ErrorCode::RequestNotSupported => "error.request_not_supported",
            ErrorCode::RegistrationNotSupported => "error.registration_not_supported",
            ErrorCode::InvalidTarget => "error.invalid_target",
            ErrorCode::AuthorizationPending => "error.authorization_pending",
            ErrorCode::SlowDown => "error.slow_down",
            ErrorCode::ExpiredToken => "error.expired_token",
            ErrorCode::InvalidDpopProof => "error.invalid_dpop_proof",
            ErrorCode::InvalidRedirectUri => "error.invalid_redirect_uri",
            ErrorCode::InvalidClientMetadata => "error.invalid_client_metadata",
        }
    }
}

/// A refusal in the RFCs' own words. The description is fixed text: nothing of a request is ever in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct Invalid {
    pub code: ErrorCode,
    /// For the developer who reads it: printable ASCII without `"` and `\` (RFC 6749 section 5.2).
    pub description: &'static str,
}

impl Invalid {
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self { code, description }
    }

    pub const fn request(description: &'static str) -> Self {
        Self::new(ErrorCode::InvalidRequest, description)
    }
}

impl From<crate::domain::pairs::Repeated> for Invalid {
    fn from(_: crate::domain::pairs::Repeated) -> Self {
        Self::request("A parameter is there more than once.")
    }
}
