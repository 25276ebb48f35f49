//! The files of a container whose text is known, because a known ConfigMap carries it.

use crate::json::text::Text;
use crate::judge::view::PodView;
use crate::kube::container::Container;
use crate::kube::volume::{Volume, VolumeSource};
use crate::shell;

use super::path_target::nearest_mount;

/// The files of a container that are keys of known ConfigMaps.
#[derive(Debug)]
pub(in crate::rules) struct ConfigMapFiles<'p, 's> {
    pub(in crate::rules) pod: &'p PodView<'s>,
    pub(in crate::rules) container: &'p Container<'s>,
}

impl<'p, 's> ConfigMapFiles<'p, 's> {
    /// Whether any of `texts`, or a file they may run, mentions any of `words`.
    pub(in crate::rules) fn mention<'t, I: Iterator<Item = &'t Text<'t>>>(
        &self,
        texts: impl Fn() -> I,
        words: &[&str],
    ) -> bool {
        self.pod.likely(self.container, words).any(|word| texts().any(|text| text.contains(word)))
            || (self.pod.knows_configuration()
                && texts().next().is_some()
                && self.any(|text| words.iter().any(|word| text.contains(word))))
    }

    /// Whether the text of any of the files is what is sought.
    fn any(&self, sought: impl Fn(&str) -> bool) -> bool {
        let volumes =
            self.container.volume_mounts.iter().filter_map(|mount| self.pod.volume(mount));
        let objects = volumes
            .flat_map(Volume::config_maps)
            .filter_map(|name| self.pod.config_object(VolumeSource::ConfigMap(name)));
        objects.flat_map(|object| object.data.values()).any(|text| sought(text))
    }

    /// The name of the ConfigMap, the key and the text of the file at `path`.
    pub(in crate::rules) fn origin(&self, path: &str) -> Option<(&'s str, String, &'s str)> {
        let (mount, rest) = nearest_mount(self.container, path)?;
        let volume = self.pod.volume(mount)?;
        let inside = match mount.part() {
            None => rest.to_owned(),
            Some(part) if part != &*mount.sub_path => return None,
            Some(part) if rest.is_empty() => part.to_owned(),
            Some(part) => format!("{part}/{rest}"),
        };
        volume.config_map_keys(&inside).find_map(|(name, key)| {
            let object = self.pod.config_object(VolumeSource::ConfigMap(name))?;
            let text = object.data.get(&key)?;
            Some((name, key, text.as_str()))
        })
    }
}

impl shell::Files for ConfigMapFiles<'_, '_> {
    fn text(&self, path: &str) -> Option<&str> {
        self.origin(path).map(|(_, _, text)| text)
    }
}
