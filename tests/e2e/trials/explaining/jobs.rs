//! Changes of Jobs and CronJobs.

use serde_json::{Value, json};

use super::case::{Case, set};
use super::objects::{IMAGE, restart_on_resize};

pub(super) const ACCEPTED: &[Case] = &[
    Case("the image of a CronJob", cron_job, |job| {
        set(job, "/spec/jobTemplate/spec/template/spec/containers/0/image", json!("b"))
    }),
    Case("the schedule of a CronJob", cron_job, |job| {
        set(job, "/spec/schedule", json!("1 * * * *"))
    }),
    Case("the resources of a suspended Job", suspended_job, |job| {
        set(job, RESOURCES, json!({"requests": {"cpu": "1"}}))
    }),
    Case("the node selector of a suspended Job", suspended_job, |job| {
        set(job, "/spec/template/spec/nodeSelector", json!({"a": "b"}))
    }),
    Case("a Job that is suspended", job, |job| set(job, "/spec/suspend", json!(true))),
    Case("the parallelism of a Job", job, |job| set(job, "/spec/parallelism", json!(2))),
    Case("the backoff limit of a Job", job, |job| set(job, "/spec/backoffLimit", json!(2))),
    Case("the deadline of a Job", job, |job| set(job, "/spec/activeDeadlineSeconds", json!(60))),
    Case("the pod replacement policy of a Job", job, |job| {
        set(job, "/spec/podReplacementPolicy", json!("Failed"))
    }),
];

pub(super) const REFUSED: &[Case] = &[
    Case("the image of a Job", job, |job| set(job, IMAGE, json!("b:2"))),
    Case("the image of a suspended Job", suspended_job, |job| set(job, IMAGE, json!("b:2"))),
    Case("the resources of a Job", job, |job| {
        set(job, RESOURCES, json!({"requests": {"cpu": "1"}}))
    }),
    Case("the completions of a Job", job, |job| set(job, "/spec/completions", json!(2))),
    Case("the completion mode of a Job", job, |job| {
        set(job, "/spec/completionMode", json!("Indexed"))
    }),
    Case("RestartContainer in a CronJob that never restarts", cron_job, |job| {
        restart_on_resize(&mut job["spec"]["jobTemplate"]["spec"]["template"])
    }),
];

const RESOURCES: &str = "/spec/template/spec/containers/0/resources";

fn job() -> Value {
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [{"name": "app", "image": "a:1"}]}});
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}, "spec": {"suspend": false, "template": template}})
}

fn suspended_job() -> Value {
    let mut job = job();
    job["spec"]["suspend"] = json!(true);
    job
}

fn cron_job() -> Value {
    let template = job()["spec"]["template"].take();
    let spec = json!({"schedule": "0 0 * * *", "jobTemplate": {"spec": {"template": template}}});
    json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "a"}, "spec": spec})
}
