//! What the API server makes of an object: as it is stored, whatever words a file has for it.
//!
//! Of a file and of an export of the same object the same comes out, so that what still differs
//! is a difference. Fields that the API server does not know, or that hold something else than it
//! takes, are left out and told.

mod admission;
mod computed;
mod defaults;
mod fault;
mod place;
mod shape;
mod zero;

use serde_json::Value;

use super::schema::Shape;
use crate::manifest::unstructured::Unstructured;

pub(super) use admission::{complete, without_gated};
pub(super) use fault::{Fault, FaultKind};
use place::Place;

/// An object as the API server stores it.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    /// The object.
    pub(super) object: Unstructured,
    /// What it holds.
    pub(super) shape: Shape,
    /// What the API server does not take.
    pub(super) faults: Vec<Fault>,
}

/// What the API server stores of `object`, as far as its kind is known.
pub fn as_stored(object: &Unstructured) -> Value {
    Stored::of(object).object.value().clone()
}

impl Stored {
    /// What is stored of `object`.
    pub(super) fn of(object: &Unstructured) -> Self {
        let shape = Shape::of_kind(object.text("/apiVersion").unwrap_or_default(), &object.kind);
        let mut faults = Vec::new();
        let mut value = shape::read(object.value(), &shape, &mut faults);
        if shape != Shape::Any {
            defaults::fill_in(&mut value, &shape, Place::of(object));
            computed::fill_in(&mut value, object);
        }
        Self { object: object.with(value), shape, faults }
    }
}

#[cfg(test)]
mod tests;
