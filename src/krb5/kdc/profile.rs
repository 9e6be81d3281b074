//! krb5.conf, read as MIT's library reads it (`util/profile/prof_parse.c`), to name the
//! line that it does not understand: the library says only that there is one.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::process::files::access;
use crate::process::files::rights::Need;

/// What is wrong with a file of the library's configuration.
#[derive(Debug)]
pub(crate) enum ProfileFault {
    /// It does not exist, and the library goes on without it.
    Missing(PathBuf),
    /// It cannot be read, and the library goes on without it.
    Unreadable(PathBuf, io::Error),
    /// A line is not understood, and the library uses none of it.
    Syntax {
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        what: &'static str,
    },
}

impl ProfileFault {
    /// Whether the library goes on all the same.
    pub(crate) const fn is_ignored(&self) -> bool {
        matches!(self, Self::Missing(_) | Self::Unreadable(..))
    }
}

/// With what fixes it.
impl fmt::Display for ProfileFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(
                f,
                "{}, which KRB5_CONFIG names, does not exist, so the Kerberos library uses its \
                 defaults; create it, or correct KRB5_CONFIG",
                path.display()
            ),
            Self::Unreadable(path, error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let refused = access::explain(path, Need::Read);
                write!(f, "the Kerberos library continues without its settings: {refused}")
            }
            Self::Unreadable(path, error) => write!(
                f,
                "{} cannot be read ({error}), so the Kerberos library continues without it; write the file again",
                path.display()
            ),
            Self::Syntax { path, line, what } => {
                write!(f, "{}:{line}: {what}; correct that line", path.display())
            }
        }
    }
}

/// The first fault of the files that the library reads: those of `KRB5_CONFIG`, else
/// /etc/krb5.conf.
pub(crate) fn fault() -> Option<ProfileFault> {
    let named = std::env::var("KRB5_CONFIG").ok();
    let is_named = named.is_some();
    let files = named.unwrap_or_else(|| "/etc/krb5.conf".to_owned());
    files.split(':').filter(|file| !file.is_empty()).find_map(|file| {
        let fault = of_file(Path::new(file));
        // Who names no file need not have one: DNS tells the KDCs of a realm too.
        fault.filter(|fault| is_named || !matches!(fault, ProfileFault::Missing(_)))
    })
}

fn of_file(path: &Path) -> Option<ProfileFault> {
    match std::fs::read(path) {
        Ok(bytes) => first_fault(&String::from_utf8_lossy(&bytes))
            .map(|(line, what)| ProfileFault::Syntax { path: path.to_owned(), line, what }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Some(ProfileFault::Missing(path.to_owned()))
        }
        Err(error) => Some(ProfileFault::Unreadable(path.to_owned(), error)),
    }
}

/// The first line that is not understood, and why.
fn first_fault(text: &str) -> Option<(usize, &'static str)> {
    let mut depth = 0_usize;
    let mut begun = false;
    let mut brace_due = false;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        // Before the first section everything is a comment, or an include.
        if line.is_empty() || line.starts_with(['#', ';']) || !begun && !line.starts_with('[') {
            continue;
        }
        let fault = |what| Some((index + 1, what));
        if std::mem::take(&mut brace_due) {
            if line != "{" {
                return fault("the line before ends with =, but no { follows");
            }
            depth += 1;
            continue;
        }
        if is_include(line) {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            begun = true;
            match section.split_once(']') {
                None => return fault("the name of a section has no ]"),
                Some(_) if depth > 0 => {
                    return fault("a section begins before a } has closed the braces");
                }
                Some((_, rest)) if !rest.trim_start_matches('*').trim().is_empty() => {
                    return fault("there is something after the ] of a section");
                }
                Some(_) => {}
            }
        } else if line.starts_with('}') {
            match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => return fault("a } closes nothing"),
            }
        } else {
            match line.split_once('=') {
                None => return fault("a line without ="),
                Some((name, _)) if name.trim().is_empty() => {
                    return fault("a line without a name before =");
                }
                Some((name, _)) if name.trim().contains(char::is_whitespace) => {
                    return fault("a name with a blank in it before =");
                }
                Some((_, value)) => match value.trim() {
                    "" => brace_due = true,
                    "{" => depth += 1,
                    _ => {}
                },
            }
        }
    }
    None
}

fn is_include(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default();
    ["include", "includedir"].contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "# ours\nincludedir /etc/krb5.conf.d/\n[libdefaults]\n default_realm = LAB.EXAMPLE\n\
                         \n[realms]\n LAB.EXAMPLE = {\n  kdc = a\n  kdc = b\n }\n OTHER =\n {\n kdc = c\n }\n\
                         [domain_realm]*\n .lab.example = LAB.EXAMPLE\n";

    #[test]
    fn a_sound_file_has_no_fault() {
        assert_eq!(first_fault(SOUND), None);
        assert_eq!(first_fault(""), None);
    }

    #[test]
    fn the_line_of_a_fault_is_named() {
        for (text, line, what) in [
            ("[realms]\n A = {\n  kdc a\n }\n", 3, "a line without ="),
            ("[realms\n", 1, "no ]"),
            ("[realms]\n A = {\n[libdefaults]\n", 3, "before a }"),
            ("[realms]\n }\n", 2, "closes nothing"),
            ("[realms]\n A =\n kdc = a\n", 3, "no { follows"),
            ("[realms]\n = a\n", 2, "without a name"),
            ("[realms]\n a b = c\n", 2, "a blank"),
            ("[realms] x\n", 1, "after the ]"),
        ] {
            let (found, said) = first_fault(text).unwrap_or_else(|| panic!("{text:?}"));
            assert_eq!(found, line, "{text:?}");
            assert!(said.contains(what), "{said}");
        }
    }

    /// The library refuses what is refused here, and nothing else.
    #[test]
    fn the_library_agrees() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("krb5.conf");
        for text in [
            SOUND.replace("includedir /etc/krb5.conf.d/\n", "").as_str(),
            "[realms]\n A = {\n  kdc a\n }\n",
            "[realms\n",
            "[realms]\n A = {\n[libdefaults]\n",
            "[realms]\n }\n",
            "[realms]\n = a\n",
            "[realms]\n a b = c\n",
            "[realms] x\n",
            "nothing at all\n",
            "[realms]\n A = {\n kdc = a\n",
        ] {
            std::fs::write(&path, text).unwrap();
            let said = std::process::Command::new("klist")
                .arg("-k")
                .arg("/nonexistent")
                .env("KRB5_CONFIG", &path)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&said.stderr).into_owned();
            let refused = said.contains("onfiguration file");
            assert_eq!(first_fault(text).is_some(), refused, "{text:?}: {said}");
        }
    }
}
