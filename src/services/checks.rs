//! The integration check (wire.md E): what a correct integration does, ticked off by what the journal saw of one
//! application. Nothing is asked of the partner's page or back end, and nothing is kept: the same journal gives the same
//! answer.

mod disconnect;
mod failures;
mod oauth;
mod page;
mod seen;
mod sign_in;
#[cfg(test)]
mod tests;
mod tokens;

use std::sync::Arc;

use uuid::Uuid;

use super::Context;
use super::journal::Query;
use crate::domain::app::App;
use crate::domain::button::Button;
use crate::domain::check::{Check, Status};
use crate::domain::ids::AppId;
use crate::domain::journal::Entry;
use crate::domain::timestamp::Timestamp;
use crate::store::{StoreError, apps, buttons};
use seen::{Seen, Verdict};

/// Buttons of one application that are known.
const MAX_BUTTONS: i64 = 1_000;

/// Whom the check is about.
#[derive(Debug, Clone)]
pub struct Subject {
    pub app: App,
    /// Its own.
    pub buttons: Vec<Button>,
}

/// The request that shows how a check came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub request: Uuid,
    /// By the server's clock.
    pub at: Timestamp,
    /// What was asked and answered: `GET /v1/me 401`.
    pub exchange: String,
    /// What is wrong, for the gap in the check's sentence.
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub check: Check,
    pub status: Status,
    /// There for all that was seen.
    pub evidence: Option<Evidence>,
}

/// The whole check.
#[derive(Debug, Clone)]
pub struct Report {
    pub app: App,
    pub at: Timestamp,
    pub checked: Vec<Checked>,
}

impl Report {
    pub fn count(&self, status: Status) -> usize {
        self.checked.iter().filter(|checked| checked.status == status).count()
    }
}

/// Checks an application; `None` where there is none with this id.
pub async fn run(ctx: &Context, id: &AppId) -> Result<Option<Report>, StoreError> {
    let Some(subject) = find(ctx, id).await? else { return Ok(None) };
    let mut entries = ctx.journal.list(&Query::default());
    entries.reverse();
    let checked = evaluate(&subject, &entries);
    Ok(Some(Report { app: subject.app, at: ctx.now(), checked }))
}

async fn find(ctx: &Context, id: &AppId) -> Result<Option<Subject>, StoreError> {
    let id = id.clone();
    ctx.store
        .read(move |conn| {
            let id = id.clone();
            Box::pin(async move {
                let Some(app) = apps::find(conn, &id).await? else { return Ok(None) };
                let buttons = buttons::list(conn, Some(&app.id), None, MAX_BUTTONS).await?;
                Ok(Some(Subject { app, buttons }))
            })
        })
        .await
}

/// Every check, over the journal's entries, oldest first. Those of others are left out here.
pub fn evaluate(subject: &Subject, entries: &[Arc<Entry>]) -> Vec<Checked> {
    let seen = Seen::of(subject, entries);
    Check::ALL.iter().map(|check| checked(*check, judge(*check, &seen))).collect()
}

fn judge<'e>(check: Check, seen: &Seen<'e>) -> Verdict<'e> {
    let judge = match check {
        Check::ScriptFromIssuer => page::script_from_issuer,
        Check::StylesheetLoaded => page::stylesheet_loaded,
        Check::ButtonKnown => page::button_known,
        Check::OriginListed => page::origin_listed,
        Check::CallbackDefined => page::callback_defined,
        Check::CallbackReturns => page::callback_returns,
        Check::PolicyFits => page::policy_fits,
        Check::OpenerKept => page::opener_kept,
        Check::ReturnAddressRegistered => page::return_address_registered,
        Check::SignInCompleted => sign_in::sign_in_completed,
        Check::CallbackGotResult => sign_in::callback_got_result,
        Check::DenialHandled => sign_in::denial_handled,
        Check::ClosedPopupHandled => sign_in::closed_popup_handled,
        Check::ReturningUserSignedIn => sign_in::returning_user_signed_in,
        Check::RefreshWorks => tokens::refresh_works,
        Check::AppIdRight => tokens::app_id_right,
        Check::RefreshInBackEnd => tokens::refresh_in_back_end,
        Check::RefreshedOnceAnHour => tokens::refreshed_once_an_hour,
        Check::ExpiredTokenRefreshed => tokens::expired_token_refreshed,
        Check::TokensOutOfQueries => tokens::tokens_out_of_queries,
        Check::ScopeSuffices => tokens::scope_suffices,
        Check::NoProbing => tokens::no_probing,
        Check::DisconnectCalled => disconnect::disconnect_called,
        Check::DisconnectNamesToken => disconnect::disconnect_names_token,
        Check::NothingAfterDisconnect => disconnect::nothing_after_disconnect,
        Check::RevocationNoticed => disconnect::revocation_noticed,
        Check::StateSent => oauth::state_sent,
        Check::PkceUsed => oauth::pkce_used,
        Check::VerifierMatches => oauth::verifier_matches,
        Check::RedirectUriRegistered => oauth::redirect_uri_registered,
        Check::CodeInTime => oauth::code_in_time,
        Check::CodeOnce => oauth::code_once,
        Check::ClientAuthenticates => oauth::client_authenticates,
        Check::NewestRefreshTokenUsed => oauth::newest_refresh_token_used,
        Check::TokensRevoked => oauth::tokens_revoked,
        Check::RefusalAccepted => failures::refusal_accepted,
        Check::RetryWaits => failures::retry_waits,
        Check::FaultSurvived => failures::fault_survived,
    };
    judge(seen)
}

fn checked(check: Check, verdict: Verdict<'_>) -> Checked {
    let evidence = |entry: &Entry, value: String| {
        let Entry { id, at, method, route, status, .. } = entry;
        Some(Evidence { request: *id, at: *at, exchange: format!("{method} {route} {status}"), value })
    };
    match verdict {
        Verdict::Pass(entry) => Checked { check, status: Status::Pass, evidence: evidence(entry, String::new()) },
        Verdict::Fail(entry, value) => Checked { check, status: Status::Fail, evidence: evidence(entry, value) },
        Verdict::NotSeen => Checked { check, status: Status::NotSeen, evidence: None },
    }
}
