//! A database with many connections, and the requests that find what they ask for in it.

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leadgate::config::seed::SeedFile;
use leadgate::config::{Flags, Settings};
use leadgate::crypto::keyring::KeyRing;
use leadgate::crypto::{refresh_token, rotating_token};
use leadgate::domain::timestamp::Timestamp;
use leadgate::services::audit::By;
use leadgate::services::seed::{self, Audience};

use super::client;
use super::database::{Database, connection_id, grant_id};
use super::server::{MASTER_KEY, Server};
use super::traffic::{Traffic, get, get_with, member, post};

/// Of no demonstration: production refuses secrets that everybody can read.
const SEED: &str = r#"
[[accounts]]
id = "acme"
name = "Bench"

[[apps]]
id = "bench"
name = "Bench"
publisher = "Bench"
client_secret = "the-secret-of-this-bench-and-of-nothing-else"
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
redirect_uris = ["https://bench.test/callback"]
scopes = ["account_api", "data_api", "lead_receiver"]
access_token_signing_alg = "EdDSA"
"#;
const CLIENT: &str = "bench:the-secret-of-this-bench-and-of-nothing-else";

/// Requests that one client has, of those that it sends in turn.
const IN_TURN: u64 = 5_000;
/// Grants that one client refreshes in turn.
const GRANTS: u64 = 50;
/// Access tokens that all clients present in turn.
const PRESENTED: u64 = 500;
/// A prime: steps of this size come to every connection, and to neighbours never one after the other.
const STRIDE: u64 = 1_000_003;

pub struct World {
    pub database: Database,
    ring: Arc<KeyRing>,
    authorization: String,
    now: Timestamp,
    /// That clients refresh. Others, above them, are made to be ended.
    connections: u64,
    all: u64,
    clients: u64,
}

impl World {
    /// Fills an empty database.
    pub async fn make(database: Database, connections: u64, clients: usize) -> Result<Self, String> {
        let flags = Flags { database_url: Some(database.url.clone()), ..Flags::default() };
        let environment = [("LEADGATE_MASTER_KEY".into(), MASTER_KEY.into())];
        let settings = Settings::load(&flags, environment, None).expect("settings");
        let ctx = leadgate::boot::open_context(&settings).await.map_err(|why| why.to_string())?;
        let seed = SeedFile::parse(Path::new("bench.toml"), SEED).expect("a seed file");
        seed::apply(&ctx.acting(By::server()), &seed, Audience::Ordinary).await.expect("a seed");
        let (ring, now) = (ctx.keys.ring(), ctx.now());
        ctx.store.close().await;
        let (authorization, clients) = (format!("Basic {}", STANDARD.encode(CLIENT)), clients as u64);
        database.insert_connections(0..connections, now).await?;
        database.insert_grants(clients * GRANTS, connections, now).await?;
        database.settle().await?;
        Ok(Self { database, ring, authorization, now, connections, all: connections, clients })
    }

    fn each_client(&self, traffic: impl Fn(u64) -> Traffic) -> Vec<Traffic> {
        (0..self.clients).map(traffic).collect()
    }

    fn refresh(&self, i: u64) -> Vec<u8> {
        let token = refresh_token::derive(&self.ring, connection_id(i));
        get(&format!("/authorize/refreshaccesstoken/{token}?appid=bench"))
    }

    /// LeadExec's refresh (wire.md A2), from all over the database.
    pub fn refreshes(&self) -> Vec<Traffic> {
        let count = IN_TURN.min(self.connections);
        self.each_client(|client| {
            let place = |turn| (client * IN_TURN + turn) * STRIDE % self.connections;
            Traffic::fixed((0..count).map(|turn| self.refresh(place(turn))).collect(), "\"valid\":true")
        })
    }

    /// A client's own token (RFC 6749 section 4.4).
    pub fn client_credentials(&self) -> Vec<Traffic> {
        let request = post("/oauth/token", &self.authorization, "grant_type=client_credentials");
        self.each_client(|_| Traffic::fixed(vec![request.clone()], "\"access_token\":"))
    }

    /// Refresh tokens that rotate (RFC 6749 section 6).
    pub fn rotating(&self) -> Vec<Traffic> {
        self.each_client(|client| {
            let grants = client * GRANTS..(client + 1) * GRANTS;
            let tokens = grants.map(|i| rotating_token::derive(&self.ring, grant_id(i), 1)).collect();
            Traffic::rotating(self.authorization.clone(), tokens)
        })
    }

    /// RFC 7662, of opaque or of signed tokens that live.
    pub fn introspections(&self, server: &Server, is_signed: bool) -> Result<Vec<Traffic>, String> {
        let tokens = if is_signed { self.signed_tokens(server) } else { self.opaque_tokens(server) }?;
        let request = |token| post("/oauth/introspect", &self.authorization, &format!("token={token}"));
        let requests: Vec<_> = tokens.iter().map(request).collect();
        Ok(self.each_client(|client| Traffic::fixed(turned(&requests, client), "\"active\":true")))
    }

    /// `GET /v1/me` with a bearer token of LeadExec's class.
    pub fn me(&self, server: &Server) -> Result<Vec<Traffic>, String> {
        let requests: Vec<_> = self.opaque_tokens(server)?.iter().map(|token| get_with("/v1/me", token)).collect();
        Ok(self.each_client(|client| Traffic::fixed(turned(&requests, client), "\"user\":{")))
    }

    fn opaque_tokens(&self, server: &Server) -> Result<Vec<String>, String> {
        let requests = (0..PRESENTED).map(|i| self.refresh(i * STRIDE % self.connections)).collect();
        let answers = client::ask(server.address, requests, "\"valid\":true")?;
        Ok(answers.iter().map(|(body, _)| member(body, "authToken").to_owned()).collect())
    }

    fn signed_tokens(&self, server: &Server) -> Result<Vec<String>, String> {
        let request = post("/oauth/token", &self.authorization, "grant_type=client_credentials");
        let answers = client::ask(server.address, vec![request; PRESENTED as usize], "\"access_token\":")?;
        Ok(answers.iter().map(|(body, _)| member(body, "access_token").to_owned()).collect())
    }

    /// Makes `count` connections more, and the requests that end each of them (wire.md A3).
    pub async fn disconnects(&mut self, count: u64) -> Result<Vec<Traffic>, String> {
        let fresh = self.all..self.all + count;
        self.database.insert_connections(fresh.clone(), self.now).await?;
        self.all = fresh.end;
        let disconnect = |i| {
            let token = refresh_token::derive(&self.ring, connection_id(i));
            get(&format!("/authorize/disconnectapplicationtoken/{token}"))
        };
        Ok(self.each_client(|client| {
            let own = fresh.clone().skip(client as usize).step_by(self.clients as usize);
            Traffic::once(own.map(disconnect).collect(), "\"valid\":true")
        }))
    }
}

/// The same requests, from another one on for each client.
fn turned(requests: &[Vec<u8>], client: u64) -> Vec<Vec<u8>> {
    let first = client as usize * 7 % requests.len();
    requests[first..].iter().chain(&requests[..first]).cloned().collect()
}
