//! Namespaces (wire.md E): whole worlds beside the server's, each with a store, keys, clocks and a journal of its own, made
//! from the same seed. What is dear is shared: the hashes of the seed's passwords, and the room to hash more.
//!
//! On SQLite they live in the memory of the process that made them. On PostgreSQL each is a schema that is listed in the
//! server's own, so that another node can serve it, and any node drops what is over.

use std::sync::Arc;
use std::time::Duration;

use super::Context;
use super::audit::EventIds;
use super::clocks;
use super::faults::Faults;
use super::journal::Journal;
use super::keys::{self, KeysError};
use super::seed::{self, SeedError, WorldSeed};
use super::throttle::Throttle;
use super::webhooks::{self, Webhooks};
use crate::domain::ids::AccountId;
use crate::domain::namespace::{MAX_NAMESPACES, Namespace, NamespaceId};
use crate::store::{OpenError, StoreError, namespaces};

#[derive(Debug, thiserror::Error)]
pub enum NamespaceError {
    #[error("there are {MAX_NAMESPACES} namespaces already: delete one, or wait until one is over")]
    TooMany,
    #[error(transparent)]
    Seed(#[from] SeedError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A namespace that was just made.
pub struct Made {
    pub namespace: Namespace,
    pub ctx: Arc<Context>,
    /// Of accounts whose seed names no keys: shown this once.
    pub api_keys: Vec<(AccountId, String)>,
}

/// The issuer of a namespace of this world.
pub fn issuer(ctx: &Context, id: &NamespaceId) -> String {
    format!("{}/ns/{id}", ctx.issuer)
}

/// Makes a world that lives for `ttl`. Where namespaces are in memory, who keeps them minds their number.
pub async fn make(ctx: &Context, ttl: Duration) -> Result<Made, NamespaceError> {
    let plan = seed::own_plan(ctx).await?;
    plan.stands_by_itself().map_err(SeedError::from)?;
    let mut random = [0; 8];
    ctx.entropy.fill(&mut random);
    let created_at = ctx.real_now();
    let namespace = Namespace { id: NamespaceId::of(random), created_at, expires_at: created_at.plus(ttl) };
    if ctx.store.has_shared_namespaces() {
        let listed = namespace.clone();
        let listed = ctx.store.write(move |conn| {
            let listed = listed.clone();
            Box::pin(async move { namespaces::insert(conn, &listed, MAX_NAMESPACES).await })
        });
        if !listed.await? {
            return Err(NamespaceError::TooMany);
        }
    }
    let begun = async {
        let ctx = open(ctx, &namespace).await?;
        let applied = seed::begin(&ctx).await?;
        Ok((ctx, applied.api_keys))
    };
    match begun.await {
        Ok((ctx, api_keys)) => Ok(Made { namespace, ctx, api_keys }),
        Err(error) => {
            remove(ctx, &namespace.id).await?;
            Err(error)
        }
    }
}

/// Opens a namespace that is there, or an empty one in memory.
pub async fn open(ctx: &Context, namespace: &Namespace) -> Result<Arc<Context>, NamespaceError> {
    let store = ctx.store.open_namespace(&namespace.id).await?;
    let keys = keys::open_beside(ctx, &store).await?;
    let issuer = issuer(ctx, &namespace.id);
    let plan = seed::own_plan(ctx).await?.moved(&ctx.issuer, &issuer);
    let opened = Context {
        store,
        clocks: ctx.clocks.apart_from(),
        entropy: ctx.entropy.clone(),
        keys,
        sealer: ctx.sealer.clone(),
        outgoing: ctx.outgoing.clone(),
        webhooks: Webhooks::default(),
        passwords: ctx.passwords.clone(),
        throttle: Throttle::new(ctx.throttle.limits()),
        journal: Journal::new(true),
        event_ids: EventIds::default(),
        faults: Faults::default(),
        seed: WorldSeed::planned(plan),
        issuer,
        password_grant: ctx.password_grant,
        sandbox: true,
    };
    clocks::reload(&opened).await?;
    webhooks::reload(&opened).await?;
    Ok(Arc::new(opened))
}

/// Those that every node knows of and that are not over, oldest first.
pub async fn list(ctx: &Context) -> Result<Vec<Namespace>, StoreError> {
    let now = ctx.real_now();
    ctx.store.read(move |conn| Box::pin(namespaces::list(conn, now))).await
}

/// One of those.
pub async fn find(ctx: &Context, id: &NamespaceId) -> Result<Option<Namespace>, StoreError> {
    let (id, now) = (id.clone(), ctx.real_now());
    let found = ctx.store.read(move |conn| {
        let id = id.clone();
        Box::pin(async move { namespaces::find(conn, &id, now).await })
    });
    found.await
}

/// Ends a namespace for every node: what it held is gone. `false` where it was gone already.
pub async fn remove(ctx: &Context, id: &NamespaceId) -> Result<bool, StoreError> {
    let id = id.clone();
    let removed = ctx.store.write_at_length(move |conn| {
        let id = id.clone();
        Box::pin(async move { namespaces::delete(conn, &id).await })
    });
    removed.await
}

/// Drops what is over, also what a node left that is no more; answers how many that were.
pub async fn sweep(ctx: &Context) -> Result<u64, StoreError> {
    let now = ctx.real_now();
    let over = ctx.store.read(move |conn| Box::pin(namespaces::list_over(conn, now))).await?;
    let mut dropped = 0;
    for namespace in over {
        dropped += u64::from(remove(ctx, &namespace.id).await?);
    }
    Ok(dropped)
}
