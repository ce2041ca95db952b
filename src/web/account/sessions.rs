//! Where one is signed in, and signing out: here, there, everywhere else.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, StatusCode, Uri};
use axum::response::Response;

use super::super::error::failed_page;
use super::super::extract::Pairs;
use super::super::forms::{field, see_other};
use super::super::urls::route;
use super::super::{Web, cookies, page, visitor};
use super::user_agent::described;
use super::{PAGE, Sheet, shown};
use crate::domain::ids::SessionId;
use crate::domain::session::Session;
use crate::services::account::sessions;
use crate::services::login::{self, SignedIn};
use crate::views::{AccountList, Cell, Form, Pager, Problem, Table, Tone};

pub async fn show(State(web): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    let signed_in = match visitor::require(&web, &headers, &uri).await {
        Ok(signed_in) => signed_in,
        Err(answer) => return *answer,
    };
    let query = Pairs::of_query(uri.query());
    let before = field(&query, "after").parse().ok().map(SessionId);
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut found = match sessions::list(&web.ctx, signed_in.user.id, before, limit).await {
        Ok(found) => found,
        Err(error) => return failed_page(&web, &headers, &error),
    };
    let sheet = match Sheet::of(&web, &headers, &signed_in, route::ACCOUNT_SESSIONS).await {
        Ok(sheet) => sheet,
        Err(answer) => return *answer,
    };
    let is_more = found.len() > PAGE;
    found.truncate(PAGE);
    let here = web.urls.path(route::ACCOUNT_SESSIONS);
    let older = found.last().filter(|_| is_more).map(|last| format!("{here}?after={}", last.id));
    let said = match field(&query, "ended") {
        "one" => Some(sheet.text().sessions.ended.to_owned()),
        "others" => Some(sheet.text().sessions.ended_others.to_owned()),
        _ => None,
    };
    let pager = Pager { newest: before.map(|_| here), older };
    answer(&web, sheet.noting(said), &signed_in, &found, pager)
}

fn answer(web: &Web, sheet: Sheet, signed_in: &SignedIn, found: &[Session], pager: Pager) -> Response {
    let text = &sheet.text().sessions;
    let nonce = sheet.page.nonce.clone();
    let columns = [text.browser, text.address, text.opened, text.expires, ""].map(str::to_owned).to_vec();
    let has_others = pager != Pager::default() || found.iter().any(|session| session.id != signed_in.session.id);
    let end_others = Form::new(web.urls.path(route::ACCOUNT_SESSIONS_END), &sheet.head.csrf, text.end_others);
    let view = AccountList {
        title: text.title,
        intro: text.intro,
        table: Table {
            caption: text.title.to_owned(),
            columns,
            rows: found.iter().map(|session| row(web, &sheet, signed_in, session)).collect(),
        },
        pager,
        empty: None,
        form: has_others.then(|| end_others.dangerous()),
        page: sheet.page,
        head: sheet.head,
    };
    shown(StatusCode::OK, &nonce, &view)
}

fn row(web: &Web, sheet: &Sheet, signed_in: &SignedIn, session: &Session) -> Vec<Cell> {
    let text = &sheet.text().sessions;
    let browser = session.user_agent.as_deref().and_then(described).unwrap_or_else(|| text.some_browser.to_owned());
    let last = if session.id == signed_in.session.id {
        Cell::badge(text.this_one, Tone::Good)
    } else {
        Cell::Button {
            label: text.end.to_owned(),
            about: format!("{browser}, {}", sheet.page.readable_time(&session.created_at.to_rfc3339())),
            action: web.urls.account_session_end(session.id),
            csrf: sheet.head.csrf.clone(),
            is_dangerous: true,
        }
    };
    vec![
        Cell::text(browser),
        session.address.map_or(Cell::Empty, |address| Cell::code(address.to_string())),
        Cell::Time(session.created_at.to_rfc3339()),
        Cell::Time(session.expires_at.to_rfc3339()),
        last,
    ]
}

/// Ends another session of one's own.
pub async fn end(
    State(web): State<Arc<Web>>,
    Path(session): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let signed_in = match visitor::posted(&web, &headers, body).await {
        Ok((signed_in, _)) => signed_in,
        Err(answer) => return *answer,
    };
    let Ok(id) = session.parse().map(SessionId) else {
        return page::error(&web, &headers, None, Problem::NotFound, None);
    };
    let acting = visitor::acting(&web, &signed_in, &extensions);
    match login::end_session(&acting, &signed_in.user, id).await {
        Ok(true) => see_other(&web.urls.path(&format!("{}?ended=one", route::ACCOUNT_SESSIONS))),
        // Another user's looks like one that does not exist.
        Ok(false) => page::error(&web, &headers, None, Problem::NotFound, None),
        Err(error) => failed_page(&web, &headers, &error),
    }
}

pub async fn end_others(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let signed_in = match visitor::posted(&web, &headers, body).await {
        Ok((signed_in, _)) => signed_in,
        Err(answer) => return *answer,
    };
    match sessions::end_others(&visitor::acting(&web, &signed_in, &extensions), &signed_in).await {
        Ok(_) => see_other(&web.urls.path(&format!("{}?ended=others", route::ACCOUNT_SESSIONS))),
        Err(error) => failed_page(&web, &headers, &error),
    }
}

/// Ends the session and every resume handle of it.
pub async fn sign_out(
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
    if let Err(error) = login::end_session(&acting, &signed_in.user, signed_in.session.id).await {
        return failed_page(&web, &headers, &error);
    }
    let mut response = see_other(&web.urls.path(route::ACCOUNT));
    cookies::set(response.headers_mut(), cookies::signed_out(&web));
    response
}
