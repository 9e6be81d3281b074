//! Files that come, go and change under a folder of keys.

use super::*;
use crate::clock;
use crate::pki::file::openssl::{Key, issue, make_ca, make_key, public_key};
use std::time::Duration;

fn look(keys: &PeerKeys) -> Arc<Listed> {
    keys.current(clock::now())
}

fn listed(files: &[&str], algorithm: Algorithm) -> Listing {
    let files = files.iter().map(|file| file.parse().unwrap()).collect();
    Listing::Listed(ListedKey { files, algorithm })
}

#[test]
fn a_key_counts_from_the_moment_its_file_is_there_until_it_is_gone() {
    let (made, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = Fingerprint::of_spki(&public_key(made.path(), Key::Ec("P-256")));
    let keys = PeerKeys::new(folder.path().join("sslkeys"));
    assert!(look(&keys).unreadable().is_some());
    fs::create_dir(folder.path().join("sslkeys")).unwrap();
    let file = folder.path().join("sslkeys/one-public.pem");
    for _ in 0..3 {
        let before = look(&keys).listing(key);
        assert!(!matches!(before, Listing::Listed(_)), "{before:?}");
        fs::copy(made.path().join("one-public.pem"), &file).unwrap();
        assert_eq!(
            look(&keys).listing(key),
            listed(&["one-public.pem"], Algorithm::Ecdsa("P-256".to_owned()))
        );
        fs::remove_file(&file).unwrap();
        let gone = Listing::Removed("one-public.pem".parse().unwrap());
        assert_eq!(look(&keys).listing(key), gone);
    }
}

#[test]
fn another_key_in_the_same_file_counts_at_once() {
    let (made, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let keys = PeerKeys::new(folder.path().to_owned());
    for _ in 0..3 {
        let key = Fingerprint::of_spki(&public_key(made.path(), Key::Named("ED25519")));
        fs::copy(made.path().join("one-public.pem"), folder.path().join("a.pem")).unwrap();
        assert_eq!(look(&keys).listing(key), listed(&["a.pem"], Algorithm::Ed25519));
    }
}

#[test]
fn a_folder_that_rests_is_not_read_again() {
    let (made, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    make_key(made.path(), "one", Key::Named("ED25519"));
    fs::copy(made.path().join("one-public.pem"), folder.path().join("a.pem")).unwrap();
    let keys = PeerKeys::new(folder.path().to_owned());
    let later = clock::now().plus(Duration::from_secs(10));
    let first = keys.current(later);
    assert!(Arc::ptr_eq(&first, &keys.current(later)));
    assert!(!Arc::ptr_eq(&look(&PeerKeys::new(folder.path().to_owned())), &first));
}

#[test]
fn one_keys_own_file_and_the_folder_are_enough_to_see_it_go() {
    let (made, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = Fingerprint::of_spki(&public_key(made.path(), Key::Named("ED25519")));
    let file = folder.path().join("a.pem");
    fs::copy(made.path().join("one-public.pem"), &file).unwrap();
    let keys = PeerKeys::new(folder.path().to_owned());
    // So late that all has settled.
    let later = clock::now().plus(Duration::from_secs(10));
    let first = keys.current_for(key, later);
    assert!(matches!(first.listing(key), Listing::Listed(_)));
    assert!(Arc::ptr_eq(&first, &keys.current_for(key, later)));
    let away = folder.path().join("b.pem");
    fs::rename(&file, &away).unwrap();
    let named = |keys: &PeerKeys| keys.current_for(key, later).listing(key);
    assert_eq!(named(&keys), listed(&["b.pem"], Algorithm::Ed25519));
    fs::write(&away, "no key any more").unwrap();
    assert_eq!(named(&keys), Listing::Removed("b.pem".parse().unwrap()));
    fs::copy(made.path().join("one-public.pem"), &away).unwrap();
    assert_eq!(named(&keys), listed(&["b.pem"], Algorithm::Ed25519));
}

#[test]
fn certificates_are_read_for_their_key_and_one_key_may_have_two_names() {
    let folder = tempfile::tempdir().unwrap();
    let made = tempfile::tempdir().unwrap();
    make_ca(made.path(), "ca");
    let key = Fingerprint::of_spki(&public_key(made.path(), Key::Rsa(2048)));
    issue(made.path(), "ca", "one", "basicConstraints=CA:FALSE", &[]);
    fs::copy(made.path().join("one.pem"), folder.path().join("b.pem")).unwrap();
    fs::copy(made.path().join("one-public.pem"), folder.path().join("a.pem")).unwrap();
    let keys = PeerKeys::new(folder.path().to_owned());
    assert_eq!(look(&keys).listing(key), listed(&["a.pem", "b.pem"], Algorithm::Rsa(2048)));
}

#[test]
fn other_files_are_skipped_with_their_reason() {
    let (made, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let put = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
    make_key(made.path(), "weak", Key::Rsa(1024));
    make_key(made.path(), "odd", Key::Named("ED448"));
    put("README", b"keys go here");
    put("large", &vec![b'x'; 70_000]);
    put("broken.pem", b"-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n");
    put("der.pem", b"-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n");
    for (name, file) in
        [("weak", "weak-public.pem"), ("odd", "odd-public.pem"), ("key", "weak.key")]
    {
        fs::copy(made.path().join(file), folder.path().join(name)).unwrap();
    }
    fs::create_dir(folder.path().join("old")).unwrap();
    nix::unistd::mkfifo(&folder.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("dangling")).unwrap();
    let listed = look(&PeerKeys::new(folder.path().to_owned()));
    let said: Vec<(&str, &str)> = listed
        .skipped()
        .iter()
        .map(|(file, skip)| {
            (
                file.as_str(),
                match skip {
                    Skip::Unreadable(_) => "unreadable",
                    Skip::TooLarge => "large",
                    Skip::NoKey => "no key",
                    Skip::PrivateKey => "private",
                    Skip::Unfit(Unfit::TooShort(1024)) => "short",
                    Skip::Unfit(Unfit::UnknownAlgorithm(_)) => "unknown",
                    Skip::Unfit(_) | Skip::Damaged(_) => "damaged",
                },
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            ("README", "no key"),
            ("broken.pem", "damaged"),
            ("dangling", "unreadable"),
            ("der.pem", "damaged"),
            ("key", "private"),
            ("large", "large"),
            ("odd", "unknown"),
            ("pipe", "no key"),
            ("weak", "short"),
        ]
    );
    assert_eq!(listed.keys().count(), 0);
}
