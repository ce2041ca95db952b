//! Partner applications: OAuth's clients.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::{containing, corrupt, secret_hash, split, state_word, time};
use super::error::StoreError;
use super::lane;
use crate::domain::app::{App, AppState, LogoId};
use crate::domain::auth_method::AuthMethod;
use crate::domain::grant_type::GrantType;
use crate::domain::ids::{AppId, UserId};
use crate::domain::origin::Origin;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::resource::Resource;
use crate::domain::return_url::ReturnUrl;
use crate::domain::scope::ScopeSet;
use crate::domain::secret_hash::SecretHash;
use crate::domain::signing_algorithm::SigningAlgorithm;
use crate::domain::timestamp::Timestamp;

/// The applications that `$which` says, with all that is known of each.
macro_rules! find {
    ($which:literal) => {
        concat!(
            "SELECT id, name, publisher, homepage, owner_id, auth_method, grant_types, redirect_uris, \
             post_logout_redirect_uris, scopes, resources, jwks, access_token_alg, id_token_alg, requires_dpop, \
             requires_par, logo, disabled_at, created_at, client_secret_hash, previous_secret_hash, previous_secret_expires_at, \
             registration_secret_hash, revision FROM apps WHERE ",
            $which
        )
    };
}

statements! {
    FIND = find!("id = $1");
    NAME = "SELECT name FROM apps WHERE id = $1";
    LIST_BY_SECRET = find!(
            "client_secret_hash = $1 OR previous_secret_hash = $1 ORDER BY id LIMIT $2"
    );
    LIST = find!(
            "(created_at, id) > (SELECT created_at, id FROM apps WHERE id = $1) \
            OR NOT EXISTS (SELECT 1 FROM apps WHERE id = $1) \
            ORDER BY created_at, id LIMIT $2"
    );
    INSERT = "INSERT INTO apps (id, name, publisher, homepage, owner_id, auth_method, grant_types, redirect_uris, \
              post_logout_redirect_uris, scopes, resources, jwks, access_token_alg, id_token_alg, requires_dpop, \
              requires_par, created_at, client_secret_hash, registration_secret_hash) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) \
              ON CONFLICT DO NOTHING";
    UPDATE = "UPDATE apps SET name = $2, publisher = $3, homepage = $4, owner_id = $5, auth_method = $6, \
              grant_types = $7, redirect_uris = $8, post_logout_redirect_uris = $9, scopes = $10, resources = $11, \
              jwks = $12, access_token_alg = $13, id_token_alg = $14, requires_dpop = $15, requires_par = $16 \
              WHERE id = $1";
    SET_SECRET = "UPDATE apps SET client_secret_hash = $2, previous_secret_hash = NULL, \
                  previous_secret_expires_at = NULL WHERE id = $1";
    ROTATE_SECRET = "UPDATE apps SET previous_secret_hash = client_secret_hash, previous_secret_expires_at = $3, \
                     client_secret_hash = $2 WHERE id = $1 AND client_secret_hash IS NOT NULL";
    SET_DISABLED = "UPDATE apps SET disabled_at = $2 WHERE id = $1";
    /// Locks the row, so that nothing is granted while it is being disabled.
    HOLD_ACTIVE = "UPDATE apps SET id = id WHERE id = $1 AND disabled_at IS NULL";
    HOLD = "UPDATE apps SET id = id WHERE id = $1";
    HOLD_OF_OWNER = "UPDATE apps SET id = id WHERE id = $1 AND owner_id = $2";
    DROP_PREVIOUS_SECRET = "UPDATE apps SET previous_secret_hash = NULL, previous_secret_expires_at = NULL \
                            WHERE id = $1 AND previous_secret_hash IS NOT NULL";
    LIST_OF_OWNER = find!(
            "owner_id = $1 \
            AND ((created_at, id) > (SELECT created_at, id FROM apps WHERE id = $2) \
            OR NOT EXISTS (SELECT 1 FROM apps WHERE id = $2)) \
            ORDER BY created_at, id LIMIT $3"
    );
    /// Newest first. An empty text asks for any.
    SEARCH = find!(
            "($1 = '' OR lower(id) LIKE lower($1) ESCAPE '!' OR lower(name) LIKE lower($1) ESCAPE '!' \
                   OR owner_id IN (SELECT id FROM users WHERE lower(email) LIKE lower($1) ESCAPE '!')) \
            AND ($2 = '' OR ($2 = 'active' AND disabled_at IS NULL) OR ($2 = 'disabled' AND disabled_at IS NOT NULL)) \
            AND ((created_at, id) < (SELECT created_at, id FROM apps WHERE id = $3) \
            OR NOT EXISTS (SELECT 1 FROM apps WHERE id = $3)) \
            ORDER BY created_at DESC, id DESC LIMIT $4"
    );
    COUNT = "SELECT COUNT(*), COUNT(disabled_at) FROM apps";
    COUNT_OF_OWNER = "SELECT COUNT(*) FROM apps WHERE owner_id = $1";
    IS_ORIGIN_REGISTERED = "SELECT app_id FROM app_origins WHERE origin = $1 LIMIT 1";
    ADD_ORIGIN = "INSERT INTO app_origins (origin, app_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    CLEAR_ORIGINS = "DELETE FROM app_origins WHERE app_id = $1";
    DELETE = "DELETE FROM apps WHERE id = $1";
    /// Those of users go with their connections. Not by an index: applications are rarely deleted, and an index would
    /// cost each token that is issued.
    DELETE_CLOCK = "DELETE FROM clocks WHERE app_id = $1";
    DELETE_OWN_TOKENS = "DELETE FROM access_tokens WHERE app_id = $1 AND connection_id IS NULL";
}

