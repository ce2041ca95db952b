//! A TOML document read key by key, so that every fault names its line, its column and its key.
//!
//! Derived deserialization stops at the first fault and quotes values; here all faults are gathered, and a
//! value marked as secret is never quoted.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{ConfigError, Fault, Faults, Place, position};
use super::nearest::suggestion;

/// The file that is being read: its name, its text, and what was found wrong so far.
pub struct Document<'t> {
    path: PathBuf,
    text: &'t str,
    faults: Faults,
}

/// A value in the document, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    pub value: T,
    /// Byte offset in the file.
    pub offset: usize,
    /// Dotted path of the key.
    pub key: String,
}

/// One table of the document, with the keys that may stand in it.
pub struct Section<'d, 't> {
    entries: &'d DeTable<'t>,
    prefix: String,
    offset: usize,
}

impl<'t> Document<'t> {
    /// Parses `text` and hands its root table to `read`.
    ///
    /// # Errors
    /// A syntax error, or every fault that `read` found.
    pub fn read<T>(
        path: &Path,
        text: &'t str,
        read: impl FnOnce(&mut Self, &Section<'_, 't>) -> T,
    ) -> Result<T, ConfigError> {
        let mut faults = Faults::default();
        let value = Self::read_noting(path, text, &mut faults, read)?;
        faults.into_result(value)
    }

    /// As [`Document::read`], for a file whose faults are told together with those of other sources.
    ///
    /// # Errors
    /// A syntax error.
    pub fn read_noting<T>(
        path: &Path,
        text: &'t str,
        faults: &mut Faults,
        read: impl FnOnce(&mut Self, &Section<'_, 't>) -> T,
    ) -> Result<T, ConfigError> {
        let mut document = Self { path: path.to_owned(), text, faults: std::mem::take(faults) };
        let root = match DeTable::parse(text) {
            Ok(root) => root,
            Err(error) => return Err(document.syntax_error(&error).into()),
        };
        let section = Section { entries: root.get_ref(), prefix: String::new(), offset: 0 };
        let value = read(&mut document, &section);
        *faults = document.faults;
        Ok(value)
    }

    fn syntax_error(&self, error: &toml::de::Error) -> Fault {
        let offset = error.span().map_or(0, |span| span.start);
        let (line, _) = position(self.text, offset);
        // The parser's own messages never quote a value, but its rendered form would show the whole line.
        let found = error.message().replace('\n', ", ");
        let key = self
            .text
            .lines()
            .nth(line - 1)
            .and_then(|line| line.split_once('='))
            .map(|(key, _)| key.trim())
            .filter(|key| is_bare_key(key))
            .unwrap_or_default();
        Fault::new(self.place(offset), key, found, "TOML")
    }

    /// The place of a byte offset.
    #[must_use]
    pub fn place(&self, offset: usize) -> Place {
        let (line, column) = position(self.text, offset);
        Place::File { path: self.path.clone(), line, column }
    }

    /// Notes that the value at `at` is not what was expected.
    pub fn fault<T>(&mut self, at: &Located<T>, found: impl Into<String>, expected: impl Into<String>) {
        let place = self.place(at.offset);
        self.faults.push(Fault::new(place, at.key.clone(), found, expected));
    }
}

