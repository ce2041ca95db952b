use std::process::Command;

use super::*;

const TOKEN: &str = "***abcdefghij_-";

fn message(line: &str, headers: &[(&str, &str)], body: &str) -> Message {
    let header = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Message { line: line.to_owned(), headers: headers.iter().map(header).collect(), body: body.to_owned() }
}

fn shown(line: &str, headers: &[(&str, &str)], body: &str) -> String {
    super::line("http://localhost:8080", &message(line, headers, body))
}

#[test]
fn e_what_is_masked_is_a_variable() {
    let form = [("content-type", "application/x-www-form-urlencoded"), ("authorization", "Basic app:***")];
    let json = [("content-type", "application/json"), ("cookie", "leadgate_session_x=***"), ("host", "a.test")];
    for (line, headers, body, expected) in [
        (
            format!("GET /t1/authorize/refreshaccesstoken/lgr_{TOKEN}?appid=one&_=1"),
            &[][..],
            String::new(),
            r#"curl -i 'http://localhost:8080/t1/authorize/refreshaccesstoken/'"$REFRESH_TOKEN"'?appid=one&_=1'"#,
        ),
        (
            "GET /v1/me".to_owned(),
            &[("authorization", "Bearer lga_***abcdefghij_-"), ("user-agent", "x")],
            String::new(),
            r#"curl -i 'http://localhost:8080/v1/me' -H 'authorization: Bearer '"$ACCESS_TOKEN""#,
        ),
        (
            "POST /oauth/token".to_owned(),
            &form,
            format!(
                "grant_type=authorization_code&code=lgo_{TOKEN}&code_verifier=***&redirect_uri=https://p.test/?a=1%26b"
            ),
            r#"curl -i 'http://localhost:8080/oauth/token' -u 'app:'"$CLIENT_SECRET" --data-urlencode 'grant_type=authorization_code' --data-urlencode 'code='"$CODE" --data-urlencode 'code_verifier='"$CODE_VERIFIER" --data-urlencode 'redirect_uri=https://p.test/?a=1&b'"#,
        ),
        (
            "POST /button/token".to_owned(),
            &json,
            format!(r#"{{"btn":"b","code":"lgc_{TOKEN}","code_verifier":"***"}}"#),
            r#"curl -i 'http://localhost:8080/button/token' -H 'content-type: application/json' -b "$COOKIE" --data-raw '{"btn":"b","code":"'"$CODE"'","code_verifier":"'"$CODE_VERIFIER"'"}'"#,
        ),
        ("HEAD /account".to_owned(), &[], String::new(), "curl -I 'http://localhost:8080/account'"),
        ("DELETE /x".to_owned(), &[], String::new(), "curl -i -X 'DELETE' 'http://localhost:8080/x'"),
        (
            "PUT /x".to_owned(),
            &[],
            "(7 bytes of text/html)".to_owned(),
            "curl -i -X 'PUT' 'http://localhost:8080/x' --data-binary @body",
        ),
    ] {
        assert_eq!(shown(&line, headers, &body), expected);
    }
}

/// What a shell makes of the line is what was to be sent, whatever characters it has: nothing else is run or replaced.
#[test]
fn e_a_shell_takes_every_word_as_it_is() {
    let nasty = "'\"`$(touch /nowhere)$HOME \\ ;|&\n\r\u{1b}[201~é{a,b}[1-9]*!#";
    let plain: String = nasty.chars().filter(|c| !c.is_control()).collect();
    let json = serde_json::json!({"name": nasty, "path": "***", "client_secret": "***"}).to_string();
    let line = shown(
        "PO'ST /x/***?home=***&page=%0A'$(x)&callback={a,b}[1-9]",
        &[("origin", &plain), ("content-type", "application/json"), ("accept", "a'; echo ran; '")],
        &json,
    );
    assert!(!line.contains(['\n', '\r', '\u{1b}']), "{line}");
    let script = format!("curl() {{ for word; do printf '%s\\n' \"$word\"; done; }}; {line}");
    let ran = Command::new("/bin/sh")
        .args(["-c", &script])
        .env_clear()
        .env("HOME", "the-home")
        .env("PATH", "the-path")
        .env("TOKEN", "t0ken")
        .env("VALUE", "v4lue")
        .env("CLIENT_SECRET", "s3cret")
        .output()
        .unwrap();
    let words = String::from_utf8(ran.stdout).unwrap();
    let body = json.replacen("***", "s3cret", 1).replacen("***", "v4lue", 1);
    let expected = [
        "-i",
        "-X",
        "PO'ST",
        "http://localhost:8080/x/t0ken?home=v4lue&page=%0A'$(x)&callback=%7Ba,b%7D%5B1-9%5D",
        "-H",
        &format!("origin: {plain}"),
        "-H",
        "content-type: application/json",
        "-H",
        "accept: a'; echo ran; '",
        "--data-raw",
        &body,
    ];
    assert_eq!(words.lines().collect::<Vec<_>>(), expected, "{line}");
}
