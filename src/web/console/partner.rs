//! Who is in front of the console, and what each of its pages begins with.

use std::convert::Infallible;
use std::sync::Arc;

use askama::Template;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, StatusCode, Uri};
use axum::response::Response;

use super::Body;
use crate::domain::app::App;
use crate::domain::button::Button;
use crate::domain::user::User;
use crate::domain::webhook::Webhook;
use crate::services::audit::{Acting, By};
use crate::services::console::{self, ConsoleError, Overview};
use crate::services::csrf;
use crate::services::login::SignedIn;
use crate::services::once;
use crate::views::messages::{ConsoleTexts, Messages};
use crate::views::{ConsoleForm, Form, Head, Lang, Notice, Page, Problem};
use crate::web::extract::{self, Pairs};
use crate::web::forms::{field, see_other};
use crate::web::page::{self, Kind};
use crate::web::urls::route;
use crate::web::visitor::Stop;
use crate::web::{Web, visitor};

/// A request for a page of the console, by anybody.
pub struct Visit {
    web: Arc<Web>,
    headers: HeaderMap,
    uri: Uri,
    extensions: Extensions,
}

impl FromRequestParts<Arc<Web>> for Visit {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, web: &Arc<Web>) -> Result<Self, Infallible> {
        Ok(Self {
            web: web.clone(),
            headers: parts.headers.clone(),
            uri: parts.uri.clone(),
            extensions: parts.extensions.clone(),
        })
    }
}

impl Visit {
    /// The partner who asks for a page; else the way to become one, or to sign in.
    pub async fn partner(self) -> Result<Partner, Stop> {
        let signed_in = visitor::require(&self.web, &self.headers, &self.uri).await?;
        let partner = Partner { visit: self, signed_in };
        if console::is_partner(partner.user()) { Ok(partner) } else { Err(Stop::from(partner.closed())) }
    }

    /// The partner who posts a form, and what it says.
    pub async fn posted(self, body: Body) -> Result<(Partner, Pairs), Stop> {
        let (signed_in, form) = visitor::posted(&self.web, &self.headers, body).await?;
        Ok((self.proven_partner(signed_in)?, form))
    }

    /// The same for a form that was read otherwise, by its CSRF token.
    pub async fn proven(self, token: &str) -> Result<Partner, Stop> {
        if extract::is_cross_site(&self.headers) {
            return Err(self.refused(Problem::FormOutdated));
        }
        let signed_in = visitor::proven(&self.web, &self.headers, token).await?;
        self.proven_partner(signed_in)
    }

    fn proven_partner(self, signed_in: SignedIn) -> Result<Partner, Stop> {
        if console::is_partner(&signed_in.user) {
            Ok(Partner { visit: self, signed_in })
        } else {
            Err(self.refused(Problem::NotFound))
        }
    }

    pub fn refused(&self, problem: Problem) -> Stop {
        Stop::from(page::error(&self.web, &self.headers, None, problem, None))
    }
}

/// A partner who is signed in, with the request.
pub struct Partner {
    visit: Visit,
    signed_in: SignedIn,
}

impl Partner {
    pub fn web(&self) -> &Web {
        &self.visit.web
    }

    pub fn user(&self) -> &User {
        &self.signed_in.user
    }

    /// To change something in this user's name.
    pub fn acting(&self) -> Acting<'_> {
        let from = extract::peer(&self.visit.extensions);
        self.web().ctx.acting(By::user(self.user(), from))
    }

    /// For the forms of a page.
    pub fn csrf(&self) -> String {
        csrf::token(&self.web().ctx, &self.signed_in.handle)
    }

    pub fn text(&self) -> &'static ConsoleTexts {
        &self.frame().text().console
    }

    pub fn messages(&self) -> &'static Messages {
        self.frame().text()
    }

    pub fn lang(&self) -> Lang {
        self.frame().lang
    }

    pub fn readable_time(&self, rfc3339: &str) -> String {
        self.frame().readable_time(rfc3339)
    }

    /// The user's application with this id; another's is not there.
    pub async fn app(&self, id: &str) -> Result<App, Stop> {
        console::app(&self.web().ctx, self.user(), id).await.map_err(|error| self.failed(&error))
    }

    pub async fn overview(&self, id: &str) -> Result<Overview, Stop> {
        console::overview(&self.web().ctx, self.user(), id).await.map_err(|error| self.failed(&error))
    }

    /// The user's button with this id, and its application.
    pub async fn button(&self, id: &str) -> Result<(Button, App), Stop> {
        console::button(&self.web().ctx, self.user(), id).await.map_err(|error| self.failed(&error))
    }

    /// The user's webhook with this id, and its application.
    pub async fn webhook(&self, id: &str) -> Result<(Webhook, App), Stop> {
        console::webhook(&self.web().ctx, self.user(), id).await.map_err(|error| self.failed(&error))
    }

    fn frame(&self) -> Page {
        page::frame(self.web(), &self.visit.headers, None).for_role(self.user().role)
    }

    /// A field of the address's query.
    pub fn asked(&self, name: &str) -> String {
        field(&Pairs::of_query(self.visit.uri.query()), name).to_owned()
    }

    pub fn path(&self, route: &str) -> String {
        self.web().urls.path(route)
    }

    /// The address of a page of an application.
    pub fn app_page(&self, route: &str, app: &App) -> String {
        self.web().urls.filled(route, app.id.as_str())
    }

    /// A page with this partner's frame.
    pub fn page<V: Template>(&self, status: StatusCode, view: impl FnOnce(Page) -> V) -> Response {
        let frame = self.frame();
        let nonce = frame.nonce.clone();
        page::render(Kind::Plain, status, &nonce, &view(frame))
    }

    /// A page whose form was refused is 422.
    pub fn status_of(form: &Form) -> StatusCode {
        if form.is_refused() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }
    }

    /// What the page that is gone to says was done, by a word in its query.
    pub fn notice(&self, sentences: &[(&str, &str)]) -> Option<Notice> {
        let done = self.asked("done");
        sentences.iter().find(|(word, _)| *word == done).map(|(_, sentence)| Notice::good(*sentence))
    }

    /// After a form: to a page, with a word for its notice.
    pub fn go(&self, address: &str, done: &str) -> Response {
        see_other(&format!("{address}?done={done}"))
    }

    /// Whether a form that shows something once is not one that was sent before: a page was loaded again.
    pub async fn sends_first(&self, given: &Pairs) -> Result<bool, Stop> {
        let is_first = once::is_first(&self.web().ctx, self.user().id, field(given, "once")).await;
        is_first.map_err(|error| self.failed(&ConsoleError::Store(error)))
    }

    pub fn refused(&self, problem: Problem) -> Stop {
        self.visit.refused(problem)
    }

    pub fn failed(&self, error: &ConsoleError) -> Stop {
        Stop::from(super::failed(self.web(), &self.visit.headers, error))
    }

    /// The page for who is no partner: in a sandbox with the way to become one.
    fn closed(&self) -> Response {
        let text = &self.text().partner;
        let is_open = self.web().ctx.sandbox;
        let form = Form::new(self.path(route::SIGN_UP_PARTNER), self.csrf(), text.submit);
        let (status, intro) = if is_open { (StatusCode::OK, text.text) } else { (StatusCode::FORBIDDEN, text.closed) };
        self.page(status, |page| {
            let view = ConsoleForm::new(page, Head::new(text.title), intro, form);
            ConsoleForm { form: view.form.filter(|_| is_open), ..view }
        })
    }
}
