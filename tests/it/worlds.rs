//! The world as a whole (wire.md E): reset, snapshots, and namespaces beside it.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use leadgate::services::throttle::Limits;
use leadgate::store::tables::EXEMPT;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::sandbox::support::assert_problem;
use crate::store_contract::tables::Db;
use crate::support::http::{from_address, request};
use crate::support::statements::Statements;
use crate::support::{
    ADA, APP_ONE, APP_TWO, Answer, Click, GRACE, Kind, PARTNER, SANDBOX_TOKEN, Setup, World, both, connect_by_api,
};

impl World {
    /// Asks the control plane.
    async fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let token = format!("Bearer {SANDBOX_TOKEN}");
        let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let base = url::Url::parse(self.setup.issuer).unwrap().path().trim_end_matches('/').to_owned();
        self.send(request(method, &format!("{base}/_sandbox{path}"), &headers, body)).await
    }

    pub async fn reset(&self) -> Value {
        self.ask("POST", "/reset", None).await.expect(200).json()
    }

    /// Every row of the world, as a text; without its revision, which tells it from a row that holds the same.
    async fn db_rows(&self) -> BTreeMap<String, Vec<String>> {
        let mut rows = Db::of(&self.database).await.dump_but("revision").await;
        rows.retain(|table, _| !EXEMPT.contains(&table.as_str()));
        rows
    }

    /// The same with all that is in them: of a world that is put back.
    async fn db_whole_rows(&self) -> BTreeMap<String, Vec<String>> {
        let mut rows = Db::of(&self.database).await.dump().await;
        rows.retain(|table, _| !EXEMPT.contains(&table.as_str()));
        rows
    }

    /// A row more in every table, of nothing that makes sense; but for the clocks, which are read all the time.
    async fn db_fill(&self, nth: u8) {
        let tables = self.ctx.store.tables().await.unwrap();
        let tables: Vec<String> = tables.names().filter(|name| *name != "clocks").map(str::to_owned).collect();
        Db::of(&self.database).await.fill(&tables, nth, false).await;
    }

    /// A namespace of this world, seen as a world: its addresses begin with its own path.
    pub async fn namespace(&self) -> (World, Value) {
        let made = self.ask("POST", "/namespaces", None).await.expect(201).json();
        let issuer = made["issuer"].as_str().unwrap().to_owned();
        (self.at_issuer(issuer), made)
    }

    fn at_issuer(&self, issuer: String) -> World {
        let origin: url::Url = issuer.parse().unwrap();
        let base = origin.path().to_owned();
        let router = self.router.clone();
        let prefixed = move |mut request: Request<Body>| {
            let path = request.uri().path_and_query().unwrap().as_str();
            if !path.starts_with(&base) {
                *request.uri_mut() = format!("{base}{path}").parse().unwrap();
            }
            router.clone().oneshot(request)
        };
        let router = Router::new().fallback_service(tower::service_fn(prefixed));
        let setup = Setup { issuer: issuer.leak(), ..self.setup.clone() };
        World { router, setup, ..self.clone() }
    }

    async fn jwks(&self) -> Value {
        self.get("/.well-known/jwks.json").await.expect(200).json()
    }

    async fn refreshes(&self, token: &str) -> bool {
        self.refresh(token, APP_ONE).await.expect(200).json()["valid"] == true
    }

    async fn db_schemas(&self) -> i64 {
        self.database
            .db_count("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name LIKE 'leadgate_ns_%'")
            .await
    }
}

/// Waits for what happens by itself within seconds.
async fn until<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    let reached = async {
        while !holds().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reached).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Whatever is in any table: after a reset each row is as it was at the start, ids and hashes included.
