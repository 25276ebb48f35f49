//! A deserializer that writes down what it is asked for: which fields a type has, and what they
//! hold. The values that it hands out mean nothing.

use std::collections::BTreeMap;

use k8s_openapi::Resource;
use serde::de::value::{Error, StrDeserializer};
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

use super::shape::{Shape, Types};

/// Text that every type takes that wants any: a point in time.
const TEXT: &str = "1970-01-01T00:00:00Z";

/// What the objects of a kind hold; the types of their fields are put into `types`.
pub(super) fn trace<'de, K: Resource + Deserialize<'de>>(types: &mut Types) -> Shape {
    let mut shape = Shape::Any;
    let read = K::deserialize(Tracer { types, shape: &mut shape });
    debug_assert!(read.is_ok(), "{}: {:?}", K::KIND, read.err());
    shape
}

struct Tracer<'t> {
    types: &'t mut Types,
    shape: &'t mut Shape,
}

macro_rules! scalars {
    ($($method:ident $shape:ident $visit:ident $value:expr;)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            *self.shape = Shape::$shape;
            visitor.$visit($value)
        })*
    };
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Error;

    scalars! {
        deserialize_bool Flag visit_bool false;
        deserialize_i32 Integer visit_i32 0;
        deserialize_i64 Integer visit_i64 0;
        deserialize_u32 Integer visit_u32 0;
        deserialize_u64 Integer visit_u64 0;
        deserialize_f64 Number visit_f64 0.0;
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let wanted = (&visitor as &dyn Expected).to_string();
        let is_bytes = wanted.contains("base64");
        *self.shape = if is_bytes { Shape::Bytes } else { Shape::Text };
        visitor.visit_str(if is_bytes { "" } else { TEXT })
    }

    /// Both of what asks for anything take a number.
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let wanted = (&visitor as &dyn Expected).to_string();
        *self.shape = if wanted == "IntOrString" { Shape::IntegerOrText } else { Shape::Any };
        visitor.visit_i64(0)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let shape = match name {
            "Quantity" => Some(Shape::Amount),
            "Time" | "MicroTime" => Some(Shape::Time),
            _ => None,
        };
        let mut inner = Shape::Any;
        let read = visitor.visit_newtype_struct(Tracer { types: self.types, shape: &mut inner });
        *self.shape = shape.unwrap_or(inner);
        read
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut item = Shape::Any;
        let read =
            visitor.visit_seq(One { tracer: Some(Tracer { shape: &mut item, types: self.types }) });
        *self.shape = Shape::List(Box::new(item));
        read
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut value = Shape::Any;
        let read = visitor
            .visit_map(One { tracer: Some(Tracer { shape: &mut value, types: self.types }) });
        *self.shape = Shape::Map(Box::new(value));
        read
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.shape = Shape::Object(name);
        if self.types.contains_key(name) {
            return visitor.visit_map(Every { types: self.types, of: name, rest: &[] });
        }
        // it may hold itself
        self.types.insert(name, BTreeMap::new());
        visitor.visit_map(Every { types: self.types, of: name, rest: fields })
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i8 i16 i128 u8 u16 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct enum
    }
}

/// The one item of a list, or the one entry of a map.
struct One<'t> {
    tracer: Option<Tracer<'t>>,
}

impl<'de> SeqAccess<'de> for One<'_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.tracer.take().map(|tracer| seed.deserialize(tracer)).transpose()
    }
}

impl<'de> MapAccess<'de> for One<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let key: StrDeserializer<'_, Error> = "key".into_deserializer();
        self.tracer.is_some().then(|| seed.deserialize(key)).transpose()
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let tracer = self.tracer.take().ok_or_else(|| Error::custom("there is one entry"))?;
        seed.deserialize(tracer)
    }
}

/// Every field of a type.
struct Every<'t> {
    types: &'t mut Types,
    of: &'static str,
    rest: &'static [&'static str],
}

impl Every<'_> {
    fn put(&mut self, field: &'static str, shape: Shape) {
        self.types.entry(self.of).or_default().insert(field, shape);
    }
}

impl<'de> MapAccess<'de> for Every<'_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        // kinds check what these say
        while let [field @ ("apiVersion" | "kind"), rest @ ..] = self.rest {
            self.put(field, Shape::Text);
            self.rest = rest;
        }
        let Some(field) = self.rest.first() else { return Ok(None) };
        let key: StrDeserializer<'_, Error> = (*field).into_deserializer();
        seed.deserialize(key).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let [field, rest @ ..] = self.rest else {
            return Err(Error::custom("there is no field left"));
        };
        self.rest = rest;
        let mut shape = Shape::Any;
        let read = seed.deserialize(Tracer { types: self.types, shape: &mut shape });
        self.put(field, shape);
        read
    }
}
