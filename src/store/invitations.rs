//! Links by which somebody chooses a password.

use uuid::Uuid;

use super::conn::{Conn, execute, fetch_all, fetch_optional, row, statements};
use super::convert::{corrupt, optional_time, secret_hash, time};
use super::error::StoreError;
use crate::domain::email::Email;
use crate::domain::ids::{AccountId, InvitationId, UserId};
use crate::domain::invitation::{Invitation, InvitedTo};
use crate::domain::role::Role;
use crate::domain::secret_hash::SecretHash;
use crate::domain::timestamp::Timestamp;

statements! {
    FIND = "SELECT id, secret_hash, user_id, account_id, email, role, created_at, expires_at, consumed_at \
            FROM invitations WHERE id = $1";
    INSERT = "INSERT INTO invitations (id, secret_hash, user_id, account_id, email, role, created_at, expires_at, \
              invited_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    /// Newest first, of those that can still be used.
    LIST_OPEN = "SELECT id, secret_hash, user_id, account_id, email, role, created_at, expires_at, consumed_at \
                 FROM invitations WHERE consumed_at IS NULL AND expires_at > $1 AND (id < $2 OR $2 IS NULL) \
                 ORDER BY id DESC LIMIT $3";
    CONSUME = "UPDATE invitations SET consumed_at = $2 WHERE id = $1 AND consumed_at IS NULL AND expires_at > $2";
    DELETE_OPEN = "DELETE FROM invitations WHERE id = $1 AND consumed_at IS NULL";
    DELETE_OPEN_OF = "DELETE FROM invitations WHERE email = $1 AND consumed_at IS NULL";
    DELETE_OPEN_BY = "DELETE FROM invitations WHERE invited_by = $1 AND consumed_at IS NULL";
    DELETE_OPEN_OF_USER = "DELETE FROM invitations WHERE user_id = $1 AND consumed_at IS NULL";
    SWEEP = "DELETE FROM invitations WHERE id IN (SELECT id FROM invitations WHERE expires_at < $1 ORDER BY id LIMIT $2)";
}

row! {
    struct Row {
        id: Uuid,
        secret_hash: Vec<u8>,
        user_id: Option<Uuid>,
        account_id: Option<String>,
        email: String,
        role: String,
        created_at: i64,
        expires_at: i64,
        consumed_at: Option<i64>,
    }
}

impl TryFrom<Row> for (Invitation, SecretHash) {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let account = row.account_id.as_deref().map(AccountId::parse).transpose();
        let invitation = Invitation {
            id: InvitationId(row.id),
            email: Email::parse(&row.email).map_err(corrupt("invitations.email"))?,
            role: Role::parse(&row.role).map_err(corrupt("invitations.role"))?,
            to: match row.user_id {
                Some(user) => InvitedTo::Reset { user: UserId(user) },
                None => InvitedTo::Join { account: account.map_err(corrupt("invitations.account_id"))? },
            },
            created_at: time(row.created_at),
            expires_at: time(row.expires_at),
            consumed_at: optional_time(row.consumed_at),
        };
        Ok((invitation, secret_hash(&row.secret_hash)?))
    }
}

/// The invitation with the hash of its secret, whether it can still be used or not.
pub async fn find(conn: &mut Conn, id: InvitationId) -> Result<Option<(Invitation, SecretHash)>, StoreError> {
    fetch_optional!(conn, Row, FIND, id.0)?.map(TryFrom::try_from).transpose()
}

/// `by` is the user who made it, with whom it goes.
pub async fn insert(
    conn: &mut Conn,
    invitation: &Invitation,
    secret: &SecretHash,
    by: Option<UserId>,
) -> Result<(), StoreError> {
    let (user, account) = match &invitation.to {
        InvitedTo::Join { account } => (None, account.as_ref().map(AccountId::as_str)),
        InvitedTo::Reset { user } => (Some(user.0), None),
    };
    execute!(
        conn,
        INSERT,
        invitation.id.0,
        secret.0.as_slice(),
        user,
        account,
        invitation.email.as_str(),
        invitation.role.as_str(),
        invitation.created_at.as_micros(),
        invitation.expires_at.as_micros(),
        by.map(|by| by.0),
    )
    .map(|_| ())
}

/// The newest `limit` that can still be used, of those before this one.
pub async fn list_open(
    conn: &mut Conn,
    now: Timestamp,
    before: Option<InvitationId>,
    limit: i64,
) -> Result<Vec<Invitation>, StoreError> {
    let rows = fetch_all!(conn, Row, LIST_OPEN, now.as_micros(), before.map(|id| id.0), limit)?;
    rows.into_iter().map(|row| <(Invitation, SecretHash)>::try_from(row).map(|(invitation, _)| invitation)).collect()
}

/// `false` where it was used before, its time is over, or it is gone.
pub async fn consume(conn: &mut Conn, id: InvitationId, now: Timestamp) -> Result<bool, StoreError> {
    Ok(execute!(conn, CONSUME, id.0, now.as_micros())? == 1)
}

/// `false` where there was nothing left to take back.
pub async fn delete_open(conn: &mut Conn, id: InvitationId) -> Result<bool, StoreError> {
    Ok(execute!(conn, DELETE_OPEN, id.0)? == 1)
}

/// Takes back each that was made for this e-mail address and not used.
pub async fn delete_open_of(conn: &mut Conn, email: &Email) -> Result<u64, StoreError> {
    execute!(conn, DELETE_OPEN_OF, email.as_str())
}

/// Takes back each that this user made and nobody used.
pub async fn delete_open_by(conn: &mut Conn, user: UserId) -> Result<u64, StoreError> {
    execute!(conn, DELETE_OPEN_BY, user.0)
}

/// Takes back each that would set this user's password and was not used.
pub async fn delete_open_of_user(conn: &mut Conn, user: UserId) -> Result<u64, StoreError> {
    execute!(conn, DELETE_OPEN_OF_USER, user.0)
}

/// Deletes at most `limit` whose time was over by then.
pub async fn sweep(conn: &mut Conn, expired_before: Timestamp, limit: i64) -> Result<u64, StoreError> {
    execute!(conn, SWEEP, expired_before.as_micros(), limit)
}
