//! `cargo bench --bench load`: how fast access tokens are issued, by LeadExec's refresh (wire.md A2) and by the token
//! endpoint (wire.md B), beside a bare axum server that gives a fixed answer of A2's size.
//!
//! Everything runs on this machine, load generator included, in interleaved rounds of one run, so that the
//! ratios hold on a noisy machine; the figures themselves are worth little. CPU time for each request is the
//! steadier figure. Arguments: `--seconds N` for each round, `--rounds N`, `--clients N`, `--connections N`
//! in the database. PostgreSQL takes part where `LEADGATE_BENCH_POSTGRES_URL` names an empty database.

mod client;
mod server;
mod world;

use std::rc::Rc;
use std::time::Duration;

use client::{Measured, Traffic};
use server::Server;

struct Plan {
    seconds: u64,
    rounds: usize,
    clients: usize,
    connections: usize,
}

impl Plan {
    fn of_arguments() -> Self {
        let arguments: Vec<String> = std::env::args().collect();
        let number = |name: &str, default: usize| {
            let at = arguments.iter().position(|argument| argument == name);
            at.and_then(|at| arguments.get(at + 1)).and_then(|text| text.parse().ok()).unwrap_or(default)
        };
        Self {
            seconds: number("--seconds", 5) as u64,
            rounds: number("--rounds", 3),
            clients: number("--clients", 32),
            connections: number("--connections", 100_000),
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments.get(1).map(String::as_str) == Some("--yardstick") {
        return server::run_yardstick();
    }
    // `cargo test --benches` runs this too, to see that it works: with the least of everything.
    let plan = if arguments.iter().any(|argument| argument == "--bench") {
        Plan::of_arguments()
    } else {
        Plan { seconds: 1, rounds: 1, clients: 4, connections: 100 }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(compare(&plan));
}

async fn compare(plan: &Plan) {
    println!(
        "{} rounds of {} s, {} keep-alive clients, {} connections in the database",
        plan.rounds, plan.seconds, plan.clients, plan.connections
    );
    let directory = std::env::temp_dir().join(format!("leadgate-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory for the databases");
    let sqlite = format!("sqlite://{}", directory.join("leadgate.db").display());
    let mut contestants = vec![Contestant::yardstick(plan).await];
    contestants.extend(Contestant::on("SQLite", &sqlite, plan).await);
    if let Ok(postgres) = std::env::var("LEADGATE_BENCH_POSTGRES_URL") {
        contestants.extend(Contestant::on("PostgreSQL", &postgres, plan).await);
    }
    for _ in 0..plan.rounds {
        for contestant in &mut contestants {
            contestant.run(plan).await;
        }
    }
    report(&contestants);
    drop(contestants);
    std::fs::remove_dir_all(&directory).expect("the databases are ours to remove");
}

/// One path of one server.
struct Contestant {
    name: String,
    server: Rc<Server>,
    clients: Vec<Traffic>,
    rounds: Vec<Measured>,
}

impl Contestant {
    async fn yardstick(plan: &Plan) -> Self {
        let fixed = || Traffic::Fixed(vec![client::get("/fixed")]);
        let clients = std::iter::repeat_with(fixed).take(plan.clients).collect();
        Self { name: "bare axum".into(), server: Rc::new(Server::yardstick().await), clients, rounds: Vec::new() }
    }

    /// Servers on this database, with each path that issues access tokens; LeadExec's also in the sandbox, which keeps a
    /// journal of every request.
    async fn on(kind: &str, database: &str, plan: &Plan) -> Vec<Self> {
        let traffic = world::make(database, plan.connections, plan.clients).await;
        let production = Rc::new(Server::leadgate(database, "production").await);
        let sandbox = Rc::new(Server::leadgate(database, "sandbox").await);
        let contestant = |name: String, server: &Rc<Server>, clients: Vec<Traffic>| Self {
            name,
            server: server.clone(),
            clients,
            rounds: Vec::new(),
        };
        let mut all = Vec::new();
        for (path, clients) in traffic {
            if path == "A2" {
                all.push(contestant(format!("{path} in the sandbox, {kind}"), &sandbox, clients.clone()));
            }
            all.push(contestant(format!("{path}, {kind}"), &production, clients));
        }
        all
    }

    async fn run(&mut self, plan: &Plan) {
        let before = self.server.cpu();
        let span = Duration::from_secs(plan.seconds);
        let (mut measured, clients) = client::load(self.server.address, std::mem::take(&mut self.clients), span).await;
        self.clients = clients;
        measured.cpu = self.server.cpu() - before;
        self.rounds.push(measured);
    }
}

/// Each round's figures, and the ratio to the yardstick of the same round.
fn report(contestants: &[Contestant]) {
    println!("{:<30} {:>10} {:>7} {:>12} {:>9} {:>9}", "", "req/s", "ratio", "us CPU/req", "p50 ms", "p99 ms");
    for contestant in contestants {
        for (measured, yardstick) in contestant.rounds.iter().zip(&contestants[0].rounds) {
            println!(
                "{:<30} {:>10.0} {:>7.2} {:>12.1} {:>9.2} {:>9.2}",
                contestant.name,
                measured.per_second(),
                measured.per_second() / yardstick.per_second(),
                measured.cpu.as_secs_f64() * 1e6 / measured.answers as f64,
                measured.quantile(0.50).as_secs_f64() * 1e3,
                measured.quantile(0.99).as_secs_f64() * 1e3,
            );
        }
    }
}