pub(super) const FIND_MANY_ON_POSTGRES: &str = find!("id = ANY($1)");

row! {
    struct Row {
        id: String,
        name: String,
        publisher: String,
        homepage: Option<String>,
        owner_id: Option<Uuid>,
        auth_method: String,
        grant_types: String,
        redirect_uris: String,
        post_logout_redirect_uris: String,
        scopes: String,
        resources: String,
        jwks: Option<String>,
        access_token_alg: String,
        id_token_alg: String,
        requires_dpop: i64,
        requires_par: i64,
        logo: Option<String>,
        disabled_at: Option<i64>,
        created_at: i64,
        client_secret_hash: Option<Vec<u8>>,
        previous_secret_hash: Option<Vec<u8>>,
        previous_secret_expires_at: Option<i64>,
        registration_secret_hash: Option<Vec<u8>>,
        revision: Uuid,
    }
}

/// What a client's credentials are checked against.
#[derive(Debug, Clone, Default)]
pub struct Secrets {
    /// `None` for a client that has no secret.
    pub client: Option<SecretHash>,
    /// The one before, until the time that it is taken.
    pub previous: Option<(SecretHash, Timestamp)>,
    /// Of the registration access token (RFC 7592); `None` where the client did not register itself.
    pub registration: Option<SecretHash>,
}

/// Names what a row of `apps` holds: each change of the row makes another one, whoever makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision(pub(super) Uuid);

/// An application, with what its credentials are checked against, as its row was at one moment.
#[derive(Debug, Clone)]
pub struct Client {
    pub app: App,
    pub secrets: Secrets,
    pub revision: Revision,
}

