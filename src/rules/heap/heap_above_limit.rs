//! A heap that is fixed at start and leaves no room below the memory limit.
//!
//! **Why it matters.** A program that is told its heap takes it when the work asks for it, whatever
//! the container's limit is, and the kernel kills it at the limit. A resize changes the limit and
//! never the flag, and a restart takes the same flag again: a limit below the heap is an outage
//! that comes later.
//!
//! **What it looks at.** What a heap leaves of the effective memory limit, however it is written.
//!
//! | what is bounded | settings | too much |
//! |---|---|---|
//! | the heap of Java or .NET | `-Xmx`, `-XX:MaxHeapSize`, `-XX:MaxRAMPercentage`, `-XX:MaxRAMFraction`, and the variables below | above 85 % |
//! | the old generation of V8 | `--max-old-space-size`, `--max-old-space-size-percentage` | 80 % or more |
//! | Go's runtime | `GOMEMLIMIT`; from `limits.memory` by field it is all of it | above 95 % |
//! | the data of a store | `--maxmemory` of Redis, also in a known ConfigMap; `--innodb-buffer-pool-size`, `--wiredTigerCacheSizeGB` | above 85 % |
//! | the process | `jobmanager.memory.process.size` and `taskmanager.memory.process.size` in `FLINK_PROPERTIES` | above it |
//!
//! They are read from `command`, `args` and inline shell text, with what it exports, and from literal
//! variables such as `JAVA_TOOL_OPTIONS`, `JDK_JAVA_OPTIONS`, `JAVA_OPTS`, `CATALINA_OPTS` and
//! `NODE_OPTIONS`, of every container, with `$(NAME)` expanded; options of Java also from
//! `jvm.config` and `*.options` in a known ConfigMap. Of repeated settings the one counts that the
//! runtime takes. Variables that set one heap by their name: `DOTNET_GCHeapHardLimit` and
//! `DOTNET_GCHeapHardLimitPercent` (hexadecimal, both), `ELASTICSEARCH_HEAP_SIZE`,
//! `OPENSEARCH_HEAP_SIZE`, `ES_HEAP_SIZE`, `LS_HEAP_SIZE`, `LOGSTASH_HEAP_SIZE`, `SOLR_HEAP`,
//! `ZOO_HEAP_SIZE`, `ZK_SERVER_HEAP`, `ZK_HEAP_SIZE`, `HADOOP_HEAPSIZE`, `HADOOP_HEAPSIZE_MAX`,
//! `HBASE_HEAPSIZE`, `DRUID_XMX`, Neo4j's, `JAVA_XMX`, `JVM_XMX`, `JVM_MAXIMUM_MEMORY`,
//! `NIFI_JVM_HEAP_MAX`, `MAX_RAM_PERCENTAGE`, `JAVA_MAX_MEM_RATIO`; `MAX_HEAP_SIZE` of Cassandra,
//! `SPARK_DAEMON_MEMORY` of Spark, `MEMORY` and `MAX_MEMORY` of Minecraft.
//!
//! On a resize it looks at containers whose effective limit is lowered, and at the new limit. Where
//! that leaves something, if too little, it warns.
//!
//! **What it allows.** Containers without a limit; resizes that raise the limit, and percentages on
//! any resize, because they follow the limit at the next start. It is silent where a value comes
//! from a ConfigMap, a Secret or a field, where a reference leads nowhere, where a script may set
//! the variable, and where it cannot be told which setting counts. Pods and templates are never
//! denied.
//!
//! **How to fix it.** Lower the flag by a rollout first, then the limit. An approval does not
//! lift this denial unless it says `force`.

use crate::heap::{Bound, Heap, Size};
use crate::judge::finding::{Finding, Findings, Lift};
use crate::judge::message::Names;
use crate::judge::mode::Mode;
use crate::judge::rule::{Check, Rule};
use crate::judge::view::{MemoryChange, PodView, ResizeView};
use crate::kube::container::Container;
use crate::kube::resources::EffectiveLimit;

