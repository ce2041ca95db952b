//! The HTTP surface. Routers are grouped by audience; each group has its own error form, and its own rules
//! for headers, cookies and other origins.

mod account;
mod admin;
mod authorize;
pub mod basic;
mod bearer;
mod button;
mod console;
pub mod cookies;
mod deliveries;
mod dialog;
mod docs;
mod doctor;
mod error;
mod event_object;
pub mod extract;
mod faults;
mod forms;
mod guard;
mod home;
mod inspector;
mod invitation;
mod journal;
mod leadexec;
mod login;
mod logos;
mod mask;
mod oauth;
mod observe;
mod ops;
mod page;
pub mod plain;
mod sandbox;
pub mod scrape;
mod sender;
mod settings;
mod sign_up;
mod statics;
pub mod urls;
mod visitor;
pub mod worlds;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;

use crate::config::secret::Secret;
use crate::domain::origin::Origin;
use crate::domain::proxies::Proxies;
use crate::services::Context;
use crate::socket::Stopping;
use guard::Guard;
use observe::Observe;
use urls::Urls;
use worlds::Namespaces;

/// Largest body, in bytes, of any request of this surface.
const MAX_BODY: usize = 64 * 1024;

/// What every handler works with: a world, and how it is reached from outside.
pub struct Web {
    pub ctx: Arc<Context>,
    pub urls: Urls,
    /// The server's own origin.
    pub origin: Origin,
    /// Whether browsers are told to come by https alone (RFC 6797). Not to this machine, whose other servers have the same name.
    pub is_only_https: bool,
    /// Whose word about the address of a client is believed.
    pub proxies: Proxies,
    /// Guards the control plane; `None` in production mode, which has none.
    pub sandbox_token: Option<Secret>,
    /// Users and password of the demonstration, for the page that shows them; empty where another seed is used.
    pub demonstration: Demonstration,
    /// Whether metrics are among its routes.
    pub has_metrics: bool,
    /// The worlds beside this one; `None` in production mode, and of a namespace.
    pub namespaces: Option<Arc<Namespaces>>,
    /// Whether the server is about to stop.
    pub stopping: Stopping,
}

impl Web {
    /// The namespace that an address lies in, or lay in, and what follows below it.
    fn namespace_in<'p>(&self, path: &'p str) -> Option<(&'p str, &'p str)> {
        self.namespaces.as_ref().and_then(|_| self.urls.namespace_in(path))
    }
}

/// What the start page may tell about the demonstration.
#[derive(Default, Clone)]
pub struct Demonstration {
    pub emails: Vec<String>,
    pub password: String,
}

impl Demonstration {
    /// The password of a user of the demonstration; `None` for anybody else.
    fn password_of(&self, email: &str) -> Option<String> {
        self.emails.iter().any(|known| known == email).then(|| self.password.clone())
    }
}

/// The whole surface, mounted under the issuer's path.
pub fn router(web: Web) -> Router {
    let web = Arc::new(web);
    let mut groups = Router::new()
        .merge(home::routes())
        .merge(button::routes())
        .merge(console::routes())
        .merge(deliveries::routes(&web))
        .merge(dialog::routes())
        .merge(docs::routes())
        .merge(authorize::routes())
        .merge(account::routes())
        .merge(invitation::routes())
        .merge(sign_up::routes())
        .merge(admin::routes())
        .merge(leadexec::routes())
        .merge(logos::routes())
        .merge(oauth::routes())
        .merge(settings::routes())
        .merge(statics::routes());
    if web.sandbox_token.is_some() {
        let sandbox = sandbox::routes(&web).merge(inspector::routes()).merge(doctor::routes());
        groups = groups.merge(sandbox).merge(button::report_routes());
    }
    let base = web.urls.base().to_owned();
    let mounted = if base.is_empty() {
        groups
    } else {
        // A nested router does not answer for its own root with a slash.
        Router::new().nest(&base, groups).route(&format!("{base}/"), home::home_page()).merge(oauth::at_the_root(&base))
    };
    let mounted = mounted.fallback(error::not_found).with_state(web.clone());
    // Probes are asked for by the machine that runs us, which knows nothing of the public path.
    let whole = mounted.merge(ops::routes().with_state(web.clone()));
    let whole = if web.has_metrics { whole.merge(scrape::routes().with_state(web.clone())) } else { whole };
    let limit = DefaultBodyLimit::max(MAX_BODY);
    // The whole stack at once: each call of `layer` puts every route into a box of its own, copied for each request.
    let whole = if web.sandbox_token.is_some() {
        let (keep, faults) = (journal::keep, faults::faults);
        let sandbox = (from_fn_with_state(web.clone(), keep), from_fn_with_state(web.clone(), faults));
        whole.layer((Observe(web.clone()), sandbox, Guard(web.clone()), limit))
    } else {
        whole.layer((Observe(web.clone()), Guard(web.clone()), limit))
    };
    // Outermost: what is for another world is none of this one's business.
    if web.namespaces.is_some() { whole.layer(worlds::Dispatch(web)) } else { whole }
}
