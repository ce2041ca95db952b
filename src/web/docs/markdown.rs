//! One file of Markdown: its HTML, with gaps for what differs from server to server, its headings, and its text for the
//! search.
//!
//! What a file has of HTML is left out where it is a comment, else shown as text. A block of HTML that is marked `preview`
//! is ours, and stands for itself besides: the buttons of the page work.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use crate::views::DocsEntry;

/// Control characters that no text has, as gaps.
const BASE: char = '\u{1}';
const COPY: char = '\u{2}';
const PREVIEW: char = '\u{3}';
const PREVIEW_END: char = '\u{4}';

/// What the pages call a server before they know whose it is; the one that serves them puts its own address there.
const LOCAL: &str = "http://localhost:8080";

/// What previews call the id of a button.
const BUTTON: &str = "YOUR-BUTTON-ID";

/// A page, and what of it is looked for.
#[derive(Debug)]
pub struct Content {
    pub title: String,
    html: String,
    /// The headings of the second and third level.
    pub contents: Vec<DocsEntry>,
    pub sections: Vec<Section>,
    /// Whether buttons on it would work.
    pub has_preview: bool,
}

/// The text below one heading.
#[derive(Debug, Default)]
pub struct Section {
    /// Of the heading; empty before the first one.
    pub id: String,
    pub title: String,
    pub text: String,
}

/// What a page is filled in with. All of it is plain text.
pub struct Place<'p> {
    pub base: &'p str,
    pub issuer: &'p str,
    pub copy: &'p str,
    /// A button that works on the page, and what stands above it; without one the previews are left out.
    pub preview: Option<(&'p str, &'p str)>,
}

impl Content {
    pub fn html(&self, place: &Place) -> String {
        let filled = self.html.replace(LOCAL, &escaped(place.issuer)).replace(BASE, &escaped(place.base));
        let filled = filled.replace(COPY, &escaped(place.copy));
        let mut out = String::with_capacity(filled.len());
        for (nth, part) in filled.split(PREVIEW).enumerate() {
            let Some((preview, rest)) = part.split_once(PREVIEW_END).filter(|_| nth > 0) else {
                out.push_str(part);
                continue;
            };
            if let Some((button, word)) = place.preview {
                let buttons = preview.replace(BUTTON, &escaped(button));
                let _ = write!(
                    out,
                    "<div class=\"live\"><p class=\"small\">{}</p>{buttons}<div class=\"outcome\" role=\"status\" hidden></div></div>",
                    escaped(word)
                );
            }
            out.push_str(rest);
        }
        out
    }
}

/// `target` tells the name of the page of a file, which is named from the root of the repository.
pub fn read(file: &str, source: &str, target: &dyn Fn(&str) -> Option<String>) -> Content {
    let mut reader = Reader::new(file, target);
    let mut events = Parser::new_ext(source, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH);
    let mut written = Vec::new();
    while let Some(event) = events.next() {
        reader.take(event, &mut events, &mut written);
    }
    let mut html = String::with_capacity(source.len() * 2);
    html::push_html(&mut html, written.into_iter());
    let title = reader.title.unwrap_or_default();
    Content { title, html, contents: reader.contents, sections: reader.sections, has_preview: reader.has_preview }
}

struct Reader<'r> {
    file: &'r str,
    target: &'r dyn Fn(&str) -> Option<String>,
    title: Option<String>,
    contents: Vec<DocsEntry>,
    sections: Vec<Section>,
    /// How often an id was given.
    ids: BTreeMap<String, usize>,
    /// Links that are open, and whether each is shown as one.
    links: Vec<bool>,
    blocks: usize,
    has_preview: bool,
    /// Of the present table.
    columns: Vec<Alignment>,
    column: usize,
    is_head: bool,
}

