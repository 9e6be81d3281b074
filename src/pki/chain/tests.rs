//! Certificates of every kind, made by OpenSSL, before our authorities.

use super::*;
use crate::clock;
use crate::pki::openssl::{Key, certificates, issue, make_ca, make_key, openssl};

const CLIENT: &str = "extendedKeyUsage=clientAuth\n";
const DAY: u64 = 24 * 60 * 60;

/// A folder with the authorities `ca` and `other`, and the key `web`.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    make_ca(folder.path(), "ca");
    make_ca(folder.path(), "other");
    make_key(folder.path(), "web", Key::Ec("P-256"));
    folder
}

fn authorities(folder: &Path, crl: Option<&str>) -> Authorities {
    Authorities::load(AuthorityFiles {
        ca_file: Some(folder.join("ca.pem")),
        ca_path: None,
        crl_file: crl.map(|crl| folder.join(crl)),
    })
    .unwrap()
}

fn judge(authorities: &Authorities, folder: &Path, days_from_now: i64) -> Option<Reason> {
    let now = clock::now().unix().checked_add_signed(days_from_now * DAY.cast_signed());
    let chain = certificates(folder, "web.pem");
    authorities
        .current()
        .judge(&chain, Timestamp::from_unix(now.unwrap()))
        .err()
        .map(|refused| refused.reason)
}

#[test]
fn a_certificate_counts_in_its_time_and_for_its_purpose_alone() {
    let folder = folder();
    let folder = folder.path();
    let ours = authorities(folder, None);
    for (ca, extensions, days, expected) in [
        ("ca", CLIENT, 0, None),
        ("ca", "basicConstraints=CA:FALSE\n", 0, None),
        ("ca", CLIENT, 31, Some(Reason::CertificateExpired)),
        ("ca", CLIENT, -1, Some(Reason::CertificateNotYetValid)),
        ("ca", "extendedKeyUsage=serverAuth\n", 0, Some(Reason::CertificatePurpose)),
        ("other", CLIENT, 0, Some(Reason::CertificateNoChain)),
        // Without extensions OpenSSL 3.0 makes version 1.
        ("ca", "", 0, Some(Reason::CertificateForm)),
    ] {
        issue(folder, ca, "web", extensions, &["-days", "30"]);
        assert_eq!(judge(&ours, folder, days), expected, "{ca} {extensions:?} {days}");
    }
}

#[test]
fn who_signs_for_themselves_has_no_authority() {
    let folder = folder();
    let folder = folder.path();
    let ours = authorities(folder, None);
    for extension in ["basicConstraints=CA:TRUE", "basicConstraints=CA:FALSE"] {
        let subject = ["req", "-x509", "-key", "web.key", "-subj", "/CN=web"];
        let more = ["-addext", extension, "-out", "web.pem"];
        openssl(folder, &[&subject[..], &more].concat());
        assert_eq!(judge(&ours, folder, 0), Some(Reason::CertificateSelfSigned), "{extension}");
    }
}

#[test]
fn without_authorities_nobody_has_a_chain() {
    let folder = folder();
    issue(folder.path(), "ca", "web", CLIENT, &[]);
    let none = Authorities::load(AuthorityFiles::default()).unwrap();
    assert_eq!(judge(&none, folder.path(), 0), Some(Reason::CertificateNoChain));
}

#[test]
fn a_weak_key_is_told_before_its_chain() {
    let folder = folder();
    let folder = folder.path();
    for (key, reason) in [
        (Key::Rsa(1024), Reason::PublicKeyTooShort),
        (Key::Named("ED448"), Reason::PublicKeyAlgorithm),
    ] {
        make_key(folder, "web", key);
        issue(folder, "other", "web", CLIENT, &[]);
        assert_eq!(judge(&authorities(folder, None), folder, 0), Some(reason));
    }
}

