//! Whether throughput depends on how many connections there are.

use std::path::Path;
use std::rc::Rc;

use super::contest::Contestant;
use super::database::Database;
use super::plan::Plan;
use super::report::{Table, ratio, two};
use super::server::Server;
use super::world::World;

const FEW: u64 = 1_000;

/// A2 with few and with very many connections in the database, in interleaved rounds.
pub async fn measure(many: u64, plan: &Plan, directory: &Path) -> Result<String, String> {
    let mut table = Table::new(&["A2", "with 1,000: req/s", "with many: req/s", "ratio", "µs CPU, few", "many"]);
    for is_sqlite in [true, false] {
        let mut contestants = Vec::new();
        for (name, connections) in [("few", FEW), ("many", many)] {
            let database = match &plan.postgres {
                _ if is_sqlite => Database::sqlite(directory, &format!("scale-{name}")),
                Some(cluster) => Database::postgres(cluster, &format!("leadgate_bench_{name}")).await?,
                None => continue,
            };
            let world = World::make(database, connections, plan.clients).await?;
            let server = Rc::new(Server::leadgate(&world.database.url, "production", directory)?);
            contestants.push((Contestant::new(name, &server, world.refreshes()), world));
        }
        for round in 0..=plan.rounds {
            for (contestant, world) in &mut contestants {
                let measured = contestant.run(plan.span, Some(&world.database))?;
                // The first fills caches.
                if round > 0 {
                    contestant.rounds.push(measured);
                }
            }
        }
        let [(few, world), (many, _)] = &contestants[..] else { continue };
        let cpu = |contestant: &Contestant| {
            format!("{:.1}", contestant.median(|round| round.each(round.cpu + round.database_cpu)))
        };
        table.row([
            world.database.kind.name().to_owned(),
            format!("{:.0}", few.per_second()),
            format!("{:.0}", many.per_second()),
            two(ratio(many, few)),
            cpu(few),
            cpu(many),
        ]);
        remove(contestants).await?;
    }
    Ok(format!(
        "Many: {many} connections in the database, each of a user of its own. The goal of the ratio is 0.8.\n\n{table}"
    ))
}

/// Gigabytes, which the next database may need.
async fn remove(contestants: Vec<(Contestant, World)>) -> Result<(), String> {
    for (contestant, world) in contestants {
        drop(contestant);
        world.database.remove().await?;
    }
    Ok(())
}
