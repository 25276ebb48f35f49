//! The wire: `admission.k8s.io/v1` AdmissionReviews from bytes, and answers to bytes.

mod answer;
mod decide;
mod decode;
mod path;

pub use answer::answer;
pub(crate) use answer::warnings;
pub use decide::{decide, look_ups};
pub use decode::{Malformed, Review, decode, decode_for};
pub use path::{Path, UnknownPath};
