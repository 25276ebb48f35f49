//! The wire: `admission.k8s.io/v1` AdmissionReviews from bytes, and answers to bytes.

mod answer;
mod decode;

pub use answer::{Path, answer};
pub use decode::{Malformed, Review, decode};
