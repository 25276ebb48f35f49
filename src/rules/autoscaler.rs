//! Rules about autoscalers.

pub mod vpa_memory_floor;
