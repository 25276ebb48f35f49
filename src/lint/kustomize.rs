//! Sources of kustomize: what is applied is what it builds of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::kube::configuration::ConfigKind;
use crate::manifest::files::Input;
use crate::manifest::{documents, encoding};
use crate::yaml::{Node, Value};

use super::read::{File, Remark, Weight};
use super::source::Source;

/// What kustomize calls its own files.
const NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// The most folders that are followed from one to the next.
const MOST_FOLDERS: usize = 10_000;

/// A kustomization: a folder with the file that says what is built of it.
#[derive(Debug, Default)]
struct Kustomization {
    /// Files and folders that it builds on.
    resources: Vec<PathBuf>,
    /// Files that change others.
    patches: Vec<PathBuf>,
    /// The ConfigMaps and Secrets that it makes, with a hash in their names.
    generated: Vec<(ConfigKind, String)>,
    /// Whether what it builds is more than its resources together.
    changes: bool,
}

/// Tells each of `files`, which were read from `inputs`, what kustomize makes of it.
pub(super) fn apply(files: &mut [File], inputs: &[Input]) {
    let paths: Vec<_> = inputs.iter().map(path).collect();
    let folders = paths.iter().flatten().filter_map(|path| path.parent());
    let known = all(folders.map(Path::to_owned).collect());
    if known.is_empty() {
        return;
    }
    let mut sources = BTreeMap::<PathBuf, Source>::new();
    for kustomization in known.values() {
        for patch in &kustomization.patches {
            sources.entry(patch.clone()).or_default().is_patch = true;
        }
    }
    for folder in known.keys() {
        let (built_on, generated) = closure(&known, folder);
        for path in built_on.into_iter().filter(|_| !generated.is_empty()) {
            sources.entry(path).or_default().generated.extend(generated.iter().cloned());
        }
    }
    for (file, path) in files.iter_mut().zip(&paths) {
        let Some(path) = path else { continue };
        if let Some(source) = sources.get(path) {
            file.source = source.clone();
        }
        say(file, path, &known);
    }
}

/// Says of `file` that it is not what is applied.
fn say(file: &mut File, path: &Path, known: &BTreeMap<PathBuf, Kustomization>) {
    let remark = |file: &mut File, message: &str| {
        let (name, message) = (file.name.clone(), message.to_owned());
        file.remarks.push(Remark { file: name, line: None, message, weight: Weight::Plain });
    };
    if file.source.is_patch {
        remark(file, "not judged: a patch of kustomize; lint what `kustomize build` prints");
        file.tally.patches = std::mem::take(&mut file.tally.workloads);
    }
    let is_own = path.file_name().is_some_and(|name| NAMES.iter().any(|known| name == *known));
    let folder = path.parent().filter(|_| is_own).and_then(|folder| known.get(folder));
    if folder.is_some_and(|kustomization| kustomization.changes) {
        remark(file, "its sources are not what is applied: lint what `kustomize build` prints");
    }
}

/// The kustomizations of `folders`, and those that they build on.
fn all(folders: BTreeSet<PathBuf>) -> BTreeMap<PathBuf, Kustomization> {
    let (mut known, mut seen) = (BTreeMap::new(), BTreeSet::new());
    let mut open: Vec<_> = folders.into_iter().collect();
    while let Some(folder) = open.pop().filter(|_| seen.len() < MOST_FOLDERS) {
        if !seen.insert(folder.clone()) {
            continue;
        }
        let Some(kustomization) = Kustomization::of(&folder) else { continue };
        open.extend(kustomization.resources.iter().filter(|path| path.is_dir()).cloned());
        known.insert(folder, kustomization);
    }
    known
}

/// The files that the kustomization of `folder` builds on, patches included, and what is generated
/// among them.
fn closure(
    known: &BTreeMap<PathBuf, Kustomization>,
    folder: &Path,
) -> (BTreeSet<PathBuf>, BTreeSet<(ConfigKind, String)>) {
    let (mut files, mut generated, mut seen) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let mut open = vec![folder.to_owned()];
    while let Some(path) = open.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        match known.get(&path) {
            Some(kustomization) => {
                open.extend(kustomization.resources.iter().chain(&kustomization.patches).cloned());
                generated.extend(kustomization.generated.iter().cloned());
            }
            None => drop(files.insert(path)),
        }
    }
    (files, generated)
}

impl Kustomization {
    /// The one of `folder`; `None` where it has none, or one that cannot be read.
    fn of(folder: &Path) -> Option<Self> {
        let file = NAMES.iter().find_map(|name| fs::File::open(folder.join(name)).ok())?;
        let text = encoding::read(file).ok()?.text;
        let node = documents::value(&text)?;
        Some(Self::read(folder, &node))
    }

    fn read(folder: &Path, node: &Node) -> Self {
        let list = |key: &str| node.field(key).map(Node::elements).unwrap_or_default();
        let place = |text: &str| normal(&folder.join(text));
        let texts = |key: &str| list(key).iter().filter_map(Node::as_text);
        let of_field = |key: &str| {
            list(key).iter().filter_map(|patch| patch.field("path").and_then(Node::as_text))
        };
        let resources = ["resources", "bases", "components"];
        let inline = |text: &&str| !text.contains('\n');
        let patches = of_field("patches")
            .chain(of_field("patchesJson6902"))
            .chain(texts("patchesStrategicMerge").filter(inline));
        let generators = [
            ("configMapGenerator", ConfigKind::ConfigMap),
            ("secretGenerator", ConfigKind::Secret),
        ];
        let plain = |node: &Node, key: &str| {
            let options =
                node.field(key).and_then(|options| options.field("disableNameSuffixHash"));
            options.is_some_and(|is_plain| matches!(is_plain.value, Value::Bool(true)))
        };
        let none_has_a_hash = plain(node, "generatorOptions");
        let generated = generators.into_iter().flat_map(|(key, kind)| {
            let with_hash = list(key).iter().filter(|one| !plain(one, "options"));
            let names = with_hash.filter_map(|one| one.field("name").and_then(Node::as_text));
            names.filter(|_| !none_has_a_hash).map(move |name| (kind, name.to_owned()))
        });
        let changing = ["patches", "patchesJson6902", "patchesStrategicMerge", "components"];
        let changing = changing.into_iter().chain(generators.map(|(key, _)| key));
        Self {
            resources: resources.into_iter().flat_map(texts).map(place).collect(),
            patches: patches.map(place).collect(),
            generated: generated.collect(),
            changes: changing.into_iter().any(|key| !list(key).is_empty()),
        }
    }
}

/// The path of a file, from the root.
fn path(input: &Input) -> Option<PathBuf> {
    match input {
        Input::File(path) => std::path::absolute(path).ok().map(|path| normal(&path)),
        Input::Stdin => None,
    }
}

/// `path` without `.` and `..`, as kustomize reads it.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(normal.pop()),
            part => normal.push(part),
        }
    }
    normal
}
