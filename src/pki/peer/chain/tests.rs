//! Certificates of every kind, made by OpenSSL, before our authorities.

use super::*;
use crate::clock;
use crate::pki::file::openssl::{Key, certificates, issue, make_ca, make_key, openssl};
use crate::pki::peer::presented::PresentedCertificate;

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
    let now = Timestamp::from_unix(now.unwrap());
    let shown = PresentedCertificate::of_handshake(&chain).unwrap();
    let judged = shown.proven().and_then(|proven| proven.validate(authorities.current(), now));
    judged.err().map(|refused| refused.reason)
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
        ("ca", "", 0, None),
        ("ca", "", 31, Some(Reason::CertificateExpired)),
        ("ca", "", -1, Some(Reason::CertificateNotYetValid)),
        ("other", "", 0, Some(Reason::CertificateNoChain)),
        ("ca", "keyUsage=keyEncipherment\n", 0, Some(Reason::CertificatePurpose)),
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
        ("web.key", None, "contains no certificate"),
        ("odd.pem", None, "cannot be used"),
        ("ca.pem", Some("ca.pem"), "contains no list of revoked certificates"),
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

/// A certificate of version 1 counts where the authority has signed it itself, and
/// neither below another one nor above anything.
#[test]
fn version_1_is_a_clients_and_never_an_authoritys() {
    let folder = folder();
    let folder = folder.path();
    let ours = authorities(folder, None);
    make_key(folder, "between", Key::Ec("P-256"));
    issue(folder, "ca", "between", "", &["-days", "30"]);
    issue(folder, "between", "web", CLIENT, &["-days", "30"]);
    let chain = [fs::read(folder.join("web.pem")), fs::read(folder.join("between.pem"))];
    fs::write(folder.join("web.pem"), chain.map(Result::unwrap).concat()).unwrap();
    assert_eq!(judge(&ours, folder, 0), Some(Reason::CertificateAuthority));
    issue(folder, "ca", "between", "basicConstraints=CA:TRUE\n", &["-days", "30"]);
    issue(folder, "between", "web", "", &["-days", "30"]);
    let chain = [fs::read(folder.join("web.pem")), fs::read(folder.join("between.pem"))];
    fs::write(folder.join("web.pem"), chain.map(Result::unwrap).concat()).unwrap();
    assert_eq!(judge(&ours, folder, 0), Some(Reason::CertificateNoChain));
    // Somebody else's signature under the authority's name.
    issue(folder, "other", "web", "", &["-days", "30"]);
    fs::copy(folder.join("other.pem"), folder.join("ca2.pem")).unwrap();
    let request = ["req", "-x509", "-key", "other.key", "-subj", "/CN=ca", "-out", "other.pem"];
    openssl(folder, &request);
    issue(folder, "other", "web", "", &["-days", "30"]);
    assert_eq!(judge(&ours, folder, 0), Some(Reason::CertificateNoChain));
}

#[test]
fn a_revoked_certificate_of_version_1_is_refused() {
    let folder = folder();
    let folder = folder.path();
    issue(folder, "ca", "web", "", &["-days", "30"]);
    write_crl(folder, "10");
    let ours = authorities(folder, Some("crl.pem"));
    assert_eq!(judge(&ours, folder, 0), None);
    assert_eq!(judge(&ours, folder, 11), Some(Reason::CrlOutdated));
    revoke(folder);
    write_crl(folder, "10");
    assert_eq!(judge(&ours, folder, 0), Some(Reason::CertificateRevoked));
    // A list that somebody else signed under the authority's name is none.
    let request = ["req", "-x509", "-key", "other.key", "-subj", "/CN=ca", "-out", "false.pem"];
    openssl(folder, &request);
    let fixed = ["ca", "-config", "ca.cnf", "-keyfile", "other.key", "-cert", "false.pem"];
    openssl(folder, &[&fixed[..], &["-gencrl", "-crldays", "10", "-out", "crl.pem"]].concat());
    assert_eq!(judge(&ours, folder, 0), Some(Reason::CrlMissing));
}

