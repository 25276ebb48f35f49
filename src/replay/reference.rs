//! What a request is about, as its event says.

use crate::json::fields;
use crate::json::text::Text;

/// `objectRef`.
#[derive(Debug, Default)]
pub(super) struct Reference<'a> {
    pub(super) resource: Text<'a>,
    pub(super) subresource: Text<'a>,
    pub(super) api_group: Text<'a>,
    pub(super) api_version: Text<'a>,
    pub(super) namespace: Text<'a>,
    pub(super) name: Text<'a>,
}

fields!(Reference {
    "resource" => resource,
    "subresource" => subresource,
    "apiGroup" => api_group,
    "apiVersion" => api_version,
    "namespace" => namespace,
    "name" => name,
});