/// Lets the authority `ca` write `crl.pem`, good for so many days.
fn write_crl(folder: &Path, days: &str) {
    let config = "[ca]\ndefault_ca=a\n[a]\ndatabase=index\ndefault_md=sha256\ncrlnumber=number\n";
    fs::write(folder.join("ca.cnf"), config).unwrap();
    for (file, text) in [("index", ""), ("number", "01\n")] {
        if !folder.join(file).exists() {
            fs::write(folder.join(file), text).unwrap();
        }
    }
    let fixed = ["ca", "-config", "ca.cnf", "-keyfile", "ca.key", "-cert", "ca.pem"];
    openssl(folder, &[&fixed[..], &["-gencrl", "-crldays", days, "-out", "crl.pem"]].concat());
}

fn revoke(folder: &Path) {
    let fixed = ["ca", "-config", "ca.cnf", "-keyfile", "ca.key", "-cert", "ca.pem"];
    openssl(folder, &[&fixed[..], &["-revoke", "web.pem"]].concat());
}

#[test]
fn a_revoked_certificate_is_refused_as_soon_as_the_list_says_so() {
    let folder = folder();
    let folder = folder.path();
    issue(folder, "ca", "web", CLIENT, &["-days", "30"]);
    write_crl(folder, "10");
    let ours = authorities(folder, Some("crl.pem"));
    assert_eq!(judge(&ours, folder, 0), None);
    assert_eq!(judge(&ours, folder, 11), Some(Reason::CrlOutdated));
    revoke(folder);
    write_crl(folder, "10");
    assert_eq!(judge(&ours, folder, 0), Some(Reason::CertificateRevoked));
    fs::write(folder.join("crl.pem"), "half a li").unwrap();
    assert_eq!(judge(&ours, folder, 0), Some(Reason::CertificateRevoked), "the former list counts");
}

#[test]
fn a_list_must_be_there_for_every_authority() {
    let folder = folder();
    let folder = folder.path();
    issue(folder, "other", "web", CLIENT, &[]);
    write_crl(folder, "10");
    fs::copy(folder.join("other.pem"), folder.join("both.pem")).unwrap();
    let files = AuthorityFiles {
        ca_file: Some(folder.join("both.pem")),
        ca_path: None,
        crl_file: Some(folder.join("crl.pem")),
    };
    let both = Authorities::load(files).unwrap();
    assert_eq!(judge(&both, folder, 0), Some(Reason::CrlMissing));
}

#[test]
fn authorities_may_stand_in_a_folder() {
    let folder = folder();
    let folder = folder.path();
    issue(folder, "ca", "web", CLIENT, &[]);
    let authorities_folder = folder.join("cas");
    fs::create_dir(&authorities_folder).unwrap();
    fs::copy(folder.join("other.pem"), authorities_folder.join("0.pem")).unwrap();
    let files =
        AuthorityFiles { ca_path: Some(authorities_folder.clone()), ..AuthorityFiles::default() };
    let ours = Authorities::load(files).unwrap();
    assert_eq!(judge(&ours, folder, 0), Some(Reason::CertificateNoChain));
    fs::copy(folder.join("ca.pem"), authorities_folder.join("1.pem")).unwrap();
    assert_eq!(judge(&ours, folder, 0), None);
}

#[test]
fn the_error_names_the_file_and_the_mend() {
    let folder = folder();
    let folder = folder.path();
    fs::write(
        folder.join("odd.pem"),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    )
    .unwrap();
    for (ca, crl, words) in [
        ("missing.pem", None, "cannot read"),
        ("web.key", None, "holds no certificate"),
        ("odd.pem", None, "cannot be used"),
        ("ca.pem", Some("ca.pem"), "holds no list of revoked certificates"),
    ] {
        let error = Authorities::load(AuthorityFiles {
            ca_file: Some(folder.join(ca)),
            ca_path: None,
            crl_file: crl.map(|crl| folder.join(crl)),
        });
        let error = error.unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(folder.to_str().unwrap()), "{error}");
    }
}
