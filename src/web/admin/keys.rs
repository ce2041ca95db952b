//! `/admin/keys`: the keys that tokens are signed with.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use super::super::Web;
use super::super::forms::field;
use super::super::urls::route;
use super::list;
use super::visit::{Answer, Posted, Visit};
use crate::domain::event::Action;
use crate::domain::key_life::KeyState;
use crate::domain::signing_algorithm::SigningAlgorithm;
use crate::services::keys::{self, ListedKey};
use crate::views::{AdminPart, Cell, Choice, Form, FormField, Tab, Table, Tone};

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::ADMIN_KEYS, get(show)).route(route::ADMIN_KEYS_ROTATE, get(ask).post(rotate))
}

async fn show(visit: Visit) -> Answer {
    let text = visit.text();
    let table = Table {
        caption: text.keys.to_owned(),
        columns: [text.key, text.algorithm, text.state, text.since, text.until].map(str::to_owned).into(),
        rows: keys::list(&visit.web.ctx).iter().map(|key| row(&visit, key)).collect(),
    };
    let mut view = visit.draw(text.keys);
    view.lead = Some(text.keys_text.to_owned());
    view.links = vec![Tab::new(text.rotate, visit.path(route::ADMIN_KEYS_ROTATE), false)];
    view.parts = vec![list::table(&visit, table), AdminPart::Text(text.key_states_text.to_owned())];
    visit.show(&view)
}

fn row(visit: &Visit, key: &ListedKey) -> Vec<Cell> {
    let text = visit.text();
    let state = match key.state {
        KeyState::Announced => Cell::badge(text.announced, Tone::Plain),
        KeyState::Signing => Cell::badge(text.signing, Tone::Good),
        KeyState::Verifying => Cell::badge(text.verifying, Tone::Plain),
        KeyState::Retired => Cell::badge(text.retired, Tone::Bad),
    };
    vec![
        Cell::code(key.id.as_str()),
        Cell::text(key.algorithm.as_str()),
        state,
        Cell::Time(key.signs_from.to_rfc3339()),
        Cell::time(key.published_until.map(|at| at.to_rfc3339())),
    ]
}

fn form(visit: &Visit) -> Form {
    let text = visit.text();
    let choice = |algorithm: SigningAlgorithm| {
        Choice::new(algorithm.as_str(), algorithm.as_str(), algorithm == SigningAlgorithm::Es256)
    };
    visit
        .form(visit.path(route::ADMIN_KEYS_ROTATE), text.rotate)
        .with(FormField::radios("algorithm", text.algorithm, SigningAlgorithm::ALL.map(choice).into()).required())
        .back_to(visit.path(route::ADMIN_KEYS))
}

async fn ask(visit: Visit) -> Answer {
    visit.ask(visit.text().rotate, Some(visit.text().rotate_text), form(&visit))
}

async fn rotate(Posted { visit, form: given }: Posted) -> Answer {
    let text = visit.text();
    let Ok(algorithm) = SigningAlgorithm::parse(field(&given, "algorithm")) else {
        let mut form = form(&visit);
        form.fill(&given);
        form.refuse("algorithm", text.algorithm_missing);
        return visit.ask(text.rotate, Some(text.rotate_text), form);
    };
    keys::rotate(&visit.acting(), algorithm).await.map_err(|error| visit.broke(&error))?;
    visit.done(Action::KeysRotated, &visit.path(route::ADMIN_KEYS))
}
