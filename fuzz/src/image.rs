//! References to images: every part is a part of the text, in order.

use restraint::kube::image::Image;

pub(crate) fn run(text: &str) {
    let image = Image::parse(text);
    let mut rest = text;
    for part in [image.registry, image.repository, image.tag, image.digest] {
        let at = rest.find(part).expect("parts stand in the text in order");
        rest = &rest[at + part.len()..];
    }
    assert!(image.repository.ends_with(image.name()));
    if let Some(name) = image.official() {
        assert!(image.repository.ends_with(name));
    }
}
