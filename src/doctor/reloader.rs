//! Deployments of Reloader.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Container;

use crate::kube::image::Image;

/// Whether a Deployment runs Reloader.
pub(super) fn is_reloader(deployment: &Deployment) -> bool {
    reloader_container(deployment).is_some()
}

/// The container that runs Reloader, by the name of its image.
pub(super) fn reloader_container(deployment: &Deployment) -> Option<&Container> {
    let spec = deployment.spec.as_ref()?.template.spec.as_ref()?;
    spec.containers.iter().find(|container| {
        let image = Image::parse(container.image.as_deref().unwrap_or_default());
        matches!(image.name(), "reloader" | "stakater-reloader")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::doctor::testing::read;

    use super::*;

    #[test]
    fn reloader_is_known_by_its_image() {
        let is_reloader = |image: &str| {
            let containers = json!([{"name": "side"}, {"name": "reloader", "image": image}]);
            is_reloader(&read(json!({
                "spec": {"selector": {}, "template": {"spec": {"containers": containers}}},
            })))
        };
        assert!(is_reloader("ghcr.io/stakater/reloader:v1.4.21"));
        for image in [
            "example.com/config-reloader:1",
            "reloader-of-mine",
            "example.com/reloader/other@sha256:1",
        ] {
            assert!(!is_reloader(image), "{image}");
        }
    }
}
