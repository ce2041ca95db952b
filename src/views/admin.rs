//! The administration's pages. Each is made of the same parts, in the order in which the web layer puts them.

use askama::Template;

use super::chart::Chart;
use super::form::{Form, FormField};
use super::kit::{Cell, Confirmation, Fact, Notice, Pager, Shown, Tab, Table};
use super::messages::Lang;
use super::page::Page;
use super::prose::Prose;
use crate::domain::pairs::Pairs;

/// A page of the administration.
#[derive(Debug, Clone, Template)]
#[template(path = "admin.html")]
pub struct Admin {
    pub page: Page,
    pub tabs: Vec<Tab>,
    pub title: String,
    pub lead: Option<String>,
    /// What can be done here, beside the title.
    pub links: Vec<Tab>,
    pub notice: Option<Notice>,
    pub parts: Vec<AdminPart>,
}

/// One piece of a page.
#[derive(Debug, Clone)]
pub enum AdminPart {
    Heading(String),
    Text(String),
    Facts(Vec<Fact>),
    Table(Table),
    Events(Vec<EventRow>),
    /// Where a list would be.
    Nothing(String),
    Charts(Vec<Chart>),
    Form(Form),
    Filter(Filter),
    Pager(Pager),
    Confirmation(Confirmation),
    Shown(Vec<Shown>),
    /// Things that are worth a look; each leads to where.
    Attention(Vec<Tab>),
    /// Ways to pages that ask before they do something.
    Actions(Vec<ActionLink>),
}

/// A way to a page that asks again, and what it is for.
#[derive(Debug, Clone)]
pub struct ActionLink {
    pub title: String,
    pub label: String,
    pub text: String,
    pub address: String,
    pub is_dangerous: bool,
}

/// What a list shows, asked for by its address.
#[derive(Debug, Clone)]
pub struct Filter {
    pub action: String,
    pub fields: Vec<FormField>,
    /// Whether it shows less than all.
    pub is_set: bool,
}

/// A line of the event log.
#[derive(Debug, Clone)]
pub struct EventRow {
    /// RFC 3339, UTC.
    pub at: String,
    pub action: &'static str,
    /// The action's name, as programs have it.
    pub code: &'static str,
    pub actor: String,
    /// The address that it came from.
    pub from: Option<String>,
    pub target: String,
    /// Of what it was done to.
    pub address: Option<String>,
    pub changes: Vec<EventChange>,
}

/// A field that is different since.
#[derive(Debug, Clone)]
pub struct EventChange {
    pub field: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl Filter {
    /// Says beside a field what is wrong with it.
    pub fn refuse(&mut self, name: &str, sentence: &str) {
        if let Some(field) = self.fields.iter_mut().find(|field| field.name == name) {
            field.error = Some(Prose::of(sentence));
        }
    }

    pub fn is_refused(&self) -> bool {
        self.fields.iter().any(|field| field.error.is_some())
    }

    /// Puts back what was asked for.
    pub fn fill(&mut self, asked: &Pairs) {
        for field in &mut self.fields {
            field.fill(asked);
        }
    }
}

impl Admin {
    /// Each part once.
    #[must_use]
    pub fn sample(lang: Lang) -> Self {
        let page = Page::sample(lang).for_role(crate::domain::role::Role::Admin);
        let text = &page.text().admin;
        let form = Form::new("/admin/users/1/disable", "b3n1q7", text.disable).back_to("/admin/users/1").dangerous();
        let table = Table {
            caption: text.users.to_owned(),
            columns: vec![text.user.to_owned(), text.since.to_owned()],
            rows: vec![vec![
                Cell::link("ada@acme.test", "/admin/users/1"),
                Cell::Time("2026-11-22T10:15:30Z".to_owned()),
            ]],
        };
        let event = EventRow {
            at: "2026-11-22T10:15:30Z".to_owned(),
            action: text.disable,
            code: "user.disabled",
            actor: "root@acme.test".to_owned(),
            from: Some("192.0.2.1".to_owned()),
            target: "ada@acme.test".to_owned(),
            address: Some("/admin/users/1".to_owned()),
            changes: vec![EventChange {
                field: "name".to_owned(),
                before: Some("Ada".to_owned()),
                after: Some("Ada <b>".to_owned()),
            }],
        };
        let action = ActionLink {
            title: text.delete_user.to_owned(),
            label: text.delete.to_owned(),
            text: text.delete_user_text.to_owned(),
            address: "/admin/users/1/delete".to_owned(),
            is_dangerous: true,
        };
        let parts = vec![
            AdminPart::Heading(text.users.to_owned()),
            AdminPart::Text(text.keys_text.to_owned()),
            AdminPart::Facts(vec![Fact::new(text.name, "Ada Buyer")]),
            AdminPart::Table(table),
            AdminPart::Events(vec![event]),
            AdminPart::Nothing(text.nothing.to_owned()),
            AdminPart::Charts(vec![Chart::new("refreshes", text.refreshes, [("2026-11-22".to_owned(), 3)])]),
            AdminPart::Filter(Filter {
                action: "/admin/users".to_owned(),
                fields: vec![FormField::text("q", text.find)],
                is_set: true,
            }),
            AdminPart::Pager(Pager { newest: None, older: Some("/admin/users?after=1".to_owned()) }),
            AdminPart::Attention(vec![Tab::new(text.invitations, "/admin/invitations", false)]),
            AdminPart::Actions(vec![action]),
            AdminPart::Shown(vec![Shown {
                id: "link",
                label: text.link.to_owned(),
                value: "https://auth.test/invitation?token=lgv_x".to_owned(),
            }]),
            AdminPart::Confirmation(Confirmation {
                title: text.disable_user.to_owned(),
                text: text.disable_user_text.to_owned(),
                ends: vec!["ada@acme.test".to_owned()],
                form,
            }),
        ];
        Self {
            tabs: vec![Tab::new(text.users, "/admin/users", true)],
            title: text.users.to_owned(),
            lead: Some(text.intro.to_owned()),
            links: vec![Tab::new(text.invite, "/admin/new/invitation", false)],
            notice: Some(Notice::good(text.disable)),
            parts,
            page,
        }
    }

    /// Whether anything on it can be copied by a click.
    fn can_copy(&self) -> bool {
        self.parts.iter().any(|part| match part {
            AdminPart::Shown(_) => true,
            AdminPart::Facts(facts) => facts.iter().any(|fact| fact.copied_as.is_some()),
            _ => false,
        })
    }

    /// Whether the page is a question, which has its own heading.
    fn asks(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, AdminPart::Confirmation(_)))
    }
}
