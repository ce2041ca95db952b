//! Another password, by who knows the present one (rule F8): whatever was opened with the old one ends, but for the browser
//! that it was changed in, which gets another session (rule C6).

use std::net::IpAddr;
use std::sync::Arc;

use super::super::audit::Acting;
use super::super::endings::Ending;
use super::super::login::{Browser, LoginError, NewSession, Opening, SignedIn, with_password};
use super::super::users as people;
use crate::domain::connection::EndedBy;
use crate::domain::event::{Action, Target};
use crate::store::{events, users};

/// The present password is looked at as at a login: as slowly, and as often (rule C10). Whose it is has waited once: the new
/// one is hashed however many wait.
pub async fn change(
    ctx: &Acting<'_>,
    signed_in: &SignedIn,
    present: &str,
    new: &str,
    browser: &Browser,
) -> Result<NewSession, LoginError> {
    let user = &signed_in.user;
    let who = with_password(ctx, user.email.as_str(), present, address(ctx)).await?;
    let hash = ctx.passwords.hash(new).await?;
    let changed = ctx.event(Action::UserPasswordChanged, Target::user(user.id, &user.email));
    let opening = Opening::new(ctx, user, browser);
    let (cookies, moments) = (opening.cookies(), ctx.clocks.moments());
    let ending = Ending { by: EndedBy::User, draft: ctx.draft() };
    let work = Arc::new((who, hash, changed, opening, moments, ending));
    let done = ctx.store.write(move |conn| {
        let work = work.clone();
        Box::pin(async move {
            let (who, hash, changed, opening, moments, ending) = &*work;
            if !who.still_holds(conn).await? {
                return Ok(false);
            }
            let user = who.user();
            users::set_password(conn, user.id, hash).await?;
            people::end_what_is_open(conn, user.id, moments, *ending).await?;
            events::record(conn, changed).await?;
            opening.record(conn).await?;
            Ok(true)
        })
    });
    let is_done = done.await?;
    ctx.told();
    if is_done { Ok(cookies) } else { Err(LoginError::WrongCredentials) }
}

fn address(ctx: &Acting<'_>) -> Option<IpAddr> {
    ctx.by().from
}
