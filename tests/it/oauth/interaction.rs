//! B and C: what an authorization request makes a person do (OpenID Connect Core 3.1.2.1), and the pages for it.

use super::support::{Ask, Issued, Landing, POCKET, STUDIO, claims, seconds};
use crate::support::{ADA, Actor, Answer, GRACE, PASSWORD, World, both};

/// B22: `prompt=none` shows nothing, ever.
async fn b22_prompt_none_shows_nothing(world: World) {
    let ask = Ask::of(&STUDIO).with("prompt", "none").with("scope", "openid account_api");
    assert_eq!(ask.refused(&world).await.error(), "login_required");
    let mut ada = world.actor();
    let denied = ada.decide_on(&ask.clone().without("prompt"), ADA, "deny").await;
    assert_eq!(denied.error(), "access_denied");
    assert_eq!(silent(&mut ada, &ask).await.error(), "consent_required");
    ada.allow(&ask.clone().without("prompt"), ADA).await.code();
    silent(&mut ada, &ask).await.code();
    assert_eq!(silent(&mut ada, &ask.clone().with("scope", "data_api")).await.error(), "consent_required");

    // A public client whose address belongs to whoever asks first is trusted with nothing.
    for uri in ["http://127.0.0.1:51004/callback", "com.example.pocket:/callback"] {
        let ask = Ask::of(&POCKET).with("redirect_uri", uri);
        ada.allow(&ask, ADA).await.code();
        assert_eq!(silent(&mut ada, &ask.with("prompt", "none")).await.error(), "consent_required");
    }
    let ask = Ask::of(&POCKET);
    ada.allow(&ask, ADA).await.code();
    silent(&mut ada, &ask.with("prompt", "none")).await.code();
}

/// What a silent request comes back with: at once, or through the dialog's address, but without any page.
async fn silent(actor: &mut Actor, ask: &Ask) -> Landing {
    let mut answer = actor.get(&ask.address()).await;
    for _ in 0..2 {
        assert_eq!(answer.status, 303, "{answer:?}");
        if answer.location().starts_with('/') {
            answer = actor.follow(&answer).await;
        }
    }
    Landing::of(&answer).unwrap_or_else(|| panic!("{answer:?}"))
}

/// B22: whom a hint names has to be who is signed in.
async fn b22_an_id_token_hint_names_who_is_meant(world: World) {
    let theirs = STUDIO.connect_for(&world, GRACE, "openid account_api").await;
    let mut ada = world.actor();
    let ask = Ask::of(&STUDIO).with("scope", "openid account_api");
    let code = ada.allow(&ask, ADA).await.code();
    let own = Issued::of(&STUDIO.redeem(&world, &ask, &code).await);
    let ask = ask.with("prompt", "none");
    silent(&mut ada, &ask.clone().with("id_token_hint", own.id_token())).await.code();
    let other = silent(&mut ada, &ask.clone().with("id_token_hint", theirs.id_token())).await;
    assert_eq!(other.error(), "login_required");
}

/// wire.md B: `prompt` asks again for what is known already.
async fn wire_b_a_prompt_asks_again(world: World) {
    let mut ada = world.actor();
    let ask = Ask::of(&STUDIO).with("scope", "openid account_api");
    ada.allow(&ask, ADA).await.code();
    world.advance(1);
    assert!(Landing::of(&open(&mut ada, &ask).await).is_some(), "signed in, and consented");
    for (prompt, is_login) in [("login", true), ("select_account", true), ("consent", false), ("login consent", true)] {
        let page = open(&mut ada, &ask.clone().with("prompt", prompt)).await.expect(200);
        assert_eq!((page.is_login_page(), page.is_consent_page()), (is_login, !is_login), "{prompt}");
    }
    // Each ends, and does not ask for ever.
    for prompt in ["login", "select_account", "consent", "login consent"] {
        world.advance(1);
        let ask = ask.clone().with("prompt", prompt);
        ada.allow(&ask, ADA).await.code();
    }
}

/// Opens the dialog, and answers what it shows or where it leads.
async fn open(actor: &mut Actor, ask: &Ask) -> Answer {
    let answer = actor.get(&ask.address()).await;
    if answer.location().starts_with('/') { actor.follow(&answer).await } else { answer }
}

/// wire.md B: `max_age` asks again for a login that is too old, and the ID token tells how old it is.
async fn wire_b_max_age_asks_for_a_fresh_login(world: World) {
    let mut ada = world.actor();
    let ask = Ask::of(&STUDIO).with("scope", "openid account_api");
    let first_login = seconds(&world);
    ada.allow(&ask, ADA).await.code();
    world.advance(100);
    let old_enough = ask.clone().with("max_age", "100");
    let code = Landing::of(&open(&mut ada, &old_enough).await).unwrap().code();
    let issued = Issued::of(&STUDIO.redeem(&world, &old_enough, &code).await);
    assert_eq!(claims(issued.id_token())["auth_time"], first_login);

    let too_old = ask.clone().with("max_age", "99");
    let silent = Landing::of(&open(&mut ada, &too_old.clone().with("prompt", "none")).await).unwrap();
    assert_eq!(silent.error(), "login_required");
    assert!(open(&mut ada, &too_old).await.is_login_page());
    let code = ada.allow(&too_old, ADA).await.code();
    let issued = Issued::of(&STUDIO.redeem(&world, &too_old, &code).await);
    assert_eq!(claims(issued.id_token())["auth_time"], first_login + 100);
    assert!(Landing::of(&open(&mut ada, &too_old).await).is_some(), "fresh again");

    world.advance(1);
    let always = ask.with("max_age", "0");
    assert!(open(&mut ada, &always).await.is_login_page());
    ada.allow(&always, ADA).await.code();
}

