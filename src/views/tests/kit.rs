//! The form kit: every kind of field and part, on a page that only tests have.

use super::*;
use crate::domain::pairs::Pairs;
use crate::views::messages::KitTexts;

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% extends "layout_site.html" %}
{% import "parts/form.html" as forms %}
{% import "parts/kit.html" as kit %}
{% block title %}Kit{% endblock %}
{% block nav_console %} aria-current="page"{% endblock %}
{% block main %}
<div class="medium">
{%- call kit::head("Rate Finder") %}<a class="button" href="/edit">Edit</a>{% endcall %}
{%- call kit::tabs("Rate Finder", tabs) %}{% endcall %}
{%- call kit::notice(notice) %}{% endcall %}
{%- call kit::shown_once(secrets) %}{% endcall %}
{%- call kit::facts(facts) %}{% endcall %}
{%- call forms::form(form) %}{% endcall %}
{%- call kit::table(table) %}{% endcall %}
{%- call kit::pager(pager) %}{% endcall %}
<div class="charts">
{%- for chart in charts %}{% call kit::chart(chart) %}{% endcall %}{% endfor %}
</div>
{%- call kit::empty(hostile, hostile) %}<p><a class="button primary" href="/new">New</a></p>{% endcall %}
{%- call kit::danger(hostile, hostile, hostile, hostile) %}{% endcall %}
</div>
{% endblock %}
{% block end %}{% include "parts/copy.html" %}{% endblock %}"#
)]
pub(super) struct Kit {
    page: Page,
    tabs: Vec<Tab>,
    notice: Option<Notice>,
    secrets: Vec<Shown>,
    facts: Vec<Fact>,
    form: Form,
    table: Table,
    pager: Pager,
    charts: Vec<Chart>,
    hostile: String,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% extends "layout_site.html" %}
{% import "parts/kit.html" as kit %}
{% block title %}{{ confirmation.title }}{% endblock %}
{% block main %}{% call kit::confirmation(confirmation) %}{% endcall %}{% endblock %}"#
)]
pub(super) struct Confirm {
    page: Page,
    confirmation: Confirmation,
}

/// A form with each kind of field, `t` as each text of it.
fn form(t: &str) -> Form {
    let choices = || vec![Choice::new("a", t, true).hint(t), Choice::new("b", t, false)];
    Form::new(t, t, t)
        .back_to(t)
        .with_hidden("version", t)
        .with(FormField::text("name", t).value(t).hint(t).required().max_length(80))
        .with(FormField::email("email", t).value(t))
        .with(FormField::url("homepage", t).value(t).hint(t))
        .with(FormField::number("days", t).value("30"))
        .with(FormField::password("password", t, "new-password").required())
        .with(FormField::file("logo", t, "image/png,image/webp").hint(t))
        .with(FormField::select("theme", t, choices()))
        .with(FormField::checks("grants", t, choices()).under(t).hint(t))
        .with(FormField::radios("kind", t, choices()).required())
        .with(FormField::check("password_grant", t, true).hint(t))
        .with(FormField::lines("origins", t).values([t, t]).hint(t))
}

fn refused(mut form: Form, sentence: &str) -> Form {
    for name in form.fields.iter().map(|field| field.name).collect::<Vec<_>>() {
        form.refuse(name, sentence);
    }
    form.refuse("no such field", sentence);
    form
}

pub(super) fn sample(lang: Lang, t: &str) -> Kit {
    let h = || t.to_owned();
    let cells = vec![
        Cell::Two { text: h(), more: h(), address: Some(h()) },
        Cell::code(h()),
        Cell::time(Some(h())),
        Cell::badge(h(), Tone::Bad),
        Cell::link(h(), h()),
        Cell::Button { label: h(), about: h(), action: h(), csrf: h(), is_dangerous: true },
        Cell::text(h()),
        Cell::Empty,
    ];
    Kit {
        page: Page::sample(lang).for_role(Role::Admin),
        tabs: vec![Tab::new(h(), h(), true), Tab::new(h(), h(), false)],
        notice: Some(Notice::bad(h())),
        secrets: vec![Shown { id: "secret", label: h(), value: h() }],
        facts: vec![Fact::new(h(), h()), Fact::code(h(), h()), Fact::copyable("client-id", h(), h())],
        form: refused(form(t), t),
        table: Table { caption: h(), columns: vec![h(); cells.len()], rows: vec![cells] },
        pager: Pager { newest: Some(h()), older: Some(h()) },
        charts: vec![Chart::new("refreshes", h(), [(h(), 1), (h(), 7)]).bad()],
        hostile: h(),
    }
}

