//! Addresses as they are typed, one a line: each that can never match is refused with what was probably meant.

use crate::config::expected::MAX_LIST;
use crate::domain::app::App;
use crate::domain::nearest_address;
use crate::domain::origin::Origin;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::return_url::ReturnUrl;
use crate::domain::scope::{Scope, ScopeSet};
use crate::views::messages::ConsoleTexts;
use crate::views::{Choice, Form, Permission, lines};
use crate::web::extract::Pairs;
use crate::web::forms::field;

/// Longest part of a line that is repeated in an error, in characters.
const SHOWN: usize = 80;
/// Lines that errors are about at most.
const EXPLAINED: usize = 5;

/// What an address was refused for, in words, and what was probably meant.
struct Bad {
    why: String,
    nearest: Option<String>,
}

pub fn redirect_uris(name: &'static str, given: &Pairs, form: &mut Form, text: &ConsoleTexts) -> Vec<RedirectUri> {
    read(name, given, form, text, |line| {
        RedirectUri::parse(line).map_err(|error| Bad {
            why: text.address.of_redirect_uri(&error),
            nearest: nearest_address::redirect_uri(line).map(String::from),
        })
    })
}

pub fn return_urls(name: &'static str, given: &Pairs, form: &mut Form, text: &ConsoleTexts) -> Vec<ReturnUrl> {
    read(name, given, form, text, |line| {
        ReturnUrl::parse(line).map_err(|error| Bad {
            why: text.address.of_return_url(&error),
            nearest: nearest_address::return_url(line).map(String::from),
        })
    })
}

pub fn origins(name: &'static str, given: &Pairs, form: &mut Form, text: &ConsoleTexts) -> Vec<Origin> {
    read(name, given, form, text, |line| {
        Origin::parse(line).map_err(|error| Bad {
            why: text.address.of_origin(error.problem),
            nearest: nearest_address::origin(line).map(String::from),
        })
    })
}

/// The values of a field's lines, each once; what is wrong is said beside the field.
fn read<T: PartialEq>(
    name: &'static str,
    given: &Pairs,
    form: &mut Form,
    text: &ConsoleTexts,
    parse: impl Fn(&str) -> Result<T, Bad>,
) -> Vec<T> {
    let written: Vec<&str> = lines(field(given, name)).collect();
    if written.len() > MAX_LIST {
        form.refuse(name, &text.form.too_many_lines.with(&MAX_LIST.to_string()));
        return Vec::new();
    }
    let (mut values, mut bad) = (Vec::new(), Vec::new());
    for (nth, line) in written.iter().enumerate() {
        match parse(line) {
            Ok(value) if !values.contains(&value) => values.push(value),
            Ok(_) => {}
            Err(why) => bad.push(sentence(nth + 1, line, &why, text)),
        }
    }
    if !bad.is_empty() {
        form.refuse(name, &joined(bad, text));
    }
    values
}

fn sentence(nth: usize, line: &str, bad: &Bad, text: &ConsoleTexts) -> String {
    let place = text.address.line.with(&nth.to_string());
    let nearest = bad.nearest.as_ref().map(|nearest| text.address.nearest.with(nearest));
    let parts = [place, format!("`{}`.", quoted(line)), bad.why.clone(), nearest.unwrap_or_default()];
    parts.join(" ").trim_end().to_owned()
}

/// As much of a line as tells which it is. Backticks would end the code that it is shown as.
fn quoted(line: &str) -> String {
    let shown: String = line.chars().take(SHOWN).map(|c| if c == '`' { '\'' } else { c }).collect();
    if line.chars().count() > SHOWN { format!("{shown}…") } else { shown }
}

fn joined(mut bad: Vec<String>, text: &ConsoleTexts) -> String {
    let more = bad.len().saturating_sub(EXPLAINED);
    bad.truncate(EXPLAINED);
    if more > 0 {
        bad.push(text.address.more.with(&more.to_string()));
    }
    bad.join("\n")
}

/// A box for each scope of the API that the application may be offered.
pub fn scope_choices(offered: &ScopeSet, chosen: &ScopeSet, lang: crate::views::Lang) -> Vec<Choice> {
    let choice = |scope: Scope| {
        let sentence = Permission::new(lang, scope.as_str()).sentence;
        Choice::new(scope.as_str(), scope.as_str(), chosen.contains(scope)).hint(&sentence)
    };
    offered.api_only().iter().map(choice).collect()
}

/// The scopes of the API that were chosen. `None` where one is none of those.
pub fn chosen_scopes(given: &Pairs) -> Option<ScopeSet> {
    let names = given.iter().filter(|(name, _)| *name == "scopes").map(|(_, value)| value);
    names.map(|name| Scope::parse(name).ok().filter(|scope| scope.is_api())).collect()
}

/// What an application has that the console does not offer.
pub fn other_scopes(app: &App) -> impl Iterator<Item = Scope> {
    app.scopes.iter().filter(|scope| !scope.is_api())
}
