//! winbind: whether it answers, is trusted by its domain, and may be asked by
//! this user.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use nix::unistd::{Gid, Group, Uid, User, geteuid};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::samba::Samba;
use crate::advice::rights::Need;
use crate::cli::check::command::{Said, ask, beside};
use crate::cli::check::finding::Finding;
use crate::clock;
use crate::config::checked::Ntlm;
use crate::process::access;

pub(super) async fn check(ntlm: &Ntlm, samba: &Samba) -> Vec<Finding> {
    let Some(wbinfo) = beside(&ntlm.ntlm_auth, "wbinfo") else {
        let mend = "install Debian's package winbind";
        let found = "there is no program wbinfo, so winbind was not asked";
        return vec![Finding::warn("winbind", found, mend), pipe(samba).await];
    };
    if let Err(down) = answering(&wbinfo).await {
        return vec![down];
    }
    let pipe = pipe(samba).await;
    let mut findings = vec![Finding::ok("winbind", "it answers")];
    // wbinfo asks for the trust secret by the privileged pipe as well.
    if pipe.failed() {
        findings.push(pipe);
    } else {
        findings.extend([pipe, trust(&wbinfo, samba).await]);
    }
    findings.push(controller(&wbinfo).await);
    findings
}

async fn answering(wbinfo: &Path) -> Result<(), Finding> {
    let mend = "systemctl start winbind (on a domain controller: samba-ad-dc) and look at its log, or take ntlm out of [sso] mechanisms";
    let why = match ask(wbinfo, ["--ping"], LIMIT).await {
        Ok(Said { succeeded: true, .. }) => return Ok(()),
        Ok(said) => said.last,
        Err(why) => why,
    };
    let found = format!("it does not answer ({why}), so nobody can sign on by NTLM");
    Err(Finding::fail("winbind", found, mend))
}

async fn trust(wbinfo: &Path, samba: &Samba) -> Finding {
    let why = match ask(wbinfo, ["--check-secret"], LIMIT).await {
        Ok(Said { succeeded: true, out, .. }) => {
            let domain = out.split("for domain ").nth(1).and_then(|rest| rest.split(' ').next());
            let domain = domain.unwrap_or("its domain");
            return Finding::ok("domain trust", format!("this host's secret is good in {domain}"));
        }
        Ok(said) => said.last,
        Err(why) => why,
    };
    if samba.is_member() {
        let mend = "join the domain again (net ads join), and start winbind anew: the host's account may have been deleted or reset";
        return Finding::fail("domain trust", why, mend);
    }
    Finding::fail(
        "domain trust",
        "this host is no member of a domain, so only accounts of its own can sign on by NTLM",
        "join a domain (security = ads in smb.conf, then net ads join), or take ntlm out of [sso] mechanisms",
    )
}

async fn controller(wbinfo: &Path) -> Finding {
    let mend = "look whether the domain controllers are up and reachable (ports 135, 445 and 49152 and above), and whether DNS names them (_ldap._tcp.dc._msdcs)";
    let begun = clock::instant();
    match ask(wbinfo, ["--ping-dc"], LIMIT).await {
        Ok(Said { succeeded: true, out, .. }) => {
            let name = out.split('"').nth(1).unwrap_or("one").to_owned();
            let milliseconds = begun.elapsed().as_millis();
            let found = format!("{name} answers winbind, in {milliseconds} ms");
            Finding::ok("domain controller", found)
        }
        Ok(said) => Finding::fail("domain controller", said.last, mend),
        Err(why) => Finding::fail("domain controller", why, mend),
    }
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
            format!("there is none in {shown} ({error}), though winbind answers"),
            "let [sso.ntlm] ntlm_auth_args name the smb.conf that winbind reads (--configfile=…)",
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
        "{user} may not use {shown} (of {owner}:{group}, mode {mode:04o}), so winbind does not verify for it"
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

/// A domain controller that is down is noticed by winbind within this time.
const LIMIT: Duration = Duration::from_secs(15);
