//! From a failed call to a reason, and to advice how to fix it: what the keytab and
//! krb5.conf have to do with it.

use std::path::Path;

use crate::krb5::gss::Failure;
use crate::krb5::kdc::ask::permitted;
use crate::krb5::keytab::{Enctype, Entry, Keytab, KeytabError};
use crate::wire::Reason;
use classify::classify;

mod classify;

/// Why a call failed, and the story for the log. `read` reads the keytab at
/// `path`, and is called only where its content matters.
pub(super) fn explain(
    failure: &Failure,
    path: &Path,
    read: impl Fn(&Path) -> Result<Keytab, KeytabError>,
) -> (Reason, String) {
    explain_under(failure, path, read, || permitted().unwrap_or_default())
}

/// The same, where krb5.conf permits these encryption types.
fn explain_under(
    failure: &Failure,
    path: &Path,
    read: impl Fn(&Path) -> Result<Keytab, KeytabError>,
    permitted: impl Fn() -> Vec<Enctype>,
) -> (Reason, String) {
    let reason = classify(failure);
    let text = if failure.text.is_empty() { &failure.status } else { &failure.text };
    if matches!(reason, Reason::KeyWrong | Reason::KeyEncryption | Reason::KeyMissing)
        && let Ok(keytab) = read(path)
        && let Some(why) = forbidden(&keytab, text, &permitted())
    {
        return (Reason::KeyEncryption, format!("{text}: {why}"));
    }
    let fix = match reason {
        Reason::KeytabUnreadable | Reason::KerberosConfiguration | Reason::KerberosFailure => {
            match read(path) {
                Err(error) => return (Reason::KeytabUnreadable, error.to_string()),
                Ok(keytab) if keytab.entries.is_empty() => {
                    let detail = format!("{} contains no key; export one to it", path.display());
                    return (Reason::KeytabUnreadable, detail);
                }
                Ok(_) => unexplained(reason, failure),
            }
        }
        Reason::KeyVersion => format!(
            "{}. If the ticket is the older one, the client must fetch a new one (klist purge, or sign \
             off and on); if the keytab is, export it again",
            holdings(path, read, text)
        ),
        Reason::KeyMissing => format!(
            "{}. Export a key for this service to it, or let the client use a name that is in it",
            holdings(path, read, text)
        ),
        Reason::KeyEncryption => format!(
            "{}. Give the account AES keys (msDS-SupportedEncryptionTypes 24, then a new \
             password), export the keytab again, and check permitted_enctypes in krb5.conf",
            holdings(path, read, text)
        ),
        Reason::KeyWrong => {
            let name = service(text).map_or("HTTP/NAME", without_realm);
            format!(
                "{}. The KDC made the ticket with another key than the one of that version: the \
                 keytab was exported for another account. `setspn -Q {name}` shows the account \
                 that has the name: export the keytab for that account (ktpass, samba-tool domain \
                 exportkeytab), or, if it is the wrong one, move the name to the right account \
                 (setspn -D, setspn -S)",
                holdings(path, read, text)
            )
        }
        Reason::ReplayCacheFailed => {
            "the directory must belong to the user that Doorward runs as, and its disk must have free space".to_owned()
        }
        // Whose clock it is, is added where the domain controller's is known.
        Reason::ClockSkew => "the clocks are more than five minutes apart".to_owned(),
        Reason::BindingMismatch => {
            "the client bound its token to another TLS channel: is there a TLS proxy in front of \
             this gateway (then list it in trusted_proxies), or a server with another certificate?"
                .to_owned()
        }
        _ => return (reason, text.clone()),
    };
    (reason, format!("{text}: {fix}"))
}

/// What to say where the keytab is not at fault.
fn unexplained(reason: Reason, failure: &Failure) -> String {
    match reason {
        Reason::KerberosConfiguration => {
            "correct /etc/krb5.conf, or the file that KRB5_CONFIG names".to_owned()
        }
        _ => format!("GSSAPI status {:#x}, code {}", failure.major, failure.minor as i32),
    }
}

/// What the keytab holds for the service that the library's sentence names.
fn holdings(
    path: &Path,
    read: impl FnOnce(&Path) -> Result<Keytab, KeytabError>,
    text: &str,
) -> String {
    let keytab = match read(path) {
        Ok(keytab) => keytab,
        Err(error) => return error.to_string(),
    };
    let path = path.display();
    let keys: Vec<String> = service(text)
        .map(|name| keytab.keys_for(name))
        .unwrap_or_default()
        .iter()
        .map(|key| format!("kvno {} {}", key.kvno, key.enctype))
        .collect();
    if keys.is_empty() {
        format!("{path} has keys of {}", listed(&keytab.principals()))
    } else {
        format!("for this service, {path} has {}", keys.join(", "))
    }
}

/// Whether krb5.conf forbids all keys that the keytab has for the service: the library
/// then acts as if there were none, or another.
fn forbidden(keytab: &Keytab, text: &str, permitted: &[Enctype]) -> Option<String> {
    let keys = service(text).map(|name| keytab.keys_for(name))?;
    let forbids = |key: &&Entry| !permitted.contains(&key.enctype);
    if permitted.is_empty() || keys.is_empty() || !keys.iter().all(forbids) {
        return None;
    }
    let named = |types: &mut dyn Iterator<Item = Enctype>| {
        let mut names: Vec<_> = types.map(|one| one.to_string()).collect();
        names.dedup();
        names.join(", ")
    };
    Some(format!(
        "krb5.conf permits only {} (permitted_enctypes), but the keytab has {} for it. Remove \
         permitted_enctypes from [libdefaults] in krb5.conf",
        named(&mut permitted.iter().copied()),
        named(&mut keys.iter().map(|key| key.enctype))
    ))
}

fn without_realm(principal: &str) -> &str {
    principal.rsplit_once('@').map_or(principal, |(name, _)| name)
}

/// The principal in "Request ticket server HTTP/web@EXAMPLE kvno 3 …".
fn service(text: &str) -> Option<&str> {
    let (_, rest) =
        text.split_once("ticket server ").or_else(|| text.split_once("decrypt ticket for "))?;
    let end = [" kvno ", " not found", " found", " using "]
        .iter()
        .filter_map(|word| rest.find(word))
        .min()?;
    rest.get(..end)
}

/// The first few, and how many more there are.
fn listed(names: &[&str]) -> String {
    let shown = names.get(..MAX_LISTED).unwrap_or(names);
    let more = names.len() - shown.len();
    let shown = shown.join(", ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}

const MAX_LISTED: usize = 8;

#[cfg(test)]
mod tests;
