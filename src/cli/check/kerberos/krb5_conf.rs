//! krb5.conf: whether the library can read it, and where it cannot.
//!
//! The library passes over a file that it may not open, and goes on without; and of a
//! file that it does not understand it tells no line.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::advice::krb5_conf as advice;
use crate::cli::check::finding::Finding;
use crate::kdc::ask::complaint;
use crate::process::access;

pub(super) fn check() -> Vec<Finding> {
    let named = env::var_os("KRB5_CONFIG").filter(|value| !value.is_empty());
    let files: Vec<PathBuf> = match &named {
        Some(named) => env::split_paths(named).collect(),
        None => vec![PathBuf::from(USUAL)],
    };
    let mut findings: Vec<_> = files.iter().filter_map(|file| closed(file)).collect();
    let there: Vec<_> = files.iter().filter(|file| file.exists()).collect();
    findings.extend(match (there.as_slice(), complaint()) {
        (_, Some(said)) => Some(broken(&files, &said)),
        ([], None) if named.is_some() => Some(Finding::fail(
            CHECK,
            format!("{}, which KRB5_CONFIG names, does not exist", shown(&files)),
            advice::NAME,
        )),
        ([], None) => Some(Finding::ok(
            CHECK,
            format!("there is no {USUAL}: realms and their KDCs are found by DNS"),
        )),
        _ if !findings.is_empty() => None,
        (there, None) => {
            let there: Vec<_> = there.iter().map(|file| file.display().to_string()).collect();
            Some(Finding::ok(CHECK, format!("the library takes {}", there.join(", "))))
        }
    });
    findings
}

/// A file that is there, and that this account may not read.
fn closed(file: &Path) -> Option<Finding> {
    match fs::File::open(file) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            let unreadable = access::explain(file).to_string();
            Some(Finding::error(CHECK, &unreadable, advice::READABLE))
        }
        _ => None,
    }
}

fn broken(files: &[PathBuf], said: &str) -> Finding {
    let flaw = files.iter().find_map(|file| find(file, MAX_DEPTH));
    let found = match flaw {
        Some((file, line, flaw)) => format!("{}:{line}: {flaw}", file.display()),
        None => format!("the library does not take {} ({said})", shown(files)),
    };
    let found = format!("{found}; until this is mended, nobody can sign on by Kerberos");
    Finding::fail(CHECK, found, advice::CORRECT)
}

fn shown(files: &[PathBuf]) -> String {
    files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// The first line that the library does not take: its file, its number, and why.
fn find(file: &Path, depth: u8) -> Option<(PathBuf, usize, String)> {
    let bytes = fs::read(file).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let mut parser = Parser::default();
    for (index, line) in text.lines().enumerate() {
        let at = |flaw: String| Some((file.to_owned(), index + 1, flaw));
        match parser.line(line) {
            Ok(None) => {}
            Ok(Some(Include::File(included))) if depth > 0 => match fs::read(&included) {
                Ok(_) => {
                    if let Some(flaw) = find(&included, depth - 1) {
                        return Some(flaw);
                    }
                }
                Err(error) => {
                    return at(format!("{} cannot be read ({error})", included.display()));
                }
            },
            Ok(Some(Include::Folder(folder))) if depth > 0 => match fs::read_dir(&folder) {
                Ok(entries) => {
                    let mut files: Vec<_> = entries
                        .flatten()
                        .map(|entry| entry.path())
                        .filter(|path| counts(path))
                        .collect();
                    files.sort_unstable();
                    if let Some(flaw) = files.iter().find_map(|file| find(file, depth - 1)) {
                        return Some(flaw);
                    }
                }
                Err(error) => return at(format!("{} cannot be read ({error})", folder.display())),
            },
            Ok(Some(_)) => {}
            Err(flaw) => return at(flaw),
        }
    }
    None
}

/// Files of a folder that the library includes.
fn counts(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    name.ends_with(".conf") && !name.starts_with('.') || !name.is_empty() && name.chars().all(plain)
}

#[derive(Debug, PartialEq, Eq)]
enum Include {
    File(PathBuf),
    Folder(PathBuf),
}

/// Reads line by line as the library does (prof_parse.c of MIT Kerberos).
#[derive(Default)]
struct Parser {
    section: Option<String>,
    /// Braces that are open.
    depth: usize,
    /// A line said `tag =` and nothing: the next one has to open a brace.
    awaits_brace: bool,
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<Option<Include>, String> {
        if let Some(include) = include(line) {
            return Ok(Some(include));
        }
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';']) {
            return Ok(None);
        }
        if self.awaits_brace {
            self.awaits_brace = false;
            if !line.starts_with('{') {
                return Err(format!(
                    "a {{ is missing, behind the = of the line before, {}",
                    self.place()
                ));
            }
            self.depth += 1;
            return Ok(None);
        }
        if let Some(rest) = line.strip_prefix('[') {
            return self.begin(rest).map(|()| None);
        }
        if self.section.is_none() {
            return Ok(None);
        }
        if line.starts_with('}') {
            self.depth = self
                .depth
                .checked_sub(1)
                .ok_or_else(|| format!("a }} that closes nothing, {}", self.place()))?;
            return Ok(None);
        }
        self.relation(line).map(|()| None)
    }

    fn begin(&mut self, rest: &str) -> Result<(), String> {
        if self.depth > 0 {
            return Err(format!("a }} is missing before this section, {}", self.place()));
        }
        let Some((name, behind)) = rest.split_once(']') else {
            return Err("a section's name without ]".to_owned());
        };
        let behind = behind.trim_start_matches('*').trim_start();
        if !behind.is_empty() && !behind.starts_with(['#', ';']) {
            return Err(format!("something stands behind [{name}]"));
        }
        self.section = Some(name.to_owned());
        Ok(())
    }

    fn relation(&mut self, line: &str) -> Result<(), String> {
        let Some((tag, value)) = line.split_once('=') else {
            return Err(format!("a line without =, {}", self.place()));
        };
        if tag.trim().is_empty() || tag.trim_end().contains(char::is_whitespace) {
            return Err(format!("before = stands not one word, {}", self.place()));
        }
        match value.trim() {
            "" => self.awaits_brace = true,
            "{" => self.depth += 1,
            _ => {}
        }
        Ok(())
    }

    /// `inside [realms]`
    fn place(&self) -> String {
        format!("inside [{}]", self.section.as_deref().unwrap_or_default())
    }
}

