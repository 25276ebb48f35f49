//! Rules about heaps that are fixed at start.

pub mod fixed_heap_growth;
pub mod heap_above_limit;
pub mod heap_without_limit;
pub mod removed_jvm_flag;
