//! Clients as they were when they were last read. To read one with each of its requests costs as much as the request itself,
//! and it seldom changes. Nobody believes what is remembered: it names the revision of its row, and the statement that
//! settles the request says whether the row still has that.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::apps::Client;
use crate::domain::app::App;
use crate::domain::ids::AppId;
use crate::domain::redirect_uri::RedirectUri;
use crate::domain::resource::Resource;
use crate::domain::return_url::ReturnUrl;

/// About so many are remembered: those that ask often. The others are read.
const REMEMBERED: usize = 1_000;
/// What all of them may take, in bytes. Most are small.
const ROOM: u64 = 2 * 1024 * 1024;
/// The largest that is remembered, in bytes.
const LARGEST: u64 = 16 * 1024;
/// What a client takes beside its texts and lists, in bytes, about.
const SMALLEST: usize = 1024;
/// What each member of a list takes beside its text, in bytes, about.
const MEMBER: usize = 64;

pub(super) struct Clients(Cache<AppId, Sized, BySize>);

#[derive(Clone)]
struct Sized {
    client: Arc<Client>,
    size: u64,
}

#[derive(Clone)]
struct BySize;

impl Weighter<AppId, Sized> for BySize {
    fn weight(&self, _: &AppId, remembered: &Sized) -> u64 {
        remembered.size
    }
}

impl Clients {
    pub(super) fn get(&self, id: &AppId) -> Option<Arc<Client>> {
        self.0.get(id).map(|remembered| remembered.client)
    }

    /// Takes what was read in place of what was remembered.
    pub(super) fn learn(&self, id: &AppId, read: Option<&Arc<Client>>) {
        let sized = read.map(|client| Sized { client: client.clone(), size: size(&client.app) });
        match sized.filter(|read| read.size <= LARGEST) {
            Some(read) => self.0.insert(id.clone(), read),
            None => {
                self.0.remove(id);
            }
        }
    }
}

impl Default for Clients {
    fn default() -> Self {
        Self(Cache::with_weighter(REMEMBERED, ROOM, BySize))
    }
}

fn size(app: &App) -> u64 {
    let texts = [Some(&app.name), Some(&app.publisher), app.homepage.as_ref(), app.jwks.as_ref()];
    let texts = texts.into_iter().flatten().map(String::len);
    let redirects = app.redirect_uris.iter().map(RedirectUri::as_str);
    let returns = app.post_logout_redirect_uris.iter().map(ReturnUrl::as_str);
    let resources = app.resources.iter().map(Resource::as_str);
    let members = redirects.chain(returns).chain(resources).map(|text| MEMBER + text.len());
    (SMALLEST + texts.chain(members).sum::<usize>()) as u64
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::apps::{Revision, Secrets};
    use super::*;
    use crate::domain::timestamp::Timestamp;

    fn client(id: &str, redirect_uris: usize) -> (AppId, Arc<Client>) {
        let id = AppId::parse(id).unwrap();
        let mut app = App::new(id.clone(), "App".to_owned(), Timestamp::from_micros(1));
        app.redirect_uris = vec![RedirectUri::parse("https://partner.test/callback").unwrap(); redirect_uris];
        (id, Arc::new(Client { app, secrets: Secrets::default(), revision: Revision(Uuid::nil()) }))
    }

    #[test]
    fn what_was_read_last_is_remembered() {
        let clients = Clients::default();
        let (id, first) = client("one", 1);
        clients.learn(&id, Some(&first));
        assert_eq!(clients.get(&id).unwrap().app.redirect_uris.len(), 1);
        clients.learn(&id, Some(&client("one", 2).1));
        assert_eq!(clients.get(&id).unwrap().app.redirect_uris.len(), 2);
        clients.learn(&id, None);
        assert!(clients.get(&id).is_none(), "it is gone");
    }

    /// R4: whoever can register clients does not fill the memory with them.
    #[test]
    fn r4_what_is_remembered_is_bounded() {
        let clients = Clients::default();
        let (id, large) = client("large", 1_000);
        clients.learn(&id, Some(&client("large", 1).1));
        clients.learn(&id, Some(&large));
        assert!(clients.get(&id).is_none(), "nor is what it was before it grew");
        for nth in 0..10_000 {
            let (id, each) = client(&format!("app-{nth}"), 100);
            clients.learn(&id, Some(&each));
        }
        assert!(clients.0.weight() <= ROOM && clients.0.len() > 10, "{} of {ROOM}", clients.0.weight());
    }
}
