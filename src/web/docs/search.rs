//! The search: sections that have all the words, best first.

use super::library::Library;
use crate::views::DocsHit;

/// How many words of a question count.
const MAX_WORDS: usize = 6;

/// How many sections are shown.
const MAX_HITS: usize = 30;

/// How many characters of a section are shown.
const EXCERPT: usize = 180;

pub fn find(library: &Library, asked: &str) -> Vec<DocsHit> {
    let asked = asked.to_ascii_lowercase();
    let words: Vec<&str> = asked.split_whitespace().take(MAX_WORDS).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for page in library.pages() {
        let page_title = page.content.title.to_ascii_lowercase();
        for section in &page.content.sections {
            let (title, text) = (section.title.to_ascii_lowercase(), section.text.to_ascii_lowercase());
            let points = |word: &&str| {
                let in_text = text.matches(word).take(4).count();
                let points = 12 * usize::from(title.contains(*word)) + 5 * usize::from(page_title.contains(*word));
                // A page's title alone is no reason to show each of its sections.
                let counts = in_text > 0 || title.contains(*word) || section.id.is_empty() && points > 0;
                counts.then_some(points + in_text)
            };
            if let Some(points) = words.iter().map(points).sum::<Option<usize>>() {
                // What is told of development comes last.
                let is_inside = page.name.starts_with("adr/") || page.name.starts_with("project/");
                found.push((if is_inside { points / 4 } else { points }, page, section, text));
            }
        }
    }
    // Of equal ones the order of the pages stays.
    found.sort_by_key(|(points, ..)| std::cmp::Reverse(*points));
    let hit = |(_, page, section, text): (_, &super::Page, &super::markdown::Section, String)| DocsHit {
        name: page.name.clone(),
        anchor: section.id.clone(),
        page_title: page.content.title.clone(),
        title: section.title.clone(),
        excerpt: excerpt(&section.text, words.iter().find_map(|word| text.find(word)).unwrap_or(0)),
    };
    found.into_iter().take(MAX_HITS).map(hit).collect()
}

/// The words around a place, which is a number of bytes.
fn excerpt(text: &str, at: usize) -> String {
    let begin = text.floor_char_boundary(at.saturating_sub(60));
    let begin = text[begin..].find(' ').map_or(begin, |space| if begin == 0 { 0 } else { begin + space + 1 });
    let mut words = text[begin..].split_whitespace().collect::<Vec<_>>().join(" ");
    let end = words.floor_char_boundary(EXCERPT);
    if end < words.len() {
        words.truncate(end);
        words.push('…');
    }
    if begin > 0 { format!("…{words}") } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::docs::library::LIBRARY;

    #[test]
    fn what_a_newcomer_types_is_found() {
        for (asked, name) in [
            ("popup_severed", "errors"),
            ("namespaces", "sandbox"),
            ("Disconnect PHP", "back-end"),
            ("trusted_proxies", "configuration"),
        ] {
            let hits = find(&LIBRARY, asked);
            assert!(hits.iter().take(8).any(|hit| hit.name == name), "{asked}: {hits:?}");
        }
        assert!(find(&LIBRARY, "  ").is_empty() && find(&LIBRARY, "xyzzyplugh").is_empty());
        assert!(find(&LIBRARY, "the").len() <= MAX_HITS);
    }

    #[test]
    fn an_excerpt_ends_between_characters() {
        let text = "é".repeat(400);
        for at in [0, 1, 301, 799] {
            assert!(excerpt(&text, at).chars().count() <= EXCERPT + 2);
        }
    }
}
