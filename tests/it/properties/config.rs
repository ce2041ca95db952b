//! The files that an operator writes, and the environment.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::files;

const SEED: &str = include_str!("../../../fuzz/seeds/seed/example");
const SETTINGS: &str = include_str!("../../../fuzz/seeds/settings/whole");

/// A good file with pieces put into it, which may be nonsense.
fn damaged(good: &'static str) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        select(vec![
            "", "\"", "=", "[", "]]", "\n", "#", "'''", "é", "\0", "1e999", "0x", "[apps]\n", "\\u{0}", "= 7\n"
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    vec((any::<Index>(), 0..6_usize, piece), 1..5).prop_map(move |changes| {
        let mut text: Vec<char> = good.chars().collect();
        for (at, gone, piece) in changes {
            let at = at.index(text.len());
            let end = (at + gone).min(text.len());
            text.splice(at..end, piece.chars());
        }
        text.into_iter().collect()
    })
}

proptest! {
    #[test]
    fn any_seed_file_is_taken_or_refused_with_its_faults(text: String, near in damaged(SEED)) {
        files::of_seed(&text);
        files::of_seed(&near);
    }

    #[test]
    fn any_settings_are_taken_or_refused_with_their_faults(
        text: String, near in damaged(SETTINGS),
        environment in vec((select(vec!["LISTEN", "ISSUER", "MODE", "MASTER_KEY", "DATABASE_URL", "LOG_LEVEL", "X"]), "[ -~]{0,20}"), 0..5),
    ) {
        let environment: Vec<String> =
            environment.into_iter().map(|(name, value)| format!("LEADGATE_{name}={value}")).collect();
        files::of_settings(&text, &environment.join("\n"));
        files::of_settings(near.split("\n---\n").next().unwrap(), &environment.join("\n"));
    }
}

#[test]
fn what_is_good_is_taken() {
    use leadgate::config::seed::SeedFile;
    assert!(SeedFile::parse("seed.toml".as_ref(), SEED).is_ok());
    files::of_settings(SETTINGS.split("\n---\n").next().unwrap(), "");
}
