//! Clients as they were when they were last read. To read one with each of its requests costs as much as the request itself,
//! and it seldom changes. Nobody believes what is remembered: it names the revision of its row, and the statement that
//! settles the request says whether the row still has that.

use std::sync::Arc;

use quick_cache::sync::Cache;

use super::apps::Client;
use crate::domain::app::App;
use crate::domain::ids::AppId;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::return_url::ReturnUrl;

/// How many are remembered: those that ask often. The others are read.
const REMEMBERED: usize = 1_000;
/// The largest that is, in bytes of the texts that may be long. Most have some hundred.
const LARGEST: usize = 8 * 1024;

pub(super) struct Clients(Cache<AppId, Arc<Client>>);

impl Clients {
    pub(super) fn get(&self, id: &AppId) -> Option<Arc<Client>> {
        self.0.get(id)
    }

    /// Takes what was read in place of what was remembered.
    pub(super) fn learn(&self, id: &AppId, read: Option<&Arc<Client>>) {
        match read.filter(|client| size(&client.app) <= LARGEST) {
            Some(client) => self.0.insert(id.clone(), client.clone()),
            None => {
                self.0.remove(id);
            }
        }
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

fn size(app: &App) -> usize {
    let keys = app.jwks.as_ref().map_or(0, String::len);
    let redirects: usize = app.redirect_uris.iter().map(RedirectUri::as_str).map(str::len).sum();
    let returns: usize = app.post_logout_redirect_uris.iter().map(ReturnUrl::as_str).map(str::len).sum();
    let resources: usize = app.resources.iter().map(|resource| resource.as_str().len()).sum();
    keys + redirects + returns + resources
}
