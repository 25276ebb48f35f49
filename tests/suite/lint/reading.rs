//! Texts that kubectl reads, whatever their bytes and their layout, and those it refuses.

use super::*;

fn lint_bytes(bytes: &[u8], arguments: &[&str]) -> (Ran, Vec<u8>) {
    let folder = tree(&[]);
    let path = folder.path().join("pod.yaml");
    fs::write(&path, bytes).unwrap();
    let ran = lint(folder.path(), &[arguments, &["pod.yaml"]].concat());
    (ran, fs::read(path).unwrap())
}

fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    ['\u{feff}'.to_string(), text.to_owned()].concat().encode_utf16().flat_map(bytes).collect()
}

#[test]
fn a_mark_tells_the_encoding_and_letters_of_others_are_replaced() {
    let wide = POD.replace('\n', "\r\n");
    let latin = [b"# Gr\xfc\xdfe\n".as_slice(), POD.as_bytes()].concat();
    for (bytes, line) in [
        (utf16(&wide, u16::to_le_bytes), 8),
        (utf16(POD, u16::to_be_bytes), 8),
        ([b"\xef\xbb\xbf".as_slice(), POD.as_bytes()].concat(), 8),
        (latin, 9),
    ] {
        let (ran, _) = lint_bytes(&bytes, &["--format", "json"]);
        let found: Vec<Value> = serde_json::from_str(&ran.output).unwrap();
        assert_eq!(told(&found), [format!("pod.yaml:{line} warn heap-above-limit")]);
        assert_eq!((ran.code, ran.remarks.lines().count()), (0, 1), "{}", ran.remarks);
    }
}

#[test]
fn what_cannot_be_written_back_is_not_changed() {
    let fixable = POD.lines().filter(|line| !line.contains("resizePolicy"));
    let fixable: String = fixable.map(|line| format!("{line}\n")).collect();
    let bytes = [b"# Gr\xfc\xdfe\n".as_slice(), fixable.as_bytes()].concat();
    for arguments in [&["--fix"][..], &["--fix", "--dry-run"]] {
        let (ran, after) = lint_bytes(&bytes, arguments);
        assert_eq!(after, bytes);
        assert!(
            ran.remarks.contains("pod.yaml: not UTF-8, so --fix leaves it as it is\n"),
            "{}",
            ran.remarks
        );
    }
    let (_, after) = lint_bytes(fixable.as_bytes(), &["--fix"]);
    assert_ne!(after, fixable.as_bytes());
}

#[test]
fn a_byte_order_mark_may_begin_any_document() {
    let text = format!("{POD}---\n# Source: chart/templates/pod.yaml\n\u{feff}{POD}");
    let found = findings(&[("pods.yaml", &text)]);
    assert_eq!(
        told(&found),
        ["pods.yaml:8 warn heap-above-limit", "pods.yaml:20 warn heap-above-limit"]
    );
}

#[test]
fn quoted_text_may_go_on_at_the_margin() {
    let text = "\
apiVersion: v1
kind: Pod
metadata:
  name: radio
  annotations:
    k8s.v1.cni.cncf.io/networks: '[
{ \"name\": \"fast-net\" }
]'
spec:
  containers:
  - name: java
    env:
    - name: JAVA_OPTS
      value: \"-Xms1g
-Xmx2g\"
    resources: {limits: {memory: 1Gi}}
";
    let folder = tree(&[("pod.yaml", text)]);
    let ran = lint(folder.path(), &["--format", "json", "--fix", "pod.yaml"]);
    let found: Vec<Value> = serde_json::from_str(&ran.output).unwrap();
    assert_eq!(told(&found), ["pod.yaml:13 warn heap-above-limit"]);
    let fixed = fs::read_to_string(folder.path().join("pod.yaml")).unwrap();
    let added = "    resizePolicy:\n    - resourceName: cpu\n      restartPolicy: NotRequired\n    - resourceName: memory\n      restartPolicy: RestartContainer\n";
    assert_eq!(fixed, format!("{text}{added}"));
}

#[test]
fn what_kubectl_refuses_is_not_judged() {
    let separator = POD.replace("apiVersion", "--- apiVersion");
    let template = POD.replace("name: db", "name: {{ .Values.name }}");
    let folder = tree(&[("a.yaml", &separator), ("b.yaml", &template)]);
    let ran = lint(folder.path(), &["."]);
    assert_eq!(
        ran.remarks,
        "a.yaml:1: not judged: nothing but a comment may follow \"---\", not \"apiVersion: v1\"\n\
         b.yaml:4: not judged: invalid YAML: a mapping cannot be a key (a template? lint what it renders to)\n"
    );
}
