//! Lists of objects, page by page.

use std::fmt::Debug;

use kube::Api;
use kube::api::{ListParams, ObjectList, PartialObjectMeta};
use serde::de::DeserializeOwned;

/// The most objects in one answer.
pub(crate) const PAGE: u32 = 500;

/// How often a list is started that became too old to be continued.
const ATTEMPTS: u8 = 3;

/// Every object that `parameters` select.
///
/// # Errors
///
/// Where a page cannot be had.
pub(crate) async fn list_all<K>(api: &Api<K>, parameters: &ListParams) -> kube::Result<Vec<K>>
where
    K: Clone + DeserializeOwned + Debug,
{
    list_pages(parameters, async |page| api.list(page).await, Some).await
}

/// What `keep` makes of the metadata of every object that `parameters` select. Nothing else of the
/// objects travels.
///
/// # Errors
///
/// Where a page cannot be had.
pub(crate) async fn list_metadata<K, T>(
    api: &Api<K>,
    parameters: &ListParams,
    keep: impl FnMut(PartialObjectMeta<K>) -> Option<T>,
) -> kube::Result<Vec<T>>
where
    K: Clone + DeserializeOwned + Debug,
{
    list_pages(parameters, async |page| api.list_metadata(page).await, keep).await
}

async fn list_pages<K: Clone, T>(
    parameters: &ListParams,
    list: impl AsyncFn(&ListParams) -> kube::Result<ObjectList<K>>,
    mut keep: impl FnMut(K) -> Option<T>,
) -> kube::Result<Vec<T>> {
    let first = parameters.clone().limit(PAGE);
    let (mut next, mut found, mut attempts) = (first.clone(), Vec::new(), 1);
    loop {
        let page = match list(&next).await {
            Ok(page) => page,
            // the API server no longer knows where the list goes on
            Err(kube::Error::Api(status)) if status.code == 410 && attempts < ATTEMPTS => {
                attempts = attempts.saturating_add(1);
                found.clear();
                next.clone_from(&first);
                continue;
            }
            Err(error) => return Err(error),
        };
        found.extend(page.items.into_iter().filter_map(&mut keep));
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => next = first.clone().continue_token(&token),
            None => return Ok(found),
        }
    }
}