fn include(line: &str) -> Option<Include> {
    let (word, rest) = line.split_once(char::is_whitespace)?;
    let path = || PathBuf::from(rest.trim());
    match word {
        "include" => Some(Include::File(path())),
        "includedir" => Some(Include::Folder(path())),
        _ => None,
    }
}

const CHECK: &str = "krb5.conf";

/// Where the library looks without `KRB5_CONFIG`.
const USUAL: &str = "/etc/krb5.conf";

/// Files that include files that include files.
const MAX_DEPTH: u8 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    /// The line of the first flaw, and its words.
    fn flaw(text: &str) -> Option<(usize, String)> {
        let mut parser = Parser::default();
        let mut lines = text.lines().enumerate();
        lines.find_map(|(index, line)| parser.line(line).err().map(|flaw| (index + 1, flaw)))
    }

    #[test]
    fn the_line_that_is_wrong_is_found() {
        for (text, line, words) in [
            ("[realms]\nA = {\nkdc 1.2.3.4\n}\n", 3, "a line without =, inside [realms]"),
            ("[realms]\nA = {\nkdc = b\n[domain_realm]\n", 4, "a } is missing before"),
            ("[realms]\n}\n", 2, "a } that closes nothing, inside [realms]"),
            ("[libdefaults\n", 1, "without ]"),
            ("[realms]\nA =\nkdc = b\n", 3, "a { is missing"),
            ("[realms] A\n", 1, "something stands behind [realms]"),
            ("[libdefaults]\nmy realm = A\n", 2, "before = stands not one word"),
            ("[libdefaults]\n = A\n", 2, "before = stands not one word"),
        ] {
            let (found, said) = flaw(text).unwrap_or_else(|| panic!("nothing in {text:?}"));
            assert_eq!(found, line, "{text:?}");
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn what_the_library_takes_has_no_flaw() {
        for text in [
            "",
            "anything before the first section\n[libdefaults]\ndefault_realm = A # not a comment\n",
            "[libdefaults]\n; a\n# b\n[realms] # c\nA = {\nkdc = b\n}\n",
            "[realms]\nA =\n{\nkdc = b\n}*\n",
            "[realms]*\nA = {\n",
            "[plugins]\nkdcpolicy = {\nmodule = a:b c\n}\n",
        ] {
            assert_eq!(flaw(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_flaw_in_an_included_file_is_told_by_that_file() {
        let folder = tempfile::tempdir().unwrap();
        let included = folder.path().join("conf.d/bad");
        fs::create_dir(folder.path().join("conf.d")).unwrap();
        fs::write(&included, "[realms]\nA {\n").unwrap();
        let main = folder.path().join("krb5.conf");
        fs::write(&main, format!("includedir {}\n", included.parent().unwrap().display())).unwrap();
        let (file, line, _) = find(&main, MAX_DEPTH).unwrap();
        assert_eq!((file, line), (included, 2));
        fs::write(&main, "[libdefaults]\ninclude /nonexistent/file\n").unwrap();
        let (file, line, said) = find(&main, MAX_DEPTH).unwrap();
        assert_eq!((file, line), (main, 2));
        assert!(said.starts_with("/nonexistent/file cannot be read"), "{said}");
    }
}
