//! Annotations that somebody meant to roll a workload, where nobody reads them.

use crate::judge::view::PodView;
use crate::rules::reloader_annotations::is_reloader_key;

use super::checksum::annotated;
use super::wave::WAVE;

/// An annotation that nobody reads.
#[derive(Debug)]
pub(super) struct Misplaced<'s> {
    key: &'s str,
    /// The JSON pointer of the mapping it stands in.
    place: String,
    /// Whether the workload's own metadata is its place; else it is the template's.
    of_workload: bool,
}

/// The first annotation of the workload of `pod` that would roll it elsewhere.
pub(super) fn misplaced<'s>(pod: &PodView<'s>) -> Option<Misplaced<'s>> {
    if !pod.is_template() {
        return None;
    }
    let base = pod.annotations_pointer();
    let template = base.trim_end_matches("/metadata/annotations");
    let attempt = |key, place: &str, of_workload| {
        Some(Misplaced { key, place: place.to_owned(), of_workload })
    };
    if let Some(key) = annotated(&pod.object.annotations) {
        return attempt(key, "/metadata/annotations", false);
    }
    let beside = pod.workload.template.as_ref().map(|template| &template.annotations);
    let place = format!("{template}/annotations");
    if let Some(key) = beside.and_then(annotated) {
        return attempt(key, &place, false);
    }
    let for_workload = |key: &&str| is_reloader_key(key) || *key == WAVE;
    let in_beside = beside.and_then(|all| all.iter().map(|(key, _)| key).find(for_workload));
    if let Some(key) = in_beside {
        return attempt(key, &place, true);
    }
    if let Some((key, _)) = pod.metadata.annotations.iter().find(|(key, _)| *key == WAVE) {
        return attempt(key, &base, true);
    }
    let labels = [
        (&pod.object.labels, "/metadata/labels".to_owned()),
        (&pod.metadata.labels, format!("{template}/metadata/labels")),
    ];
    labels.into_iter().find_map(|(labels, place)| {
        let key = labels.iter().map(|(key, _)| key).find(for_workload)?;
        Some(Misplaced { key, place, of_workload: true })
    })
}

impl Misplaced<'_> {
    /// What to do with it.
    pub(super) fn advice(&self, pod: &PodView<'_>) -> String {
        let path = |pointer: &str| pointer.trim_start_matches('/').replace('/', ".");
        let right = if self.of_workload {
            "metadata.annotations".to_owned()
        } else {
            path(&pod.annotations_pointer())
        };
        format!("move {:?} from {} to {right}: nobody reads it there", self.key, path(&self.place))
    }
}
