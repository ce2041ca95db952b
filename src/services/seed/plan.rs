//! What applying a seed file comes to, with all that takes long or is drawn at random: hashes of passwords, identifiers,
//! keys. Whoever keeps it can make the same world again at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::super::audit::Acting;
use super::super::endings::Ending;
use super::super::progress;
use super::{Applied, Audience, Context, Seed, SeedError, hash_api_key, make_api_key, partner};
use crate::config::ConfigError;
use crate::config::secret::Secret;
use crate::config::seed::{
    Reference, SeedAccount, SeedApp, SeedButton, SeedCampaign, SeedFile, SeedPassword, SeedSource, SeedUser,
};
use crate::crypto::password::PasswordError;
use crate::domain::account::Account;
use crate::domain::app::{App, AppState};
use crate::domain::button::Button;
use crate::domain::campaign::{Campaign, LeadSource};
use crate::domain::clock_setting::Moments;
use crate::domain::connection::EndedBy;
use crate::domain::event::{Action, Change as EventChange, Target, TargetKind};
use crate::domain::ids::{AccountId, AppId, UserId};
use crate::domain::lead_type::LeadType;
use crate::domain::magic::Magic;
use crate::domain::return_url::ReturnUrl;
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;
use crate::domain::user::{PasswordHash, User, UserState};
use crate::entropy::time_ordered_id;
use crate::store::apps::Secrets;
use crate::store::{Conn, StoreError, accounts, apps, buttons, campaigns, events, lead_types, sessions, users};

/// A seed, and what is drawn for it. Rows that were there keep their identifiers and hashes.
#[derive(Clone)]
pub struct Plan {
    seed: Seed,
    now: Timestamp,
    /// One for each account of the file.
    accounts: Vec<PlannedAccount>,
    /// One for each user of the file.
    users: Vec<PlannedUser>,
}

#[derive(Clone)]
struct PlannedAccount {
    id: AccountId,
    /// The keys that it has, where the file names none.
    kept: Vec<SecretHash>,
    /// The key that it gets where it has none either.
    made: Secret,
}

#[derive(Clone)]
struct PlannedUser {
    id: UserId,
    password: PasswordHash,
}

/// What one world stores of a plan's secrets: its own key is in it.
struct Hashes {
    /// One list for each account of the file.
    api_keys: Vec<Vec<SecretHash>>,
    client_secrets: HashMap<AppId, SecretHash>,
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

impl Plan {
    /// Looks up what the world has, and draws and hashes the rest. Outside any transaction: hashing takes long.
    pub(super) async fn make(ctx: &Context, seed: &Seed) -> Result<Self, SeedError> {
        let now = ctx.now();
        // Passwords are what takes long; to write it all takes a moment.
        progress::expect(seed.file.accounts.len() + seed.file.users.len());
        let mut accounts = Vec::with_capacity(seed.file.accounts.len());
        for account in &seed.file.accounts {
            accounts.push(plan_account(ctx, account, now).await?);
            progress::step(1);
        }
        let mut users = Vec::with_capacity(seed.file.users.len());
        let mut known = Known::of(seed.audience);
        for user in &seed.file.users {
            users.push(plan_user(ctx, user, &mut known, now).await?);
            progress::step(1);
        }
        progress::finish_with("writing it");
        Ok(Self { seed: seed.clone(), now, accounts, users })
    }

    pub(super) fn seed(&self) -> &Seed {
        &self.seed
    }

    /// The same for a world of its own below another address. Buttons that return to the start page of `from` return to
    /// that of `to`; keys that only their hash is known of are made anew.
    pub fn moved(&self, from: &str, to: &str) -> Self {
        let mut plan = self.clone();
        let pages = [from, to].map(|issuer| ReturnUrl::parse(&format!("{issuer}/")));
        if let [Ok(from), Ok(to)] = pages {
            let buttons = plan.seed.file.apps.iter_mut().flat_map(|app| &mut app.buttons);
            for page in buttons.flat_map(|button| &mut button.return_urls).filter(|page| **page == from) {
                page.clone_from(&to);
            }
        }
        plan.accounts.iter_mut().for_each(|account| account.kept.clear());
        plan
    }

