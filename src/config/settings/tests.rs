use super::*;

fn load(flags: Flags, environment: &[(&str, &str)], file: &str) -> Result<Settings, ConfigError> {
    let environment = environment.iter().map(|(name, value)| (name.into(), value.into()));
    Settings::load(&flags, environment, Some((Path::new("leadgate.toml"), file)))
}

fn faults(flags: Flags, environment: &[(&str, &str)], file: &str) -> Vec<String> {
    match load(flags, environment, file) {
        Ok(settings) => panic!("accepted as {settings:?}"),
        Err(error) => error.faults().iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn nothing_given_is_a_sandbox_on_this_machine() {
    let settings = load(Flags::default(), &[], "").unwrap();
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.issuer.as_str(), "http://localhost:8080");
    assert_eq!(settings.database_url.to_string(), "sqlite://data/leadgate.db");
    assert_eq!(settings.mode, Mode::Sandbox);
    assert_eq!(settings.master_key, MasterKeySource::Kept("data/leadgate.key".into()));
    assert_eq!((settings.seed, settings.sandbox_token), (None, None));
    assert_eq!(settings.log, LogSettings { format: LogFormat::Text, level: LogLevel::Info });
}

#[test]
fn a_flag_beats_the_environment_which_beats_the_file() {
    let file = "listen = \"127.0.0.1:1\"\nseed = \"file.toml\"\n[log]\nlevel = \"warn\"\n";
    let environment = [("LEADGATE_LISTEN", "127.0.0.1:2"), ("LEADGATE_SEED", "environment.toml")];
    let flags = Flags { listen: Some("127.0.0.1:3".to_owned()), ..Flags::default() };
    let settings = load(flags, &environment, file).unwrap();
    assert_eq!(settings.listen.port(), 3);
    assert_eq!(settings.seed.as_deref(), Some(Path::new("environment.toml")));
    assert_eq!(settings.log.level, LogLevel::Warn);
}

#[test]
fn an_unknown_key_names_its_line_and_the_nearest_known_one() {
    assert_eq!(
        faults(Flags::default(), &[], "# comment\nlisten_on = \"127.0.0.1:1\"\n[log]\nformt = \"json\"\n"),
        [
            "leadgate.toml:2:1: listen_on: unknown key; expected `listen`, which is the nearest known",
            "leadgate.toml:4:1: log.formt: unknown key; expected `format`, which is the nearest known",
        ]
    );
}

#[test]
fn every_bad_value_is_told_with_its_place_and_what_was_expected() {
    let flags = Flags { mode: Some("prod".to_owned()), ..Flags::default() };
    let environment = [("LEADGATE_ISSUER", "https://a.test/?x=1")];
    assert_eq!(
        faults(flags, &environment, "listen = \"8080\"\ndatabase_url = 7\n"),
        [
            "leadgate.toml:1:10: listen: found \"8080\"; expected an address and a port such as `127.0.0.1:8080`",
            "leadgate.toml:2:16: database_url: found an integer; expected a string in quotes",
            "environment variable LEADGATE_ISSUER: issuer: found a URL with a query; expected a public base URL \
             such as `https://auth.example.com` or `http://localhost:8080`",
            "flag --mode: mode: found \"prod\"; expected `sandbox` or `production`",
        ]
    );
}

#[test]
fn no_error_and_no_debug_shows_a_secret() {
    let file = "sandbox_token = 77777777\nmaster_key = \"hunter2\"\nmaster_key_file = \"x\"\n";
    let environment = [("LEADGATE_DATABASE_URL", "postgres//u:hunter2@h/d")];
    let told = faults(Flags::default(), &environment, file).join("\n");
    assert!(!told.contains("hunter2") && !told.contains("7777"), "{told}");

    let file = "sandbox_token = \"hunter2\"\nmaster_key = \"hunter2\"\n";
    let environment = [("LEADGATE_DATABASE_URL", "postgres://u:hunter2@h/d")];
    let settings = load(Flags::default(), &environment, file).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn a_secret_comes_from_one_place_only() {
    let file = "master_key = \"a\"\nmaster_key_file = \"b\"\n";
    assert_eq!(
        faults(Flags::default(), &[], file),
        ["leadgate.toml:2:19: master_key_file: found `master_key_file` beside `master_key`; expected one of the two"]
    );
    let environment = [("LEADGATE_MASTER_KEY_FILE", "/run/secrets/key")];
    let settings = load(Flags::default(), &environment, "master_key = \"a\"\n").unwrap();
    let file = SecretSource::File { path: "/run/secrets/key".into(), key: "master_key_file" };
    assert_eq!(settings.master_key, MasterKeySource::Given(file), "the stronger source wins");
}

#[test]
fn the_url_of_a_database_may_be_in_a_file() {
    let file = std::env::temp_dir().join(format!("leadgate-database-url-{}", std::process::id()));
    let variable = [("LEADGATE_DATABASE_URL_FILE", file.to_str().unwrap())];
    std::fs::write(&file, "postgres://u:hunter2@db.test/leadgate\n").unwrap();
    let settings = load(Flags::default(), &variable, "database_url = \"sqlite://weaker.db\"\n").unwrap();
    assert_eq!(settings.database_url.to_string(), "postgres://u:***@db.test/leadgate");
    // What follows from the database follows from the one in the file.
    let production = "issuer = \"https://a.test\"\n";
    assert!(faults(Flags::default(), &variable, production)[0].contains("master_key"));

    std::fs::write(&file, "mysql://u:hunter2@db.test/leadgate\n").unwrap();
    let told = faults(Flags::default(), &variable, "");
    assert!(told[0].contains(file.to_str().unwrap()) && told[0].contains("of another scheme"), "{told:?}");
    assert!(!told[0].contains("hunter2"), "{told:?}");
    std::fs::remove_file(&file).unwrap();
    let told = faults(Flags::default(), &variable, "");
    assert!(told[0].contains("database_url_file: the file cannot be read"), "{told:?}");

    let both = [variable[0], ("LEADGATE_DATABASE_URL", "sqlite::memory:")];
    assert!(faults(Flags::default(), &both, "")[0].contains("beside `database_url`"));
}

#[test]
fn the_mode_follows_the_issuer_unless_it_is_given() {
    for (issuer, mode) in [
        ("http://localhost:1", Mode::Sandbox),
        ("http://auth.localhost", Mode::Sandbox),
        ("http://127.3.2.1:80", Mode::Sandbox),
        ("http://[::1]:8080", Mode::Sandbox),
        ("https://auth.test", Mode::Production),
    ] {
        let flags = Flags { issuer: Some(issuer.to_owned()), ..Flags::default() };
        assert_eq!(load(flags, &[], "").unwrap().mode, mode, "{issuer}");
    }
    let file = "issuer = \"http://team.test\"\nmode = \"sandbox\"\n";
    assert_eq!(load(Flags::default(), &[], file).unwrap().mode, Mode::Sandbox);
}

#[test]
fn g5_the_password_grant_follows_the_mode_unless_it_is_given() {
    let sandbox = load(Flags::default(), &[], "").unwrap();
    let production = load(Flags::default(), &[], "issuer = \"https://auth.test\"\n").unwrap();
    assert_eq!((sandbox.password_grant, production.password_grant), (true, false));
    let flags = Flags { password_grant: Some("false".to_owned()), ..Flags::default() };
    assert!(!load(flags, &[], "password_grant = true\n").unwrap().password_grant);
    assert!(!load(Flags::default(), &[], "password_grant = false\n").unwrap().password_grant);
    let environment = [("LEADGATE_PASSWORD_GRANT", "true")];
    assert!(load(Flags::default(), &environment, "issuer = \"https://auth.test\"\n").unwrap().password_grant);
    assert_eq!(
        faults(Flags::default(), &[("LEADGATE_PASSWORD_GRANT", "yes")], "password_grant = \"true\"\n"),
        [
            "leadgate.toml:1:18: password_grant: found a string; expected `true` or `false`, without quotes",
            "environment variable LEADGATE_PASSWORD_GRANT: password_grant: found \"yes\"; expected `true` or `false`",
        ]
    );
}

/// A1, R12.
#[test]
fn production_demands_https_and_no_sandbox_token() {
    assert_eq!(
        faults(
            Flags::default(),
            &[("LEADGATE_SANDBOX_TOKEN", "t")],
            "mode = \"production\"\nissuer = \"http://a.test\"\n"
        ),
        [
            "leadgate.toml:2:10: issuer: found `http://a.test` in production mode; \
             expected an https URL (`mode = \"sandbox\"` accepts http)",
            "environment variable LEADGATE_SANDBOX_TOKEN: sandbox_token: found a sandbox token in production mode; \
             expected none: production mode has no control plane that it could open",
        ]
    );
    let found = faults(Flags::default(), &[], "issuer = \"http://a.test\"\n");
    assert_eq!(found.len(), 1, "a host that is not loopback is production by itself: {found:?}");
}

#[test]
fn nodes_that_share_a_database_share_a_key_in_production() {
    let file = "issuer = \"https://a.test\"\ndatabase_url = \"postgres://h/d\"\n";
    assert!(faults(Flags::default(), &[], file)[0].contains("master_key"));
    assert!(load(Flags::default(), &[("LEADGATE_MASTER_KEY_FILE", "k")], file).is_ok());
}

#[test]
fn the_key_file_lies_beside_the_database() {
    for (url, source) in [
        ("sqlite:///srv/x.db", MasterKeySource::Kept("/srv/x.key".into())),
        ("sqlite::memory:", MasterKeySource::Ephemeral),
        ("postgres://h/d", MasterKeySource::Kept("data/leadgate.key".into())),
    ] {
        let flags = Flags { database_url: Some(url.to_owned()), ..Flags::default() };
        assert_eq!(load(flags, &[], "").unwrap().master_key, source, "{url}");
    }
}

#[test]
fn a_default_issuer_follows_the_port_that_was_free() {
    let bound: SocketAddr = "127.0.0.1:4711".parse().unwrap();
    let flags = Flags { listen: Some("127.0.0.1:0".to_owned()), ..Flags::default() };
    let settings = load(flags.clone(), &[], "").unwrap().bound_to(bound);
    assert_eq!(settings.issuer.as_str(), "http://localhost:4711");
    let settings = load(flags, &[], "issuer = \"http://auth.localhost:9\"\n").unwrap().bound_to(bound);
    assert_eq!(settings.issuer.as_str(), "http://auth.localhost:9");
}

#[test]
fn an_open_sandbox_is_warned_of() {
    let flags = Flags { listen: Some("0.0.0.0:8080".to_owned()), ..Flags::default() };
    assert_eq!(load(flags, &[], "").unwrap().warnings().len(), 1);
    assert!(load(Flags::default(), &[], "").unwrap().warnings().is_empty());
}

#[test]
fn what_may_be_called_follows_whose_machine_it_is() {
    let allow = |text: &str| load(Flags::default(), &[], text).unwrap().outgoing_allow;
    let own = AllowList::loopback();
    assert_eq!(allow(""), own);
    assert_eq!(allow("issuer = \"http://sandbox.example\"\nmode = \"sandbox\"\n"), AllowList::default());
    assert_eq!(allow("issuer = \"https://auth.example.com\"\n"), AllowList::default());
    let given = "issuer = \"https://auth.example.com\"\noutgoing_allow = \"loopback\"\n";
    assert_eq!(allow(given), own);
    assert_eq!(
        faults(Flags::default(), &[("LEADGATE_OUTGOING_ALLOW", "https://a.test")], ""),
        [format!(
            "environment variable LEADGATE_OUTGOING_ALLOW: outgoing_allow: found \"https://a.test\"; expected {}",
            allow_list::EXPECTED
        )]
    );
}

#[test]
fn c10_production_is_told_of_a_proxy_that_is_not_named() {
    let warnings = |file: &str| load(Flags::default(), &[], file).unwrap().warnings();
    let production = "issuer = \"https://auth.example.com\"\n";
    assert!(warnings(production)[0].contains("--trusted-proxies"));
    assert!(warnings(&format!("{production}trusted_proxies = \"127.0.0.1\"\n")).is_empty());
    assert!(warnings("").is_empty());
}

#[test]
fn c10_whom_to_believe_is_a_list_and_a_header() {
    let file =
        "trusted_proxies = \"10.0.0.0/8, ::1\"\nproxy_header = \"forwarded\"\n[limits]\nopenings_per_minute = 7\n";
    let settings = load(Flags::default(), &[], file).unwrap();
    assert_eq!(settings.trusted_proxies, "10.0.0.0/8, ::1".parse().unwrap());
    assert_eq!((settings.proxy_header, settings.limits.openings_per_minute), (ProxyHeader::Forwarded, 7));
    let default = load(Flags::default(), &[], "issuer = \"https://auth.example.com\"\n").unwrap();
    assert!(default.trusted_proxies.is_empty() && default.limits.openings_per_minute == 600);
    let environment = [("LEADGATE_TRUSTED_PROXIES", "0.0.0.0/0"), ("LEADGATE_PROXY_HEADER", "x-real-ip")];
    assert_eq!(
        faults(Flags::default(), &environment, ""),
        [
            format!(
                "environment variable LEADGATE_TRUSTED_PROXIES: trusted_proxies: found 0.0.0.0/0, which is everybody: \
                 whoever reaches the server could then write any address into its log; expected {}",
                proxies::EXPECTED
            ),
            "environment variable LEADGATE_PROXY_HEADER: proxy_header: found \"x-real-ip\"; expected `x-forwarded-for` or \
             `forwarded`"
                .to_owned(),
        ]
    );
}
