//! `restraint resize` against an API server that counts, refuses and is written to by others. What a
//! real one answers is tried end to end.

mod world;

use serde_json::json;

use world::{World, pod, will_not_grow};

const RESIZE: [&str; 5] = ["resize", "ds/agent", "--memory", "96Mi", "--yes"];

fn count(asked: &[String], part: &str) -> usize {
    asked.iter().filter(|one| one.contains(part)).count()
}

#[tokio::test]
async fn each_node_is_looked_at_once() {
    let on_two = (0..10).map(|number| pod(&format!("agent-{number}"), ["n1", "n2"][number % 2]));
    let (code, report, asked) =
        World::new(on_two).run(&[&RESIZE[..], &["--dry-run"]].concat()).await;
    assert_eq!((code, &report["result"]), (0, &json!("planned")), "{report}");
    let pods = report["plan"]["pods"].as_array().unwrap();
    assert_eq!(pods.len(), 10);
    assert!(pods.iter().all(|pod| pod["room"]["fits"] == true), "{report}");
    assert_eq!(count(&asked, "GET /api/v1/nodes/"), 2, "{asked:#?}");
    assert_eq!(count(&asked, "GET /api/v1/pods?"), 2, "{asked:#?}");
    assert_eq!(count(&asked, "dryRun=All"), 10, "{asked:#?}");
}

#[tokio::test]
async fn what_is_put_back_is_asked_for_again_where_somebody_else_writes_at_the_same_time() {
    // stored, and then on the way back: a conflict, and a webhook that is away
    let world = World::new([pod("agent-0", "n1")]).kubelet(will_not_grow).refusals([
        None,
        Some(409),
        Some(500),
    ]);
    let (code, report, asked) = world.run(&RESIZE).await;
    let result = &report["pods"][0];
    assert_eq!((code, &result["outcome"]["state"]), (1, &json!("infeasible")), "{report}");
    assert_eq!(result["putBack"]["done"], true, "{report}");
    let patches = count(&asked, "PATCH") - count(&asked, "dryRun=All");
    assert_eq!(patches, 4, "{asked:#?}");
}

#[tokio::test]
async fn what_is_refused_on_the_way_back_is_asked_for_once() {
    let world =
        World::new([pod("agent-0", "n1")]).kubelet(will_not_grow).refusals([None, Some(403)]);
    let (code, report, asked) = world.run(&RESIZE).await;
    let put_back = &report["pods"][0]["putBack"];
    assert_eq!((code, &put_back["done"], &put_back["why"]), (1, &json!(false), &json!("not now")));
    assert_eq!(count(&asked, "PATCH") - count(&asked, "dryRun=All"), 2, "{asked:#?}");
}

#[tokio::test]
async fn what_somebody_else_changed_meanwhile_is_not_put_back() {
    let world = World::new([pod("agent-0", "n1")]).meddler(2, "1Gi");
    let flags = ["--settle", "0s", "--revert-after", "0s"];
    let (code, report, asked) = world.run(&[&RESIZE[..], &flags].concat()).await;
    let reverted = &report["reverted"][0];
    assert_eq!((code, &reverted["done"]), (1, &json!(false)), "{report}");
    let why = "left as it is: somebody changed it meanwhile: app memory limit 96Mi -> 1Gi";
    assert_eq!(reverted["why"], why);
    assert_eq!(count(&asked, "PATCH") - count(&asked, "dryRun=All"), 1, "{asked:#?}");
}

#[tokio::test]
async fn all_that_was_resized_for_a_while_is_put_back_in_reverse() {
    let world = World::new([pod("agent-0", "n1"), pod("agent-1", "n1")]);
    let flags = ["--settle", "0s", "--revert-after", "0s"];
    let (code, report, asked) = world.run(&[&RESIZE[..], &flags].concat()).await;
    assert_eq!((code, &report["result"]), (0, &json!("done")), "{report}");
    // there and back, one watch on the pod and one on its events, and no look between
    assert!(count(&asked, "watch=true") <= 8, "{asked:#?}");
    assert!(count(&asked, "GET /api/v1/namespaces/shop/pods/agent-0") <= 1, "{asked:#?}");
    let reverted: Vec<_> = report["reverted"].as_array().unwrap().iter().collect();
    let pods: Vec<_> = reverted.iter().map(|one| (&one["pod"], &one["done"])).collect();
    assert_eq!(pods, [(&json!("agent-1"), &json!(true)), (&json!("agent-0"), &json!(true))]);
}

#[tokio::test]
async fn what_is_left_as_it_is_keeps_nobody_from_their_turn() {
    let world = World::new([pod("agent-0", "n1"), pod("agent-1", "n1")]).kubelet(will_not_grow);
    let (code, report, asked) =
        world.run(&[&RESIZE[..], &["--on-failure", "leave"]].concat()).await;
    assert_eq!((code, &report["result"], &report["notTouched"]), (1, &json!("failed"), &json!([])));
    let pods = report["pods"].as_array().unwrap();
    let ends: Vec<_> = pods.iter().map(|pod| (&pod["outcome"]["state"], &pod["putBack"])).collect();
    assert_eq!(ends, [(&json!("infeasible"), &json!(null)); 2], "{report}");
    assert_eq!(count(&asked, "PATCH") - count(&asked, "dryRun=All"), 2, "{asked:#?}");
}
