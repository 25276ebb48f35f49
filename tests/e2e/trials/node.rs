//! `restraint resize` on a real node, which `RESTRAINT_NODE_KUBECONFIG` leads to. Its pods run
//! `RESTRAINT_NODE_IMAGE`, an image with a shell.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use libtest_mimic::Trial;
use serde_json::{Value, json};

use crate::deadline::eventually;
use crate::fallback::{FALLBACK, LABEL};
use crate::world::assets;

use super::trial;

/// Names the kubeconfig of a cluster with a node.
const KUBECONFIG: &str = "RESTRAINT_NODE_KUBECONFIG";

/// Names the image that its pods run.
const IMAGE: &str = "RESTRAINT_NODE_IMAGE";

/// Fills 60 MiB of memory that count for the container, and keeps them.
const HOLDER: &str = "dd if=/dev/zero of=/dev/shm/held bs=1M count=60 2>/dev/null; trap 'exit 0' TERM; while true; do sleep 1; done";

/// Needs little when it starts first, so that the kubelet lowers its limit, and 60 MB whenever it
/// starts again.
const HUNGRY: &str = "if [ -e /kept/again ]; then held=$(head -c 60000000 /dev/zero | tr '\\0' x); fi; touch /kept/again /tmp/held; trap 'exit 0' TERM; while true; do sleep 1; done";

/// Waits to be told to end.
const IDLE: &str = "trap 'exit 0' TERM; while true; do sleep 1; done";

/// Every trial on a node; none, and a line that says so, where there is no node.
pub(super) fn trials() -> Vec<Trial> {
    let trials = vec![
        trial("node: growth is done in place", growth),
        trial("node: a decrease is done in place", decrease),
        trial("node: a decrease with a restart", decrease_with_a_restart),
        trial("node: what the node has no room for is deferred and put back", deferred),
        trial("node: a decrease below what is in use is refused and put back", below_usage),
        trial("node: a process that needs more than it restarts with is put back", killed_at_start),
        trial("node: what nobody approved is denied, on the way back too", denied),
    ];
    let is_there = is_there();
    if !is_there {
        println!("e2e: no trials on a node, because {KUBECONFIG} names no kubeconfig");
    }
    trials.into_iter().map(|trial| trial.with_ignored_flag(!is_there)).collect()
}

/// A pod in a namespace of its own on the node, until this is dropped.
pub(super) struct Node {
    pub(super) namespace: String,
}

impl Node {
    /// Starts a pod "app" with these resources.
    fn start(name: &str, script: &str, policy: &str, resources: &Value) -> Self {
        Self::start_probed(name, script, policy, resources, &Value::Null)
    }

