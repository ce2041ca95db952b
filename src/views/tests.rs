//! Every page in every language, with plain and with hostile content.

use askama::Template;

use super::*;

/// Ends an attribute, opens an element, is an entity, and ends a line in old JavaScript.
const HOSTILE: &str = "<script>alert(\"x\")</script>'&amp;\u{2028}</title>";

fn render(view: &impl Template) -> String {
    view.render().expect("a view of owned strings renders")
}

/// Every page of a language, by name.
fn pages(lang: Lang) -> Vec<(&'static str, String)> {
    let mut pages = vec![
        ("login", render(&Login::sample(lang))),
        ("consent", render(&Consent::sample(lang))),
        ("finished", render(&Finished::sample(lang))),
        ("error", render(&ErrorPage::sample(lang))),
        ("account", render(&Account::sample(lang))),
        ("home", render(&Home::sample(lang))),
        ("try_it", render(&TryIt::sample(lang))),
    ];
    pages.push(("try_it without a button", render(&TryIt { demo: None, ..TryIt::sample(lang) })));
    pages.extend(Problem::ALL.into_iter().map(|problem| {
        let page = ErrorPage::new(Page::sample(lang), problem);
        ("a problem", render(&page))
    }));
    pages
}

/// The pages with hostile text wherever one of ours does not stand.
fn hostile_pages(lang: Lang) -> Vec<(&'static str, String)> {
    let h = || HOSTILE.to_owned();
    let page = Page::sample(lang);
    let handover = Handover {
        target: h(),
        state: h(),
        return_to: Some(h()),
        result: Some(DialogResult::Error { iss: h(), error: h(), error_description: h() }),
        mode: Mode::Redirect,
    };
    let permission = Permission::new(lang, HOSTILE);
    let login = Login {
        page: page.clone(),
        handover: Some(handover.clone()),
        action: h(),
        csrf: h(),
        app_name: Some(h()),
        email: h(),
        error: None,
        users: vec![SandboxUser { email: h(), name: h(), note: Some(h()) }],
    };
    let consent = Consent {
        page: page.clone(),
        handover: Some(handover.clone()),
        action: h(),
        switch_action: h(),
        csrf: h(),
        app_name: h(),
        publisher: Some(h()),
        account_name: h(),
        user_name: h(),
        user_email: h(),
        return_origin: h(),
        permissions: vec![permission.clone()],
    };
    let finished = Finished { page: page.clone(), handover: Some(handover), outcome: Outcome::Denied, app_name: h() };
    let error = ErrorPage {
        title: h(),
        what: h(),
        remedy: h(),
        ..ErrorPage::sample(lang).with_detail(h()).with_reference(h())
    };
    let account = Account {
        page: page.clone(),
        csrf: h(),
        user_name: h(),
        user_email: h(),
        account_name: h(),
        logout_action: h(),
        notice: Some(AccountNotice::Disconnected { app_name: h() }),
        connections: vec![ConnectedApp {
            app_name: h(),
            publisher: Some(h()),
            permissions: vec![permission],
            connected_at: h(),
            last_used_at: Some(h()),
            disconnect_action: h(),
        }],
    };
    let demo = Demo {
        app_name: h(),
        app_id: h(),
        button_id: h(),
        origins: vec![h()],
        users: vec![DemoUser { name: h(), email: h(), password: Some(h()), note: Some(h()) }],
    };
    let try_it = |demo| TryIt { page: page.clone(), issuer: h(), demo };
    vec![
        ("login", render(&login)),
        ("consent", render(&consent)),
        ("finished", render(&finished)),
        ("error", render(&error)),
        ("account", render(&account)),
        ("try_it", render(&try_it(Some(demo)))),
        ("try_it without a button", render(&try_it(None))),
    ]
}

#[test]
fn every_page_renders_in_every_language() {
    for lang in Lang::ALL {
        for (name, html) in pages(lang) {
            let start = format!("<!doctype html>\n<html lang=\"{}\">", lang.tag());
            assert!(html.starts_with(&start), "{name} in {lang:?}");
            assert_eq!(html.matches("<h1").count(), 1, "{name} in {lang:?}");
            let footer = lang.messages().footer;
            assert!(html.contains(footer), "{name} in {lang:?} has no disclaimer");
        }
    }
}

/// Rule C2: the policy allows no inline style, no inline handler and no script without the nonce.
#[test]
fn rule_c2_no_page_needs_more_than_its_policy_allows() {
    for (name, html) in Lang::ALL.into_iter().flat_map(pages) {
        let nonce = Page::sample(Lang::En).nonce;
        for script in html.split("<script").skip(1) {
            let tag = &script[..script.find('>').expect("a closed tag")];
            assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "{name}: {tag}");
        }
        for forbidden in [" style=", " onclick=", " onload=", "javascript:"] {
            assert!(!html.contains(forbidden), "{name} has {forbidden}");
        }
    }
}

