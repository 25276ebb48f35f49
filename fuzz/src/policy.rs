//! Policy files: refused with every flaw told, or in force.

use restraint::judge::policies::Policies;
use restraint::judge::{amend, judge};
use restraint::review::decode;

const REVIEW: &[u8] = br#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","operation":"CREATE","namespace":"shop","resource":{"group":"","version":"v1","resource":"pods"},"userInfo":{"username":"alice","groups":["dev"]},"object":{"metadata":{"name":"a","labels":{"app":"a"}},"spec":{"containers":[{"name":"app","args":["-Xmx2g"],"resources":{"limits":{"memory":"1Gi"}}}]}}}}"#;

pub(crate) fn run(text: &str) {
    match Policies::read([("fuzz.yaml", text)]) {
        Err(errors) => assert!(!errors.to_string().is_empty()),
        Ok(policies) => {
            let review = decode(REVIEW).expect("a review");
            judge(&policies, &review.subject);
            amend(&policies, &review.subject);
        }
    }
}
