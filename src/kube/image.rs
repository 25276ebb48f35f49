//! References to images, as containers have them.

/// The parts of a reference: `registry.example:5000/team/app:1.2@sha256:..`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Image<'a> {
    /// The host, with its port; empty where none is written.
    pub registry: &'a str,
    /// The repository in it: `team/app`.
    pub repository: &'a str,
    /// The tag; empty where none is written.
    pub tag: &'a str,
    /// The digest; empty where none is written.
    pub digest: &'a str,
}

/// The names of Docker Hub.
const HUB: [&str; 4] = ["", "docker.io", "index.docker.io", "registry-1.docker.io"];

impl<'a> Image<'a> {
    /// Takes a reference apart. Total: what is no reference has an odd name.
    pub fn parse(reference: &'a str) -> Self {
        let (rest, digest) = reference.split_once('@').unwrap_or((reference, ""));
        // a colon before the last slash is a port's
        let (rest, tag) =
            rest.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).unwrap_or((rest, ""));
        let host = |first: &str| first.contains(['.', ':']) || first == "localhost";
        let (registry, repository) =
            rest.split_once('/').filter(|(first, _)| host(first)).unwrap_or(("", rest));
        Self { registry, repository, tag, digest }
    }

    /// The last part of the repository: `app`.
    pub fn name(&self) -> &'a str {
        self.repository.rsplit('/').next().unwrap_or_default()
    }

    /// The name of an image that Docker keeps itself, such as `alpine`; `None` for any other.
    /// Mirrors keep them in `library`; elsewhere an image of that name may be anybody's.
    pub fn official(&self) -> Option<&'a str> {
        match self.repository.rsplit_once('/') {
            Some((folder, name)) => {
                (folder == "library" || folder.ends_with("/library")).then_some(name)
            }
            None => HUB.contains(&self.registry).then_some(self.repository),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts() {
        let cases = [
            ("busybox", ("", "busybox", "", "")),
            ("alpine:3.20", ("", "alpine", "3.20", "")),
            ("docker.io/library/busybox:1.36", ("docker.io", "library/busybox", "1.36", "")),
            ("registry.example:5000/team/app", ("registry.example:5000", "team/app", "", "")),
            ("localhost/app:1@sha256:ab", ("localhost", "app", "1", "sha256:ab")),
            ("team/app@sha256:ab", ("", "team/app", "", "sha256:ab")),
            ("", ("", "", "", "")),
        ];
        for (text, (registry, repository, tag, digest)) in cases {
            assert_eq!(Image::parse(text), Image { registry, repository, tag, digest }, "{text}");
        }
    }

    #[test]
    fn official_images() {
        let official = |text| Image::parse(text).official();
        assert_eq!(official("alpine:3.20"), Some("alpine"));
        assert_eq!(official("docker.io/alpine"), Some("alpine"));
        assert_eq!(official("public.ecr.aws/docker/library/busybox"), Some("busybox"));
        assert_eq!(official("registry.example/mirror/alpine"), None);
        assert_eq!(official("registry.example/alpine"), None);
        assert_eq!(official("team/alpine"), None);
    }

    proptest! {
        #[test]
        fn whatever_is_written_comes_apart(
            registry in prop_oneof![Just(""), Just("registry.example"), Just("registry.example:5000"), Just("localhost")],
            repository in "[a-z0-9]{1,5}(/[a-z0-9]{1,5}){0,2}",
            tag in "([a-zA-Z0-9][a-zA-Z0-9.-]{0,5})?",
            digest in prop_oneof![Just(""), Just("sha256:0123")],
        ) {
            let with = |mark: &str, text: &str| if text.is_empty() { String::new() } else { format!("{mark}{text}") };
            let host = if registry.is_empty() { String::new() } else { format!("{registry}/") };
            let text = format!("{host}{repository}{}{}", with(":", &tag), with("@", digest));
            let expected = Image { registry, repository: &repository, tag: &tag, digest };
            // a first part that looks like no host is none
            prop_assert_eq!(Image::parse(&text), expected);
        }

        #[test]
        fn nothing_is_too_odd(text in ".{0,60}") {
            let image = Image::parse(&text);
            prop_assert!(text.contains(image.name()) && image.official().is_none_or(|name| text.contains(name)));
        }
    }
}
