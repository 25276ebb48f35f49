//! An approval that comes with a new pod or sits in a template.
//!
//! **Why it matters.** An approval is one person's agreement to one running pod's decrease. One
//! that is born with the pod would approve every decrease of every pod made from the template, and
//! whoever may write the template would approve their own.
//!
//! **What it looks at.** The annotations of pods that are being created and of pod templates: the
//! annotation by which policies let one approve, `restraint.dev/approve`, and
//! `restraint.dev/approval`, the service's own record.
//!
//! **What it allows.** Nothing of the kind. On a pod that exists such an annotation is another
//! matter: a grant.
//!
//! **How to fix it.** Remove it from the template. In mode `fix` it is taken off pods as they
//! are created, and templates are warned about.

use crate::judge::finding::{Finding, Findings};
use crate::judge::message::Names;
use crate::judge::mode::Mode;
use crate::judge::patch::{Edit, PatchOperation};
use crate::judge::rule::{Check, Rule};
use crate::judge::view::PodView;

pub(crate) const RULE: Rule = Rule::new::<ApprovalInTemplate>(
    "approval-in-template",
    include_str!("../../../policies/approval-in-template.yaml"),
)
.not_ignorable()
.with_fix(Mode::Warn);

#[derive(Debug, Default)]
struct ApprovalInTemplate;

impl Check for ApprovalInTemplate {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        if !pod.is_template() && !pod.is_new_pod() {
            return;
        }
        for key in &pod.context.approval_annotations {
            if pod.metadata.annotations.value(key).is_some() {
                findings.report(premature(pod, key));
            }
        }
    }
}

fn premature(pod: &PodView<'_>, key: &str) -> Finding {
    let place = if pod.is_template() { "sits in a template" } else { "comes with a new pod" };
    let message =
        |names: Names| format!("annotation {} {place}: it approves nothing", names.quoted(key));
    let pointer = pod.annotation_pointer(key);
    Finding::new(
        RULE.name,
        pointer.clone(),
        message,
        "remove it, and approve the running pod when it is to be resized",
    )
    .with_edit(Edit(vec![PatchOperation::Remove { path: pointer }]))
}