/// wire.md B: what the client knows of the user is on the login page, as text.
async fn wire_b_a_login_hint_fills_the_form(world: World) {
    let page = world.actor().first_page(&Ask::of(&STUDIO).with("login_hint", GRACE)).await;
    assert!(page.text().contains(&format!("value=\"{GRACE}\"")), "{}", page.text());
    let page = world.actor().first_page(&Ask::of(&STUDIO).with("login_hint", "\"><img src=x>")).await;
    assert!(page.is_login_page() && !page.text().contains("<img src=x"), "C12: {}", page.text());
    let page = world.actor().first_page(&Ask::of(&STUDIO).with("ui_locales", "es en")).await;
    assert!(page.text().contains("lang=\"es\""), "{}", page.text());
}

/// C1 to C4: every page between a request and its answer, and the page that posts one.
async fn c1_c2_c3_c4_every_page_of_a_request_is_guarded(world: World) {
    let mut ada = world.actor();
    let ask = Ask::of(&STUDIO).with("response_mode", "form_post");
    let hop = ada.get(&ask.address()).await;
    assert_eq!((hop.header("cache-control"), hop.header("referrer-policy")), (Some("no-store"), Some("same-origin")));
    let path = hop.location().to_owned();
    assert!(!path.contains('?') && !path.contains(ask.value("state").unwrap()), "the parameters stay behind: {path}");
    let login = ada.get(&path).await.expect(200);
    let fields = [("csrf", &*login.csrf()), ("email", ADA), ("password", PASSWORD)];
    let answer = ada.post(&format!("{path}/login"), &fields).await;
    let consent = ada.follow(&answer).await.expect(200);
    let fields = [("csrf", &*consent.csrf()), ("decision", "allow")];
    let posts = ada.post(&format!("{path}/decision"), &fields).await.expect(200);
    let error = ada.get("/oauth/authorize?client_id=nobody").await.expect(400);
    for (what, page) in [("login", &login), ("consent", &consent), ("error", &error)] {
        assert_guarded(what, page, "same-origin");
    }
    // Its address names only the flow; without an origin the client would get `Origin: null`.
    assert_guarded("form_post", &posts, "strict-origin");
    // Chromium applies `form-action` to the redirect that follows a post, too: it would stop at the client's door.
    for page in [&login, &consent, &posts] {
        let policy = page.header("content-security-policy").unwrap();
        assert!(!policy.contains("form-action") || policy.contains("https://studio.test"), "{policy}");
    }
}

#[track_caller]
fn assert_guarded(what: &str, page: &Answer, referrer: &str) {
    let expected = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
    ];
    for (name, value) in expected {
        assert_eq!(page.header(name), Some(value), "{what}: {name}");
    }
    assert_eq!(page.header("referrer-policy"), Some(referrer), "{what}");
    let policy = page.header("content-security-policy").unwrap();
    for directive in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"] {
        assert!(policy.split("; ").any(|part| part == directive), "{what}: {directive}: {policy}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{what}: {policy}");
    for attribute in ["src=\"", "<link rel=\"stylesheet\" href=\""] {
        for value in page.text().split(attribute).skip(1) {
            assert!(value.starts_with('/') && !value.starts_with("//"), "{what} loads from elsewhere: {value}");
        }
    }
}

/// C13: a public client whose redirect URI anybody could take is asked for consent each time, another is not.
async fn c13_an_unverified_public_client_is_asked_for_each_time(world: World) {
    let mut ada = world.actor();
    for (uri, is_verified) in [
        ("http://127.0.0.1:51004/callback", false),
        ("com.example.pocket:/callback", false),
        ("https://pocket.test/callback", true),
    ] {
        let ask = Ask::of(&POCKET).with("redirect_uri", uri);
        ada.allow(&ask, ADA).await.code();
        let again = open(&mut ada, &ask).await;
        assert_eq!(again.is_consent_page(), !is_verified, "{uri}");
        assert_eq!(Landing::of(&again).is_some(), is_verified, "{uri}");
    }
}

both! {
    b22_prompt_none_shows_nothing,
    b22_an_id_token_hint_names_who_is_meant,
    wire_b_a_prompt_asks_again,
    wire_b_max_age_asks_for_a_fresh_login,
    wire_b_a_login_hint_fills_the_form,
    c1_c2_c3_c4_every_page_of_a_request_is_guarded,
    c13_an_unverified_public_client_is_asked_for_each_time,
}
