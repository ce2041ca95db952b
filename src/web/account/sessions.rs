//! Where one is signed in, and signing out: here, there, everywhere else.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;

use super::super::forms::see_other;
use super::super::urls::route;
use super::super::visitor::{Answer, Posted, Visit};
use super::super::{Web, cookies};
use super::user_agent::described;
use super::{READ, Sheet, page_of, shown};
use crate::domain::ids::SessionId;
use crate::domain::session::Session;
use crate::services::account::sessions;
use crate::services::login::{self, SignedIn};
use crate::views::{AccountList, Cell, Form, Pager, Table, Tone};

pub async fn show(visit: Visit) -> Answer {
    let (web, signed_in) = (&visit.web, &visit.signed_in);
    let before = visit.asked("after").parse().ok().map(SessionId);
    let found = sessions::list(&web.ctx, signed_in.user.id, before, READ).await;
    let found = found.map_err(|error| visit.failed(&error))?;
    let here = web.urls.path(route::ACCOUNT_SESSIONS);
    let (found, pager) = page_of(found, &here, before.is_some(), |session| session.id.to_string());
    let sheet = Sheet::of(&visit, route::ACCOUNT_SESSIONS).await?;
    let said = match visit.asked("ended").as_str() {
        "one" => Some(sheet.text().sessions.ended.to_owned()),
        "others" => Some(sheet.text().sessions.ended_others.to_owned()),
        _ => None,
    };
    Ok(answer(web, sheet.noting(said), signed_in, &found, pager))
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
pub async fn end(Path(session): Path<String>, Posted { visit, .. }: Posted) -> Answer {
    let id = session.parse().map(SessionId).map_err(|_| visit.nothing_here())?;
    match login::end_session(&visit.acting(), &visit.signed_in.user, id).await {
        Ok(true) => Ok(back(&visit, "one")),
        // Another user's looks like one that does not exist.
        Ok(false) => Err(visit.nothing_here()),
        Err(error) => Err(visit.failed(&error)),
    }
}

pub async fn end_others(Posted { visit, .. }: Posted) -> Answer {
    let ended = sessions::end_others(&visit.acting(), &visit.signed_in).await;
    ended.map_err(|error| visit.failed(&error))?;
    Ok(back(&visit, "others"))
}

/// To the list, with word of what was ended.
fn back(visit: &Visit, ended: &str) -> Response {
    see_other(&visit.web.urls.path(&format!("{}?ended={ended}", route::ACCOUNT_SESSIONS)))
}

/// Ends the session and every resume handle of it.
pub async fn sign_out(Posted { visit, .. }: Posted) -> Answer {
    let (own, user) = (visit.signed_in.session.id, &visit.signed_in.user);
    login::end_session(&visit.acting(), user, own).await.map_err(|error| visit.failed(&error))?;
    let mut response = see_other(&visit.web.urls.path(route::ACCOUNT));
    cookies::set(response.headers_mut(), cookies::signed_out(&visit.web));
    Ok(response)
}
