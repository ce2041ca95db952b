//! Each refusal's name, and where its moment and its nearest match are found.

use super::super::action_callback::CallbackRefusal;
use super::super::bearer::{BearerError, BearerRefusal};
use super::super::deliveries::{NoLead, ReceiverRefusal};
use super::super::dialog::DialogError;
use super::super::disconnect::DisconnectRefusal;
use super::super::leads::{QueryFailure, Refused, UnknownKey};
use super::super::oauth;
use super::super::oauth::client_auth::{ClientAuthError, ClientRefusal};
use super::super::oauth::device::{DeviceRefusal, EntryError};
use super::super::oauth::dpop::DpopRefusal;
use super::super::oauth::error::Invalid;
use super::super::oauth::logout::LogoutError;
use super::super::oauth::registration::{RegistrationError, TokenRefusal};
use super::super::oauth::token::TokenError;
use super::super::redeem::{self, RedeemError};
use super::super::refresh::RefreshRefusal;
use super::super::resume::ResumeRefusal;
use super::super::sign_in::ClickError;
use super::super::throttle::TooMany;
use super::Reason;
use crate::crypto::password::Busy;
use crate::crypto::refresh_token::RefreshTokenError;
use crate::domain::connection::EndedBy;
use crate::domain::lead::LeadRefusal;
use crate::domain::timestamp::Timestamp;

/// `Variant pattern => "rule.name"`, and perhaps where the moment or the nearest is.
macro_rules! reasons {
    ($($error:ty { $($pattern:pat => $rule:expr),+ $(,)? }
        $(@at { $($at_pattern:pat => $at:expr),+ $(,)? })?
        $(@nearest { $($near_pattern:pat => $near:expr),+ $(,)? })?)+) => {$(
        impl Reason for $error {
            fn rule(&self) -> &'static str {
                match self { $($pattern => $rule),+ }
            }

            $(fn at(&self) -> Option<Timestamp> {
                $(if let $at_pattern = self { return $at; })+
                None
            })?

            $(fn nearest(&self) -> Option<String> {
                $(if let $near_pattern = self { return $near; })+
                None
            })?
        }
    )+};
}

const fn ended(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Partner => "connection.disconnected",
        EndedBy::User => "connection.ended_by_user",
        EndedBy::Operator => "connection.ended_by_operator",
        EndedBy::Expiry => "connection.expired",
    }
}

/// The first of the leads that were not taken stands for all of them.
impl Reason for Refused {
    fn rule(&self) -> &'static str {
        self.why.rule()
    }

    fn nearest(&self) -> Option<String> {
        self.why.nearest()
    }
}

/// Those that there are.
fn listed(ids: &[i64]) -> Option<String> {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    (!ids.is_empty()).then(|| format!("there are: {}", ids.join(", ")))
}

const TOO_MANY: &str = "request.too_many";
const BUSY: &str = "server.busy";
/// What is not a refusal, and so is never asked for its rule here.
const FAILED: &str = "server.failed";

