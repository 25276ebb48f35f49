//! Amounts as the API server tells them.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource;

use crate::kube::quantity::Quantity;
use crate::kube::requests::WrittenRequests;

/// A list of resources: names and quantities.
pub(crate) type Amounts = BTreeMap<String, resource::Quantity>;

/// What is written of cpu and memory; `None` where an amount cannot be told.
pub(crate) fn written(amounts: &Amounts) -> Option<WrittenRequests> {
    Some(WrittenRequests {
        cpu: amount(amounts, "cpu", |cpu| cpu.milli_value())?,
        memory: written_memory(amounts)?,
    })
}

/// What is written of memory, in bytes; `None` where it cannot be told.
pub(crate) fn written_memory(amounts: &Amounts) -> Option<Option<i128>> {
    amount(amounts, "memory", |memory| memory.value().map(i128::from))
}

fn amount(
    amounts: &Amounts,
    name: &str,
    value: impl Fn(&Quantity<'_>) -> Option<i128>,
) -> Option<Option<i128>> {
    match amounts.get(name) {
        None => Some(None),
        Some(resource::Quantity(text)) => value(&Quantity::parse(text.as_str()).ok()?).map(Some),
    }
}
