//! Keeps passwords and keys out of core files.

use nix::sys::resource::{Resource, setrlimit};

/// Lets the system write no core file of this process: it would hold passwords,
/// and keys.
pub(crate) fn write_no_core_file() {
    if let Err(error) = setrlimit(Resource::RLIMIT_CORE, 0, 0) {
        tracing::warn!(%error, "core files of this process are not switched off");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Debug;
    use std::path::Path;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use secrecy::{ExposeSecret as _, SecretString};

    use crate::config::section::CertificateFiles;
    use crate::config::{self, Secret, Surroundings};
    use crate::front::request::cookie::{CookieSecret, Origin, Presented, set};
    use crate::mechanism::choose::{Choice, choose};
    use crate::mechanism::ntlm::crypto::SecretKey;
    use crate::mechanism::ntlm::crypto::key::ExportedKey;
    use crate::mechanism::ntlm::helper::LogonKey;
    use crate::mechanism::ntlm::helper::dialogue::{server_1, squid};
    use crate::pki::file::pem;
    use crate::pki::testing::{Folder, key};
    use crate::pki::{KeySource, PrivateKey};
    use crate::wire::{OpenSession, Password, Session, SessionSecret, SignOnAnswers};

    /// Formats whatever holds a secret, and looks for the secret's text in it.
    #[track_caller]
    fn hides(holder: &dyn Debug, secret: &str) {
        for shown in [format!("{holder:?}"), format!("{holder:#?}")] {
            assert!(!secret.is_empty() && !shown.contains(secret), "{secret} is in {shown}");
        }
    }

    /// The same for bytes: as numbers and as hexadecimal digits.
    #[track_caller]
    fn hides_bytes(holder: &dyn Debug, secret: &[u8]) {
        let numbers: Vec<_> = secret.iter().map(u8::to_string).collect();
        let digits: Vec<_> = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        for text in [numbers.join(", "), numbers.join(",\n    "), digits.concat()] {
            hides(holder, &text);
            hides(holder, &text.to_uppercase());
        }
    }

    #[test]
    fn no_password_is_shown_by_what_holds_it() {
        hides(&Password::new(WORD.into()), WORD);
        let client = "192.0.2.1".parse().unwrap();
        let secret = SessionSecret::from_bits(&[7; 32]);
        let asked = OpenSession::basic("john".into(), Password::new(WORD.into()), client, secret);
        hides(&asked, WORD);
        hides(&asked, &STANDARD.encode([7; 30]));
        let json = serde_json::to_string(&asked).unwrap();
        assert!(json.contains(WORD), "it is sent: {json}");
        let fields: crate::wire::open::Fields<'_> = serde_json::from_str(&json).unwrap();
        hides(&fields, WORD);

        let header = format!("Basic {}", STANDARD.encode(format!("john:{WORD}")));
        let choice = choose([header.as_bytes()], |_| true);
        let Choice::Basic(pair) = &choice else { panic!("{choice:?}") };
        hides(pair, WORD);
        hides(&choice, WORD);
    }

    #[test]
    fn no_passphrase_is_shown_by_the_settings_that_hold_it() {
        let text = format!(
            "[front]\ncore = \"https://core.example\"\nserver_ssl_ca_file = \"/a\"\n\
             sslkey_file = \"/s\"\nsslkey_pass = \"$PASS\"\n[core]\nlisten_tls = \"[::]:237\"\n\
             server_ssl_key_file = \"/k\"\nserver_ssl_key_pass = \"{WORD}\"\n\
             server_ssl_ca_path = \"/a\"\nsslkeys_path = \"/p\"\n"
        );
        let surroundings = Surroundings {
            environment: BTreeMap::from([("PASS".to_owned(), "sesame".to_owned())]),
            root: true,
            hostname: "gate.example.org".to_owned(),
            cores: 1,
            installed: |_| true,
        };
        let loaded = config::parse(&text, "doorward.toml", &surroundings);
        for secret in [WORD, "sesame"] {
            hides(&loaded, secret);
            hides(&Secret::text(secret), secret);
        }
        let shown = format!("{loaded:?}");
        assert_eq!(shown.matches("Secret(not shown)").count(), 2, "both are in it: {shown}");
        let pass = Secret::text(WORD);
        let source = KeySource { path: Path::new("/k"), pass: Some(&pass), pass_setting: "it" };
        hides(&source, WORD);
        let (key, certificate) = ("/k".into(), "/c".into());
        hides(&CertificateFiles { key, certificate, key_pass: Some(pass.clone()) }, WORD);
        hides(&SecretString::from(WORD), WORD);
    }

    #[test]
    fn no_secret_of_a_session_is_shown_by_what_holds_it() {
        let secret = SessionSecret::from_bits(&[7; 32]);
        let json = serde_json::to_string(&secret).unwrap();
        let text = json.trim_matches('"');
        hides(&secret, text);
        let session = serde_json::json!({"session": text, "mechanism": "negotiate",
            "principal": "john@A.EXAMPLE", "channel_bound": true, "redirect": null,
            "user": {"login": "john", "name": "", "email": "", "company": "", "groups": [],
                "admin": 0},
            "expires_at": "2026-01-01T10:00:00Z", "home_server": "a"});
        let answers = serde_json::json!({"answers": [{"granted": session}]});
        hides(&serde_json::from_value::<Session>(session).unwrap(), text);
        hides(&serde_json::from_value::<SignOnAnswers>(answers).unwrap(), text);

        let (cookie, here) =
            (CookieSecret::random().unwrap(), Origin { host: "web.example", secure: true });
        let header = set(&cookie, here).unwrap();
        let pair = header.to_str().unwrap().split(';').next().unwrap();
        let (_, value) = pair.split_once('=').unwrap();
        hides(&cookie, &value[..43]);
        hides(&header, &value[..43]);
        let headers = [(http::header::COOKIE, pair.parse().unwrap())].into_iter().collect();
        let presented = Presented::read(&headers, here);
        let derived = serde_json::to_string(&cookie.session(here)).unwrap();
        assert_eq!(presented.sessions.len(), 1);
        hides(&presented, &value[..43]);
        hides(&presented, derived.trim_matches('"'));
    }

    #[test]
    fn no_private_key_is_shown_by_what_holds_it() {
        let folder = Folder::new();
        let file = key(&folder, "EC", "ec_paramgen_curve:P-256");
        let source = KeySource { path: Path::new("/k"), pass: None, pass_setting: "it" };
        let read = PrivateKey::read(&source, &file).unwrap();
        let blocks = pem::blocks(&file).unwrap();
        let der = blocks[0].der.expose_secret();
        let lines = str::from_utf8(&file).unwrap().lines().filter(|line| !line.starts_with('-'));
        for line in lines {
            hides(&read, line);
            hides(&blocks, line);
        }
        for holder in [&read as &dyn Debug, read.der(), &blocks, &blocks[0].der] {
            hides_bytes(holder, &der[36..52]);
        }
    }

    #[test]
    fn no_key_of_ntlm_is_shown_by_what_holds_it() {
        let made = || SecretKey::new(Box::new(*KEY));
        hides_bytes(&made(), KEY);
        hides_bytes(&ExportedKey::exported(made()), KEY);
        hides_bytes(&[LogonKey::Exchange(made()), LogonKey::Exported(made())], KEY);
        let digits: String = KEY.iter().map(|byte| format!("{byte:02X}")).collect();
        let lines = ["Authenticated: Yes".to_owned(), format!("User-Session-Key: {digits}")];
        hides_bytes(&server_1::answer(&lines).unwrap(), KEY);
        let line = format!("GK {}", STANDARD.encode(KEY));
        hides_bytes(&squid::key(line.as_bytes()).unwrap(), KEY);
    }

    const WORD: &str = "hunter2 ü";
    const KEY: &[u8; 16] = b"\x9a\x8b\x7c\x6d\x5e\x4f\x30\x21\x12\x03\xf4\xe5\xd6\xc7\xb8\xa9";
}
