//! `/admin`: the server in figures, and what needs a look.

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use super::super::Web;
use super::super::urls::route;
use super::list;
use super::visit::{Answer, Visit};
use crate::services::administration::{self, Figures};
use crate::services::invitations;
use crate::views::{AdminPart, Fact, Tab};

pub fn routes() -> Router<Arc<Web>> {
    Router::new().route(route::ADMIN, get(show))
}

async fn show(visit: Visit) -> Answer {
    let text = visit.text();
    let figures = administration::figures(&visit.web.ctx).await.map_err(|error| visit.failed(&error))?;
    let invitations =
        invitations::list(&visit.web.ctx, None, list::READ).await.map_err(|error| visit.failed(&error))?;
    let mut view = visit.draw(text.title);
    view.lead = Some(text.intro.to_owned());
    let facts = [
        (text.accounts, figures.accounts),
        (text.users, figures.users),
        (text.apps, figures.apps),
        (text.connections, figures.connections),
        (text.events_today, figures.events_today),
    ];
    view.parts = vec![
        AdminPart::Facts(facts.map(|(name, count)| Fact::new(name, count.to_string())).into()),
        AdminPart::Heading(text.attention.to_owned()),
        attention(&visit, &figures, invitations.len()),
    ];
    visit.show(&view)
}

fn attention(visit: &Visit, figures: &Figures, invitations: usize) -> AdminPart {
    let text = visit.text();
    let mut links = Vec::new();
    for key in administration::announced_keys(&visit.web.ctx) {
        let from = visit.page.readable_time(&key.signs_from.to_rfc3339());
        let label = format!("{}: {}", key.algorithm.as_str(), text.key_takes_over.with(&from));
        links.push(Tab::new(label, visit.path(route::ADMIN_KEYS), false));
    }
    if figures.disabled_apps > 0 {
        let address = list::narrowed(&visit.path(route::ADMIN_APPS), [("state", "disabled")]);
        links.push(Tab::new(text.disabled_apps.with(&figures.disabled_apps.to_string()), address, false));
    }
    if invitations > 0 {
        let number = list::up_to_a_page(invitations);
        links.push(Tab::new(text.open_invitations.with(&number), visit.path(route::ADMIN_INVITATIONS), false));
    }
    if links.is_empty() { AdminPart::Text(text.all_well.to_owned()) } else { AdminPart::Attention(links) }
}
