//! Becoming a partner by oneself, in a sandbox.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};

use super::account::password_problem;
use super::error::{failed_page, method_not_allowed_page, retry_after_header};
use super::extract::Pairs;
use super::forms::{field, posted, see_other};
use super::login::{browser, refuse_busy, signed_in};
use super::page::{self, Kind};
use super::urls::route;
use super::visitor::{self, Guest};
use super::{Web, cookies};
use crate::domain::app::{MAX_NAME, is_name};
use crate::domain::email::Email;
use crate::domain::role::Role;
use crate::domain::user::check_password;
use crate::services::csrf;
use crate::services::login::SignedIn;
use crate::services::sign_up::{self, SignUp, SignUpError};
use crate::services::throttle::TooMany;
use crate::views::{Card, Form, FormField, Page, Problem};

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(route::SIGN_UP, get(show).post(join).fallback(other_method))
        .route(route::SIGN_UP_PARTNER, post(become_partner).fallback(other_method))
}

async fn other_method(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    method_not_allowed_page(&web, &headers)
}

async fn show(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    let known = match signed_in(&web, &headers).await {
        Ok(known) => known,
        Err(answer) => return *answer,
    };
    match known {
        Some(known) if known.user.role != Role::Member => see_other(&web.urls.path(route::CONSOLE)),
        _ if !web.ctx.sandbox => closed(&web, &headers),
        Some(member) => offer(&web, &headers, &member),
        None => {
            let guest = Guest::of(&web, &headers);
            let page = page::frame(&web, &headers, None);
            let form = form(&web, &page, &guest);
            guest.keep(&web, card(&web, page, form, StatusCode::OK))
        }
    }
}

fn form(web: &Web, page: &Page, guest: &Guest) -> Form {
    let text = &page.text().account;
    let password = FormField::password("password", text.sign_up.password, "new-password");
    Form::new(web.urls.path(route::SIGN_UP), guest.csrf(web), text.sign_up.submit)
        .with(FormField::text("name", text.sign_up.name).autocomplete("name").max_length(MAX_NAME).required())
        .with(FormField::email("email", page.text().login.email).autocomplete("username").required())
        .with(
            FormField::text("company", text.sign_up.company)
                .autocomplete("organization")
                .hint(text.sign_up.company_hint)
                .max_length(MAX_NAME)
                .required(),
        )
        .with(password.hint(text.password.new_hint).required())
}

fn card(web: &Web, page: Page, form: Form, status: StatusCode) -> Response {
    let (text, nonce) = (&page.text().account.sign_up, page.nonce.clone());
    let link = Some((text.have_account, web.urls.path(route::ACCOUNT)));
    let view = Card { title: text.title, intro: text.intro.to_owned(), form: Some(form), link, page };
    page::render(Kind::Plain, status, &nonce, &view)
}

/// Where signing up takes an invitation.
fn closed(web: &Web, headers: &HeaderMap) -> Response {
    let page = page::frame(web, headers, None);
    let (text, nonce) = (&page.text().account.sign_up, page.nonce.clone());
    let link = Some((text.have_account, web.urls.path(route::ACCOUNT)));
    let view = Card { title: text.title, intro: text.closed.to_owned(), form: None, link, page };
    page::render(Kind::Plain, StatusCode::OK, &nonce, &view)
}

/// For a member of the sandbox: one button.
fn offer(web: &Web, headers: &HeaderMap, member: &SignedIn) -> Response {
    let page = page::frame(web, headers, None);
    let (text, nonce) = (&page.text().account.sign_up, page.nonce.clone());
    let token = csrf::token(&web.ctx, &member.handle);
    let form = Form::new(web.urls.path(route::SIGN_UP_PARTNER), token, text.partner_submit);
    let intro = text.partner_text.to_owned();
    let view = Card { title: text.partner_title, intro, form: Some(form), link: None, page };
    page::render(Kind::Plain, StatusCode::OK, &nonce, &view)
}

