//! The signed assertion: what the identity headers say, as a JWT (RFC 7519) that an application
//! can verify even if its connection crosses a network.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderValue;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::{self, PemObject as _};
use serde::Serialize;
use serde_json::{Value, json};
use thiserror::Error;

use crate::clock::Timestamp;
use crate::front::core_link::{Grant, Issued};
use crate::pki::file::write as file;
use crate::wire::{AdminLevel, Mechanism};

/// An assertion is good for so long.
const LIFETIME: Duration = Duration::from_secs(300);

/// Signs assertions with the gateway's own key (ES256, RFC 7518 section 3.4).
#[derive(Debug)]
pub(crate) struct Assertions {
    issuer: String,
    key: EcdsaKeyPair,
    /// The JOSE header of every assertion, encoded.
    header: String,
    jwks: Value,
    /// What was issued lately, by the hash of what it says: clients that keep no
    /// cookie sign on with every request, and a signature costs more than the
    /// rest of such a request.
    recent: moka::sync::Cache<[u8; 32], Issued>,
}

/// Why there is no key to sign with.
#[derive(Debug, Error)]
pub enum AssertionError {
    /// The key cannot be read.
    #[error("cannot read the key of the signed assertions, {}: {source}; let the gateway's user own it", path.display())]
    Read {
        /// Where it stands.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A new key cannot be kept.
    #[error("cannot keep a new key for the signed assertions as {}: {source}; state_path must be a folder that the gateway's user may write to", path.display())]
    Write {
        /// Where it should stand.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{} contains no P-256 key in PKCS#8 PEM; move it away, and Doorward makes a new one (applications fetch it from /.doorward/jwks.json)", path.display())]
    Unusable {
        /// Where it stands.
        path: PathBuf,
    },
    /// The cryptographic library made no key.
    #[error("no key could be made for the signed assertions")]
    Generate,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    iat: u64,
    exp: u64,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    email: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    company: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    groups_omitted: Option<usize>,
    admin: AdminLevel,
    mechanism: Mechanism,
    principal: &'a str,
    channel_bound: bool,
}

impl Assertions {
    /// Takes the key from `assertion-key.pem` in the state folder; the first
    /// start makes it. `issuer` is this gateway's name (`iss`).
    ///
    /// # Errors
    /// See [`AssertionError`]: a key that is there but unusable is not replaced.
    pub(in crate::front) fn open(state_path: &Path, issuer: &str) -> Result<Self, AssertionError> {
        let path = state_path.join(KEY_FILE);
        let pem = match fs::read(&path) {
            Ok(pem) => pem,
            Err(source) if source.kind() == io::ErrorKind::NotFound => generate(&path)?,
            Err(source) => return Err(AssertionError::Read { path, source }),
        };
        let key = parse(&pem).ok_or(AssertionError::Unusable { path })?;
        let jwk = public_jwk(&key);
        let header = json!({"alg": "ES256", "kid": jwk["kid"], "typ": "JWT"});
        Ok(Self {
            issuer: issuer.to_owned(),
            key,
            header: URL_SAFE_NO_PAD.encode(header.to_string()),
            jwks: json!({"keys": [jwk]}),
            recent: moka::sync::Cache::builder()
                .max_capacity(MAX_RECENT)
                .time_to_live(LIFETIME / 2)
                .build(),
        })
    }

    /// The public key, as `/.doorward/jwks.json` shows it (RFC 7517).
    pub(in crate::front) const fn jwks(&self) -> &Value {
        &self.jwks
    }

    /// The assertion for an application: the one issued before while half its
    /// life is left, else a new one. `None`: the session has ended, or the
    /// audience is no text.
    pub(in crate::front) fn for_site(
        &self,
        grant: &Grant,
        audience: &str,
        now: Timestamp,
    ) -> Option<HeaderValue> {
        let mut issued = grant.issued();
        let known = issued.iter().position(|one| &*one.audience == audience);
        if let Some(at) = known {
            if now < issued[at].renew_at {
                return Some(issued[at].value.clone());
            }
            issued.swap_remove(at);
        }
        let fresh = self.issue(grant, audience, now)?;
        if issued.len() >= MAX_AUDIENCES {
            issued.remove(0);
        }
        let value = fresh.value.clone();
        issued.push(fresh);
        Some(value)
    }

    fn issue(&self, grant: &Grant, audience: &str, now: Timestamp) -> Option<Issued> {
        let session = grant.session();
        let life = now.until(session.expires_at).min(LIFETIME);
        if life.is_zero() {
            return None;
        }
        let user = &*session.user;
        let told = groups_fit(&user.groups);
        let mut claims = Claims {
            iss: &self.issuer,
            aud: audience,
            sub: user.login(),
            iat: 0,
            exp: 0,
            name: &user.name,
            email: &user.email,
            company: user.company(),
            groups: told.then_some(user.groups.as_slice()),
            groups_omitted: (!told).then_some(user.groups.len()),
            admin: user.admin,
            mechanism: session.mechanism,
            principal: &session.principal,
            channel_bound: session.channel_bound,
        };
        let content = content_key(&claims)?;
        let recent = self.recent.get(&content);
        if let Some(recent) = recent
            && now < recent.renew_at
            && recent.ends_at <= session.expires_at
        {
            return Some(recent);
        }
        let ends_at = now.plus(life);
        (claims.iat, claims.exp) = (now.unix(), ends_at.unix());
        let value = self.sign(&claims)?;
        let renew_at = now.plus(life / 2);
        let issued = Issued { audience: audience.into(), renew_at, ends_at, value };
        self.recent.insert(content, issued.clone());
        Some(issued)
    }

    fn sign(&self, claims: &Claims<'_>) -> Option<HeaderValue> {
        let claims = serde_json::to_vec(claims).ok()?;
        let mut token = self.header.clone();
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims, &mut token);
        let signature = self.key.sign(&SystemRandom::new(), token.as_bytes()).ok()?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        let mut value = HeaderValue::try_from(token).ok()?;
        // Whoever holds it can show it: kept out of debug output.
        value.set_sensitive(true);
        Some(value)
    }
}

/// The hash of what an assertion says, whenever it says it.
fn content_key(claims: &Claims<'_>) -> Option<[u8; 32]> {
    let content = serde_json::to_vec(claims).ok()?;
    digest(&SHA256, &content).as_ref().try_into().ok()
}

/// Whether the groups leave the assertion short enough for a header line of 8 KB.
fn groups_fit(groups: &[String]) -> bool {
    groups.iter().map(|group| group.len() + r#""","#.len()).sum::<usize>() <= MAX_GROUPS
}

fn generate(path: &Path) -> Result<Vec<u8>, AssertionError> {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)
        .map_err(|_| AssertionError::Generate)?;
    let pem = key.serialize_pem().into_bytes();
    file::write(path, &pem)
        .map_err(|source| AssertionError::Write { path: path.to_owned(), source })?;
    Ok(pem)
}

fn parse(pem: &[u8]) -> Option<EcdsaKeyPair> {
    let der: Result<PrivatePkcs8KeyDer<'_>, pem::Error> = PrivatePkcs8KeyDer::from_pem_slice(pem);
    let der = der.ok()?;
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der()).ok()
}

