//! One's own data as a file.

use super::support::{assert_guarded, signed_in};
use crate::oauth::support::STUDIO;
use crate::support::http::request;
use crate::support::{ADA, GRACE, PARTNER, PASSWORD, World, both, connect_by_api};

/// C14, N5: the file has all that is the user's, and nothing that opens anything.
async fn c14_n5_an_export_has_everything_but_secrets(world: World) {
    let (mut ada, csrf) = signed_in(&world, ADA).await;
    let tokens = ada.connect("btn-one", PARTNER, ADA).await;
    let issued = STUDIO.connect(&world, ADA).await;
    connect_by_api(&world, GRACE, "btn-one").await;
    let page = ada.get("/account/data").await.expect(200);
    assert_guarded(&page);
    assert!(page.text().contains("href=\"/account/export\""));
    let file = ada.get("/account/export").await.expect(200);
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"leadgate-export.json\""));
    assert_eq!(file.header("cache-control"), Some("no-store"));
    let export = file.json();
    assert_eq!(export["format"], "leadgate-export-1");
    assert_eq!(export["user"]["email"], ADA);
    assert_eq!(export["account"]["name"], "Acme Mortgage");
    assert_eq!(export["connections"].as_array().unwrap().len(), 2);
    assert_eq!(export["consents"].as_array().unwrap().len(), 2);
    assert!(!export["apps"].as_array().unwrap().is_empty());
    let actions: Vec<_> = export["events"].as_array().unwrap().iter().map(|event| &event["action"]).collect();
    for action in ["session.opened", "connection.created", "user.exported"] {
        assert!(actions.iter().any(|found| *found == action), "{action}: {actions:?}");
    }
    let text = file.text();
    let cookies = ["_session_", "_button_", "_browser_"].map(|name| ada.jar.value(name).unwrap());
    let secrets = [PASSWORD, &world.hash(), &tokens.refresh, &tokens.access, &issued.access, &csrf];
    for secret in secrets.into_iter().chain(cookies.iter().map(String::as_str)) {
        assert!(!text.contains(secret), "{secret}");
        assert!(!text.contains(&secret[secret.len().saturating_sub(12)..]), "nor a part: {secret}");
    }
    for word in ["lga_", "lgr_", "lgs_", "lgf_", "$argon2", "hash", "secret", GRACE] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

/// C14: nobody has another user's file; who is not signed in gets the login form, and a prefetch nothing.
async fn c14_an_export_is_for_its_user_alone(world: World) {
    let (mut grace, _) = signed_in(&world, GRACE).await;
    let export = grace.get("/account/export?user=ada@acme.test").await.json();
    assert_eq!(export["user"]["email"], GRACE);
    assert!(world.get("/account/export").await.is_login_page());
    let ahead = request("GET", "/account/export", &[("sec-purpose", "prefetch")], "");
    let answer = grace.send(None, ahead).await.expect(503);
    assert!(answer.body.is_empty());
}

both! {
    c14_n5_an_export_has_everything_but_secrets,
    c14_an_export_is_for_its_user_alone,
}
