//! Forms of our own pages: what to ask, what was typed, and what is wrong with it, as plain data.
//!
//! A page has one function that makes its form, empty or from what is stored. Where the answer is to be shown again,
//! [`Form::fill`] puts back what was typed and [`Form::refuse`] says what is wrong, beside the field and at the top:
//!
//! ```
//! # use leadgate::domain::pairs::Pairs;
//! # use leadgate::views::{Form, FormField};
//! let mut form = Form::new("/console/apps/new", "csrf", "Create").back_to("/console")
//!     .with(FormField::text("name", "Name").required().max_length(80))
//!     .with(FormField::lines("origins", "Origins").hint("One a line, as in `https://app.example`."));
//! form.fill(&Pairs::parse(b"name=&origins=app.example"));
//! form.refuse("name", "Enter a name.");
//! form.refuse("origins", "`app.example` has no scheme: write `https://app.example`.");
//! assert!(form.is_refused());
//! ```
//!
//! The view has it as a field `form`; its template imports the macros and says where it stands:
//! `{% import "parts/form.html" as kit %}` … `{% call kit::form(form) %}{% endcall %}`. A field's `name` is its id, so one
//! page has each name once. Labels and sentences come from the message catalogue; backticks in hints and errors make
//! code. What a page consists of besides is in [`super::kit`].

use super::hidden::HiddenField;
use super::prose::Prose;
use crate::domain::pairs::Pairs;

/// A form that is posted to a page of ours, with `csrf` and its fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    pub action: String,
    pub csrf: String,
    /// The label of its one button.
    pub submit: String,
    /// Whether the button does what cannot be undone.
    pub is_dangerous: bool,
    /// Where "Cancel" leads; without it there is none.
    pub back: Option<String>,
    pub hidden: Vec<HiddenField>,
    pub fields: Vec<FormField>,
    /// What is wrong with the whole.
    pub errors: Vec<Prose>,
}

impl Form {
    #[must_use]
    pub fn new(action: impl Into<String>, csrf: impl Into<String>, submit: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            csrf: csrf.into(),
            submit: submit.into(),
            is_dangerous: false,
            back: None,
            hidden: Vec::new(),
            fields: Vec::new(),
            errors: Vec::new(),
        }
    }

    #[must_use]
    pub fn with(mut self, field: FormField) -> Self {
        self.fields.push(field);
        self
    }

    #[must_use]
    pub fn with_hidden(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.hidden.push(HiddenField::new(name, value));
        self
    }

    #[must_use]
    pub fn back_to(mut self, address: impl Into<String>) -> Self {
        self.back = Some(address.into());
        self
    }

    #[must_use]
    pub fn dangerous(mut self) -> Self {
        self.is_dangerous = true;
        self
    }

    /// Puts back what was typed. Passwords and files are asked for again.
    pub fn fill(&mut self, given: &Pairs) {
        for field in &mut self.fields {
            field.fill(given);
        }
    }

    /// Says what is wrong with a field, or with the whole where no field has that name.
    pub fn refuse(&mut self, name: &str, sentence: &str) {
        match self.fields.iter_mut().find(|field| field.name == name) {
            Some(field) => field.error = Some(Prose::of(sentence)),
            None => self.errors.push(Prose::of(sentence)),
        }
    }

    /// Whether anything is wrong: the answer is 422 then.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        !self.errors.is_empty() || self.refused_fields().next().is_some()
    }

    pub fn refused_fields(&self) -> impl Iterator<Item = (&FormField, &Prose)> {
        self.fields.iter().filter_map(|field| Some((field, field.error.as_ref()?)))
    }

    /// Only so does a browser send files.
    fn has_file(&self) -> bool {
        self.fields.iter().any(|field| matches!(field.control, Control::File { .. }))
    }

    pub fn encoding(&self) -> &'static str {
        if self.has_file() { "multipart/form-data" } else { "application/x-www-form-urlencoded" }
    }
}