impl TryFrom<Row> for Client {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let hash = |bytes: Option<Vec<u8>>| bytes.map(|bytes| secret_hash(&bytes)).transpose();
        let secrets = Secrets {
            client: hash(row.client_secret_hash)?,
            previous: hash(row.previous_secret_hash)?.zip(row.previous_secret_expires_at.map(time)),
            registration: hash(row.registration_secret_hash)?,
        };
        let app = App {
            id: AppId::parse(&row.id).map_err(corrupt("apps.id"))?,
            name: row.name,
            publisher: row.publisher,
            homepage: row.homepage,
            owner: row.owner_id.map(UserId),
            auth_method: AuthMethod::parse(&row.auth_method).map_err(corrupt("apps.auth_method"))?,
            grant_types: split(&row.grant_types, GrantType::parse).map_err(corrupt("apps.grant_types"))?,
            redirect_uris: split(&row.redirect_uris, RedirectUri::parse).map_err(corrupt("apps.redirect_uris"))?,
            post_logout_redirect_uris: split(&row.post_logout_redirect_uris, ReturnUrl::parse)
                .map_err(corrupt("apps.post_logout_redirect_uris"))?,
            scopes: ScopeSet::parse(&row.scopes).map_err(corrupt("apps.scopes"))?,
            resources: split(&row.resources, Resource::parse).map_err(corrupt("apps.resources"))?,
            jwks: row.jwks,
            access_token_alg: SigningAlgorithm::parse(&row.access_token_alg)
                .map_err(corrupt("apps.access_token_alg"))?,
            id_token_alg: SigningAlgorithm::parse(&row.id_token_alg).map_err(corrupt("apps.id_token_alg"))?,
            requires_dpop: row.requires_dpop != 0,
            requires_par: row.requires_par != 0,
            logo: row.logo.as_deref().map(read_logo).transpose()?,
            state: row.disabled_at.map_or(AppState::Active, |since| AppState::Disabled { since: time(since) }),
            created_at: time(row.created_at),
        };
        Ok(Client { app, secrets, revision: Revision(row.revision) })
    }
}

fn read_logo(text: &str) -> Result<LogoId, StoreError> {
    LogoId::parse(text).ok_or_else(|| StoreError::Corrupt("apps.logo".to_owned()))
}

fn app_only(row: Row) -> Result<App, StoreError> {
    Client::try_from(row).map(|client| client.app)
}

pub async fn find(conn: &mut Conn, id: &AppId) -> Result<Option<App>, StoreError> {
    fetch_optional!(conn, Row, FIND, id.as_str())?.map(app_only).transpose()
}

/// The application with what its credentials are checked against.
pub async fn find_with_secrets(conn: &mut Conn, id: &AppId) -> Result<Option<(App, Secrets)>, StoreError> {
    Ok(find_client(conn, id).await?.map(|client| (client.app, client.secrets)))
}

/// The same with its revision.
pub async fn find_client(conn: &mut Conn, id: &AppId) -> Result<Option<Client>, StoreError> {
    fetch_optional!(conn, Row, FIND, id.as_str())?.map(TryFrom::try_from).transpose()
}

/// The same for those that several ask for at once, each in its place: mostly a few applications, and each of them often.
pub async fn find_many(
    conn: &mut Conn,
    ids: &[AppId],
) -> Result<Vec<Result<Option<Arc<Client>>, StoreError>>, StoreError> {
    let Some(c) = conn.postgres() else { return Err(StoreError::not_here("find_many")) };
    let asked: HashSet<&str> = ids.iter().map(AppId::as_str).collect();
    let asked: Vec<&str> = asked.into_iter().collect();
    let rows: Vec<Row> = sqlx::query_as(FIND_MANY_ON_POSTGRES).bind(asked).fetch_all(c).await?;
    // A row that cannot be read is the trouble of who asked for it, and nobody else's.
    let all: HashMap<String, Result<Option<Arc<Client>>, StoreError>> =
        rows.into_iter().map(|row| (row.id.clone(), Client::try_from(row).map(Arc::new).map(Some))).collect();
    Ok(ids.iter().map(|id| lane::own(all.get(id.as_str()))).collect())
}

/// What people call it.
pub async fn name(conn: &mut Conn, id: &AppId) -> Result<Option<String>, StoreError> {
    Ok(fetch_optional!(conn, (String,), NAME, id.as_str())?.map(|(name,)| name))
}