    /// The same, with a readiness probe.
    fn start_probed(
        name: &str,
        script: &str,
        policy: &str,
        resources: &Value,
        readiness: &Value,
    ) -> Self {
        let node = Self::empty(name);
        let container = json!({
            "name": "app", "image": image(), "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", script],
            "resources": resources, "resizePolicy": [{"resourceName": "memory", "restartPolicy": policy}],
            "readinessProbe": readiness, "volumeMounts": [{"name": "kept", "mountPath": "/kept"}],
        });
        let volumes = json!([{"name": "kept", "emptyDir": {}}]);
        let spec = json!({"terminationGracePeriodSeconds": 5, "automountServiceAccountToken": false, "containers": [container], "volumes": volumes});
        let pod =
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "app"}, "spec": spec});
        node.kubectl(&["create", "--filename", "-"], &pod.to_string());
        eventually("the pod on the node is ready", || {
            let pod = node.pod();
            let conditions = pod["status"]["conditions"].as_array()?;
            let is_ready = |one: &&Value| one["type"] == "Ready" && one["status"] == "True";
            conditions.iter().find(is_ready).map(|_| ())
        });
        node
    }

    /// The namespace, with nothing in it.
    pub(super) fn empty(name: &str) -> Self {
        let node = Self { namespace: format!("restraint-{name}-{}", std::process::id()) };
        node.kubectl(&["create", "namespace", &node.namespace], "");
        node
    }

    pub(super) fn kubectl(&self, arguments: &[&str], input: &str) -> String {
        let program = assets().unwrap().unwrap().join("kubectl");
        // before what a command in a container is given
        let line = [&["--namespace", &*self.namespace][..], arguments].concat();
        let (code, text) = self.output(Command::new(program), &line, input);
        assert_eq!(code, Some(0), "kubectl {arguments:?}: {text}");
        text
    }

    /// Whether the cluster has this object.
    pub(super) fn has(object: &[&str]) -> bool {
        let program = assets().ok().flatten().map(|folder| folder.join("kubectl"));
        let (Some(program), Some(kubeconfig)) = (program, env::var_os(KUBECONFIG)) else {
            return false;
        };
        let mut command = Command::new(program);
        command.arg("get").args(object).env("KUBECONFIG", kubeconfig);
        command.output().is_ok_and(|output| output.status.success())
    }

    /// What kubectl says of a request that is refused.
    pub(super) fn refused(&self, arguments: &[&str]) -> String {
        let mut command = Command::new(assets().unwrap().unwrap().join("kubectl"));
        command.args(["--namespace", &self.namespace]).args(arguments);
        let output = command.env("KUBECONFIG", env::var_os(KUBECONFIG).unwrap()).output().unwrap();
        assert!(!output.status.success(), "{arguments:?} is not refused");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Resizes, and says what came of it.
    fn resize(&self, flags: &[&str], code: i32) -> Value {
        self.restraint(&[&["resize", "pod/app"][..], flags].concat(), code)
    }

    /// Does what `line` says, and says what came of it.
    pub(super) fn restraint(&self, line: &[&str], code: i32) -> Value {
        self.run(line, code).unwrap_or_else(|text| panic!("not {code}: {text}"))
    }

    /// The same; `None` where it ends with another code.
    fn try_restraint(&self, line: &[&str], code: i32) -> Option<Value> {
        self.run(line, code).ok()
    }

    /// What comes of changing the object `from` to `to`.
    pub(super) fn explain(&self, from: &str, to: &Value) -> Value {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_restraint"));
        let line = ["explain", "change", "--from", from, "--to", "-", "--output", "json"];
        let line = [&line[..], &["--namespace", &self.namespace]].concat();
        let (code, text) = self.output(Command::new(program), &line, &to.to_string());
        assert_eq!(code, Some(0), "{text}");
        serde_json::from_str(&text).unwrap()
    }

    fn run(&self, line: &[&str], code: i32) -> Result<Value, String> {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_restraint"));
        let fixed = ["--namespace", &self.namespace, "--yes", "--output", "json"];
        let line = [line, &fixed].concat();
        let (ended, text) = self.output(Command::new(program), &line, "");
        if ended == Some(code) { Ok(serde_json::from_str(&text).unwrap()) } else { Err(text) }
    }

    fn output(
        &self,
        mut command: Command,
        arguments: &[&str],
        input: &str,
    ) -> (Option<i32>, String) {
        command.args(arguments).env("KUBECONFIG", env::var_os(KUBECONFIG).unwrap());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        // it need not read all of it
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes());
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn pod(&self) -> Value {
        serde_json::from_str(&self.kubectl(&["get", "pod", "app", "--output", "json"], "")).unwrap()
    }

    #[track_caller]
    fn assert_status(&self, memory: &str, restarts: i64) {
        let status = &self.pod()["status"]["containerStatuses"][0];
        assert_eq!(
            (&status["resources"]["limits"]["memory"], &status["restartCount"]),
            (&json!(memory), &json!(restarts))
        );
    }
}

/// The policy of the API server itself that denies decreases, in one namespace, until this is
/// dropped.
struct Guard<'n> {
    node: &'n Node,
    policies: String,
}

impl<'n> Guard<'n> {
    fn of(node: &'n Node) -> Self {
        // others may have it under its own name
        let own = format!("fallback-{}.restraint.dev", std::process::id());
        let is_wanted = |part: &&str| part.contains("name: memory-limit-decrease.fallback");
        let parts: Vec<_> = FALLBACK.split("---\n").filter(is_wanted).collect();
        let policies = parts.join("---\n").replace("fallback.restraint.dev", &own);
        node.kubectl(&["create", "--filename", "-"], &policies);
        let guard = Self { node, policies };
        let label = format!("{LABEL}=yes");
        node.kubectl(&["label", "namespace", &node.namespace, &label], "");
        guard
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let line = ["delete", "--ignore-not-found", "--wait=false", "--filename", "-"];
        let program = assets().ok().flatten().map(|folder| folder.join("kubectl"));
        if let Some(program) = program {
            let _ = self.node.output(Command::new(program), &line, &self.policies);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // a trial that fails ends here as well, and must not panic twice
        let program = assets().ok().flatten().map(|folder| folder.join("kubectl"));
        let line = ["delete", "namespace", &self.namespace, "--wait=false"];
        if let (Some(program), Some(kubeconfig)) = (program, env::var_os(KUBECONFIG)) {
            let _ = Command::new(program).args(line).env("KUBECONFIG", kubeconfig).output();
        }
    }
}

/// What its pods run.
pub(super) fn image() -> String {
    env::var(IMAGE).unwrap_or_else(|_| "busybox:1.36".to_owned())
}

/// Whether there is a node.
pub(super) fn is_there() -> bool {
    env::var_os(KUBECONFIG).is_some_and(|path| !path.is_empty())
}

fn resources(request: &str, limit: &str) -> Value {
    json!({"requests": {"cpu": "10m", "memory": request}, "limits": {"memory": limit}})
}

fn state(report: &Value) -> &Value {
    &report["pods"][0]["outcome"]["state"]
}

fn growth() {
    let node = Node::start("growth", IDLE, "NotRequired", &resources("16Mi", "32Mi"));
    let report = node.resize(&["--memory", "app=48Mi", "--settle", "2s"], 0);
    assert_eq!(state(&report), "done", "{report}");
    node.assert_status("48Mi", 0);
}

fn decrease() {
    let node = Node::start("decrease", IDLE, "NotRequired", &resources("16Mi", "64Mi"));
    let report = node.resize(&["--memory", "app=48Mi", "--settle", "2s"], 0);
    assert_eq!(state(&report), "done", "{report}");
    assert_eq!(report["plan"]["pods"][0]["wayBack"]["isOpen"], true);
    node.assert_status("48Mi", 0);
}

fn decrease_with_a_restart() {
    let node = Node::start("restart", IDLE, "RestartContainer", &resources("16Mi", "64Mi"));
    let report = node.resize(&["--memory", "app=48Mi", "--settle", "2s"], 0);
    assert_eq!(state(&report), "restarted", "{report}");
    // how long it was away the kubelet does not always tell
    assert_eq!(report["pods"][0]["outcome"]["restarted"][0]["container"], "app", "{report}");
    node.assert_status("48Mi", 1);
}

/// Asks for all that the node can give, of which others have a part.
fn deferred() {
    let node = Node::start("deferred", IDLE, "NotRequired", &resources("16Mi", "32Mi"));
    let name = node.pod()["spec"]["nodeName"].as_str().unwrap().to_owned();
    let path = "jsonpath={.status.allocatable.memory}";
    let all = node.kubectl(&["get", "node", &name, "--output", path], "");
    // its own request of cpu keeps the QoS class
    let flags = ["--memory", &*all, "--request-memory", &*all, "--timeout", "30s"];
    let neighbour = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "neighbour"},
        "spec": {"nodeName": name, "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 1, "containers": [{
            "name": "app", "image": node.pod()["spec"]["containers"][0]["image"], "imagePullPolicy": "IfNotPresent",
            "command": ["sh", "-c", IDLE], "resources": {"requests": {"memory": "64Mi"}}}]},
    });
    node.kubectl(&["create", "--filename", "-"], &neighbour.to_string());
    let report = node.resize(&flags, 1);
    let pod = &report["pods"][0];
    assert_eq!(
        (state(&report), &pod["putBack"]["done"]),
        (&json!("deferred"), &json!(true)),
        "{report}"
    );
    let neighbours = pod["room"]["neighbours"].to_string();
    assert!(neighbours.contains("/neighbour 64Mi"), "{report}");
    node.assert_status("32Mi", 0);
}

