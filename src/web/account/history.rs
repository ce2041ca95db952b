//! What was allowed, and what became of it.

use axum::http::StatusCode;

use super::super::urls::route;
use super::super::visitor::{Answer, Visit};
use super::{READ, Sheet, page_of, shown};
use crate::domain::connection::EndedBy;
use crate::domain::consent::Through;
use crate::domain::ids::ConsentId;
use crate::services::account::history::{self, Outcome, Remembered};
use crate::views::messages::HistoryTexts;
use crate::views::{AccountList, Cell, Page, Permission, Table, Tone};

pub async fn show(visit: Visit) -> Answer {
    let web = &visit.web;
    let before = visit.asked("after").parse().ok().map(ConsentId);
    let found = history::list(&web.ctx, visit.signed_in.user.id, before, READ).await;
    let found = found.map_err(|error| visit.failed(&error))?;
    let here = web.urls.path(route::ACCOUNT_HISTORY);
    let (found, pager) = page_of(found, &here, before.is_some(), |entry| entry.consent.id.to_string());
    let sheet = Sheet::of(&visit, route::ACCOUNT_HISTORY).await?;
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
        pager,
        empty: Some((text.empty_title, text.empty_text)),
        form: None,
        page: sheet.page,
        head: sheet.head,
    };
    Ok(shown(StatusCode::OK, &nonce, &view))
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
