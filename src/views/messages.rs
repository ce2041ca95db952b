//! The message catalogue: every sentence that a page shows, in every language.
//!
//! Each language is one constant of [`Messages`]. A field without a translation does not compile, nor does
//! a language that [`Lang`] names and nobody wrote. Sentences with a gap are a [`Pattern`].

mod account;
mod admin;
mod console;
mod deliveries;
mod docs;
mod en;
mod es;
mod events;
mod inspector;
mod kit;
mod webhooks;

use serde::Serialize;

use super::error::Problem;
use crate::domain::check::{Check, Group, Status};
use crate::domain::doctor::Finding;
pub use account::{AccountTexts, HistoryTexts, PasswordTexts, ProfileTexts};
pub use admin::AdminTexts;
pub use console::{AddressTexts, AppFormTexts, CallbackTexts, ConsoleTexts};
pub use deliveries::DeliveryTexts;
pub use docs::DocsTexts;
pub use events::done;
pub use inspector::{InspectorScript, InspectorTexts, OutcomeTexts};
pub use kit::KitTexts;
pub use webhooks::WebhookTexts;

/// A language of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Lang {
    #[default]
    En,
    Es,
}

impl Lang {
    /// All of them, for tests.
    pub const ALL: [Self; 2] = [Self::En, Self::Es];

    /// The language of a BCP 47 tag, judged by its primary subtag: `es`, `es-MX`, `ES_mx`.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|lang| lang.tag().eq_ignore_ascii_case(primary))
    }

    /// The best language for an `Accept-Language` field (RFC 9110, section 12.5.4); English where none fits.
    ///
    /// Of equal weights the first wins. A weight that is no number counts as a refusal of that language,
    /// which is the harmless reading.
    #[must_use]
    pub fn from_accept_language(field: &str) -> Self {
        let mut best = (0.0_f32, Self::default());
        for item in field.split(',') {
            let (tag, parameters) = item.split_once(';').unwrap_or((item, "q=1"));
            let weight = parameters
                .trim()
                .strip_prefix("q=")
                .and_then(|weight| weight.trim().parse::<f32>().ok())
                .unwrap_or(0.0);
            if let Some(lang) = Self::from_tag(tag)
                && weight > best.0
            {
                best = (weight, lang);
            }
        }
        best.1
    }

    /// The tag for the `lang` attribute.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
        }
    }

    /// The catalogue.
    #[must_use]
    pub const fn messages(self) -> &'static Messages {
        match self {
            Self::En => &en::MESSAGES,
            Self::Es => &es::MESSAGES,
        }
    }

    /// The texts of an error page.
    #[must_use]
    pub const fn problem(self, problem: Problem) -> ProblemText {
        match self {
            Self::En => en::problem(problem),
            Self::Es => es::problem(problem),
        }
    }

    /// What the button doctor says of a finding.
    #[must_use]
    pub fn finding(self, finding: Finding) -> FindingText {
        match self {
            Self::En => en::finding(finding),
            Self::Es => es::finding(finding),
        }
    }

    /// What the integration check says of one of its checks.
    #[must_use]
    pub fn check(self, check: Check) -> CheckText {
        match self {
            Self::En => en::check(check),
            Self::Es => es::check(check),
        }
    }
}

/// A sentence with one gap, written `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pattern(pub &'static str);

impl Pattern {
    /// The sentence with its gap filled. The value is plain text: templates escape the whole.
    #[must_use]
    pub fn with(self, value: &str) -> String {
        self.0.replacen("{}", value, 1)
    }
}

/// All texts of one language.
#[derive(Debug)]
pub struct Messages {
    /// The disclaimer at the foot of every page.
    pub footer: &'static str,
    pub sandbox: &'static str,
    pub skip_to_content: &'static str,
    pub nav_label: &'static str,
    pub nav_start: &'static str,
    pub nav_try: &'static str,
    pub nav_console: &'static str,
    pub nav_account: &'static str,
    pub nav_admin: &'static str,
    pub deliveries: DeliveryTexts,
    pub docs: DocsTexts,
    pub kit: KitTexts,
    pub admin: AdminTexts,
    pub scopes: ScopeTexts,
    pub magic: MagicTexts,
    pub login: LoginTexts,
    pub consent: ConsentTexts,
    pub finished: FinishedTexts,
    pub refused: RefusedTexts,
    pub form_post: FormPostTexts,
    pub device: DeviceTexts,
    pub logout: LogoutTexts,
    pub error: ErrorTexts,
    pub account: AccountTexts,
    pub checks: ChecksTexts,
    pub console: ConsoleTexts,
    pub doctor: DoctorTexts,
    pub home: HomeTexts,
    pub try_it: TryItTexts,
    pub reference: ReferenceTexts,
    pub fidelity: FidelityTexts,
    pub inspector: InspectorTexts,
}

/// What each scope allows; every sentence continues "It will be able to".
#[derive(Debug)]
pub struct ScopeTexts {
    pub account_api: &'static str,
    pub data_api: &'static str,
    pub lead_receiver: &'static str,
    pub openid: &'static str,
    pub profile: &'static str,
    pub email: &'static str,
    pub offline_access: &'static str,
}

