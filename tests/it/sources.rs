//! What the sources hold, and what they are built with: no secret, no dependency that nobody meant, and a threat model whose
//! tests are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Where sources lie. What a server or a build leaves beside them is none.
const FOLDERS: [&str; 12] = [
    ".cargo",
    ".ci",
    ".config",
    "benches",
    "docs",
    "fuzz",
    "migrations",
    "scripts",
    "src",
    "static",
    "templates",
    "tests",
];
const LEFT_BEHIND: [&str; 6] = ["artifacts", "corpus", "node_modules", "target", "__pycache__", ".venv"];

/// Every source that is text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut waiting: Vec<PathBuf> = FOLDERS.iter().map(|folder| root().join(folder)).collect();
    let own = ["leadgate.toml", "seed.toml"];
    let mut files: Vec<PathBuf> = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file() && !own.iter().any(|name| path.ends_with(name)));
    while let Some(folder) = waiting.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for path in entries.map(|entry| entry.unwrap().path()) {
            if path.is_file() {
                files.push(path);
            } else if !LEFT_BEHIND.iter().any(|name| path.ends_with(name)) {
                waiting.push(path);
            }
        }
    }
    assert!(files.len() > 500, "{}", files.len());
    files.into_iter().filter_map(|path| Some((path.clone(), fs::read_to_string(path).ok()?))).collect()
}

/// How a key in PEM begins.
fn begin() -> String {
    format!("-----{} ", "BEGIN")
}

/// What a text holds that begins like one of these and goes on with so many characters of base64.
fn secrets_in(text: &str) -> Vec<String> {
    // Not written whole: this file is searched, too.
    let begin = begin();
    let mut found: Vec<String> = Vec::new();
    let is_key = |line: &str| line.find(&begin).is_some_and(|at| line[at..].contains("PRIVATE KEY-----"));
    found.extend(text.lines().filter(|line| is_key(line)).map(str::to_owned));
    let mut prefixes: Vec<(String, usize)> =
        ["r", "f", "a", "c", "s", "n", "h", "b", "v", "o", "p", "d", "i", "m", "x"]
            .map(|kind| (format!("lg{kind}_"), 40))
            .to_vec();
    let others = [("AKI", "A", 16), ("gh", "p_", 30), ("github", "_pat_", 30), ("xox", "b-", 20), ("whs", "ec_", 24)];
    prefixes.extend(others.map(|(one, other, length)| (format!("{one}{other}"), length)));
    for (prefix, length) in prefixes {
        for (at, _) in text.match_indices(&prefix) {
            let is_part = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+' | '/');
            let rest: String = text[at + prefix.len()..].chars().take_while(is_part).collect();
            // One letter again and again is an example's.
            let letters: BTreeSet<char> = rest.chars().collect();
            if rest.len() >= length && letters.len() > 8 {
                found.push(format!("{prefix}{rest}"));
            }
        }
    }
    found
}

/// The examples of Standard Webhooks and of its libraries.
const PUBLISHED: [&str; 2] = ["MfKQ9r8GKYqrTwjUPD8ILPZIo2", "C2FVsBQIhrscChlQIMV"];

/// R16: no private key and no token is in a file; the keys of the tests are made when they run.
#[test]
fn r16_no_secret_is_in_the_sources() {
    let sample = format!("x = \"lgr{}0123456789abcdefghijklmnopqrstuvwxyzABCD\"", '_');
    assert_eq!(secrets_in(&sample).len(), 1, "it would be seen");
    let sample = format!("{}EC PRIVATE KEY-----", begin());
    assert_eq!(secrets_in(&sample).len(), 1);
    let mut found = Vec::new();
    for (path, text) in sources() {
        let secrets =
            secrets_in(&text).into_iter().filter(|secret| !PUBLISHED.iter().any(|known| secret.contains(known)));
        found.extend(secrets.map(|secret| format!("{}: {}…", path.display(), &secret[..secret.len().min(12)])));
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// R16: the image is built of what the build reads, and of nothing that a developer's machine may have beside it.
#[test]
fn r16_nothing_else_goes_into_the_image() {
    let ignored = read(".dockerignore");
    let lines: Vec<&str> = ignored.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let sources = ["!Cargo.toml", "!.cargo", "!Cargo.lock", "!src", "!migrations", "!templates", "!static"];
    let pages = ["!docs", "!README.md", "!CHANGELOG.md", "!CONTRIBUTING.md", "!SECURITY.md", "!LICENSE"];
    assert_eq!(lines, [&["*"][..], &sources, &pages].concat());
    let image = read("Dockerfile");
    let last = image.rsplit_once("\nFROM scratch\n").unwrap().1;
    assert!(last.contains("\nUSER 65532:65532\n"), "{last}");
}

fn strings<'t>(table: &'t toml::Table, section: &str, key: &str) -> Vec<&'t str> {
    let list = table[section][key].as_array().unwrap().iter();
    list.map(|entry| entry.as_str().or_else(|| entry.get("crate")?.as_str()).unwrap()).collect()
}

