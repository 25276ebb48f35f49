//! Programs that watch mounted configuration for others, and the flags that tell them where it is.
//!
//! Their flags are those of Go: `--volume-dir=PATH`, `-volume-dir PATH`, as often as there are
//! paths.

use std::rc::Rc;

use crate::shell::options::Arguments;
use crate::shell::{Command, Script, Word, absolute};

/// What a reloader is told to watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReloadPath {
    /// The flag, without dashes.
    pub flag: &'static str,
    /// An absolute path.
    pub path: String,
    /// The file the command stands in, where that is not the text of the manifest.
    pub file: Option<Rc<str>>,
}

/// What the programs and images of reloaders are called, or end with.
const RELOADERS: [&str; 5] = [
    "configmap-reload",
    "nats-server-config-reloader",
    "prometheus-config-reloader",
    "config-reloader",
    "thanos",
];

/// Any reloader's flag is spelled with one of these.
pub(crate) const FLAGS: [&str; 3] = ["-dir", "-config", ".config-file"];

/// What the reloaders of a script are told to watch. `image` is the name of the image where that
/// decides what runs.
pub fn reload_paths(script: &Script, image: Option<&str>) -> Vec<ReloadPath> {
    let mut found = Vec::new();
    for (position, command) in script.commands.iter().enumerate() {
        if let Some(reloader) = command.program().and_then(known) {
            read(reloader, command, command.arguments(), &mut found);
        } else if let (0, Some(reloader)) = (position, image.and_then(known)) {
            // without a command of its own all words are the image's program's
            read(reloader, command, &command.words, &mut found);
        }
    }
    found
}

/// The reloader that a program or an image of this name is.
fn known(name: &str) -> Option<&'static str> {
    RELOADERS.into_iter().find(|reloader| {
        name.strip_suffix(reloader).is_some_and(|rest| rest.is_empty() || rest.ends_with('-'))
    })
}

fn read(reloader: &str, command: &Command, arguments: &[Word], found: &mut Vec<ReloadPath>) {
    let options = Arguments::of(reloader, arguments);
    found.extend(options.given.iter().filter_map(|given| {
        // what Kubernetes could not expand comes from elsewhere
        let value = given.value.as_deref()?.known().filter(|value| !value.contains("$("))?;
        let path = absolute(command.directory.as_deref(), value)?;
        Some(ReloadPath { flag: given.name?, path, file: command.file.clone() })
    }));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::shell::{Invocation, inline};

    fn paths(command: &[&str], image: Option<&str>) -> Vec<(&'static str, String)> {
        let script = inline(&Invocation { command, ..Invocation::default() }).unwrap_or_default();
        reload_paths(&script, image).into_iter().map(|path| (path.flag, path.path)).collect()
    }

    #[test]
    fn flags_in_every_form() {
        let both = [("volume-dir", "/a".to_owned()), ("volume-dir", "/b".to_owned())];
        assert_eq!(
            paths(&["/configmap-reload", "--volume-dir=/a/", "-volume-dir", "/b"], None),
            both
        );
        assert_eq!(
            paths(
                &["--volume-dir", "/a", "-volume-dir=/b", "--webhook-url=http://x"],
                Some("configmap-reload")
            ),
            both
        );
        assert_eq!(
            paths(&["sh", "-c", "configmap-reload -volume-dir /a --volume-dir=/b &"], None),
            both
        );
        assert_eq!(
            paths(&["prometheus-config-reloader", "--watched-dir=/a"], None),
            [("watched-dir", "/a".to_owned())]
        );
        for nothing in [
            &["my-app", "--volume-dir=/a"][..],
            &["configmap-reload", "--volume-dir=$(DIR)"],
            &["configmap-reload", "--volume-dir"],
            &["configmap-reload", "--", "--volume-dir=/a"],
            &["configmap-reload", "--volume-dir=relative"],
            &["myconfigmap-reload", "--volume-dir=/a"],
        ] {
            assert_eq!(paths(nothing, None), [], "{nothing:?}");
        }
    }

    proptest! {
        #[test]
        fn a_flag_is_found_wherever_it_stands(
            before in proptest::collection::vec("--?[a-z]{1,3}=[a-z/]{0,4}", 0..4),
            after in proptest::collection::vec("[-a-z=/$(){}]{0,8}", 0..4),
            dashes in "--?",
            joined in any::<bool>(),
        ) {
            let flag = format!("{dashes}volume-dir");
            let mut words = vec!["configmap-reload".to_owned()];
            words.extend(before);
            match joined {
                true => words.push(format!("{flag}=/a")),
                false => words.extend([flag, "/a".to_owned()]),
            }
            words.extend(after);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            prop_assert!(paths(&words, None).contains(&("volume-dir", "/a".to_owned())));
        }
    }
}