reasons! {
    TooMany { _ => TOO_MANY }
    Busy { _ => BUSY }
    RefreshTokenError {
        RefreshTokenError::Malformed => "refresh_token.malformed",
        RefreshTokenError::Forged => "refresh_token.unknown",
    }
    RefreshRefusal {
        RefreshRefusal::Token(why) => why.rule(),
        RefreshRefusal::AppMissing => "appid.missing",
        RefreshRefusal::AppMalformed => "appid.malformed",
        RefreshRefusal::Unknown => "connection.gone",
        RefreshRefusal::OtherApp { only_case: true, .. } => "appid.case",
        RefreshRefusal::OtherApp { .. } => "refresh_token.other_app",
        RefreshRefusal::Ended { by, .. } => ended(*by),
        RefreshRefusal::Expired { .. } => "connection.expired",
        RefreshRefusal::JustEnded => "connection.just_ended",
    } @at {
        RefreshRefusal::Ended { at, .. } | RefreshRefusal::Expired { at } => Some(*at),
    } @nearest {
        RefreshRefusal::OtherApp { owner, .. } => Some(format!("application {owner}")),
    }
    DisconnectRefusal {
        DisconnectRefusal::Token(why) => why.rule(),
        DisconnectRefusal::ObjectObject => "disconnect.object_object",
        DisconnectRefusal::Ended { by, .. } => ended(*by),
        DisconnectRefusal::Expired { .. } => "connection.expired",
        DisconnectRefusal::Unknown => "connection.gone",
        DisconnectRefusal::OtherUser => "connection.other_user",
    } @at {
        DisconnectRefusal::Ended { at, .. } | DisconnectRefusal::Expired { at } => Some(*at),
    }
    ClickError {
        ClickError::InvalidRequest { .. } => "button.parameter",
        ClickError::InvalidButton { .. } => "button.unknown",
        ClickError::OriginNotAllowed { .. } => "button.origin",
        ClickError::ReturnNotRegistered { .. } => "button.return_url",
        ClickError::AppDisabled => "app.disabled",
        ClickError::TooMany(_) => TOO_MANY,
        ClickError::Store(_) => FAILED,
    } @nearest {
        ClickError::InvalidButton { nearest } => nearest.clone(),
        ClickError::OriginNotAllowed { nearest, .. } | ClickError::ReturnNotRegistered { nearest } => nearest.clone(),
    }
    redeem::CodeRefusal {
        redeem::CodeRefusal::Malformed => "code.malformed",
        redeem::CodeRefusal::MalformedVerifier => "code.verifier_malformed",
        redeem::CodeRefusal::Unknown => "code.unknown",
        redeem::CodeRefusal::OtherButton { .. } => "code.other_button",
        redeem::CodeRefusal::OtherOrigin { .. } => "code.other_origin",
        redeem::CodeRefusal::Used => "code.used",
        redeem::CodeRefusal::Expired { .. } => "code.expired",
        redeem::CodeRefusal::WrongVerifier => "code.verifier",
        redeem::CodeRefusal::SignedOut => "code.signed_out",
        redeem::CodeRefusal::ConnectionEnded => "connection.just_ended",
    } @at {
        redeem::CodeRefusal::Expired { at } => Some(*at),
    } @nearest {
        redeem::CodeRefusal::OtherButton { owner } => Some(format!("button {owner}")),
        redeem::CodeRefusal::OtherOrigin { of } => Some(of.to_string()),
    }
    RedeemError {
        RedeemError::OriginNotAllowed => "button.origin",
        RedeemError::InvalidButton => "button.unknown",
        RedeemError::Refused(why) => why.rule(),
        RedeemError::TooMany(..) => TOO_MANY,
        RedeemError::Store(_) => FAILED,
    } @at {
        RedeemError::Refused(why) => why.at(),
    } @nearest {
        RedeemError::Refused(why) | RedeemError::TooMany(why, _) => why.nearest(),
    }
    ResumeRefusal {
        ResumeRefusal::LoginRequired => "resume.login_required",
        ResumeRefusal::ConsentRequired => "resume.consent_required",
        ResumeRefusal::InvalidButton => "button.unknown",
        ResumeRefusal::OriginNotAllowed => "button.origin",
    }
    DialogError {
        DialogError::Unknown => "dialog.unknown",
        DialogError::Expired { .. } => "dialog.expired",
        DialogError::Finished => "dialog.finished",
        DialogError::OtherBrowser => "dialog.other_browser",
        DialogError::Csrf => "dialog.csrf",
        DialogError::NotSignedIn => "dialog.not_signed_in",
        DialogError::ButtonGone => "dialog.button_gone",
        DialogError::ClientGone => "dialog.client_gone",
        DialogError::Store(_) => FAILED,
    } @at {
        DialogError::Expired { at } => Some(*at),
    }
    CallbackRefusal {
        CallbackRefusal { is_failure: true, .. } => "callback.failed",
        CallbackRefusal { .. } => "callback.refused",
    }
    BearerRefusal {
        BearerRefusal::Malformed => "access_token.malformed",
        BearerRefusal::Jwt(_) => "access_token.not_ours",
        BearerRefusal::OtherIssuer => "access_token.other_issuer",
        BearerRefusal::Unknown => "access_token.unknown",
        BearerRefusal::OtherResource => "access_token.other_resource",
        BearerRefusal::Expired { .. } => "access_token.expired",
        BearerRefusal::Revoked { .. } => "access_token.revoked",
        BearerRefusal::GrantEnded { .. } => "grant.ended",
        BearerRefusal::ConnectionEnded { by, .. } => ended(*by),
        BearerRefusal::ConnectionExpired { .. } => "connection.expired",
        BearerRefusal::UserDisabled => "user.disabled",
        BearerRefusal::AppDisabled { .. } => "app.disabled",
        BearerRefusal::NotProved => "access_token.not_proved",
        BearerRefusal::OtherKey => "access_token.other_key",
    } @at {
        BearerRefusal::Expired { at } | BearerRefusal::Revoked { at } | BearerRefusal::GrantEnded { at, .. } => Some(*at),
        BearerRefusal::ConnectionEnded { at, .. } | BearerRefusal::ConnectionExpired { at } => Some(*at),
    }
    BearerError {
        BearerError::Refused(why) => why.rule(),
        BearerError::Dpop(why) => why.rule(),
        BearerError::Scope { .. } => "access_token.scope",
        BearerError::Store(_) => FAILED,
    } @at {
        BearerError::Refused(why) => why.at(),
    } @nearest {
        BearerError::Scope { has } => Some(format!("its scopes are: {has}")),
    }
    ReceiverRefusal {
        ReceiverRefusal::Missing => "delivery.no_credentials",
        ReceiverRefusal::OtherScheme => "delivery.scheme",
        ReceiverRefusal::Malformed => "delivery.credentials_malformed",
        ReceiverRefusal::WrongLogin => "delivery.login",
        ReceiverRefusal::WrongToken => "delivery.token",
        ReceiverRefusal::Algorithm => "delivery.algorithm",
        ReceiverRefusal::Realm => "delivery.realm",
        ReceiverRefusal::Opaque => "delivery.opaque",
        ReceiverRefusal::Qop => "delivery.qop",
        ReceiverRefusal::Uri => "delivery.uri",
        ReceiverRefusal::Nonce => "delivery.nonce",
        ReceiverRefusal::WrongResponse => "delivery.response",
        ReceiverRefusal::Stale => "delivery.stale",
        ReceiverRefusal::Replayed => "delivery.replayed",
        ReceiverRefusal::Token(why) => why.rule(),
        ReceiverRefusal::OtherClient { .. } => "delivery.other_client",
        ReceiverRefusal::TooMany(_) => TOO_MANY,
        ReceiverRefusal::Store(_) => FAILED,
    } @at {
        ReceiverRefusal::Token(why) => why.at(),
    } @nearest {
        ReceiverRefusal::Token(why) => why.nearest(),
        ReceiverRefusal::OtherClient { client } => Some(format!("application {client}")),
    }
    NoLead {
        NoLead::MediaType => "lead.media_type",
        NoLead::Json | NoLead::Form | NoLead::Xml => "lead.malformed",
        NoLead::TooLarge => "request.too_large",
    }
    DpopRefusal {
        DpopRefusal::Proof(_) => "dpop.proof",
        DpopRefusal::Several => "dpop.several",
        DpopRefusal::OtherRequest => "dpop.other_request",
        DpopRefusal::Time => "dpop.time",
        DpopRefusal::Replayed => "dpop.replayed",
        DpopRefusal::OtherToken => "dpop.other_token",
    }
    Invalid { invalid => invalid.code.rule() }
    oauth::authorization::Unsendable {
        oauth::authorization::Unsendable::Client => "client.unknown",
        oauth::authorization::Unsendable::Disabled => "app.disabled",
        oauth::authorization::Unsendable::RedirectUriTwice => "redirect_uri.twice",
        oauth::authorization::Unsendable::RedirectUri => "redirect_uri.not_registered",
        oauth::authorization::Unsendable::NoRedirectUri => "redirect_uri.missing",
        oauth::authorization::Unsendable::RequestUri => "request_uri.unknown",
    }
    oauth::refresh::RefreshRefusal {
        oauth::refresh::RefreshRefusal::Token(why) => why.rule(),
        oauth::refresh::RefreshRefusal::Unknown => "grant.gone",
        oauth::refresh::RefreshRefusal::OtherClient { .. } => "refresh_token.other_app",
        oauth::refresh::RefreshRefusal::Ended { .. } => "grant.ended",
        oauth::refresh::RefreshRefusal::ConnectionEnded { by, .. } => ended(*by),
        oauth::refresh::RefreshRefusal::Expired { .. } => "refresh_token.expired",
        oauth::refresh::RefreshRefusal::Theft => "refresh_token.reused",
        oauth::refresh::RefreshRefusal::OtherKey => "refresh_token.other_key",
        oauth::refresh::RefreshRefusal::Unregistered => "client.unregistered",
    } @at {
        oauth::refresh::RefreshRefusal::Ended { at, .. } => Some(*at),
        oauth::refresh::RefreshRefusal::ConnectionEnded { at, .. } => Some(*at),
        oauth::refresh::RefreshRefusal::Expired { at } => Some(*at),
    } @nearest {
        oauth::refresh::RefreshRefusal::OtherClient { owner } => Some(format!("application {owner}")),
    }
    oauth::code::CodeRefusal {
        oauth::code::CodeRefusal::Malformed => "code.malformed",
        oauth::code::CodeRefusal::Unknown => "code.unknown",
        oauth::code::CodeRefusal::OtherClient { .. } => "code.other_app",
        oauth::code::CodeRefusal::Used => "code.used",
        oauth::code::CodeRefusal::Expired { .. } => "code.expired",
        oauth::code::CodeRefusal::RedirectUri => "code.redirect_uri",
        oauth::code::CodeRefusal::MalformedVerifier => "code.verifier_malformed",
        oauth::code::CodeRefusal::WrongVerifier => "code.verifier",
        oauth::code::CodeRefusal::UnexpectedVerifier => "code.verifier_unexpected",
        oauth::code::CodeRefusal::OtherKey => "code.other_key",
        oauth::code::CodeRefusal::OtherResource => "code.other_resource",
        oauth::code::CodeRefusal::ConnectionEnded => "connection.just_ended",
    } @at {
        oauth::code::CodeRefusal::Expired { at } => Some(*at),
    } @nearest {
        oauth::code::CodeRefusal::OtherClient { owner } => Some(format!("application {owner}")),
    }
    DeviceRefusal {
        DeviceRefusal::Malformed => "device_code.malformed",
        DeviceRefusal::Unknown => "device_code.unknown",
        DeviceRefusal::OtherClient { .. } => "device_code.other_app",
        DeviceRefusal::Used => "device_code.used",
        DeviceRefusal::Expired { .. } => "device_code.expired",
        DeviceRefusal::Pending => "device_code.pending",
        DeviceRefusal::TooSoon => "device_code.too_soon",
        DeviceRefusal::Denied => "user.denied",
        DeviceRefusal::ConnectionEnded => "connection.just_ended",
    } @at {
        DeviceRefusal::Expired { at } => Some(*at),
    } @nearest {
        DeviceRefusal::OtherClient { owner } => Some(format!("application {owner}")),
    }
    EntryError {
        EntryError::Unknown => "device_code.user_code",
        EntryError::TooMany(_) => TOO_MANY,
        EntryError::Store(_) => FAILED,
    }
    TokenError {
        TokenError::Invalid(why) => why.rule(),
        TokenError::Code(why) => why.rule(),
        TokenError::Refresh(why) => why.rule(),
        TokenError::Device(why) => why.rule(),
        TokenError::Password => "user.credentials",
        TokenError::Denied => "user.denied",
        TokenError::Refused(why) => why.rule(),
        TokenError::TooMany(_) => TOO_MANY,
        TokenError::Busy(_) => BUSY,
        TokenError::Store(_) => FAILED,
    } @at {
        TokenError::Code(why) => why.at(),
        TokenError::Refresh(why) => why.at(),
        TokenError::Device(why) => why.at(),
    } @nearest {
        TokenError::Code(why) => why.nearest(),
        TokenError::Refresh(why) => why.nearest(),
        TokenError::Device(why) => why.nearest(),
    }
    ClientRefusal {
        ClientRefusal::Unknown => "client.unknown",
        ClientRefusal::Disabled => "app.disabled",
        ClientRefusal::WrongSecret => "client.secret",
        ClientRefusal::NoSecret => "client.has_no_secret",
        ClientRefusal::Unauthenticated => "client.unauthenticated",
        ClientRefusal::NoKeys => "client.no_keys",
        ClientRefusal::Assertion(_) => "client.assertion",
        ClientRefusal::OtherClient => "client.assertion_of_another",
        ClientRefusal::Audience => "client.assertion_audience",
        ClientRefusal::Time => "client.assertion_time",
        ClientRefusal::Replayed => "client.assertion_replayed",
    }
    ClientAuthError {
        ClientAuthError::Refused(why) | ClientAuthError::TooMany(why, _) => why.rule(),
        ClientAuthError::NotLookedAt(_) => TOO_MANY,
        ClientAuthError::Store(_) => FAILED,
    }
    TokenRefusal {
        TokenRefusal::Malformed => "registration.token_malformed",
        TokenRefusal::Unknown => "registration.token_unknown",
        TokenRefusal::Expired { .. } => "registration.token_expired",
        TokenRefusal::NotOfClient => "registration.token_of_another",
    } @at {
        TokenRefusal::Expired { at } => Some(*at),
    }
    RegistrationError {
        RegistrationError::Token(why) => why.rule(),
        RegistrationError::TooMany(..) | RegistrationError::TooManyClients(_) => TOO_MANY,
        RegistrationError::Invalid(why) => why.rule(),
        RegistrationError::Store(_) => FAILED,
    } @at {
        RegistrationError::Token(why) => why.at(),
    }
    UnknownKey { UnknownKey => "api_key.unknown" }
    LeadRefusal {
        LeadRefusal::NoAccount => "lead.no_account",
        LeadRefusal::NoLeadType => "lead.lid",
        LeadRefusal::NoSource => "lead.vid",
        LeadRefusal::UnknownSource { .. } => "lead.source_unknown",
        LeadRefusal::UnknownCampaign { .. } => "lead.campaign_unknown",
        LeadRefusal::OutsideCriteria { .. } => "lead.criteria",
        LeadRefusal::Duplicate { .. } => "lead.duplicate",
        LeadRefusal::SourceDisabled => "lead.source_disabled",
        LeadRefusal::CampaignDisabled => "lead.campaign_disabled",
        LeadRefusal::TooMany => "lead.too_many",
        LeadRefusal::OverCap { .. } => "lead.cap",
        LeadRefusal::Data(_) => "lead.data",
    } @nearest {
        LeadRefusal::UnknownSource { known } | LeadRefusal::UnknownCampaign { known } => listed(known),
    }
    QueryFailure {
        QueryFailure::TooMany => "leads.too_many",
        QueryFailure::TooLarge => "leads.too_large",
        QueryFailure::Busy => "leads.busy",
        QueryFailure::Store(_) => FAILED,
    }
    LogoutError {
        LogoutError::Hint => "logout.hint",
        LogoutError::Client => "client.unknown",
        LogoutError::RedirectUri => "logout.redirect_uri",
        LogoutError::Store(_) => FAILED,
    }
}