    /// Whether the file defines all that it mentions, so that it needs no world to be there before.
    pub fn stands_by_itself(&self) -> Result<(), ConfigError> {
        let file = &self.seed.file;
        let mut accounts = accounts_in(file).filter(|account| !account.in_file);
        let mut sources = file.campaigns.iter().map(|campaign| &campaign.source).filter(|source| !source.in_file);
        if let Some(source) = sources.next() {
            return Err(source.unresolved());
        }
        let owners = file.apps.iter().filter_map(|app| app.owner.as_ref()).find(|owner| !owner.in_file);
        match (accounts.next(), owners) {
            (Some(account), _) => Err(account.unresolved()),
            (None, Some(owner)) => Err(owner.unresolved()),
            (None, None) => Ok(()),
        }
    }

    /// Makes the world so, in one transaction.
    pub(super) async fn apply(self: &Arc<Self>, ctx: &Acting<'_>) -> Result<Applied, SeedError> {
        let (step, event) =
            (self.step(ctx, Onto::World), ctx.event(Action::WorldSeeded, Target::kind(TargetKind::World, "")));
        ctx.store
            .write(move |conn| {
                let (step, mut event) = (step.clone(), event.clone());
                Box::pin(async move {
                    let applied = step.run(conn).await?;
                    if let Ok(Applied { made, changed, .. }) = &applied
                        && made + changed > 0
                    {
                        event.changes = vec![EventChange::new("made", made), EventChange::new("changed", changed)];
                        events::record(conn, &event).await?;
                    }
                    Ok(applied)
                })
            })
            .await?
    }

    /// The same as a part of a transaction.
    pub(in crate::services) fn step(self: &Arc<Self>, ctx: &Context, onto: Onto) -> Arc<Step> {
        let hashes = self.hashes(ctx);
        let ending = Ending { by: EndedBy::Operator, draft: ctx.draft() };
        Arc::new(Step { plan: self.clone(), onto, hashes, ending })
    }

    fn hashes(&self, ctx: &Context) -> Hashes {
        let file = &self.seed.file;
        let api_keys = file.accounts.iter().zip(&self.accounts).map(|(account, planned)| match &account.api_keys {
            Some(given) => given.iter().map(|key| hash_api_key(ctx, key.expose())).collect(),
            None if planned.kept.is_empty() => vec![hash_api_key(ctx, planned.made.expose())],
            None => planned.kept.clone(),
        });
        let client_secret = |app: &SeedApp| {
            let secret = app.client.client_secret.as_ref()?;
            Some((app.id.clone(), partner::hash_client_secret(ctx, secret.expose())))
        };
        Hashes { api_keys: api_keys.collect(), client_secrets: file.apps.iter().filter_map(client_secret).collect() }
    }
}

async fn plan_account(ctx: &Context, seed: &SeedAccount, now: Timestamp) -> Result<PlannedAccount, StoreError> {
    let (wanted, name) = (seed.id.clone(), seed.name.clone());
    let known = ctx.store.read(move |conn| {
        let (wanted, name) = (wanted.clone(), name.clone());
        Box::pin(async move {
            let id = match wanted {
                Some(id) => Some(id),
                None => accounts::find_by_name(conn, &name).await?.map(|account| account.id),
            };
            let kept = match &id {
                Some(id) => accounts::list_api_keys(conn, id).await?,
                None => Vec::new(),
            };
            Ok((id, kept))
        })
    });
    let (id, kept) = known.await?;
    let id = id.unwrap_or_else(|| time_ordered_id(&*ctx.entropy, now).into());
    Ok(PlannedAccount { id, kept, made: Secret::new(make_api_key(ctx)) })
}

async fn plan_user<'s>(
    ctx: &Context,
    seed: &'s SeedUser,
    known_hashes: &mut Known<'s>,
    now: Timestamp,
) -> Result<PlannedUser, SeedError> {
    let email = seed.email.clone();
    let stored = ctx.store.read(move |conn| {
        let email = email.clone();
        Box::pin(async move { users::find_by_email(conn, &email).await })
    });
    let (known, stored) = stored.await?.unzip();
    let password = match &seed.password {
        SeedPassword::Hash(hash) => hash.clone(),
        SeedPassword::Plain(plain) => known_hashes.hash(ctx, plain.expose(), stored).await?,
    };
    let id = known.map_or_else(|| UserId(time_ordered_id(&*ctx.entropy, now)), |user| user.id);
    Ok(PlannedUser { id, password })
}

/// Passwords of a file with a hash that is theirs, so that none is worked out twice.
struct Known<'s> {
    hashes: HashMap<&'s str, PasswordHash>,
    /// Whether users with one password have one hash. Everybody knows the demonstration's, and salts would hide nothing;
    /// elsewhere each user has a salt.
    are_shared: bool,
}

