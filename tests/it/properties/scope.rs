//! The scope of a request.

use leadgate::domain::scope::{MAX_REQUESTED, RequestedScopeError, Scope, ScopeSet};
use proptest::char::range;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::holds;

fn scopes() -> impl Strategy<Value = Vec<Scope>> {
    vec(select(&Scope::ALL[..]), 1..10)
}

/// A character that no scope may have (RFC 6749 section 3.3).
fn outside() -> impl Strategy<Value = char> {
    prop_oneof![Just('"'), Just('\\'), range('\0', '\u{1f}'), range('\u{7f}', char::MAX)]
}

proptest! {
    #[test]
    fn b11_a_list_of_names_is_its_set(scopes in scopes(), before in " {0,2}", gaps in vec(" {1,3}", 10)) {
        let list = scopes.iter().zip(&gaps).map(|(scope, gap)| format!("{scope}{gap}"));
        let text = before + &list.collect::<String>();
        prop_assert_eq!(ScopeSet::requested(&text), Ok(scopes.into_iter().collect()));
    }

    #[test]
    fn b11_a_character_outside_the_grammar_spoils_all(scopes in scopes(), at: usize, outside in outside()) {
        let mut text = scopes.into_iter().collect::<ScopeSet>().to_string();
        text.insert(at % (text.len() + 1), outside);
        prop_assert_eq!(ScopeSet::requested(&text), Err(RequestedScopeError::Malformed));
    }

    #[test]
    fn any_text_is_taken_or_refused(text: String, printable in "[ -~]{0,40}", long in "(openid ){150,160}") {
        holds::of_scope(&text);
        holds::of_scope(&printable);
        prop_assert!(long.len() > MAX_REQUESTED);
        prop_assert_eq!(ScopeSet::requested(&long), Err(RequestedScopeError::TooLong));
    }
}
