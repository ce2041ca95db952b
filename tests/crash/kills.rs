//! SIGKILL at random, under load.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::load;
use crate::look::Graveyard;
use crate::program::{Directory, Server};
use crate::world::Site;

/// Kills of a run where `LEADGATE_CRASH_KILLS` does not say how many.
const KILLS: usize = 3;
/// Answers that come before anything is killed, at most.
pub const AT_RANDOM: usize = 300;
/// How long a server may be without its database after that is there again.
const RECOVERY: Duration = Duration::from_secs(5);

/// What dies in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Victim {
    Server,
    Database,
    Both,
}

/// The same numbers for the same seed, which is printed: a failure can be run again.
pub struct Dice(u64);

impl Dice {
    pub fn throw() -> Self {
        let seed = std::env::var("LEADGATE_CRASH_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| u64::from(std::process::id()));
        println!("LEADGATE_CRASH_SEED={seed}");
        Self(seed)
    }

    /// Below `end`. SplitMix64.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(end).unwrap()).unwrap()
    }
}

pub fn kills() -> usize {
    std::env::var("LEADGATE_CRASH_KILLS").ok().map_or(KILLS, |kills| kills.parse().expect("a number of kills"))
}

pub fn kill(server: &Server) {
    let pid = server.child.0.id().to_string();
    assert!(Command::new("kill").args(["-KILL", &pid]).status().unwrap().success());
}

/// Waits until the server serves again by itself.
pub fn recovered(server: &Server) {
    let began = Instant::now();
    while server.get("/readyz").status != 200 {
        assert!(began.elapsed() < RECOVERY, "not within {RECOVERY:?}: {}", server.get("/readyz").body);
        std::thread::yield_now();
    }
}

/// Rounds of load, a kill and a look, on one database that none of them cleans.
fn rounds(database: &str, cluster: Option<&Cluster>) {
    let site = Site::on(database);
    let (mut dice, mut graves) = (Dice::throw(), Graveyard::default());
    let (mut acknowledged, kills) = (0, kills());
    let mut server = site.serve();
    for round in 0..kills {
        let victim = match cluster {
            Some(_) => [Victim::Server, Victim::Database, Victim::Both][round % 3],
            None => Victim::Server,
        };
        let lead_type = 1_000 + round;
        let book = load::until(&server, lead_type, dice.below(AT_RANDOM), || {
            if victim != Victim::Server {
                cluster.unwrap().crash();
            }
            if victim != Victim::Database {
                kill(&server);
            }
        });
        if victim != Victim::Server {
            cluster.unwrap().again();
        }
        if victim == Victim::Database {
            recovered(&server);
        } else {
            assert_eq!(server.exit_code(), None, "it was killed");
            server = site.serve();
        }
        acknowledged += book.acknowledged();
        graves.assert_as_acknowledged(&server, book, lead_type);
        graves.assert_quiet(&server, round, round + 1 == kills);
    }
    println!("{kills} kills, {acknowledged} acknowledged, {} of them revoked for good", graves.len());
    assert!(acknowledged > kills * 20, "there was a load: {acknowledged}");
}

/// R6: each acknowledged connection, token, refresh, lead and disconnect is as acknowledged after a SIGKILL.
#[test]
fn r6_kills_at_random_lose_nothing_on_sqlite() {
    let data = Directory::new();
    rounds(&format!("sqlite://{}", data.path("leadgate.db").display()), None);
}

/// R6: the same on PostgreSQL, where the server, the database, or both are killed.
#[test]
fn r6_r13_kills_at_random_lose_nothing_on_postgres() {
    let cluster = Cluster::start();
    rounds(&cluster.url, Some(&cluster));
}
