//! All pages, and the order in which the index has them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
use rust_embed::RustEmbed;

use super::markdown::{self, Content};
use crate::views::{DocsGroup, DocsLink};

#[derive(RustEmbed)]
#[folder = "docs/"]
struct Files;

/// Files beside docs/ that it links to, with their pages' names.
const BESIDE: [(&str, &str, &str); 5] = [
    ("README.md", "project/readme", include_str!("../../../README.md")),
    ("CHANGELOG.md", "project/changelog", include_str!("../../../CHANGELOG.md")),
    ("CONTRIBUTING.md", "project/contributing", include_str!("../../../CONTRIBUTING.md")),
    ("SECURITY.md", "project/security", include_str!("../../../SECURITY.md")),
    ("LICENSE", "project/license", include_str!("../../../LICENSE")),
];

pub static LIBRARY: LazyLock<Library> = LazyLock::new(Library::read);

pub struct Library {
    pages: BTreeMap<String, Page>,
    /// As the index groups them.
    pub groups: Arc<[DocsGroup]>,
}

pub struct Page {
    /// The end of its address; the index has none.
    pub name: String,
    pub content: Content,
}

impl Library {
    fn read() -> Self {
        let files = Files::iter().filter(|file| file.ends_with(".md")).filter_map(|file| {
            let text = String::from_utf8(Files::get(&file)?.data.into_owned()).ok()?;
            Some((format!("docs/{file}"), Cow::Owned(text)))
        });
        let beside = BESIDE.iter().map(|(file, _, text)| match *file {
            "LICENSE" => (file.to_string(), Cow::Owned(format!("# License\n\n```text\n{text}\n```\n"))),
            _ => (file.to_string(), Cow::Borrowed(*text)),
        });
        let mut sources: BTreeMap<String, Cow<'static, str>> = files.chain(beside).collect();
        if let Some(list) = decisions(&sources) {
            sources.insert("docs/adr/README.md".to_owned(), Cow::Owned(list));
        }
        let pages = sources.iter().filter_map(|(file, text)| {
            let page =
                Page { name: name_of(file)?, content: markdown::read(file, text, &|file| target(&sources, file)) };
            Some((page.name.clone(), page))
        });
        let index = sources.get("docs/README.md").map_or("", Cow::as_ref);
        Self { pages: pages.collect(), groups: groups(index).into() }
    }

    pub fn page(&self, name: &str) -> Option<&Page> {
        self.pages.get(name)
    }

    pub fn pages(&self) -> impl Iterator<Item = &Page> {
        self.pages.values()
    }

    /// The pages before and after this one, in the index's order.
    pub fn neighbours(&self, name: &str) -> (Option<DocsLink>, Option<DocsLink>) {
        let all: Vec<&DocsLink> = self.groups.iter().flat_map(|group| &group.links).collect();
        let Some(at) = all.iter().position(|link| link.name == name) else { return (None, None) };
        let link = |at: usize| all.get(at).copied().cloned();
        (at.checked_sub(1).and_then(link), link(at + 1))
    }
}

/// The end of the address of a file's page: `docs/adr/0001-….md` is at `adr/0001-…`, `docs/README.md` at none.
fn name_of(file: &str) -> Option<String> {
    if let Some((_, name, _)) = BESIDE.iter().find(|(known, ..)| *known == file) {
        return Some((*name).to_owned());
    }
    let name = file.strip_prefix("docs/")?.strip_suffix(".md")?;
    Some(name.strip_suffix("README").unwrap_or(name).trim_end_matches('/').to_owned())
}

/// Where a link to this file goes, if it has a page.
fn target(sources: &BTreeMap<String, Cow<'static, str>>, file: &str) -> Option<String> {
    let index = format!("{}/README.md", file.trim_end_matches('/'));
    [file, &index].into_iter().find(|file| sources.contains_key(*file)).and_then(name_of)
}

/// A page that lists the decisions, which a directory does by itself in a checkout.
fn decisions(sources: &BTreeMap<String, Cow<'static, str>>) -> Option<String> {
    let mut list = "# Decisions\n\nEach with its reasons, and with what was not chosen.\n\n".to_owned();
    for (file, text) in sources {
        let Some(name) = file.strip_prefix("docs/adr/") else { continue };
        if name == "README.md" {
            return None;
        }
        let title = text.lines().next()?.trim_start_matches("# ");
        list.push_str(&format!("- [{title}]({name})\n"));
    }
    Some(list)
}