async fn e_a_reset_gives_back_the_seeded_state(world: World) {
    let before = world.db_rows().await;
    let jwks = world.jwks().await;
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    world.db_fill(7).await;
    world.ask("POST", "/clock", Some(json!({"advance": "30m"}))).await.expect(200);
    world.disable(GRACE).await;
    world.delete_app(APP_TWO).await;
    let changed = world.db_rows().await;
    for (table, rows) in &before {
        assert_ne!(*rows, changed[table], "{table} was not changed");
    }

    let done = world.reset().await;
    assert_eq!(done["reset"], true);
    assert!(done["deleted"].as_u64().unwrap() > 20 && done["made"].as_u64().unwrap() > 10, "{done}");
    assert_eq!(world.db_rows().await, before);
    assert_eq!(world.jwks().await, jwks, "its keys are not the world's");
    world.me(&tokens.access).await.expect(401);
    assert!(!world.refreshes(&tokens.refresh).await);
    assert_eq!(ada.resume(PARTNER, &["btn-one"]).await["btn-one"]["error"], "login_required");
    assert!(ada.get("/account").await.is_login_page());
    let clock = world.ask("GET", "/clock", None).await.expect(200).json();
    assert_eq!((&clock["offset_ms"], &clock["frozen"]), (&json!(0), &json!(false)));

    // And it works as at the start, as often as wanted.
    let again = connect_by_api(&world, ADA, "btn-one").await;
    world.me(&again.access).await.expect(200);
    assert_ne!(again.refresh, tokens.refresh);
    world.reset().await;
    assert_eq!(world.db_rows().await, before);
}

async fn e_a_reset_empties_journal_and_faults(world: World) {
    let rule = json!([{"match": {"endpoint": "me"}, "times": "always", "effect": {"status": 503}}]);
    world.ask("PUT", "/faults", Some(rule)).await.expect(200);
    world.me("nonsense").await.expect(503);
    assert!(!world.ctx.journal.list(&Default::default()).is_empty());
    world.reset().await;
    assert!(world.ctx.journal.list(&Default::default()).is_empty());
    assert_eq!(world.ask("GET", "/faults", None).await.expect(200).json(), json!([]));
    world.me("nonsense").await.expect(401);
}

/// A namespace knows who asks (its limits need the address), and what is counted there is not counted here.
async fn e_a_namespace_counts_for_itself(world: World) {
    let (inside, _) = world.namespace().await;
    let refused = async |world: &World| {
        let path = format!("/authorize/refreshaccesstoken/nonsense?appid={APP_ONE}");
        world.send(from_address(request("GET", &path, &[], ""), 7)).await.status
    };
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(refused(&inside).await);
    }
    assert_eq!(statuses, [200, 200, 200, 429]);
    assert_eq!(refused(&world).await, 200);
    inside.reset().await;
    assert_eq!(refused(&inside).await, 200);
}

fn few_refusals() -> Setup {
    Setup { limits: Limits { refusals: 3, ..Limits::NONE }, ..Setup::default() }
}

/// A reset, a snapshot and its restoration take as many statements in a full world as in an empty one, and hash no
/// password.
async fn e_their_cost_does_not_grow_with_the_world(world: World) {
    let statements = Statements::counted();
    let cost = async |method: &str, path: &str| {
        let ask = async {
            let answer = world.ask(method, path, None).await;
            assert!(answer.status < 300, "{answer:?}");
        };
        statements.of(ask).await
    };
    world.reset().await;
    let mut costs = Vec::new();
    for connections in [0, 30] {
        for _ in 0..connections {
            connect_by_api(&world, ADA, "btn-one").await;
            world.actor().connect("btn-one", PARTNER, GRACE).await;
        }
        world.ctx.store.flush_notes().await.unwrap();
        let taken = cost("PUT", "/snapshots/full").await;
        let restored = cost("POST", "/snapshots/full/restore").await;
        costs.push((taken, restored, cost("POST", "/reset").await));
    }
    let tables = world.ctx.store.tables().await.unwrap().names().count();
    assert!(costs[0].0 > tables && costs[0].1 > tables && costs[0].2 > 0, "{costs:?}");
    assert_eq!(costs[0], costs[1]);
}

/// What a job of a continuous integration waits for.
async fn e_a_reset_of_the_demonstration_takes_few_statements(world: World) {
    let statements = Statements::counted();
    world.reset().await;
    let count = statements.of(world.reset()).await;
    let tables = world.ctx.store.tables().await.unwrap().names().count();
    // A transaction, in which each table is emptied: on PostgreSQL, which is told that this may take long, they are held in
    // one round trip and emptied in another.
    let emptied = if world.database.kind == Kind::Sqlite { 2 + tables } else { 2 + 1 + 2 };
    // What the seed has is made, and not looked for: an account with its key, seven users, an application, a button, the
    // addresses of both, and a lead type.
    let made = 16;
    // The event log; and the node's clocks and webhooks are read again.
    assert_eq!(count, emptied + made + 1 + 2);
}

