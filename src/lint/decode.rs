//! From the JSON of a manifest to what the rules look at: the decoder of the server, made strict and talkative.
//!
//! A server is sent objects that the API server has read already; a file may hold anything. So here every fault comes
//! with the field it is in, and a list where fields are expected is a fault: derived decoders would read it by position.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor};

use crate::judge::finding::pointer_token;
use crate::kube::list;
use crate::kube::object::Object;

/// Why an object cannot be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// The JSON pointer of the field with the fault.
    pub(super) pointer: String,
    /// What is wrong.
    pub(super) message: String,
}

/// Reads an object.
///
/// # Errors
///
/// Where a field that any rule looks at has the wrong shape.
pub(super) fn object(json: &str) -> Result<Object<'_>, Malformed> {
    let path = Path::default();
    let mut json = serde_json::Deserializer::from_str(json);
    list::begin();
    Object::deserialize(Tracked { inner: &mut json, path: &path }).map_err(|error| path.malformed(&error))
}

/// Where the decoder is. What is not left again is where it failed.
#[derive(Debug, Default)]
struct Path(RefCell<Vec<String>>);

impl Path {
    fn enter(&self, token: String) {
        self.0.borrow_mut().push(token);
    }

    fn leave(&self) {
        self.0.borrow_mut().pop();
    }

    fn malformed(&self, error: &serde_json::Error) -> Malformed {
        let tokens = self.0.borrow();
        let pointer = tokens.iter().map(|token| format!("/{}", pointer_token(token))).collect();
        let text = error.to_string();
        // the place in the JSON, which nobody wrote
        let reason = text.rsplit_once(" at line ").map_or(&*text, |(reason, _)| reason);
        Malformed { pointer, message: format!("{}: {}", dotted(&tokens), in_plain_words(reason)) }
    }
}

/// What the decoder says, in the words of whoever writes manifests.
fn in_plain_words(reason: &str) -> String {
    let Some((found, expected)) = reason.strip_prefix("invalid type: ").and_then(|rest| rest.rsplit_once(", expected ")) else {
        return reason.to_owned();
    };
    let (kind, value) = found.split_once(' ').unwrap_or((found, ""));
    let found = match kind {
        "map" => "a mapping",
        "sequence" => "a list",
        "null" => "nothing",
        _ => value.trim_matches('`'),
    };
    let (expected, hint) = match expected {
        "text" if !matches!(kind, "map" | "sequence" | "null") => ("a string", ": put it in quotes"),
        "text" | "a string" => ("a string", ""),
        "i64" | "u64" | "i32" | "u32" => ("a whole number", ""),
        "a boolean" => ("true or false", ""),
        "an object" => ("a mapping", ""),
        other => (other, ""),
    };
    format!("must be {expected}, not {found}{hint}")
}

/// A path as people write it.
fn dotted(tokens: &[String]) -> String {
    let mut text = String::new();
    for token in tokens {
        if token.bytes().all(|byte| byte.is_ascii_digit()) {
            text.push_str(&format!("[{token}]"));
        } else if token.contains(['.', '/']) {
            text.push_str(&format!("[{token:?}]"));
        } else {
            let dot = if text.is_empty() { "" } else { "." };
            text.push_str(&format!("{dot}{token}"));
        }
    }
    if text.is_empty() { "the object".to_owned() } else { text }
}

/// A decoder that knows where it is.
struct Tracked<'p, D> {
    inner: D,
    path: &'p Path,
}

/// A visitor whose parts are read by decoders that know where they are.
struct Watched<'p, V> {
    inner: V,
    path: &'p Path,
    /// Whether fields are expected, so that a list is a fault.
    fields: bool,
}

