//! What a user authorized once (a redeemed code, a device, a password), and the refresh tokens that descend
//! from it: RFC 9700 section 4.14.2 calls them a family.

use std::time::Duration;

use super::ids::{AccessTokenId, AppId, ConnectionId, GrantId};
use super::resource::Resource;
use super::scope::ScopeSet;
use super::timestamp::Timestamp;

/// A refresh token that is not used for this long is dead (RFC 9700 section 4.14.2).
pub const REFRESH_IDLE: Duration = Duration::from_secs(30 * 24 * 3_600);
/// No grant is renewed for longer than this.
pub const REFRESH_LIFETIME: Duration = Duration::from_secs(180 * 24 * 3_600);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub id: GrantId,
    pub connection: ConnectionId,
    pub app: AppId,
    pub scopes: ScopeSet,
    pub resource: Option<Resource>,
    /// The key that its refresh tokens are bound to: those of a public client with DPoP (RFC 9449 section 5).
    pub dpop_jkt: Option<String>,
    /// When the user signed in.
    pub auth_time: Timestamp,
    pub created_at: Timestamp,
    /// The end that no refresh moves.
    pub renewable_until: Timestamp,
    /// The end that each refresh moves.
    pub expires_at: Timestamp,
    /// Of the refresh token that is good now; 0 where none was issued.
    pub generation: u32,
    /// The spent token that may be presented once more, because its answer may have been lost.
    pub replayable: Option<u32>,
    /// The access token that was issued with the present refresh token.
    pub access_token: AccessTokenId,
    /// When one of the present two was first used: from then on the answer was not lost.
    pub used_at: Option<Timestamp>,
    pub ended: Option<(Timestamp, GrantEnd)>,
}

/// Why a grant is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GrantEnd {
    /// Its client revoked the refresh token (RFC 7009).
    Revoked,
    /// Its code was presented a second time (RFC 6749 section 4.1.2).
    CodeReuse,
    /// A spent refresh token was presented (RFC 9700 section 4.14.2).
    RefreshTokenReuse,
}

impl GrantEnd {
    pub const ALL: [GrantEnd; 3] = [GrantEnd::Revoked, GrantEnd::CodeReuse, GrantEnd::RefreshTokenReuse];

    pub const fn as_str(self) -> &'static str {
        match self {
            GrantEnd::Revoked => "revoked",
            GrantEnd::CodeReuse => "code_reuse",
            GrantEnd::RefreshTokenReuse => "refresh_token_reuse",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        GrantEnd::ALL.into_iter().find(|end| end.as_str() == text)
    }
}

/// What presenting a refresh token of a living grant comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// The present one: the grant moves on by one generation.
    Current,
    /// The one before, whose answer may have been lost: the unused successor ends, once.
    LostResponse,
    /// Spent, and its successor known to its holder: somebody else has a copy.
    Theft,
}

impl Grant {
    /// Judges the refresh token of a generation. The caller has checked that the grant lives.
    pub fn judge(&self, generation: u32) -> Presented {
        if generation == self.generation {
            Presented::Current
        } else if self.replayable == Some(generation) && self.used_at.is_none() {
            Presented::LostResponse
        } else {
            Presented::Theft
        }
    }

    /// The next end of a grant that is refreshed at this moment.
    pub fn end_after_refresh(&self, now: Timestamp) -> Timestamp {
        now.plus(REFRESH_IDLE).min(self.renewable_until)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn grant(generation: u32, replayable: Option<u32>, used: bool) -> Grant {
        let at = Timestamp::from_micros(1);
        Grant {
            id: GrantId(Uuid::nil()),
            connection: ConnectionId(Uuid::nil()),
            app: AppId::parse("app").unwrap(),
            scopes: ScopeSet::default(),
            resource: None,
            dpop_jkt: None,
            auth_time: at,
            created_at: at,
            renewable_until: at.plus(REFRESH_LIFETIME),
            expires_at: at.plus(REFRESH_IDLE),
            generation,
            replayable,
            access_token: AccessTokenId(Uuid::nil()),
            used_at: used.then_some(at),
            ended: None,
        }
    }

    #[test]
    fn f2_f3_a_spent_token_is_honoured_once_while_its_successor_is_unused() {
        assert_eq!(grant(2, Some(1), false).judge(2), Presented::Current);
        assert_eq!(grant(2, Some(1), false).judge(1), Presented::LostResponse);
        assert_eq!(grant(2, Some(1), true).judge(1), Presented::Theft);
        // After the replay nothing is replayable, and the successor that ended is as spent as any.
        assert_eq!(grant(3, None, false).judge(1), Presented::Theft);
        assert_eq!(grant(3, None, false).judge(2), Presented::Theft);
        assert_eq!(grant(4, Some(3), false).judge(1), Presented::Theft);
    }

    #[test]
    fn f7_the_absolute_end_is_never_moved() {
        let grant = grant(1, None, false);
        let late = grant.renewable_until.minus(Duration::from_secs(60));
        assert_eq!(grant.end_after_refresh(late), grant.renewable_until);
        assert!(grant.end_after_refresh(grant.created_at) < grant.renewable_until);
    }
}
