//! winbind: whether it answers, whether its domain trusts it, and whether this user may ask it.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use nix::unistd::{Gid, Group, Uid, User, geteuid};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::domain;
use super::samba::Samba;
use crate::advice::ntlm as advice;
use crate::cli::check::bounded::program::{Said, ask, beside};
use crate::cli::check::report::Finding;
use crate::clock;
use crate::config::section::Ntlm;
use crate::identity::Realm;
use crate::process::files::access;
use crate::process::files::rights::Need;

pub(super) async fn check(
    ntlm: &Ntlm,
    samba: &Samba,
    realms: &[Realm],
    is_asked_for: bool,
) -> Vec<Finding> {
    let Some(wbinfo) = beside(&ntlm.ntlm_auth, "wbinfo") else {
        let found = "there is no program wbinfo, so winbind was not asked";
        return vec![Finding::warn("winbind", found, advice::WBINFO), pipe(samba).await];
    };
    if let Err(down) = answering(&wbinfo).await {
        return vec![down];
    }
    let pipe = pipe(samba).await;
    // wbinfo asks for the trust secret by the privileged pipe as well.
    let may_ask = !pipe.failed();
    let trust = async { if may_ask { Some(trust(&wbinfo, samba).await) } else { None } };
    let (trust, controller, domains) =
        tokio::join!(trust, controller(&wbinfo), domain::check(&wbinfo, realms, is_asked_for));
    let mut findings = vec![Finding::ok("winbind", "it answers"), pipe];
    findings.extend(trust);
    findings.push(controller);
    // A clock that is wrong is told once.
    findings.dedup();
    findings.extend(domains);
    findings
}

async fn answering(wbinfo: &Path) -> Result<(), Finding> {
    let why = match ask(wbinfo, ["--ping"], LIMIT).await {
        Ok(Said { succeeded: true, .. }) => return Ok(()),
        Ok(said) => said.last,
        Err(why) => why,
    };
    let found = format!("it does not answer ({why}), so nobody can sign on by NTLM");
    Err(Finding::fail("winbind", found, advice::START_WINBIND))
}

async fn trust(wbinfo: &Path, samba: &Samba) -> Finding {
    let why = match ask(wbinfo, ["--check-secret"], DOMAIN_LIMIT).await {
        Ok(Said { succeeded: true, out, .. }) => {
            let domain = out.split("for domain ").nth(1).and_then(|rest| rest.split(' ').next());
            let domain = domain.unwrap_or("its domain");
            return Finding::ok("domain trust", format!("{domain} accepts this host's secret"));
        }
        Ok(said) => said.last,
        Err(why) => why,
    };
    if let Some(clock) = clock_differs(&why) {
        return clock;
    }
    if samba.is_member() {
        let found = format!(
            "the domain no longer accepts this host as a member ({why}), so nobody can sign on by NTLM"
        );
        return Finding::fail("domain trust", found, advice::JOIN);
    }
    Finding::fail(
        "domain trust",
        "this host is not a member of a domain, so only its own accounts can sign on by NTLM",
        advice::JOIN_FIRST,
    )
}

async fn controller(wbinfo: &Path) -> Finding {
    let begun = clock::instant();
    let why = match ask(wbinfo, ["--ping-dc"], DOMAIN_LIMIT).await {
        Ok(Said { succeeded: true, out, .. }) => {
            let name = out.split('"').nth(1).unwrap_or("one").to_owned();
            let milliseconds = begun.elapsed().as_millis();
            let found = format!("{name} answers winbind, in {milliseconds} ms");
            return Finding::ok("domain controller", found);
        }
        Ok(said) => said.last,
        Err(why) => why,
    };
    clock_differs(&why).unwrap_or_else(|| {
        let found = format!("winbind reaches none ({why})");
        Finding::fail("domain controller", found, advice::REACH_CONTROLLER)
    })
}

/// The one refusal that has nothing to do with the trust.
fn clock_differs(why: &str) -> Option<Finding> {
    why.contains("NT_STATUS_TIME_DIFFERENCE_AT_DC").then(|| {
        let found = "the clocks of this host and of the domain controller differ (winbind says NT_STATUS_TIME_DIFFERENCE_AT_DC), so nobody can sign on by NTLM";
        Finding::fail("winbind clock", found, crate::advice::kdc::CLOCK)
    })
}

/// Connects to the pipe, as a helper does.
async fn pipe(samba: &Samba) -> Finding {
    let folder = samba.state_directory.join("winbindd_privileged");
    let user = user_name(geteuid());
    let connected = timeout(LIMIT, UnixStream::connect(folder.join("pipe"))).await;
    let shown = folder.display();
    match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok(_) => Finding::ok(PIPE, format!("{user} may use {shown}")),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            denied(&folder, folder.metadata().ok().as_ref(), &user)
        }
        Err(error) => Finding::warn(
            PIPE,
            format!("there is none in {shown} ({error}), although winbind answers"),
            "name the smb.conf that winbind reads in [sso.ntlm] ntlm_auth_args (--configfile=…)",
        ),
    }
}

/// `folder` may not be passed by this user; without `metadata`, nor may one above it.
fn denied(folder: &Path, metadata: Option<&Metadata>, user: &str) -> Finding {
    let shown = folder.display();
    let Some(metadata) = metadata else {
        let said = access::explain(folder, Need::List).to_string();
        return Finding::error(PIPE, &said, "let the account pass the folders above it");
    };
    let (owner, group) =
        (user_name(Uid::from_raw(metadata.uid())), group_name(Gid::from_raw(metadata.gid())));
    let mode = metadata.mode() & 0o7777;
    let join = format!("adduser {user} {group}, and restart Doorward");
    let mend = if metadata.gid() == 0 {
        format!("chgrp winbindd_priv {shown} && adduser {user} winbindd_priv, and restart Doorward")
    } else {
        join
    };
    let found = format!(
        "{user} may not use {shown} ({owner}:{group}, mode {mode:04o}), so winbind does not verify for it"
    );
    Finding::fail(PIPE, found, mend)
}

fn user_name(uid: Uid) -> String {
    let found = User::from_uid(uid).ok().flatten();
    found.map_or_else(|| uid.to_string(), |user| user.name)
}

fn group_name(gid: Gid) -> String {
    let found = Group::from_gid(gid).ok().flatten();
    found.map_or_else(|| gid.to_string(), |group| group.name)
}

const PIPE: &str = "winbind pipe";

const LIMIT: Duration = Duration::from_secs(3);

/// A domain controller that is down is noticed by winbind within this time.
const DOMAIN_LIMIT: Duration = Duration::from_secs(10);