pub(crate) const RULE: Rule = Rule::new::<HeapAboveLimit>(
    "heap-above-limit",
    include_str!("../../../policies/heap-above-limit.yaml"),
)
.not_ignorable_on_resize();

#[derive(Debug, Default)]
struct HeapAboveLimit;

/// A limit below which no container starts, in bytes: so much its first process takes.
pub(in crate::rules) const SMALLEST_LIMIT: u128 = 1 << 20;

impl Check for HeapAboveLimit {
    fn pod(&self, pod: &PodView<'_>, findings: &mut Findings) {
        for placed in pod.all_containers() {
            let limit = pod.memory_limit(placed.container);
            // of a limit in which nothing runs `unusable-size` speaks
            let Some(bytes) = limit.bytes().filter(|bytes| *bytes >= SMALLEST_LIMIT) else {
                continue;
            };
            let Some(known) = pod.memory_settings(placed.container) else { continue };
            for heap in known.heaps.iter().filter(|heap| heap.crowds(bytes)) {
                let remedy = "lower the flag or raise the limit: more than the heap has to fit";
                let pointer = pod.container_pointer(&placed, &heap.field);
                findings.report(
                    finding(placed.container, heap, limit, pointer, remedy).at_most(Mode::Warn),
                );
            }
        }
    }

    fn resize(&self, resize: &ResizeView<'_>, findings: &mut Findings) {
        if resize.approval_forces() {
            return;
        }
        for change in resize.memory_changes() {
            for heap in in_the_way(resize, &change) {
                let Some(container) = change.placed().map(|placed| placed.container) else { break };
                let remedy = "lower the flag by a rollout first, or approve with force; a restart alone keeps the same flag";
                let (limit, pointer) = (change.limit.1, change.pointer("limits"));
                let finding = finding(container, &heap, limit, pointer, remedy);
                let fills = limit.bytes().is_some_and(|limit| heap.fills(limit));
                let ceiling = if fills { Mode::Fix } else { Mode::Warn };
                findings.report(finding.lifted_by(Lift::ForcedGrant).at_most(ceiling));
            }
        }
    }
}

/// The first heap that does not fit the memory that `resize` leaves, unless it is approved.
pub(in crate::rules) fn first_in_the_way(resize: &ResizeView<'_>) -> Option<Heap> {
    resize.memory_changes().find_map(|change| {
        let fills = |heap: &Heap| change.limit.1.bytes().is_some_and(|limit| heap.fills(limit));
        in_the_way(resize, &change).into_iter().find(fills)
    })
}

/// The heaps that leave too little of the memory that `change` leaves. A share follows the limit at
/// the next start.
fn in_the_way(resize: &ResizeView<'_>, change: &MemoryChange<'_>) -> Vec<Heap> {
    let container = change.placed().filter(|_| change.is_lowered()).map(|placed| placed.container);
    let Some(container) = container else { return Vec::new() };
    let Some(limit) = change.limit.1.bytes() else { return Vec::new() };
    let mut heaps = resize.heaps(container);
    heaps.retain(|heap| !matches!(heap.size, Size::Share(_)) && heap.crowds(limit));
    heaps
}

fn finding(
    container: &Container<'_>,
    heap: &Heap,
    limit: EffectiveLimit<'_>,
    pointer: String,
    remedy: &'static str,
) -> Finding {
    let whole = || match heap.size {
        Size::Bytes(bytes) => limit.bytes().is_some_and(|limit| u128::from(bytes) >= limit),
        Size::Share(_) => false,
    };
    let relation = match heap.bound {
        Bound::OldSpace => format!("at {}% or more of", heap.bound.most()),
        Bound::Process => "above".to_owned(),
        _ if whole() => "at or above".to_owned(),
        bound => format!("above {}% of", bound.most()),
    };
    let name = &container.name;
    let message = |names: Names| {
        format!(
            "container {}: {} {relation} memory limit {limit}",
            names.quoted(name),
            heap.described()
        )
    };
    Finding::new(RULE.name, pointer, message, remedy).in_container(name)
}