/// Rules C12 and P6: names, addresses, states and descriptions are text everywhere.
#[test]
fn rule_c12_hostile_text_stays_text() {
    for lang in Lang::ALL {
        for (name, html) in hostile_pages(lang) {
            assert!(!html.contains("<script>"), "{name} in {lang:?}: {html}");
            assert!(!html.contains("alert(\"x\")"), "{name}: a bare quote");
            assert!(html.contains("&#60;script&#62;"), "{name} shows the text");
        }
    }
}

/// Rule P6: nothing inside a JSON element can end it, and it still means the same.
#[test]
fn rule_p6_script_json_cannot_break_out() {
    let json = script_json(HOSTILE);
    for forbidden in ['<', '>', '&', '\u{2028}', '\u{2029}'] {
        assert!(!json.contains(forbidden), "{forbidden:?} in {json}");
    }
    let back: String = serde_json::from_str(&json).expect("valid JSON");
    assert_eq!(back, HOSTILE);
}

#[test]
fn the_handover_has_the_shape_that_the_dialog_script_reads() {
    let allowed = Finished::sample(Lang::En).handover.expect("a handover");
    assert_eq!(
        allowed.json(),
        r#"{"mode":"popup","target":"http://localhost:9001","state":"pX2sN8c3kq0v7JmT4r1uYw","result":{"iss":"http://localhost:8080","code":"lgc_sample"},"return_to":null}"#
    );
    let waiting = Handover::sample().json();
    assert!(waiting.contains(r#""result":null"#), "{waiting}");
}

#[test]
fn a_page_without_a_verified_origin_hands_nothing_over() {
    let html = render(&ErrorPage::sample(Lang::En));
    assert!(!html.contains("le-dialog"), "{html}");
    assert!(!html.contains("dialog.js"), "{html}");
}

#[test]
fn a_login_error_is_tied_to_its_field() {
    let html = render(&Login::sample(Lang::En));
    let text = Lang::En.messages().login.bad_credentials;
    assert!(html.contains(r#"aria-invalid="true" aria-describedby="password-error" autofocus>"#));
    assert!(html.contains(&format!(r#"<p class="field-error" id="password-error" role="alert">{text}</p>"#)));
    assert!(html.contains(r#"value="ada@acme.test" autocomplete="username""#));

    let missing =
        render(&Login { email: String::new(), error: Some(LoginError::EmailMissing), ..Login::sample(Lang::En) });
    assert!(missing.contains(r#"aria-invalid="true" aria-describedby="email-error" autofocus>"#));
}

#[test]
fn a_production_login_offers_nobody() {
    let html = render(&Login { users: Vec::new(), ..Login::sample(Lang::En) });
    assert!(!html.contains("continue_as"), "{html}");
}

#[test]
fn links_start_at_the_issuers_path() {
    let page = Page { base: "/ns/7".to_owned(), ..Page::sample(Lang::En) };
    let html = render(&Account { page, ..Account::sample(Lang::En) });
    assert!(html.contains(r#"href="/ns/7/static/app.css""#), "{html}");
    assert!(html.contains(r#"href="/ns/7/account""#), "{html}");
}

#[test]
fn the_seed_lines_name_the_issuers_origin_without_its_path() {
    let html =
        render(&TryIt { issuer: "http://localhost:8080/ns/7".to_owned(), demo: None, ..TryIt::sample(Lang::En) });
    assert!(html.contains(r#"origins = ["http://localhost:8080"]"#), "{html}");
    assert!(html.contains(r#"return_urls = ["http://localhost:8080/ns/7/"]"#), "{html}");
}

#[test]
fn languages_are_told_by_tag_and_by_weight() {
    assert_eq!(Lang::from_tag("es-MX"), Some(Lang::Es));
    assert_eq!(Lang::from_tag("EN_us"), Some(Lang::En));
    assert_eq!(Lang::from_tag("eso"), None);
    assert_eq!(Lang::from_tag(""), None);
    for (field, lang) in [
        ("", Lang::En),
        ("de-DE,de;q=0.9", Lang::En),
        ("es", Lang::Es),
        ("en;q=0.5, es-419;q=0.8", Lang::Es),
        ("de, en;q=0.9, es;q=0.9", Lang::En),
        ("es;q=0", Lang::En),
        ("es;q=NaN, en;q=0.1", Lang::En),
        ("es;level=1", Lang::En),
        (";;,,q=;", Lang::En),
    ] {
        assert_eq!(Lang::from_accept_language(field), lang, "{field}");
    }
}

#[test]
fn times_are_read_in_utc_or_left_alone() {
    let page = Page::sample(Lang::En);
    for (rfc3339, readable) in [
        ("2026-11-22T10:15:30Z", "2026-11-22 10:15 UTC"),
        ("2026-11-22T10:15:30.123456Z", "2026-11-22 10:15 UTC"),
        ("2026-11-22T10:15:30+01:00", "2026-11-22T10:15:30+01:00"),
        ("yesterday", "yesterday"),
        ("2026-11-22T1Z", "2026-11-22T1Z"),
    ] {
        assert_eq!(page.readable_time(rfc3339), readable);
    }
}
