//! Certificates that the gateway shows: to browsers, and the core's own to fronts. They are
//! checked as a client does.

use std::path::Path;

use self::cert::Cert;
use self::time::Moment;
use super::report::Finding;
use crate::advice::certificate as advice;
use crate::config::Settings;
use crate::config::section::{CertificateFiles, CoreAddress, HostPattern, RemoteCore};
use crate::front::tls::ServerTls;
use crate::pki::file::pair;
use crate::process::files::reader::Reader;
use crate::process::files::rights::{self, Found, Need};

pub(super) mod authorities;
pub(super) mod cert;
mod chain;
mod known;
mod purpose;
pub(super) mod time;

/// Whose certificate it is: how the lines of the report begin.
struct Lines {
    own: &'static str,
    names: &'static str,
    chain: &'static str,
    usage: &'static str,
    section: &'static str,
}

pub(super) fn check(settings: &Settings) -> Vec<Finding> {
    let moment = &Moment::here(settings);
    let mut findings = front(settings, moment);
    if let Some(tls) = &settings.core.tls {
        let loaded = pair::load(&tls.certificate, "server_ssl_key_pass");
        let failed = loaded.err().map(|error| error.to_string());
        findings.extend(shown(&CORE, &tls.certificate, failed, settings, moment));
    }
    if let CoreAddress::Https(RemoteCore { client: Some(files), .. }) = &settings.front.core {
        findings.extend(for_the_core(files, moment));
    }
    findings
}

/// By which the front signs on to a core on TLS; what the core makes of it is told by
/// another line.
fn for_the_core(files: &CertificateFiles, moment: &Moment<'_>) -> Option<Finding> {
    const LINE: &str = "front certificate";
    if let Err(error) = pair::load(files, "sslkey_pass") {
        return Some(Finding::error(LINE, &error.to_string(), advice::NAME_SSLKEY));
    }
    let certificates = cert::of_file(&files.certificate);
    let cert = certificates.first()?;
    let found = format!("{} fits its key and expires {}", cert.name(), cert.told.ends_at);
    let told = time::of_key(LINE, cert, moment).or_else(|| purpose::of_client(LINE, cert));
    Some(told.unwrap_or_else(|| Finding::ok(LINE, found)))
}

fn front(settings: &Settings, moment: &Moment<'_>) -> Vec<Finding> {
    if settings.front.listen_tls.is_empty() {
        return Vec::new();
    }
    let Some(files) = &settings.front.certificate else {
        return vec![Finding::warn(
            FRONT.own,
            "none is configured: Doorward makes a self-signed one, which no browser trusts",
            advice::NONE,
        )];
    };
    let failed = ServerTls::load(files, None).err().map(|error| error.to_string());
    let mut findings = shown(&FRONT, files, failed, settings, moment);
    if let Some(leaf) = cert::of_file(&files.certificate).first() {
        findings.push(names(leaf, settings));
    }
    findings
}

/// `failed`: why TLS cannot be spoken with these files.
fn shown(
    lines: &Lines,
    files: &CertificateFiles,
    failed: Option<String>,
    settings: &Settings,
    moment: &Moment<'_>,
) -> Vec<Finding> {
    if let Some(failed) = failed {
        return vec![Finding::error(lines.own, &failed, &advice::name_files(lines.section))];
    }
    let file = &files.certificate;
    let mut findings: Vec<_> =
        readable_key(lines, &files.key, &settings.state_path).into_iter().collect();
    findings.extend(examined(
        lines,
        file,
        &cert::of_file(file),
        moment,
        &known::places(settings, file),
    ));
    findings
}

/// Whoever has the key can pass for the gateway.
fn readable_key(lines: &Lines, key: &Path, state: &Path) -> Option<Finding> {
    let found = Found::at(key).filter(|found| found.mode & OTHERS != 0)?;
    let told = format!(
        "the private key in {} has mode {:04o}: whoever can read it can pretend to be this gateway",
        key.display(),
        found.mode
    );
    Some(Finding::fail(
        lines.own,
        told,
        rights::shut(&found, &Reader::of_gateway(state), Need::Read),
    ))
}

fn examined(
    lines: &Lines,
    file: &Path,
    certificates: &[Cert],
    moment: &Moment<'_>,
    places: &known::Places,
) -> Vec<Finding> {
    let Some(leaf) = certificates.first() else { return Vec::new() };
    let mut findings = vec![time::of_server(lines.own, leaf, moment)];
    let chain = chain::Chain::of(certificates, places);
    findings
        .extend(chain.links().skip(1).filter_map(|link| time::of_link(lines.own, link, moment)));
    findings.extend(purpose::findings(lines.usage, &chain));
    if lines.section == FRONT.section {
        findings.extend(purpose::unusual_key(lines.usage, leaf));
    }
    findings.extend(chain.findings(lines.chain, file, moment.now));
    findings
}

fn names(certificate: &Cert, settings: &Settings) -> Finding {
    let hosts = hosts(settings);
    let uncovered: Vec<_> =
        hosts.into_iter().filter(|host| !certificate.told.covers(host)).collect();
    let names = match certificate.told.names.join(", ") {
        none if none.is_empty() => "no host (it has no subjectAltName)".to_owned(),
        names => names,
    };
    if uncovered.is_empty() {
        return Finding::ok(FRONT.names, format!("it is for {names}"));
    }
    let found = format!("it is for {names}, and not for {}", uncovered.join(", "));
    Finding::warn(FRONT.names, found, advice::ALL_NAMES)
}

/// Names the certificate has to cover; any name below a suffix stands for all of them.
fn hosts(settings: &Settings) -> Vec<String> {
    let below = settings.sites.iter().filter_map(|site| match &site.host {
        HostPattern::Suffix(suffix) => Some(format!("any{suffix}")),
        HostPattern::Exact(_) | HostPattern::Any => None,
    });
    super::network::names::hosts(settings).into_iter().chain(below).collect()
}

/// Permissions of everybody else.
const OTHERS: u32 = 0o007;

const FRONT: Lines = Lines {
    own: "certificate",
    names: "certificate names",
    chain: "certificate chain",
    usage: "certificate use",
    section: "front",
};
const CORE: Lines = Lines {
    own: "core certificate",
    names: "core certificate names",
    chain: "core certificate chain",
    usage: "core certificate use",
    section: "core",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::report::Status;
    use crate::config::{self, Surroundings};

    fn certificate() -> Cert {
        let names = vec!["web.example".to_owned(), "*.lab.example".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        Cert::read(made.cert.der()).unwrap()
    }

    /// A gateway at `web.example` that serves these hosts.
    fn serving(hosts: &[&str]) -> Settings {
        let site = |host| format!("[[site]]\nhost = \"{host}\"\n");
        let sites: String = hosts.iter().map(site).collect();
        let text = format!("server_hostname = \"web.example\"\n{sites}");
        config::parse(&text, "test", &Surroundings::here()).unwrap().settings
    }

    #[test]
    fn every_site_needs_a_name_in_the_certificate() {
        let status = |hosts: &[&str]| names(&certificate(), &serving(hosts)).status();
        assert_eq!(status(&[]), Status::Ok);
        assert_eq!(status(&["*"]), Status::Ok);
        assert_eq!(status(&["web.example", "*.lab.example"]), Status::Ok);
        assert_eq!(status(&["web.example", "other.example"]), Status::Warn);
        assert_eq!(status(&["*.example"]), Status::Warn);
    }
}
