//! The dialog's pages: sign in, consent, and the hand-over to the partner's page.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};

use super::error::{failed_page, method_not_allowed_page, refused};
use super::extract::{self, Pairs};
use super::forms::{Refused, field, posted, see_other};
use super::login::{NotSignedIn, browser, login_answer, login_failed, offered, sign_in as sign_in_by, signed_in};
use super::oauth::send;
use super::page::{self, Kind};
use super::urls::route;
use super::{Web, cookies, visitor};
use crate::domain::account::Account;
use crate::domain::flow::{FlowRequest, HandOver};
use crate::domain::ids::FlowId;
use crate::domain::user::User;
use crate::services::csrf;
use crate::services::dialog::{self, ButtonOutcome, Decision, DialogError, OpenFlow, Outcome, Step};
use crate::services::login::{self, SignedIn};
use crate::views::{
    self, Consent, DialogResult, Finished, Handover, Lang, Login, Page, Permission, Problem, ReturnsTo, WayBack,
};

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(route::DIALOG, get(show).fallback(other_method))
        .route(route::DIALOG_LOGIN, post(sign_in).fallback(other_method))
        .route(route::DIALOG_DECISION, post(decide).fallback(other_method))
        .route(route::DIALOG_SWITCH, post(switch_user).fallback(other_method))
}

async fn other_method(State(web): State<Arc<Web>>, headers: HeaderMap) -> Response {
    method_not_allowed_page(&web, &headers)
}

/// A request that names a flow, with whoever is signed in.
struct Visit {
    web: Arc<Web>,
    headers: HeaderMap,
    flow: OpenFlow,
    signed_in: Option<SignedIn>,
}

impl Visit {
    async fn open(web: Arc<Web>, headers: HeaderMap, flow: &str) -> Result<Self, Refused> {
        let id = match flow.parse() {
            Ok(id) => FlowId(id),
            Err(_) => return Err(explain(&web, &headers, &DialogError::Unknown)),
        };
        let browser = cookies::browser(&web, &headers);
        let flow = match dialog::open_flow(&web.ctx, id, browser.as_deref()).await {
            Ok(flow) => flow,
            Err(why) => return Err(explain(&web, &headers, &why)),
        };
        let signed_in = signed_in(&web, &headers).await?;
        Ok(Self { web, headers, flow, signed_in })
    }

    /// A form that was posted to a flow.
    async fn posted(
        web: Arc<Web>,
        headers: HeaderMap,
        flow: &str,
        body: Result<Bytes, BytesRejection>,
    ) -> Result<(Self, Pairs), Refused> {
        let form = posted(&web, &headers, body)?;
        Ok((Self::open(web, headers, flow).await?, form))
    }

    fn explain(&self, why: &DialogError) -> Response {
        *explain(&self.web, &self.headers, why)
    }

    fn frame(&self) -> Page {
        let lang = match &self.flow.request {
            FlowRequest::Button(request) => request.lang.as_deref(),
            FlowRequest::Authorization(request) => request.lang.as_deref(),
            FlowRequest::Device(_) => None,
        };
        page::frame(&self.web, &self.headers, lang)
    }

    fn kind(&self) -> Kind {
        match &self.flow.request {
            FlowRequest::Authorization(_) => Kind::Redirecting,
            FlowRequest::Button(_) | FlowRequest::Device(_) => Kind::Dialog,
        }
    }

    /// What a button's page needs to reach its opener; nothing else has one.
    fn handover(&self, result: Option<DialogResult>) -> Option<Handover> {
        let FlowRequest::Button(request) = &self.flow.request else { return None };
        Some(Handover {
            mode: match request.mode {
                HandOver::Popup => views::Mode::Popup,
                HandOver::Redirect => views::Mode::Redirect,
            },
            target: request.origin.to_string(),
            state: request.state.clone(),
            result,
            return_to: request.return_to.as_ref().map(ToString::to_string),
        })
    }

    fn returns_to(&self) -> ReturnsTo {
        match &self.flow.request {
            FlowRequest::Button(request) => ReturnsTo::Origin(request.origin.to_string()),
            FlowRequest::Authorization(request) => ReturnsTo::of_redirect_uri(&request.target.uri),
            FlowRequest::Device(request) => ReturnsTo::Device { user_code: request.user_code.to_string() },
        }
    }