/// The lines of a [`FormField::lines`] that have something on them, without the spaces around it.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty())
}

/// One question of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormField {
    /// On the wire, and the id in the page.
    pub name: &'static str,
    pub label: String,
    /// Begins a part of the form.
    pub heading: Option<String>,
    pub hint: Option<Prose>,
    pub error: Option<Prose>,
    pub is_required: bool,
    pub control: Control,
}

/// What a field is answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Control {
    Text(TextInput),
    /// One value a line.
    Lines {
        text: String,
        rows: u8,
    },
    Select(Vec<Choice>),
    /// Sends its name, or nothing.
    Check {
        is_checked: bool,
    },
    /// Sends its name with each value that is chosen.
    Checks(Vec<Choice>),
    Radios(Vec<Choice>),
    /// `accept`: media types, as the attribute has them.
    File {
        accept: &'static str,
    },
}

/// A single line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextInput {
    pub kind: TextKind,
    pub value: String,
    /// In UTF-16 code units, as browsers count.
    pub max_length: Option<usize>,
    /// The token of HTML's autofill; `off` where browsers have nothing to offer.
    pub autocomplete: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    Text,
    Email,
    Url,
    Password,
    Number,
}

impl TextKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Email => "email",
            Self::Url => "url",
            Self::Password => "password",
            Self::Number => "number",
        }
    }

    /// Whether a capital at the beginning or a red wave below would be a nuisance.
    pub const fn is_technical(self) -> bool {
        !matches!(self, Self::Text | Self::Number)
    }
}

/// One of several answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub value: String,
    pub label: String,
    /// Not shown in a [`Control::Select`].
    pub hint: Option<Prose>,
    pub is_chosen: bool,
}

impl Choice {
    #[must_use]
    pub fn new(value: impl Into<String>, label: impl Into<String>, is_chosen: bool) -> Self {
        Self { value: value.into(), label: label.into(), hint: None, is_chosen }
    }

    #[must_use]
    pub fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(Prose::of(hint));
        self
    }
}

impl Control {
    fn fill<'g>(&mut self, mut given: impl Iterator<Item = &'g str>) {
        match self {
            Self::Text(TextInput { kind: TextKind::Password, .. }) | Self::File { .. } => {}
            Self::Text(input) => input.value = given.next().unwrap_or_default().to_owned(),
            Self::Lines { text, .. } => *text = given.next().unwrap_or_default().to_owned(),
            Self::Check { is_checked } => *is_checked = given.next().is_some(),
            Self::Select(choices) | Self::Checks(choices) | Self::Radios(choices) => {
                let given: Vec<_> = given.collect();
                for choice in choices {
                    choice.is_chosen = given.contains(&choice.value.as_str());
                }
            }
        }
    }
}

impl FormField {
    #[must_use]
    pub fn new(name: &'static str, label: impl Into<String>, control: Control) -> Self {
        Self { name, label: label.into(), heading: None, hint: None, error: None, is_required: false, control }
    }

    /// Puts back what was typed.
    pub(super) fn fill(&mut self, given: &Pairs) {
        let name = self.name;
        self.control.fill(given.iter().filter(|(given, _)| *given == name).map(|(_, value)| value));
    }

    fn input(name: &'static str, label: impl Into<String>, kind: TextKind, autocomplete: &'static str) -> Self {
        let input = TextInput { kind, value: String::new(), max_length: None, autocomplete };
        Self::new(name, label, Control::Text(input))
    }

    #[must_use]
    pub fn text(name: &'static str, label: impl Into<String>) -> Self {
        Self::input(name, label, TextKind::Text, "off")
    }

    #[must_use]
    pub fn email(name: &'static str, label: impl Into<String>) -> Self {
        Self::input(name, label, TextKind::Email, "email").max_length(254)
    }

