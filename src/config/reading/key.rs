//! The table of keys, and what to say of a name that is not in it.

/// One row of the table of keys: all there is to know of a key besides its value.
#[derive(Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "tests hold docs/configuration.md to the table"))]
pub(crate) struct Key {
    /// The name within its section.
    pub name: &'static str,
    /// The default, as it would stand in the file.
    pub default: &'static str,
    /// When a change takes effect.
    pub effect: Effect,
    /// What it is for, in a sentence.
    pub meaning: &'static str,
    /// What the documentation calls its type.
    pub type_name: fn() -> String,
    /// The keys inside, where it is a section.
    pub keys: &'static [Self],
}

/// What happens when a key is set or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It is a section: each of its keys says for itself.
    Section,
    /// It takes effect after a reload (SIGHUP).
    Reload,
    /// It takes effect after a restart.
    Restart,
    /// Its feature is not in this version, and leaving it out keeps nobody
    /// out and lets nobody in: a warning at most.
    Ignored,
    /// Its feature is not in this version, and leaving it out would change who
    /// may do what: an error.
    Refused,
}

/// What is wrong with a key that does not exist, and which key was meant. `keys` are those of its section, `all` those of the file.
pub(in crate::config) fn unknown(name: &str, keys: &[Key], all: &'static [Key]) -> String {
    let mut elsewhere = Vec::new();
    collect("", all, &mut elsewhere);
    if let Some((other, _)) = elsewhere.iter().find(|(_, key)| key.name == name) {
        return format!("is not known here; it belongs in {}", shown(other));
    }
    let likeness = |key: &Key| strsim::jaro_winkler(name, key.name);
    let best = |one: &&Key, other: &&Key| likeness(one).total_cmp(&likeness(other));
    let near = keys.iter().filter(|key| likeness(key) > 0.75).max_by(best);
    if let Some(key) = near {
        return format!("is not known; did you mean {}?", key.name);
    }
    let far = elsewhere.iter().filter(|(_, key)| likeness(key) > 0.9);
    match far.max_by(|(_, one), (_, other)| best(one, other)) {
        Some((other, key)) => {
            format!("is not known; did you mean {} in {}?", key.name, shown(other))
        }
        None => "is not known; docs/configuration.md lists all keys".to_owned(),
    }
}

/// All keys below a section, each with its section.
pub(in crate::config) fn collect(
    section: &str,
    keys: &'static [Key],
    all: &mut Vec<(String, &'static Key)>,
) {
    for key in keys {
        all.push((section.to_owned(), key));
        collect(&path(section, key.name), key.keys, all);
    }
}

pub(in crate::config) fn path(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}

fn shown(section: &str) -> String {
    if section.is_empty() { "the top of the file".to_owned() } else { format!("[{section}]") }
}
