//! Whether all is as it was acknowledged.

use crate::asked::{Known, text};
use crate::load::{Book, Connection, Grant};
use crate::program::Server;
use crate::world;

/// What was revoked in any round, and has to stay so.
#[derive(Default)]
pub struct Graveyard {
    /// LeadExec's refresh tokens.
    connections: Vec<String>,
    /// The standard ones.
    grants: Vec<String>,
    /// Access tokens of any kind that `GET /v1/me` knows.
    access: Vec<String>,
    /// Clients' own.
    own: Vec<String>,
}

/// How many of each kind are looked at again after each round; after the last one all are.
const SAMPLE: usize = 10;

fn is<T>(answer: Option<T>) -> T {
    answer.expect("the server serves while nobody kills it")
}

impl Graveyard {
    pub fn len(&self) -> usize {
        self.connections.len() + self.grants.len() + self.access.len() + self.own.len()
    }

    /// Nothing that was revoked has come back; `from` differs from round to round.
    pub fn assert_quiet(&self, server: &Server, from: usize, all: bool) {
        let sample = |graves: &[String]| -> Vec<String> {
            let count = if all { graves.len() } else { SAMPLE.min(graves.len()) };
            graves.iter().cycle().skip(from * 7 % graves.len().max(1)).take(count).cloned().collect()
        };
        for token in sample(&self.connections) {
            assert_eq!(is(world::refresh(server, &token)), None, "a disconnect was undone");
        }
        for token in sample(&self.access) {
            assert!(!is(world::opens(server, &token)), "a revoked access token opens the door again");
        }
        for token in sample(&self.own) {
            assert!(!is(world::is_active(server, &token)), "a client's revocation was undone");
        }
        for token in sample(&self.grants) {
            assert_eq!(is(world::rotate(server, &token)), None, "a revocation was undone");
        }
    }

    /// Looks at what one round acknowledged, and buries what has ended.
    pub fn assert_as_acknowledged(&mut self, server: &Server, book: Book, lead_type: usize) {
        for connection in book.connections {
            self.look_at_connection(server, connection);
        }
        for grant in book.grants {
            self.look_at_grant(server, grant);
        }
        for own in book.own {
            let active = is(world::is_active(server, &own.token));
            match own.ended {
                Known::Not => assert!(active, "an acknowledged token of a client is lost"),
                Known::Done => assert!(!active, "an acknowledged revocation is lost"),
                Known::Perhaps => {}
            }
            if !active {
                self.own.push(own.token);
            }
        }
        let access = text(&is(world::connect(server, 0)), "authToken");
        let found = world::leads(server, &access, lead_type);
        for lead in &book.leads {
            assert!(found.contains(lead), "an acknowledged lead is lost");
        }
    }

    fn look_at_connection(&mut self, server: &Server, connection: Connection) {
        let lives = is(world::refresh(server, &connection.refresh)).is_some();
        match connection.ended {
            Known::Not => assert!(lives, "an acknowledged connection is lost"),
            Known::Done => assert!(!lives, "an acknowledged disconnect is lost"),
            Known::Perhaps => {}
        }
        for access in &connection.access {
            assert_eq!(is(world::opens(server, access)), lives, "an access token is as alive as its connection");
        }
        if !lives {
            self.connections.push(connection.refresh);
            self.access.extend(connection.access.into_iter().take(2));
        }
    }

    fn look_at_grant(&mut self, server: &Server, grant: Grant) {
        let opens = is(world::opens(server, &grant.access));
        let next = is(world::rotate(server, &grant.refresh));
        match grant.ended {
            Known::Not => {
                assert!(next.is_some(), "an acknowledged refresh token is lost");
                assert!(opens || grant.renewed == Known::Perhaps, "an acknowledged access token is lost");
            }
            Known::Done => assert!(!opens && next.is_none(), "an acknowledged revocation is lost"),
            Known::Perhaps => {}
        }
        if let Some((second, _)) = &next {
            // Once more, with what came: it is no answer that got lost, and the one before is over.
            let third = is(world::rotate(server, second)).expect("the successor is good");
            assert!(is(world::opens(server, &third.1)));
            let spent = grant.before.as_ref().unwrap_or(&grant.refresh);
            assert_eq!(is(world::rotate(server, spent)), None, "a spent refresh token is good again");
            assert_eq!(is(world::rotate(server, &third.0)), None, "and to present it ends them all");
            self.access.push(third.1);
        }
        assert_eq!(is(world::redeem(server, &grant.code)), None, "a code is good again");
        self.grants.push(grant.refresh);
        self.access.push(grant.access);
    }
}
