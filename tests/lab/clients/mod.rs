//! Real clients: curl, Python's requests, Java and Chromium.

pub mod h2;
pub mod http;
pub mod ntlm;
pub mod resumption;
pub mod ticket;
mod tls;

use std::path::PathBuf;
use std::process::Command;

use crate::lab::http::{Response, heads};
use crate::lab::{Ticket, lab_path, realm, temp_dir};

/// Runs curl; with a ticket, it negotiates. Anything else is in `args`, the address too.
#[track_caller]
pub fn curl(ticket: Option<&Ticket>, args: &[&str]) -> Response {
    try_curl(ticket, args).unwrap_or_else(|e| panic!("curl {}: {e}", args.join(" ")))
}

/// The same, where curl may fail: the error is what it said.
pub fn try_curl(ticket: Option<&Ticket>, args: &[&str]) -> Result<Response, String> {
    run_curl(client("curl", ticket), ticket.is_some(), args)
}

/// The same, with more in its environment.
pub fn try_curl_with(
    ticket: Option<&Ticket>,
    env: &[(String, String)],
    args: &[&str],
) -> Result<Response, String> {
    let mut command = client("curl", ticket);
    command.envs(env.iter().map(|(name, value)| (name, value)));
    run_curl(command, ticket.is_some(), args)
}

/// Runs curl with something in its environment.
#[track_caller]
pub fn curl_with(name: &str, value: &str, args: &[&str]) -> Response {
    let mut command = client("curl", None);
    command.env(name, value);
    run_curl(command, false, args).unwrap_or_else(|e| panic!("curl {}: {e}", args.join(" ")))
}

/// Runs curl as another account of this machine.
#[track_caller]
pub fn curl_as(account: &str, args: &[&str]) -> Response {
    let mut command = client("setpriv", None);
    command.args(["--reuid", account, "--clear-groups", "curl"]);
    run_curl(command, false, args).unwrap_or_else(|e| panic!("curl {}: {e}", args.join(" ")))
}

/// Runs curl with NTLM as `user`, as typed. With several addresses in `args`, it uses
/// one connection for all; the answer is the last one's, and those before stand in it.
#[track_caller]
pub fn curl_ntlm(user: &str, password: &str, args: &[&str]) -> Response {
    let mut command = client("curl", None);
    command.args(["--ntlm", "--user", &format!("{user}:{password}")]);
    run_curl(command, false, args).unwrap_or_else(|e| panic!("curl {}: {e}", args.join(" ")))
}

fn run_curl(mut command: Command, negotiate: bool, args: &[&str]) -> Result<Response, String> {
    let dir = temp_dir("curl-");
    // Other accounts write here too.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(dir.path(), open).unwrap();
    let (head, body) = (dir.path().join("head"), dir.path().join("body"));
    command.args(["--silent", "--show-error", "--max-time", "60", "--dump-header"]).arg(&head);
    command.arg("--output").arg(&body);
    if negotiate {
        command.args(["--negotiate", "--user", ":"]);
    }
    let done = command.args(args).output().unwrap_or_else(|e| panic!("curl: {e}"));
    if !done.status.success() {
        let said = String::from_utf8_lossy(&done.stderr);
        return Err(format!("{} ({})", said.trim(), done.status));
    }
    let mut heads = heads(&std::fs::read(&head).unwrap());
    let mut last = heads.pop().ok_or("curl had no answer")?;
    last.body = std::fs::read(&body).unwrap_or_default();
    last.before = heads;
    Ok(last)
}

/// Runs a Python script with `requests`, `requests_gssapi`, `requests_ntlm`, `gssapi`
/// and `spnego` at hand, and gives what it printed.
#[track_caller]
pub fn python(script: &str, ticket: Option<&Ticket>) -> String {
    let done = venv_python(ticket).arg("-c").arg(script).output().unwrap();
    let err = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "the Python client failed: {err}\n{script}");
    String::from_utf8(done.stdout).unwrap()
}

