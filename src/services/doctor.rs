//! What a page reports of itself: whose page it is, and what was probably meant.

use super::Context;
use super::reason::likest;
use crate::domain::button::Button;
use crate::domain::doctor::Finding;
use crate::domain::ids::{AppId, ButtonId};
use crate::domain::origin::Origin;
use crate::store::{Conn, StoreError, buttons};

/// Buttons that are looked at for a near miss, and for whom an origin belongs to.
const MAX_BUTTONS: i64 = 500;

/// What the doctor found on a page.
#[derive(Debug, Clone)]
pub struct Report {
    pub finding: Finding,
    /// `None` where the page has none.
    pub origin: Option<Origin>,
    /// The page's address, without query and fragment.
    pub page: String,
    /// The button that it is about, as the page names it.
    pub button: Option<String>,
}

/// A report with its place in what is registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The application whose page it is, where that is certain.
    pub app: Option<AppId>,
    /// What is registered and nearest to what the page has.
    pub nearest: Option<String>,
}

pub async fn diagnose(ctx: &Context, report: &Report) -> Result<Diagnosis, StoreError> {
    let report = report.clone();
    ctx.store
        .read(move |conn| {
            let report = report.clone();
            Box::pin(async move { look(conn, &report).await })
        })
        .await
}

async fn look(conn: &mut Conn, report: &Report) -> Result<Diagnosis, StoreError> {
    let named = report.button.as_deref().and_then(|id| ButtonId::parse(id).ok());
    let button = match &named {
        Some(id) => buttons::find(conn, id).await?,
        None => None,
    };
    if let Some(button) = button {
        let nearest = nearest_of(&button, report);
        return Ok(Diagnosis { app: Some(button.app), nearest });
    }
    let nearest = match (&report.button, report.finding) {
        (Some(id), Finding::UnknownButton) => {
            let known = buttons::list(conn, None, None, MAX_BUTTONS).await?;
            likest(id, known.iter().map(|button| button.id.as_str()))
        }
        _ => None,
    };
    let app = match &report.origin {
        Some(origin) => only_app(&buttons::list_of_origin(conn, origin, MAX_BUTTONS).await?),
        None => None,
    };
    Ok(Diagnosis { app, nearest })
}

/// The application of all these buttons, if they are of one.
fn only_app(buttons: &[Button]) -> Option<AppId> {
    let (first, rest) = buttons.split_first()?;
    rest.iter().all(|button| button.app == first.app).then(|| first.app.clone())
}

fn nearest_of(button: &Button, report: &Report) -> Option<String> {
    match report.finding {
        Finding::OriginNotListed => nearest_origin(report.origin.as_ref()?, &button.origins),
        Finding::ReturnNotRegistered | Finding::PopupBlocked | Finding::OpenerSevered => {
            let known = button.return_urls.iter().map(|url| url.as_str());
            likest(&report.page, known)
        }
        _ => None,
    }
}

/// The one that differs only in scheme or port; else the most similar.
fn nearest_origin(origin: &Origin, listed: &[Origin]) -> Option<String> {
    let same_host = listed.iter().find(|listed| host(listed) == host(origin)).map(ToString::to_string);
    same_host.or_else(|| likest(origin.as_str(), listed.iter().map(Origin::as_str)))
}

fn host(origin: &Origin) -> &str {
    let authority = origin.as_str().split_once("://").map_or("", |(_, authority)| authority);
    match authority.rsplit_once(':') {
        // A colon inside brackets belongs to an address of IPv6.
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_the_nearest_origin_has_the_same_host() {
        let origin = |text: &str| Origin::parse(text).unwrap();
        let listed = ["http://localhost:3000", "https://www.example.test", "http://[::1]:80", "http://[::1]:9001"];
        let listed: Vec<Origin> = listed.into_iter().filter_map(|text| Origin::parse(text).ok()).collect();
        for (page, nearest) in [
            ("http://localhost:3001", Some("http://localhost:3000")),
            ("http://www.example.test", Some("https://www.example.test")),
            ("http://[::1]:5173", Some("http://[::1]:9001")),
            ("https://ww.example.test", Some("https://www.example.test")),
        ] {
            assert_eq!(nearest_origin(&origin(page), &listed).as_deref(), nearest, "{page}");
        }
        assert_eq!(nearest_origin(&origin("https://a.test"), &[]), None);
    }
}
