//! What operators are handed: the dashboard, the alert rules and the table of metrics speak of what the program exports.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use leadgate::telemetry::{ALL, Described, Kind, PROCESS};
use serde_json::Value;

use super::scraped::Scraped;
use crate::support::program::Directory;

const APP: &str = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001";
const TOKEN: &str = "lgx_the-token-of-the-documents-tests";

fn read(path: &str) -> String {
    let whole = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&whole).unwrap_or_else(|why| panic!("{whole}: {why}"))
}

fn of_name(name: &str) -> Option<&'static Described> {
    ALL.iter().chain(PROCESS).find(|metric| {
        let part = name.strip_prefix(metric.name);
        part.is_some_and(|rest| {
            rest.is_empty() || metric.kind == Kind::Histogram && ["_bucket", "_sum", "_count"].contains(&rest)
        })
    })
}

/// Metrics that expressions name, each with the labels that it is chosen by.
fn named(text: &str) -> Vec<(String, Vec<String>)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for prefix in ["leadgate_", "process_"] {
        for (at, _) in text.match_indices(prefix) {
            if text[..at].chars().next_back().is_some_and(is_name) {
                continue;
            }
            let name: String = text[at..].chars().take_while(|c| is_name(*c)).collect();
            let rest = &text[at + name.len()..];
            let chosen = rest.strip_prefix('{').and_then(|rest| rest.split('}').next()).unwrap_or_default();
            let labels = chosen.split(',').filter_map(|pair| pair.split(['=', '!']).next());
            let labels = labels.map(|label| label.trim().to_owned()).filter(|label| !label.is_empty());
            found.push((name, labels.collect()));
        }
    }
    found
}

/// Labels with the values that expressions choose by; what Grafana or Prometheus itself fills in is left out.
fn chosen(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for operator in ["=\"", "=~\""] {
        for (at, _) in text.match_indices(operator) {
            let label = text[..at].rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
            let values = text[at + operator.len()..].split('"').next().unwrap_or_default();
            let values = if operator.contains('~') { values.split('|').collect() } else { vec![values] };
            let ours = values.into_iter().filter(|value| !value.starts_with('$') && label != "job");
            found.extend(ours.map(|value| (label.to_owned(), value.to_owned())));
        }
    }
    found
}

/// Every text below `expr` or `query`.
fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if ["expr", "query", "definition"].contains(&name.as_str()) => {
                        found.push(text.clone());
                    }
                    member => expressions(member, found),
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| expressions(element, found)),
        _ => {}
    }
}

/// A server that was asked for this and that.
fn scraped() -> Scraped {
    let directory = Directory::new();
    let server = directory.serve(&["--sandbox-token", TOKEN]);
    let connected = server.authorize(TOKEN, "ada@acme.test", "btn-demonstration").unwrap().json();
    let refresh = connected["refreshToken"].as_str().unwrap();
    for app in [APP, "other"] {
        assert_eq!(server.get(&format!("/authorize/refreshaccesstoken/{refresh}?appid={app}")).status, 200);
    }
    Scraped(server.get("/metrics").body)
}

fn assert_exported(what: &str, text: &str, scraped: &Scraped) {
    let types = scraped.types();
    let names = named(text);
    assert!(names.len() > 10, "{what} names {}", names.len());
    for (name, labels) in names {
        let metric = of_name(&name).unwrap_or_else(|| panic!("{what}: there is no metric {name}"));
        assert!(types.contains_key(metric.name), "{what}: {name} is not exported");
        for label in labels {
            let is_known = ["job", "instance", "le"].contains(&label.as_str()) || metric.labels.contains(&&*label);
            assert!(is_known, "{what}: {name} has no label {label}");
        }
    }
    let values = chosen(text);
    assert!(!values.is_empty(), "{what} chooses by no value");
    for (label, value) in values {
        // Nothing fails here.
        let is_status = (label.as_str(), value.as_str()) == ("status", "5xx");
        let is_known = ["{", ","].iter().any(|before| scraped.0.contains(&format!("{before}{label}=\"{value}\"")));
        assert!(is_known || is_status, "{what}: there is no {label}=\"{value}\"");
    }
}

#[test]
fn part_g_the_dashboard_and_the_alerts_name_what_the_program_exports() {
    let scraped = scraped();
    let dashboard: Value = serde_json::from_str(&read("deploy/grafana/leadgate.json")).unwrap();
    let mut found = Vec::new();
    expressions(&dashboard, &mut found);
    assert_exported("the dashboard", &found.join("\n"), &scraped);
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<i64> = panels.iter().filter_map(|panel| panel["id"].as_i64()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has an id of its own");
    assert_exported("the alerts", &read("deploy/prometheus/alerts.yaml"), &scraped);
}

/// Whoever is woken finds what to do.
#[test]
fn part_g_each_alert_has_its_paragraph() {
    let (rules, page) = (read("deploy/prometheus/alerts.yaml"), read("docs/operations.md"));
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() >= 8, "{alerts:?}");
    let told: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("### Leadgate")).collect();
    assert_eq!(told, alerts.iter().map(|name| name.strip_prefix("Leadgate").unwrap()).collect::<Vec<_>>());
    for name in alerts {
        let address = format!("docs/operations.md#{}", name.to_ascii_lowercase());
        assert!(rules.contains(&address), "{name} does not say where to read");
    }
}

fn table() -> String {
    let mut text = "| metric | type | labels | tells |\n| --- | --- | --- | --- |\n".to_owned();
    for metric in ALL.iter().chain(PROCESS) {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} |",
            metric.name,
            metric.kind.as_str(),
            labels.join(", "),
            metric.help
        );
    }
    text
}

/// `LEADGATE_WRITE_METRICS_TABLE=1` writes it.
#[test]
fn part_g_the_table_of_metrics_is_the_programs_own() {
    let page = read("docs/operations.md");
    let begin = page.find("| metric | type |").expect("the table's head");
    let end = begin + page[begin..].find("\n\n").expect("what follows it") + 1;
    if std::env::var_os("LEADGATE_WRITE_METRICS_TABLE").is_some() {
        let written = format!("{}{}{}", &page[..begin], table(), &page[end..]);
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/operations.md"), written).unwrap();
        return;
    }
    assert_eq!(&page[begin..end], table(), "LEADGATE_WRITE_METRICS_TABLE=1 writes it");
}