async fn join(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let given = match posted(&web, &headers, body) {
        Ok(given) => given,
        Err(answer) => return *answer,
    };
    if !web.ctx.sandbox {
        return closed(&web, &headers);
    }
    if !visitor::is_guests_own(&web, &headers, &given) {
        return page::error(&web, &headers, None, Problem::FormOutdated, None);
    }
    let before = match signed_in(&web, &headers).await {
        Ok(before) => before,
        Err(answer) => return *answer,
    };
    let page = page::frame(&web, &headers, None);
    let mut form = form(&web, &page, &Guest::of(&web, &headers));
    form.fill(&given);
    let Some(who) = check(&mut form, &page, &given) else {
        return card(&web, page, form, StatusCode::UNPROCESSABLE_ENTITY);
    };
    match sign_up::sign_up(&web.ctx, &who, before.as_ref(), &browser(&headers, &extensions)).await {
        Ok(session) => {
            let mut response = see_other(&web.urls.path(route::CONSOLE));
            cookies::set(response.headers_mut(), cookies::signed_in(&web, session));
            response
        }
        Err(SignUpError::Taken) => {
            form.refuse("email", page.text().account.sign_up.taken);
            card(&web, page, form, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(SignUpError::TooMany(TooMany { retry_after })) => {
            let seconds = retry_after.as_secs().max(1).to_string();
            form.refuse("", &page.text().account.sign_up.too_many.with(&seconds));
            retry_after_header(card(&web, page, form, StatusCode::TOO_MANY_REQUESTS), retry_after)
        }
        Err(SignUpError::Busy(busy)) => {
            refuse_busy(&mut form, &page, route::SIGN_UP, busy);
            retry_after_header(card(&web, page, form, StatusCode::SERVICE_UNAVAILABLE), busy.retry_after)
        }
        Err(error) => failed(&web, &headers, error),
    }
}

/// Who signs up, where all of it will do.
fn check(form: &mut Form, page: &Page, given: &Pairs) -> Option<SignUp> {
    let text = &page.text().account;
    let get = |name: &str| field(given, name).trim().to_owned();
    let (name, company, password) = (get("name"), get("company"), field(given, "password").to_owned());
    for (name, value) in [("name", &name), ("company", &company)] {
        if !is_name(value) {
            form.refuse(name, &text.profile.name_wrong.with(&MAX_NAME.to_string()));
        }
    }
    let email = Email::parse(field(given, "email"));
    if email.is_err() {
        form.refuse("email", text.sign_up.email_wrong);
    }
    if let Err(problem) = check_password(&password, field(given, "email")) {
        form.refuse("password", password_problem(&text.password, problem));
    }
    let email = email.ok().filter(|_| !form.is_refused())?;
    Some(SignUp { name, email, password, company })
}

fn failed(web: &Web, headers: &HeaderMap, error: SignUpError) -> Response {
    match error {
        SignUpError::Store(error) => failed_page(web, headers, &error),
        SignUpError::Closed => closed(web, headers),
        other => {
            tracing::error!(error = %other, "a user could not be made");
            page::error(web, headers, None, Problem::Internal, None)
        }
    }
}

/// A member of a sandbox who wants to register applications.
async fn become_partner(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let signed_in = match visitor::posted(&web, &headers, body).await {
        Ok((signed_in, _)) => signed_in,
        Err(answer) => return *answer,
    };
    let acting = visitor::acting(&web, &signed_in, &extensions);
    match sign_up::become_partner(&acting, &signed_in, &browser(&headers, &extensions)).await {
        Ok(session) => {
            let mut response = see_other(&web.urls.path(route::CONSOLE));
            if let Some(session) = session {
                cookies::set(response.headers_mut(), cookies::signed_in(&web, session));
            }
            response
        }
        Err(error) => failed(&web, &headers, error),
    }
}
