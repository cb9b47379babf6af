use super::*;
use std::io::Write;
use tempfile::NamedTempFile;

/// A file with this text, removed at the end.
fn scratch(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::with_suffix(".toml").unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn file(text: &str) -> Result<Loaded, Vec<String>> {
    let scratch = scratch(text);
    let loaded = Sources { file: Some(scratch.path().into()), ..Sources::default() }.load();
    loaded.map_err(|problems| lines(&problems, scratch.path()))
}

fn env(name: &str, value: &str) -> Result<Loaded, Vec<Problem>> {
    Sources { env: vec![(name.into(), value.into())], ..Sources::default() }.load()
}

fn flag(path: &str, value: &str) -> Stated {
    Stated { path: path.into(), value: value.into(), origin: StatedBy::Flag(format!("--set {path}")) }
}

/// The problems as an operator sees them, with the temporary file called F.
fn lines(problems: &[Problem], file: &Path) -> Vec<String> {
    problems.iter().map(|problem| problem.to_string().replace(file.to_str().unwrap(), "F")).collect()
}

#[track_caller]
fn wrong(text: &str, line: &str) {
    let problems = file(text).expect_err("a problem");
    assert_eq!(problems, [line]);
}

#[track_caller]
fn right(text: &str) -> Config {
    file(text).unwrap_or_else(|problems| panic!("{text}: {problems:?}")).config
}

#[test]
fn each_wrong_value_has_its_line() {
    wrong("leeway = 61", "leeway (F:1): found `61`, allowed is 0 to 60 seconds");
    wrong("\n\nleeway = -1", "leeway (F:3): found `-1`, allowed is 0 to 60 seconds");
    wrong("leeway = 1.5", "leeway (F:1): found `1.5`, allowed is 0 to 60 seconds");
    wrong("leeway = \"5\"", "leeway (F:1): found `\"5\"`, allowed is 0 to 60 seconds");
    wrong("leeway = true", "leeway (F:1): found `true`, allowed is 0 to 60 seconds");
    wrong("leeway = 99999999999999999999", "leeway (F:1): found `99999999999999999999`, allowed is 0 to 60 seconds");
    wrong(
        "issuer = \"\"",
        "issuer (F:1): found `\"\"`, allowed is a text of 1 to 256 characters, none of them a control character",
    );
    wrong(
        "[passwords]\npolicy = \"strict\"",
        "passwords.policy (F:2): found `\"strict\"`, allowed is `open`, `redis`, or `nist`",
    );
    wrong("[passwords]\nmax_per_user = 0", "passwords.max_per_user (F:2): found `0`, allowed is 1 to 64");
    wrong(
        "passwords.scheme = \"argon2id m=8 t=1 p=1\"",
        "passwords.scheme (F:1): found `\"argon2id m=8 t=1 p=1\"`, allowed is `argon2id m=19456 t=2 p=1` with at least these \
         numbers (or m=47104 t=1 p=1), at most m=262144 t=16 p=16",
    );
    wrong("throttle.account_ceiling = 101", "throttle.account_ceiling (F:1): found `101`, allowed is 5 to 100");
    wrong(
        "elasticsearch.token_timeout = 3601",
        "elasticsearch.token_timeout (F:1): found `3601`, allowed is 1 to 3600 seconds",
    );
    wrong(
        "elasticsearch.family_max = 60",
        "elasticsearch.family_max (F:1): found `60`, allowed is 3600 to 31536000 seconds",
    );
    wrong(
        "elasticsearch.version = \"8\"",
        "elasticsearch.version (F:1): found `\"8\"`, allowed is three numbers, such as `8.19.3`",
    );
    wrong("redis.ttl.max = 86401", "redis.ttl.max (F:1): found `86401`, allowed is 1 to 86400 seconds");
    wrong("dialects.redis = 1", "dialects.redis (F:1): found `1`, allowed is `true` or `false`");
    wrong("engine.hot = \"wasm\"", "engine.hot (F:1): found `\"wasm\"`, allowed is `native` or `module`");
    wrong(
        "server.listen = \"8080\"",
        "server.listen (F:1): found `\"8080\"`, allowed is an address and a port, such as `127.0.0.1:8080` or `[::1]:8080`",
    );
    wrong(
        "server.trusted_proxies = [\"10.0.0.0/8\", \"proxy\"]",
        "server.trusted_proxies (F:1): found `[\"10.0.0.0/8\", \"proxy\"]`, allowed is a list, each item an address or range, such \
         as `10.0.0.0/8` or `2001:db8::1`",
    );
    wrong(
        "openshift.public_url = \"https://h/path\"",
        "openshift.public_url (F:1): found `\"https://h/path\"`, allowed is `http://` or `https://` with a host and an optional \
         port, nothing after it, or \"\" for none",
    );
    wrong(
        "openshift.auth_scope_timeouts = \"session=2.days|1.days\"",
        "openshift.auth_scope_timeouts (F:1): found `\"session=2.days|1.days\"`, allowed is `scope=default|maximum, …` with the \
         scopes session, read, userinfo and *, and times such as 3600, 1.days or 6.months, up to 3650 days, the default no longer than the \
         maximum",
    );
}

#[test]
fn an_unknown_name_is_an_error_with_the_likely_one() {
    wrong("leway = 1", "leway (F:1): there is no such setting; did you mean `leeway`?");
    wrong("[server]\nlistn = \"x\"", "server.listn (F:2): there is no such setting; did you mean `server.listen`?");
    wrong("listen = \"x\"", "listen (F:1): there is no such setting; did you mean `server.listen`?");
    wrong("[redis.tll]\nmax = 1", "redis.tll.max (F:2): there is no such setting; did you mean `redis.ttl.max`?");
    wrong("[zzz]\nq = 1", "zzz.q (F:2): there is no such setting; `waxseal config show` lists all there are");
    wrong("[zzz]", "zzz (F:1): there is no such setting; `waxseal config show` lists all there are");
    wrong("redis = 1", "redis (F:1): found a value, but this is a section: name a setting in it");
    wrong("[leeway]\nx = 1", "leeway (F:1): found `a table`, allowed is 0 to 60 seconds");
}

#[test]
fn what_is_not_toml_is_named_with_its_line() {
    let problems = file("leeway = 1\nissuer = \n").unwrap_err();
    assert_eq!(problems.len(), 1);
    assert!(problems[0].starts_with("F:2: this is not TOML: "), "{problems:?}");
    let repeated = file("leeway = 1\nleeway = 2\n").unwrap_err();
    assert!(repeated[0].starts_with("F:2: this is not TOML: "), "{repeated:?}");
}

#[test]
fn a_file_that_cannot_be_read_is_a_problem() {
    let missing = Sources { file: Some("/nonexistent/w.toml".into()), ..Sources::default() }.load().unwrap_err();
    assert!(missing[0].to_string().starts_with("cannot read /nonexistent/w.toml: "));
}

#[test]
fn a_message_is_one_line_whatever_was_found() {
    let problem = env("WAXSEAL__LEEWAY", "1\n2\u{1b}[31m").unwrap_err();
    assert_eq!(problem[0].to_string(), "leeway (WAXSEAL__LEEWAY): found `1\\n2\\u{1b}[31m`, allowed is 0 to 60 seconds");
}

#[test]
fn all_problems_are_told_at_once() {
    assert_eq!(file("leeway = 61\nlisten = 1\n[passwords]\nmax_per_user = 65").unwrap_err().len(), 3);
}

#[test]
fn settings_that_do_not_go_together_are_named() {
    wrong(
        "redis.ttl.max = 100",
        "redis.ttl.max (F:1): found `100`, allowed is at least redis.ttl.default, which is 300 (default)",
    );
    wrong(
        "redis.ttl.default = 200\nredis.ttl.max = 100",
        "redis.ttl.max (F:2): found `100`, allowed is at least redis.ttl.default, which is 200 (F:1)",
    );
    wrong("server.tls_cert = \"c.pem\"", "server.tls_cert (F:1): it also needs server.tls_key, which is not set");
    wrong(
        "server.listen = \"0.0.0.0:80\"",
        "server.listen (F:1): found `0.0.0.0:80`, allowed is a loopback address as long as this is plain HTTP; set \
         server.tls_cert and server.tls_key, or server.allow_plain_http = true behind a proxy that does TLS",
    );
    right("server.listen = \"0.0.0.0:80\"\nserver.allow_plain_http = true");
    right("server.listen = \"[::1]:80\"");
    // A certificate is for the main listener only.
    wrong(
        "[server]\noperations = \"0.0.0.0:90\"\ntls_cert = \"c.pem\"\ntls_key = \"k.pem\"",
        "server.operations (F:2): found `0.0.0.0:90`, allowed is a loopback address, as this is always plain HTTP; or set \
         server.allow_plain_http = true",
    );
    right("server.operations = \"0.0.0.0:90\"\nserver.allow_plain_http = true");
    right("server.operations = \"127.0.0.1:90\"");
    wrong(
        "server.operations = \"127.0.0.1:90\"\nserver.listen = \"127.0.0.1:90\"",
        "server.operations (F:1): found `127.0.0.1:90`, allowed is another address than that of server.listen",
    );
}

#[test]
fn a_file_in_the_usual_place_may_come_later() {
    let home = tempfile::tempdir().unwrap();
    let usual = home.path().join("waxseal.toml");
    let sources = Sources { usual: Some(usual.clone()), ..Sources::default() };
    assert_eq!(sources.clone().load().unwrap().config.settings.leeway, 0);
    fs::write(&usual, "leeway = 7").unwrap();
    let loaded = sources.load().unwrap();
    assert_eq!((loaded.config.settings.leeway, loaded.file), (7, Some(usual)));
}

#[test]
fn what_no_start_would_take_is_no_setting() {
    assert!(file("log.filter = \"[[\"").is_err());
    assert!(file("log.filter = \"inof\"").is_err() && file("log.filter = \"info,waxseal\"").is_err());
    assert!(file("log.filter = \"warn,waxseal::http=debug\"").is_ok());
    assert!(file("gateway.introspection_roles = [\"bogus_role\"]").is_err());
}

/// Nobody reads them again later, and might take what cannot be read for none.
#[test]
fn ranges_and_digests_are_read_where_they_are_stated() {
    let digits = "ab".repeat(32);
    let text = format!(
        "[server]\ntrusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n[engine]\nmodule = \"m\"\nmodule_sha256 = \"{digits}\""
    );
    let host = right(&text).host;
    assert_eq!(host.server.trusted_proxies, ["10.0.0.0/8", "::1"].map(|range| range.parse().unwrap()));
    assert_eq!(host.engine.module_sha256, Some([0xab; 32]));
    // In the form by which changes are found.
    let shown = serde_json::to_value(&host).unwrap();
    assert_eq!(shown["engine"]["module_sha256"], digits);
    assert_eq!(serde_json::from_value::<Host>(shown).unwrap().server.trusted_proxies, host.server.trusted_proxies);
    for wrong in [digits.to_uppercase(), String::new()] {
        let mut shown = serde_json::to_value(&host).unwrap();
        shown["engine"]["module_sha256"] = wrong.clone().into();
        assert!(serde_json::from_value::<Host>(shown).is_err(), "{wrong:?}");
    }
}

#[test]
fn lives_of_all_scopes_that_are_empty_are_unset() {
    let lives = |text: &str| format!("{:?}", file(text).unwrap().config.settings.openshift);
    assert_eq!(lives("openshift.auth_scope_timeouts = \"\""), lives(""));
}

#[test]
fn one_thing_is_said_once_per_source() {
    let twice = "openshift.auth_scope_timeouts = \"*=60\"\nopenshift.session.max = 70";
    assert_eq!(file(twice).unwrap_err().len(), 1);
    let mut sources = Sources { flags: vec![flag("leeway", "1"), flag("leeway", "2")], ..Sources::default() };
    assert_eq!(sources.clone().load().unwrap_err()[0].to_string(), "leeway (--set leeway): given twice; keep one of them");
    sources.flags.pop();
    assert_eq!(sources.load().unwrap().config.settings.leeway, 1);
}

#[test]
fn a_flag_wins_over_the_environment_and_that_over_the_file() {
    let scratch = scratch("leeway = 1\nissuer = \"file\"\nredis.ttl.default = 60\n");
    let sources = Sources {
        file: Some(scratch.path().into()),
        usual: None,
        env: vec![
            ("WAXSEAL__LEEWAY".into(), "2".into()),
            ("WAXSEAL__ISSUER".into(), "env".into()),
            ("WAXSEAL_LISTEN".into(), "127.0.0.1:1".into()),
            ("WAXSEAL_SERVICE_HOST".into(), "10.0.0.1".into()),
        ],
        flags: vec![flag("leeway", "3")],
    };
    let loaded = sources.load().unwrap();
    let Config { host, settings } = &loaded.config;
    assert_eq!((settings.leeway, settings.issuer.as_str(), settings.redis.ttl.default()), (3, "env", 60));
    assert_eq!(host.server.listen.port(), 1);
    let origin = |path| loaded.origin(path).to_string();
    assert_eq!(origin("leeway"), "--set leeway");
    assert_eq!(origin("issuer"), "WAXSEAL__ISSUER");
    assert_eq!(origin("redis.ttl.default"), format!("{}:3", scratch.path().display()));
    assert_eq!(origin("redis.ttl.max"), "default");
    assert_eq!(origin("server.listen"), "WAXSEAL_LISTEN");
}

#[test]
fn the_environment_speaks_every_notation() {
    let settings = |name: &str, value: &str| env(name, value).unwrap().config.settings;
    assert!(!settings("WAXSEAL__DIALECTS__REDIS", "false").dialects.redis);
    assert_eq!(
        settings("WAXSEAL__GATEWAY__INTROSPECTION_ROLES", "admin, none").gateway.introspection_roles,
        ["admin", "none"]
    );
    assert!(settings("WAXSEAL__GATEWAY__INTROSPECTION_ROLES", "").gateway.introspection_roles.is_empty());
    assert_eq!(settings("WAXSEAL__AUDIENCE", "").audience, None);
    assert_eq!(settings("WAXSEAL__REDIS__TTL__MAX", "600").redis.ttl.max(), 600);
    let openshift =
        settings("WAXSEAL__OPENSHIFT__AUTH_SCOPE_TIMEOUTS", "session=1.days|7.days, *=1.months|6.months").openshift;
    let defaults = Settings::default().openshift;
    assert_eq!((openshift.session, openshift.read), (defaults.session, defaults.read));
    let wrong = env("WAXSEAL__LEEWAI", "1").unwrap_err();
    assert_eq!(wrong[0].to_string(), "leewai (WAXSEAL__LEEWAI): there is no such setting; did you mean `leeway`?");
    let empty = env("WAXSEAL__LEEWAY", "").unwrap_err();
    assert_eq!(empty[0].to_string(), "leeway (WAXSEAL__LEEWAY): found ``, allowed is 0 to 60 seconds");
}

#[test]
fn what_is_shown_can_be_read_back() {
    let first =
        Sources { flags: vec![flag("audience", "us"), flag("redis.ttl.max", "999")], ..Sources::default() }.load().unwrap();
    let rows: Vec<String> = first.rows().map(|(setting, value, _)| format!("{} = {value}", setting.path)).collect();
    let text = rows.join("\n");
    let second = file(&text).unwrap_or_else(|problems| panic!("{problems:?}"));
    let shown = |loaded: &Loaded| loaded.rows().map(|(_, value, _)| value).collect::<Vec<_>>();
    assert_eq!(shown(&first), shown(&second));
}

#[test]
fn the_schema_covers_every_setting_there_is() {
    fn leaves(path: &str, value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) if Setting::find(path).is_none() => {
                for (name, inner) in members {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    leaves(&path, inner, found);
                }
            }
            _ => found.push(path.into()),
        }
    }
    let mut found = Vec::new();
    leaves("", &defaults(), &mut found);
    // The dialects fix these themselves (contract/redis.md section 4, contract/openshift.md section 4).
    let name = |path: &str| path.rsplit('.').next().unwrap().to_owned();
    found.retain(|path| name(path) != "manner" && (name(path) != "min" || path.starts_with("redis.")));
    let mut listed: Vec<String> =
        SETTINGS.iter().map(|setting| setting.path.into()).filter(|path| path != "openshift.auth_scope_timeouts").collect();
    found.sort();
    listed.sort();
    assert_eq!(found, listed);
}

