//! What the store promises, on every database that it runs on.

mod issue;
mod migrate;
pub mod schema;
mod silence;
pub mod tables;
mod write;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use leadgate::domain::account::Account;
use leadgate::domain::app::{App, AppState, DEFAULT_ACCESS_TOKEN_ALG, DEFAULT_ID_TOKEN_ALG};
use leadgate::domain::auth_method::AuthMethod;
use leadgate::domain::connection::{ACCESS_TOKEN_LIFETIME, Connection, ConnectionState};
use leadgate::domain::email::Email;
use leadgate::domain::ids::{AccountId, AppId, ConnectionId, UserId};
use leadgate::domain::role::Role;
use leadgate::domain::scope::ScopeSet;
use leadgate::domain::timestamp::Timestamp;
use leadgate::domain::user::{PasswordHash, User, UserState};
use leadgate::entropy::{SystemEntropy, time_ordered_id};
use leadgate::store::apps::Secrets;
use leadgate::store::{Store, accounts, apps, connections, users};
use uuid::Uuid;

use crate::support::{Database, Kind};

const NOW: Timestamp = Timestamp::from_micros(1_795_338_930_000_000);

/// Makes each named function, which takes a [`Bench`], a test on both databases.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn sqlite() {
                crate::store_contract::run(crate::support::Kind::Sqlite, super::$name).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn postgres() {
                crate::store_contract::run(crate::support::Kind::Postgres, super::$name).await;
            }
        }
    )+};
}
use on_both;

/// An empty, migrated database and a store on it.
#[derive(Clone)]
struct Bench {
    store: Arc<Store>,
    database: Arc<Database>,
}

async fn run<F: Future<Output = ()>>(kind: Kind, test: impl FnOnce(Bench) -> F) {
    let database = Database::make(kind).await;
    let store = Arc::new(Store::open(&database.location()).await.unwrap());
    let outcome =
        AssertUnwindSafe(test(Bench { store: store.clone(), database: database.clone() })).catch_unwind().await;
    store.close().await;
    database.remove().await;
    if let Err(panic) = outcome {
        std::panic::resume_unwind(panic);
    }
}

fn fresh_id() -> Uuid {
    time_ordered_id(&SystemEntropy, NOW)
}

fn user(nth: usize) -> User {
    User {
        id: UserId(fresh_id()),
        account: AccountId::parse("acme").unwrap(),
        email: Email::parse(&format!("user{nth}@acme.test")).unwrap(),
        name: format!("User {nth}"),
        role: Role::Member,
        magic: None,
        state: UserState::Active,
        created_at: NOW,
    }
}

fn app(id: &str) -> App {
    App {
        id: AppId::parse(id).unwrap(),
        name: id.to_owned(),
        publisher: String::new(),
        owner: None,
        homepage: None,
        auth_method: AuthMethod::None,
        grant_types: Vec::new(),
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: Vec::new(),
        scopes: ScopeSet::parse("account_api").unwrap(),
        resources: Vec::new(),
        jwks: None,
        access_token_alg: DEFAULT_ACCESS_TOKEN_ALG,
        id_token_alg: DEFAULT_ID_TOKEN_ALG,
        requires_dpop: false,
        requires_par: false,
        logo: None,
        state: AppState::Active,
        created_at: NOW,
    }
}

fn connection(user: &User, app: &str) -> Connection {
    Connection {
        id: ConnectionId(fresh_id()),
        user: user.id,
        app: AppId::parse(app).unwrap(),
        scopes: ScopeSet::parse("account_api data_api openid").unwrap(),
        sign_in_scopes: ScopeSet::parse("account_api data_api").unwrap(),
        access_token_lifetime: ACCESS_TOKEN_LIFETIME,
        created_at: NOW,
        last_used_at: None,
        state: ConnectionState::Active,
    }
}

impl Bench {
    /// An account, an application `app-1` and `count` users, each with a connection to it.
    async fn connected(&self, count: usize) -> Vec<Connection> {
        let rows: Vec<(User, Connection)> = (0..count)
            .map(|nth| {
                let user = user(nth);
                let connection = connection(&user, "app-1");
                (user, connection)
            })
            .collect();
        let made = rows.iter().map(|(_, connection)| connection.clone()).collect();
        let rows = Arc::new(rows);
        self.store
            .write(move |conn| {
                let rows = rows.clone();
                Box::pin(async move {
                    let account = Account { id: AccountId::parse("acme").unwrap(), name: "Acme".into() };
                    accounts::insert(conn, &account, NOW).await?;
                    apps::insert(conn, &app("app-1"), &Secrets::default()).await?;
                    apps::insert(conn, &app("APP-1"), &Secrets::default()).await?;
                    for (user, connection) in rows.iter() {
                        users::insert(conn, user, &PasswordHash::from_phc("-".into())).await?;
                        connections::insert(conn, connection).await?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
        made
    }
}
