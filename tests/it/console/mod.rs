//! The partner console and Settings > API, as a browser without JavaScript uses them.

mod api;
mod apps;
mod buttons;
mod deliveries;
pub mod logos;
mod others;
mod secrets;
mod visitors;
mod webhooks;

use leadgate::domain::event::{Action, Event};
use leadgate::services::audit;
use leadgate::store::events::Filter;

use crate::support::{Actor, Answer, PASSWORD, Setup, World};

/// What an application is asked, with good answers.
pub const APP: [(&str, &str); 6] = [
    ("name", "Lead Radar"),
    ("publisher", "Radar & Sons"),
    ("homepage", "https://radar.test/"),
    ("client", "confidential"),
    ("grants", "authorization_code"),
    ("scopes", "account_api"),
];

/// The same of a button.
pub const BUTTON: [(&str, &str); 3] = [("origins", "https://radar.test"), ("theme", "dark"), ("size", "large")];

/// Ada and Grace are partners, Dan is none.
pub fn two_partners() -> Setup {
    Setup::default().with("account = \"zenith\"\n", "account = \"zenith\"\nrole = \"partner\"\n")
}

impl World {
    /// Somebody who is signed in.
    pub async fn signed_in(&self, email: &str) -> Actor {
        let mut actor = self.actor();
        let csrf = actor.get("/account").await.expect(200).csrf();
        let fields = [("csrf", csrf.as_str()), ("email", email), ("password", PASSWORD)];
        assert_eq!(actor.post("/account/login", &fields).await.status, 303);
        actor
    }

    pub async fn events(&self, action: Action) -> Vec<Event> {
        audit::list(&self.ctx, Filter { action: Some(action), ..Filter::default() }, 200).await.unwrap()
    }
}

impl Actor {
    /// Fills in the form that posts to the page's own address.
    pub async fn submit(&mut self, page: &str, fields: &[(&str, &str)]) -> Answer {
        self.submit_to(page, page, fields).await
    }

    /// Fills in a form of a page.
    pub async fn submit_to(&mut self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.get(page).await.expect(200).csrf();
        self.post(action, &[&[("csrf", csrf.as_str())], fields].concat()).await
    }

    /// Registers [`APP`], changed; its id and its secret.
    pub async fn register(&mut self, changes: &[(&str, &str)]) -> (String, Option<String>) {
        let answer = self.submit("/console/apps/new", &with(&APP, changes)).await.expect(200);
        let id = shown(&answer, "app-id").expect("an id");
        (id, shown(&answer, "client-secret"))
    }

    /// Makes [`BUTTON`], changed; its address.
    pub async fn make_button(&mut self, app: &str, changes: &[(&str, &str)]) -> String {
        let page = format!("/console/apps/{app}/buttons/new");
        let answer = self.submit(&page, &with(&BUTTON, changes)).await;
        answer.location().split('?').next().unwrap().to_owned()
    }
}

/// Fields, some of which have other values; one that is not among them is added.
pub fn with<'a>(fields: &[(&'a str, &'a str)], changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let is_changed = |name: &str| changes.iter().any(|(changed, _)| *changed == name);
    let kept = fields.iter().copied().filter(|(name, _)| !is_changed(name));
    kept.chain(changes.iter().copied()).collect()
}

/// What can be copied under an id.
pub fn shown(page: &Answer, id: &str) -> Option<String> {
    let text = page.between(&format!("<code id=\"{id}\">"), "</code>")?;
    Some(text.replace("&#38;", "&").replace("&#123;", "{"))
}

/// What is said to be wrong with a field.
pub fn error_of<'p>(page: &'p Answer, field: &str) -> Option<&'p str> {
    page.between(&format!("id=\"{field}-error\">"), "</p>")
}

/// The form is there again, says what is wrong with this field, and leads to it from the top.
#[track_caller]
pub fn assert_refused(page: &Answer, field: &str) {
    assert_eq!(page.status, 422, "{}", page.text());
    assert!(error_of(page, field).is_some_and(|text| !text.is_empty()), "nothing beside {field}: {}", page.text());
    let summary = page.between("id=\"problems\"", "</div>").expect("a summary");
    assert!(summary.contains(&format!("href=\"#{field}")), "{summary}");
}