fn is_bare_key(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

impl<T> Located<T> {
    /// The same place with another value.
    pub fn with<U>(&self, value: U) -> Located<U> {
        Located { value, offset: self.offset, key: self.key.clone() }
    }
}

impl<'d, 't> Section<'d, 't> {
    /// This table's own place and key.
    #[must_use]
    pub fn location(&self) -> Located<()> {
        Located { value: (), offset: self.offset, key: self.prefix.clone() }
    }

    /// Faults every key that is not in `known`.
    pub fn refuse_unknown(&self, document: &mut Document<'t>, known: &[&str]) {
        for key in self.entries.keys() {
            let name: &str = key.get_ref();
            if known.contains(&name) {
                continue;
            }
            let at = Located { value: (), offset: key.span().start, key: self.path_of(name) };
            document.fault(&at, "unknown key", suggestion(name, known));
        }
    }

    /// The place of a key's value, valid or not; `None` where the key is absent.
    #[must_use]
    pub fn location_of(&self, name: &str) -> Option<Located<()>> {
        self.entry(name).map(|(at, _)| at)
    }

    fn path_of(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}.{name}", self.prefix) }
    }

    fn entry(&self, name: &str) -> Option<(Located<()>, &'d DeValue<'t>)> {
        let (_, value) = self.entries.iter().find(|(key, _)| *key.get_ref() == name)?;
        let at = Located { value: (), offset: value.span().start, key: self.path_of(name) };
        Some((at, value.get_ref()))
    }

    /// Whether the key is there at all, valid or not.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.entry(name).is_some()
    }

    /// An optional string.
    pub fn text(&self, document: &mut Document<'t>, name: &str) -> Option<Located<String>> {
        let (at, value) = self.entry(name)?;
        string(document, &at, value)
    }

    /// A string that has to be there.
    pub fn required_text(&self, document: &mut Document<'t>, name: &str) -> Option<Located<String>> {
        if self.entry(name).is_none() {
            let at = self.location();
            document.fault(&at, format!("`{name}` is missing"), "a string");
            return None;
        }
        self.text(document, name)
    }

    /// An optional whole number.
    pub fn integer(&self, document: &mut Document<'t>, name: &str) -> Option<Located<i64>> {
        let (at, value) = self.entry(name)?;
        let number = value.as_integer().and_then(|number| i64::from_str_radix(number.as_str(), number.radix()).ok());
        if number.is_none() {
            document.fault(&at, found(value), "a whole number");
        }
        Some(at.with(number?))
    }

    /// An optional truth value.
    pub fn boolean(&self, document: &mut Document<'t>, name: &str) -> Option<Located<bool>> {
        let (at, value) = self.entry(name)?;
        if value.as_bool().is_none() {
            document.fault(&at, found(value), "`true` or `false`, without quotes");
        }
        Some(at.with(value.as_bool()?))
    }

    /// An optional JSON object: a table, or a string that holds one.
    pub fn json(&self, document: &mut Document<'t>, name: &str) -> Option<Located<Value>> {
        const EXPECTED: &str = "a table, or a string that holds a JSON object";
        let (at, value) = self.entry(name)?;
        let object = match value {
            DeValue::Table(_) => to_json(value),
            DeValue::String(text) => serde_json::from_str(text).ok().filter(Value::is_object),
            _ => {
                document.fault(&at, found(value), EXPECTED);
                return None;
            }
        };
        if object.is_none() {
            document.fault(&at, "found what is no JSON", EXPECTED);
        }
        Some(at.with(object?))
    }

    /// The strings of an optional list; `None` where the key is absent.
    pub fn texts(&self, document: &mut Document<'t>, name: &str) -> Option<Located<Vec<Located<String>>>> {
        let (at, value) = self.entry(name)?;
        let Some(items) = value.as_array() else {
            document.fault(&at, found(value), "a list of strings");
            return None;
        };
        let texts = items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| string(document, &element(&at, index, item), item.get_ref()))
            .collect();
        Some(at.with(texts))
    }

    /// The tables under `[name]`: none or one.
    pub fn table(&self, document: &mut Document<'t>, name: &str) -> Option<Section<'d, 't>> {
        let (at, value) = self.entry(name)?;
        section(document, &at, value, &format!("a table `[{}]`", at.key))
    }

    /// The tables under `[[name]]`.
    pub fn tables(&self, document: &mut Document<'t>, name: &str) -> Vec<Section<'d, 't>> {
        let Some((at, value)) = self.entry(name) else {
            return Vec::new();
        };
        let expected = format!("tables, each opened by `[[{name}]]`");
        let Some(items) = value.as_array() else {
            document.fault(&at, found(value), expected);
            return Vec::new();
        };
        items
            .iter()
            .enumerate()
            .filter_map(|(index, item)| section(document, &element(&at, index, item), item.get_ref(), &expected))
            .collect()
    }
}

