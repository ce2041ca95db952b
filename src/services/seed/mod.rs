//! Applying a seed file: what it names is there afterwards, as it says; what it does not name is left
//! alone; applying it again changes nothing.

mod plan;

use std::sync::Arc;

use tokio::sync::OnceCell;

use super::audit::{Acting, By};
use super::{Context, partner};
use crate::config::ConfigError;
use crate::config::seed::SeedFile;
use crate::crypto::mac::Purpose;
use crate::crypto::password::PasswordError;
use crate::domain::email::Email;
use crate::domain::ids::{AccountId, ButtonId};
use crate::domain::origin::Origin;
use crate::domain::return_url::ReturnUrl;
use crate::domain::secret_hash::SecretHash;
use crate::store::{StoreError, accounts, apps, buttons, users};

pub use plan::Plan;
pub(super) use plan::{Onto, sorted};

#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// A reference to what neither the file nor the database has.
    #[error(transparent)]
    File(#[from] ConfigError),
    #[error(transparent)]
    Password(#[from] PasswordError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What applying a file did.
#[derive(Debug, Default, Clone)]
pub struct Applied {
    pub made: usize,
    pub changed: usize,
    pub unchanged: usize,
    /// Keys that were made for accounts whose file names none: shown this once.
    pub api_keys: Vec<(AccountId, String)>,
    /// Whether a user was there whom the plan did not know of.
    met_others: bool,
}

/// Whether the users whose names say so are the demonstration's magic ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audience {
    Demonstration,
    #[default]
    Ordinary,
}

/// A file, and whom it is for.
#[derive(Clone, Default)]
pub struct Seed {
    pub file: SeedFile,
    pub audience: Audience,
}

/// What a world begins with, and with again at each reset.
#[derive(Default)]
pub struct WorldSeed {
    pub seed: Seed,
    /// Made when it is first needed: hashing passwords takes long.
    plan: OnceCell<Arc<Plan>>,
}

impl WorldSeed {
    pub fn new(seed: Seed) -> Self {
        Self { seed, plan: OnceCell::new() }
    }

    /// Of a world that is made as another one began.
    pub(super) fn planned(plan: Plan) -> Self {
        Self { seed: plan.seed().clone(), plan: OnceCell::new_with(Some(Arc::new(plan))) }
    }
}

/// Whether nothing was ever put into the database.
pub async fn is_empty(ctx: &Context) -> Result<bool, StoreError> {
    ctx.store
        .read(|conn| {
            Box::pin(async move {
                Ok(accounts::list(conn, None, 1).await?.is_empty()
                    && users::list(conn, None, 1).await?.is_empty()
                    && apps::list(conn, None, 1).await?.is_empty())
            })
        })
        .await
}

/// Applies a file, whole or not at all.
pub async fn apply(ctx: &Acting<'_>, file: &SeedFile, audience: Audience) -> Result<Applied, SeedError> {
    let seed = Seed { file: file.clone(), audience };
    Arc::new(Plan::make(ctx, &seed).await?).apply(ctx).await
}

/// Applies what the world begins with, and keeps the plan for a reset.
pub async fn begin(ctx: &Context) -> Result<Applied, SeedError> {
    let plan = match ctx.seed.plan.get() {
        Some(plan) => plan.clone(),
        None => Arc::new(Plan::make(ctx, &ctx.seed.seed).await?),
    };
    let applied = plan.apply(&ctx.acting(By::server())).await?;
    // Where another node came between, its identifiers are those of this world: they are looked up when they are needed.
    if !applied.met_others {
        let _ = ctx.seed.plan.set(plan);
    }
    Ok(applied)
}

/// The plan that this world began with.
pub(super) async fn own_plan(ctx: &Context) -> Result<Arc<Plan>, SeedError> {
    let make = || async { Plan::make(ctx, &ctx.seed.seed).await.map(Arc::new) };
    ctx.seed.plan.get_or_try_init(make).await.cloned()
}

/// What is stored of an API key: keyed, because a person may have chosen it.
pub(super) fn hash_api_key(ctx: &Context, key: &str) -> SecretHash {
    SecretHash(ctx.keys.ring().first_mac().sign(Purpose::ApiKey, key.as_bytes()))
}

/// A fresh API key: a GUID, as LeadExec's are; from 122 random bits of a version-4 UUID.
pub fn make_api_key(ctx: &Context) -> String {
    let mut random = [0; 16];
    ctx.entropy.fill(&mut random);
    uuid::Builder::from_random_bytes(random).into_uuid().to_string()
}

/// Applications and accounts that are named, of those that share a secret.
const NAMED: i64 = 10;

/// Who has one of these secrets: users of `emails`, any application, any account. Each is named with what it
/// has. For secrets that everybody knows.
pub async fn holders_of(ctx: &Context, emails: &[Email], secrets: &[&str]) -> Result<Vec<String>, SeedError> {
    let mut holders = Vec::new();
    for email in emails {
        let wanted = email.clone();
        let found = ctx
            .store
            .read(move |conn| {
                let email = wanted.clone();
                Box::pin(async move { users::find_by_email(conn, &email).await })
            })
            .await?;
        let Some((_, hash)) = found else { continue };
        for secret in secrets {
            if ctx.passwords.verify(secret, Some(hash.clone())).await? {
                holders.push(format!("the password of {email}"));
            }
        }
    }
    for secret in secrets {
        let (client, key) = (partner::hash_client_secret(ctx, secret), hash_api_key(ctx, secret));
        let found = ctx.store.read(move |conn| {
            Box::pin(async move {
                let apps = apps::list_by_secret(conn, &client, NAMED).await?;
                Ok((apps, accounts::find_by_api_key(conn, &key).await?))
            })
        });
        let (apps, account) = found.await?;
        holders.extend(apps.iter().map(|app| format!("the client secret of {}", app.id)));
        holders.extend(account.map(|account| format!("an API key of {}", account.id)));
    }
    Ok(holders)
}

/// Lists the server's own origin, and the page at its root, for the demonstration's buttons where they are
/// still there.
pub async fn list_issuer(ctx: &Context, demonstration: &SeedFile, origin: &Origin) -> Result<(), StoreError> {
    let own = demonstration.apps.iter().flat_map(|app| &app.buttons);
    let own: Vec<(ButtonId, Vec<ReturnUrl>)> = own
        .map(|button| {
            let pages = button.return_urls.iter().filter(|url| url.origin().as_ref() == Some(origin));
            (button.id.clone(), pages.cloned().collect())
        })
        .collect();
    let (own, origin) = (Arc::new(own), origin.clone());
    ctx.store
        .write(move |conn| {
            let (own, origin) = (own.clone(), origin.clone());
            Box::pin(async move {
                for (id, pages) in own.iter() {
                    let Some(mut button) = buttons::find(conn, id).await? else { continue };
                    if !button.allows_origin(&origin) {
                        button.origins.push(origin.clone());
                        button.return_urls.extend(pages.iter().cloned());
                        buttons::update(conn, &button).await?;
                    }
                }
                Ok(())
            })
        })
        .await
}