/// Each row of each table comes back; what was made later is gone.
async fn e_a_snapshot_gives_the_world_back(world: World) {
    let mut ada = world.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    world.ask("POST", "/clock", Some(json!({"advance": "10m"}))).await.expect(200);
    world.ctx.store.flush_notes().await.unwrap();
    world.db_fill(7).await;
    let before = world.db_whole_rows().await;
    let taken = world.ask("PUT", "/snapshots/ada-is-connected", None).await.expect(201).json();
    let rows: usize = before.values().map(Vec::len).sum();
    assert_eq!((&taken["name"], &taken["rows"]), (&json!("ada-is-connected"), &json!(rows)));

    assert_eq!(world.disconnect(&tokens.refresh).await.json()["valid"], true);
    let later = connect_by_api(&world, GRACE, "btn-one").await;
    world.ask("POST", "/clock", Some(json!({"advance": "2h"}))).await.expect(200);
    world.delete_app(APP_ONE).await;
    assert!(!world.refreshes(&tokens.refresh).await);

    let restored = world.ask("POST", "/snapshots/ada-is-connected/restore", None).await.expect(200).json();
    assert_eq!(restored, taken);
    assert_eq!(world.db_whole_rows().await, before);
    let clock = world.ask("GET", "/clock", None).await.json();
    assert_eq!(clock["offset_ms"], 600_000);
    world.me(&tokens.access).await.expect(200);
    assert!(world.refreshes(&tokens.refresh).await);
    assert!(!world.refreshes(&later.refresh).await);
    world.me(&later.access).await.expect(401);
    assert_eq!(ada.resume(PARTNER, &["btn-one"]).await["btn-one"]["valid"], true, "her session too");

    // A reset leaves it alone.
    world.reset().await;
    assert!(!world.refreshes(&tokens.refresh).await);
    world.ask("POST", "/snapshots/ada-is-connected/restore", None).await.expect(200);
    assert!(world.refreshes(&tokens.refresh).await);
}