fn element(list: &Located<()>, index: usize, item: &Spanned<DeValue<'_>>) -> Located<()> {
    Located { value: (), offset: item.span().start, key: format!("{}[{index}]", list.key) }
}

fn string(document: &mut Document<'_>, at: &Located<()>, value: &DeValue<'_>) -> Option<Located<String>> {
    let Some(text) = value.as_str() else {
        document.fault(at, found(value), "a string in quotes");
        return None;
    };
    Some(at.with(text.to_owned()))
}

fn section<'d, 't>(
    document: &mut Document<'t>,
    at: &Located<()>,
    value: &'d DeValue<'t>,
    expected: &str,
) -> Option<Section<'d, 't>> {
    let Some(entries) = value.as_table() else {
        document.fault(at, found(value), expected);
        return None;
    };
    Some(Section { entries, prefix: at.key.clone(), offset: at.offset })
}

/// The same in JSON; `None` where JSON has no such value.
fn to_json(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::from(&**text),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok()?.into(),
        DeValue::Float(number) => number.as_str().parse::<f64>().ok()?.into(),
        DeValue::Boolean(truth) => Value::from(*truth),
        DeValue::Datetime(_) => return None,
        DeValue::Array(items) => items.iter().map(|item| to_json(item.get_ref())).collect::<Option<_>>()?,
        DeValue::Table(entries) => {
            let member = |(key, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
                Some((key.get_ref().to_string(), to_json(value.get_ref())?))
            };
            Value::Object(entries.iter().map(member).collect::<Option<_>>()?)
        }
    })
}

/// Names the type alone: the value might be a secret written without quotes.
fn found(value: &DeValue<'_>) -> String {
    format!("found {} {}", article(value.type_str()), value.type_str())
}

fn article(noun: &str) -> &'static str {
    if noun.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors<'t>(text: &'t str, read: impl FnOnce(&mut Document<'t>, &Section<'_, 't>)) -> Vec<String> {
        match Document::read(Path::new("f.toml"), text, read) {
            Ok(()) => Vec::new(),
            Err(error) => error.faults().iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn a_syntax_error_names_its_line_and_key_but_not_its_value() {
        let found = errors("a = 1\nsecret = hunter2\n", |_, _| {});
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("f.toml:2:"), "{found:?}");
        assert!(found[0].contains("secret"), "{found:?}");
        assert!(!found[0].contains("hunter2"), "{found:?}");
    }

    #[test]
    fn a_key_given_twice_is_refused() {
        let found = errors("a = 1\na = 2\n", |_, _| {});
        assert!(found[0].starts_with("f.toml:2:1: a: duplicate key"), "{found:?}");
    }

    #[test]
    fn all_faults_are_told_in_the_order_of_the_file() {
        let found = errors("[x]\nlst = 1\nname = 2\n", |document, root| {
            let x = root.table(document, "x").unwrap();
            x.text(document, "name");
            x.refuse_unknown(document, &["list", "name"]);
        });
        assert_eq!(
            found,
            [
                "f.toml:2:1: x.lst: unknown key; expected `list`, which is the nearest known",
                "f.toml:3:8: x.name: found an integer; expected a string in quotes",
            ]
        );
    }

    #[test]
    fn elements_of_lists_have_places_of_their_own() {
        let found = errors("[[x]]\nl = [\n \"a\",\n 7,\n]\n", |document, root| {
            let tables = root.tables(document, "x");
            tables[0].texts(document, "l");
            tables[0].required_text(document, "name");
        });
        assert_eq!(
            found,
            [
                "f.toml:1:1: x[0]: `name` is missing; expected a string",
                "f.toml:4:2: x[0].l[1]: found an integer; expected a string in quotes",
            ]
        );
    }
}
