//! Lists that break off, grow too old, are too large, or come from machines with other clocks.

use axum::body::{Body, Bytes};
use axum::http::Response;
use futures_util::stream;
use serde_json::{Value, json};

use super::world::{Asked, World, forbidden, named, refused};

const PODS: &str = "/api/v1/pods";

/// Five pods, in order of their names.
fn five() -> World {
    World::new().with(PODS, ["a", "b", "c", "d", "e"].map(|name| named("shop", name)))
}

fn of_pods(asked: &Asked) -> bool {
    asked.path.starts_with(PODS)
}

fn missing(report: &Value) -> Vec<(String, String)> {
    let text = |one: &Value, field: &str| one[field].as_str().unwrap().to_owned();
    let all = report["missing"].as_array().unwrap();
    all.iter().map(|one| (text(one, "what"), text(one, "why"))).collect()
}

fn after_two(why: &str) -> Vec<(String, String)> {
    vec![("pods after the first 2, about 3 more".to_owned(), why.to_owned())]
}

fn too_old(token: &str) -> Response<Body> {
    refused(410, "Expired", "too old", json!({"continue": token}))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_grew_too_old_begins_anew_once_and_counts_nothing_twice() {
    let once = |asked: &Asked| {
        (of_pods(asked) && asked.from == 2 && asked.before == 0).then(|| too_old(""))
    };
    let (report, asked) = five().faulty(once).audit().await;
    assert_eq!((&report["totals"]["pods"], missing(&report)), (&json!(5), vec![]));
    assert_eq!(report["totals"]["objects"]["Pod"], 5);
    let lists = asked.iter().filter(|path| path.starts_with(PODS)).count();
    assert_eq!(lists, 5, "two, and three from the beginning: {asked:?}");

    let always = |asked: &Asked| (of_pods(asked) && asked.from == 2).then(|| too_old(""));
    let (report, _) = five().faulty(always).audit().await;
    assert_eq!((&report["totals"]["pods"], missing(&report)), (&json!(2), after_two("too old")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_grew_too_old_goes_on_where_the_api_server_says() {
    let once = |asked: &Asked| {
        (of_pods(asked) && asked.from == 2 && asked.before == 0).then(|| too_old("2"))
    };
    let (report, asked) = five().faulty(once).audit().await;
    assert_eq!((&report["totals"]["pods"], missing(&report)), (&json!(5), vec![]));
    assert_eq!(asked.iter().filter(|path| path.starts_with(PODS)).count(), 4, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_that_end_in_the_middle_leave_what_was_read() {
    let ended = |asked: &Asked| (of_pods(asked) && asked.from == 2).then(forbidden);
    let (report, _) = five().faulty(ended).audit().await;
    assert_eq!(
        (&report["totals"]["pods"], missing(&report)),
        (&json!(2), after_two("not for you"))
    );
}

/// An answer that ends in the middle.
fn cut() -> Response<Body> {
    let pieces = [Ok(Bytes::from_static(b"{\"metadata\": {")), Err(std::io::Error::other("cut"))];
    Response::new(Body::from_stream(stream::iter(pieces)))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_breaks_off_is_asked_for_once_more() {
    let once = |asked: &Asked| (of_pods(asked) && asked.from == 2 && asked.before == 0).then(cut);
    let (report, _) = five().faulty(once).audit().await;
    assert_eq!((&report["totals"]["pods"], missing(&report)), (&json!(5), vec![]));

    let always = |asked: &Asked| (of_pods(asked) && asked.from == 2).then(cut);
    let (report, asked) = five().faulty(always).audit().await;
    assert_eq!(report["totals"]["pods"], 2);
    let [(what, why)] = &*missing(&report) else { panic!("{report:#}") };
    assert_eq!(what, "pods after the first 2, about 3 more");
    let said = ["the answer broke off: ", "connection closed before message completed"];
    assert!(said.iter().any(|said| why.contains(said)), "{why}");
    assert_eq!(asked.iter().filter(|path| path.starts_with(PODS)).count(), 3, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_is_too_large_is_left_out_and_counted() {
    let large = Bytes::from(vec![b' '; 17 * 1024 * 1024]);
    let fault = move |asked: &Asked| {
        let has_it = of_pods(asked) && asked.from == 2 && !asked.metadata_alone;
        has_it.then(|| Response::new(Body::from(large.clone())))
    };
    let (report, asked) = five().faulty(fault).audit().await;
    assert_eq!(report["totals"]["pods"], 4, "{asked:?}");
    let expected = ("1 pod too large to be read".to_owned(), "the first is \"shop/c\"".to_owned());
    assert_eq!(missing(&report), [expected]);
    assert!(asked.iter().any(|path| path.contains("limit=1&")), "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn clocks_that_differ_give_no_ages_below_zero() {
    let resized = |name: &str, reason: &str, since: &str| {
        let mut pod = named("shop", name);
        let pending = reason != "InProgress";
        let kind = if pending { "PodResizePending" } else { "PodResizeInProgress" };
        let reason = if pending { reason } else { "" };
        pod["status"] = json!({"conditions": [{"type": kind, "status": "True", "reason": reason,
            "lastTransitionTime": since}]});
        pod
    };
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(60);
    let pods = [
        resized("a", "Deferred", &soon.to_string()),
        resized("b", "Deferred", "2999-01-01T00:00:00Z"),
        resized("c", "InProgress", "2999-01-01T00:00:00Z"),
        resized("d", "InProgress", &soon.to_string()),
    ];
    let (report, _) = World::new().with(PODS, pods).audit().await;
    let resizes = report["resizes"].as_array().unwrap();
    let ages: Vec<_> = resizes.iter().map(|one| (&one["pod"], &one["ageSeconds"])).collect();
    let [a, b, c] = ["a", "b", "c"].map(|name| json!(name));
    assert_eq!(ages, [(&a, &json!(0)), (&b, &Value::Null), (&c, &Value::Null)]);
    let [(what, why)] = &*missing(&report) else { panic!("{report:#}") };
    assert_eq!(what, "ages of 2 resizes");
    assert!(why.ends_with(" s ahead of this machine's clock"), "{why}");
}
