//! The part of a subject that a rule looks at.

mod approval;
mod autoscaler;
mod configuration;
mod hints;
mod memory_change;
mod memory_volume;
mod pod;
mod resize;
mod scripts;

pub(crate) use approval::ApprovalChange;
pub(crate) use autoscaler::AutoscalerView;
pub(crate) use configuration::{ConfigurationView, KeyChange};
pub(crate) use memory_change::MemoryChange;
pub(crate) use memory_volume::MemoryVolume;
pub(crate) use pod::PodView;
pub(crate) use resize::ResizeView;
pub(crate) use scripts::Field;

use crate::approval::Requested;

use super::context::PolicyContext;
use super::subject::{Operation, Resource, Subject};

/// What a subject is to the rules.
#[derive(Debug)]
pub(crate) enum View<'s> {
    /// A pod's spec, wherever its kind keeps it, and the stored one on UPDATE.
    Pod {
        /// As it would be stored.
        new: PodView<'s>,
        /// As it is stored.
        old: Option<PodView<'s>>,
        /// What changes of its approvals.
        approval: Option<ApprovalChange<'s>>,
    },
    /// Annotations of a pod that come through a subresource.
    Approval(ApprovalChange<'s>),
    /// A change of a pod's resources in place.
    Resize(ResizeView<'s>),
    /// A Vertical Pod Autoscaler, and the stored one on UPDATE.
    Autoscaler {
        /// As it would be stored.
        new: AutoscalerView<'s>,
        /// As it is stored.
        old: Option<AutoscalerView<'s>>,
    },
    /// A ConfigMap or Secret.
    Configuration(ConfigurationView<'s>),
}

/// What a resize asks an approver for, `force` included where `forced`; `None` where it is no resize,
/// and where no grant can say it.
pub(crate) fn requested(subject: &Subject<'_>, forced: bool) -> Option<Requested> {
    let context = PolicyContext::default();
    match View::of(subject, &context)? {
        View::Resize(resize) => resize.requested(forced),
        _ => None,
    }
}

impl<'s> View<'s> {
    /// Whether it shows a pod of Windows.
    pub(super) fn is_of_windows(&self) -> bool {
        matches!(self, Self::Pod { new, .. } if new.spec.is_of_windows())
    }

    /// The view of `subject`; `None` where no rule has anything to look at.
    pub(crate) fn of(subject: &'s Subject<'_>, context: &'s PolicyContext) -> Option<Self> {
        if let Some(kind) = subject.resource.configuration() {
            return ConfigurationView::new(subject, kind).map(Self::Configuration);
        }
        match (subject.resource, subject.operation) {
            (Resource::PodResize, Operation::Update) => {
                Some(Self::Resize(ResizeView::new(subject, subject.old_object.as_ref()?, context)))
            }
            (Resource::PodStatus | Resource::PodBinding | Resource::Binding, _) => {
                ApprovalChange::of(subject, context).map(Self::Approval)
            }
            (Resource::VerticalPodAutoscaler, Operation::Create | Operation::Update) => {
                Some(Self::Autoscaler {
                    new: AutoscalerView::new(&subject.object),
                    old: subject.old_object.as_ref().map(AutoscalerView::new),
                })
            }
            (_, Operation::Create | Operation::Update) => {
                let view = |object| PodView::new(subject, object, context);
                let approval = ApprovalChange::of(subject, context);
                Some(Self::Pod {
                    new: view(&subject.object)?,
                    old: subject.old_object.as_ref().and_then(view),
                    approval,
                })
            }
            _ => None,
        }
    }
}