macro_rules! watched {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(Watched { inner: visitor, path: self.path, fields: false })
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Tracked<'_, D> {
    type Error = D::Error;

    watched! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64 deserialize_char deserialize_str
        deserialize_string deserialize_bytes deserialize_byte_buf deserialize_option deserialize_unit deserialize_seq
        deserialize_map deserialize_identifier
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_ignored_any(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_unit_struct(name, visitor)
    }

    /// Undecoded JSON comes this way: it has no parts.
    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_newtype_struct(name, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_tuple(length, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, name: &'static str, length: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_tuple_struct(name, length, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_struct(name, fields, Watched { inner: visitor, path: self.path, fields: true })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_enum(name, variants, visitor)
    }
}

macro_rules! plain {
    ($($method:ident: $value:ty,)*) => {
        $(fn $method<E: serde::de::Error>(self, value: $value) -> Result<V::Value, E> {
            self.inner.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Watched<'_, V> {
    type Value = V::Value;

    plain! {
        visit_bool: bool,
        visit_i64: i64,
        visit_u64: u64,
        visit_f64: f64,
        visit_str: &str,
        visit_borrowed_str: &'de str,
        visit_string: String,
    }

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.fields { formatter.write_str("a mapping") } else { self.inner.expecting(formatter) }
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Tracked { inner, path: self.path })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        if self.fields {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        self.inner.visit_seq(Elements { inner, path: self.path, next: 0 })
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Fields { inner, path: self.path, key: String::new() })
    }
}

struct Elements<'p, A> {
    inner: A,
    path: &'p Path,
    next: usize,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, inner: T) -> Result<Option<T::Value>, A::Error> {
        self.path.enter(self.next.to_string());
        let element = self.inner.next_element_seed(Seed { inner, path: self.path })?;
        self.path.leave();
        self.next += 1;
        Ok(element)
    }
}

struct Fields<'p, A> {
    inner: A,
    path: &'p Path,
    key: String,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Fields<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let Some(Key(key)) = self.inner.next_key()? else { return Ok(None) };
        self.key = key.as_ref().to_owned();
        match key {
            Cow::Borrowed(key) => seed.deserialize(BorrowedStrDeserializer::new(key)).map(Some),
            Cow::Owned(key) => seed.deserialize(key.into_deserializer()).map(Some),
        }
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, inner: T) -> Result<T::Value, A::Error> {
        self.path.enter(std::mem::take(&mut self.key));
        let value = self.inner.next_value_seed(Seed { inner, path: self.path })?;
        self.path.leave();
        Ok(value)
    }
}

struct Seed<'p, T> {
    inner: T,
    path: &'p Path,
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<'_, T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<T::Value, D::Error> {
        self.inner.deserialize(Tracked { inner, path: self.path })
    }
}

/// The name of a field, borrowed where it has no escapes.
struct Key<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the name of a field")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(KeyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(json: &str) -> (String, String) {
        let Malformed { pointer, message } = object(json).unwrap_err();
        (pointer, message)
    }

    #[test]
    fn objects_are_read_as_the_server_reads_them() {
        let json = r#"{"metadata":{"name":"a","annotations":{"x":"1","y":null}},
            "spec":{"containers":[{"name":"a\u0062","resources":{"limits":{"memory":"1Gi","cpu":1}}}],"volumes":null}}"#;
        let object = object(json).unwrap();
        assert_eq!(&*object.metadata.name, "a");
        assert_eq!(object.metadata.annotations.text("x").as_deref(), Some("1"));
        let container = object.spec.containers.first().unwrap();
        assert_eq!((&*container.name, container.resources.limits.memory.as_ref().unwrap().text()), ("ab", "1Gi"));
    }

    #[test]
    fn faults_name_their_field() {
        let cases = [
            (r#"{"spec":{"containers":{}}}"#, "/spec/containers", "spec.containers: must be a list, not a mapping"),
            (
                r#"{"spec":{"template":{"spec":{"containers":[{},{"name":7}]}}}}"#,
                "/spec/template/spec/containers/1/name",
                "spec.template.spec.containers[1].name: must be a string, not 7: put it in quotes",
            ),
            (
                r#"{"metadata":{"labels":{"example.com/a":true}}}"#,
                "/metadata/labels/example.com~1a",
                r#"metadata.labels["example.com/a"]: must be a string, not true: put it in quotes"#,
            ),
            ("[]", "", "the object: must be a mapping, not a list"),
        ];
        for (json, pointer, message) in cases {
            assert_eq!(fault(json), (pointer.to_owned(), message.to_owned()), "{json}");
        }
        let (pointer, message) = fault(r#"{"spec":{"containers":[{"resources":{"limits":{"memory":"banana"}}}]}}"#);
        assert_eq!(pointer, "/spec/containers/0/resources/limits/memory");
        assert!(message.starts_with("spec.containers[0].resources.limits.memory: \"banana\" is not a quantity"), "{message}");
    }

    #[test]
    fn lists_are_not_read_as_fields_by_position() {
        let (pointer, message) = fault(r#"{"spec":{"containers":[{"resources":{"limits":["256Mi"]}}]}}"#);
        assert_eq!(pointer, "/spec/containers/0/resources/limits");
        assert!(message.ends_with("limits: must be a mapping, not a list"), "{message}");
        assert_eq!(fault(r#"{"spec":[[]]}"#).0, "/spec");
    }
}
