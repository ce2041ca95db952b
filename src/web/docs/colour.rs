//! A little colour for code: what is a remark, a text, and the key of a member. No language is understood.

use super::markdown::escaped;

/// HTML of a listing.
pub fn coloured(language: &str, code: &str) -> String {
    let Some(remark) = remark_of(language) else { return escaped(code) };
    let mut out = String::with_capacity(code.len() * 2);
    let mut rest = code;
    let mut before = '\n';
    while let Some(first) = rest.chars().next() {
        let starts_remark = !remark.is_empty() && rest.starts_with(remark) && before.is_whitespace();
        let (length, class) = if starts_remark {
            (rest.find('\n').unwrap_or(rest.len()), "r")
        } else if first == '"' || first == '\'' && !before.is_alphanumeric() {
            // Only a shell's text goes on over the end of its line.
            let line = if language == "sh" { rest } else { rest.lines().next().unwrap_or(rest) };
            let length = text_length(line, first);
            let is_key = language == "json" && rest[length..].trim_start().starts_with(':');
            (length, if is_key { "k" } else { "t" })
        } else {
            (first.len_utf8(), "")
        };
        let (piece, after) = rest.split_at(length);
        if class.is_empty() || length == 1 {
            out.push_str(&escaped(piece));
        } else {
            out.push_str(&format!("<span class=\"{class}\">{}</span>", escaped(piece)));
        }
        before = piece.chars().next_back().unwrap_or(before);
        rest = after;
    }
    out
}

/// What begins a remark; `None` where nothing is coloured.
fn remark_of(language: &str) -> Option<&'static str> {
    Some(match language {
        "sh" | "python" | "ruby" | "toml" | "yaml" | "nginx" => "#",
        "js" | "ts" | "go" | "java" | "csharp" | "php" | "rust" => "//",
        "json" => "",
        _ => return None,
    })
}

/// How many bytes a text in quotation marks has, with these; only the mark itself where it does not end.
fn text_length(rest: &str, mark: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == mark => return at + 1,
            _ => {}
        }
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_changes_no_text() {
        for (language, code) in [
            ("sh", "# a 'remark'\ncurl -d '{\"a\":\"b\"}' \"$SERVER/#x\" # it's\nécho \"ü"),
            ("json", "{\"a\": \"b\\\"c\", \"d\": [1, \"e\"]}"),
            ("js", "const a = 'http://b'; // c\nlet d = `e`;"),
            ("", "\"plain\" # text"),
        ] {
            let html = coloured(language, code);
            let bare = html.replace("<span class=\"r\">", "").replace("<span class=\"t\">", "");
            let bare = bare.replace("<span class=\"k\">", "").replace("</span>", "");
            assert_eq!(bare, escaped(code), "{language}");
        }
        assert_eq!(coloured("json", "{\"a\":1}"), "{<span class=\"k\">&quot;a&quot;</span>:1}");
        assert_eq!(coloured("python", "f\"{a}\", b"), "f<span class=\"t\">&quot;{a}&quot;</span>, b");
        assert_eq!(coloured("js", "x = \";\ny"), "x = &quot;;\ny");
        assert!(coloured("js", "'http://b' // c").ends_with("<span class=\"r\">// c</span>"));
    }
}
