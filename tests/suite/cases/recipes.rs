//! The cases of the shipped policies, and of every policy that the documentation gives as an example.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use restraint::policies::embedded_files;
use restraint::rules::RULES;

use super::*;

/// The pages whose examples are policies.
const PAGES: [&str; 3] = ["policies", "autoscalers", "approvals"];

#[test]
fn the_shipped_policies_do_what_their_cases_say() {
    let ran = test(&root(), &["policies/tests"]);
    assert_eq!((ran.code, &*ran.remarks), (0, ""), "{}", ran.output);
    let report = json(&root(), &["policies/tests"]);
    let cases = report["cases"].as_array().unwrap();
    assert!(cases.iter().all(|case| case["policies"] == "policies"), "{report:#}");
    let found = cases.iter().flat_map(|case| case["found"]["findings"].as_array().unwrap());
    let found: BTreeSet<&str> = found.map(|finding| finding["rule"].as_str().unwrap()).collect();
    // without a list of what is allowed it finds nothing, which is a case as well
    let silent = "restart-all-not-allowed";
    let others = RULES.iter().map(|rule| rule.name).filter(|name| *name != silent);
    assert_eq!(found, others.collect(), "a case for every policy");
    let is_told = |case: &Value| case["name"].as_str().unwrap().contains(silent);
    assert!(cases.iter().any(is_told));
}

#[test]
fn a_folder_of_policies_is_served_with_its_cases() {
    let policies = root().join("policies");
    let arguments = ["serve", "--check", "--policies", policies.to_str().unwrap()];
    let (code, output, error) = crate::explaining::run(&arguments, "");
    assert_eq!(code, 0, "{output}{error}");
}

#[test]
fn the_recipes_of_the_documentation_do_what_their_cases_say() {
    let recipes = recipes();
    let cases: BTreeMap<String, String> = fs::read_dir(root().join("tests/recipes"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    assert_eq!(recipes.keys().collect::<Vec<_>>(), cases.keys().collect::<Vec<_>>());
    let folder = tempfile::tempdir().unwrap();
    for (name, files) in &recipes {
        let policies = folder.path().join(name);
        fs::create_dir_all(policies.join("tests")).unwrap();
        for (file, text) in files {
            fs::write(policies.join(file), text).unwrap();
        }
        fs::write(policies.join(format!("tests/{name}.yaml")), &cases[name]).unwrap();
    }
    let ran = test(folder.path(), &["."]);
    assert_eq!(ran.code, 0, "{}{}", ran.output, ran.remarks);
    let count = json(folder.path(), &["."])["totals"]["passed"].as_u64().unwrap();
    assert!(count > 30, "{count}");
}

/// The example of the page is real: files, command and output.
#[test]
fn the_example_of_the_documentation_is_real() {
    let page = fs::read_to_string(root().join("docs/testing-policies.md")).unwrap();
    let yaml = blocks(&page, "yaml");
    let of = |start: &str| *yaml.iter().find(|block| block.starts_with(start)).unwrap();
    let folder = tree(&[
        ("policies/memory-limit-decrease.yaml", of("# policies/memory-limit-decrease.yaml")),
        ("policies/tests/resizes.yaml", of("# policies/tests/resizes.yaml")),
    ]);
    let console = blocks(&page, "console");
    let (command, expected) = console[0].split_once('\n').unwrap();
    let arguments = command.strip_prefix("$ restraint test ").unwrap();
    let ran = test(folder.path(), &arguments.split(' ').collect::<Vec<_>>());
    assert_eq!((ran.output.trim_end(), ran.code), (expected.trim_end(), 1));
}

/// Every recipe: its files by name.
fn recipes() -> BTreeMap<String, Vec<(String, String)>> {
    let mut recipes = BTreeMap::new();
    for page in PAGES {
        let text = fs::read_to_string(root().join(format!("docs/{page}.md"))).unwrap();
        // the faulty example shows what is said of it
        for block in blocks(&text, "yaml").into_iter().filter(|block| !block.contains("\nscop:")) {
            let word = |key: &str| {
                let line = block.lines().find_map(|line| line.trim_start().strip_prefix(key))?;
                Some(line.split(" #").next().unwrap().trim().to_owned())
            };
            let (name, files) = if block.starts_with("name: ") {
                let name = word("name: ").unwrap();
                (format!("{page}-{name}"), vec![(format!("{name}.yaml"), block.to_owned())])
            } else if block.contains("\nsettings:") {
                let head =
                    "name: memory-limit-decrease\nrule: memory-limit-decrease\nmode: enforce\n";
                let file = ("memory-limit-decrease.yaml".to_owned(), format!("{head}{block}"));
                (word("- name: ").unwrap(), vec![file])
            } else if block.starts_with("exemptions:") {
                let others = embedded_files().map(|(name, text)| (name, text.to_owned()));
                let own = ("exemptions.yaml".to_owned(), block.to_owned());
                ("exemptions".to_owned(), others.chain([own]).collect())
            } else {
                continue;
            };
            assert!(recipes.insert(name, files).is_none(), "{block}");
        }
    }
    recipes
}

/// The blocks of a page in this language.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let opening = format!("\n```{language}\n");
    page.split(&*opening).skip(1).map(|rest| rest.split("\n```").next().unwrap()).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
