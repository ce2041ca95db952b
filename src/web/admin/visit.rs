//! Who is at a page of the administration, and what each page needs of that. Whoever is no administrator finds nothing
//! there.

use std::fmt::Display;
use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;

use super::super::extract::Pairs;
use super::super::forms::{field, see_other};
use super::super::page::{self, Kind};
use super::super::urls::{self, route};
pub use super::super::visitor::{Answer, Stop};
use super::super::{Web, visitor};
use crate::domain::event::Action;
use crate::domain::role::Role;
use crate::services::audit::Acting;
use crate::services::csrf;
use crate::store::StoreError;
use crate::views::messages::{AdminTexts, Messages, done};
use crate::views::{Admin, AdminPart, Confirmation, Form, Notice, Page, Problem, Tab};

/// An administrator who looks at a page.
pub struct Visit {
    pub web: Arc<Web>,
    pub page: Page,
    pub query: Pairs,
    visit: visitor::Visit,
}

/// An administrator who posted one of our forms.
pub struct Posted {
    pub visit: Visit,
    pub form: Pairs,
}

impl FromRequestParts<Arc<Web>> for Visit {
    type Rejection = Stop;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Stop> {
        Self::of(visitor::Visit::from_request_parts(parts, web).await?)
    }
}

impl FromRequest<Arc<Web>> for Posted {
    type Rejection = Stop;

    async fn from_request(request: Request, web: &Arc<Web>) -> Result<Self, Stop> {
        let visitor::Posted { visit, form } = visitor::Posted::from_request(request, web).await?;
        Ok(Self { visit: Visit::of(visit)?, form })
    }
}

impl Visit {
    fn of(visit: visitor::Visit) -> Result<Self, Stop> {
        if visit.signed_in.user.role != Role::Admin {
            return Err(visit.nothing_here());
        }
        Ok(Self {
            web: visit.web.clone(),
            page: page::frame(&visit.web, &visit.headers, None).for_role(Role::Admin),
            query: Pairs::of_query(visit.uri.query()),
            visit,
        })
    }

    /// To change something in the administrator's name.
    pub fn acting(&self) -> Acting<'_> {
        self.visit.acting()
    }

    pub fn words(&self) -> &'static Messages {
        self.page.text()
    }

    pub fn text(&self) -> &'static AdminTexts {
        &self.words().admin
    }

    /// A value of the query; empty where there is none.
    pub fn asked(&self, name: &str) -> &str {
        field(&self.query, name)
    }

    pub fn path(&self, route: &str) -> String {
        self.web.urls.path(route)
    }

    /// The address of one thing: its id stands in the route's only gap.
    pub fn at(&self, route: &str, id: impl Display) -> String {
        self.web.urls.filled(route, id)
    }

    pub fn form(&self, action: String, submit: &str) -> Form {
        Form::new(action, csrf::token(&self.web.ctx, &self.visit.signed_in.handle), submit)
    }

    /// A page, with word of what was just done.
    pub fn draw(&self, title: impl Into<String>) -> Admin {
        let text = self.text();
        let notice = Action::parse(self.asked("done")).map(|action| Notice::good(done(self.page.lang, action)));
        let here = urls::below(self.web.urls.base(), self.visit.uri.path());
        let tab = |(label, route)| Tab::new(label, self.path(route), is_within(here, route));
        let tabs = [
            (text.start, route::ADMIN),
            (text.accounts, route::ADMIN_ACCOUNTS),
            (text.users, route::ADMIN_USERS),
            (text.invitations, route::ADMIN_INVITATIONS),
            (text.apps, route::ADMIN_APPS),
            (text.connections, route::ADMIN_CONNECTIONS),
            (text.leads, route::ADMIN_LEADS),
            (text.keys, route::ADMIN_KEYS),
            (text.events, route::ADMIN_EVENTS),
        ];
        Admin {
            page: self.page.clone(),
            tabs: tabs.map(tab).into(),
            title: title.into(),
            lead: None,
            links: Vec::new(),
            notice,
            parts: Vec::new(),
        }
    }

    pub fn show(&self, view: &Admin) -> Answer {
        self.show_as(StatusCode::OK, view)
    }

    pub fn show_as(&self, status: StatusCode, view: &Admin) -> Answer {
        Ok(page::render(Kind::Plain, status, &self.page.nonce, view))
    }

    /// A form on a page of its own: 422 where something is wrong with it.
    pub fn ask(&self, title: &str, lead: Option<&str>, form: Form) -> Answer {
        let status = status_of(&form);
        let mut view = self.draw(title);
        view.lead = lead.map(str::to_owned);
        view.parts.push(AdminPart::Form(form));
        self.show_as(status, &view)
    }

    /// The page that asks again.
    pub fn confirm(&self, confirmation: Confirmation) -> Answer {
        let status = status_of(&confirmation.form);
        let mut view = self.draw(confirmation.title.clone());
        view.parts.push(AdminPart::Confirmation(confirmation));
        self.show_as(status, &view)
    }

    /// After a change: back to a page, which says what was done.
    pub fn done(&self, action: Action, path: &str) -> Answer {
        Ok(see_other(&format!("{path}?done={}", action.as_str())))
    }

    pub fn nothing_here(&self) -> Stop {
        self.visit.nothing_here()
    }

    pub fn failed(&self, error: &StoreError) -> Stop {
        self.visit.failed(error)
    }

    /// A failure that only the log can tell more of.
    pub fn broke(&self, error: &dyn std::error::Error) -> Stop {
        tracing::error!(%error, "a change in the administration failed");
        page::error(&self.web, &self.visit.headers, None, Problem::Internal, None).into()
    }
}

/// Whether an address is one of a tab's pages.
fn is_within(path: &str, tab: &str) -> bool {
    let made_at = match tab {
        route::ADMIN => return path == tab,
        route::ADMIN_ACCOUNTS => route::ADMIN_NEW_ACCOUNT,
        route::ADMIN_USERS => route::ADMIN_NEW_USER,
        route::ADMIN_INVITATIONS => route::ADMIN_NEW_INVITATION,
        _ => tab,
    };
    path.starts_with(tab) || path == made_at
}

fn status_of(form: &Form) -> StatusCode {
    if form.is_refused() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }
}
