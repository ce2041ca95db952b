//! `cargo bench --bench load`: how fast Leadgate's hot paths are, beside yardsticks that run on the same machine in the
//! same minutes. How to run it, and how to read it: docs/performance.md.

mod client;
mod contest;
mod database;
mod limit;
mod plan;
mod processes;
mod report;
mod server;
mod traffic;
mod world;
mod yardstick;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use contest::Group;
use database::Database;
use plan::Plan;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().map(String::as_str) == Some("--yardstick") {
        yardstick::run(&arguments[1..]);
        return ExitCode::SUCCESS;
    }
    // `cargo test --benches` runs this too, to see that it works.
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let plan = if is_bench { Plan::of_arguments(&arguments) } else { Plan::least() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let directory = std::env::temp_dir().join(format!("leadgate-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory for the databases");
    let outcome = runtime.block_on(run(&plan, &directory));
    std::fs::remove_dir_all(&directory).expect("the databases are ours to remove");
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("load: {why}");
            ExitCode::FAILURE
        }
    }
}

async fn run(plan: &Plan, directory: &Path) -> Result<(), String> {
    eprintln!(
        "{} rounds of {} s, {} keep-alive clients, {} connections in the database",
        plan.rounds,
        plan.span.as_secs(),
        plan.clients,
        plan.connections
    );
    let mut groups = vec![Group::on(Database::sqlite(directory, "leadgate"), plan, directory).await?];
    if let Some(cluster) = &plan.postgres {
        let database = Database::postgres(cluster, "leadgate_bench").await?;
        groups.push(Group::on(database, plan, directory).await?);
    }
    for group in &mut groups {
        group.round(plan.span.min(Duration::from_secs(1)), false).await?;
    }
    for _ in 0..plan.rounds {
        for group in &mut groups {
            group.round(plan.span, true).await?;
            eprintln!("{}", report::progress(group));
        }
    }
    for group in &groups {
        println!("{}", report::paths(group));
    }
    println!("{}", report::limits(&groups));
    println!("{}", report::memory(&groups));
    Ok(())
}
