//! The world as a whole (wire.md E): back to what it began with, kept under a name, and given back. In one transaction
//! each, whose number of statements does not depend on how much there is in the world.
//!
//! The server's keys stay as they are: its issuer is the same one before and after.

use std::sync::Arc;

use super::audit::Acting;
use super::seed::{Onto, SeedError};
use super::{Context, clocks, seed, webhooks};
use crate::domain::event::{Action, Target, TargetKind};
use crate::domain::snapshot::{MAX_SNAPSHOTS, Snapshot, SnapshotName};
use crate::store::{StoreError, events, snapshots};

/// What a reset did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reset {
    /// Rows that were deleted, besides those that went along with them.
    pub deleted: u64,
    /// Things that the seed made.
    pub made: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("there is no snapshot of this name")]
    Unknown,
    #[error("there are {MAX_SNAPSHOTS} snapshots already: delete one, or replace one")]
    TooMany,
    #[error("it was made under version {made} of the database's schema, and this is version {present}: take it anew")]
    OtherSchema { made: i64, present: i64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes the world what it began with: the same users with the same identifiers, and nothing else. Clocks go as the
/// machine's, no fault rule is left, and the journal is empty.
pub async fn reset(ctx: &Acting<'_>) -> Result<Reset, SeedError> {
    let plan = seed::own_plan(ctx).await?;
    plan.stands_by_itself()?;
    let (step, tables) = (plan.step(ctx, Onto::Nothing), ctx.store.tables().await?);
    let event = Arc::new(ctx.event(Action::WorldReset, Target::kind(TargetKind::World, "")));
    let done = ctx.store.write_at_length(move |conn| {
        let (step, tables, event) = (step.clone(), tables.clone(), event.clone());
        Box::pin(async move {
            tables.hold(conn).await?;
            let deleted = tables.empty(conn).await?;
            // An error undoes the deletion.
            let applied = step.run(conn).await?.map_err(|why| StoreError::Internal(why.to_string()))?;
            // The first thing that happened in the new world.
            events::record(conn, &event).await?;
            Ok(Reset { deleted, made: applied.made })
        })
    });
    let done = done.await?;
    // First what cannot fail.
    ctx.faults.clear();
    ctx.journal.clear();
    forget(ctx).await?;
    Ok(done)
}

/// What this node remembers of a world that is another one now.
async fn forget(ctx: &Context) -> Result<(), StoreError> {
    ctx.store.forget_notes();
    ctx.throttle.clear();
    clocks::reload(ctx).await?;
    webhooks::reload(ctx).await
}

/// Copies the world under a name. `true` where a snapshot of this name was replaced.
pub async fn take(ctx: &Context, name: SnapshotName) -> Result<(Snapshot, bool), SnapshotError> {
    ctx.store.flush_notes().await?;
    let tables = ctx.store.tables().await?;
    let empty = Arc::new(Snapshot { name, schema_version: 0, rows: 0, created_at: ctx.real_now() });
    let taken = ctx.store.write_at_length(move |conn| {
        let (empty, tables) = (empty.clone(), tables.clone());
        Box::pin(async move {
            tables.hold(conn).await?;
            let known = snapshots::list(conn).await?;
            let replaced = known.iter().any(|known| known.name == empty.name);
            if !replaced && known.len() >= MAX_SNAPSHOTS {
                return Ok(Err(SnapshotError::TooMany));
            }
            snapshots::delete(conn, &empty.name).await?;
            let schema_version = snapshots::schema_version(conn).await?;
            let mut taken = Snapshot { schema_version, ..(*empty).clone() };
            snapshots::insert(conn, &taken).await?;
            taken.rows = tables.copy(conn, taken.name.as_str()).await?;
            snapshots::set_rows(conn, &taken.name, taken.rows).await?;
            Ok(Ok((taken, replaced)))
        })
    });
    taken.await?
}

/// Makes the world what it was when the snapshot was taken, its clocks too. The journal goes on.
pub async fn restore(ctx: &Acting<'_>, name: &SnapshotName) -> Result<Snapshot, SnapshotError> {
    let (tables, name) = (ctx.store.tables().await?, name.clone());
    let event = Arc::new(ctx.event(Action::WorldRestored, Target::kind(TargetKind::World, name.as_str())));
    let restored = ctx.store.write_at_length(move |conn| {
        let (tables, name, event) = (tables.clone(), name.clone(), event.clone());
        Box::pin(async move {
            tables.hold(conn).await?;
            let Some(snapshot) = snapshots::find(conn, &name).await? else { return Ok(Err(SnapshotError::Unknown)) };
            let (made, present) = (snapshot.schema_version, snapshots::schema_version(conn).await?);
            if made != present {
                return Ok(Err(SnapshotError::OtherSchema { made, present }));
            }
            tables.empty(conn).await?;
            tables.restore(conn, name.as_str()).await?;
            events::record(conn, &event).await?;
            Ok(Ok(snapshot))
        })
    });
    let restored = restored.await??;
    forget(ctx).await?;
    Ok(restored)
}

/// Every snapshot, oldest first.
pub async fn snapshots(ctx: &Context) -> Result<Vec<Snapshot>, StoreError> {
    ctx.store.read(|conn| Box::pin(snapshots::list(conn))).await
}

pub async fn remove(ctx: &Context, name: &SnapshotName) -> Result<(), SnapshotError> {
    let name = name.clone();
    let removed = ctx.store.write_at_length(move |conn| {
        let name = name.clone();
        Box::pin(async move { snapshots::delete(conn, &name).await })
    });
    if removed.await? { Ok(()) } else { Err(SnapshotError::Unknown) }
}