impl<'r> Reader<'r> {
    fn new(file: &'r str, target: &'r dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            file,
            target,
            title: None,
            contents: Vec::new(),
            sections: vec![Section::default()],
            ids: BTreeMap::new(),
            links: Vec::new(),
            blocks: 0,
            has_preview: false,
            columns: Vec::new(),
            column: 0,
            is_head: false,
        }
    }

    /// The element of a cell of the present row.
    fn cell(&self) -> &'static str {
        if self.is_head { "th" } else { "td" }
    }

    fn take<'s>(&mut self, event: Event<'s>, rest: &mut impl Iterator<Item = Event<'s>>, written: &mut Vec<Event<'s>>) {
        match event {
            Event::Start(Tag::Heading { level, .. }) => {
                let inner: Vec<_> =
                    rest.by_ref().take_while(|event| !matches!(event, Event::End(TagEnd::Heading(_)))).collect();
                let text: String = inner.iter().filter_map(words).collect();
                let id = self.heading(level, &text);
                written.push(Event::Html(format!("<{level} id=\"{id}\">").into()));
                for event in inner {
                    self.take(event, rest, written);
                }
                // It is remembered as the section's title.
                if let Some(section) = self.sections.last_mut() {
                    section.text.clear();
                }
                if level != HeadingLevel::H1 {
                    let label = escaped(&text);
                    written.push(Event::Html(
                        format!(" <a class=\"anchor\" href=\"#{id}\" aria-label=\"# {label}\">#</a>").into(),
                    ));
                }
                written.push(Event::Html(format!("</{level}>\n").into()));
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                let inner = rest.by_ref().take_while(|event| !matches!(event, Event::End(TagEnd::CodeBlock)));
                let code: String = inner.filter_map(|event| words(&event).map(str::to_owned)).collect();
                self.remember(&code);
                written.push(Event::Html(self.block(&kind, &code).into()));
            }
            // By hand: what the renderer writes into an address it encodes, gaps too.
            Event::Start(Tag::Link { dest_url, .. }) => {
                let address = self.address(&dest_url);
                self.links.push(address.is_some());
                written.push(Event::Html(match address {
                    Some(to) => format!("<a href=\"{}\">", escaped(&to)).into(),
                    None => {
                        format!("<span class=\"file\" title=\"{}\">", escaped(&resolve(self.file, &dest_url))).into()
                    }
                }));
            }
            Event::End(TagEnd::Link) => {
                let is_shown = self.links.pop().unwrap_or(true);
                written.push(Event::Html(if is_shown { "</a>" } else { "</span>" }.into()));
            }
            Event::Start(Tag::Table(columns)) => {
                written.push(Event::Html(self.frame_of_table().into()));
                // The renderer would align by a style, which the policy of these pages does not let through.
                written.push(Event::Start(Tag::Table(vec![Alignment::None; columns.len()])));
                self.columns = columns;
            }
            Event::Start(Tag::TableHead | Tag::TableRow) => {
                self.column = 0;
                self.is_head = matches!(event, Event::Start(Tag::TableHead));
                written.push(event);
            }
            Event::Start(Tag::TableCell) => {
                let is_number = self.columns.get(self.column) == Some(&Alignment::Right);
                self.column += 1;
                let class = if is_number { " class=\"number\"" } else { "" };
                written.push(Event::Html(format!("<{}{class}>", self.cell()).into()));
            }
            Event::End(TagEnd::TableCell) => {
                self.remember(" ");
                written.push(Event::Html(format!("</{}>", self.cell()).into()));
            }
            Event::End(TagEnd::Table) => {
                written.push(event);
                written.push(Event::Html("</div>\n".into()));
            }
            // It comes line by line.
            Event::Start(Tag::HtmlBlock) => {
                let lines = rest.by_ref().take_while(|event| !matches!(event, Event::End(TagEnd::HtmlBlock)));
                let text: String = lines.filter_map(|event| html_of(&event).map(str::to_owned)).collect();
                if !text.trim_start().starts_with("<!--") {
                    written.push(Event::Text(text.into()));
                }
            }
            Event::Html(text) | Event::InlineHtml(text) => written.push(Event::Text(text)),
            other => {
                if let Some(text) = words(&other) {
                    self.remember(text);
                }
                if matches!(other, Event::End(_)) {
                    self.remember(" ");
                }
                written.push(other);
            }
        }
    }

    fn remember(&mut self, text: &str) {
        if let Some(section) = self.sections.last_mut() {
            section.text.push_str(text);
        }
    }

    /// The id of a heading, as code hosts make it.
    fn heading(&mut self, level: HeadingLevel, text: &str) -> String {
        let id = self.unique(slug(text));
        match level {
            HeadingLevel::H1 => self.title = self.title.take().or_else(|| Some(text.to_owned())),
            _ => {
                self.sections.push(Section { id: id.clone(), title: text.to_owned(), text: String::new() });
                let is_sub = level != HeadingLevel::H2;
                if matches!(level, HeadingLevel::H2 | HeadingLevel::H3) {
                    self.contents.push(DocsEntry { is_sub, id: id.clone(), text: text.to_owned() });
                }
            }
        }
        id
    }

    fn unique(&mut self, slug: String) -> String {
        let given = self.ids.entry(slug.clone()).or_default();
        *given += 1;
        if *given == 1 { slug } else { format!("{slug}-{}", *given - 1) }
    }

    /// A table may be wider than the page: it moves in a frame of its own, with the keyboard, too.
    fn frame_of_table(&self) -> String {
        let name = self.sections.last().map(|section| section.title.as_str()).filter(|title| !title.is_empty());
        let name = escaped(name.or(self.title.as_deref()).unwrap_or("Table"));
        format!("<div class=\"wide-table\" role=\"region\" tabindex=\"0\" aria-label=\"{name}\">")
    }

    fn block(&mut self, kind: &CodeBlockKind, code: &str) -> String {
        let info = match kind {
            CodeBlockKind::Fenced(info) => info.as_ref(),
            CodeBlockKind::Indented => "",
        };
        let mut info = info.split_whitespace();
        let language = info.next().unwrap_or_default();
        self.blocks += 1;
        let id = format!("code-{}", self.blocks);
        let mut out = String::new();
        if language == "html" && info.any(|word| word == "preview") {
            self.has_preview = true;
            let _ = write!(out, "{PREVIEW}{code}{PREVIEW_END}");
        }
        let _ = writeln!(
            out,
            "<div class=\"listing\"><pre class=\"code\" tabindex=\"0\"><code id=\"{id}\" data-language=\"{}\">{}</code></pre>\
             <button class=\"copy\" type=\"button\" data-copy=\"{id}\" aria-describedby=\"{id}\" hidden>{COPY}</button></div>",
            escaped(language),
            super::colour::coloured(language, code.trim_end()),
        );
        out
    }

    /// Where a link goes; `None` for a file that has no page.
    fn address(&self, to: &str) -> Option<String> {
        if to.starts_with('#') || to.contains("://") || to.starts_with("mailto:") {
            return Some(to.to_owned());
        }
        let (file, anchor) = to.split_once('#').map_or((to, ""), |(file, anchor)| (file, anchor));
        let name = (self.target)(&resolve(self.file, file))?;
        let slash = if name.is_empty() { "" } else { "/" };
        let hash = if anchor.is_empty() { "" } else { "#" };
        Some(format!("{BASE}/docs{slash}{name}{hash}{anchor}"))
    }
}

