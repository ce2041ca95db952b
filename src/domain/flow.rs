//! One run of the dialog, from the click to its outcome. It lives on the server; a browser holds only
//! its handle, so that no form can change what was asked for (rule C8).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::authorization::AuthorizationRequest;
use super::device_code::UserCode;
use super::ids::{AppId, ButtonId, DeviceCodeId, FlowId};
use super::origin::Origin;
use super::resource::Resource;
use super::return_url::ReturnUrl;
use super::scope::ScopeSet;
use super::timestamp::Timestamp;

/// How long a person may take; the button's script waits as long.
pub const FLOW_LIFETIME: Duration = Duration::from_secs(10 * 60);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    pub id: FlowId,
    pub request: FlowRequest,
    pub expires_at: Timestamp,
    pub state: FlowState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowState {
    Open,
    /// Its outcome was handed out: it has no second one.
    Finished {
        at: Timestamp,
    },
}

/// What the flow was started for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FlowRequest {
    Button(ButtonRequest),
    Authorization(AuthorizationRequest),
    Device(DeviceRequest),
}

/// A user code that was typed in (RFC 8628 section 3.3).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceRequest {
    pub device_code: DeviceCodeId,
    pub user_code: UserCode,
    pub app: AppId,
    pub scopes: ScopeSet,
    pub resource: Option<Resource>,
}

/// A click on a sign-in button, with what was verified about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ButtonRequest {
    pub button: ButtonId,
    /// A registered origin of the button.
    pub origin: Origin,
    /// The script's own nonce, given back unchanged.
    pub state: String,
    pub code_challenge: String,
    pub mode: HandOver,
    /// A registered return address of the button.
    pub return_to: Option<ReturnUrl>,
    /// The language that the partner's page asked for.
    pub lang: Option<String>,
}

/// How the outcome reaches the partner's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandOver {
    /// A message to the opener of the pop-up.
    Popup,
    /// A full-page return with a fragment.
    Redirect,
}

impl HandOver {
    pub const fn as_str(self) -> &'static str {
        match self {
            HandOver::Popup => "popup",
            HandOver::Redirect => "redirect",
        }
    }
}
