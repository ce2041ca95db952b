//! `/admin/invitations`: links by which somebody chooses a password. Each is shown once.

use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::get;
use uuid::Uuid;

use super::super::Web;
use super::super::forms::field;
use super::super::urls::route;
use super::list;
use super::roles::{role_choices, role_name};
use super::visit::{Answer, Posted, Stop, Visit};
use crate::domain::email::Email;
use crate::domain::event::Action;
use crate::domain::ids::{AccountId, InvitationId, MAX_TEXT_ID};
use crate::domain::invitation::{Invitation, InvitedTo};
use crate::domain::role::Role;
use crate::domain::user::User;
use crate::services::invitations::{self, InvitationError, NewUser, Offered};
use crate::views::messages::done;
use crate::views::{AdminPart, Cell, Confirmation, Form, FormField, Shown, Tab, Table};

pub fn routes() -> Router<Arc<Web>> {
    Router::new()
        .route(route::ADMIN_INVITATIONS, get(show_all))
        .route(route::ADMIN_NEW_INVITATION, get(new).post(invite))
        .route(route::ADMIN_INVITATION_REVOKE, get(ask_revoke).post(revoke))
}

fn stopped(visit: &Visit, error: InvitationError) -> Stop {
    match error {
        InvitationError::Store(error) => visit.failed(&error),
        InvitationError::Unknown | InvitationError::UnknownUser => visit.nothing_here(),
        other => visit.broke(&other),
    }
}

async fn show_all(visit: Visit) -> Answer {
    let text = visit.text();
    let path = visit.path(route::ADMIN_INVITATIONS);
    let before = Uuid::parse_str(visit.asked("after")).ok().map(InvitationId);
    let found = invitations::list(&visit.web.ctx, before, list::READ).await.map_err(|error| visit.failed(&error))?;
    let (found, pager) = list::page(&visit, &path, found, |invitation| invitation.id.to_string());
    let table = Table {
        caption: text.invitations.to_owned(),
        columns: [text.email, text.for_what, text.role, text.account, text.since, text.until, ""]
            .map(str::to_owned)
            .into(),
        rows: found.iter().map(|invitation| row(&visit, invitation)).collect(),
    };
    let mut view = visit.draw(text.invitations);
    view.links = vec![Tab::new(text.invite, visit.path(route::ADMIN_NEW_INVITATION), false)];
    view.parts = vec![list::table(&visit, table), pager];
    visit.show(&view)
}

fn row(visit: &Visit, invitation: &Invitation) -> Vec<Cell> {
    let text = visit.text();
    let (what, account) = match &invitation.to {
        InvitedTo::Join { account } => (text.for_joining, account.as_ref()),
        InvitedTo::Reset { .. } => (text.for_reset, None),
    };
    vec![
        Cell::text(invitation.email.as_str()),
        Cell::text(what),
        Cell::text(role_name(visit, invitation.role)),
        account.map_or(Cell::Empty, |account| Cell::code(account.as_str())),
        Cell::Time(invitation.created_at.to_rfc3339()),
        Cell::Time(invitation.expires_at.to_rfc3339()),
        Cell::link(text.revoke, visit.at(route::ADMIN_INVITATION_REVOKE, invitation.id)),
    ]
}

fn new_form(visit: &Visit) -> Form {
    let text = visit.text();
    visit
        .form(visit.path(route::ADMIN_NEW_INVITATION), text.make_link)
        .with(FormField::email("email", text.email).autocomplete("off").required())
        .with(FormField::radios("role", text.role, role_choices(visit, Some(Role::Partner))).required())
        .with(FormField::text("account", text.account_id).max_length(MAX_TEXT_ID).hint(text.invite_account_hint))
        .back_to(visit.path(route::ADMIN_INVITATIONS))
}

async fn new(visit: Visit) -> Answer {
    visit.ask(visit.text().invite, Some(visit.text().invite_text), new_form(&visit))
}

async fn invite(Posted { visit, form: given }: Posted) -> Answer {
    let text = visit.text();
    let mut form = new_form(&visit);
    form.fill(&given);
    let email = Email::parse(field(&given, "email"));
    let role = Role::parse(field(&given, "role"));
    let account = match field(&given, "account").trim() {
        "" => Ok(None),
        id => AccountId::parse(id).map(Some),
    };
    if email.is_err() {
        form.refuse("email", if field(&given, "email").is_empty() { text.email_missing } else { text.email_wrong });
    }
    if role.is_err() {
        form.refuse("role", text.role_missing);
    }
    if account.is_err() {
        form.refuse("account", text.account_unknown);
    }
    if let (Ok(email), Ok(role), Ok(account)) = (email, role, account) {
        match invitations::invite(&visit.acting(), NewUser { email, role, account }).await {
            Ok(offered) => return show_link(&visit, Action::UserInvited, offered),
            Err(InvitationError::Taken) => form.refuse("email", text.email_taken),
            Err(InvitationError::UnknownAccount) => form.refuse("account", text.account_unknown),
            Err(other) => return Err(stopped(&visit, other)),
        }
    }
    visit.ask(text.invite, Some(text.invite_text), form)
}

/// The link, the only time.
fn show_link(visit: &Visit, action: Action, Offered { invitation, link }: Offered) -> Answer {
    let text = visit.text();
    let until = visit.page.readable_time(&invitation.expires_at.to_rfc3339());
    let mut view = visit.draw(done(visit.page.lang, action));
    view.lead = Some(text.link_text.with(&until));
    view.links = vec![Tab::new(text.invitations, visit.path(route::ADMIN_INVITATIONS), false)];
    view.parts = vec![AdminPart::Shown(vec![
        Shown { id: "made-email", label: text.email.to_owned(), value: invitation.email.to_string() },
        Shown { id: "made-link", label: text.link.to_owned(), value: link },
    ])];
    visit.show(&view)
}

/// What came of offering a user another password.
pub enum Offer {
    Made(Response),
    UserDisabled,
}

pub async fn offer_reset(visit: &Visit, user: &User) -> Result<Offer, Stop> {
    match invitations::reset(&visit.acting(), user.id).await {
        Ok(offered) => show_link(visit, Action::UserResetOffered, offered).map(Offer::Made),
        Err(InvitationError::UserDisabled) => Ok(Offer::UserDisabled),
        Err(other) => Err(stopped(visit, other)),
    }
}

fn id(visit: &Visit, id: &str) -> Result<InvitationId, Stop> {
    Uuid::parse_str(id).map(InvitationId).map_err(|_| visit.nothing_here())
}

async fn ask_revoke(visit: Visit, Path(which): Path<String>) -> Answer {
    let text = visit.text();
    let form = visit.form(visit.at(route::ADMIN_INVITATION_REVOKE, id(&visit, &which)?), text.revoke);
    visit.confirm(Confirmation {
        title: text.revoke_invitation.to_owned(),
        text: text.revoke_text.to_owned(),
        ends: Vec::new(),
        form: form.back_to(visit.path(route::ADMIN_INVITATIONS)).dangerous(),
    })
}

async fn revoke(Path(which): Path<String>, Posted { visit, .. }: Posted) -> Answer {
    let id = id(&visit, &which)?;
    invitations::revoke(&visit.acting(), id).await.map_err(|error| stopped(&visit, error))?;
    visit.done(Action::UserInvitationRevoked, &visit.path(route::ADMIN_INVITATIONS))
}