/// What of an event people read.
fn words<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    match event {
        Event::Text(text) | Event::Code(text) => Some(text),
        Event::SoftBreak | Event::HardBreak => Some(" "),
        _ => None,
    }
}

fn html_of<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) | Event::Text(text) => Some(text),
        _ => None,
    }
}

/// A relative link of a file, named from the root.
pub fn resolve(file: &str, link: &str) -> String {
    let mut path: Vec<&str> = file.split('/').collect();
    path.pop();
    for step in link.split('/') {
        match step {
            "." | "" => {}
            ".." => {
                path.pop();
            }
            step => path.push(step),
        }
    }
    path.join("/")
}

/// Lower case, without punctuation, hyphens for spaces.
fn slug(text: &str) -> String {
    let kept = text.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { base: "/t1", issuer: "https://a.test/t1", copy: "Copy", preview: None };

    fn page(source: &str) -> Content {
        read("docs/page.md", source, &|file| (file == "docs/other.md").then(|| "other".to_owned()))
    }

    #[test]
    fn links_lead_to_pages_or_nowhere() {
        let html = page("[a](other.md#b) [c](../src/main.rs) [d](https://d.test/) [e](#e)").html(&PLACE);
        assert!(html.contains(r#"<a href="/t1/docs/other#b">a</a>"#), "{html}");
        assert!(html.contains(r#"<span class="file" title="src/main.rs">c</span>"#), "{html}");
        assert!(
            html.contains(r#"<a href="https://d.test/">d</a>"#) && html.contains(r##"<a href="#e">e</a>"##),
            "{html}"
        );
    }

    #[test]
    fn headings_have_the_ids_that_code_hosts_give_them() {
        let page =
            page("# T\n## B9. Registration (RFC 7591, 7592) _[documented]_\n## `/_sandbox/reset`\n### A b\n### A b\n");
        let ids: Vec<_> = page.contents.iter().map(|entry| entry.id.as_str()).collect();
        assert_eq!(ids, ["b9-registration-rfc-7591-7592-documented", "_sandboxreset", "a-b", "a-b-1"]);
        assert_eq!(page.title, "T");
    }

    /// The pages' policy lets no style through.
    #[test]
    fn columns_of_figures_are_marked_by_a_class() {
        let html = page("| a | b |\n|---|--:|\n| c | 1 |\n").html(&PLACE);
        assert!(html.contains("<th>a</th><th class=\"number\">b</th>"), "{html}");
        assert!(html.contains("<td>c</td><td class=\"number\">1</td>") && !html.contains("style="), "{html}");
    }

    #[test]
    fn html_in_a_page_is_text_and_comments_are_gone() {
        let html = page("a <b onclick=x>b</b>\n\n<!-- c\nd e\n\nf -->\n\n<script>g</script>\n").html(&PLACE);
        assert!(!html.contains("<b ") && !html.contains("<script") && !html.contains("<!--"), "{html}");
        assert!(!html.contains("d e") && !html.contains("f --"), "{html}");
        assert!(html.contains("&lt;b onclick=x&gt;"), "{html}");
    }

    #[test]
    fn a_preview_is_there_where_a_button_is() {
        let page = page("```html preview\n<button data-btnId=\"YOUR-BUTTON-ID\">Sign in</button>\n```\n");
        assert!(page.has_preview && !page.html(&PLACE).contains("<button data-btnId"));
        let html = page.html(&Place { preview: Some(("btn-\"1", "Live")), ..PLACE });
        assert!(html.contains(r#"<button data-btnId="btn-&quot;1">Sign in</button>"#), "{html}");
        assert!(html.contains("YOUR-BUTTON-ID"), "the listing says what to put there");
    }

    #[test]
    fn a_server_puts_its_own_address_in() {
        let html = page("`http://localhost:8080/a`\n\n```sh\ncurl http://localhost:8080/b\n```\n").html(&PLACE);
        assert!(html.contains("https://a.test/t1/a") && html.contains("https://a.test/t1/b"), "{html}");
    }
}
