//! Who imports whom, read from the syntax tree of every source file: `use` in all its
//! forms, paths inside expressions and types, `super` and `self` resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use syn::visit::{self, Visit};

use super::sources;

/// A module by the names on its path from the crate's root: `["front", "door"]`.
type Module = Vec<String>;

/// What each module imports, with the file that does.
struct Imports(BTreeSet<(Module, Module)>);

impl Imports {
    /// Of all that is compiled outside of tests.
    fn read() -> Self {
        let sources = sources();
        let modules: BTreeSet<Module> = sources.keys().map(|path| module(path)).collect();
        let mut found = BTreeSet::new();
        for (path, text) in &sources {
            if path == "main.rs" || super::is_test_module(&sources, path) {
                continue;
            }
            let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}"));
            let mut reader = Reader { at: module(path), modules: &modules, named: Vec::new() };
            reader.visit_file(&file);
            let at = module(path);
            found.extend(reader.named.into_iter().map(|named| (at.clone(), named)));
        }
        Self(found)
    }

    /// The rooms directly below `folder` (the crate's root for an empty one), and for
    /// each the others that it imports.
    fn rooms(&self, folder: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
        let room = |module: &Module| {
            let below = module
                .strip_prefix(&folder.iter().map(ToString::to_string).collect::<Vec<_>>()[..]);
            below.and_then(<[String]>::first).cloned()
        };
        let mut rooms = BTreeMap::<String, BTreeSet<String>>::new();
        for (from, to) in &self.0 {
            let (Some(from), Some(to)) = (room(from), room(to)) else { continue };
            rooms.entry(to.clone()).or_default();
            let others = rooms.entry(from.clone()).or_default();
            if from != to {
                others.insert(to);
            }
        }
        rooms
    }
}

/// Collects the modules that a file names.
struct Reader<'a> {
    at: Module,
    modules: &'a BTreeSet<Module>,
    named: Vec<Module>,
}

impl Reader<'_> {
    fn name(&mut self, path: &[String]) {
        let Some(mut named) = self.resolve(path) else { return };
        while !self.modules.contains(&named) && !named.is_empty() {
            named.pop();
        }
        self.named.push(named);
    }

    /// The path from the crate's root; `None` for what belongs to another crate.
    fn resolve(&self, path: &[String]) -> Option<Module> {
        let first = path.first()?;
        let mut at = match first.as_str() {
            "crate" => Vec::new(),
            "self" | "super" => self.at.clone(),
            child => {
                let mut module = self.at.clone();
                module.push(child.to_owned());
                return self.modules.contains(&module).then(|| {
                    module.extend_from_slice(&path[1..]);
                    module
                });
            }
        };
        let mut rest = path;
        while let Some((word, after)) = rest.split_first() {
            match word.as_str() {
                "crate" | "self" => {}
                "super" => drop(at.pop()),
                _ => break,
            }
            rest = after;
        }
        at.extend_from_slice(rest);
        Some(at)
    }

    fn tree(&mut self, before: &[String], tree: &syn::UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            syn::UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree),
            syn::UseTree::Name(name) => self.name(&with(&name.ident)),
            syn::UseTree::Rename(name) => self.name(&with(&name.ident)),
            syn::UseTree::Glob(_) => self.name(before),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.tree(before, tree));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if is_for_tests(&module.attrs) {
            return;
        }
        if let Some((_, items)) = &module.content {
            self.at.push(module.ident.to_string());
            items.iter().for_each(|item| self.visit_item(item));
            self.at.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_for_tests(&item.attrs) {
            self.tree(&[], &item.tree);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        if !is_for_tests(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let words: Vec<_> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if words.len() > 1 {
            self.name(&words);
        }
        visit::visit_path(self, path);
    }
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string().contains("test"))
    })
}

fn module(path: &str) -> Module {
    let path = Path::new(path).with_extension("");
    let mut names: Module = path.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
    if names.last().is_some_and(|name| ["mod", "lib"].contains(&name.as_str())) {
        names.pop();
    }
    names
}

