//! What templates see of a device: the fields of the planned device and of its groups, each by its name.
//!
//! A field becomes a value when a template reads it, because each template reads only a few.

use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use serde::Serialize;
use serde::ser::{Error, Impossible, SerializeStruct, Serializer};
use talosmith_model::plan::Device;

use crate::engine::template_value;

/// Returns a device as templates see it.
pub fn device_context(device: &Arc<Device>) -> Value {
    Value::from_object(DeviceContext(Arc::clone(device)))
}

struct DeviceContext(Arc<Device>);

impl DeviceContext {
    /// Serializes the fields of the device and of each of its groups.
    fn visit(&self, visitor: &mut FieldVisitor<'_>) {
        let Device { versions, images, storage, network, system, kubernetes, host, components, features, .. } =
            &*self.0;
        // The visitor takes structs, which all of these are.
        let _ = self
            .0
            .serialize(&mut *visitor)
            .and_then(|()| versions.serialize(&mut *visitor))
            .and_then(|()| images.serialize(&mut *visitor))
            .and_then(|()| storage.serialize(&mut *visitor))
            .and_then(|()| network.serialize(&mut *visitor))
            .and_then(|()| system.serialize(&mut *visitor))
            .and_then(|()| kubernetes.serialize(&mut *visitor))
            .and_then(|()| host.serialize(&mut *visitor))
            .and_then(|()| components.serialize(&mut *visitor))
            .and_then(|()| features.serialize(&mut *visitor));
    }
}

impl Object for DeviceContext {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let mut visitor = FieldVisitor { wanted: Some(key), ..FieldVisitor::default() };
        self.visit(&mut visitor);
        visitor.found
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        let mut visitor = FieldVisitor::default();
        self.visit(&mut visitor);
        Enumerator::Values(visitor.names.into_iter().map(Value::from).collect())
    }
}

impl fmt::Debug for DeviceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DeviceContext").field(&self.0.name).finish()
    }
}

/// Finds one field of a struct, or lists the names of its fields.
#[derive(Default)]
struct FieldVisitor<'a> {
    /// The name of the field to find; none to list the names.
    wanted: Option<&'a str>,
    found: Option<Value>,
    names: Vec<&'static str>,
}

impl SerializeStruct for &mut FieldVisitor<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> fmt::Result {
        match self.wanted {
            None => self.names.push(name),
            Some(wanted) if wanted == name => self.found = Some(template_value(&value)),
            Some(_) => {}
        }
        Ok(())
    }

    fn end(self) -> fmt::Result {
        Ok(())
    }
}

/// Defines the methods of a serializer that the device and its groups, all structs, do not call.
macro_rules! refuse {
    ($($method:ident($($argument:ty),*) -> $result:ty;)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<$result, fmt::Error> {
            Err(Error::custom("not a struct"))
        }
    )*};
}

impl Serializer for &mut FieldVisitor<'_> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeSeq = Impossible<(), fmt::Error>;
    type SerializeTuple = Impossible<(), fmt::Error>;
    type SerializeTupleStruct = Impossible<(), fmt::Error>;
    type SerializeTupleVariant = Impossible<(), fmt::Error>;
    type SerializeMap = Impossible<(), fmt::Error>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Impossible<(), fmt::Error>;

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, fmt::Error> {
        Ok(self)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> fmt::Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> fmt::Result {
        Err(Error::custom("not a struct"))
    }

    refuse! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_f64(f64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}
