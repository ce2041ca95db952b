//! Who is measured, and the rounds.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use super::client::{self, Answers};
use super::database::Database;
use super::limit::Limit;
use super::plan::Plan;
use super::server::Server;
use super::traffic::{Traffic, get};
use super::world::World;

/// What one round gave.
pub struct Measured {
    pub answers: Answers,
    /// CPU time of the server, and of the database's own processes.
    pub cpu: Duration,
    pub database_cpu: Duration,
}

impl Measured {
    /// Microseconds of `cpu` for each answer.
    pub fn each(&self, cpu: Duration) -> f64 {
        cpu.as_secs_f64() * 1e6 / self.answers.count() as f64
    }
}

/// One path of one server.
pub struct Contestant {
    pub name: String,
    pub server: Rc<Server>,
    clients: Clients,
    pub rounds: Vec<Measured>,
}

pub enum Clients {
    /// The same in every round.
    Kept(Vec<Traffic>),
    /// End connections, which are made before each round: as many as a round at this rate ends.
    Disconnect { per_second: f64 },
}

/// Connections ended in a second, before the first round has told.
const FIRST_GUESS: f64 = 10_000.0;
/// Connections made for a round, however slow the one before was.
const LEAST: u64 = 1_000;

impl Contestant {
    pub fn new(name: impl Into<String>, server: &Rc<Server>, clients: Vec<Traffic>) -> Self {
        Self { name: name.into(), server: server.clone(), clients: Clients::Kept(clients), rounds: Vec::new() }
    }

    /// One round; the figures are the caller's to keep. `database` is the one whose own processes work for it.
    pub fn run(&mut self, span: Duration, database: Option<&Database>) -> Result<Measured, String> {
        let Clients::Kept(clients) = &mut self.clients else { return Err("there is nothing to disconnect".into()) };
        measure(&self.name, &self.server, clients, database, span)
    }

    async fn run_in(&mut self, span: Duration, world: &mut World) -> Result<Measured, String> {
        let Clients::Disconnect { per_second } = &mut self.clients else {
            return self.run(span, Some(&world.database));
        };
        let enough = (*per_second * 1.5 * span.as_secs_f64()) as u64;
        let mut clients = world.disconnects(enough.max(LEAST)).await?;
        let measured = measure(&self.name, &self.server, &mut clients, Some(&world.database), span)?;
        *per_second = measured.answers.per_second();
        Ok(measured)
    }
}

fn measure(
    name: &str,
    server: &Server,
    clients: &mut [Traffic],
    database: Option<&Database>,
    span: Duration,
) -> Result<Measured, String> {
    let database_cpu = || database.map(Database::cpu).unwrap_or_default();
    let before = (server.cpu(), database_cpu());
    let answers = client::load(server.address, clients, span).map_err(|why| format!("{name}: {why}"))?;
    Ok(Measured { answers, cpu: server.cpu() - before.0, database_cpu: database_cpu() - before.1 })
}

/// What runs on one database, with yardsticks of its own, so that those are measured at about the same time.
pub struct Group {
    pub world: World,
    pub contestants: Vec<Contestant>,
    pub limit: Option<Limit>,
}

pub const BARE: &str = "bare axum";
pub const LOG: &str = "raw log";
pub const A2: &str = "A2";
pub const A2_SANDBOX: &str = "A2, sandbox";
pub const CLIENT_CREDENTIALS: &str = "client_credentials";
pub const REFRESH_TOKEN: &str = "refresh_token";
pub const INTROSPECTION: &str = "introspection";
pub const INTROSPECTION_SIGNED: &str = "introspection, JWT";
pub const ME: &str = "GET /v1/me";
pub const DISCONNECT: &str = "disconnect";

impl Group {
    pub async fn on(database: Database, plan: &Plan, directory: &Path) -> Result<Self, String> {
        let world = World::make(database, plan.connections, plan.clients).await?;
        let url = &world.database.url;
        let production = Rc::new(Server::leadgate(url, "production", directory)?);
        let mut contestants = yardsticks(plan, directory)?;
        let mut add = |name: &str, server: &Rc<Server>, clients: Vec<Traffic>| {
            contestants.push(Contestant::new(name, server, clients));
        };
        if plan.wants(A2) {
            add(A2, &production, world.refreshes());
        }
        if plan.wants(A2_SANDBOX) {
            add(A2_SANDBOX, &Rc::new(Server::leadgate(url, "sandbox", directory)?), world.refreshes());
        }
        if plan.wants(CLIENT_CREDENTIALS) {
            add(CLIENT_CREDENTIALS, &production, world.client_credentials());
        }
        if plan.wants(REFRESH_TOKEN) {
            add(REFRESH_TOKEN, &production, world.rotating());
        }
        if plan.wants(INTROSPECTION) {
            add(INTROSPECTION, &production, world.introspections(&production, false)?);
        }
        if plan.wants(INTROSPECTION_SIGNED) {
            add(INTROSPECTION_SIGNED, &production, world.introspections(&production, true)?);
        }
        if plan.wants(ME) {
            add(ME, &production, world.me(&production)?);
        }
        if plan.wants(DISCONNECT) {
            let clients = Clients::Disconnect { per_second: FIRST_GUESS };
            contestants.push(Contestant {
                name: DISCONNECT.into(),
                server: production.clone(),
                clients,
                rounds: Vec::new(),
            });
        }
        let limit = if plan.wants(A2) { Some(Limit::of(&world.database, directory).await?) } else { None };
        Ok(Self { world, contestants, limit })
    }

    /// One round of each, which may be one that does not count.
    pub async fn round(&mut self, span: Duration, counts: bool) -> Result<(), String> {
        for contestant in &mut self.contestants {
            let measured = contestant.run_in(span, &mut self.world).await?;
            if counts {
                contestant.rounds.push(measured);
            }
        }
        match &mut self.limit {
            Some(limit) if counts => limit.round(span / 4).await,
            _ => Ok(()),
        }
    }

    /// Ends its servers, and frees the disk.
    pub async fn remove(self) -> Result<(), String> {
        drop((self.contestants, self.limit));
        self.world.database.remove().await
    }

    pub fn find(&self, name: &str) -> Option<&Contestant> {
        self.contestants.iter().find(|contestant| contestant.name == name)
    }
}

fn yardsticks(plan: &Plan, directory: &Path) -> Result<Vec<Contestant>, String> {
    let yardstick = |(name, kind)| {
        let server = Rc::new(Server::yardstick(kind, directory)?);
        let clients = (0..plan.clients).map(|_| Traffic::fixed(vec![get("/fixed")], "\"valid\":true")).collect();
        Ok(Contestant::new(name, &server, clients))
    };
    [(BARE, "bare"), (LOG, "log")].into_iter().map(yardstick).collect()
}