/// R16: what cargo-deny looks at, without it: registry and bans.
#[test]
fn r16_dependencies_come_from_one_registry_and_none_is_banned() {
    let deny: toml::Table = read("deny.toml").parse().unwrap();
    let banned = strings(&deny, "bans", "deny");
    assert!(banned.contains(&"ring"), "{banned:?}");
    let linked = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--offline", "--edges", "normal,build,dev", "--target", "x86_64-unknown-linux-gnu"])
        .args(["--prefix", "none", "--format", "{p}"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(linked.status.success(), "{}", String::from_utf8_lossy(&linked.stderr));
    let linked = String::from_utf8(linked.stdout).unwrap();
    let names: BTreeSet<&str> = linked.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains("aws-lc-rs"));
    let found: Vec<_> = banned.iter().filter(|name| names.contains(*name)).collect();
    assert!(found.is_empty(), "{found:?}");
    let lock: toml::Table = read("Cargo.lock").parse().unwrap();
    for package in lock["package"].as_array().unwrap() {
        let (name, source) = (package["name"].as_str().unwrap(), package.get("source"));
        if name == "leadgate" {
            continue;
        }
        let source = source.and_then(toml::Value::as_str);
        assert_eq!(source, Some("registry+https://github.com/rust-lang/crates.io-index"), "{name}");
        assert!(package.get("checksum").is_some(), "{name}");
    }
}

/// Whether one of the ways that an SPDX expression leaves is made of allowed licences alone.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    fn any(tokens: &mut Vec<String>, allowed: &[&str]) -> bool {
        let mut result = all(tokens, allowed);
        while tokens.last().is_some_and(|token| token == "OR") {
            tokens.pop();
            result |= all(tokens, allowed);
        }
        result
    }
    fn all(tokens: &mut Vec<String>, allowed: &[&str]) -> bool {
        let mut result = one(tokens, allowed);
        while tokens.last().is_some_and(|token| token == "AND") {
            tokens.pop();
            result &= one(tokens, allowed);
        }
        result
    }
    fn one(tokens: &mut Vec<String>, allowed: &[&str]) -> bool {
        match tokens.pop().as_deref() {
            Some("(") => {
                let result = any(tokens, allowed);
                tokens.pop();
                result
            }
            Some(licence) if tokens.last().is_some_and(|token| token == "WITH") => {
                tokens.pop();
                let exception = tokens.pop().unwrap();
                allowed.contains(&format!("{licence} WITH {exception}").as_str())
            }
            Some(licence) => allowed.contains(&licence),
            None => false,
        }
    }
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut tokens: Vec<String> = spaced.split_whitespace().rev().map(str::to_owned).collect();
    any(&mut tokens, allowed) && tokens.is_empty()
}

/// R16: what cargo-deny looks at, without it: licences.
#[test]
fn r16_every_licence_is_an_allowed_one() {
    let deny: toml::Table = read("deny.toml").parse().unwrap();
    let allowed = strings(&deny, "licenses", "allow");
    assert!(is_allowed("MIT/GPL-3.0", &allowed) && is_allowed("(GPL-3.0 OR ISC) AND MIT", &allowed));
    assert!(!is_allowed("MIT AND GPL-3.0", &allowed) && !is_allowed("Apache-2.0 WITH Other-exception", &allowed));
    let ran = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let metadata: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    let wrong: Vec<_> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(|licence| is_allowed(licence, &allowed)))
        .map(|package| format!("{}: {}", package["name"], package["license"]))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What stands in backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// Each threat names tests, and they are there.
#[test]
fn the_threat_model_names_tests_that_are_there() {
    let page = read("docs/threat-model.md");
    let tests: Vec<String> = sources()
        .into_iter()
        .filter(|(path, _)| {
            let is_test = path.starts_with(root().join("src")) || path.starts_with(root().join("tests"));
            is_test && path.extension().is_some_and(|ending| ending == "rs" || ending == "mjs")
        })
        .map(|(_, text)| text)
        .collect();
    let is_there = |name: &str| {
        let function = [format!("fn {name}("), format!("fn {name}<")];
        let title = ["'", "\"", "`"].map(|quote| format!("test({quote}{name}{quote}"));
        tests.iter().any(|text| function.iter().chain(&title).any(|found| text.contains(found.as_str())))
    };
    assert!(!is_there("no_such_test_as_this_one"));
    let is_id = |id: &str| id.starts_with(|c: char| c.is_ascii_uppercase()) && id[1..].parse::<u32>().is_ok();
    let (mut seen, mut missing) = (BTreeSet::new(), Vec::new());
    for row in page.lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        if !is_id(cells[0]) {
            continue;
        }
        assert_eq!(cells.len(), 4, "a threat, its defence and its tests: {row}");
        assert!(seen.insert(cells[0]), "{} comes twice", cells[0]);
        let mut names = quoted(cells[3]).peekable();
        assert!(names.peek().is_some(), "{} has no test", cells[0]);
        missing.extend(names.filter(|name| !is_there(name)).map(|name| format!("{}: {name}", cells[0])));
    }
    assert!(seen.len() > 40, "{seen:?}");
    assert!(missing.is_empty(), "not among the tests: {missing:#?}");
}
