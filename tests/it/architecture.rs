//! Who may import whom: read from the `use` lines and paths of the sources, so that a forbidden arrow fails here
//! and not in a review.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room with the rooms that it may import. `main.rs` and `lib.rs` are the doors.
const MAY_IMPORT: [(&str, &[&str]); 17] = [
    ("domain", &[]),
    ("clock", &["domain"]),
    ("entropy", &["domain"]),
    ("images", &[]),
    ("telemetry", &[]),
    ("outgoing", &["domain", "telemetry"]),
    ("views", &["domain"]),
    ("config", &["domain", "crypto"]),
    ("crypto", &["domain", "entropy", "telemetry"]),
    ("store", &["domain", "telemetry"]),
    ("services", &["domain", "store", "crypto", "clock", "entropy", "config", "images", "outgoing", "telemetry"]),
    ("worker", &["domain", "store", "services", "telemetry"]),
    ("web", &["domain", "services", "views", "config", "crypto", "entropy", "socket", "store", "telemetry"]),
    ("socket", &["telemetry"]),
    ("lifecycle", &["socket", "telemetry"]),
    (
        "boot",
        &[
            "domain",
            "store",
            "crypto",
            "clock",
            "entropy",
            "config",
            "services",
            "web",
            "worker",
            "lifecycle",
            "socket",
            "outgoing",
            "telemetry",
        ],
    ),
    ("cli", &["domain", "config", "services", "boot"]),
];

/// Crates that only some rooms may name.
const ONLY_IN: [(&str, &[&str]); 21] = [
    ("sqlx", &["store"]),
    ("rusqlite", &["store"]),
    ("axum", &["web", "boot", "lifecycle", "socket"]),
    ("hyper", &["lifecycle", "socket"]),
    ("rustix", &["boot", "cli", "store"]),
    ("tokio_rustls", &["boot", "lifecycle"]),
    ("rcgen", &["boot"]),
    ("indicatif", &["cli"]),
    ("rand", &["entropy"]),
    ("askama", &["views", "web"]),
    ("argon2", &["crypto"]),
    ("image", &["images"]),
    ("reqwest", &["outgoing", "cli"]),
    ("clap", &["cli"]),
    ("metrics", &["telemetry"]),
    ("metrics_exporter_prometheus", &["telemetry"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_http", &["telemetry"]),
    ("opentelemetry_otlp", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("tracing_opentelemetry", &["telemetry"]),
];

fn sources() -> Vec<(String, PathBuf)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![src.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&src).unwrap();
                let room = inside.components().next().unwrap().as_os_str().to_string_lossy();
                found.push((room.trim_end_matches(".rs").to_owned(), path));
            }
        }
    }
    found
}

/// The code of a file: without comments, and without its tests, which may reach further.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The names that follow `prefix` in a text: `crate::{store, views::Page}` and `crate::store::Store` alike.
fn names_after(text: &str, prefix: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices(prefix) {
        if text[..at].chars().next_back().is_some_and(|c| is_name(c) || c == '$' || c == ':') {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut word = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 && (is_name(c) || c == ':') {
                    word.push(c);
                } else if depth == 0 && c == ',' {
                    names.extend(word.split("::").next().map(str::to_owned));
                    word.clear();
                }
            }
            names.extend(word.split("::").next().map(str::to_owned));
        } else {
            names.insert(rest.chars().take_while(|c| is_name(*c)).collect());
        }
    }
    names.remove("");
    names
}

#[test]
fn every_arrow_between_rooms_is_an_allowed_one() {
    let rooms: Vec<&str> = MAY_IMPORT.iter().map(|(room, _)| *room).collect();
    let mut wrong = Vec::new();
    for (room, path) in sources().into_iter().filter(|(room, _)| !["main", "lib"].contains(&room.as_str())) {
        let Some((_, allowed)) = MAY_IMPORT.iter().find(|(name, _)| *name == room) else {
            wrong.push(format!("{} is in a room that this test does not know", path.display()));
            continue;
        };
        for name in names_after(&code(&path), "crate::") {
            if name != room && rooms.contains(&name.as_str()) && !allowed.contains(&name.as_str()) {
                wrong.push(format!("{}: {room} may not import {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn web_knows_of_the_store_only_its_error() {
    for (room, path) in sources() {
        if room == "web" {
            let text = code(&path).replace("crate::store::StoreError", "");
            assert!(!text.contains("crate::store"), "{} reaches into the store", path.display());
        }
    }
}

#[test]
fn each_crate_is_named_in_its_rooms_only() {
    let mut wrong = Vec::new();
    for (room, path) in sources() {
        let text = code(&path);
        for (name, rooms) in ONLY_IN {
            let used = !names_after(&text, &format!("{name}::")).is_empty() || text.contains(&format!("use {name};"));
            if used && !rooms.contains(&room.as_str()) {
                wrong.push(format!("{} names {name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn nobody_but_the_router_and_boot_knows_the_sandbox_surface() {
    for (_, path) in sources() {
        let text = code(&path);
        let is_router = path.ends_with("web/mod.rs");
        assert!(is_router || !text.contains("web::sandbox"), "{} imports web::sandbox", path.display());
    }
}

#[test]
fn the_test_sees_what_it_looks_for() {
    let names = names_after("use crate::{a, b::{c, d}, e::F};\ncrate::g::h(); $crate::i", "crate::");
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["a", "b", "e", "g"]);
}