    /// What is asked for; for another API than ours, that one too.
    fn permissions(&self, lang: Lang) -> Vec<Permission> {
        let mut permissions = Permission::list(lang, self.flow.scopes.iter().map(|scope| scope.as_str()));
        let resource = match &self.flow.request {
            FlowRequest::Button(_) => None,
            FlowRequest::Authorization(request) => request.resource.as_ref(),
            FlowRequest::Device(request) => request.resource.as_ref(),
        };
        permissions.extend(resource.map(|resource| Permission::at(lang, resource.as_str())));
        permissions
    }

    /// What the e-mail field is filled with at first.
    fn login_hint(&self) -> &str {
        match &self.flow.request {
            FlowRequest::Authorization(request) => request.login_hint.as_deref().unwrap_or_default(),
            FlowRequest::Button(_) | FlowRequest::Device(_) => "",
        }
    }

    fn login_page(&self, csrf: String, users: &[User], email: &str, error: Option<views::LoginError>) -> Response {
        let frame = self.frame();
        let (nonce, lang) = (frame.nonce.clone(), frame.lang);
        let view = Login {
            page: frame,
            handover: self.handover(None),
            action: self.web.urls.dialog_login(self.flow.id),
            csrf,
            app_name: Some(self.flow.app.name.clone()),
            next: None,
            sign_up: None,
            email: email.to_owned(),
            error,
            users: offered(users, lang),
        };
        login_answer(self.kind(), error, &nonce, &view)
    }

    fn consent_page(&self, csrf: String, user: &User, account: Account) -> Response {
        let frame = self.frame();
        let (nonce, lang) = (frame.nonce.clone(), frame.lang);
        let view = Consent {
            page: frame,
            handover: self.handover(None),
            action: self.web.urls.dialog_decision(self.flow.id),
            switch_action: self.web.urls.dialog_switch(self.flow.id),
            csrf,
            app_name: self.flow.app.name.clone(),
            app_logo: self.web.urls.logo(&self.flow.app),
            publisher: Some(self.flow.app.publisher.clone()).filter(|name| !name.is_empty()),
            account_name: account.name,
            user_name: user.name.clone(),
            user_email: user.email.to_string(),
            returns_to: self.returns_to(),
            permissions: self.permissions(lang),
        };
        page::render(self.kind(), StatusCode::OK, &nonce, &view)
    }

    fn finished(&self, outcome: Outcome) -> Response {
        let iss = self.web.ctx.issuer.clone();
        match outcome {
            Outcome::Authorization(response) => send(&self.web, &self.headers, &self.flow.app, &response),
            Outcome::Refused { refusal, denied } => {
                refused("dialog", &refusal, None);
                self.refused_page(refusal.message, *denied)
            }
            Outcome::Device(Decision::Allow) => self.finished_page(views::Outcome::Allowed, None),
            Outcome::Device(Decision::Deny) => self.finished_page(views::Outcome::Denied, None),
            Outcome::Button(ButtonOutcome::Allowed { code }) => {
                self.finished_page(views::Outcome::Allowed, Some(DialogResult::Code { iss, code }))
            }
            Outcome::Button(ButtonOutcome::Denied) => {
                self.finished_page(views::Outcome::Denied, Some(self.no_access("The user did not allow access.")))
            }
        }
    }

    fn no_access(&self, description: &str) -> DialogResult {
        let iss = self.web.ctx.issuer.clone();
        DialogResult::Error { iss, error: "access_denied".into(), error_description: description.into() }
    }

    /// What the application's own server has to say to the user, who then goes back as after a denial.
    fn refused_page(&self, message: Option<String>, denied: Outcome) -> Response {
        let frame = self.frame();
        let nonce = frame.nonce.clone();
        let way_back = match denied {
            Outcome::Authorization(response) => WayBack::from(&response),
            Outcome::Button(_) => WayBack::Script,
            Outcome::Device(_) | Outcome::Refused { .. } => WayBack::None,
        };
        let result = self.no_access(message.as_deref().unwrap_or(dialog::REFUSED));
        let view = views::Refused {
            page: frame,
            handover: self.handover(Some(result)),
            app_name: self.flow.app.name.clone(),
            message,
            way_back,
        };
        page::render(self.kind(), StatusCode::OK, &nonce, &view)
    }

    fn finished_page(&self, outcome: views::Outcome, result: Option<DialogResult>) -> Response {
        let frame = self.frame();
        let nonce = frame.nonce.clone();
        let view =
            Finished { page: frame, handover: self.handover(result), outcome, app_name: self.flow.app.name.clone() };
        page::render(Kind::Dialog, StatusCode::OK, &nonce, &view)
    }

