//! Reading an object as the API server decodes it: field by field, by their types.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::fault::{Fault, FaultKind};
use super::zero;
use crate::explain::difference::{Path, key_of};
use crate::explain::pod_spec::amount_text;
use crate::explain::schema::Shape;
use crate::kube::quantity::Quantity;
use crate::yaml::suggest::nearest;

/// What is decoded of `value`. What is not goes to `faults`.
pub(super) fn read(value: &Value, shape: &Shape, faults: &mut Vec<Fault>) -> Value {
    let mut reader = Reader { faults };
    reader.read(&Path::default(), value, shape).unwrap_or(Value::Null)
}

struct Reader<'f> {
    faults: &'f mut Vec<Fault>,
}

impl Reader<'_> {
    /// `None` where it is as good as absent.
    fn read(&mut self, path: &Path, value: &Value, shape: &Shape) -> Option<Value> {
        match (shape, value) {
            (Shape::Any, _) => without_nothing(value),
            (_, Value::Null) => None,
            (Shape::Object(of), Value::Object(fields)) => {
                Some(Value::Object(self.fields(path, fields, shape, of)))
            }
            (Shape::Map(values), Value::Object(fields)) => {
                let read = self.entries(path, fields, values);
                (!read.is_empty()).then_some(Value::Object(read))
            }
            (Shape::List(of), Value::Array(items)) => {
                let items: Vec<_> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| self.item(path, index, item, of))
                    .collect();
                Some(Value::Array(items))
            }
            (Shape::Bytes, Value::String(text)) => Some(self.bytes(path, text)),
            _ if fits(shape, value) => Some(scalar(shape, value)),
            _ => {
                let kind = FaultKind::NotA(shape.words());
                self.faults.push(Fault { path: path.clone(), value: value.clone(), kind });
                None
            }
        }
    }

    fn fields(
        &mut self,
        path: &Path,
        fields: &Map<String, Value>,
        shape: &Shape,
        of: &str,
    ) -> Map<String, Value> {
        let mut read = Map::new();
        for (name, value) in fields {
            let path = path.field(name);
            let Some(shape) = shape.field(name) else {
                if !value.is_null() {
                    let kind = FaultKind::Unknown(meant(shape, name));
                    self.faults.push(Fault { path, value: value.clone(), kind });
                }
                continue;
            };
            let value = self.read(&path, value, shape);
            if let Some(value) = value.filter(|value| !zero::is_dropped(of, name, value)) {
                read.insert(name.clone(), value);
            }
        }
        read
    }

    /// Null is the zero value here.
    fn entries(
        &mut self,
        path: &Path,
        fields: &Map<String, Value>,
        values: &Shape,
    ) -> Map<String, Value> {
        let mut read = Map::new();
        for (key, value) in fields {
            let path = path.field(key);
            let value =
                self.read(&path, value, values).or_else(|| value.is_null().then(|| null(values)));
            if let Some(value) = value {
                read.insert(key.clone(), value);
            }
        }
        read
    }

    fn item(&mut self, path: &Path, index: usize, item: &Value, shape: &Shape) -> Value {
        let name = key_of(item).unwrap_or_else(|| index.to_string());
        let path = path.item(&name, index);
        self.read(&path, item, shape).unwrap_or_else(|| null(shape))
    }

    /// Line breaks in base64 are not kept.
    fn bytes(&mut self, path: &Path, text: &str) -> Value {
        let plain: String = text.chars().filter(|one| !matches!(one, '\n' | '\r')).collect();
        if STANDARD.decode(&plain).is_err() {
            let kind = FaultKind::NotA("base64");
            self.faults.push(Fault { path: path.clone(), value: Value::Null, kind });
        }
        Value::String(plain)
    }
}

/// What stands for null where null cannot be.
fn null(shape: &Shape) -> Value {
    match shape {
        Shape::Text | Shape::Bytes => json!(""),
        Shape::Amount => json!("0"),
        Shape::Object(_) | Shape::Map(_) => json!({}),
        _ => Value::Null,
    }
}

fn fits(shape: &Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::Text | Shape::Time, Value::String(_))
        | (Shape::Flag, Value::Bool(_))
        | (Shape::Number, Value::Number(_))
        | (Shape::IntegerOrText, Value::String(_)) => true,
        (Shape::Integer | Shape::IntegerOrText, Value::Number(_)) => whole(value).is_some(),
        (Shape::Amount, _) => amount_text(value).is_some_and(|text| Quantity::parse(text).is_ok()),
        _ => false,
    }
}

fn scalar(shape: &Shape, value: &Value) -> Value {
    match shape {
        Shape::Integer | Shape::IntegerOrText => {
            whole(value).map_or_else(|| value.clone(), Value::from)
        }
        Shape::Amount => amount_text(value).map_or(Value::Null, Value::String),
        _ => value.clone(),
    }
}

/// `3.0` of YAML is 3.
fn whole(value: &Value) -> Option<i64> {
    let number = value.as_number()?;
    number.as_i64().or_else(|| {
        let text = number.to_string();
        text.strip_suffix(".0")?.parse().ok()
    })
}

/// What is known of nothing is compared without what says nothing.
fn without_nothing(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Object(fields) => {
            let fields: Map<_, _> = fields
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), without_nothing(value)?)))
                .collect();
            (!fields.is_empty()).then_some(Value::Object(fields))
        }
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => Some(Value::Array(
            items.iter().map(|item| without_nothing(item).unwrap_or(Value::Null)).collect(),
        )),
        value => Some(value.clone()),
    }
}

/// The field that was perhaps meant: one of a name that is near or longer, or one of the metadata
/// beside it.
fn meant(shape: &Shape, name: &str) -> Option<String> {
    if shape.field("metadata").is_some_and(|metadata| metadata.field(name).is_some()) {
        return Some(format!("metadata.{name}"));
    }
    let fields: Vec<_> = shape.fields().collect();
    let is_end = |field: &&&str| field.to_lowercase().ends_with(&name.to_lowercase());
    let longer = fields.iter().find(is_end).copied();
    nearest(name, &fields).or(longer).map(str::to_owned)
}
