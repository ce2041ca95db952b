//! Applying a seed file: what it names is there afterwards, as it says; what it does not name is left
//! alone; applying it again changes nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Context, partner};
use crate::config::ConfigError;
use crate::config::seed::{Reference, SeedApp, SeedButton, SeedFile, SeedPassword, SeedUser};
use crate::crypto::mac::Purpose;
use crate::crypto::password::PasswordError;
use crate::domain::account::Account;
use crate::domain::app::App;
use crate::domain::button::Button;
use crate::domain::connection::EndedBy;
use crate::domain::email::Email;
use crate::domain::ids::{AccountId, AppId, ButtonId, UserId};
use crate::domain::lead_type::LeadType;
use crate::domain::magic::Magic;
use crate::domain::origin::Origin;
use crate::domain::return_url::ReturnUrl;
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::{PasswordHash, User, UserState};
use crate::entropy::time_ordered_id;
use crate::store::apps::Secrets;
use crate::store::{Conn, StoreError, accounts, apps, buttons, connections, lead_types, sessions, users};

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
}

#[derive(Clone, Copy)]
enum Change {
    Made,
    Changed,
    None,
}

impl Applied {
    fn count(&mut self, change: Change) {
        match change {
            Change::Made => self.made += 1,
            Change::Changed => self.changed += 1,
            Change::None => self.unchanged += 1,
        }
    }
}

/// Whether the users whose names say so are the demonstration's magic ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    Demonstration,
    Ordinary,
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
pub async fn apply(ctx: &Context, file: &SeedFile, audience: Audience) -> Result<Applied, SeedError> {
    let passwords = hash_passwords(ctx, file).await?;
    let now = ctx.now();
    let plan = Plan {
        file: file.clone(),
        passwords,
        audience,
        now,
        // Identifiers and keys are drawn before the transaction, which may run twice.
        account_ids: file.accounts.iter().map(|_| time_ordered_id(&*ctx.entropy, now).into()).collect(),
        user_ids: file.users.iter().map(|_| UserId(time_ordered_id(&*ctx.entropy, now))).collect(),
        api_keys: api_keys(ctx, file),
        client_secrets: client_secrets(ctx, file),
    };
    let plan = Arc::new(plan);
    ctx.store
        .write(move |conn| {
            let plan = plan.clone();
            Box::pin(async move { plan.run(conn).await })
        })
        .await?
}

/// A hash for each password that is not the user's already. Outside the transaction: hashing takes long.
async fn hash_passwords(ctx: &Context, file: &SeedFile) -> Result<HashMap<Email, PasswordHash>, SeedError> {
    let mut hashes = HashMap::new();
    for user in &file.users {
        let email = user.email.clone();
        let stored = ctx
            .store
            .read(move |conn| {
                let email = email.clone();
                Box::pin(async move { users::find_by_email(conn, &email).await })
            })
            .await?
            .map(|(_, hash)| hash);
        let hash = match &user.password {
            SeedPassword::Hash(hash) if stored.as_ref() == Some(hash) => continue,
            SeedPassword::Hash(hash) => hash.clone(),
            SeedPassword::Plain(password) => {
                if stored.is_some() && ctx.passwords.verify(password.expose(), stored).await? {
                    continue;
                }
                ctx.passwords.hash(password.expose()).await?
            }
        };
        hashes.insert(user.email.clone(), hash);
    }
    Ok(hashes)
}

/// What is stored of an API key: keyed, because a person may have chosen it.
pub(super) fn hash_api_key(ctx: &Context, key: &str) -> SecretHash {
    SecretHash(ctx.keys.ring().first_mac().sign(Purpose::ApiKey, key.as_bytes()))
}