impl ScopeTexts {
    /// The sentence for a scope's name.
    #[must_use]
    pub fn sentence(&self, scope: &str) -> Option<&'static str> {
        Some(match scope {
            "account_api" => self.account_api,
            "data_api" => self.data_api,
            "lead_receiver" => self.lead_receiver,
            "openid" => self.openid,
            "profile" => self.profile,
            "email" => self.email,
            "offline_access" => self.offline_access,
            _ => return None,
        })
    }
}

/// What is special about the demonstration's magic users.
#[derive(Debug)]
pub struct MagicTexts {
    pub deny: &'static str,
    pub slow5s: &'static str,
    pub revoked_in_10s: &'static str,
    pub expired: &'static str,
}

#[derive(Debug)]
pub struct LoginTexts {
    pub title: &'static str,
    pub to_continue: Pattern,
    pub to_see_account: &'static str,
    pub to_go_on: &'static str,
    pub email: &'static str,
    pub password: &'static str,
    pub submit: &'static str,
    pub or: &'static str,
    pub continue_as: Pattern,
    pub bad_credentials: &'static str,
    pub email_missing: &'static str,
    pub password_missing: &'static str,
    /// The gap is a number of seconds.
    pub too_many_attempts: Pattern,
    /// Too many passwords wait to be looked at. The gap is a number of seconds.
    pub busy: Pattern,
    pub form_outdated: &'static str,
}

#[derive(Debug)]
pub struct ConsentTexts {
    pub title: Pattern,
    /// Continues the application's name.
    pub wants_access: &'static str,
    pub by_publisher: Pattern,
    pub account: &'static str,
    pub signed_in_as: &'static str,
    pub not_you: &'static str,
    pub returns_to: &'static str,
    /// Before the scheme that an application of this computer or phone is called by.
    pub app_here: &'static str,
    pub goes_to: &'static str,
    /// Before the code that the device shows.
    pub device_with: &'static str,
    pub own_device: &'static str,
    /// One more permission: the others are for this API, not for the server's own.
    pub at_resource: Pattern,
    pub permissions: &'static str,
    pub revocable: &'static str,
    pub allow: &'static str,
    pub cancel: &'static str,
}

#[derive(Debug)]
pub struct FinishedTexts {
    pub close_window: &'static str,
    pub allowed: Pattern,
    pub denied: Pattern,
    pub returning: &'static str,
    pub needs_script: &'static str,
    pub back_to_device: &'static str,
    pub not_given: &'static str,
    pub may_close: &'static str,
}

/// What an application's own server did not let happen.
#[derive(Debug)]
pub struct RefusedTexts {
    pub title: Pattern,
    pub says: Pattern,
    pub told: Pattern,
}

#[derive(Debug)]
pub struct FormPostTexts {
    pub title: Pattern,
    pub text: &'static str,
    pub submit: &'static str,
}

#[derive(Debug)]
pub struct DeviceTexts {
    pub title: &'static str,
    pub enter: &'static str,
    pub compare: &'static str,
    pub code: &'static str,
    /// The shape of a code; also what the browser says of one that cannot be right.
    pub shape: &'static str,
    pub beware: &'static str,
    pub submit: &'static str,
    pub code_missing: &'static str,
    pub code_unknown: &'static str,
    /// The gap is a number of seconds.
    pub too_many_attempts: Pattern,
    pub form_outdated: &'static str,
}

#[derive(Debug)]
pub struct LogoutTexts {
    pub title: &'static str,
    pub asked_by: Pattern,
    pub signed_in_as: &'static str,
    pub keeps_access: &'static str,
    pub submit: &'static str,
    pub stay: &'static str,
    pub done_title: &'static str,
    pub done_text: &'static str,
    pub sign_in: &'static str,
}

#[derive(Debug)]
pub struct ErrorTexts {
    pub detail: &'static str,
    pub reference: &'static str,
    pub to_start: &'static str,
}

/// The texts of one kind of error page.
#[derive(Debug, Clone, Copy)]
pub struct ProblemText {
    pub title: &'static str,
    /// What was wrong.
    pub what: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

#[derive(Debug)]
pub struct ChecksTexts {
    pub title: &'static str,
    pub intro: &'static str,
    pub pass: &'static str,
    pub fail: &'static str,
    pub not_seen: &'static str,
    pub page: &'static str,
    pub sign_in: &'static str,
    pub tokens: &'static str,
    pub disconnect: &'static str,
    pub oauth: &'static str,
    pub failures: &'static str,
    pub evidence: &'static str,
    pub junit_title: &'static str,
    pub junit_text: &'static str,
    pub copy: &'static str,
    pub copied: &'static str,
    pub copy_failed: &'static str,
    pub made_at: &'static str,
}

impl ChecksTexts {
    #[must_use]
    pub const fn group(&self, group: Group) -> &'static str {
        match group {
            Group::Page => self.page,
            Group::SignIn => self.sign_in,
            Group::Tokens => self.tokens,
            Group::Disconnect => self.disconnect,
            Group::OAuth => self.oauth,
            Group::Failures => self.failures,
        }
    }