    #[must_use]
    pub fn url(name: &'static str, label: impl Into<String>) -> Self {
        Self::input(name, label, TextKind::Url, "off")
    }

    #[must_use]
    pub fn number(name: &'static str, label: impl Into<String>) -> Self {
        Self::input(name, label, TextKind::Number, "off")
    }

    /// `autocomplete`: `current-password` or `new-password`.
    #[must_use]
    pub fn password(name: &'static str, label: impl Into<String>, autocomplete: &'static str) -> Self {
        Self::input(name, label, TextKind::Password, autocomplete)
    }

    #[must_use]
    pub fn lines(name: &'static str, label: impl Into<String>) -> Self {
        Self::new(name, label, Control::Lines { text: String::new(), rows: 3 })
    }

    #[must_use]
    pub fn select(name: &'static str, label: impl Into<String>, choices: Vec<Choice>) -> Self {
        Self::new(name, label, Control::Select(choices))
    }

    #[must_use]
    pub fn check(name: &'static str, label: impl Into<String>, is_checked: bool) -> Self {
        Self::new(name, label, Control::Check { is_checked })
    }

    #[must_use]
    pub fn checks(name: &'static str, label: impl Into<String>, choices: Vec<Choice>) -> Self {
        Self::new(name, label, Control::Checks(choices))
    }

    #[must_use]
    pub fn radios(name: &'static str, label: impl Into<String>, choices: Vec<Choice>) -> Self {
        Self::new(name, label, Control::Radios(choices))
    }

    #[must_use]
    pub fn file(name: &'static str, label: impl Into<String>, accept: &'static str) -> Self {
        Self::new(name, label, Control::File { accept })
    }

    /// What stands in a single line, or in the lines of [`Self::lines`].
    #[must_use]
    pub fn value(mut self, value: impl Into<String>) -> Self {
        match &mut self.control {
            Control::Text(input) => input.value = value.into(),
            Control::Lines { text, .. } => *text = value.into(),
            _ => debug_assert!(false, "{} is answered otherwise", self.name),
        }
        self
    }

    #[must_use]
    pub fn values<V: ToString>(self, values: impl IntoIterator<Item = V>) -> Self {
        let lines: Vec<_> = values.into_iter().map(|value| value.to_string()).collect();
        self.value(lines.join("\n"))
    }

    /// Of a single line.
    #[must_use]
    pub fn max_length(mut self, length: usize) -> Self {
        match &mut self.control {
            Control::Text(input) => input.max_length = Some(length),
            _ => debug_assert!(false, "{} is no single line", self.name),
        }
        self
    }

    /// Of a single line; see [`TextInput::autocomplete`].
    #[must_use]
    pub fn autocomplete(mut self, token: &'static str) -> Self {
        match &mut self.control {
            Control::Text(input) => input.autocomplete = token,
            _ => debug_assert!(false, "{} is no single line", self.name),
        }
        self
    }

    #[must_use]
    pub fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    #[must_use]
    pub fn hint(mut self, hint: &str) -> Self {
        self.hint = Some(Prose::of(hint));
        self
    }

    /// A heading above the field.
    #[must_use]
    pub fn under(mut self, heading: impl Into<String>) -> Self {
        self.heading = Some(heading.into());
        self
    }

    /// What assistive technology reads with the field: the ids of its error and its hint.
    pub fn described_by(&self) -> Option<String> {
        let name = self.name;
        let parts =
            [self.error.as_ref().map(|_| format!("{name}-error")), self.hint.as_ref().map(|_| format!("{name}-hint"))];
        let ids: Vec<_> = parts.into_iter().flatten().collect();
        (!ids.is_empty()).then(|| ids.join(" "))
    }

    /// The id of what can have the focus: the first answer of a group.
    pub fn focus_id(&self) -> String {
        match self.control {
            Control::Checks(_) | Control::Radios(_) => format!("{}-1", self.name),
            _ => self.name.to_owned(),
        }
    }
}
