//! The demonstration that an empty sandbox database is filled with, so that the first sign-in needs no set-up.

use std::path::Path;

use super::issuer::Issuer;
use super::secret::Secret;
use super::seed::SeedFile;
use crate::domain::origin::Origin;
use crate::domain::return_url::ReturnUrl;

const TEXT: &str = include_str!("demonstration.toml");

/// The password of every user of the demonstration; shown on the page at `/`. It and the client secret are
/// those of the example that `leadgate init` writes, so that going on from one to the other locks nobody out.
pub const PASSWORD: &str = "correct horse battery";

/// The demonstration application's `client_secret`.
pub const CLIENT_SECRET: &str = "app-secret";

/// Every secret that is in our source: of the demonstration, of the example that `leadgate init` writes, and of
/// the documentation.
pub const PUBLISHED: [&str; 3] = [PASSWORD, CLIENT_SECRET, "3f0f1c1e-0000-4000-8000-000000000001"];

/// Where the usual development servers listen: React and Rails, Angular, Flask, Vite, Python and Django, Parcel
/// and webpack and Vue, and the neighbours that they move to when a port is taken.
const DEVELOPMENT_PORTS: [u16; 12] = [3000, 3001, 4173, 4200, 5000, 5173, 5174, 5500, 8000, 8001, 8081, 9000];

/// The demonstration, with a button that may be used on `issuer` itself and on the usual development origins.
#[must_use]
pub fn seed(issuer: &Issuer) -> SeedFile {
    let mut seed =
        SeedFile::parse(Path::new("demonstration.toml"), TEXT).expect("a test parses the embedded demonstration");
    for button in seed.apps.iter_mut().flat_map(|app| &mut app.buttons) {
        button.origins = origins(issuer);
        button.return_urls = button.origins.iter().filter_map(|origin| start_page(origin, issuer)).collect();
    }
    seed
}

/// Whether everybody can read this secret in Leadgate's own source.
#[must_use]
pub fn is_published(secret: &Secret) -> bool {
    PUBLISHED.contains(&secret.expose())
}

fn origins(issuer: &Issuer) -> Vec<Origin> {
    let mut origins = vec![issuer.origin()];
    for host in ["localhost", "127.0.0.1"] {
        let development =
            DEVELOPMENT_PORTS.iter().filter_map(|port| Origin::parse(&format!("http://{host}:{port}")).ok());
        origins.extend(development.filter(|origin| *origin != issuer.origin()));
    }
    origins
}

/// The page that somebody tries the button on, so that a blocked pop-up can be tried there too: the one at the
/// root of an origin; for the issuer itself its own, which may lie below a path.
fn start_page(origin: &Origin, issuer: &Issuer) -> Option<ReturnUrl> {
    let page = if *origin == issuer.origin() { format!("{issuer}/") } else { format!("{origin}/") };
    ReturnUrl::parse(&page).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::magic::Magic;
    use crate::domain::role::Role;

    #[test]
    fn the_embedded_demonstration_is_valid_and_stands_by_itself() {
        let seed = seed(&Issuer::localhost(8080));
        assert!(seed.users.iter().all(|user| user.account.in_file));
        assert!(seed.apps.iter().all(|app| app.owner.as_ref().is_none_or(|owner| owner.in_file)));
        assert!(seed.apps.iter().all(|app| app.client.client_secret.is_some() && !app.buttons.is_empty()));
    }

    #[test]
    fn it_has_each_magic_user_and_one_of_each_role() {
        let seed = seed(&Issuer::localhost(8080));
        for magic in Magic::ALL {
            let prefix = format!("{}@", magic.as_str());
            assert!(seed.users.iter().any(|user| user.email.as_str().starts_with(&prefix)), "{prefix}");
        }
        assert_eq!(seed.users.len(), Magic::ALL.len() + Role::ALL.len());
        for role in Role::ALL {
            assert!(seed.users.iter().any(|user| user.role == role), "{role:?}");
        }
    }

    #[test]
    fn its_button_works_on_the_issuer_and_on_development_origins() {
        let seed = seed(&"http://localhost:3000".parse().unwrap());
        let origins: Vec<&str> = seed.apps[0].buttons[0].origins.iter().map(Origin::as_str).collect();
        for origin in ["http://localhost:3000", "http://localhost:5173", "http://127.0.0.1:8000"] {
            assert_eq!(origins.iter().filter(|known| **known == origin).count(), 1, "{origin}");
        }
    }

    #[test]
    fn its_secrets_are_refused_where_they_matter() {
        let error = seed(&Issuer::localhost(8080)).refuse_published_secrets(Path::new("x.toml")).unwrap_err();
        assert_eq!(error.faults().len(), 9, "{error}");
    }
}
