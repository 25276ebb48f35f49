//! What is asked of the API server all the time, and which answer is right.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use hyper::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::api::{Api, Cluster, NAMESPACE};
use super::tally::{Answer, Tally};

/// Pods that are resized, each by a task of its own.
const TASKS: usize = 4;

/// Between two requests of a task.
const PACE: Duration = Duration::from_millis(50);

/// How long an installation may take until it judges, on a slow node that has just started.
const PATIENCE: Duration = Duration::from_secs(600);

/// Requests that go on until they are ended.
#[derive(Debug)]
pub(super) struct Requests {
    shared: Arc<Shared>,
    tasks: JoinSet<anyhow::Result<()>>,
    namespace: String,
    probe: tokio::sync::Mutex<Task>,
}

#[derive(Debug, Default)]
struct Shared {
    tally: Mutex<Tally>,
    stop: AtomicBool,
    /// Whether a new pod that is not amended is right, because the policy for that is changed.
    unfixed: AtomicBool,
}

impl Shared {
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Requests {
    /// Makes the namespace and its pods, waits until the installation judges, and begins.
    pub(super) async fn begin(cluster: &Cluster) -> anyhow::Result<Self> {
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
        let apply = ["apply", "--filename", "-"];
        cluster.feed(&apply, &namespace.to_string()).await?;
        let shared = Arc::<Shared>::default();
        let mut tasks = Vec::new();
        for number in 0..=TASKS {
            let mut task = Task { api: cluster.api(), pod: format!("steady-{number}") };
            task.create().await?;
            tasks.push(task);
        }
        let mut probe = tasks.pop().context("there is no task")?;
        probe.until_right().await?;
        let mut running = JoinSet::new();
        for task in tasks {
            running.spawn(task.run(Arc::clone(&shared)));
        }
        Ok(Self {
            shared,
            tasks: running,
            namespace: cluster.installation.clone(),
            probe: tokio::sync::Mutex::new(probe),
        })
    }

    /// What was answered since the last time.
    pub(super) fn take(&self) -> Tally {
        std::mem::take(&mut *self.shared.tally())
    }

    /// Waits until the installation judges.
    pub(super) async fn until_right(&self) -> anyhow::Result<()> {
        self.probe.lock().await.until_right().await
    }

    /// Whether a new pod that is not amended is right as well.
    pub(super) fn may_be_unfixed(&self, may: bool) {
        self.shared.unfixed.store(may, Relaxed);
    }

    /// Waits until new pods are amended, or are not.
    pub(super) async fn until_fixed(&self, fixed: bool) -> anyhow::Result<()> {
        let (mut probe, begun) = (self.probe.lock().await, Instant::now());
        // as often as would reach each of some replicas
        let mut in_a_row = 0;
        while in_a_row < 20 {
            let is_fixed = probe.creation().await? == Answer::Right;
            in_a_row = if is_fixed == fixed { in_a_row + 1 } else { 0 };
            if begun.elapsed() > PATIENCE {
                bail!("a change of the policies in {} does not come into force", self.namespace);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Ends them, and removes the pods with their namespace.
    pub(super) async fn end(mut self, cluster: &Cluster) -> anyhow::Result<()> {
        self.shared.stop.store(true, Relaxed);
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        cluster.kubectl(&["delete", "namespace", NAMESPACE, "--wait=false"]).await?;
        Ok(())
    }
}

/// Whoever resizes one pod.
#[derive(Debug)]
struct Task {
    api: Api,
    pod: String,
}

/// What is asked, in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Creation,
    Growth,
    Decrease,
    Grant,
    ApprovedDecrease,
    GrowthBack,
}

impl Request {
    const ALL: [Self; 6] = [
        Self::Creation,
        Self::Growth,
        Self::Decrease,
        Self::Grant,
        Self::ApprovedDecrease,
        Self::GrowthBack,
    ];
}

impl Task {
    /// The pod, which no scheduler takes: it needs no node.
    async fn create(&mut self) -> anyhow::Result<()> {
        self.api.call(Method::DELETE, &format!("pods/{}", self.pod), &json!({})).await?;
        let pod = pod(&json!({"name": self.pod}));
        let begun = Instant::now();
        loop {
            let (status, answer) = self.api.call(Method::POST, "pods", &pod).await?;
            if status.is_success() {
                return Ok(());
            }
            ensure!(begun.elapsed() < PATIENCE, "cannot create {}: {answer}", self.pod);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }

    async fn run(mut self, shared: Arc<Shared>) -> anyhow::Result<()> {
        let mut approved = false;
        while !shared.stop.load(Relaxed) {
            for request in Request::ALL {
                // without a grant the decrease would be refused rightly
                if request == Request::ApprovedDecrease && !approved {
                    continue;
                }
                let begun = Instant::now();
                let answer = self.ask(request).await?;
                let took = begun.elapsed();
                approved = approved && request != Request::ApprovedDecrease
                    || request == Request::Grant && answer == Answer::Right;
                let unfixed = request == Request::Creation && shared.unfixed.load(Relaxed);
                shared.tally().take(if unfixed { Answer::Right } else { answer }, took);
                tokio::time::sleep(PACE).await;
            }
        }
        Ok(())
    }

    /// Waits until each request of a turn has its right answer.
    async fn until_right(&mut self) -> anyhow::Result<()> {
        let begun = Instant::now();
        while let Some(found) = self.not_right().await? {
            ensure!(
                begun.elapsed() < PATIENCE,
                "the installation does not judge as the chart does with `cap: enforce`: {found:?}"
            );
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    /// The first request of a turn that does not have its right answer.
    async fn not_right(&mut self) -> anyhow::Result<Option<Answer>> {
        for request in Request::ALL {
            let answer = self.ask(request).await?;
            if answer != Answer::Right {
                return Ok(Some(answer));
            }
        }
        Ok(None)
    }

    async fn ask(&mut self, request: Request) -> anyhow::Result<Answer> {
        match request {
            Request::Creation => self.creation().await,
            Request::Growth => self.resize("600Mi", true).await.map(passes),
            Request::Decrease => self.resize("300Mi", true).await.map(denied),
            Request::Grant => {
                let grant =
                    json!({"metadata": {"annotations": {"restraint.dev/approve": "app=400Mi"}}});
                self.call(Method::PATCH, &format!("pods/{}", self.pod), &grant).await.map(passes)
            }
            Request::ApprovedDecrease => self.resize("400Mi", false).await.map(passes),
            Request::GrowthBack => self.resize("512Mi", false).await.map(passes),
        }
    }

    async fn creation(&mut self) -> anyhow::Result<Answer> {
        let pod = pod(&json!({"generateName": "fresh-"}));
        self.call(Method::POST, "pods?dryRun=All", &pod).await.map(amended)
    }

    async fn resize(&mut self, memory: &str, dry_run: bool) -> anyhow::Result<Response> {
        let path = format!("pods/{}/resize{}", self.pod, if dry_run { "?dryRun=All" } else { "" });
        let resources = json!({"limits": {"memory": memory}});
        let patch = json!({"spec": {"containers": [{"name": "app", "resources": resources}]}});
        self.call(Method::PATCH, &path, &patch).await
    }

    async fn call(&mut self, method: Method, path: &str, body: &Value) -> anyhow::Result<Response> {
        let (status, answer) =
            self.api.call(method, path, body).await.context("the API server does not answer")?;
        Ok(Response { status, answer })
    }
}

/// The API server's answer.
struct Response {
    status: StatusCode,
    answer: Value,
}

impl Response {
    fn said(&self) -> String {
        let message = self.answer.get("message").and_then(Value::as_str).unwrap_or_default();
        format!("{}: {message}", self.status)
    }
}

fn passes(response: Response) -> Answer {
    if response.status.is_success() {
        Answer::Right
    } else {
        Answer::WronglyRefused(response.said())
    }
}

fn denied(response: Response) -> Answer {
    let said = response.said();
    if response.status.is_success() {
        Answer::WronglyAdmitted(said)
    } else if said.contains("denied the request") {
        Answer::Right
    } else {
        Answer::NotJudged(said)
    }
}

fn amended(response: Response) -> Answer {
    if !response.status.is_success() {
        return Answer::WronglyRefused(response.said());
    }
    let policies = response.answer.pointer("/spec/containers/0/resizePolicy");
    let restarts = |policies: &Vec<Value>| {
        policies.contains(&json!({"resourceName": "memory", "restartPolicy": "RestartContainer"}))
    };
    if policies.and_then(Value::as_array).is_some_and(restarts) {
        Answer::Right
    } else {
        Answer::NotJudged("a new pod is not amended".to_owned())
    }
}

fn pod(metadata: &Value) -> Value {
    let resources = json!({"requests": {"memory": "128Mi"}, "limits": {"memory": "512Mi"}});
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {
            "schedulerName": "nobody",
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "app", "image": "app:1", "resources": resources}],
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, answer: Value) -> Response {
        Response { status: StatusCode::from_u16(status).unwrap(), answer }
    }

    #[test]
    fn a_decrease_that_nobody_judged_is_told_from_one_that_was_denied() {
        let said = |message: &str| json!({"message": message});
        let hook = "admission webhook \"resize.restraint.dev\" denied the request: no";
        assert_eq!(denied(response(403, said(hook))), Answer::Right);
        let away = denied(response(500, said("failed calling webhook")));
        assert_eq!(
            away,
            Answer::NotJudged("500 Internal Server Error: failed calling webhook".to_owned())
        );
        assert!(matches!(denied(response(200, json!({}))), Answer::WronglyAdmitted(_)));
    }

    #[test]
    fn a_pod_without_a_fix_was_not_judged() {
        let pod = |policies: Value| json!({"spec": {"containers": [{"resizePolicy": policies}]}});
        let fixed = json!([{"resourceName": "memory", "restartPolicy": "RestartContainer"}]);
        assert_eq!(amended(response(201, pod(fixed))), Answer::Right);
        let defaulted = json!([{"resourceName": "memory", "restartPolicy": "NotRequired"}]);
        assert!(matches!(amended(response(201, pod(defaulted))), Answer::NotJudged(_)));
        assert!(matches!(amended(response(500, json!({}))), Answer::WronglyRefused(_)));
    }
}
