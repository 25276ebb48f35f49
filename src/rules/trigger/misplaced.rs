//! Annotations that somebody meant to roll a workload, where nobody reads them.

use crate::judge::view::PodView;
use crate::rules::reloader_annotations::is_reloader_key;

use super::checksum::annotated;
use super::wave::WAVE;

/// An annotation that nobody reads.
#[derive(Debug)]
pub(super) struct Misplaced<'s> {
    key: &'s str,
    place: Place,
    /// Whether the workload's own metadata is its place; else it is the template's.
    of_workload: bool,
}

/// The mapping that an annotation stands in.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Of the workload, by its JSON pointer.
    Workload(&'static str),
    /// Of the template, by its JSON pointer in it.
    Template(&'static str),
}

/// The first annotation of the workload of `pod` that would roll it elsewhere.
pub(super) fn misplaced<'s>(pod: &PodView<'s>) -> Option<Misplaced<'s>> {
    if !pod.is_template() {
        return None;
    }
    let beside = pod.workload.template.as_ref().map(|template| &template.annotations);
    let nowhere = [
        (beside, Place::Template("/annotations")),
        (pod.spec.annotations.as_deref(), Place::Template("/spec/annotations")),
        (pod.workload.annotations.as_deref(), Place::Workload("/spec/annotations")),
    ];
    let own = (Some(&pod.object.annotations), Place::Workload("/metadata/annotations"));
    let checksum = [own].into_iter().chain(nowhere).find_map(|(annotations, place)| {
        Some(Misplaced { key: annotated(annotations?)?, place, of_workload: false })
    });
    let of_workload = |key: &&str| is_reloader_key(key) || *key == WAVE;
    let for_workload = || {
        nowhere.into_iter().find_map(|(annotations, place)| {
            Some((annotations?.iter().map(|(key, _)| key).find(of_workload)?, place))
        })
    };
    let on_template = || {
        let (key, _) = pod.metadata.annotations.iter().find(|(key, _)| *key == WAVE)?;
        Some((key, Place::Template("/metadata/annotations")))
    };
    let label = || {
        let labels = [
            (&pod.object.labels, Place::Workload("/metadata/labels")),
            (&pod.metadata.labels, Place::Template("/metadata/labels")),
        ];
        labels.into_iter().find_map(|(labels, place)| {
            Some((labels.iter().map(|(key, _)| key).find(of_workload)?, place))
        })
    };
    checksum.or_else(|| {
        let (key, place) = for_workload().or_else(on_template).or_else(label)?;
        Some(Misplaced { key, place, of_workload: true })
    })
}

impl Misplaced<'_> {
    /// What to do with it.
    pub(super) fn advice(&self, pod: &PodView<'_>) -> String {
        let base = pod.annotations_pointer();
        let template = base.trim_end_matches("/metadata/annotations");
        let path = |pointer: &str| pointer.trim_start_matches('/').replace('/', ".");
        let place = match self.place {
            Place::Workload(pointer) => path(pointer),
            Place::Template(pointer) => path(&[template, pointer].concat()),
        };
        let right = if self.of_workload { "metadata.annotations".to_owned() } else { path(&base) };
        format!("move {:?} from {place} to {right}: nobody reads it there", self.key)
    }
}