fn below_usage() {
    let node = Node::start("usage", HOLDER, "NotRequired", &resources("16Mi", "128Mi"));
    eventually("the pod holds its memory", || {
        let held = node.kubectl(&["exec", "app", "--", "ls", "-l", "/dev/shm/held"], "");
        held.contains("62914560").then_some(())
    });
    let report = node.resize(&["--memory", "app=32Mi", "--timeout", "2m"], 1);
    let put_back = &report["pods"][0]["putBack"]["done"];
    assert_eq!((state(&report), put_back), (&json!("below-usage"), &json!(true)), "{report}");
    node.assert_status("128Mi", 0);
}

fn killed_at_start() {
    // ready once it has what it needs, however long a slow node takes for it
    let held = json!({"exec": {"command": ["test", "-f", "/tmp/held"]}, "periodSeconds": 5, "timeoutSeconds": 30});
    let resources = resources("16Mi", "256Mi");
    let node = Node::start_probed("killed", HUNGRY, "RestartContainer", &resources, &held);
    let report = node.resize(&["--memory", "app=32Mi", "--timeout", "6m"], 1);
    // a runtime that is slow hears of the container's end before it hears of the OOM killer
    assert!(["out-of-memory", "crashed"].iter().any(|one| state(&report) == one), "{report}");
    assert_eq!(report["pods"][0]["putBack"]["done"], true, "{report}");
    eventually("the container runs again with what it had", || {
        let status = &node.pod()["status"]["containerStatuses"][0];
        let is_back = status["resources"]["limits"]["memory"] == "256Mi" && status["ready"] == true;
        is_back.then_some(())
    });
}

fn denied() {
    let node = Node::start("denied", IDLE, "NotRequired", &resources("16Mi", "64Mi"));
    let _guard = Guard::of(&node);
    let less = ["--memory", "app=48Mi"];
    let report = eventually("decreases are denied", || {
        let line = [&["resize", "pod/app", "--dry-run"][..], &less].concat();
        node.try_restraint(&line, 3)?;
        Some(node.resize(&less, 3))
    });
    let answer = &report["plan"]["pods"][0]["answer"];
    assert_eq!(answer["verdict"], "denied", "{report}");
    assert_eq!(report["notTouched"], json!(["app"]));
    node.assert_status("64Mi", 0);
    // growth is nobody's to approve, and its way back is a decrease
    let flags = ["--memory", "app=80Mi", "--settle", "2s", "--revert-after", "0s"];
    let report = node.resize(&flags, 1);
    let (way_back, reverted) = (&report["plan"]["pods"][0]["wayBack"], &report["reverted"][0]);
    assert_eq!(
        (state(&report), &way_back["isOpen"], &reverted["done"]),
        (&json!("done"), &json!(false), &json!(false)),
        "{report}"
    );
    node.assert_status("80Mi", 0);
}