impl<'s> Known<'s> {
    fn of(audience: Audience) -> Self {
        Self { hashes: HashMap::new(), are_shared: audience == Audience::Demonstration }
    }

    /// `stored`, where it is of this password, else another.
    async fn hash(
        &mut self,
        ctx: &Context,
        plain: &'s str,
        stored: Option<PasswordHash>,
    ) -> Result<PasswordHash, PasswordError> {
        let known = self.hashes.get(plain);
        let hash = match (stored, known) {
            (Some(stored), Some(known)) if stored == *known => stored,
            (Some(stored), _) if ctx.passwords.verify(plain, Some(stored.clone())).await? => stored,
            (_, Some(known)) if self.are_shared => known.clone(),
            _ => ctx.passwords.hash(plain).await?,
        };
        self.hashes.insert(plain, hash.clone());
        Ok(hash)
    }
}

/// Where a plan is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::services) enum Onto {
    /// A world with whatever it has.
    World,
    /// One that the same transaction has emptied: nobody is asked what is there.
    Nothing,
}

/// A plan as a part of a transaction of one world.
pub(in crate::services) struct Step {
    plan: Arc<Plan>,
    onto: Onto,
    hashes: Hashes,
    ending: Ending,
}

impl Step {
    pub(in crate::services) async fn run(&self, conn: &mut Conn) -> Result<Result<Applied, SeedError>, StoreError> {
        // Judged before anything is written, so that a file is applied whole or not at all.
        if let Some(unresolved) = self.unresolved_reference(conn).await? {
            return Ok(Err(unresolved.into()));
        }
        let mut applied = Applied::default();
        self.accounts(conn, &mut applied).await?;
        for (nth, (user, planned)) in (0..).zip(self.file().users.iter().zip(&self.plan.users)) {
            // A microsecond apart, so that lists keep the order of the file.
            let now = self.plan.now.plus(Duration::from_micros(nth));
            let (change, id) = self.user(conn, user, planned, now).await?;
            applied.count(change);
            applied.met_others |= id != planned.id;
        }
        for app in &self.file().apps {
            applied.count(self.app(conn, app).await?);
            for button in &app.buttons {
                applied.count(self.button(conn, &app.id, button).await?);
            }
        }
        self.leads(conn, &mut applied).await?;
        Ok(Ok(applied))
    }

    async fn leads(&self, conn: &mut Conn, applied: &mut Applied) -> Result<(), StoreError> {
        let known = match self.onto {
            Onto::Nothing => Vec::new(),
            Onto::World => lead_types::list(conn).await?,
        };
        for lead_type in &self.file().lead_types {
            let lead_type = LeadType {
                uid: i64::from(lead_type.uid),
                name: lead_type.name.clone(),
                required: lead_type.required.clone(),
                unique: lead_type.unique.clone(),
            };
            let changed = lead_types::upsert(conn, &lead_type).await?;
            let made = known.iter().all(|known| known.uid != lead_type.uid);
            applied.count(change(made, changed));
        }
        for source in &self.file().sources {
            applied.count(self.source(conn, source).await?);
        }
        for campaign in &self.file().campaigns {
            applied.count(self.campaign(conn, campaign).await?);
        }
        Ok(())
    }

    async fn source(&self, conn: &mut Conn, seed: &SeedSource) -> Result<Change, StoreError> {
        let source = LeadSource {
            vid: i64::from(seed.vid),
            account: self.account(conn, &seed.account).await?,
            name: seed.name.clone(),
            is_enabled: seed.is_enabled,
        };
        let made = self.there(campaigns::find_source(conn, source.vid)).await?.is_none();
        Ok(change(made, campaigns::upsert_source(conn, &source).await?))
    }

    async fn campaign(&self, conn: &mut Conn, seed: &SeedCampaign) -> Result<Change, StoreError> {
        let wanted = Campaign {
            aid: i64::from(seed.aid),
            vid: i64::from(seed.source.to),
            lead_type: i64::from(seed.lead_type),
            name: seed.name.clone(),
            is_enabled: seed.is_enabled,
            daily_cap: seed.daily_cap.map(i64::from),
            criteria: seed.criteria.clone(),
        };
        match self.there(campaigns::find(conn, wanted.aid)).await? {
            None => campaigns::insert(conn, &wanted).await.map(|()| Change::Made),
            Some(existing) if existing == wanted => Ok(Change::None),
            Some(_) => campaigns::update(conn, &wanted).await.map(|()| Change::Changed),
        }
    }

