//! What a seed file says of leads: their types, who sends them, and which of them are taken.

use super::read::{Seen, reference};
use super::values::{self, Unique};
use super::{SeedCampaign, SeedLeadType, SeedSource};
use crate::config::document::{Document, Located, Section};
use crate::domain::campaign::{Criteria, NotCriteria};

pub fn lead_type<'t>(document: &mut Document<'t>, section: &Section<'_, 't>, seen: &mut Seen) -> Option<SeedLeadType> {
    section.refuse_unknown(document, &["uid", "name", "required", "unique"]);
    let uid = required_id(document, section, "uid", "the lead type's `lid`");
    take(document, &mut seen.lead_types, uid.as_ref(), "one entry for each lead type");
    let name = section.required_text(document, "name");
    let name = values::name(document, name);
    let required = field_names(document, section, "required");
    let unique = field_names(document, section, "unique");
    Some(SeedLeadType { uid: uid?.value, name: name?, required, unique })
}

pub fn source<'t>(document: &mut Document<'t>, section: &Section<'_, 't>, seen: &mut Seen) -> Option<SeedSource> {
    section.refuse_unknown(document, &["vid", "name", "account", "enabled"]);
    let vid = required_id(document, section, "vid", "what its leads give as their `vid`");
    take(document, &mut seen.sources, vid.as_ref(), "one entry for each lead source");
    let name = section.required_text(document, "name");
    let name = values::name(document, name);
    let account = section.required_text(document, "account").map(|account| {
        let in_file = seen.accounts.contains(&account.value);
        reference(document, account, in_file)
    });
    let is_enabled = section.boolean(document, "enabled").is_none_or(|switch| switch.value);
    Some(SeedSource { vid: vid?.value, name: name?, account: account?, is_enabled })
}

pub fn campaign<'t>(document: &mut Document<'t>, section: &Section<'_, 't>, seen: &mut Seen) -> Option<SeedCampaign> {
    section.refuse_unknown(document, &["aid", "vid", "lid", "name", "enabled", "daily_cap", "criteria"]);
    let aid = required_id(document, section, "aid", "what its leads give as their `aid`");
    take(document, &mut seen.campaigns, aid.as_ref(), "one entry for each campaign");
    let source = required_id(document, section, "vid", "its lead source").map(|vid| {
        let in_file = seen.sources.contains(&vid.value.to_string());
        reference(document, vid, in_file)
    });
    let lead_type = required_id(document, section, "lid", "the type of its leads");
    let name = section.required_text(document, "name");
    let name = values::name(document, name);
    let daily_cap = id(document, section, "daily_cap").map(|cap| cap.value);
    let criteria = section.json(document, "criteria").and_then(|given| {
        let criteria = Criteria::from_json(&given.value);
        if criteria.is_err() {
            document.fault(&given, "found what says of no field what it may be", NotCriteria.to_string());
        }
        criteria.ok()
    });
    Some(SeedCampaign {
        aid: aid?.value,
        source: source?,
        lead_type: lead_type?.value,
        name: name?,
        is_enabled: section.boolean(document, "enabled").is_none_or(|switch| switch.value),
        daily_cap,
        criteria: criteria.unwrap_or_default(),
    })
}

/// A whole number from 1.
fn id<'t>(document: &mut Document<'t>, section: &Section<'_, 't>, name: &str) -> Option<Located<u32>> {
    let given = section.integer(document, name)?;
    let id = u32::try_from(given.value).ok().filter(|id| *id > 0);
    if id.is_none() {
        document.fault(&given, format!("found {}", given.value), format!("1 to {}", u32::MAX));
    }
    Some(given.with(id?))
}

fn required_id<'t>(
    document: &mut Document<'t>,
    section: &Section<'_, 't>,
    name: &str,
    what: &str,
) -> Option<Located<u32>> {
    if !section.has(name) {
        let at = section.location();
        document.fault(&at, format!("`{name}` is missing"), format!("a whole number, {what}"));
    }
    id(document, section, name)
}

fn take(document: &mut Document<'_>, seen: &mut Unique, id: Option<&Located<u32>>, expected: &str) {
    if let Some(id) = id {
        seen.take(document, id, &id.value.to_string(), expected);
    }
}

fn field_names<'t>(document: &mut Document<'t>, section: &Section<'_, 't>, name: &str) -> Vec<String> {
    let fields = values::list(document, section, name, |document, field| values::name(document, Some(field)));
    fields.map(|fields| fields.value).unwrap_or_default()
}
