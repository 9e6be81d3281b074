//! The Debian package, around the program that the other tests run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::lab::temp_dir;

#[test]
fn the_debian_package_installs_runs_upgrades_and_leaves_nothing_behind() {
    run(Command::new(script("tests/packaging/deb.sh")).arg(package()));
}

#[test]
fn under_systemd_the_packaged_unit_signs_people_on_from_within_its_sandbox() {
    run(Command::new(script("tests/packaging/systemd.sh")).arg(package()));
}

#[test]
fn the_five_minutes_of_the_readme_end_with_somebody_signed_on() {
    run(Command::new(script("tests/packaging/readme.sh")).arg(package()));
}

/// The package, made once for all tests.
fn package() -> &'static Path {
    static PACKAGE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, package) = PACKAGE.get_or_init(|| {
        let dir = temp_dir("deb-");
        let mut pack = Command::new(script("scripts/deb.sh"));
        pack.arg(env!("CARGO_BIN_EXE_doorward")).arg(dir.path()).env("DEB_COMPRESSION", "gzip");
        let package = run(&mut pack).trim().into();
        (dir, package)
    });
    package
}

fn script(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[track_caller]
fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}
