//! Settings of one program each, and values that end a program.

use serde_json::{Value, json};

use crate::heap::{RefusedSetting, UnsharedReader, memory_settings_by};
use crate::kube::container::Container;

use super::{settings, variables, with_variables};

#[test]
fn settings_of_one_program_each() {
    let image = |image: &str, name: &str, value: &str| {
        settings(&json!({"image": image, "env": variables(&[(name, value)])}))
    };
    assert_eq!(image("", "SOLR_HEAP", "2g"), ["SOLR_HEAP=2g"]);
    assert_eq!(image("cassandra:4", "MAX_HEAP_SIZE", "4096M"), ["MAX_HEAP_SIZE=4096M"]);
    assert_eq!(image("app", "MAX_HEAP_SIZE", "4096M"), [""; 0], "it may be anybody's");
    let redis = |words: &[&str]| settings(&json!({"command": words}));
    assert_eq!(redis(&["redis-server", "--maxmemory", "1gb"]), ["--maxmemory 1gb"]);
    assert_eq!(
        redis(&["redis-server", "--maxmemory", "1gb", "--maxmemory", "0"]),
        [""; 0],
        "0 is none"
    );
    assert_eq!(settings(&json!({"args": ["--maxmemory", "1gb"]})), ["--maxmemory 1gb"]);
    assert_eq!(redis(&["redis-server", "--maxmemory 1gb"]), ["--maxmemory 1gb"]);
    assert_eq!(
        redis(&["mysqld", "--innodb_buffer_pool_size=1G"]),
        ["--innodb_buffer_pool_size=1G"]
    );
    assert_eq!(
        redis(&["mongod", "--wiredTigerCacheSizeGB", "1.5"]),
        ["--wiredTigerCacheSizeGB=1.5"]
    );
    let flink = |args: &[&str]| {
        let text = "jobmanager.memory.process.size: 1g\ntaskmanager.memory.process.size: 4g\n";
        settings(&json!({"args": args, "env": variables(&[("FLINK_PROPERTIES", text)])}))
    };
    assert_eq!(flink(&["taskmanager"]), ["taskmanager.memory.process.size: 4g"]);
    assert_eq!(flink(&[]), ["jobmanager.memory.process.size: 1g"], "the smaller of both");
    assert_eq!(
        with_variables(&[("NODE_OPTIONS", "--max-old-space-size-percentage=95")]),
        ["--max-old-space-size-percentage=95"]
    );
    assert_eq!(with_variables(&[("JAVA_OPTS", "-XX:MaxRAMFraction=1")]), ["-XX:MaxRAMFraction=1"]);
}

/// What the programs of a container refuse.
fn refused(container: &Value) -> Vec<String> {
    let text = container.to_string();
    let container: Container<'_> = Container::from_json(&text).unwrap();
    memory_settings_by(&UnsharedReader, &container)
        .refused
        .iter()
        .map(RefusedSetting::described)
        .collect()
}

#[test]
fn values_that_end_a_program() {
    let of = |name: &str, value: &str| refused(&json!({"env": variables(&[(name, value)])}));
    for value in ["1024Mi", "1G", "1GB", "1g", "1.5GiB", "-1", "1 GiB", "Off"] {
        assert_eq!(of("GOMEMLIMIT", value), [format!("GOMEMLIMIT={value}")], "{value}");
    }
    for value in ["", "off", "0", "1GiB", "1073741824", "$(LIMIT)", "${LIMIT}", "{{ limit }}"] {
        assert_eq!(of("GOMEMLIMIT", value), [""; 0], "{value}");
    }
    for value in ["-Xmx512Mi", "-Xmx1.5g", "-Xmx", "-Xss1Mi", "-XX:MaxRAMPercentage=75%"] {
        assert_eq!(of("JAVA_OPTS", value), [format!("{value} in JAVA_OPTS")], "{value}");
    }
    assert_eq!(of("JAVA_OPTS", "-Xms2g -Xmx1g"), ["-Xms2g above -Xmx1g in JAVA_OPTS"]);
    for value in ["-Xmx${HEAP}", "-Xmx1g -Xms1g", "-Xmx$HEAP", "-XX:MaxRAMPercentage=75"] {
        assert_eq!(of("JAVA_OPTS", value), [""; 0], "{value}");
    }
    assert_eq!(
        refused(&json!({"command": ["node", "--max-old-space-size=2Gi", "a.js"]})),
        ["--max-old-space-size=2Gi"]
    );
    assert_eq!(
        refused(&json!({"command": ["redis-server", "--maxmemory", "1Gi"]})),
        ["--maxmemory 1Gi"]
    );
}