#[test]
fn the_production_file_is_valid_and_strict() {
    let config = right(super::super::PRODUCTION);
    assert_eq!(config.settings.passwords.policy, waxseal_core::settings::PolicyName::Nist);
    assert!(!config.settings.elasticsearch.password_grant);
}

#[test]
fn what_the_production_file_has_behind_a_hash_is_valid_too() {
    let uncomment = |line| behind_a_hash(line).unwrap_or(line).to_owned();
    let text: String = super::super::PRODUCTION
        .lines()
        .map(uncomment)
        .filter(|line| *line != "listen = \"127.0.0.1:8080\"")
        .map(|line| line + "\n")
        .collect();
    right(&text);
}

#[test]
fn what_the_production_file_has_behind_a_hash_is_the_default_but_for_the_server() {
    let mut section = "";
    let mut text = String::new();
    for line in super::super::PRODUCTION.lines() {
        section = if line.starts_with('[') { line } else { section };
        let kept = if line.starts_with('[') { Some(line) } else { behind_a_hash(line) };
        text.extend(kept.filter(|_| section != "[server]").map(|line| format!("{line}\n")));
    }
    assert!(text.matches(" = ").count() > 8, "{text}");
    let default = serde_json::to_value(waxseal_core::settings::Settings::default()).unwrap();
    assert_eq!(serde_json::to_value(right(&text).settings).unwrap(), default);
}

