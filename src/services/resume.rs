//! Automatic sign-in: a page asks, for all of its buttons at once, whether the user can be signed in
//! without a click.

use std::collections::HashMap;
use std::sync::Arc;

use super::journal::note;
use super::login;
use super::reason;
use super::redeem::resume_handle;
use super::{Context, Granted};
use crate::crypto::refresh_token;
use crate::crypto::token::{Handle, HandleKind};
use crate::domain::app::App;
use crate::domain::button::Button;
use crate::domain::connection::Connection;
use crate::domain::ids::{AppId, ButtonId, ResumeHandleId, SessionId, UserId};
use crate::domain::magic::Magic;
use crate::domain::origin::Origin;
use crate::domain::session::RESUME_GRACE;
use crate::domain::timestamp::Timestamp;
use crate::store::access_tokens::{Issue, Issued};
use crate::store::{Conn, StoreError, access_tokens, apps, buttons, connections, resume_handles, users};
use crate::telemetry::TOKENS_ISSUED;

/// Buttons that one page may ask for.
pub const MAX_BUTTONS: usize = 50;

/// Why a button stays idle. None of them reaches the page's callback but the last two, after a click.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ResumeRefusal {
    #[error("nobody is signed in who consented to this application")]
    LoginRequired,
    #[error("the user has not consented to all that this button asks for")]
    ConsentRequired,
    #[error("there is no button with this id")]
    InvalidButton,
    #[error("the origin is not listed for the button")]
    OriginNotAllowed,
}

/// The answer for a page.
pub struct Resumed {
    /// In the order of the request, each button once.
    pub results: Vec<(String, Result<Granted, ResumeRefusal>)>,
    /// Whether each known button of the page may return to the page's address.
    pub return_registered: bool,
    /// A fresh resume handle for each application that was resumed.
    pub handles: Vec<(AppId, String)>,
}

/// What a page and its browser present.
pub struct Page<'p> {
    /// Judged already: some button is listed for it.
    pub origin: &'p Origin,
    /// At most [`MAX_BUTTONS`].
    pub btns: Vec<String>,
    pub return_to: Option<&'p str>,
    /// The resume cookie for an application.
    pub handle_of: &'p (dyn Fn(&AppId) -> Option<String> + Sync),
    pub button_session: Option<&'p str>,
}

/// Signs in, without a click, whom it can.
pub async fn resume(ctx: &Context, page: Page<'_>) -> Result<Resumed, StoreError> {
    let known = find_buttons(ctx, &page.btns).await?;
    let session = match page.button_session {
        Some(cookie) => login::button_session_of(ctx, cookie).await?,
        None => None,
    };
    let mut basis: HashMap<AppId, Option<Basis>> = HashMap::new();
    for (button, app) in known.values().filter(|(button, _)| button.allows_origin(page.origin)) {
        if !basis.contains_key(&button.app) {
            let handle = (page.handle_of)(&app.id).and_then(|text| Handle::parse(HandleKind::ResumeHandle, &text));
            let found = find_basis(ctx, page.origin, &app.id, handle, session.as_ref(), ctx.now_for(&app.id)).await?;
            basis.insert(app.id.clone(), found);
        }
    }
    let judged: Vec<(String, Result<AppId, ResumeRefusal>)> =
        page.btns.iter().map(|id| (id.clone(), judge(id, page.origin, &known, &basis))).collect();
    let wanted: Vec<AppId> = judged.iter().filter_map(|(_, verdict)| verdict.as_ref().ok().cloned()).collect();
    basis.retain(|app, _| wanted.contains(app));
    note_outcome(&judged, &known, &basis);
    let granted = grant(ctx, page.origin, basis).await?;
    TOKENS_ISSUED.of(["resume"]).increment(granted.len() as u64);
    let results = judged
        .into_iter()
        .map(|(id, verdict)| {
            let result = verdict.and_then(|app| {
                granted.get(&app).map(|(granted, _)| granted.clone()).ok_or(ResumeRefusal::LoginRequired)
            });
            (id, result)
        })
        .collect();
    let may_return = |button: &Button| page.return_to.is_some_and(|url| button.return_url(url).is_some());
    Ok(Resumed {
        results,
        return_registered: !known.is_empty() && known.values().all(|(button, _)| may_return(button)),
        handles: granted.into_iter().map(|(app, (_, handle))| (app, handle)).collect(),
    })
}