pub(super) fn confirm(lang: Lang, t: &str) -> Confirm {
    let form = Form::new(t, t, t).back_to(t).dangerous();
    let confirmation = Confirmation { title: t.to_owned(), text: t.to_owned(), ends: vec![t.to_owned()], form };
    Confirm { page: Page::sample(lang), confirmation }
}

fn html(form: Form) -> String {
    render(&Kit { form, ..sample(Lang::En, "text") })
}

/// The opening tag of the element with this id.
fn tag<'h>(html: &'h str, id: &str) -> &'h str {
    let at = html.find(&format!(" id=\"{id}\"")).unwrap_or_else(|| panic!("{id}: {html}"));
    let start = html[..at].rfind('<').expect("it begins");
    &html[start..=start + html[start..].find('>').expect("it ends")]
}

fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()
}

/// WCAG 2.2, 1.3.1, 3.3.1 and 3.3.2: every field has its label, and its hint and error are read with it.
#[test]
fn a_field_is_tied_to_its_label_its_hint_and_its_error() {
    let html = html(refused(form("text"), "wrong"));
    for name in ["name", "email", "homepage", "days", "password", "logo", "theme", "password_grant", "origins"] {
        let control = tag(&html, name);
        assert!(html.contains(&format!("<label for=\"{name}\">")), "{name}");
        assert_eq!(attribute(control, "aria-invalid"), Some("true"), "{control}");
        let ids = attribute(control, "aria-describedby").unwrap_or_else(|| panic!("{control}"));
        assert!(ids.split(' ').any(|id| id == format!("{name}-error")), "{control}");
        for id in ids.split(' ') {
            tag(&html, id);
        }
    }
    assert!(tag(&html, "name").contains(" aria-describedby=\"name-error name-hint\""), "{html}");
    assert!(tag(&html, "name").contains(" required") && !tag(&html, "email").contains(" required"), "{html}");
    assert!(html.contains(r#"<label for="name">text <span class="need">(required)</span></label>"#), "{html}");
    for name in ["grants", "kind"] {
        assert!(html.contains(&format!(r#" aria-describedby="{name}-error"#)), "{name}: {html}");
        assert!(html.contains(&format!("<label for=\"{name}-2\">")), "{name}: {html}");
    }
    assert_eq!(attribute(tag(&html, "grants-1"), "aria-invalid"), Some("true"), "{html}");
    assert!(html.contains(r#"role="radiogroup" aria-required="true" aria-invalid="true""#), "{html}");
}

#[test]
fn what_is_wrong_is_listed_at_the_top_with_a_link_to_each_field() {
    let html = html(refused(form("text"), "Write `https://a.example`."));
    let summary = tag(&html, "problems");
    assert!(summary.contains("role=\"alert\" tabindex=\"-1\" autofocus"), "{summary}");
    for id in ["name", "grants-1", "kind-1", "password_grant", "origins"] {
        let line = format!("<li><a href=\"#{id}\">text</a>: Write <code>https://a.example</code>.</li>");
        assert!(html.contains(&line), "{line} in {html}");
        tag(&html, id);
    }
    assert!(html.contains("<li>Write <code>https://a.example</code>.</li>"), "of the whole: {html}");
}

#[test]
fn a_form_with_nothing_wrong_says_nothing() {
    let form = form("text");
    assert!(!form.is_refused());
    let html = html(form);
    for absent in ["id=\"problems\"", "aria-invalid", "field-error"] {
        assert!(!html.contains(absent), "{absent}: {html}");
    }
}

#[test]
fn what_was_typed_stays_but_for_passwords_and_files() {
    let mut form = form("before");
    form.fill(&Pairs::parse(
        b"name=%3CAda%3E&email=&password=hunter2&logo=x.png&theme=b&grants=a&grants=b&kind=nonsense&origins=%0D%0Aa%0D%0Ab",
    ));
    let html = html(form);
    assert_eq!(attribute(tag(&html, "name"), "value"), Some("&#60;Ada&#62;"));
    assert_eq!(attribute(tag(&html, "email"), "value"), Some(""));
    assert!(!html.contains("hunter2") && !html.contains("x.png"), "{html}");
    assert!(html.contains(r#"<option value="a">"#) && html.contains(r#"<option value="b" selected>"#), "{html}");
    for (id, is_chosen) in
        [("grants-1", true), ("grants-2", true), ("kind-1", false), ("kind-2", false), ("password_grant", false)]
    {
        assert_eq!(tag(&html, id).contains(" checked"), is_chosen, "{id}");
    }
    // HTML drops one line break at the beginning; the one that was typed is not that one.
    assert!(html.contains(">\n\r\na\r\nb</textarea>"), "{html}");
    assert_eq!(lines("\r\na\r\n \r\n b ").collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn only_a_form_with_a_file_is_sent_in_parts() {
    let of = |form: Form| html(form).contains("enctype=\"multipart/form-data\"");
    assert!(of(form("text")));
    assert!(!of(Form::new("/a", "c", "Go").with(FormField::text("name", "Name"))));
}

#[test]
fn the_header_leads_where_the_role_may_go() {
    let leads = |role, sandbox| {
        let page = Page { sandbox, ..Page::sample(Lang::En) }.for_role(role);
        let html = render(&Kit { page, ..sample(Lang::En, "text") });
        (html.contains("href=\"/console\""), html.contains("href=\"/admin\""))
    };
    assert_eq!(leads(Role::Member, true), (true, false));
    assert_eq!(leads(Role::Member, false), (false, false));
    assert_eq!(leads(Role::Partner, false), (true, false));
    assert_eq!(leads(Role::Admin, false), (true, true));
    assert_eq!(Nav::of_nobody(false), Nav::default());
}

#[test]
fn a_table_names_each_cell_for_narrow_screens() {
    let table = Table {
        caption: "Applications".to_owned(),
        columns: vec!["Name".to_owned(), "State".to_owned(), String::new()],
        rows: vec![vec![Cell::text("Rate Finder"), Cell::badge("active", Tone::Good), Cell::Empty]],
    };
    let html = render(&Kit { table, ..sample(Lang::En, "text") });
    assert!(html.contains(r#"<th role="rowheader" scope="row">Rate Finder</th>"#), "{html}");
    assert!(
        html.contains(r#"<td role="cell" data-label="State"><span class="state good">active</span></td>"#),
        "{html}"
    );
    assert!(!html.contains("<th role=\"columnheader\" scope=\"col\"></th>"), "no header without a name: {html}");
}

#[test]
fn a_chart_says_its_figures() {
    let html = render(&sample(Lang::En, "text"));
    assert!(html.contains("<strong>8</strong>"), "{html}");
    assert!(html.contains(Lang::En.messages().kit.most_a_day.with("7").as_str()), "{html}");
    assert!(html.contains("<td>1</td>") && html.contains("<td>7</td>"), "{html}");
}

#[test]
fn a_secret_is_on_the_page_and_in_no_debug_output() {
    let shown = Shown { id: "secret", label: "Client secret".to_owned(), value: "lgx_hidden".to_owned() };
    assert!(!format!("{shown:?}").contains("lgx_hidden"));
    assert!(render(&Kit { secrets: vec![shown], ..sample(Lang::En, "text") }).contains("lgx_hidden"));
    let KitTexts { copied, .. } = Lang::En.messages().kit;
    assert!(render(&sample(Lang::En, "text")).contains(&format!("data-copied=\"{copied}\"")));
}