/// The first `limit` applications with this client secret.
pub async fn list_by_secret(conn: &mut Conn, secret: &SecretHash, limit: i64) -> Result<Vec<App>, StoreError> {
    fetch_all!(conn, Row, LIST_BY_SECRET, secret.0.as_slice(), limit)?.into_iter().map(app_only).collect()
}

/// The oldest `limit` applications, of those after this one.
pub async fn list(conn: &mut Conn, after: Option<&AppId>, limit: i64) -> Result<Vec<App>, StoreError> {
    fetch_all!(conn, Row, LIST, after.map(AppId::as_str), limit)?.into_iter().map(app_only).collect()
}

fn joined<T>(items: &[T], text: fn(&T) -> &str) -> String {
    items.iter().map(text).collect::<Vec<_>>().join(" ")
}

/// `false` where the id is taken.
pub async fn insert(conn: &mut Conn, app: &App, secrets: &Secrets) -> Result<bool, StoreError> {
    let rows = execute!(
        conn,
        INSERT,
        app.id.as_str(),
        app.name.as_str(),
        app.publisher.as_str(),
        app.homepage.as_deref(),
        app.owner.map(|owner| owner.0),
        app.auth_method.as_str(),
        joined(&app.grant_types, |grant| grant.as_str()),
        joined(&app.redirect_uris, RedirectUri::as_str),
        joined(&app.post_logout_redirect_uris, ReturnUrl::as_str),
        app.scopes.to_string(),
        joined(&app.resources, Resource::as_str),
        app.jwks.as_deref(),
        app.access_token_alg.as_str(),
        app.id_token_alg.as_str(),
        i64::from(app.requires_dpop),
        i64::from(app.requires_par),
        app.created_at.as_micros(),
        secrets.client.as_ref().map(|hash| hash.0.as_slice()),
        secrets.registration.as_ref().map(|hash| hash.0.as_slice()),
    )?;
    if rows == 1 {
        write_origins(conn, app).await?;
    }
    Ok(rows == 1)
}

/// Writes all but the secrets. `false` where the application is gone.
pub async fn update(conn: &mut Conn, app: &App) -> Result<bool, StoreError> {
    let rows = execute!(
        conn,
        UPDATE,
        app.id.as_str(),
        app.name.as_str(),
        app.publisher.as_str(),
        app.homepage.as_deref(),
        app.owner.map(|owner| owner.0),
        app.auth_method.as_str(),
        joined(&app.grant_types, |grant| grant.as_str()),
        joined(&app.redirect_uris, RedirectUri::as_str),
        joined(&app.post_logout_redirect_uris, ReturnUrl::as_str),
        app.scopes.to_string(),
        joined(&app.resources, Resource::as_str),
        app.jwks.as_deref(),
        app.access_token_alg.as_str(),
        app.id_token_alg.as_str(),
        i64::from(app.requires_dpop),
        i64::from(app.requires_par),
    )?;
    if rows == 1 {
        execute!(conn, CLEAR_ORIGINS, app.id.as_str())?;
        write_origins(conn, app).await?;
    }
    Ok(rows == 1)
}

async fn write_origins(conn: &mut Conn, app: &App) -> Result<(), StoreError> {
    for origin in app.redirect_uris.iter().filter_map(RedirectUri::origin) {
        execute!(conn, ADD_ORIGIN, origin.as_str(), app.id.as_str())?;
    }
    Ok(())
}

/// Whether any application has a redirect URI on this origin.
pub async fn is_origin_registered(conn: &mut Conn, origin: &Origin) -> Result<bool, StoreError> {
    row! {
        struct Found {
            #[expect(dead_code, reason = "only whether there is a row is asked")]
            app_id: String,
        }
    }
    Ok(fetch_optional!(conn, Found, IS_ORIGIN_REGISTERED, origin.as_str())?.is_some())
}

/// The one secret from now on; `None` takes it away.
pub async fn set_secret(conn: &mut Conn, id: &AppId, secret: Option<&SecretHash>) -> Result<bool, StoreError> {
    Ok(execute!(conn, SET_SECRET, id.as_str(), secret.map(|hash| hash.0.as_slice()))? == 1)
}