/// The setting that a line of the production file shows behind a `#`.
fn behind_a_hash(line: &str) -> Option<&str> {
    line.strip_prefix("# ").filter(|rest| rest.contains(" = ") && !rest.ends_with('.'))
}

#[test]
fn the_documentation_lists_every_setting_with_its_bounds_and_default() {
    let guide = include_str!("../../../../docs/configuration.md");
    let row = |(setting, default): (&'static Setting, String)| {
        format!("| `{}` | {} | `{default}` | {} |", setting.path, escape(&setting.kind.to_string()), setting.about)
    };
    let rows: Vec<String> = Loaded::default_rows().into_iter().map(row).collect();
    let is_setting = |line: &&str| line.starts_with("| `") && !line.starts_with("| `WAXSEAL_");
    let listed: Vec<&str> = guide.lines().filter(is_setting).collect();
    for row in &rows {
        assert!(listed.contains(&row.as_str()), "docs/configuration.md lacks the line\n{row}");
    }
    assert_eq!(listed.len(), rows.len(), "docs/configuration.md describes a setting that does not exist");
    assert_eq!(listed, rows, "docs/configuration.md has another order");
}

fn escape(text: &str) -> String {
    text.replace('|', "\\|")
}

impl Loaded {
    fn default_rows() -> Vec<(&'static Setting, String)> {
        let loaded = Sources::default().load().unwrap();
        let value = |setting: &'static Setting| match setting.kind {
            ValueKind::Timeouts => "\"\"".into(),
            kind => kind.show(loaded.value(setting.path)),
        };
        SETTINGS.iter().map(|setting| (setting, value(setting))).collect()
    }
}