/// What the journal tells of a request for several buttons: the first that somebody is signed in with, or else the first
/// that something is wrong with. Nobody being signed in is how a first visit looks.
fn note_outcome(
    judged: &[(String, Result<AppId, ResumeRefusal>)],
    known: &HashMap<String, (Button, App)>,
    basis: &HashMap<AppId, Option<Basis>>,
) {
    if let Some((id, _)) = judged.first() {
        note::button(id);
        if let Some((button, _)) = known.get(id) {
            note::app(&button.app);
        }
    }
    for (id, verdict) in judged {
        match verdict {
            Ok(app) => {
                note::button(id);
                note::app(app);
                if let Some(basis) = basis.get(app).and_then(Option::as_ref) {
                    note::connection(basis.connection.id);
                }
                return;
            }
            Err(why @ (ResumeRefusal::InvalidButton | ResumeRefusal::OriginNotAllowed)) => {
                note::button(id);
                reason::note(why);
            }
            Err(ResumeRefusal::LoginRequired | ResumeRefusal::ConsentRequired) => {}
        }
    }
}

async fn find_buttons(ctx: &Context, ids: &[String]) -> Result<HashMap<String, (Button, App)>, StoreError> {
    let ids: Arc<Vec<ButtonId>> = Arc::new(ids.iter().filter_map(|id| ButtonId::parse(id).ok()).collect());
    ctx.store
        .read(move |conn| {
            let ids = ids.clone();
            Box::pin(async move {
                let mut known = HashMap::new();
                for id in ids.iter() {
                    let Some(button) = buttons::find(conn, id).await? else { continue };
                    if let Some(app) = apps::find(conn, &button.app).await? {
                        known.insert(id.to_string(), (button, app));
                    }
                }
                Ok(known)
            })
        })
        .await
}

/// On what ground an application's user is signed in again.
#[derive(Clone)]
struct Basis {
    connection: Connection,
    session: SessionId,
    magic: Option<Magic>,
    /// The resume handle that was presented, to be rotated.
    spent: Option<ResumeHandleId>,
}

/// First the handle of this very page's partition; else, where the browser still sends it to other sites,
/// the session of the user.
async fn find_basis(
    ctx: &Context,
    origin: &Origin,
    app: &AppId,
    handle: Option<Handle>,
    session: Option<&(crate::domain::session::Session, crate::domain::user::User)>,
    now: Timestamp,
) -> Result<Option<Basis>, StoreError> {
    let wanted = Wanted { origin: origin.clone(), app: app.clone(), handle, now };
    let session: Option<(SessionId, UserId)> = session.map(|(session, user)| (session.id, user.id));
    let wanted = Arc::new(wanted);
    ctx.store
        .read(move |conn| {
            let wanted = wanted.clone();
            Box::pin(async move {
                if let Some(basis) = wanted.by_handle(conn).await? {
                    return Ok(Some(basis));
                }
                match session {
                    Some((session, user)) => wanted.by_session(conn, session, user).await,
                    None => Ok(None),
                }
            })
        })
        .await
}

struct Wanted {
    origin: Origin,
    app: AppId,
    handle: Option<Handle>,
    now: Timestamp,
}

impl Wanted {
    async fn by_handle(&self, conn: &mut Conn) -> Result<Option<Basis>, StoreError> {
        let Some(handle) = &self.handle else { return Ok(None) };
        let rotated_after = self.now.minus(RESUME_GRACE);
        let found = resume_handles::find_live(conn, ResumeHandleId(handle.id), self.now, rotated_after).await?;
        let Some((row, hash)) = found else { return Ok(None) };
        if !handle.matches(&hash) || row.app != self.app || row.origin != self.origin {
            return Ok(None);
        }
        let Some(connection) = connections::find(conn, row.connection).await? else { return Ok(None) };
        let user = users::find(conn, connection.user).await?;
        let magic = user.and_then(|user| user.magic);
        Ok(Some(Basis { connection, session: row.session, magic, spent: Some(row.id) }))
    }

