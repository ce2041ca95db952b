//! Leads: what somebody posts, what is kept of it, and why it is not taken (wire.md part C).

mod posted;

use serde::{Deserialize, Serialize};

pub use posted::{Draft, MAX_IN_REQUEST, MAX_LEADS, PostError, Posted, PostedSource, lead_type};

use super::field_value::{self, Fields};
use super::ids::{AccountId, AppId, LeadId};
use super::timestamp::Timestamp;

/// Bytes of an answer that each lead takes besides what was said of it.
const AROUND: usize = 512;

/// A lead that was taken.
#[derive(Debug, Clone, PartialEq)]
pub struct Lead {
    pub id: LeadId,
    /// LeadExec's `LeadIdentifier`: counted within the account.
    pub number: i64,
    pub account: AccountId,
    /// Its `lid`.
    pub lead_type: i64,
    /// Its `vid`.
    pub source: i64,
    /// Its `aid`.
    pub campaign: Option<i64>,
    /// Whose token it came with; `None`: it came with an API key.
    pub app: Option<AppId>,
    pub properties: Properties,
    pub fields: Fields,
    /// By the clock of the application, or the server's where there is none.
    pub received_at: Timestamp,
}

/// What is said of a lead besides its fields. Nothing of it has an effect here: nobody is sold a lead, and no address is called.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Properties {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(default)]
    pub no_sell: bool,
    /// In hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_delay: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_url: Option<String>,
}

/// LeadExec's numbers for what came of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseType {
    NoError = 0,
    SystemIdMissing = 1,
    LeadTypeIdMissing = 2,
    VendorIdMissing = 3,
    NoAccountFound = 4,
    OutsideCriteria = 5,
    DuplicateLead = 6,
    AccountDisabled = 7,
    PostOverMax = 8,
    DataErrors = 9,
}

/// Why a lead is not taken. The text is for the journal: what somebody sent is not in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LeadRefusal {
    #[error("the credentials stand for no account: the application's owner has none")]
    NoAccount,
    #[error("`lid` is missing, or no whole number from 1")]
    NoLeadType,
    #[error("`vid` is missing, or no whole number from 1")]
    NoSource,
    #[error("`vid` is none of the account's lead sources")]
    UnknownSource { known: Vec<i64> },
    #[error("`aid` is no campaign of this source and lead type")]
    UnknownCampaign { known: Vec<i64> },
    /// Of a field of the criteria.
    #[error("the field {field} is not within the campaign's criteria")]
    OutsideCriteria { field: String },
    /// Of a field of the lead type.
    #[error("another lead of this type has the same {field}")]
    Duplicate { field: String },
    #[error("the lead source is disabled")]
    SourceDisabled,
    #[error("the campaign is disabled")]
    CampaignDisabled,
    #[error("a request may have {MAX_LEADS} leads")]
    TooMany,
    #[error("the campaign takes {cap} leads a day (UTC), and has them")]
    OverCap { cap: i64 },
    #[error("its data is not right ({} errors)", .0.len())]
    Data(Vec<DataError>),
}

/// What is wrong with what a lead says. For whoever sent it, with the names that they sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DataError {
    #[error("the lead is no object")]
    NoObject,
    #[error("`fields` is missing, empty, or no object")]
    NoFields,
    #[error("there are more than {} fields", posted::MAX_FIELDS)]
    TooManyFields,
    #[error("{0} is required")]
    Required(String),
    #[error("{0} is there twice, in another case")]
    Twice(String),
    #[error("the name {0} is longer than {max} characters, empty, or has characters that cannot be seen", max = posted::MAX_NAME)]
    Name(String),
    #[error("{0} is no text, number or truth value")]
    Kind(String),
    #[error("{0} is longer than {max} characters", max = posted::MAX_VALUE)]
    TooLong(String),
    #[error("the fields are larger than {max} KiB, as JSON", max = posted::MAX_BYTES / 1024)]
    TooLarge,
    #[error("`properties` is no object")]
    NoProperties,
    #[error("`{0}` is not what it may be")]
    Property(&'static str),
}

impl Lead {
    /// About how many bytes of an answer it takes.
    pub fn shown_bytes(&self) -> usize {
        let said = [&self.properties.reference, &self.properties.return_url];
        let said: usize = said.into_iter().flatten().map(|text| field_value::json_bytes(text)).sum();
        AROUND + said + field_value::kept_bytes(&self.fields)
    }
}

impl LeadRefusal {
    pub const fn response_type(&self) -> ResponseType {
        match self {
            Self::NoAccount => ResponseType::SystemIdMissing,
            Self::NoLeadType => ResponseType::LeadTypeIdMissing,
            Self::NoSource => ResponseType::VendorIdMissing,
            Self::UnknownSource { .. } | Self::UnknownCampaign { .. } => ResponseType::NoAccountFound,
            Self::OutsideCriteria { .. } => ResponseType::OutsideCriteria,
            Self::Duplicate { .. } => ResponseType::DuplicateLead,
            Self::SourceDisabled | Self::CampaignDisabled => ResponseType::AccountDisabled,
            Self::TooMany | Self::OverCap { .. } => ResponseType::PostOverMax,
            Self::Data(_) => ResponseType::DataErrors,
        }
    }

    /// For whoever sent the lead.
    pub fn detail(&self) -> String {
        match self {
            Self::Data(errors) => errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            other => other.to_string(),
        }
    }
}