/// A fresh API key: a GUID, as LeadExec's are; from 122 random bits of a version-4 UUID.
pub(super) fn make_api_key(ctx: &Context) -> String {
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

/// For each account its keys, hashed; a made one in clear beside its hash.
fn api_keys(ctx: &Context, file: &SeedFile) -> Vec<AccountKeys> {
    let hash = |key: &str| hash_api_key(ctx, key);
    let keys = |account: &crate::config::seed::SeedAccount| match &account.api_keys {
        Some(given) => AccountKeys::Given(given.iter().map(|key| hash(key.expose())).collect()),
        None => {
            let key = make_api_key(ctx);
            AccountKeys::Made { hash: hash(&key), key }
        }
    };
    file.accounts.iter().map(keys).collect()
}

fn client_secrets(ctx: &Context, file: &SeedFile) -> HashMap<AppId, SecretHash> {
    let hash = |app: &SeedApp| {
        let secret = app.client.client_secret.as_ref()?;
        Some((app.id.clone(), partner::hash_client_secret(ctx, secret.expose())))
    };
    file.apps.iter().filter_map(hash).collect()
}

enum AccountKeys {
    Given(Vec<SecretHash>),
    Made { key: String, hash: SecretHash },
}

struct Plan {
    file: SeedFile,
    passwords: HashMap<Email, PasswordHash>,
    audience: Audience,
    now: Timestamp,
    account_ids: Vec<AccountId>,
    user_ids: Vec<UserId>,
    api_keys: Vec<AccountKeys>,
    client_secrets: HashMap<AppId, SecretHash>,
}

impl Plan {
    async fn run(&self, conn: &mut Conn) -> Result<Result<Applied, SeedError>, StoreError> {
        // Judged before anything is written, so that a file is applied whole or not at all.
        if let Some(unresolved) = self.unresolved_reference(conn).await? {
            return Ok(Err(unresolved.into()));
        }
        let mut applied = Applied::default();
        self.accounts(conn, &mut applied).await?;
        for (nth, (user, id)) in (0..).zip(self.file.users.iter().zip(&self.user_ids)) {
            // A microsecond apart, so that lists keep the order of the file.
            let now = self.now.plus(Duration::from_micros(nth));
            applied.count(self.user(conn, user, *id, now).await?);
        }
        for app in &self.file.apps {
            applied.count(self.app(conn, app).await?);
            for button in &app.buttons {
                applied.count(self.button(conn, &app.id, button).await?);
            }
        }
        let known: Vec<i64> = lead_types::list(conn).await?.iter().map(|known| known.uid).collect();
        for lead_type in &self.file.lead_types {
            let lead_type = LeadType {
                uid: i64::from(lead_type.uid),
                name: lead_type.name.clone(),
                required: lead_type.required.clone(),
                unique: lead_type.unique.clone(),
            };
            let changed = lead_types::upsert(conn, &lead_type).await?;
            let made = !known.contains(&lead_type.uid);
            applied.count(change(made, changed));
        }
        Ok(Ok(applied))
    }

    async fn unresolved_reference(&self, conn: &mut Conn) -> Result<Option<ConfigError>, StoreError> {
        for account in self.file.users.iter().map(|user| &user.account).filter(|account| !account.in_file) {
            if find_account(conn, account).await?.is_none() {
                return Ok(Some(account.unresolved()));
            }
        }
        for owner in self.file.apps.iter().filter_map(|app| app.owner.as_ref()).filter(|owner| !owner.in_file) {
            if users::find_by_email(conn, &owner.to).await?.is_none() {
                return Ok(Some(owner.unresolved()));
            }
        }
        Ok(None)
    }

    async fn accounts(&self, conn: &mut Conn, applied: &mut Applied) -> Result<(), StoreError> {
        for ((seed, fresh), keys) in self.file.accounts.iter().zip(&self.account_ids).zip(&self.api_keys) {
            let id = match &seed.id {
                Some(id) => id.clone(),
                None => {
                    let named = accounts::find_by_name(conn, &seed.name).await?;
                    named.map_or_else(|| fresh.clone(), |account| account.id)
                }
            };
            let account = Account { id, name: seed.name.clone() };
            let made = accounts::insert(conn, &account, self.now).await?;
            let mut changed = !made && accounts::rename(conn, &account.id, &account.name).await?;
            match keys {
                AccountKeys::Given(hashes) => {
                    for hash in hashes {
                        changed |= accounts::add_api_key(conn, &account.id, hash, self.now).await?;
                    }
                }
                AccountKeys::Made { key, hash } => {
                    if !accounts::has_api_keys(conn, &account.id).await? {
                        changed |= accounts::add_api_key(conn, &account.id, hash, self.now).await?;
                        applied.api_keys.push((account.id.clone(), key.clone()));
                    }
                }
            }
            applied.count(change(made, changed));
        }
        Ok(())
    }

    async fn user(
        &self,
        conn: &mut Conn,
        seed: &SeedUser,
        fresh: UserId,
        now: Timestamp,
    ) -> Result<Change, StoreError> {
        let account = find_account(conn, &seed.account).await?.ok_or(StoreError::Again)?;
        let magic = match self.audience {
            Audience::Demonstration => seed.email.as_str().split('@').next().and_then(Magic::parse),
            Audience::Ordinary => None,
        };
        let existing = users::find_by_email(conn, &seed.email).await?;
        let wanted = User {
            id: existing.as_ref().map_or(fresh, |(user, _)| user.id),
            account: account.id,
            email: seed.email.clone(),
            name: seed.name.clone(),
            role: seed.role,
            magic,
            state: existing.as_ref().map_or(UserState::Active, |(user, _)| user.state),
            created_at: existing.as_ref().map_or(now, |(user, _)| user.created_at),
        };
        let password = self.passwords.get(&seed.email);
        let Some((user, _)) = existing else {
            let Some(password) = password else {
                // Deleted while we hashed: whoever applies the file again finds it missing from the start.
                return Err(StoreError::Again);
            };
            users::insert(conn, &wanted, password).await?;
            return Ok(Change::Made);
        };
        if let Some(password) = password {
            users::set_password(conn, user.id, password).await?;
            // As when an operator sets one: what was opened under the old one is over (rule F8).
            sessions::end_all_of_user(conn, user.id, self.now).await?;
            connections::end_all_of_user(conn, user.id, self.now, EndedBy::Operator).await?;
        }
        if user != wanted {
            users::update(conn, &wanted).await?;
        }
        Ok(change(false, password.is_some() || user != wanted))
    }

    async fn app(&self, conn: &mut Conn, seed: &SeedApp) -> Result<Change, StoreError> {
        let owner = match &seed.owner {
            Some(owner) => users::find_by_email(conn, &owner.to).await?.map(|(user, _)| user.id),
            None => None,
        };
        let (existing, stored) = apps::find_with_secrets(conn, &seed.id).await?.unzip();
        let secret = self.client_secrets.get(&seed.id);
        let client = &seed.client;
        let wanted = App {
            id: seed.id.clone(),
            name: seed.name.clone(),
            publisher: seed.publisher.clone(),
            owner,
            homepage: None,
            auth_method: client.auth_method,
            grant_types: client.grant_types.clone(),
            redirect_uris: client.redirect_uris.clone(),
            post_logout_redirect_uris: client.post_logout_redirect_uris.clone(),
            scopes: client.scopes.clone(),
            resources: client.resources.clone(),
            jwks: client.jwks.clone(),
            access_token_alg: client.access_token_alg,
            id_token_alg: client.id_token_alg,
            requires_dpop: client.requires_dpop,
            requires_par: client.requires_par,
            created_at: existing.as_ref().map_or(self.now, |app| app.created_at),
        };
        let Some(existing) = existing else {
            apps::insert(conn, &wanted, &Secrets { client: secret.copied(), ..Secrets::default() }).await?;
            return Ok(Change::Made);
        };
        let stored = stored.and_then(|stored| stored.client);
        let same_secret = stored.map(|hash| hash.0) == secret.map(|hash| hash.0);
        if !same_secret {
            apps::set_secret(conn, &seed.id, secret).await?;
        }
        if existing != wanted {
            apps::update(conn, &wanted).await?;
        }
        Ok(change(false, !same_secret || existing != wanted))
    }

    async fn button(&self, conn: &mut Conn, app: &AppId, seed: &SeedButton) -> Result<Change, StoreError> {
        let existing = buttons::find(conn, &seed.id).await?;
        let wanted = Button {
            id: seed.id.clone(),
            app: app.clone(),
            origins: sorted(&seed.origins),
            return_urls: sorted(&seed.return_urls),
            scopes: seed.scopes.clone(),
            created_at: existing.as_ref().map_or(self.now, |button| button.created_at),
        };
        match existing {
            None => buttons::insert(conn, &wanted).await.map(|_| Change::Made),
            Some(existing) if existing == wanted => Ok(Change::None),
            Some(_) => buttons::update(conn, &wanted).await.map(|_| Change::Changed),
        }
    }
}

/// Lists are sets: the database gives them back in their order, each once.
fn sorted<T: Ord + Clone>(list: &[T]) -> Vec<T> {
    let mut list = list.to_vec();
    list.sort_unstable();
    list.dedup();
    list
}

fn change(made: bool, changed: bool) -> Change {
    match (made, changed) {
        (true, _) => Change::Made,
        (false, true) => Change::Changed,
        (false, false) => Change::None,
    }
}

async fn find_account(conn: &mut Conn, reference: &Reference<String>) -> Result<Option<Account>, StoreError> {
    if let Ok(id) = AccountId::parse(&reference.to)
        && let Some(account) = accounts::find(conn, &id).await?
    {
        return Ok(Some(account));
    }
    accounts::find_by_name(conn, &reference.to).await
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