async fn e_snapshots_are_named_listed_replaced_and_deleted(world: World) {
    let names = async || {
        let list = world.ask("GET", "/snapshots", None).await.expect(200).json();
        let list = list["snapshots"].as_array().unwrap().clone();
        list.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert!(names().await.is_empty());
    for name in ["a", "B.c_d-0", &"x".repeat(64)] {
        world.ask("PUT", &format!("/snapshots/{name}"), None).await.expect(201);
    }
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    world.ask("PUT", "/snapshots/a", None).await.expect(200);
    let mut known = names().await;
    known.sort();
    assert_eq!(known, ["B.c_d-0", "a", &"x".repeat(64)]);
    world.ask("POST", "/snapshots/B.c_d-0/restore", None).await.expect(200);
    assert!(!world.refreshes(&tokens.refresh).await);
    world.ask("POST", "/snapshots/a/restore", None).await.expect(200);
    assert!(world.refreshes(&tokens.refresh).await, "the second one of this name");

    world.ask("DELETE", "/snapshots/a", None).await.expect(204);
    for (method, path) in [
        ("DELETE", "/snapshots/a"),
        ("POST", "/snapshots/a/restore"),
        ("POST", "/snapshots/A/restore"),
        ("POST", "/snapshots/%20/restore"),
        ("DELETE", "/snapshots/%ff"),
    ] {
        assert_problem(&world.ask(method, path, None).await, 404);
    }
    for bad in ["a%20b", "a%2Fb", "%C3%A9", &"x".repeat(65)] {
        assert_problem(&world.ask("PUT", &format!("/snapshots/{bad}"), None).await, 400);
    }
    assert_eq!(names().await.len(), 2);
    for nth in 2..32 {
        world.ask("PUT", &format!("/snapshots/nth-{nth}"), None).await.expect(201);
    }
    assert_problem(&world.ask("PUT", "/snapshots/one-more", None).await, 409);
    world.ask("PUT", "/snapshots/nth-2", None).await.expect(200);
}

/// One that was made under another schema fits no more, and nothing is lost by trying.
async fn e_a_snapshot_of_another_schema_is_refused(world: World) {
    world.ask("PUT", "/snapshots/old", None).await.expect(201);
    world.database.db_execute("UPDATE snapshots SET version = 1").await;
    let tokens = connect_by_api(&world, ADA, "btn-one").await;
    let refused = world.ask("POST", "/snapshots/old/restore", None).await;
    assert_problem(&refused, 409);
    assert!(refused.json()["detail"].as_str().unwrap().contains("version 1"), "{refused:?}");
    assert!(world.refreshes(&tokens.refresh).await);
}

/// While others write, nothing half comes out of it.
async fn e_a_reset_amid_writes_leaves_the_seeded_state(world: World) {
    let before = world.db_rows().await;
    for _ in 0..3 {
        let writers: Vec<_> = (0..12)
            .map(|nth| {
                let world = world.clone();
                let user = if nth % 2 == 0 { ADA } else { GRACE };
                tokio::spawn(async move {
                    let body = json!({"user": user, "button": "btn-one", "decision": "allow"});
                    world.sandbox_authorize(&body).await.status
                })
            })
            .collect();
        world.reset().await;
        for writer in writers {
            assert!(writer.await.unwrap() < 500);
        }
        world.reset().await;
        assert_eq!(world.db_rows().await, before);
    }
}

/// What the world did not have at its start, and its seed takes for granted, is gone after a reset: it is refused.
async fn e_a_seed_that_leans_on_the_database_cannot_be_reset(world: World) {
    let setup = world.setup.clone();
    let text =
        "[[users]]\nemail = \"late@acme.test\"\npassword_hash = \"@HASH@\"\nname = \"Late\"\naccount = \"acme\"\n";
    let leaning = Setup { seed: text.to_owned(), ..setup };
    let store = leadgate::store::Store::open(&world.database.location()).await.unwrap();
    let second = World::start_on(store, world.database.clone(), &leaning).await;
    assert_problem(&second.ask("POST", "/reset", None).await, 409);
    assert_problem(&second.ask("POST", "/namespaces", None).await, 409);
    connect_by_api(&world, ADA, "btn-one").await;
}

/// Neither sees anything of the other.
async fn e_a_namespace_is_a_world_of_its_own(world: World) {
    let (inside, made) = world.namespace().await;
    let issuer = made["issuer"].as_str().unwrap();
    assert_eq!(issuer, format!("{}/ns/{}", world.setup.issuer, made["id"].as_str().unwrap()));
    assert_eq!(made["control_plane"], format!("{issuer}/_sandbox"));

    let outer = connect_by_api(&world, ADA, "btn-one").await;
    let inner = connect_by_api(&inside, ADA, "btn-one").await;
    world.me(&outer.access).await.expect(200);
    inside.me(&inner.access).await.expect(200);
    world.me(&inner.access).await.expect(401);
    inside.me(&outer.access).await.expect(401);
    assert!(inside.refreshes(&inner.refresh).await && !world.refreshes(&inner.refresh).await);
    assert!(world.refreshes(&outer.refresh).await && !inside.refreshes(&outer.refresh).await);
    assert_eq!(inside.disconnect(&outer.refresh).await.json()["valid"], false);

    // With a browser: one jar for both, as they have one origin.
    let mut ada = inside.actor();
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    assert_eq!(tokens.refresh, inner.refresh);
    assert!(ada.get("/account").await.text().contains("Rate Finder"));
    assert!(ada.at(&world).get("/account").await.is_login_page());
    assert_eq!(ada.resume(PARTNER, &["btn-one"]).await["btn-one"]["valid"], true);

    // Clocks, users, apps, journal, keys.
    inside.ask("POST", "/clock", Some(json!({"advance": "2h"}))).await.expect(200);
    inside.me(&inner.access).await.expect(401);
    world.me(&outer.access).await.expect(200);
    world.delete_app(APP_TWO).await;
    world.disable(GRACE).await;
    let theirs = connect_by_api(&inside, GRACE, "btn-one").await;
    inside.me(&theirs.access).await.expect(200);
    let all = world.ctx.journal.list(&Default::default());
    assert!(all.iter().all(|entry| entry.user.as_deref() != Some(GRACE)), "{all:?}");
    let kids = |jwks: Value| -> Vec<String> {
        jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    };
    let (outer_keys, inner_keys) = (kids(world.jwks().await), kids(inside.jwks().await));
    assert!(!inner_keys.is_empty() && inner_keys.iter().all(|kid| !outer_keys.contains(kid)));

    let rule = json!([{"match": {"endpoint": "me"}, "times": "always", "effect": {"status": 503}}]);
    inside.ask("PUT", "/faults", Some(rule)).await.expect(200);
    inside.me(&theirs.access).await.expect(503);
    world.me(&outer.access).await.expect(200);
    inside.ask("DELETE", "/faults", None).await.expect(204);

    // A reset and a snapshot of one are none of the other's.
    let again = connect_by_api(&inside, ADA, "btn-one").await;
    inside.ask("PUT", "/snapshots/inner", None).await.expect(201);
    assert_problem(&world.ask("POST", "/snapshots/inner/restore", None).await, 404);
    world.reset().await;
    inside.me(&again.access).await.expect(200);
    inside.reset().await;
    inside.me(&again.access).await.expect(401);
    inside.ask("POST", "/snapshots/inner/restore", None).await.expect(200);
    inside.me(&again.access).await.expect(200);
}

/// Both are made from the same seed: the same users with the same ids and passwords, the same clients with the same secrets.
async fn e_a_namespace_begins_as_the_world_did(world: World) {
    let (inside, _) = world.namespace().await;
    let user = async |world: &World| {
        let tokens = connect_by_api(world, ADA, "btn-one").await;
        let me = world.me(&tokens.access).await.expect(200).json();
        me["user"].clone()
    };
    assert_eq!(user(&inside).await, user(&world).await);
    let mut ada = inside.actor();
    let opened = ada.open(Click::on("btn-one", PARTNER)).await;
    ada.log_in(&opened, ADA).await.expect(200);
    let form = "grant_type=client_credentials";
    let basic = "Basic MGM5YTUxY2UtOGYwZS00ZjBlLTlkNGUtN2I3ZjBmMGYwMDAxOnJhdGUtZmluZGVyLWNsaWVudC1zZWNyZXQ=";
    let headers = [("authorization", basic), ("content-type", "application/x-www-form-urlencoded")];
    inside.send(request("POST", "/oauth/token", &headers, form)).await.expect(200);
}

/// RFC 8414 section 3.1, OpenID Connect Discovery 1.0 section 4: by any of the three ways.
async fn e_a_namespace_has_metadata_of_its_own(world: World) {
    let (inside, made) = world.namespace().await;
    let issuer = inside.setup.issuer;
    let base = issuer.strip_prefix(world.setup.issuer.trim_end_matches("/t1")).unwrap();
    let at_the_root =
        [format!("/.well-known/oauth-authorization-server{base}"), format!("/.well-known/openid-configuration{base}")];
    assert_eq!(made["metadata"], format!("https://auth.test{}", at_the_root[0]));
    let inner = world.get(&format!("{base}/.well-known/openid-configuration")).await.expect(200).json();
    for path in at_the_root {
        assert_eq!(world.get(&path).await.expect(200).json(), inner, "{path}");
    }
    assert_eq!(inner["issuer"], issuer);
    for (name, value) in inner.as_object().unwrap() {
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            assert!(value.as_str().unwrap().starts_with(&format!("{issuer}/")), "{name}: {value}");
        }
    }
    let jwks = inner["jwks_uri"].as_str().unwrap().strip_prefix("https://auth.test").unwrap();
    world.get(jwks).await.expect(200);
    let script = world.get(&format!("{base}/js/le-app-button.js")).await.expect(200);
    assert_eq!(script.header("content-type").unwrap().split(';').next(), Some("text/javascript"));
    world.get(base).await.expect(200);
    world.get(&format!("{base}/")).await.expect(200);
    let tokens = connect_by_api(&inside, ADA, "btn-one").await;
    inside.me(&tokens.access).await.expect(200);
}

