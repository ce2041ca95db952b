//! The documentation of this very version, for people: the Markdown of docs/ as pages.
//!
//! The files are embedded and rendered once, when the first page is asked for. In a sandbox their buttons work.

mod colour;
mod library;
mod markdown;
mod search;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Web;
use super::error::method_not_allowed_page;
use super::extract::Pairs;
use super::forms::field;
use super::login::frame_for_visitor;
use super::page::{self, Kind};
use super::urls::route;
use crate::services::partner;
use crate::views::{Docs, DocsSearch, Markup};
use library::{LIBRARY, Page};
use markdown::Place;

pub fn routes() -> Router<Arc<Web>> {
    let start = async |State(web): State<Arc<Web>>, headers: HeaderMap| shown(&web, &headers, "").await;
    let page = async |State(web): State<Arc<Web>>, Path(name): Path<String>, headers: HeaderMap| {
        shown(&web, &headers, &name).await
    };
    let other =
        async |State(web): State<Arc<Web>>, headers: HeaderMap| -> Response { method_not_allowed_page(&web, &headers) };
    Router::new()
        .route(route::DOCS, get(start).fallback(other))
        .route(route::DOCS_SLASH, get(async |State(web): State<Arc<Web>>| moved(&web, "")).fallback(other))
        .route(route::DOCS_SEARCH, get(search).fallback(other))
        .route(route::DOCS_PAGE, get(page).fallback(other))
}

/// The address of a page; the first one's has no name.
fn moved(web: &Web, name: &str) -> Response {
    let to = if name.is_empty() { route::DOCS.to_owned() } else { format!("{}/{name}", route::DOCS) };
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, web.urls.path(&to))]).into_response()
}

async fn shown(web: &Web, headers: &HeaderMap, name: &str) -> Response {
    let Some(found) = LIBRARY.page(name) else {
        // As the files' names are, which links in other places may have.
        let bare = name.trim_end_matches('/').trim_end_matches(".md");
        let bare = bare.strip_suffix("README").unwrap_or(bare).trim_end_matches('/');
        return match LIBRARY.page(bare) {
            Some(found) => moved(web, &found.name),
            None => page::failure(web, headers, StatusCode::NOT_FOUND),
        };
    };
    let frame = frame_for_visitor(web, headers).await;
    let button = button(web, found).await;
    let place = Place {
        base: web.urls.base(),
        issuer: &web.ctx.issuer,
        copy: frame.text().kit.copy,
        preview: button.as_deref().map(|id| (id, frame.text().docs.preview)),
    };
    let (before, after) = LIBRARY.neighbours(&found.name);
    let view = Docs {
        html: Markup::of_ours(found.content.html(&place)),
        has_preview: place.preview.is_some(),
        page: frame,
        name: found.name.clone(),
        title: found.content.title.clone(),
        groups: LIBRARY.groups.clone(),
        contents: found.content.contents.clone(),
        before,
        after,
    };
    page::render_tagged(Kind::Docs, headers, &view)
}

/// The button that works on a page of this origin, where the page shows some and this is a sandbox.
async fn button(web: &Web, page: &Page) -> Option<String> {
    if !web.ctx.sandbox || !page.content.has_preview {
        return None;
    }
    match partner::find_button_of_origin(&web.ctx, &web.origin, None).await {
        Ok(found) => found.map(|(button, _)| button.id.into()),
        Err(error) => {
            tracing::warn!(%error, "the documentation shows no live button");
            None
        }
    }
}

/// Longest question, in characters; what is beyond is not read.
const MAX_QUESTION: usize = 120;

async fn search(State(web): State<Arc<Web>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = Pairs::of_query(query.as_deref());
    let asked: String = field(&query, "q").trim().chars().take(MAX_QUESTION).collect();
    let frame = frame_for_visitor(&web, &headers).await;
    let hits = search::find(&LIBRARY, &asked);
    let view = DocsSearch { page: frame, asked, groups: LIBRARY.groups.clone(), hits };
    page::render_tagged(Kind::Docs, &headers, &view)
}
