//! `cargo bench --bench load`: how fast Leadgate's hot paths are, beside yardsticks that run on the same machine in the
//! same minutes. How to run it, and how to read it: docs/performance.md.

mod alternatives;
mod client;
mod contest;
mod database;
mod limit;
mod page;
mod plan;
mod processes;
mod report;
mod scale;
mod server;
mod starts;
mod traffic;
mod world;
mod yardstick;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, UNIX_EPOCH};

use alternatives::Alternatives;
use clap::Parser as _;
use contest::Group;
use database::Database;
use leadgate::domain::timestamp::Timestamp;
use plan::Plan;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().map(String::as_str) == Some("--yardstick") {
        yardstick::run(&arguments[1..]);
        return ExitCode::SUCCESS;
    }
    // `cargo test --benches` runs this too, to see that it works.
    let is_bench = arguments.iter().any(|argument| argument == "--bench");
    let plan = if is_bench { Plan::parse() } else { Plan::least() };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let directory = plan.directory.join(format!("leadgate-bench-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory for the databases");
    // Servers are started in it.
    let directory = directory.canonicalize().expect("it was made");
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
    let mut sections = vec![about(plan)];
    let mut tell = |title: &str, text: String| {
        if !text.is_empty() {
            println!("{title}\n\n{text}");
            sections.push(format!("### {title}\n\n{}", text.trim_end()));
        }
    };
    // First, on a machine that does nothing else.
    if plan.with_starts {
        tell("Starts and resets", starts::measure(directory)?);
    }
    let (groups, alternatives) = rounds(plan, directory).await?;
    tell("Goals", report::goals(&groups));
    for group in &groups {
        tell(&format!("On {}", group.world.database.kind.name()), report::paths(group));
    }
    tell("The database's own limit", report::limits(&groups));
    tell("Memory", report::memory(&groups));
    tell("Other servers", alternatives.table(&groups));
    alternatives.stop().await?;
    for group in groups {
        group.remove().await?;
    }
    if plan.with_scale {
        tell("Many connections", scale::measure(plan.scale_connections, plan, directory).await?);
    }
    plan.page.as_ref().map_or(Ok(()), |page| page::write(page, &sections.join("\n\n")))
}

/// Everybody in turn, as often as was asked for.
async fn rounds(plan: &Plan, directory: &Path) -> Result<(Vec<Group>, Alternatives), String> {
    let mut groups = vec![Group::on(Database::sqlite(directory, "leadgate"), plan, directory).await?];
    if let Some(cluster) = &plan.postgres {
        let database = Database::postgres(cluster, "leadgate_bench").await?;
        groups.push(Group::on(database, plan, directory).await?);
    }
    let mut alternatives = Alternatives::start(plan, directory).await;
    for round in 0..=plan.rounds {
        // The first does not count: it fills caches, and lets compilers work that do so while their program runs.
        let span = if round == 0 { plan.span.min(Duration::from_secs(2)) } else { plan.span };
        for group in &mut groups {
            group.round(span, round > 0).await?;
            eprintln!("{}", report::progress(group));
        }
        alternatives.round(span, round > 0)?;
    }
    Ok((groups, alternatives))
}

fn about(plan: &Plan) -> String {
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name =
        processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let today = Timestamp::from_unix_seconds(UNIX_EPOCH.elapsed().map_or(0, |now| now.as_secs().cast_signed()));
    let about = format!(
        "{}: {} rounds of {} s, {} keep-alive clients, {} connections in the database; {} cores ({}), load included.",
        &today.to_rfc3339()[..10],
        plan.rounds,
        plan.span.as_secs(),
        plan.clients,
        plan.connections,
        std::thread::available_parallelism().map_or(0, std::num::NonZero::get),
        name.unwrap_or("of a kind that it does not tell"),
    );
    println!("{about}\n");
    about
}
