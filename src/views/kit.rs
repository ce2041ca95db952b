//! What our own pages consist of besides forms: tabs, tables, facts and the like, each with a macro of its name in
//! `templates/parts/kit.html`.

use super::form::Form;

/// A link to a page beside this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tab {
    pub label: String,
    pub address: String,
    pub is_current: bool,
}

impl Tab {
    #[must_use]
    pub fn new(label: impl Into<String>, address: impl Into<String>, is_current: bool) -> Self {
        Self { label: label.into(), address: address.into(), is_current }
    }
}

/// A line at the top after something was done, or could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
    pub is_good: bool,
}

impl Notice {
    #[must_use]
    pub fn good(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_good: true }
    }

    #[must_use]
    pub fn bad(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_good: false }
    }
}

/// A name with its value, in a list of such.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub name: String,
    pub value: String,
    /// Of code: the id under which it is copied.
    pub copied_as: Option<&'static str>,
    pub is_code: bool,
}

impl Fact {
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into(), copied_as: None, is_code: false }
    }

    #[must_use]
    pub fn code(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { is_code: true, ..Self::new(name, value) }
    }

    /// With a button that copies it; `id` is its own in the page. The page includes `parts/copy.html` at its end.
    #[must_use]
    pub fn copyable(id: &'static str, name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { copied_as: Some(id), ..Self::code(name, value) }
    }
}

/// Rows of the same shape; on a phone each becomes a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Says what it is, to who cannot see where it stands.
    pub caption: String,
    pub columns: Vec<String>,
    /// As many cells as columns; the first is the row's name.
    pub rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Each row's cells with the name of their column.
    pub fn named<'t>(&'t self, row: &'t [Cell]) -> impl Iterator<Item = (&'t str, &'t Cell)> {
        debug_assert_eq!(row.len(), self.columns.len(), "{}", self.caption);
        self.columns.iter().map(String::as_str).zip(row)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    Empty,
    Text(String),
    Code(String),
    /// RFC 3339, UTC.
    Time(String),
    Link {
        text: String,
        address: String,
    },
    /// Two lines: what it is, and more about it.
    Two {
        text: String,
        more: String,
        address: Option<String>,
    },
    Badge {
        text: String,
        tone: Tone,
    },
    /// A form of one button. `about` completes its name for who hears it alone: "Disconnect" "Rate Finder".
    Button {
        label: String,
        about: String,
        action: String,
        csrf: String,
        is_dangerous: bool,
    },
}

impl Cell {
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    #[must_use]
    pub fn code(text: impl Into<String>) -> Self {
        Self::Code(text.into())
    }

    /// A moment, or nothing.
    #[must_use]
    pub fn time(rfc3339: Option<String>) -> Self {
        rfc3339.map_or(Self::Empty, Self::Time)
    }

    #[must_use]
    pub fn link(text: impl Into<String>, address: impl Into<String>) -> Self {
        Self::Link { text: text.into(), address: address.into() }
    }

    #[must_use]
    pub fn badge(text: impl Into<String>, tone: Tone) -> Self {
        Self::Badge { text: text.into(), tone }
    }
}

/// How something is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Bad,
}

impl Tone {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Bad => "bad",
        }
    }
}

/// The pages before and behind this one: an address, where there is one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pager {
    /// The first page, for who is on another.
    pub newest: Option<String>,
    pub older: Option<String>,
}

/// A secret, the only time that it is shown. The page includes `parts/copy.html` at its end.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown {
    /// Its own in the page.
    pub id: &'static str,
    pub label: String,
    pub value: String,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shown").field("id", &self.id).field("label", &self.label).finish_non_exhaustive()
    }
}

/// What is asked before something ends: what it is, and what ends with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    pub title: String,
    pub text: String,
    /// One line for each thing that ends.
    pub ends: Vec<String>,
    /// Dangerous, with a way back.
    pub form: Form,
}
