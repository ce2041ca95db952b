//! Metrics as Prometheus reads them.

use std::collections::BTreeMap;

use crate::support::World;

/// A scrape, by the names of the samples.
pub struct Scraped(pub String);

/// The labels of a sample and its value.
pub type Sample = (BTreeMap<String, String>, f64);

impl Scraped {
    pub async fn of(world: &World) -> Self {
        let answer = world.get("/metrics").await.expect(200);
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        Self(answer.text().to_owned())
    }

    /// Samples, by their names: of a histogram with `_bucket`, `_sum` and `_count`.
    pub fn samples(&self) -> Vec<(String, Sample)> {
        let lines = self.0.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines
            .map(|line| {
                let (sample, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
                let value = value.parse().unwrap_or_else(|why| panic!("{line}: {why}"));
                let (name, labels) = sample.split_once('{').unwrap_or((sample, "}"));
                let labels = labels.strip_suffix('}').unwrap_or_else(|| panic!("{line}"));
                let pairs = labels.split("\",").filter(|pair| !pair.is_empty()).map(|pair| {
                    let (label, value) = pair.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
                    (label.to_owned(), value.trim_end_matches('"').to_owned())
                });
                (name.to_owned(), (pairs.collect(), value))
            })
            .collect()
    }

    /// The sum of the samples of this name that have these labels.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |sample: &BTreeMap<String, String>| {
            labels.iter().all(|(label, value)| sample.get(*label).is_some_and(|found| found == value))
        };
        let samples = self.samples();
        samples.iter().filter(|(known, (sample, _))| known == name && has(sample)).map(|(_, (_, value))| value).sum()
    }

    /// The types that are told, by the metrics' names.
    pub fn types(&self) -> BTreeMap<&str, &str> {
        self.0.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).collect()
    }
}