/// What the index lists: below each heading of the second level the first link of each entry.
fn groups(index: &str) -> Vec<DocsGroup> {
    let mut groups: Vec<DocsGroup> = Vec::new();
    let (mut in_title, mut in_link, mut entry) = (false, None, None::<bool>);
    for event in Parser::new(index) {
        match event {
            Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }) => {
                in_title = true;
                groups.push(DocsGroup::default());
            }
            Event::End(TagEnd::Heading(_)) => in_title = false,
            Event::Start(Tag::Item) => entry = Some(false),
            Event::End(TagEnd::Item) => entry = None,
            Event::Start(Tag::Link { dest_url, .. }) if entry == Some(false) => {
                entry = Some(true);
                let file = markdown::resolve("docs/README.md", &dest_url);
                in_link = name_of(&file).or_else(|| name_of(&format!("{file}/README.md")));
                if let (Some(name), Some(group)) = (in_link.clone(), groups.last_mut()) {
                    group.links.push(DocsLink { name, title: String::new() });
                }
            }
            Event::End(TagEnd::Link) => in_link = None,
            Event::Text(text) | Event::Code(text) => {
                let Some(group) = groups.last_mut() else { continue };
                if in_title {
                    group.title.push_str(&text);
                } else if let (Some(_), Some(link)) = (&in_link, group.links.last_mut()) {
                    link.title.push_str(&text);
                }
            }
            _ => {}
        }
    }
    groups.retain(|group| !group.links.is_empty());
    groups
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::web::docs::markdown::Place;

    /// Between two quotation marks behind `before`, wherever that stands.
    fn values<'h>(html: &'h str, before: &'h str) -> impl Iterator<Item = &'h str> {
        html.split(before).skip(1).filter_map(|rest| rest.split('"').next())
    }

    fn html(page: &Page) -> String {
        let place = Place { base: "/base", issuer: "https://auth.test/base", copy: "Copy", preview: None };
        page.content.html(&place)
    }

    #[test]
    fn every_page_is_in_the_index_once() {
        let listed: Vec<_> = LIBRARY.groups.iter().flat_map(|group| &group.links).map(|link| &link.name).collect();
        let set: BTreeSet<_> = listed.iter().collect();
        assert_eq!(set.len(), listed.len(), "docs/README.md lists a page twice: {listed:?}");
        for page in LIBRARY.pages() {
            let is_below = page.name.is_empty() || page.name.starts_with("adr/") || page.name.starts_with("project/");
            assert!(is_below || listed.contains(&&page.name), "docs/README.md does not list {}.md", page.name);
            assert!(!page.content.title.is_empty(), "{} has no title", page.name);
        }
        for link in listed {
            assert!(LIBRARY.page(link).is_some(), "docs/README.md lists {link}, which is not there");
        }
    }

    #[test]
    fn every_link_between_pages_leads_somewhere() {
        for page in LIBRARY.pages() {
            let html = html(page);
            for address in values(&html, r#"href=""#) {
                let Some(rest) = address.strip_prefix("/base/docs") else {
                    let is_ours = address.starts_with('#') || address.starts_with("http");
                    assert!(is_ours || address.starts_with("/base/"), "{}: {address}", page.name);
                    continue;
                };
                let (name, anchor) = rest.split_once('#').unwrap_or((rest, ""));
                let target = LIBRARY.page(name.trim_start_matches('/'));
                let target = target.unwrap_or_else(|| panic!("{}: {address} is not there", page.name));
                assert!(
                    anchor.is_empty() || ids(target).contains(anchor),
                    "{}: {address} has no such place",
                    page.name
                );
            }
            let own = ids(page);
            for anchor in values(&html, r##"href="#"##) {
                assert!(own.contains(anchor), "{}: #{anchor} is not there", page.name);
            }
        }
    }

    fn ids(page: &Page) -> BTreeSet<String> {
        values(&html(page), r#" id=""#).map(str::to_owned).collect()
    }

    #[test]
    fn files_of_the_source_are_named_and_not_linked() {
        let threats = html(LIBRARY.page("durability").expect("the page is there"));
        assert!(!threats.contains("href=\"../") && threats.contains(r#"<span class="file""#));
    }
}
