//! How long a start takes, and a reset: what every CI job waits for.

use std::path::Path;

use super::client;
use super::database::Database;
use super::report::{Table, median, milliseconds};
use super::server::{SANDBOX_TOKEN, Server};
use super::traffic::post_with;

const STARTS: usize = 9;
const RESETS: usize = 50;

/// A sandbox on an SQLite file: as `leadgate` starts where nothing is said.
pub fn measure(directory: &Path) -> Result<String, String> {
    let mut empty = Vec::new();
    let mut migrated = Vec::new();
    for start in 0..STARTS {
        let database = Database::sqlite(directory, &format!("start-{start}"));
        empty.push(milliseconds(Server::demonstration(&database.url, directory)?.ready_after));
        migrated.push(milliseconds(Server::demonstration(&database.url, directory)?.ready_after));
    }
    let server = Server::demonstration(&Database::sqlite(directory, "reset").url, directory)?;
    let reset = post_with("/_sandbox/reset", SANDBOX_TOKEN);
    let resets = client::ask(server.address, vec![reset; RESETS], "\"reset\":true")?;
    let resets = resets.iter().map(|(_, elapsed)| milliseconds(*elapsed));
    let mut table = Table::new(&["sandbox on SQLite", "ms", "goal"]);
    let mut row = |name: &str, figure: f64, goal: &str| table.row([name.into(), format!("{figure:.1}"), goal.into()]);
    row("start to ready, migrated database", median(migrated), "50");
    row("start to ready, empty database: the demonstration is made", median(empty), "250");
    row("reset of the demonstration", median(resets), "20");
    Ok(table.to_string())
}