/// A new secret, beside which the present one is taken for a while. `false` where there is none at present.
pub async fn rotate_secret(
    conn: &mut Conn,
    id: &AppId,
    secret: &SecretHash,
    previous_until: Timestamp,
) -> Result<bool, StoreError> {
    Ok(execute!(conn, ROTATE_SECRET, id.as_str(), secret.0.as_slice(), previous_until.as_micros())? == 1)
}

/// Which applications are looked for; what is left out is any.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// A part of the id, of the name, or of the owner's e-mail address.
    pub text: String,
    pub is_disabled: Option<bool>,
    /// Older ones than this.
    pub before: Option<AppId>,
}

/// The newest `limit` of those that are looked for.
pub async fn search(conn: &mut Conn, search: &Search, limit: i64) -> Result<Vec<App>, StoreError> {
    let before = search.before.as_ref().map(AppId::as_str);
    let rows = fetch_all!(conn, Row, SEARCH, containing(&search.text), state_word(search.is_disabled), before, limit)?;
    rows.into_iter().map(app_only).collect()
}

/// How many there are, and how many of them are disabled.
pub async fn count(conn: &mut Conn) -> Result<(i64, i64), StoreError> {
    Ok(fetch_optional!(conn, (i64, i64), COUNT)?.unwrap_or_default())
}

/// Disables (since when), or enables again. `false` where there is no such application.
pub async fn set_disabled(conn: &mut Conn, id: &AppId, since: Option<Timestamp>) -> Result<bool, StoreError> {
    Ok(execute!(conn, SET_DISABLED, id.as_str(), since.map(Timestamp::as_micros))? == 1)
}

/// Whether the application may do anything, which stays so until the transaction is over.
pub async fn hold_active(conn: &mut Conn, id: &AppId) -> Result<bool, StoreError> {
    Ok(execute!(conn, HOLD_ACTIVE, id.as_str())? == 1)
}

/// Lets nobody else hold the application until the transaction is over.
pub async fn hold(conn: &mut Conn, id: &AppId) -> Result<(), StoreError> {
    execute!(conn, HOLD, id.as_str()).map(|_| ())
}

/// Whether the application is this user's, which stays so until the transaction is over.
pub async fn hold_of_owner(conn: &mut Conn, id: &AppId, owner: UserId) -> Result<bool, StoreError> {
    Ok(execute!(conn, HOLD_OF_OWNER, id.as_str(), owner.0)? == 1)
}

/// From now on only the present secret is taken. `false` where there was no other.
pub async fn drop_previous_secret(conn: &mut Conn, id: &AppId) -> Result<bool, StoreError> {
    Ok(execute!(conn, DROP_PREVIOUS_SECRET, id.as_str())? == 1)
}

/// The oldest `limit` applications of a user, of those after this one.
pub async fn list_of_owner(
    conn: &mut Conn,
    owner: UserId,
    after: Option<&AppId>,
    limit: i64,
) -> Result<Vec<App>, StoreError> {
    let rows = fetch_all!(conn, Row, LIST_OF_OWNER, owner.0, after.map(AppId::as_str), limit)?;
    rows.into_iter().map(app_only).collect()
}

pub async fn count_of_owner(conn: &mut Conn, owner: UserId) -> Result<i64, StoreError> {
    let counted: Option<(i64,)> = fetch_optional!(conn, (i64,), COUNT_OF_OWNER, owner.0)?;
    Ok(counted.map_or(0, |(count,)| count))
}

/// Deletes the application with its buttons, connections, grants, codes, resume handles and its own tokens, so that
/// nothing comes back to life when another one gets its id.
pub async fn delete(conn: &mut Conn, id: &AppId) -> Result<bool, StoreError> {
    execute!(conn, DELETE_OWN_TOKENS, id.as_str())?;
    execute!(conn, DELETE_CLOCK, id.as_str())?;
    Ok(execute!(conn, DELETE, id.as_str())? == 1)
}