    #[must_use]
    pub const fn status(&self, status: Status) -> &'static str {
        match status {
            Status::Pass => self.pass,
            Status::Fail => self.fail,
            Status::NotSeen => self.not_seen,
        }
    }
}

/// What a check of an integration is about.
#[derive(Debug, Clone, Copy)]
pub struct CheckText {
    /// What a correct integration does.
    pub title: &'static str,
    /// What is wrong; the gap is what was seen.
    pub failed: Pattern,
    /// What to do where it has not passed.
    pub remedy: &'static str,
}

#[derive(Debug)]
pub struct DoctorTexts {
    pub title: &'static str,
    pub intro: &'static str,
    pub how: &'static str,
    pub problems: &'static str,
    pub what_to_do: &'static str,
    pub facts: &'static str,
    pub facts_intro: &'static str,
    pub checks: &'static str,
    pub checks_intro: &'static str,
}

/// What a finding of the button doctor means.
#[derive(Debug, Clone, Copy)]
pub struct FindingText {
    /// What was found.
    pub what: &'static str,
    /// What to do; empty for what needs nothing done.
    pub remedy: &'static str,
}

#[derive(Debug)]
pub struct HomeTexts {
    pub title: &'static str,
    pub intro: &'static str,
    pub account_title: &'static str,
    pub account_text: &'static str,
    pub account_link: &'static str,
}

#[derive(Debug)]
pub struct TryItTexts {
    pub title: &'static str,
    pub intro: &'static str,
    pub needs_script: &'static str,
    pub wrong_origin: &'static str,
    pub sign_in: StepTexts,
    pub refresh: StepTexts,
    pub refresh_back_end: &'static str,
    pub call: StepTexts,
    pub disconnect: StepTexts,
    pub sign_in_first: &'static str,
    pub idle_title: &'static str,
    pub idle_text: &'static str,
    pub result_object: &'static str,
    pub request: &'static str,
    pub response: &'static str,
    pub copy_curl: &'static str,
    pub copy: &'static str,
    pub data_title: &'static str,
    pub app: &'static str,
    pub app_id: &'static str,
    pub button_id: &'static str,
    pub origins: &'static str,
    pub users: &'static str,
    pub password: &'static str,
    pub password_hashed: &'static str,
    pub links: &'static str,
    pub link_account: &'static str,
    pub link_jwks: &'static str,
    pub snippet_title: &'static str,
    pub snippet_intro: &'static str,
    pub snippet_copy: &'static str,
    pub snippet_loads: &'static str,
    pub snippet_callback: &'static str,
    pub snippet_valid: &'static str,
    pub no_button_title: &'static str,
    pub no_button_text: &'static str,
    pub no_button_seed: &'static str,
    pub no_button_comment: &'static str,
    pub script: TryItScript,
}

/// One step of the page: its heading, what it is for, and the label of its button.
#[derive(Debug)]
pub struct StepTexts {
    pub title: &'static str,
    pub text: &'static str,
    pub action: &'static str,
}

/// What `try-it.js` says; handed over as JSON.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TryItScript {
    pub pending_title: &'static str,
    pub pending_text: &'static str,
    pub success_title: &'static str,
    /// The gap is the time of expiry.
    pub success_text: &'static str,
    pub success_auto: &'static str,
    pub failure_title: &'static str,
    pub gone_title: &'static str,
    pub gone_text: &'static str,
    pub unreachable: &'static str,
    pub milliseconds: &'static str,
    pub copied: &'static str,
    pub copy_failed: &'static str,
    pub script_failed: &'static str,
    pub hints: FailureHints,
}

/// What to try after each error code of the button, keyed by that code.
#[derive(Debug, Serialize)]
pub struct FailureHints {
    pub access_denied: &'static str,
    pub popup_closed: &'static str,
    pub popup_blocked: &'static str,
    pub popup_timeout: &'static str,
    pub popup_severed: &'static str,
    pub origin_not_allowed: &'static str,
    pub invalid_button: &'static str,
    pub return_not_registered: &'static str,
    pub invalid_grant: &'static str,
    pub network_error: &'static str,
    pub server_error: &'static str,
    pub rate_limited: &'static str,
}

/// The control plane's reference.
#[derive(Debug)]
pub struct ReferenceTexts {
    pub title: &'static str,
    pub intro: &'static str,
    pub contents: &'static str,
    pub document: &'static str,
    pub token_title: &'static str,
    pub token_text: &'static str,
    pub errors_title: &'static str,
    pub errors_text: &'static str,
    pub public: &'static str,
    pub parameters: &'static str,
    pub body: &'static str,
    pub required: &'static str,
    pub answers: &'static str,
    pub members: Pattern,
    pub example: &'static str,
}

/// The fidelity ledger.
#[derive(Debug)]
pub struct FidelityTexts {
    pub title: &'static str,
    pub intro: &'static str,
    pub documented: &'static str,
    pub documented_text: &'static str,
    pub inferred: &'static str,
    pub inferred_text: &'static str,
    pub ours: &'static str,
    pub ours_text: &'static str,
}