/// The interpreter of the lab's Python environment.
#[track_caller]
pub fn venv_python(ticket: Option<&Ticket>) -> Command {
    let venv =
        std::env::var("LAB_VENV").map_or_else(|_| lab_path("../../target/lab-venv"), PathBuf::from);
    let python = venv.join("bin/python");
    assert!(python.exists(), "{} is missing: run tests/lab/venv.sh", python.display());
    client(python.to_str().unwrap(), ticket)
}

/// A program of the lab's Python environment.
#[track_caller]
pub fn venv_program(name: &str) -> String {
    let python = venv_python(None);
    let program = std::path::Path::new(python.get_program()).with_file_name(name);
    assert!(program.exists(), "{} is missing: run tests/lab/venv.sh", program.display());
    program.to_str().unwrap().to_owned()
}

/// Fetches `url` with Java's `HttpURLConnection`, by Kerberos if there is a ticket.
#[track_caller]
pub fn java(url: &str, ticket: Option<&Ticket>) -> Response {
    let dir = temp_dir("java-");
    let jaas = dir.path().join("jaas.conf");
    let login = "com.sun.security.jgss.krb5.initiate {\n    \
         com.sun.security.auth.module.Krb5LoginModule required\n    \
         useTicketCache=true doNotPrompt=true;\n};\n";
    std::fs::write(&jaas, login).unwrap();
    let krb5_config = ticket.map_or(&realm().krb5_config, |ticket| &ticket.krb5_config);
    let done = client("java", ticket)
        .arg("-Djavax.security.auth.useSubjectCredsOnly=false")
        .arg(format!("-Djava.security.krb5.conf={}", krb5_config.display()))
        .arg(format!("-Djava.security.auth.login.config={}", jaas.display()))
        .arg(lab_path("clients/Negotiate.java"))
        .arg(url)
        .output()
        .unwrap_or_else(|e| {
            panic!("java does not start: {e}: apt-get install openjdk-17-jdk-headless")
        });
    let err = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "the Java client failed at {url}: {err}");
    let mut response = heads(&done.stdout).swap_remove(0);
    let start = done.stdout.windows(2).position(|two| two == b"\n\n").unwrap() + 2;
    response.body = done.stdout[start..].to_vec();
    response
}

/// Opens `url` in a headless Chromium of its own profile, and gives the page as it
/// then stands. Certificates are not checked.
#[track_caller]
pub fn chromium(url: &str, ticket: Option<&Ticket>) -> String {
    run_chromium(url, ticket, &[&format!("--auth-server-allowlist=*.{}", realm().dns)])
}

/// The same with a name and a password, and a site that nobody told Chromium to trust:
/// where it was told so, it insists on Kerberos.
#[track_caller]
pub fn chromium_ntlm(url: &str, user: &str, password: &str) -> String {
    let login = format!("//{}:{password}@", user.replace('\\', "%5C"));
    run_chromium(&url.replacen("//", &login, 1), None, &[])
}

#[track_caller]
fn run_chromium(url: &str, ticket: Option<&Ticket>, options: &[&str]) -> String {
    let profile = temp_dir("chromium-");
    // Chromium builds its Kerberos support at the start after the first that met a
    // Negotiate challenge; this is how it remembers.
    let seen = r#"{"net":{"received_http_auth_negotiate_headers":true}}"#;
    std::fs::write(profile.path().join("Local State"), seen).unwrap();
    let done = client("chromium", ticket)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"])
        .args(["--disable-background-networking", "--disable-component-update"])
        .args(["--disable-dev-shm-usage", "--no-first-run", "--ignore-certificate-errors"])
        .args(options)
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(["--timeout=45000", "--dump-dom", url])
        .env("HOME", profile.path())
        .output()
        .unwrap_or_else(|e| panic!("chromium does not start: {e}: apt-get install chromium"));
    let err = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "chromium failed at {url}: {err}");
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// A client as its user would start it: with a ticket, or with none at all.
fn client(program: &str, ticket: Option<&Ticket>) -> Command {
    let mut command = Command::new(program);
    command.env("KRB5_CONFIG", &realm().krb5_config);
    command.env("KRB5CCNAME", "FILE:/nonexistent");
    for proxy in
        ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"]
    {
        command.env_remove(proxy);
    }
    if let Some(ticket) = ticket {
        command.envs(ticket.env());
    }
    command
}
