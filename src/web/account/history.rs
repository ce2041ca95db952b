//! What was allowed, and what became of it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;

use super::super::error::failed_page;
use super::super::extract::Pairs;
use super::super::forms::field;
use super::super::urls::route;
use super::super::{Web, visitor};
use super::{PAGE, Sheet, shown};
use crate::domain::connection::EndedBy;
use crate::domain::consent::Through;
use crate::domain::ids::ConsentId;
use crate::services::account::history::{self, Outcome, Remembered};
use crate::views::messages::HistoryTexts;
use crate::views::{AccountList, Cell, Page, Pager, Permission, Table, Tone};

pub async fn show(State(web): State<Arc<Web>>, uri: Uri, headers: HeaderMap) -> Response {
    let signed_in = match visitor::require(&web, &headers, &uri).await {
        Ok(signed_in) => signed_in,
        Err(answer) => return *answer,
    };
    let before = field(&Pairs::of_query(uri.query()), "after").parse().ok().map(ConsentId);
    let limit = i64::try_from(PAGE + 1).unwrap_or(i64::MAX);
    let mut found = match history::list(&web.ctx, signed_in.user.id, before, limit).await {
        Ok(found) => found,
        Err(error) => return failed_page(&web, &headers, &error),
    };
    let sheet = match Sheet::of(&web, &headers, &signed_in, route::ACCOUNT_HISTORY).await {
        Ok(sheet) => sheet,
        Err(answer) => return *answer,
    };
    let is_more = found.len() > PAGE;
    found.truncate(PAGE);
    let here = web.urls.path(route::ACCOUNT_HISTORY);
    let older = found.last().filter(|_| is_more).map(|last| format!("{here}?after={}", last.consent.id));
    let text = &sheet.text().history;
    let nonce = sheet.page.nonce.clone();
    let view = AccountList {
        title: text.title,
        intro: text.intro,
        table: Table {
            caption: text.title.to_owned(),
            columns: [text.app, text.allowed, text.when, text.through, text.outcome].map(str::to_owned).to_vec(),
            rows: found.iter().map(|entry| row(&sheet.page, text, entry)).collect(),
        },
        pager: Pager { newest: before.map(|_| here), older },
        empty: Some((text.empty_title, text.empty_text)),
        form: None,
        page: sheet.page,
        head: sheet.head,
    };
    shown(StatusCode::OK, &nonce, &view)
}

fn row(page: &Page, text: &HistoryTexts, entry: &Remembered) -> Vec<Cell> {
    let consent = &entry.consent;
    let allowed = Permission::list(page.lang, consent.scopes.iter().map(|scope| scope.as_str()));
    let allowed: Vec<_> = allowed.into_iter().map(|permission| permission.sentence).collect();
    let through = match consent.through {
        Through::Button => text.button,
        Through::Grant => text.grant,
    };
    vec![
        Cell::text(&consent.app_name),
        Cell::text(allowed.join("; ")),
        Cell::Time(consent.given_at.to_rfc3339()),
        Cell::text(through),
        outcome(page, text, entry.now),
    ]
}

fn outcome(page: &Page, text: &HistoryTexts, outcome: Outcome) -> Cell {
    match outcome {
        Outcome::Lives => Cell::badge(text.lives, Tone::Good),
        Outcome::Gone => Cell::text(text.gone),
        Outcome::Ended { at, by } => {
            let by = match by {
                EndedBy::Partner => text.by_partner,
                EndedBy::User => text.by_user,
                EndedBy::Operator => text.by_operator,
                EndedBy::Expiry => text.by_expiry,
            };
            Cell::Two { text: by.to_owned(), more: page.readable_time(&at.to_rfc3339()), address: None }
        }
    }
}