/// What an authority's certificate says of itself, and whether OpenSSL takes what
/// it signed. We are never more generous, and stricter where the row says so.
#[test]
fn authorities_are_judged_as_by_openssl() {
    const CA: &str = "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n";
    let folder = folder();
    let folder = folder.path();
    make_key(folder, "root", Key::Ec("P-256"));
    make_key(folder, "between", Key::Ec("P-256"));
    let stricter = true;
    for (root, between, leaf, stricter_than_openssl, expected) in [
        (CA, Some(CA), CLIENT, false, None),
        (CA, None, CLIENT, false, None),
        ("basicConstraints=CA:TRUE\n", None, CLIENT, false, None),
        ("basicConstraints=CA:FALSE\n", None, CLIENT, false, Some(Reason::CertificateAuthority)),
        ("keyUsage=keyCertSign\n", None, CLIENT, stricter, Some(Reason::CertificateAuthority)),
        ("subjectKeyIdentifier=hash\n", None, CLIENT, false, Some(Reason::CertificateAuthority)),
        (
            "basicConstraints=CA:TRUE\nkeyUsage=digitalSignature,cRLSign\n",
            None,
            CLIENT,
            false,
            Some(Reason::CertificateAuthority),
        ),
        (
            "basicConstraints=CA:TRUE\nextendedKeyUsage=serverAuth\n",
            None,
            CLIENT,
            false,
            Some(Reason::CertificateAuthority),
        ),
        ("basicConstraints=CA:TRUE\nextendedKeyUsage=clientAuth\n", None, CLIENT, false, None),
        ("basicConstraints=CA:TRUE,pathlen:0\n", None, CLIENT, false, None),
        (
            "basicConstraints=CA:TRUE,pathlen:0\n",
            Some(CA),
            CLIENT,
            false,
            Some(Reason::CertificateNoChain),
        ),
        ("basicConstraints=CA:TRUE,pathlen:1\n", Some(CA), CLIENT, false, None),
        (
            "basicConstraints=CA:TRUE\n1.2.3.4=critical,ASN1:NULL\n",
            None,
            CLIENT,
            false,
            Some(Reason::CertificateAuthority),
        ),
        (
            "basicConstraints=CA:TRUE\nnameConstraints=critical,permitted;DNS:ours.example\n",
            None,
            "extendedKeyUsage=clientAuth\nsubjectAltName=DNS:a.theirs.example\n",
            false,
            Some(Reason::CertificateNoChain),
        ),
        (
            "basicConstraints=CA:TRUE\nnameConstraints=critical,permitted;DNS:ours.example\n",
            None,
            "extendedKeyUsage=clientAuth\nsubjectAltName=DNS:a.ours.example\n",
            false,
            None,
        ),
        (
            CA,
            Some("basicConstraints=CA:FALSE\n"),
            CLIENT,
            false,
            Some(Reason::CertificateAuthority),
        ),
        (
            CA,
            Some("subjectKeyIdentifier=hash\n"),
            CLIENT,
            false,
            Some(Reason::CertificateAuthority),
        ),
        (CA, Some(""), CLIENT, false, Some(Reason::CertificateAuthority)),
        (
            CA,
            Some("basicConstraints=CA:TRUE\nkeyUsage=digitalSignature\n"),
            CLIENT,
            false,
            Some(Reason::CertificateAuthority),
        ),
        (
            CA,
            Some("basicConstraints=CA:TRUE\nextendedKeyUsage=serverAuth\n"),
            CLIENT,
            false,
            Some(Reason::CertificatePurpose),
        ),
        (CA, None, "", false, None),
        (CA, None, "keyUsage=keyEncipherment\n", false, Some(Reason::CertificatePurpose)),
        (CA, None, "keyUsage=digitalSignature\n", false, None),
    ] {
        let extensions = |text: &str| fs::write(folder.join("own.ext"), text).unwrap();
        extensions(root);
        openssl(
            folder,
            &["req", "-new", "-key", "root.key", "-subj", "/CN=root", "-out", "root.csr"],
        );
        let sign = ["x509", "-req", "-in", "root.csr", "-signkey", "root.key", "-days", "30"];
        openssl(folder, &[&sign[..], &["-extfile", "own.ext", "-out", "root.pem"]].concat());
        let signer = if let Some(between) = between {
            issue(folder, "root", "between", between, &["-days", "30"]);
            "between"
        } else {
            fs::write(folder.join("between.pem"), "").unwrap();
            "root"
        };
        issue(folder, signer, "web", leaf, &["-days", "30"]);
        let command = ["verify", "-purpose", "sslclient", "-CAfile", "root.pem"];
        let chain = ["-untrusted", "between.pem", "web.pem"];
        let more: &[&str] = if between.is_some() { &chain } else { &chain[2..] };
        let said = std::process::Command::new("openssl")
            .args([&command[..], more].concat())
            .current_dir(folder)
            .output()
            .unwrap();
        let row = format!("{root:?} {between:?} {leaf:?}");
        let by_openssl = said.status.success();
        assert_eq!(by_openssl, expected.is_none() || stricter_than_openssl, "{row}: {said:?}");
        let ours = Authorities::load(AuthorityFiles {
            ca_file: Some(folder.join("root.pem")),
            ..AuthorityFiles::default()
        });
        let web = fs::read(folder.join("web.pem")).unwrap();
        let between = fs::read(folder.join("between.pem")).unwrap();
        fs::write(folder.join("web.pem"), [web, between].concat()).unwrap();
        assert_eq!(judge(&ours.unwrap(), folder, 0), expected, "{row}");
    }
}

