//! A database with many connections, made by the library's own code.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use leadgate::config::seed::SeedFile;
use leadgate::config::{Flags, Settings};
use leadgate::crypto::{refresh_token, rotating_token};
use leadgate::domain::connection::{ACCESS_TOKEN_LIFETIME, Connection, ConnectionState};
use leadgate::domain::email::Email;
use leadgate::domain::grant::{Grant, REFRESH_IDLE, REFRESH_LIFETIME};
use leadgate::domain::ids::{AccessTokenId, AccountId, AppId, ConnectionId, GrantId, UserId};
use leadgate::domain::role::Role;
use leadgate::domain::scope::ScopeSet;
use leadgate::domain::user::{User, UserState};
use leadgate::entropy::time_ordered_id;
use leadgate::services::Context;
use leadgate::services::audit::By;
use leadgate::services::seed::{self, Audience};
use leadgate::store::{connections, grants, users};

use super::client::{self, Traffic};
use super::server::MASTER_KEY;

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
"#;
const CLIENT_SECRET: &str = "the-secret-of-this-bench-and-of-nothing-else";

/// Rows that one transaction makes.
const CHUNK: usize = 2_000;

/// Requests that one client has, of those that are the same each time.
const FIXED: usize = 5_000;
/// Grants that one client refreshes in turn.
const GRANTS: usize = 50;

/// Fills the database; answers what each client sends, by the name of the path.
pub async fn make(database: &str, count: usize, clients: usize) -> Vec<(&'static str, Vec<Traffic>)> {
    let flags = Flags { database_url: Some(database.to_owned()), ..Flags::default() };
    let environment = [("LEADGATE_MASTER_KEY".into(), MASTER_KEY.into())];
    let settings = Settings::load(&flags, environment, None).expect("settings");
    let ctx = leadgate::boot::open_context(&settings).await.expect("an empty database");
    let seed = SeedFile::parse(Path::new("bench.toml"), SEED).expect("a seed file");
    seed::apply(&ctx.acting(By::server()), &seed, Audience::Ordinary).await.expect("a seed");
    let app = AppId::parse("bench").expect("an id");
    let connections = insert(&ctx, &app, count).await;
    let grants = insert_grants(&ctx, &app, &connections, clients * GRANTS).await;
    ctx.store.close().await;
    let ring = ctx.keys.ring();
    let secret = STANDARD.encode(format!("{app}:{}", CLIENT_SECRET));
    let authorization = format!("Basic {secret}");
    let refresh = |id: &ConnectionId| {
        client::get(&format!("/authorize/refreshaccesstoken/{}?appid={app}", refresh_token::derive(&ring, *id)))
    };
    let each_client = |traffic: &dyn Fn(usize) -> Traffic| (0..clients).map(traffic).collect::<Vec<_>>();
    let refreshes = each_client(&|client| {
        let first = client * 7_919 % connections.len();
        Traffic::Fixed(connections.iter().cycle().skip(first).take(FIXED.min(connections.len())).map(refresh).collect())
    });
    let own = each_client(&|_| {
        Traffic::Fixed(vec![client::post("/oauth/token", &authorization, "grant_type=client_credentials")])
    });
    let rotating = each_client(&|client| Traffic::Rotating {
        authorization: authorization.clone(),
        tokens: grants[client * GRANTS..][..GRANTS].iter().map(|id| rotating_token::derive(&ring, *id, 1)).collect(),
    });
    vec![("A2", refreshes), ("client_credentials", own), ("refresh_token", rotating)]
}

/// Grants of these connections, each with its first refresh token.
async fn insert_grants(ctx: &Context, app: &AppId, connections: &[ConnectionId], count: usize) -> Vec<GrantId> {
    let now = ctx.now();
    let grant = |connection: &ConnectionId| Grant {
        id: GrantId(time_ordered_id(&*ctx.entropy, now)),
        connection: *connection,
        app: app.clone(),
        scopes: ScopeSet::parse("account_api data_api").expect("scopes of this server"),
        resource: None,
        dpop_jkt: None,
        auth_time: now,
        created_at: now,
        renewable_until: now.plus(REFRESH_LIFETIME),
        expires_at: now.plus(REFRESH_IDLE),
        generation: 1,
        replayable: None,
        access_token: AccessTokenId(time_ordered_id(&*ctx.entropy, now)),
        used_at: None,
        ended: None,
    };
    let rows: Arc<Vec<Grant>> = Arc::new(connections.iter().cycle().take(count).map(grant).collect());
    let ids = rows.iter().map(|grant| grant.id).collect();
    ctx.store
        .write(move |conn| {
            let rows = rows.clone();
            Box::pin(async move {
                for grant in rows.iter() {
                    grants::insert(conn, grant).await?;
                }
                Ok(())
            })
        })
        .await
        .expect("rows");
    ids
}

async fn insert(ctx: &Context, app: &AppId, count: usize) -> Vec<ConnectionId> {
    let hash = ctx.passwords.hash("a password that nobody uses").await.expect("a hash");
    let account = AccountId::parse("acme").expect("an id");
    let scopes = ScopeSet::parse("account_api data_api").expect("scopes of this server");
    let mut all = Vec::with_capacity(count);
    while all.len() < count {
        let now = ctx.now();
        let rows: Vec<(User, Connection)> = (all.len()..count.min(all.len() + CHUNK))
            .map(|i| {
                let user = User {
                    id: UserId(time_ordered_id(&*ctx.entropy, now)),
                    account: account.clone(),
                    email: Email::parse(&format!("user{i}@bench.test")).expect("an address"),
                    name: format!("User {i}"),
                    role: Role::Member,
                    magic: None,
                    state: UserState::Active,
                    created_at: now.plus(Duration::from_micros(1)),
                };
                let connection = Connection {
                    id: ConnectionId(time_ordered_id(&*ctx.entropy, now)),
                    user: user.id,
                    app: app.clone(),
                    scopes: scopes.clone(),
                    sign_in_scopes: scopes.clone(),
                    access_token_lifetime: ACCESS_TOKEN_LIFETIME,
                    created_at: now,
                    last_used_at: None,
                    state: ConnectionState::Active,
                };
                (user, connection)
            })
            .collect();
        all.extend(rows.iter().map(|(_, connection)| connection.id));
        let (rows, hash) = (Arc::new(rows), hash.clone());
        ctx.store
            .write(move |conn| {
                let (rows, hash) = (rows.clone(), hash.clone());
                Box::pin(async move {
                    for (user, connection) in rows.iter() {
                        users::insert(conn, user, &hash).await?;
                        connections::insert(conn, connection).await?;
                    }
                    Ok(())
                })
            })
            .await
            .expect("rows");
    }
    all
}
