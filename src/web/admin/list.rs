//! Lists: a page of them, what they are filtered by, and the way to the next page.

use super::visit::Visit;
use crate::views::{AdminPart, Filter, FormField, Pager, Table};

/// How many a page shows.
const ON_A_PAGE: usize = 50;
/// How many are read: one more tells whether there is another page.
pub const READ: i64 = ON_A_PAGE as i64 + 1;
/// Longest text that is looked for, in characters.
const MAX_TEXT: usize = 200;

/// What of an address is not what the list is filtered by.
const OF_ONE_PAGE: [&str; 3] = ["after", "done", "format"];

/// What is looked for, as far as it can be in any name.
pub fn looked_for(visit: &Visit, name: &str) -> String {
    visit.asked(name).trim().chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}

/// A page out of what was read, and the way to the older ones.
pub fn page<T>(visit: &Visit, path: &str, mut read: Vec<T>, id: impl Fn(&T) -> String) -> (Vec<T>, AdminPart) {
    let has_more = read.len() > ON_A_PAGE;
    read.truncate(ON_A_PAGE);
    let older = read.last().filter(|_| has_more).map(|last| address(visit, path, &[("after", &id(last))]));
    let newest = (!visit.asked("after").is_empty()).then(|| address(visit, path, &[]));
    (read, AdminPart::Pager(Pager { newest, older }))
}

/// The same list, filtered alike: from somewhere on, or in another form.
pub fn address(visit: &Visit, path: &str, besides: &[(&str, &str)]) -> String {
    let kept = visit.query.iter().filter(|(name, value)| !value.is_empty() && !OF_ONE_PAGE.contains(name));
    narrowed(path, kept.chain(besides.iter().copied()))
}

/// A list that is narrowed.
pub fn narrowed<'q>(path: &str, by: impl IntoIterator<Item = (&'q str, &'q str)>) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(by).finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

/// How many were read, where no more than [`READ`] were.
pub fn up_to_a_page(read: usize) -> String {
    if read > ON_A_PAGE { format!("{ON_A_PAGE}+") } else { read.to_string() }
}

/// What the list is filtered by, as it was asked for.
pub fn filter(visit: &Visit, path: &str, fields: Vec<FormField>) -> Filter {
    let is_set = fields.iter().any(|field| !visit.asked(field.name).is_empty());
    let mut filter = Filter { action: path.to_owned(), fields, is_set };
    filter.fill(&visit.query);
    filter
}

/// A table, or word that there is nothing to show.
pub fn table(visit: &Visit, table: Table) -> AdminPart {
    if table.rows.is_empty() { AdminPart::Nothing(visit.text().nothing.to_owned()) } else { AdminPart::Table(table) }
}