#[test]
fn an_authority_whose_time_is_over_counts_for_nothing() {
    let folder = folder();
    let folder = folder.path();
    issue(folder, "ca", "web", CLIENT, &["-days", "300"]);
    // The authority itself is made for thirty days.
    assert_eq!(judge(&authorities(folder, None), folder, 20), None);
    let expired = Some(Reason::CertificateExpired);
    assert_eq!(judge(&authorities(folder, None), folder, 40), expired);
}

#[test]
fn no_block_of_a_file_of_authorities_is_passed_over() {
    let folder = folder();
    let folder = folder.path();
    issue(folder, "ca", "web", CLIENT, &[]);
    let (ca, other) = (fs::read_to_string(folder.join("ca.pem")).unwrap(), {
        fs::read_to_string(folder.join("other.pem")).unwrap()
    });
    openssl(folder, &["x509", "-in", "ca.pem", "-trustout", "-out", "trusted.pem"]);
    let trusted = fs::read_to_string(folder.join("trusted.pem")).unwrap();
    let load = |text: String| {
        fs::write(folder.join("both.pem"), text).unwrap();
        Authorities::load(AuthorityFiles {
            ca_file: Some(folder.join("both.pem")),
            ..AuthorityFiles::default()
        })
    };
    for text in [
        format!("\u{feff}{ca}{other}"),
        format!("  {ca}\nOther CA\n=====\n{other}"),
        format!("{other}{}", ca.replace('\n', "\r\n")),
    ] {
        assert_eq!(judge(&load(text.clone()).unwrap(), folder, 0), None, "{text}");
    }
    for (text, words) in [
        (format!("{other}{trusted}"), "TRUSTED CERTIFICATE"),
        (format!("{other}{}", &ca[..ca.len() / 2]), "has no end"),
        (format!("{other}{}", ca.replace("-----BEGIN", "----BEGIN")), "looks like the border"),
    ] {
        let error = load(text).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("both.pem"), "{error}");
    }
}
