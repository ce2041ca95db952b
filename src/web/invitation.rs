//! Where the link of an invitation leads. The token leaves the address at once, into a cookie that no script reads: it is
//! in no history, no referrer and no page.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::get;

use super::account::password_problem;
use super::error::{failed_page, method_not_allowed_page, retry_after_header};
use super::extract::Pairs;
use super::forms::{field, posted, see_other};
use super::login::{browser, refuse_busy, signed_in};
use super::page::{self, Kind};
use super::urls::route;
use super::visitor::{self, Guest};
use super::{Web, cookies};
use crate::crypto::token::fingerprint;
use crate::domain::app::{MAX_NAME, is_name};
use crate::domain::invitation::{Invitation, InvitedTo};
use crate::domain::role::Role;
use crate::domain::user::check_password;
use crate::services::invitations::{self, AcceptError, Answer, Over};
use crate::views::{Card, Form, FormField, Page, Problem};

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::INVITATION, get(show).post(accept).fallback(other_method))
}

async fn other_method(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    method_not_allowed_page(&web, &headers)
}

async fn show(State(web): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    let query = Pairs::of_query(uri.query());
    let named = field(&query, "token");
    if !named.is_empty() {
        // Into a cookie goes only what the server can have written.
        if !invitations::is_token(named) {
            return refused(&web, &headers, named, Over::Malformed.into());
        }
        let mut response = see_other(&web.urls.path(route::INVITATION));
        response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        cookies::set(response.headers_mut(), [cookies::set_invitation(&web, named.to_owned())]);
        return response;
    }
    let token = cookies::invitation(&web, &headers).unwrap_or_default();
    match invitations::look(&web.ctx, &token).await {
        Ok(invitation) => {
            let guest = Guest::of(&web, &headers);
            let page = page::frame(&web, &headers, None);
            let form = form(&web, &page, &guest, &invitation);
            guest.keep(&web, card(page, form, &invitation, StatusCode::OK))
        }
        Err(error) => refused(&web, &headers, &token, error),
    }
}

async fn accept(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let given = match posted(&web, &headers, body) {
        Ok(given) => given,
        Err(answer) => return *answer,
    };
    if !visitor::is_guests_own(&web, &headers, &given) {
        return page::error(&web, &headers, None, Problem::FormOutdated, None);
    }
    let token = cookies::invitation(&web, &headers).unwrap_or_default();
    let (invitation, before) = match (invitations::look(&web.ctx, &token).await, signed_in(&web, &headers).await) {
        (Ok(invitation), Ok(before)) => (invitation, before),
        (Err(error), _) => return refused(&web, &headers, &token, error),
        (_, Err(answer)) => return *answer,
    };
    let page = page::frame(&web, &headers, None);
    let mut form = form(&web, &page, &Guest::of(&web, &headers), &invitation);
    form.fill(&given);
    let Some(answer) = check(&mut form, &page, &given, &invitation) else {
        return card(page, form, &invitation, StatusCode::UNPROCESSABLE_ENTITY);
    };
    let browser = browser(&headers, &extensions);
    match invitations::accept(&web.ctx, &token, &answer, before.as_ref(), &browser).await {
        Ok(session) => {
            let home = if invitation.role == Role::Partner { route::CONSOLE } else { route::ACCOUNT };
            let mut response = see_other(&web.urls.path(home));
            cookies::set(response.headers_mut(), cookies::signed_in(&web, session));
            cookies::set(response.headers_mut(), [cookies::invitation_over(&web)]);
            response
        }
        Err(AcceptError::Busy(busy)) => {
            refuse_busy(&mut form, &page, route::INVITATION, busy);
            retry_after_header(card(page, form, &invitation, StatusCode::SERVICE_UNAVAILABLE), busy.retry_after)
        }
        Err(error) => refused(&web, &headers, &token, error),
    }
}

/// Whether the invited person names a company of their own.
fn names_company(invitation: &Invitation) -> bool {
    matches!(invitation.to, InvitedTo::Join { account: None })
}

fn is_reset(invitation: &Invitation) -> bool {
    matches!(invitation.to, InvitedTo::Reset { .. })
}

fn form(web: &Web, page: &Page, guest: &Guest, invitation: &Invitation) -> Form {
    let text = &page.text().account;
    let submit = if is_reset(invitation) { text.invitation.reset_submit } else { text.invitation.join_submit };
    let mut form = Form::new(web.urls.path(route::INVITATION), guest.csrf(web), submit);
    if !is_reset(invitation) {
        let name = FormField::text("name", text.sign_up.name).autocomplete("name");
        form = form.with(name.max_length(MAX_NAME).required());
    }
    if names_company(invitation) {
        let company = FormField::text("company", text.sign_up.company).autocomplete("organization");
        form = form.with(company.hint(text.sign_up.company_hint).max_length(MAX_NAME).required());
    }
    let new = FormField::password("new_password", text.password.new, "new-password");
    form.with(new.hint(text.password.new_hint).required())
        .with(FormField::password("new_password_again", text.password.again, "new-password").required())
}

/// What was filled in, where all of it will do.
fn check(form: &mut Form, page: &Page, given: &Pairs, invitation: &Invitation) -> Option<Answer> {
    let text = &page.text().account;
    let get = |name: &str| field(given, name).trim().to_owned();
    let (name, company) = (get("name"), get("company"));
    let wrong = text.profile.name_wrong.with(&MAX_NAME.to_string());
    if !is_reset(invitation) && !is_name(&name) {
        form.refuse("name", &wrong);
    }
    if names_company(invitation) && !is_name(&company) {
        form.refuse("company", &wrong);
    }
    let password = field(given, "new_password");
    if let Err(problem) = check_password(password, invitation.email.as_str()) {
        form.refuse("new_password", password_problem(&text.password, problem));
    } else if password != field(given, "new_password_again") {
        form.refuse("new_password_again", text.password.differs);
    }
    (!form.is_refused()).then(|| Answer { name, company, password: password.to_owned() })
}

fn card(page: Page, form: Form, invitation: &Invitation, status: StatusCode) -> Response {
    let (text, nonce) = (&page.text().account.invitation, page.nonce.clone());
    let (title, intro) =
        if is_reset(invitation) { (text.reset_title, text.reset_intro) } else { (text.join_title, text.join_intro) };
    let intro = intro.with(invitation.email.as_str());
    page::render(Kind::Plain, status, &nonce, &Card { page, title, intro, form: Some(form), link: None })
}

/// One page for whatever is the matter with a link; the log says what.
fn refused(web: &Web, headers: &HeaderMap, token: &str, error: AcceptError) -> Response {
    match error {
        AcceptError::Over(why) => {
            tracing::info!(endpoint = "invitation", %why, fingerprint = fingerprint(token), "refused");
            let page = page::frame(web, headers, None);
            let (text, nonce) = (&page.text().account.invitation, page.nonce.clone());
            let link = Some((text.over_link, web.urls.path(route::ACCOUNT)));
            let view = Card { title: text.over_title, intro: text.over_text.to_owned(), form: None, link, page };
            let mut response = page::render(Kind::Plain, StatusCode::GONE, &nonce, &view);
            cookies::set(response.headers_mut(), [cookies::invitation_over(web)]);
            response
        }
        AcceptError::Store(error) => failed_page(web, headers, &error),
        error @ (AcceptError::Busy(_) | AcceptError::Password(_)) => {
            tracing::error!(%error, "a password could not be hashed");
            page::error(web, headers, None, Problem::Internal, None)
        }
    }
}
