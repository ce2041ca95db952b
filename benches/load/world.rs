//! A database with many connections, made by the library's own code.

use std::sync::Arc;
use std::time::Duration;

use leadgate::config::{Flags, Settings, demonstration};
use leadgate::crypto::refresh_token;
use leadgate::domain::connection::{ACCESS_TOKEN_LIFETIME, Connection, ConnectionState};
use leadgate::domain::email::Email;
use leadgate::domain::ids::{AccountId, AppId, ConnectionId, UserId};
use leadgate::domain::role::Role;
use leadgate::domain::scope::ScopeSet;
use leadgate::domain::user::{User, UserState};
use leadgate::entropy::time_ordered_id;
use leadgate::services::seed::{self, Audience};
use leadgate::services::{Context, partner};
use leadgate::store::{connections, users};

use super::server::MASTER_KEY;

/// Rows that one transaction makes.
const CHUNK: usize = 2_000;

/// Fills the database; answers the address of a refresh for each connection.
pub async fn make(database: &str, count: usize) -> Vec<String> {
    let flags = Flags { database_url: Some(database.to_owned()), ..Flags::default() };
    let environment = [("LEADGATE_MASTER_KEY".into(), MASTER_KEY.into())];
    let settings = Settings::load(&flags, environment, None).expect("settings");
    let ctx = leadgate::boot::open_context(&settings).await.expect("an empty database");
    let seed = demonstration::seed(&settings.issuer);
    seed::apply(&ctx, &seed, Audience::Demonstration).await.expect("a seed");
    let app = partner::list_apps(&ctx, 1).await.expect("apps").pop().expect("the demonstration's application").id;
    let ids = insert(&ctx, &app, count).await;
    ctx.store.close().await;
    ids.iter()
        .map(|id| format!("/authorize/refreshaccesstoken/{}?appid={app}", refresh_token::derive(&ctx.keys.ring(), *id)))
        .collect()
}

async fn insert(ctx: &Context, app: &AppId, count: usize) -> Vec<ConnectionId> {
    let hash = ctx.passwords.hash("a password that nobody uses").await.expect("a hash");
    let account = AccountId::parse("acme").expect("the demonstration's account");
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