/// A circle among rooms, as the way along it.
fn circle(rooms: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<&str>> {
    fn walk<'a>(
        rooms: &'a BTreeMap<String, BTreeSet<String>>,
        at: &'a str,
        way: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> bool {
        if way.contains(&at) {
            way.push(at);
            return true;
        }
        if !done.insert(at) {
            return false;
        }
        way.push(at);
        let found =
            rooms.get(at).is_some_and(|next| next.iter().any(|next| walk(rooms, next, way, done)));
        if !found {
            way.pop();
        }
        found
    }
    let mut done = BTreeSet::new();
    rooms.keys().find_map(|room| {
        let mut way = Vec::new();
        walk(rooms, room, &mut way, &mut done).then_some(way)
    })
}

/// The folders whose rooms import one another in one direction only.
const IN_ONE_DIRECTION: &[&[&str]] = &[
    &[],
    &["cli"],
    &["config"],
    &["config", "reading"],
    &["config", "section"],
    &["core_client"],
    &["core_server"],
    &["front"],
    &["identity"],
    &["krb5"],
    &["mechanism"],
    &["pki"],
    &["process"],
];

#[test]
fn no_rooms_import_one_another_in_a_circle() {
    let imports = Imports::read();
    for &folder in IN_ONE_DIRECTION {
        let rooms = imports.rooms(folder);
        assert!(rooms.len() > 1, "{folder:?}: {rooms:?}");
        assert_eq!(circle(&rooms), None, "in {folder:?}");
    }
}

/// What these rooms import, and nothing else.
const IMPORTED_BY: &[(&str, &[&str])] = &[
    ("wire", &["clock"]),
    ("identity", &["wire"]),
    ("schedule", &["clock"]),
    ("config", &["clock", "identity", "wire"]),
    ("krb5", &["clock", "process", "wire"]),
    ("pki", &["clock", "config", "process", "wire"]),
    ("core_client", &["config", "pki", "process", "wire"]),
    ("mechanism", &["clock", "config", "krb5", "metrics", "pki", "schedule", "wire"]),
];

#[test]
fn the_lower_rooms_import_no_more_than_they_need() {
    let rooms = Imports::read().rooms(&[]);
    for (room, expected) in IMPORTED_BY {
        let imported: Vec<&str> = rooms[*room].iter().map(String::as_str).collect();
        assert_eq!(imported, *expected, "{room}");
    }
    assert!(!rooms["front"].contains("core_server") && !rooms["core_server"].contains("front"));
    assert!(!rooms["core_server"].contains("mechanism"));
}

#[test]
fn an_import_is_found_in_every_form() {
    let modules: BTreeSet<Module> = ["", "a", "a::b", "a::b::c", "d"]
        .map(|m| m.split("::").filter(|m| !m.is_empty()).map(str::to_owned).collect())
        .into();
    let found = |text: &str| {
        let mut reader =
            Reader { at: vec!["a".into(), "b".into()], modules: &modules, named: Vec::new() };
        reader.visit_file(&syn::parse_str(text).unwrap());
        reader.named.iter().map(|module| module.join("::")).collect::<Vec<_>>()
    };
    for (text, expected) in [
        ("use crate::d::Thing;", &["d"][..]),
        ("use crate::{d::{self, Thing as Other}, a::b::c::*};", &["d", "d", "a::b::c"]),
        ("use super::super::d;", &["d"]),
        ("use c::Inner;", &["a::b::c"]),
        ("use std::fmt;", &[]),
        ("fn f() -> crate::d::Thing { super::super::d::make(self::c::X) }", &["d", "d", "a::b::c"]),
        ("mod inner { use super::super::super::d::X; }", &["d"]),
        ("#[cfg(test)] mod tests { use crate::d; }", &[]),
    ] {
        assert_eq!(found(text), expected, "{text}");
    }
}
