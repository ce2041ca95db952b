//! What is asked of a webhook, and how the answers are read.

use url::Url;

use super::Partner;
use crate::domain::target_url::{MAX_TARGET_URL, TargetUrl};
use crate::domain::webhook::{Topic, Topics, Webhook};
use crate::services::webhooks::WebhookError;
use crate::views::messages::WebhookTexts;
use crate::views::{Choice, Form, FormField};
use crate::web::extract::Pairs;
use crate::web::forms::field;

/// What was answered.
pub struct Given {
    pub url: Url,
    pub topics: Topics,
    pub is_active: bool,
}

/// The form with a webhook's answers in it; whether it goes on is asked of one that is there.
pub fn form(partner: &Partner, form: Form, webhook: Option<&Webhook>) -> Form {
    let text = &partner.text().webhook;
    let url = webhook.and_then(Webhook::url).map(Url::to_string).unwrap_or_default();
    let is_chosen =
        |topic| webhook.is_some_and(|webhook| webhook.topics != Topics::ALL && webhook.topics.contains(topic));
    let topics = Topic::SUBSCRIBABLE.map(|topic| Choice::new(topic.as_str(), topic.as_str(), is_chosen(topic)));
    let form = form
        .with(FormField::url("url", text.url).value(url).max_length(MAX_TARGET_URL).hint(text.url_hint).required())
        .with(FormField::checks("events", text.events, topics.into()).hint(text.events_hint));
    match webhook {
        Some(webhook) => form.with(FormField::check("active", text.is_active, webhook.is_active())),
        None => form,
    }
}

/// `None` where something is wrong, which the form then says.
pub fn read(given: &Pairs, form: &mut Form, text: &WebhookTexts) -> Option<Given> {
    form.fill(given);
    let url = TargetUrl::parse(field(given, "url")).ok().map(TargetUrl::into_url);
    if url.is_none() {
        form.refuse("url", text.url_bad);
    }
    let chosen = given.iter().filter(|(name, _)| *name == "events").filter_map(|(_, word)| Topic::parse(word));
    let topics = Topics::of(chosen).unwrap_or(Topics::ALL);
    url.map(|url| Given { url, topics, is_active: !field(given, "active").is_empty() })
}

/// Says beside the form what was found out only when the webhook was written. `false` where it is nothing of the kind.
pub fn refuse(form: &mut Form, error: &WebhookError, text: &WebhookTexts) -> bool {
    match error {
        WebhookError::NotAllowed(_) => form.refuse("url", text.url_not_allowed),
        WebhookError::TooMany => form.refuse("", text.too_many),
        _ => return false,
    }
    true
}