/// The public half (RFC 7518 section 6.2), named by its thumbprint (RFC 7638).
fn public_jwk(key: &EcdsaKeyPair) -> Value {
    // An uncompressed point (SEC 1 section 2.3.3): 0x04, x, y, of equal length.
    let point = key.public_key().as_ref().get(1..).unwrap_or_default();
    let (x, y) = point.split_at(point.len() / 2);
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    let canonical = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    let kid = URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()));
    json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": kid, "use": "sig", "alg": "ES256"})
}

const KEY_FILE: &str = "assertion-key.pem";
/// Groups in JSON beyond this are left out as a whole: base64 makes 4/3 of it,
/// and servers take header lines of 8 KB.
const MAX_GROUPS: usize = 4 * 1024;
/// Audiences remembered per grant: where a site serves any host, clients choose the audience.
const MAX_AUDIENCES: usize = 8;
/// Assertions that are remembered over all sessions.
const MAX_RECENT: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front::upstream::testing::session;
    use crate::wire::{Session, SessionSecret};
    use jsonwebtoken::jwk::JwkSet;
    use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
    use std::os::unix::fs::PermissionsExt;
    use std::sync::Arc;

    const NOW: Timestamp = Timestamp::from_unix(1_900_000_000);

    fn verified(assertions: &Assertions, token: &HeaderValue) -> Value {
        let token = token.to_str().unwrap();
        let keys: JwkSet = serde_json::from_value(assertions.jwks().clone()).unwrap();
        let kid = decode_header(token).unwrap().kid.unwrap();
        let key = DecodingKey::from_jwk(keys.find(&kid).unwrap()).unwrap();
        let mut rules = Validation::new(Algorithm::ES256);
        rules.set_audience(&["web.example"]);
        rules.set_issuer(&["gate.example"]);
        rules.validate_exp = false;
        decode::<Value>(token, &key, &rules).unwrap().claims
    }

    #[test]
    fn an_application_can_verify_the_assertion_with_the_published_key() {
        let folder = tempfile::tempdir().unwrap();
        let assertions = Assertions::open(folder.path(), "gate.example").unwrap();
        let grant = Grant::for_test(session());
        let token = assertions.for_site(&grant, "web.example", NOW).unwrap();
        assert_eq!(
            verified(&assertions, &token),
            json!({
                "iss": "gate.example", "aud": "web.example", "sub": "john",
                "iat": 1_900_000_000, "exp": 1_900_000_300,
                "name": "John Döe", "email": "john@exampleorg.example", "company": "exampleorg",
                "groups": ["webusers", "S-1-5-21-1-2-3-513"], "admin": 1,
                "mechanism": "negotiate", "principal": "john@ADSDOMAIN.EXAMPLE",
                "channel_bound": true,
            })
        );
    }

    #[test]
    fn the_key_outlives_a_restart_and_is_secret() {
        let folder = tempfile::tempdir().unwrap();
        let first = Assertions::open(folder.path(), "gate.example").unwrap();
        let second = Assertions::open(folder.path(), "gate.example").unwrap();
        assert_eq!(first.jwks(), second.jwks());
        let mode = fs::metadata(folder.path().join(KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_is_told_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(KEY_FILE);
        fs::write(&path, "not a key").unwrap();
        let error = Assertions::open(folder.path(), "gate.example").unwrap_err();
        assert!(error.to_string().contains("assertion-key.pem contains no P-256 key"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"not a key");
    }

    #[test]
    fn an_assertion_serves_until_half_its_life_has_gone() {
        let folder = tempfile::tempdir().unwrap();
        let assertions = Assertions::open(folder.path(), "gate.example").unwrap();
        let grant = Grant::for_test(session());
        let at = |seconds| NOW.plus(Duration::from_secs(seconds));
        let first = assertions.for_site(&grant, "web.example", NOW).unwrap();
        assert_eq!(assertions.for_site(&grant, "web.example", at(149)).unwrap(), first);
        assert_ne!(assertions.for_site(&grant, "other.example", at(149)).unwrap(), first);
        let renewed = assertions.for_site(&grant, "web.example", at(150)).unwrap();
        assert_eq!(verified(&assertions, &renewed)["iat"], at(150).unix());
    }

    #[test]
    fn an_assertion_never_outlives_its_session() {
        let folder = tempfile::tempdir().unwrap();
        let assertions = Assertions::open(folder.path(), "gate.example").unwrap();
        let mut ending = session();
        ending.expires_at = NOW.plus(Duration::from_secs(60));
        let grant = Grant::for_test(ending);
        let token = assertions.for_site(&grant, "web.example", NOW).unwrap();
        assert_eq!(verified(&assertions, &token)["exp"], NOW.unix() + 60);
        let later = NOW.plus(Duration::from_secs(60));
        assert_eq!(assertions.for_site(&grant, "web.example", later), None);
    }

    #[test]
    fn sessions_of_one_user_share_an_assertion_unless_it_outlives_one_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let assertions = Assertions::open(folder.path(), "gate.example").unwrap();
        let issue = |change: fn(&mut Session)| {
            let mut session = session();
            change(&mut session);
            assertions.for_site(&Grant::for_test(session), "web.example", NOW).unwrap()
        };
        let first = issue(|_| {});
        assert_eq!(issue(|session| session.session = SessionSecret::from_bits(&[1; 32])), first);
        assert_ne!(issue(|session| session.principal = "j@OTHER.EXAMPLE".into()), first);
        assert_ne!(issue(|session| session.channel_bound = false), first);
        let ending = issue(|session| session.expires_at = NOW.plus(Duration::from_secs(60)));
        assert_eq!(verified(&assertions, &ending)["exp"], NOW.unix() + 60);
    }

    #[test]
    fn audiences_that_clients_make_up_do_not_pile_up() {
        let folder = tempfile::tempdir().unwrap();
        let assertions = Assertions::open(folder.path(), "gate.example").unwrap();
        let grant = Grant::for_test(session());
        for number in 0..MAX_AUDIENCES * 2 {
            assertions.for_site(&grant, &format!("{number}.example"), NOW).unwrap();
        }
        assert_eq!(grant.issued().len(), MAX_AUDIENCES);
    }

    #[test]
    fn too_many_groups_are_counted_instead_of_listed() {
        let folder = tempfile::tempdir().unwrap();
        let assertions = Assertions::open(folder.path(), "gate.example").unwrap();
        let mut crowded = session();
        let mut user = (*crowded.user).clone();
        user.groups =
            (0..200).map(|number| format!("S-1-5-21-1111-2222-3333-{number:05}")).collect();
        crowded.user = Arc::new(user);
        let token = assertions.for_site(&Grant::for_test(crowded), "web.example", NOW).unwrap();
        let claims = verified(&assertions, &token);
        assert_eq!((&claims["groups_omitted"], &claims["groups"]), (&json!(200), &Value::Null));
        assert!(token.len() < 8000);
    }
}