async fn e_a_namespace_may_lie_below_a_path(world: World) {
    e_a_namespace_has_metadata_of_its_own(world).await;
}

async fn e_parallel_namespaces_do_not_meet(world: World) {
    let workers: Vec<_> = (0..6)
        .map(|_| {
            let world = world.clone();
            tokio::spawn(async move {
                let (inside, made) = world.namespace().await;
                let tokens = connect_by_api(&inside, ADA, "btn-one").await;
                inside.me(&tokens.access).await.expect(200);
                (inside, made["id"].clone(), tokens)
            })
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        all.push(worker.await.unwrap());
    }
    for (i, (inside, _, _)) in all.iter().enumerate() {
        for (j, (_, _, tokens)) in all.iter().enumerate() {
            assert_eq!(inside.me(&tokens.access).await.status, if i == j { 200 } else { 401 });
        }
    }
    let listed = world.ask("GET", "/namespaces", None).await.expect(200).json();
    let mut listed: Vec<Value> = listed["namespaces"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    let mut made: Vec<Value> = all.into_iter().map(|(_, id, _)| id).collect();
    listed.sort_by_key(Value::to_string);
    made.sort_by_key(Value::to_string);
    assert_eq!(listed, made);
}

/// By the machine's clock; afterwards every surface says so in its form, and nothing is left of it.
async fn e_a_namespace_is_gone_when_its_time_is_over(world: World) {
    let asked = world.ask("POST", "/namespaces", Some(json!({"ttl": "1m30s"}))).await.expect(201).json();
    let id = asked["id"].as_str().unwrap().to_owned();
    let inside = world.at_issuer(asked["issuer"].as_str().unwrap().to_owned());
    let shown = world.ask("GET", &format!("/namespaces/{id}"), None).await.expect(200).json();
    assert_eq!(shown, asked);
    let tokens = connect_by_api(&inside, ADA, "btn-one").await;
    // Neither its own clock nor the world's is the machine's.
    for each in [&world, &inside] {
        each.ask("POST", "/clock", Some(json!({"advance": "1d"}))).await.expect(200);
    }
    world.advance(89);
    inside.me("nonsense").await.expect(401);
    world.advance(1);
    assert_problem(&inside.ask("GET", "/clock", None).await, 404);
    assert_problem(&world.ask("GET", &format!("/namespaces/{id}"), None).await, 404);
    assert_problem(&world.ask("DELETE", &format!("/namespaces/{}", "0".repeat(16)), None).await, 404);
    let answer = inside.me(&tokens.access).await.expect(404).json();
    assert_eq!(answer["error"], "not_found");
    assert!(answer["error_description"].as_str().unwrap().contains("namespace"));
    let answer = inside.refresh(&tokens.refresh, APP_ONE).await.expect(404).json();
    assert_eq!(answer["valid"], false);
    assert!(answer["errorMessage"].as_str().unwrap().contains("namespace"));
    let page = inside.get("/account").await.expect(404);
    assert!(page.text().contains("This world is over"), "{}", page.text());
    inside.get("/.well-known/openid-configuration").await.expect(404);
    let base = inside.setup.issuer.strip_prefix(world.setup.issuer).unwrap();
    world.get(&format!("/.well-known/oauth-authorization-server{base}")).await.expect(404);
    if world.database.kind == Kind::Postgres {
        until("its schema is dropped", async || world.db_schemas().await == 0).await;
        assert_eq!(world.database.db_count("SELECT COUNT(*) FROM namespaces").await, 0);
    }
}

async fn e_a_namespace_can_be_ended(world: World) {
    let (inside, made) = world.namespace().await;
    let (other, _) = world.namespace().await;
    let tokens = connect_by_api(&inside, ADA, "btn-one").await;
    let path = format!("/namespaces/{}", made["id"].as_str().unwrap());
    world.ask("DELETE", &path, None).await.expect(204);
    inside.me(&tokens.access).await.expect(404);
    assert_problem(&world.ask("DELETE", &path, None).await, 404);
    other.me("nonsense").await.expect(401);
    if world.database.kind == Kind::Postgres {
        assert_eq!(world.db_schemas().await, 1);
    }
}

/// What is asked for has to make sense, and a namespace has none of its own.
async fn e_a_namespace_is_asked_for_properly(world: World) {
    for ttl in [json!("0s"), json!("999ms"), json!("24h1ms"), json!("10"), json!(""), json!("-1m"), json!(600)] {
        let refused = world.ask("POST", "/namespaces", Some(json!({"ttl": ttl}))).await;
        assert_problem(&refused, 400);
        assert_eq!(refused.json()["pointer"], "/ttl");
    }
    assert_problem(&world.ask("POST", "/namespaces", Some(json!({"tll": "1m"}))).await, 400);
    for ttl in ["1s", "24h"] {
        world.ask("POST", "/namespaces", Some(json!({"ttl": ttl}))).await.expect(201);
    }
    let (inside, made) = world.namespace().await;
    let path = format!("/namespaces/{}", made["id"].as_str().unwrap());
    for (method, path) in [("POST", "/namespaces"), ("GET", "/namespaces"), ("GET", &path), ("DELETE", &path)] {
        assert_problem(&inside.ask(method, path, None).await, 409);
    }
    inside.get(&format!("/ns/{}/livez", "0".repeat(16))).await.expect(404);
    assert_problem(&inside.send(request("POST", "/_sandbox/reset", &[], "")).await, 401);
}

async fn e_there_are_at_most_64_namespaces(world: World) {
    if world.database.kind == Kind::Postgres {
        // As another node would have made them.
        for nth in 0..63 {
            let row = format!("INSERT INTO namespaces VALUES ('{nth:016x}', 0, 9000000000000000)");
            world.database.db_execute(&row).await;
        }
        world.namespace().await;
    } else {
        for _ in 0..64 {
            world.ask("POST", "/namespaces", Some(json!({"ttl": "1m"}))).await.expect(201);
        }
    }
    assert_problem(&world.ask("POST", "/namespaces", None).await, 429);
    if world.database.kind == Kind::Postgres {
        world.database.db_execute("UPDATE namespaces SET expires_at = 1 WHERE created_at = 0").await;
    } else {
        world.advance(60);
    }
    world.namespace().await;
}

/// A namespace is served by any node on the same PostgreSQL, and ended for all by any.
async fn e_nodes_share_namespaces(world: World) {
    let second = world.another_node().await;
    let (inside, made) = world.namespace().await;
    let there = second.at_issuer(inside.setup.issuer.to_owned());
    let tokens = connect_by_api(&inside, ADA, "btn-one").await;
    there.me(&tokens.access).await.expect(200);
    let theirs = connect_by_api(&there, GRACE, "btn-one").await;
    inside.me(&theirs.access).await.expect(200);
    assert!(inside.refreshes(&theirs.refresh).await, "one key for both");
    second.me(&tokens.access).await.expect(401);
    inside.ask("POST", "/clock", Some(json!({"advance": "2h"}))).await.expect(200);
    inside.me(&tokens.access).await.expect(401);
    until("the other node's clock follows", async || there.me(&tokens.access).await.status == 401).await;
    let path = format!("/namespaces/{}", made["id"].as_str().unwrap());
    assert_eq!(second.ask("GET", &path, None).await.expect(200).json(), made);
    second.ask("DELETE", &path, None).await.expect(204);
    there.me(&tokens.access).await.expect(404);
    until("the first node notices", async || inside.me(&tokens.access).await.status == 404).await;
    assert_eq!(world.db_schemas().await, 0);
}

/// What a node left behind that is no more is cleared away by any other.
async fn e_a_namespace_of_a_node_that_died_is_swept(world: World) {
    world.database.db_execute("CREATE SCHEMA leadgate_ns_00000000000000aa").await;
    world.database.db_execute("CREATE TABLE leadgate_ns_00000000000000aa.users (id BIGINT)").await;
    world.database.db_execute("INSERT INTO namespaces VALUES ('00000000000000aa', 0, 1)").await;
    leadgate::worker::sweep(&world.ctx).await.unwrap();
    assert_eq!(world.db_schemas().await, 0);
    assert_eq!(world.database.db_count("SELECT COUNT(*) FROM namespaces").await, 0);
}

both! {
    e_a_reset_gives_back_the_seeded_state,
    e_a_reset_empties_journal_and_faults,
    e_their_cost_does_not_grow_with_the_world,
    e_a_snapshot_gives_the_world_back,
    e_snapshots_are_named_listed_replaced_and_deleted,
    e_a_snapshot_of_another_schema_is_refused,
    e_a_seed_that_leans_on_the_database_cannot_be_reset,
    e_a_namespace_is_a_world_of_its_own,
    e_a_namespace_begins_as_the_world_did,
    e_a_namespace_has_metadata_of_its_own,
    e_a_namespace_is_gone_when_its_time_is_over,
    e_a_namespace_can_be_ended,
    e_a_namespace_is_asked_for_properly,
    e_there_are_at_most_64_namespaces,
}
both! { on many threads; e_a_reset_amid_writes_leaves_the_seeded_state, e_parallel_namespaces_do_not_meet }

both! { with super::few_refusals(); e_a_namespace_counts_for_itself }
both! { with support::Setup::demonstration(); e_a_reset_of_the_demonstration_takes_few_statements }
both! { with support::Setup::at("https://auth.test/t1"); e_a_namespace_may_lie_below_a_path }

mod on_postgres {
    use crate::support::{Kind, Setup, run};

    #[tokio::test]
    async fn e_nodes_share_namespaces() {
        run(Kind::Postgres, Setup::default(), super::e_nodes_share_namespaces).await;
    }

    #[tokio::test]
    async fn e_a_namespace_of_a_node_that_died_is_swept() {
        run(Kind::Postgres, Setup::default(), super::e_a_namespace_of_a_node_that_died_is_swept).await;
    }
}
