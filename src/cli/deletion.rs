//! Deleting what other things hang on: what ends with it is told first.

use clap::Args;
use serde_json::{Map, Value, json};

use super::error::CliError;
use super::output;

#[derive(Debug, Args)]
pub struct DryRunArgs {
    /// Tell what would end, and delete nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// What is to be deleted, and how many of which kinds of things end with it.
pub struct Deletion<'a> {
    pub kind: &'static str,
    pub id: &'a str,
    pub ends: Vec<(&'static str, usize)>,
    /// What stays, but not as it was.
    pub left: Option<(&'static str, usize)>,
    pub is_dry_run: bool,
    pub json: bool,
}

impl Deletion<'_> {
    /// Tells what will end. `false`: nothing is to be deleted.
    pub fn announce(&self) -> Result<bool, CliError> {
        if !self.json {
            let told = |(what, count): &(&str, usize)| format!("{}: {count}", what.replace('_', " "));
            let ends: Vec<String> = self.ends.iter().map(told).collect();
            output::line(&format!("with the {} {} end {}", self.kind, self.id, ends.join(", ")))?;
            if let Some(left) = &self.left {
                output::line(&format!("left are {}", told(left)))?;
            }
        } else if self.is_dry_run {
            output::json(&self.told("would_delete"))?;
        }
        Ok(!self.is_dry_run)
    }

    /// Tells that it is done.
    pub fn report(&self) -> Result<(), CliError> {
        if self.json { output::json(&self.told("deleted")) } else { output::deleted(self.kind, self.id, false) }
    }

    fn told(&self, verb: &str) -> Value {
        let counts = |of: &[(&str, usize)]| -> Map<String, Value> {
            of.iter().map(|(what, count)| ((*what).to_owned(), json!(count))).collect()
        };
        let mut told = json!({ verb: self.id, "ends": counts(&self.ends) });
        if let Some(left) = self.left {
            told["leaves"] = counts(&[left]).into();
        }
        told
    }
}
