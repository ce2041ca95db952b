//! Where connections end, so that none does unheard: whoever ends some tells the applications' webhooks in the same
//! transaction. One way leads past it: `connections::end_untold` ends those of applications that have no webhook.

use super::webhooks::outbox::{self, Draft};
use crate::domain::clock_setting::Moments;
use crate::domain::connection::EndedBy;
use crate::domain::ids::{AppId, ConnectionId, UserId};
use crate::domain::timestamp::Timestamp;
use crate::store::{Conn, StoreError, connections};

/// How connections end.
#[derive(Debug, Clone, Copy)]
pub struct Ending {
    pub by: EndedBy,
    pub draft: Draft,
}

impl Ending {
    /// Ends one, and with it whatever was issued from it; answers whose it was. `None` where it was not alive.
    pub async fn one(self, conn: &mut Conn, id: ConnectionId, at: Timestamp) -> Result<Option<AppId>, StoreError> {
        let ended = connections::end(conn, id, at, self.by).await?;
        outbox::ended(conn, self.draft, ended.as_slice(), self.by).await?;
        Ok(ended.map(|ended| ended.app))
    }

    /// Ends each of a user.
    pub async fn all_of_user(self, conn: &mut Conn, user: UserId, at: &Moments) -> Result<(), StoreError> {
        let ended = connections::end_all_of_user(conn, user, at, self.by).await?;
        outbox::ended(conn, self.draft, &ended, self.by).await
    }

    /// Ends each of an application; answers how many there were.
    pub async fn all_of_app(self, conn: &mut Conn, app: &AppId, at: Timestamp) -> Result<usize, StoreError> {
        let ended = connections::end_all_of_app(conn, app, at, self.by).await?;
        outbox::ended(conn, self.draft, &ended, self.by).await?;
        Ok(ended.len())
    }

    /// Ends the first `limit` of an application after `after`; answers how many there were, and the last.
    pub async fn some_of_app(
        self,
        conn: &mut Conn,
        app: &AppId,
        at: Timestamp,
        after: ConnectionId,
        limit: i64,
    ) -> Result<Option<(usize, ConnectionId)>, StoreError> {
        let ended = connections::end_some_of_app(conn, app, at, self.by, after, limit).await?;
        outbox::ended(conn, self.draft, &ended, self.by).await?;
        Ok(ended.iter().map(|ended| ended.id.0).max().map(|last| (ended.len(), ConnectionId(last))))
    }
}

/// Writes the end of a connection whose time is over, so that a new one may take its place.
pub async fn expired(
    conn: &mut Conn,
    user: UserId,
    app: &AppId,
    now: Timestamp,
    draft: Draft,
) -> Result<(), StoreError> {
    let ended = connections::end_expired(conn, user, app, now).await?;
    outbox::ended(conn, draft, &ended, EndedBy::Expiry).await
}