    /// What is there already.
    async fn there<T>(
        &self,
        look: impl Future<Output = Result<Option<T>, StoreError>>,
    ) -> Result<Option<T>, StoreError> {
        match self.onto {
            Onto::Nothing => Ok(None),
            Onto::World => look.await,
        }
    }

    /// The account that something of the file belongs to.
    async fn account(&self, conn: &mut Conn, reference: &Reference<String>) -> Result<AccountId, StoreError> {
        let found = match self.onto {
            Onto::Nothing => self.planned_account(&reference.to),
            Onto::World => find_account(conn, reference).await?.map(|account| account.id),
        };
        found.ok_or(StoreError::Again)
    }

    /// As [`find_account`] would find it.
    fn planned_account(&self, to: &str) -> Option<AccountId> {
        let by_id = self.plan.accounts.iter().find(|planned| planned.id.as_str() == to);
        let mut named = self.file().accounts.iter().zip(&self.plan.accounts);
        let planned = by_id.or_else(|| named.find(|(seed, _)| seed.name == to).map(|(_, planned)| planned));
        planned.map(|planned| planned.id.clone())
    }

    fn file(&self) -> &SeedFile {
        &self.plan.seed.file
    }

    async fn unresolved_reference(&self, conn: &mut Conn) -> Result<Option<ConfigError>, StoreError> {
        for account in accounts_in(self.file()).filter(|account| !account.in_file) {
            if find_account(conn, account).await?.is_none() {
                return Ok(Some(account.unresolved()));
            }
        }
        for source in self.file().campaigns.iter().map(|campaign| &campaign.source).filter(|source| !source.in_file) {
            if campaigns::find_source(conn, i64::from(source.to)).await?.is_none() {
                return Ok(Some(source.unresolved()));
            }
        }
        for owner in self.file().apps.iter().filter_map(|app| app.owner.as_ref()).filter(|owner| !owner.in_file) {
            if users::find_by_email(conn, &owner.to).await?.is_none() {
                return Ok(Some(owner.unresolved()));
            }
        }
        Ok(None)
    }