    async fn by_session(&self, conn: &mut Conn, session: SessionId, user: UserId) -> Result<Option<Basis>, StoreError> {
        let connection = connections::find_live(conn, user, &self.app, self.now).await?;
        let magic = users::find(conn, user).await?.and_then(|user| user.magic);
        Ok(connection.map(|connection| Basis { connection, session, magic, spent: None }))
    }
}

fn judge(
    id: &str,
    origin: &Origin,
    known: &HashMap<String, (Button, App)>,
    basis: &HashMap<AppId, Option<Basis>>,
) -> Result<AppId, ResumeRefusal> {
    let (button, app) = known.get(id).ok_or(ResumeRefusal::InvalidButton)?;
    if !button.allows_origin(origin) {
        return Err(ResumeRefusal::OriginNotAllowed);
    }
    let basis = basis.get(&app.id).and_then(Option::as_ref).ok_or(ResumeRefusal::LoginRequired)?;
    if !basis.connection.sign_in_scopes.covers(&button.requested_scopes(&app.scopes)) {
        return Err(ResumeRefusal::ConsentRequired);
    }
    Ok(app.id.clone())
}

/// Records, in one transaction, an access token and a fresh resume handle for each application.
async fn grant(
    ctx: &Context,
    origin: &Origin,
    basis: HashMap<AppId, Option<Basis>>,
) -> Result<HashMap<AppId, (Granted, String)>, StoreError> {
    let planned: Vec<(AppId, Basis, Handle, Issue, Handle)> = basis
        .into_iter()
        .filter_map(|(app, basis)| {
            let basis = basis?;
            let now = ctx.now_for(&app);
            let (access, issue) = ctx.mint_access_token(basis.connection.id, app.clone(), now);
            Some((app, basis, access, issue, ctx.mint(now)))
        })
        .collect();
    if planned.is_empty() {
        return Ok(HashMap::new());
    }
    let planned = Arc::new(planned);
    let (plan, origin) = (planned.clone(), origin.clone());
    let issued: Vec<Option<Issued>> = ctx
        .store
        .write(move |conn| {
            let (plan, origin) = (plan.clone(), origin.clone());
            Box::pin(async move {
                let issues: Vec<Issue> = plan.iter().map(|(_, _, _, issue, _)| issue.clone()).collect();
                let issued = access_tokens::issue(conn, &issues).await?;
                for (app, basis, _, issue, fresh) in plan.iter() {
                    if let Some(spent) = basis.spent {
                        resume_handles::rotate(conn, spent, issue.now).await?;
                    }
                    let row = resume_handle(fresh, app, &origin, basis.session, basis.connection.id, issue.now);
                    resume_handles::insert(conn, &row, &fresh.hash()).await?;
                }
                Ok(issued)
            })
        })
        .await?;
    for (_, basis, _, issue, _) in planned.iter() {
        ctx.store.note_use(basis.connection.id, issue.now);
    }
    if let Some(delay) = planned.iter().filter_map(|(_, basis, ..)| basis.magic.and_then(Magic::delay)).max() {
        tokio::time::sleep(delay).await;
    }
    let issued: HashMap<_, _> = issued.into_iter().flatten().map(|row| (row.id, row.expires_at)).collect();
    Ok(planned
        .iter()
        .filter_map(|(app, basis, access, issue, fresh)| {
            let granted = Granted {
                connection: basis.connection.id,
                refresh_token: refresh_token::derive(&ctx.keys.ring(), basis.connection.id),
                access_token: access.encode(HandleKind::AccessToken),
                expires_at: *issued.get(&issue.id)?,
            };
            Some((app.clone(), (granted, fresh.encode(HandleKind::ResumeHandle))))
        })
        .collect())
}
