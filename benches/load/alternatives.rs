//! Other servers, from their registries, under the same load: what scripts/bench-alternatives runs.

use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::client;
use super::contest::{A2, CLIENT_CREDENTIALS, Contestant, Group, REFRESH_TOKEN};
use super::database::Database;
use super::plan::Plan;
use super::report::{Table, milliseconds, ratio, two};
use super::server::{Server, free_address};
use super::traffic::{Traffic, post};

struct Alternative {
    name: &'static str,
    /// As scripts/bench-alternatives/run knows it.
    key: &'static str,
    needs_postgres: bool,
    /// How many times as many requests Leadgate is to answer, at least; of some nothing was asked.
    goal: &'static str,
}

const ALTERNATIVES: [Alternative; 7] = [
    Alternative::new("oidc-provider, in memory", "oidc-provider-memory", "6"),
    Alternative::new("oidc-provider, SQLite", "oidc-provider-sqlite", "15"),
    Alternative::on_postgres("oidc-provider, PostgreSQL", "oidc-provider-postgres", "15"),
    Alternative::new("oauth2-mock-server", "oauth2-mock-server", "20"),
    Alternative::new("oidc-provider-mock", "oidc-provider-mock", "35"),
    Alternative::on_postgres("django-oauth-toolkit, PostgreSQL", "django-oauth-toolkit", "100"),
    Alternative::new("glewlwyd, SQLite", "glewlwyd", ""),
];
impl Alternative {
    const fn new(name: &'static str, key: &'static str, goal: &'static str) -> Self {
        Self { name, key, needs_postgres: false, goal }
    }

    const fn on_postgres(name: &'static str, key: &'static str, goal: &'static str) -> Self {
        Self { name, key, needs_postgres: true, goal }
    }

    async fn start(&self, installed: &str, plan: &Plan, directory: &Path) -> Result<Running<'_>, String> {
        let run = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/bench-alternatives/run");
        let address = free_address();
        let mut command = Command::new(run);
        command.args([self.key, &address.port().to_string()]);
        command.env("BENCH_INSTALLED", installed).env("BENCH_DIRECTORY", directory);
        let mut database = None;
        if self.needs_postgres {
            let cluster = plan.postgres.as_ref().ok_or("there is no PostgreSQL")?;
            let own = Database::postgres(cluster, &format!("bench_{}", self.key.replace('-', "_"))).await?;
            command.env("BENCH_POSTGRES_URL", &own.url);
            database = Some(own);
        }
        let server = Rc::new(Server::start(&mut command, address)?);
        let said = server.said.iter().find_map(|line| line.strip_prefix("Request ")).ok_or("it names no request")?;
        let [path, credentials, form] = said.split(' ').collect::<Vec<_>>()[..] else {
            return Err(format!("not a request: {said}"));
        };
        let request = post(path, &format!("Basic {}", STANDARD.encode(credentials)), form);
        // One that does not work is found before the rounds.
        client::ask(server.address, vec![request.clone()], "\"access_token\"")?;
        let clients = (0..plan.clients).map(|_| Traffic::fixed(vec![request.clone()], "\"access_token\"")).collect();
        // What of Leadgate does the same.
        let same = if form.contains("grant_type=refresh_token") { REFRESH_TOKEN } else { CLIENT_CREDENTIALS };
        Ok(Running { alternative: self, contestant: Contestant::new(self.name, &server, clients), same, database })
    }
}

struct Running<'a> {
    alternative: &'a Alternative,
    contestant: Contestant,
    same: &'static str,
    database: Option<Database>,
}

/// Those that run here, and why others do not.
pub struct Alternatives {
    running: Vec<Running<'static>>,
    skipped: Vec<(&'static str, String)>,
}

impl Alternatives {
    pub async fn start(plan: &Plan, directory: &Path) -> Self {
        let mut all = Self { running: Vec::new(), skipped: Vec::new() };
        let Some(installed) = &plan.alternatives else { return all };
        for alternative in &ALTERNATIVES {
            match alternative.start(installed, plan, directory).await {
                Ok(running) => all.running.push(running),
                Err(why) => all.skipped.push((alternative.name, why)),
            }
        }
        all
    }

    /// One round of each.
    pub fn round(&mut self, span: Duration, counts: bool) -> Result<(), String> {
        for Running { contestant, database, .. } in &mut self.running {
            let measured = contestant.run(span, database.as_ref())?;
            eprintln!("{} {:.0}/s", contestant.name, measured.answers.per_second());
            if counts {
                contestant.rounds.push(measured);
            }
        }
        Ok(())
    }

    /// How many times as many answers Leadgate has: of the same grant, and of LeadExec's refresh.
    pub fn table(&self, groups: &[Group]) -> String {
        let head = ["alternative", "req/s", "µs CPU, server", "µs CPU, database", "p99 ms", "goal"].map(str::to_owned);
        let times = groups.iter().flat_map(|group| {
            let kind = group.world.database.kind.name();
            [format!("times, the same grant, {kind}"), format!("times, A2, {kind}")]
        });
        let head: Vec<String> = head.into_iter().chain(times).collect();
        let mut table = Table::new(&head.iter().map(String::as_str).collect::<Vec<_>>());
        for Running { alternative, contestant, same, database } in &self.running {
            let own = [
                contestant.name.clone(),
                format!("{:.0}", contestant.per_second()),
                format!("{:.0}", contestant.median(|round| round.each(round.cpu))),
                database.as_ref().map_or(String::new(), |_| {
                    format!("{:.0}", contestant.median(|round| round.each(round.database_cpu)))
                }),
                two(contestant.median(|round| milliseconds(round.answers.quantile(0.99)))),
                alternative.goal.to_owned(),
            ];
            let times = groups.iter().flat_map(|group| {
                let times =
                    |path| group.find(path).map_or(String::new(), |our| format!("{:.1}", ratio(our, contestant)));
                [times(*same), times(A2)]
            });
            table.row(own.into_iter().chain(times));
        }
        let mut text = if self.running.is_empty() { String::new() } else { table.to_string() };
        for (name, why) in &self.skipped {
            text.push_str(&format!("\nNot measured: {name}: {why}.\n"));
        }
        text
    }

    /// Ends them, and removes their databases.
    pub async fn stop(self) -> Result<(), String> {
        for Running { contestant, database, .. } in self.running {
            drop(contestant);
            if let Some(database) = database {
                database.remove().await?;
            }
        }
        Ok(())
    }
}
