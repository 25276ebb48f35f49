//! The architecture: a room of `src` imports only rooms that stand below it, and no files import
//! each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The rooms from the ground up; those on one floor do not know each other.
const FLOORS: [&[&str]; 14] = [
    &["json", "yaml", "shell", "signals", "terminal"],
    &["config_file"],
    &["kube"],
    &["heap", "watch"],
    &["approval"],
    &["judge"],
    &["rules"],
    &["policies"],
    &["cluster", "certificate", "manifest", "report", "review", "service"],
    &["explain", "recording"],
    &["audit", "cases", "doctor", "lint", "operate", "replay", "serve"],
    &["command"],
    &["cli"],
    &["main"],
];

type Module = Vec<String>;

#[test]
fn rooms_import_only_what_stands_below_them() {
    let floor = |room: &str| FLOORS.iter().position(|floor| floor.contains(&room));
    let mut faults = BTreeSet::new();
    for (file, imported) in imports() {
        for target in imported {
            let (from, to) = (&file[0], &target[0]);
            let (Some(upper), Some(lower)) = (floor(from), floor(to)) else {
                faults.insert(format!("{from} or {to} stands on no floor"));
                continue;
            };
            if from != to && lower >= upper {
                faults.insert(format!("{} imports {}", file.join("::"), target.join("::")));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut imports = imports();
    // a file that imports nothing that is left, or is imported by nothing that is left, is in no
    // circle
    loop {
        let before = imports.len();
        let left: BTreeSet<Module> = imports.keys().cloned().collect();
        imports.retain(|_, imported| !imported.is_disjoint(&left));
        let wanted: BTreeSet<Module> = imports.values().flatten().cloned().collect();
        imports.retain(|module, _| wanted.contains(module));
        if imports.len() == before {
            break;
        }
    }
    let left: Vec<String> = imports.keys().map(|module| module.join("::")).collect();
    assert!(left.is_empty(), "in a circle, or between two: {left:#?}");
}

/// What each file of `src` imports of other files, its tests aside.
fn imports() -> BTreeMap<Module, BTreeSet<Module>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut texts = BTreeMap::new();
    collect(&root, &root, &mut texts);
    let of = |module: &Module, text: &str| {
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let paths = code.split(";\n").flat_map(|statement| used(statement, module, &texts));
        paths.filter_map(|path| file_of(path, &texts)).filter(|target| target != module).collect()
    };
    texts.iter().map(|(module, text)| (module.clone(), of(module, text))).collect()
}

fn collect(root: &Path, folder: &Path, texts: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, texts);
            continue;
        }
        let relative = path.strip_prefix(root).unwrap().with_extension("");
        let module: Module =
            relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
        let is_test =
            module.iter().any(|part| ["tests", "testing", "properties"].contains(&&**part));
        if !is_test && module != ["lib"] {
            texts.insert(module, fs::read_to_string(&path).unwrap());
        }
    }
}

/// The paths from the root of the crate that a `use` statement at the end of `statement` names. A
/// parent that only passes a child's items on does not depend on them.
fn used(statement: &str, module: &Module, texts: &BTreeMap<Module, String>) -> Vec<Module> {
    let Some(start) = statement.lines().rev().position(|line| line.contains("use ")) else {
        return Vec::new();
    };
    let lines: Vec<&str> = statement.lines().collect();
    let text = lines[lines.len() - start - 1..].join(" ");
    let Some((before, tree)) = text.split_once("use ") else { return Vec::new() };
    if !before.trim().is_empty() && !before.trim_start().starts_with("pub") {
        return Vec::new();
    }
    let passed_on = before.trim_start().starts_with("pub");
    let mut paths = Vec::new();
    for path in expanded(tree) {
        let mut names = path.split("::").map(str::trim).peekable();
        let mut from = match names.peek() {
            Some(&"crate") => Vec::new(),
            Some(&("super" | "self")) => module.clone(),
            Some(child)
                if texts.contains_key(&[module.as_slice(), &[(*child).to_owned()]].concat()) =>
            {
                if passed_on {
                    continue;
                }
                module.clone()
            }
            _ => continue,
        };
        for name in names {
            match name {
                "crate" | "self" => {}
                "super" => drop(from.pop()),
                name => from.push(name.to_owned()),
            }
        }
        paths.push(from);
    }
    paths
}

/// The single paths of `a::{b, c::{d, e}}`.
fn expanded(tree: &str) -> Vec<String> {
    let Some((head, rest)) = tree.split_once('{') else { return vec![tree.trim().to_owned()] };
    let body = rest.rsplit_once('}').map_or(rest, |(body, _)| body);
    let (mut depth, mut parts) = (0, vec![String::new()]);
    for character in body.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(character);
    }
    let parts = parts.iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| expanded(part)).map(|path| format!("{}{path}", head.trim())).collect()
}

/// The file that `path` leads into: that of the longest module it names.
fn file_of(mut path: Module, texts: &BTreeMap<Module, String>) -> Option<Module> {
    while !path.is_empty() && !texts.contains_key(&path) {
        path.pop();
    }
    (!path.is_empty()).then_some(path)
}