    async fn accounts(&self, conn: &mut Conn, applied: &mut Applied) -> Result<(), StoreError> {
        let now = self.plan.now;
        for ((seed, planned), hashes) in self.file().accounts.iter().zip(&self.plan.accounts).zip(&self.hashes.api_keys)
        {
            let id = match &seed.id {
                Some(id) => id.clone(),
                None => {
                    let named = self.there(accounts::find_by_name(conn, &seed.name)).await?;
                    named.map_or_else(|| planned.id.clone(), |account| account.id)
                }
            };
            let account = Account { id, name: seed.name.clone() };
            let made = accounts::insert(conn, &account, now).await?;
            let mut changed = !made && accounts::rename(conn, &account.id, &account.name).await?;
            // Keys of an account whose file names none are made once.
            if seed.api_keys.is_some() || !accounts::has_api_keys(conn, &account.id).await? {
                for hash in hashes {
                    changed |= accounts::add_api_key(conn, &account.id, hash, now).await?;
                }
                if seed.api_keys.is_none() && planned.kept.is_empty() {
                    applied.api_keys.push((account.id.clone(), planned.made.expose().to_owned()));
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
        planned: &PlannedUser,
        now: Timestamp,
    ) -> Result<(Change, UserId), StoreError> {
        let account = self.account(conn, &seed.account).await?;
        let magic = match self.plan.seed.audience {
            Audience::Demonstration => seed.email.as_str().split('@').next().and_then(Magic::parse),
            Audience::Ordinary => None,
        };
        let existing = self.there(users::find_by_email(conn, &seed.email)).await?;
        let wanted = User {
            id: existing.as_ref().map_or(planned.id, |(user, _)| user.id),
            account,
            email: seed.email.clone(),
            name: seed.name.clone(),
            role: seed.role,
            magic,
            state: existing.as_ref().map_or(UserState::Active, |(user, _)| user.state),
            created_at: existing.as_ref().map_or(now, |(user, _)| user.created_at),
        };
        let Some((user, password)) = existing else {
            users::insert(conn, &wanted, &planned.password).await?;
            return Ok((Change::Made, wanted.id));
        };
        let new_password = password != planned.password;
        if new_password {
            users::set_password(conn, user.id, &planned.password).await?;
            // As when an operator sets one: what was opened under the old one is over (rule F8).
            sessions::end_all_of_user(conn, user.id, self.plan.now).await?;
            let at = Moments { server: self.plan.now, apart: Vec::new() };
            self.ending.all_of_user(conn, user.id, &at).await?;
        }
        if user != wanted {
            users::update(conn, &wanted).await?;
        }
        Ok((change(false, new_password || user != wanted), wanted.id))
    }

    async fn app(&self, conn: &mut Conn, seed: &SeedApp) -> Result<Change, StoreError> {
        let owner = match &seed.owner {
            Some(owner) => users::find_by_email(conn, &owner.to).await?.map(|(user, _)| user.id),
            None => None,
        };
        let (existing, stored) = self.there(apps::find_with_secrets(conn, &seed.id)).await?.unzip();
        let secret = self.hashes.client_secrets.get(&seed.id);
        let client = &seed.client;
        let wanted = App {
            id: seed.id.clone(),
            name: seed.name.clone(),
            publisher: seed.publisher.clone(),
            owner,
            homepage: None,
            logo: existing.as_ref().and_then(|app| app.logo.clone()),
            state: self.app_state(seed, existing.as_ref()),
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
            created_at: existing.as_ref().map_or(self.plan.now, |app| app.created_at),
        };
        let Some(existing) = existing else {
            apps::insert(conn, &wanted, &Secrets { client: secret.copied(), ..Secrets::default() }).await?;
            if !wanted.is_active() {
                self.set_app_state(conn, &wanted).await?;
            }
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
        if existing.state != wanted.state {
            self.set_app_state(conn, &wanted).await?;
        }
        Ok(change(false, !same_secret || existing != wanted))
    }

    /// Whether an application is to be disabled; where the file does not say, it stays as it is.
    fn app_state(&self, seed: &SeedApp, existing: Option<&App>) -> AppState {
        let now = existing.map_or(AppState::Active, |app| app.state);
        match (seed.is_disabled, now) {
            (Some(true), AppState::Active) => AppState::Disabled { since: self.plan.now },
            (Some(false), _) => AppState::Active,
            (None | Some(true), state) => state,
        }
    }

    /// What was connected ends with being disabled, and stays so.
    async fn set_app_state(&self, conn: &mut Conn, app: &App) -> Result<(), StoreError> {
        let AppState::Disabled { since } = app.state else {
            return apps::set_disabled(conn, &app.id, None).await.map(|_| ());
        };
        apps::set_disabled(conn, &app.id, Some(since)).await?;
        self.ending.all_of_app(conn, &app.id, since).await.map(|_| ())
    }

    async fn button(&self, conn: &mut Conn, app: &AppId, seed: &SeedButton) -> Result<Change, StoreError> {
        let existing = self.there(buttons::find(conn, &seed.id)).await?;
        let wanted = Button {
            id: seed.id.clone(),
            app: app.clone(),
            origins: sorted(&seed.origins),
            return_urls: sorted(&seed.return_urls),
            scopes: seed.scopes.clone(),
            theme: seed.theme.or(existing.as_ref().map(|button| button.theme)).unwrap_or_default(),
            size: seed.size.or(existing.as_ref().map(|button| button.size)).unwrap_or_default(),
            created_at: existing.as_ref().map_or(self.plan.now, |button| button.created_at),
        };
        match existing {
            None => buttons::insert(conn, &wanted).await.map(|_| Change::Made),
            Some(existing) if existing == wanted => Ok(Change::None),
            Some(_) => buttons::update(conn, &wanted).await.map(|_| Change::Changed),
        }
    }
}

/// Lists are sets: the database gives them back in their order, each once.
pub(in crate::services) fn sorted<T: Ord + Clone>(list: &[T]) -> Vec<T> {
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

/// Each account that users or lead sources belong to.
fn accounts_in(file: &SeedFile) -> impl Iterator<Item = &Reference<String>> {
    file.users.iter().map(|user| &user.account).chain(file.sources.iter().map(|source| &source.account))
}

async fn find_account(conn: &mut Conn, reference: &Reference<String>) -> Result<Option<Account>, StoreError> {
    if let Ok(id) = AccountId::parse(&reference.to)
        && let Some(account) = accounts::find(conn, &id).await?
    {
        return Ok(Some(account));
    }
    accounts::find_by_name(conn, &reference.to).await
}
