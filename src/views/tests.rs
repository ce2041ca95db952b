//! Every page in every language, with plain and with hostile content.

use askama::Template;

mod kit;

use super::*;
use crate::domain::check::{Check, Status};
use crate::domain::role::Role;
use crate::domain::scope::Scope;

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
        ("consent for a device", render(&Consent::sample_for_device(lang))),
        ("finished", render(&Finished::sample(lang))),
        ("refused", render(&Refused::sample(lang))),
        ("finished for a device", render(&Finished::sample_for_device(lang))),
        ("form_post", render(&FormPost::sample(lang))),
        ("device", render(&Device::sample(lang))),
        ("logout", render(&Logout::sample(lang))),
        ("signed_out", render(&SignedOut::sample(lang))),
        ("error", render(&ErrorPage::sample(lang))),
        ("account", render(&Account::sample(lang))),
        ("account: a form", render(&AccountForm::sample(lang))),
        ("account: a list", render(&AccountList::sample(lang))),
        ("account: data", render(&AccountData::sample(lang))),
        ("a card", render(&Card::sample(lang))),
        ("checks", render(&Checks::sample(lang))),
        ("docs", render(&Docs::sample(lang))),
        ("a search of the docs", render(&DocsSearch::sample(lang))),
        ("doctor", render(&Doctor::sample(lang))),
        ("home", render(&Home::sample(lang))),
        ("try_it", render(&TryIt::sample(lang))),
        ("reference", render(&Reference::sample(lang))),
        ("fidelity", render(&FidelityLedger::sample(lang))),
        ("inspector", render(&Inspector::sample(lang))),
        ("inspector_sign_in", render(&InspectorSignIn::sample(lang))),
        ("console apps", render(&ConsoleApps::sample(lang))),
        ("console app", render(&ConsoleApp::sample(lang))),
        ("console button", render(&ConsoleButton::sample(lang))),
        ("console deliveries", render(&ConsoleDeliveries::sample(lang))),
        ("console delivery method", render(&ConsoleDeliveryMethod::sample(lang))),
        ("console delivery", render(&ConsoleDelivery::sample(lang))),
        ("console exchange", render(&ConsoleExchange::sample(lang))),
        ("console form", render(&ConsoleForm::sample(lang))),
        ("console secret", render(&ConsoleSecret::sample(lang))),
        ("console webhooks", render(&ConsoleWebhooks::sample(lang))),
        ("console webhook", render(&ConsoleWebhook::sample(lang))),
        ("console message", render(&ConsoleMessage::sample(lang))),
        ("console usage", render(&ConsoleUsage::sample(lang))),
        ("api clients", render(&ApiClients::sample(lang))),
        ("admin", render(&Admin::sample(lang))),
        ("the form kit", render(&kit::sample(lang, "text"))),
        ("a confirmation", render(&kit::confirm(lang, "text"))),
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
        next: Some(h()),
        sign_up: Some(h()),
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
        app_logo: Some(h()),
        publisher: Some(h()),
        account_name: h(),
        user_name: h(),
        user_email: h(),
        returns_to: ReturnsTo::Origin(h()),
        permissions: vec![permission.clone()],
    };
    let app_consent = Consent { handover: None, returns_to: ReturnsTo::Scheme(h()), ..consent.clone() };
    let device_consent = Consent { returns_to: ReturnsTo::Device { user_code: h() }, ..app_consent.clone() };
    let finished = Finished { page: page.clone(), handover: Some(handover), outcome: Outcome::Denied, app_name: h() };
    let device_finished = Finished { handover: None, ..finished.clone() };
    let fields = vec![HiddenField::new(HOSTILE, HOSTILE)];
    let form_post = FormPost { page: page.clone(), action: h(), fields: fields.clone(), app_name: h() };
    let device = Device { page: page.clone(), action: h(), csrf: h(), user_code: h(), error: None };
    let logout = Logout {
        page: page.clone(),
        action: h(),
        csrf: h(),
        fields,
        user_name: h(),
        user_email: h(),
        app_name: Some(h()),
    };
    let error = ErrorPage {
        title: h(),
        what: h(),
        remedy: h(),
        ..ErrorPage::sample(lang).with_detail(h()).with_reference(h())
    };
    let head = AccountHead {
        csrf: h(),
        user_name: h(),
        user_email: h(),
        account_name: h(),
        logout_action: h(),
        tabs: vec![Tab::new(h(), h(), true)],
        notice: Some(Notice::good(h())),
    };
    let account = Account {
        page: page.clone(),
        head,
        connections: vec![ConnectedApp {
            app_name: h(),
            app_logo: Some(h()),
            publisher: Some(h()),
            permissions: vec![permission],
            connected_at: h(),
            last_used_at: Some(h()),
            disconnect_action: h(),
        }],
    };
    let head = account.head.clone();
    let data = AccountData { page: page.clone(), head, download: h() };
    let card = Card { intro: h(), link: Some(("link", h())), ..Card::sample(lang) };
    let demo = Demo {
        app_name: h(),
        app_id: h(),
        button_id: h(),
        origins: vec![h()],
        theme: crate::domain::button::Theme::Auto,
        size: crate::domain::button::Size::Medium,
        users: vec![DemoUser { name: h(), email: h(), password: Some(h()), note: Some(h()) }],
    };
    let field = || Field { name: h(), kind: h(), is_required: true, text: Prose::of(HOSTILE) };
    let answer = Answer { status: h(), text: Prose::of(HOSTILE), fields: vec![field()] };
    let operation = Operation {
        id: h(),
        method: h(),
        path: h(),
        summary: Prose::of(HOSTILE),
        description: Prose::of(HOSTILE),
        is_public: true,
        parameters: vec![field()],
        body: vec![field()],
        answers: vec![answer],
        curl: h(),
    };
    let group = Group { id: h(), title: h(), text: Prose::of(HOSTILE), operations: vec![operation] };
    let reference = Reference { page: page.clone(), first_request: h(), groups: [group].into() };
    let row = LedgerRow { id: h(), text: Prose::of(HOSTILE), fidelity: Fidelity::Ours, source: h() };
    let ledger =
        FidelityLedger { page: page.clone(), surfaces: vec![Surface { id: h(), title: h(), rows: vec![row] }] };
    let sign_in = InspectorSignIn { page: page.clone(), action: h(), elsewhere: None, error: None };
    let elsewhere = InspectorSignIn { elsewhere: Some(h()), ..sign_in.clone() };
    let try_it = |demo| TryIt { page: page.clone(), issuer: h(), demo };
    let evidence = Evidence { request: h(), at: h(), exchange: h(), value: h() };
    let rows = vec![CheckRow { check: Check::CallbackReturns, status: Status::Fail, evidence: Some(evidence) }];
    let checks = Checks { issuer: h(), app_id: h(), app_name: h(), at: h(), rows, ..Checks::sample(lang) };
    vec![
        ("checks", render(&checks)),
        ("login", render(&login)),
        ("consent", render(&consent)),
        ("consent for an app", render(&app_consent)),
        ("consent for a device", render(&device_consent)),
        ("finished", render(&finished)),
        ("finished for a device", render(&device_finished)),
        ("form_post", render(&form_post)),
        ("device", render(&device)),
        ("logout", render(&logout)),
        ("error", render(&error)),
        ("account", render(&account)),
        ("account: data", render(&data)),
        ("a card", render(&card)),
        ("reference", render(&reference)),
        ("fidelity", render(&ledger)),
        ("try_it", render(&try_it(Some(demo)))),
        ("try_it without a button", render(&try_it(None))),
        ("inspector_sign_in", render(&sign_in)),
        ("inspector elsewhere", render(&elsewhere)),
        ("the form kit", render(&kit::sample(lang, HOSTILE))),
        ("a confirmation", render(&kit::confirm(lang, HOSTILE))),
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
            // The documentation's policy allows files of this server and nothing else: a nonce would differ each time.
            let is_allowed = tag.contains(&format!("nonce=\"{nonce}\""))
                || name.contains("docs") && tag.contains(" src=\"/") && script[tag.len()..].starts_with("></script>");
            assert!(is_allowed, "{name}: {tag}");
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

/// Rule C13: the consent page names where the result goes.
#[test]
fn rule_c13_consent_names_whom_access_goes_to() {
    let text = &Lang::En.messages().consent;
    let page = |returns_to| render(&Consent { returns_to, ..Consent::sample_for_device(Lang::En) });
    let web = page(ReturnsTo::of_redirect_uri("https://app.example:8443/cb?tenant=1"));
    assert!(web.contains("<code>https://app.example:8443</code>"), "{web}");
    assert!(!web.contains(text.own_device), "{web}");
    let native = page(ReturnsTo::of_redirect_uri("com.example.app:/callback"));
    assert!(native.contains(&format!("{} <code>com.example.app</code>", text.app_here)), "{native}");
    let device = page(ReturnsTo::Device { user_code: "BCDF-GHJK".to_owned() });
    assert!(device.contains(r#"<code class="user-code">BCDF-GHJK</code>"#), "{device}");
    assert!(device.contains(text.own_device), "{device}");
    assert!(!device.contains(text.returns_to), "a device has no address to return to: {device}");
}

#[test]
fn a_redirect_uri_shows_no_other_host_than_its_own() {
    for (redirect_uri, shown) in [
        ("https://app.example/callback", ReturnsTo::Origin("https://app.example".to_owned())),
        ("http://127.0.0.1:51004/", ReturnsTo::Origin("http://127.0.0.1:51004".to_owned())),
        ("http://[::1]/cb", ReturnsTo::Origin("http://[::1]".to_owned())),
        ("https://bank.example@app.example/", ReturnsTo::Origin("https://app.example".to_owned())),
        ("https://b\u{e4}nk.example/", ReturnsTo::Origin("https://xn--bnk-qla.example".to_owned())),
        ("com.example.app://bank.example/cb", ReturnsTo::Scheme("com.example.app".to_owned())),
        ("no uri", ReturnsTo::Origin("no uri".to_owned())),
    ] {
        assert_eq!(ReturnsTo::of_redirect_uri(redirect_uri), shown, "{redirect_uri}");
    }
}

/// Allow is guarded against a click that was meant for something else, also where nothing is handed over.
#[test]
fn consent_without_a_button_keeps_the_guarded_allow() {
    let html = render(&Consent::sample_for_device(Lang::En));
    assert!(html.contains(r#"src="/static/dialog.js""#), "{html}");
    assert!(!html.contains("le-dialog"), "{html}");
}

#[test]
fn a_device_ends_without_a_hand_over() {
    let text = &Lang::En.messages().finished;
    let allowed = render(&Finished::sample_for_device(Lang::En));
    assert!(allowed.contains(&format!("<h1>{}</h1>", text.back_to_device)), "{allowed}");
    let denied = render(&Finished { outcome: Outcome::Denied, ..Finished::sample_for_device(Lang::En) });
    assert!(denied.contains(&format!("<h1>{}</h1>", text.not_given)), "{denied}");
    for html in [allowed, denied] {
        assert!(!html.contains("le-dialog"), "{html}");
        assert!(!html.contains(text.returning), "the window does not close by itself: {html}");
        assert!(!html.contains(text.needs_script), "{html}");
    }
}

/// RFC 8628, section 3.3.1: a code that came with the address is to be compared with the device.
#[test]
fn a_code_from_the_address_is_to_be_compared() {
    let text = &Lang::En.messages().device;
    let given = render(&Device::sample(Lang::En));
    assert!(given.contains(r#"value="BCDF-GHJK""#), "{given}");
    assert!(given.contains(text.compare) && !given.contains(text.enter), "{given}");

    let empty = render(&Device { user_code: String::new(), ..Device::sample(Lang::En) });
    assert!(empty.contains(text.enter) && !empty.contains(text.compare), "{empty}");
    assert!(empty.contains(r#"aria-describedby="code-shape" autofocus>"#), "{empty}");
}

#[test]
fn a_device_error_is_tied_to_its_field_or_to_the_form() {
    let text = &Lang::En.messages().device;
    let page = |error| render(&Device { error: Some(error), ..Device::sample(Lang::En) });
    for (error, sentence) in
        [(DeviceError::CodeUnknown, text.code_unknown), (DeviceError::CodeMissing, text.code_missing)]
    {
        let html = page(error);
        assert!(html.contains(r#"aria-invalid="true" aria-describedby="code-error" autofocus>"#), "{html}");
        assert!(html.contains(&format!(r#"<p class="field-error" id="code-error" role="alert">{sentence}</p>"#)));
        assert!(html.contains(text.enter), "what was typed needs no comparison: {html}");
    }
    for (error, sentence) in [
        (DeviceError::TooManyAttempts { retry_after_seconds: 30 }, text.too_many_attempts.with("30")),
        (DeviceError::FormOutdated, text.form_outdated.to_owned()),
    ] {
        let html = page(error);
        assert!(html.contains(&format!(r#"<p class="alert" role="alert">{sentence}</p>"#)), "{html}");
        assert!(!html.contains("aria-invalid"), "{html}");
    }
}

/// OAuth 2.0 Form Post Response Mode, section 2: the fields and nothing else are sent.
#[test]
fn a_form_post_sends_its_fields_alone() {
    let html = render(&FormPost::sample(Lang::En));
    assert_eq!(html.matches("<form").count(), 1, "{html}");
    assert!(html.contains(r#"method="post" action="http://localhost:9001/callback""#), "{html}");
    let form = &html[html.find("<form").expect("a form")..html.find("</form>").expect("its end")];
    let sent: Vec<_> = form.split(" name=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(sent, ["code", "state", "iss"], "{form}");
    assert!(form.contains(r#"type="submit">Continue</button>"#), "without JavaScript there is a button: {form}");
    assert!(html.find("<script") > html.find("</form>"), "the form is there when the script runs: {html}");
}

#[test]
fn signing_out_is_asked_for_with_what_the_answer_needs() {
    let html = render(&Logout::sample(Lang::En));
    for field in [
        r#"name="csrf" value="b3n1q7""#,
        r#"name="client_id" value="rate-finder""#,
        r#"name="post_logout_redirect_uri" value="http://localhost:9001/bye""#,
        r#"name="state" value="pX2sN8c3kq0v7JmT4r1uYw""#,
    ] {
        assert!(html.contains(&format!(r#"<input type="hidden" {field}>"#)), "{field}: {html}");
    }
    assert!(html.contains("Rate Finder asks for it."), "{html}");
    let unknown = render(&Logout { app_name: None, ..Logout::sample(Lang::En) });
    assert!(!unknown.contains("asks for it"), "{unknown}");
}

#[test]
fn every_scope_has_its_sentence() {
    for lang in Lang::ALL {
        for scope in Scope::ALL {
            assert!(lang.messages().scopes.sentence(scope.as_str()).is_some(), "{scope} in {lang:?}");
        }
    }
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

/// XML has no way to write a control character, and a suite's counts are those of its cases.
#[test]
fn wire_e_junit_escapes_and_counts() {
    let junit = JUnit::sample();
    let xml = render(&junit);
    assert_eq!(xml.matches("<testcase ").count(), junit.rows.len());
    assert_eq!((xml.matches("<failure ").count(), xml.matches("</failure>").count()), (1, 1));
    assert!(xml.contains(r#"failures="1" errors="0" skipped="35""#), "{xml}");
    let mut rows = junit.rows.clone();
    let failed = rows.iter_mut().find_map(|row| row.evidence.as_mut().filter(|found| found.value == "7"));
    failed.expect("a failure").value = format!("\u{1}{HOSTILE}\u{fffe}]]>");
    let xml = render(&JUnit { app_name: HOSTILE.to_owned(), rows, ..junit });
    assert!(
        !xml.contains("<script") && !xml.contains('\u{1}') && !xml.contains('\u{fffe}') && !xml.contains("]]>"),
        "{xml}"
    );
}
