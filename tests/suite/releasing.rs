//! What a release makes: the scripts of its workflow run on programs that stand in for real ones.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

const TAG: &str = "v1.2.3";

/// The folder of a release, with the archives of every program and what is made from them.
struct Release {
    folder: tempfile::TempDir,
    workflow: Value,
    targets: Vec<String>,
}

impl Release {
    fn make() -> Self {
        let workflow = fs::read_to_string(root().join(".github/workflows/release.yaml")).unwrap();
        let workflow: Value = serde_saphyr::from_str(&workflow).unwrap();
        let matrix = &workflow["jobs"]["program"]["strategy"]["matrix"]["include"];
        let targets = matrix.as_array().unwrap().iter().map(|one| text(&one["target"])).collect();
        let folder = tempfile::tempdir().unwrap();
        let release = Self { folder, workflow, targets };
        for file in ["LICENSE", "README.md", ".krew.yaml", ".ci/krew"] {
            release.write(file, &fs::read(root().join(file)).unwrap());
        }
        for target in &release.targets {
            release.write(&format!("target/{target}/dist/restraint"), target.as_bytes());
            release.write("sbom.json", b"{}");
            release.run("program", "archive", target);
        }
        release.run("image", "programs by architecture", "");
        release.run("release", "plugin of kubectl", "");
        release.run("release", "checksums", "");
        release
    }

    /// Runs the script of a step as GitHub does.
    fn run(&self, job: &str, step: &str, target: &str) {
        let steps = self.workflow["jobs"][job]["steps"].as_array().unwrap();
        let found = steps.iter().find(|one| one["name"] == step);
        let script = text(&found.unwrap_or_else(|| panic!("{job} has no step {step:?}"))["run"]);
        let output = Command::new("bash")
            .args(["-e", "-c", &script])
            .current_dir(self.folder.path())
            .env("VERSION", TAG)
            .env("TARGET", target)
            .env("GITHUB_REPOSITORY", "owner/name")
            .output()
            .unwrap();
        assert!(output.status.success(), "{step}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn write(&self, path: &str, content: &[u8]) {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn read(&self, path: &str) -> String {
        let path = self.folder.path().join(path);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// What `tar` lists of an archive.
    fn listed(&self, archive: &str) -> Vec<String> {
        let path = self.folder.path().join("out").join(archive);
        let output = Command::new("tar").arg("-tzf").arg(path).output().unwrap();
        assert!(output.status.success(), "{archive}: {output:?}");
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

#[test]
fn the_plugin_of_kubectl_is_every_program_of_the_release() {
    let release = Release::make();
    let manifest: Value = serde_saphyr::from_str(&release.read("out/restraint.yaml")).unwrap();
    assert_eq!(manifest["metadata"]["name"], "restraint");
    assert_eq!(manifest["spec"]["version"], TAG);
    assert_eq!(manifest["spec"]["homepage"], "https://github.com/owner/name");
    let sums = release.read("out/SHA256SUMS");
    let mut wanted: BTreeSet<String> = release.targets.iter().cloned().collect();
    for platform in manifest["spec"]["platforms"].as_array().unwrap() {
        let uri = text(&platform["uri"]);
        let (folder, archive) = uri.rsplit_once('/').unwrap();
        assert_eq!(folder, "https://github.com/owner/name/releases/download/v1.2.3");
        // the checksum of what the release attaches under this name
        let sum = format!("{}  {archive}", text(&platform["sha256"]));
        assert!(sums.lines().any(|line| line == sum), "no {sum:?} in\n{sums}");
        let target = target(&platform["selector"]["matchLabels"]);
        assert!(archive.contains(&target), "{archive} is not for {target}");
        assert!(wanted.remove(&target), "{target} is there twice, or nobody makes it");
        are_installed(platform, &release.listed(archive));
    }
    assert!(wanted.is_empty(), "no platform has {wanted:?}");
}

/// The program that runs on a platform as krew names it.
fn target(labels: &Value) -> String {
    let architecture = match labels["arch"].as_str().unwrap() {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        other => panic!("{other}"),
    };
    let system = match labels["os"].as_str().unwrap() {
        "linux" => "unknown-linux-musl",
        "darwin" => "apple-darwin",
        other => panic!("{other}"),
    };
    format!("{architecture}-{system}")
}

/// The archive has the program and its licence where the platform takes them from.
fn are_installed(platform: &Value, listed: &[String]) {
    let mut installed = BTreeSet::new();
    for file in platform["files"].as_array().unwrap() {
        let name = text(&file["from"]);
        let name = name.strip_prefix("*/").expect("one folder");
        let found = listed.iter().any(|path| path.split_once('/').is_some_and(|p| p.1 == name));
        assert!(found && file["to"] == ".", "{file} of {listed:?}");
        installed.insert(name.to_owned());
    }
    assert!(installed.contains("LICENSE") && installed.contains(&text(&platform["bin"])));
}

/// The image holds the programs of the archives: `Dockerfile` looks for ARCHITECTURE/restraint.
#[test]
fn the_image_is_made_of_the_programs_of_the_release() {
    let release = Release::make();
    assert_eq!(release.read("programs/amd64/restraint"), "x86_64-unknown-linux-musl");
    assert_eq!(release.read("programs/arm64/restraint"), "aarch64-unknown-linux-musl");
    let steps = release.workflow["jobs"]["image"]["steps"].as_array().unwrap();
    let build = steps.iter().find(|one| !one["with"]["build-contexts"].is_null()).unwrap();
    assert_eq!(build["with"]["build-contexts"], "program=programs");
    assert_eq!(build["with"]["platforms"], "linux/amd64,linux/arm64");
}

#[test]
fn a_plugin_without_its_archive_is_an_error() {
    let output = Command::new("bash")
        .arg(root().join(".ci/krew"))
        .args([TAG, "owner/name"])
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.starts_with("no checksum of restraint-"), "{error}");
}