    async fn show(&self) -> Response {
        match dialog::step(&self.web.ctx, &self.flow, self.signed_in.as_ref()).await {
            Ok(Step::Login { csrf, users }) => self.login_page(csrf, &users, self.login_hint(), None),
            Ok(Step::Consent { csrf, user, account }) => self.consent_page(csrf, &user, account),
            Ok(Step::Finished(outcome)) => self.finished(outcome),
            Err(why) => self.explain(&why),
        }
    }

    async fn login_again(&self, email: &str, error: views::LoginError) -> Response {
        match dialog::login_step(&self.web.ctx, &self.flow).await {
            Ok(Step::Login { csrf, users }) => self.login_page(csrf, &users, email, Some(error)),
            Ok(_) => self.show().await,
            Err(why) => self.explain(&why),
        }
    }
}

fn explain(web: &Web, headers: &HeaderMap, why: &DialogError) -> Refused {
    let problem = match why {
        DialogError::Store(error) => return Box::new(failed_page(web, headers, error)),
        DialogError::Unknown | DialogError::Expired { .. } | DialogError::Finished => Problem::FlowExpired,
        DialogError::OtherBrowser => Problem::FlowOfAnotherBrowser,
        DialogError::Csrf | DialogError::NotSignedIn => Problem::FormOutdated,
        DialogError::ButtonGone => Problem::OriginNotAllowed,
        DialogError::ClientGone => Problem::InvalidClient,
    };
    refused("dialog", why, None);
    Box::new(page::error(web, headers, None, problem, None))
}

async fn show(State(web): State<Arc<Web>>, Path(flow): Path<String>, method: Method, headers: HeaderMap) -> Response {
    if extract::is_effectless(&method, &headers) {
        return page::not_ahead(&method);
    }
    match Visit::open(web, headers, &flow).await {
        Ok(visit) => visit.show().await,
        Err(answer) => *answer,
    }
}

async fn sign_in(
    State(web): State<Arc<Web>>,
    Path(flow): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let (visit, form) = match Visit::posted(web, headers, &flow, body).await {
        Ok(posted) => posted,
        Err(answer) => return *answer,
    };
    if let Err(why) = dialog::check_login_form(&visit.web.ctx, &visit.flow, field(&form, "csrf")) {
        return visit.explain(&why);
    }
    let before = visit.signed_in.as_ref();
    match sign_in_by(&visit.web, &form, &browser(&visit.headers, &extensions), before).await {
        Ok(session) => {
            let mut response = see_other(&visit.web.urls.dialog(visit.flow.id));
            cookies::set(response.headers_mut(), cookies::signed_in(&visit.web, session));
            response
        }
        Err(NotSignedIn::Again(error)) => visit.login_again(field(&form, "email"), error).await,
        Err(NotSignedIn::Failed(error)) => login_failed(&visit.web, &visit.headers, error),
    }
}

async fn decide(
    State(web): State<Arc<Web>>,
    Path(flow): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let (visit, form) = match Visit::posted(web, headers, &flow, body).await {
        Ok(posted) => posted,
        Err(answer) => return *answer,
    };
    let decision = match field(&form, "decision") {
        "allow" => Decision::Allow,
        "deny" => Decision::Deny,
        _ => return page::error(&visit.web, &visit.headers, None, Problem::InvalidRequest, None),
    };
    let signed_in = visit.signed_in.as_ref();
    match dialog::decide(&visit.web.ctx, &visit.flow, signed_in, field(&form, "csrf"), decision).await {
        Ok(outcome) => visit.finished(outcome),
        Err(why) => visit.explain(&why),
    }
}

/// "Not you?": ends the session and shows the login step again.
async fn switch_user(
    State(web): State<Arc<Web>>,
    Path(flow): Path<String>,
    headers: HeaderMap,
    extensions: Extensions,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let (visit, form) = match Visit::posted(web, headers, &flow, body).await {
        Ok(posted) => posted,
        Err(answer) => return *answer,
    };
    let Some(signed_in) = &visit.signed_in else { return see_other(&visit.web.urls.dialog(visit.flow.id)) };
    if !csrf::is_valid(&visit.web.ctx, &signed_in.handle, field(&form, "csrf")) {
        return visit.explain(&DialogError::Csrf);
    }
    let acting = visitor::acting(&visit.web, signed_in, &extensions);
    if let Err(error) = login::end_session(&acting, &signed_in.user, signed_in.session.id).await {
        return failed_page(&visit.web, &visit.headers, &error);
    }
    let mut response = see_other(&visit.web.urls.dialog(visit.flow.id));
    cookies::set(response.headers_mut(), cookies::signed_out(&visit.web));
    response
}
