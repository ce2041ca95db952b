//! The commented files that `leadgate init` writes.

/// `leadgate.toml`.
pub const SETTINGS: &str = include_str!("example/leadgate.toml");

/// `seed.toml`.
pub const SEED: &str = include_str!("example/seed.toml");

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::seed::SeedFile;
    use crate::config::{Flags, Settings};

    /// Takes the comment sign from lines that show a key or a table.
    fn uncommented(text: &str) -> String {
        let shown =
            |line: &str| line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
        text.lines()
            .map(|line| line.strip_prefix('#').filter(|rest| shown(rest)).unwrap_or(line))
            .filter(|line| !line.contains("= \"…\""))
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn settings(text: &str) -> Settings {
        Settings::load(&Flags::default(), [], Some((Path::new("leadgate.toml"), text))).unwrap()
    }

    #[test]
    fn both_files_are_valid_as_written_and_with_every_line_in_force() {
        let seed = |text: &str| SeedFile::parse(Path::new("seed.toml"), text).unwrap();
        assert!(seed(SEED).lead_types.is_empty());
        let whole = seed(&uncommented(SEED));
        assert_eq!((whole.sources.len(), whole.campaigns.len()), (1, 1));
        assert_eq!((whole.lead_types.len(), whole.accounts[0].api_keys.as_ref().unwrap().len()), (1, 1));
        assert_eq!(settings(SETTINGS).seed.as_deref(), Some(Path::new("seed.toml")));
    }

    #[test]
    fn what_is_commented_out_is_the_default() {
        // Secrets, files that hold them and the metrics' own listener have no default, and the limits that are shown are those of production mode.
        let is_default = |line: &&str| {
            !["sandbox_token", "master_key", "database_url_file", "metrics_listen"]
                .iter()
                .any(|key| line.starts_with(key))
                && !line.contains("_per_minute")
        };
        let whole = uncommented(SETTINGS);
        let shown = settings(&whole.lines().filter(is_default).collect::<Vec<_>>().join("\n"));
        let default = settings(SETTINGS);
        assert_eq!(
            format!("{shown:?}").replace("issuer_is_default: false", ""),
            format!("{default:?}").replace("issuer_is_default: true", "")
        );
    }
}
