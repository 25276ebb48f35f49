//! What a node has left.

use super::requests::Requests;

/// What a node can give to one pod: what is allocatable less what all its other pods ask for, and
/// less the pod's own overhead. Less than the pod has where the node is overcommitted already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCapacity {
    /// The name of the node.
    pub node: String,
    /// How much the pod may ask for.
    pub most: Requests,
}
