mod programs;

use serde_json::{Value, json};

use crate::kube::container::Container;

use super::{Bound, Heap, Size, heaps};

const MIB: u64 = 1 << 20;

/// The settings that count in a container with these fields.
fn settings(container: &Value) -> Vec<String> {
    read(container).into_iter().map(|heap| heap.setting).collect()
}

fn read(container: &Value) -> Vec<Heap> {
    let text = container.to_string();
    let container: Container<'_> = Container::from_json(&text).unwrap();
    heaps(&container)
}

fn variables(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

/// What counts in a container of an image with variables of its own.
fn with_variables(pairs: &[(&str, &str)]) -> Vec<String> {
    settings(&json!({"env": variables(pairs)}))
}

/// What counts where a shell runs `script`.
fn with_script(script: &str, pairs: &[(&str, &str)]) -> Vec<String> {
    settings(&json!({"command": ["sh", "-c", script], "env": variables(pairs)}))
}

#[test]
fn each_runtime() {
    let heap = |setting: &str, place: Option<&str>, size, bound, field: &str| Heap {
        setting: setting.to_owned(),
        place: place.map(str::to_owned),
        size: Size::Bytes(size),
        bound,
        field: field.to_owned(),
    };
    let container = json!({
        "args": ["-Xmx512m", "-jar", "app.jar"],
        "env": variables(&[("NODE_OPTIONS", "--max-old-space-size=450"), ("GOMEMLIMIT", "1GiB")]),
    });
    let expected = [
        heap("-Xmx512m", None, 512 * MIB, Bound::Heap, "args/0"),
        heap("--max-old-space-size=450", Some("NODE_OPTIONS"), 450 * MIB, Bound::OldSpace, "env/0"),
        heap("GOMEMLIMIT=1GiB", None, 1024 * MIB, Bound::Runtime, "env/1"),
    ];
    assert_eq!(read(&container), expected);
    let share = read(&json!({"command": ["java", "-XX:MaxRAMPercentage=90.5", "-jar", "app.jar"]}));
    let [share] = share.as_slice() else { panic!("{share:?}") };
    assert_eq!(
        (share.size, share.bound, &*share.field),
        (Size::Share(90.5), Bound::Heap, "command/1")
    );
}

#[test]
fn the_order_of_the_virtual_machine() {
    let all = [
        ("JAVA_TOOL_OPTIONS", "-Xmx1m"),
        ("JDK_JAVA_OPTIONS", "-Xmx2m"),
        ("JAVA_OPTS", "-Xmx3m"),
        ("_JAVA_OPTIONS", "-Xmx4m"),
    ];
    for (count, expected) in [(1, "-Xmx1m"), (2, "-Xmx2m"), (3, "-Xmx3m"), (4, "-Xmx4m")] {
        assert_eq!(with_variables(&all[..count]), [expected]);
    }
    let direct = |pairs: &[(&str, &str)]| {
        settings(&json!({"command": ["java", "-Xmx9m", "-jar", "a.jar"], "env": variables(pairs)}))
    };
    assert_eq!(direct(&all[..3]), ["-Xmx9m"], "nobody reads JAVA_OPTS here");
    assert_eq!(direct(&all), ["-Xmx4m"]);
}

#[test]
fn the_last_of_repeated_settings() {
    assert_eq!(
        with_variables(&[("JAVA_OPTS", "-Xmx1g -XX:MaxHeapSize=2g -Xmx512m")]),
        ["-Xmx512m"]
    );
    assert_eq!(
        with_variables(&[("JAVA_OPTS", "-Xmx1g -XX:MaxHeapSize=536870912")]),
        ["-XX:MaxHeapSize=536870912"]
    );
    assert_eq!(
        with_variables(&[("JAVA_OPTS", "-XX:MaxRAMPercentage=90 -Xmx1g")]),
        ["-Xmx1g"],
        "a percentage is for want of a size"
    );
    assert_eq!(
        with_variables(&[("NODE_OPTIONS", "--max-old-space-size=1 --max_old_space_size=2")]),
        ["--max_old_space_size=2"]
    );
    let node = json!({"command": ["node", "--max-old-space-size=7", "a.js"], "env": variables(&[("NODE_OPTIONS", "--max-old-space-size=9")])});
    assert_eq!(settings(&node), ["--max-old-space-size=7"]);
}

#[test]
fn the_smallest_where_either_may_count() {
    assert_eq!(with_variables(&[("JAVA_OPTS", "-Xmx1g"), ("CATALINA_OPTS", "-Xmx2g")]), ["-Xmx1g"]);
    assert_eq!(
        with_variables(&[("KAFKA_HEAP_OPTS", "-Xmx2g"), ("KAFKA_OPTS", "-javaagent:/a.jar")]),
        ["-Xmx2g"]
    );
    assert_eq!(
        with_script(
            "if [ -f /big ]; then java -Xmx8g -jar a.jar; else java -Xmx1g -jar a.jar; fi",
            &[]
        ),
        ["-Xmx1g"]
    );
    let args = json!({"args": ["-Xmx3g"], "env": variables(&[("JAVA_OPTS", "-Xmx2g")])});
    assert_eq!(settings(&args), ["-Xmx2g"]);
}

#[test]
fn quotes_of_variables() {
    assert_eq!(
        with_variables(&[("JAVA_TOOL_OPTIONS", r#"-Da="x -Xmx9g y" '-Xmx1g'"#)]),
        ["-Xmx1g"]
    );
    assert_eq!(
        with_variables(&[("JAVA_TOOL_OPTIONS", r#"-Dp=C:\temp\x -Xmx"1g""#)]),
        ["-Xmx1g"],
        "a backslash is nothing special"
    );
    assert_eq!(
        with_variables(&[("JAVA_TOOL_OPTIONS", r#"-Xmx1g -Da="open"#)]),
        [""; 0],
        "it does not start"
    );
    assert_eq!(with_variables(&[("JAVA_TOOL_OPTIONS", "-Xms1g\n\t-Xmx1g\r\n")]), ["-Xmx1g"]);
    assert_eq!(
        with_variables(&[("NODE_OPTIONS", r#"--require "a b" "--max-old-space-size=5""#)]),
        ["--max-old-space-size=5"]
    );
}

#[test]
fn references() {
    let java = |pairs: &[(&str, &str)], args: &[&str]| {
        settings(&json!({"command": ["java"], "args": args, "env": variables(pairs)}))
    };
    assert_eq!(java(&[("HEAP", "2g")], &["-Xmx$(HEAP)", "-jar", "a.jar"]), ["-Xmx2g"]);
    assert_eq!(java(&[("HEAP", "2g")], &["-Xmx$$(HEAP)", "-jar", "a.jar"]), [""; 0], "escaped");
    assert_eq!(java(&[], &["-Xmx$(HEAP)", "-jar", "a.jar"]), [""; 0], "from nowhere");
    assert_eq!(java(&[], &["-Xmx1g", "$(MORE)", "-jar", "a.jar"]), [""; 0], "may hold another");
    assert_eq!(java(&[], &["$(MORE)", "-Xmx1g", "-jar", "a.jar"]), ["-Xmx1g"], "the last counts");
    assert_eq!(
        java(&[], &["-Xmx1g", "-Dhost=$(HOST)", "-jar", "a.jar"]),
        ["-Xmx1g"],
        "one word, and none of a heap"
    );
    assert_eq!(with_variables(&[("HEAP", "2g"), ("JAVA_OPTS", "-Xmx$(HEAP)")]), ["-Xmx2g"]);
    assert_eq!(
        with_variables(&[("JAVA_OPTS", "-Xmx$(HEAP)"), ("HEAP", "2g")]),
        [""; 0],
        "only earlier names"
    );
    assert_eq!(
        with_variables(&[("HEAP", "1g"), ("JAVA_OPTS", "-Xmx$(HEAP)"), ("HEAP", "2g")]),
        ["-Xmx1g"],
        "as it was then"
    );
    assert_eq!(
        with_variables(&[("A", "512"), ("B", "$(A)MiB"), ("GOMEMLIMIT", "$(B)")]),
        ["GOMEMLIMIT=512MiB"]
    );
}

#[test]
fn values_from_elsewhere() {
    let elsewhere = |name: &str| json!({"name": name, "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}});
    let known = |name: &str| json!({"name": name, "value": "-Xmx1g"});
    let of = |env: Value| settings(&json!({"env": env}));
    assert_eq!(of(json!([known("JAVA_OPTS"), elsewhere("_JAVA_OPTIONS")])), [""; 0]);
    assert_eq!(of(json!([known("JAVA_OPTS"), elsewhere("CATALINA_OPTS")])), [""; 0]);
    assert_eq!(of(json!([known("JAVA_OPTS"), elsewhere("JAVA_TOOL_OPTIONS")])), ["-Xmx1g"]);
    assert_eq!(of(json!([known("JAVA_OPTS"), elsewhere("JAVA_OPTS")])), [""; 0]);
    assert_eq!(of(json!([elsewhere("JAVA_OPTS"), known("JAVA_OPTS")])), ["-Xmx1g"]);
    assert_eq!(of(json!([elsewhere("S"), {"name": "JAVA_OPTS", "value": "-Xmx$(S)"}])), [""; 0]);
    let limit = json!([{"name": "GOMEMLIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory"}}}]);
    assert_eq!(of(limit), ["GOMEMLIMIT=limits.memory"]);
    let part = json!([{"name": "GOMEMLIMIT", "valueFrom": {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}}}]);
    assert_eq!(of(part), [""; 0]);
    let below = json!({"env": [known("JAVA_OPTS")], "envFrom": [{"configMapRef": {"name": "c"}}]});
    assert_eq!(settings(&below), ["-Xmx1g"], "a literal wins over envFrom");
}

#[test]
fn only_what_the_virtual_machine_gets() {
    let java = |words: &[&str]| settings(&json!({"command": words}));
    assert_eq!(java(&["java", "-jar", "a.jar", "-Xmx9g"]), [""; 0]);
    assert_eq!(java(&["java", "-cp", "-Xmx9g", "-Xmx1g", "Main", "-Xmx9g"]), ["-Xmx1g"]);
    assert_eq!(java(&["java", "-m", "a/b", "-Xmx9g"]), [""; 0]);
    assert_eq!(
        java(&["/opt/jdk/bin/java", "-Xmx1g", "@more", "Main"]),
        [""; 0],
        "a file of options"
    );
    assert_eq!(java(&["tini", "--", "java", "-Xmx1g", "Main"]), ["-Xmx1g"]);
    assert_eq!(java(&["java", "-Xmx1g -Xms1g", "Main"]), [""; 0], "one word");
    assert_eq!(java(&["java", "-DXmx=-Xmx1g", "Main"]), [""; 0]);
    assert_eq!(java(&["/entrypoint.sh", "-Xmx1g", "-jar", "a.jar", "-Xmx9g"]), ["-Xmx1g"]);
    assert_eq!(
        java(&["java", "-XX:MaxRAM=1g", "-XX:MaxRAMPercentage=90", "Main"]),
        [""; 0],
        "of what MaxRAM says"
    );
    assert_eq!(
        java(&["java", "-XX:-UseContainerSupport", "-XX:MaxRAMPercentage=90", "Main"]),
        [""; 0],
        "of the node"
    );
    assert_eq!(java(&["node", "server.js", "--max-old-space-size=9"]), [""; 0]);
    assert_eq!(
        java(&["node", "-r", "dotenv/config", "--max-old-space-size=9", "server.js"]),
        ["--max-old-space-size=9"]
    );
    assert_eq!(java(&["node", "--max-old-space-size", "9", "server.js"]), [""; 0]);
    assert_eq!(java(&["node", "--max-old-space-size=0", "server.js"]), [""; 0], "V8's own choice");
    assert_eq!(settings(&json!({"args": ["server.js", "--max-old-space-size=9"]})), [""; 0]);
    let others = [
        ("HADOOP_CLIENT_OPTS", "-Xmx9g"),
        ("SPARK_EXECUTOR_OPTS", "-Xmx9g"),
        ("MAP_JAVA", "-Xmx9g"),
        ("CATALINA_OPTS", "-Xmx1g"),
    ];
    assert_eq!(with_variables(&others), ["-Xmx1g"]);
    assert_eq!(
        with_variables(&[("NOTES", "run it with -Xmx9g"), ("NIGHTLY", "java -Xmx9g -jar a.jar")]),
        [""; 0]
    );
    assert_eq!(
        with_variables(&[("INSTALL4J_ADD_VM_PARAMS", "-Xms1g -Xmx9g -Da=b")]),
        ["-Xmx9g"],
        "nothing but options"
    );
    assert_eq!(with_variables(&[("PULSAR_MEM", "-Da=b")]), [""; 0]);
}

#[test]
fn scripts() {
    assert_eq!(with_script("cd /app && exec java -Xmx1g -jar a.jar", &[]), ["-Xmx1g"]);
    assert_eq!(
        with_script("exec java $JAVA_OPTS -jar a.jar", &[("JAVA_OPTS", "-Xms1g -Xmx1g")]),
        ["-Xmx1g"]
    );
    assert_eq!(
        with_script("exec java -jar a.jar", &[("JAVA_OPTS", "-Xmx9g")]),
        [""; 0],
        "nobody reads JAVA_OPTS here"
    );
    assert_eq!(with_script("exec catalina.sh run", &[("JAVA_OPTS", "-Xmx9g")]), ["-Xmx9g"]);
    assert_eq!(with_script("java -Xmx$HEAP -jar a.jar", &[]), [""; 0]);
    assert_eq!(with_script("java -Xmx${HEAP:-1g} -jar a.jar", &[]), [""; 0]);
    assert_eq!(
        with_script("H=$(free -m | awk '{print $2}'); java -Xmx${H}m -jar a.jar", &[]),
        [""; 0]
    );
    assert_eq!(with_script("java -Xmx1g $MORE -jar a.jar", &[]), [""; 0]);
    assert_eq!(with_script("java -Xmx1g -Dhost=$(hostname) -jar a.jar", &[]), ["-Xmx1g"]);
    assert_eq!(with_script("echo java -Xmx9g; echo -Xmx9g", &[]), [""; 0]);
    assert_eq!(with_script("# java -Xmx9g\nsleep 1", &[]), [""; 0]);
    assert_eq!(with_script("java -Xmx9g 'unbalanced", &[]), [""; 0]);
    assert_eq!(
        with_script("NODE_ENV=production node --max-old-space-size=9 server.js", &[]),
        ["--max-old-space-size=9"]
    );
}

#[test]
fn scripts_that_set_variables() {
    let java = [("JAVA_OPTS", "-Xmx9g")];
    for script in [
        "export JAVA_OPTS=-Xmx1g; exec catalina.sh run",
        "mkdir -p /tmp/a; export JAVA_OPTS; JAVA_OPTS=-Xmx1g; exec catalina.sh run",
        "env JAVA_OPTS=-Xmx1g catalina.sh run",
        "JAVA_OPTS=-Xmx1g exec catalina.sh run",
        "export JAVA_OPTS=-Xmx1g; tini -- su-exec app sh -c 'exec catalina.sh run'",
    ] {
        assert_eq!(with_script(script, &java), ["-Xmx1g"], "{script}");
    }
    for script in [
        "unset JAVA_OPTS; exec catalina.sh run",
        ". /vault/env; exec catalina.sh run",
        "JAVA_OPTS=$(opts); exec catalina.sh run",
        "JAVA_OPTS=-Xmx1g build.sh; catalina.sh run",
        "if [ -f /big ]; then JAVA_OPTS=-Xmx8g run.sh; else JAVA_OPTS=-Xmx1g run.sh; fi",
    ] {
        assert_eq!(with_script(script, &java), [""; 0], "{script}");
    }
    assert_eq!(with_script("export JAVA_OPTS=-Xmx1g; exec run.sh", &[]), ["-Xmx1g"]);
    assert_eq!(
        with_script("echo \"$JAVA_OPTS ${JAVA_OPTS}\"; exec catalina.sh run", &java),
        ["-Xmx9g"]
    );
    assert_eq!(with_script("_JAVA_OPTIONS=-Xmx1g java -Xmx9g Main", &[]), ["-Xmx1g"]);
    assert_eq!(
        with_script("export GOMEMLIMIT=1GiB; exec /app", &[("GOMEMLIMIT", "9GiB")]),
        ["GOMEMLIMIT=1GiB"]
    );
    assert_eq!(
        settings(
            &json!({"command": ["env", "GOMEMLIMIT=1GiB", "/app"], "env": variables(&[("GOMEMLIMIT", "9GiB")])})
        ),
        ["GOMEMLIMIT=1GiB"]
    );
}

#[test]
fn what_the_runtime_would_refuse() {
    for text in [
        "-Xmx",
        "-Xmx=1g",
        "-Xmx512mb",
        "-Xmx0.5g",
        "-Xmx512Mi",
        "-Xmx0",
        "-XX:MaxHeapSize=",
        "-XX:MaxRAMPercentage=190",
    ] {
        assert_eq!(with_variables(&[("JAVA_TOOL_OPTIONS", text)]), [""; 0], "{text}");
    }
    for text in ["", "off", "512Mi", "512MB", "-1", "9223372036854775808"] {
        assert_eq!(with_variables(&[("GOMEMLIMIT", text)]), [""; 0], "{text}");
    }
}

#[test]
fn more_variables_than_anyone_has() {
    let names: Vec<String> = (0..17).map(|index| format!("A{index:02}_OPTS")).collect();
    let pairs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "-Xmx1g")).collect();
    assert_eq!(with_variables(&pairs[..16]), ["-Xmx1g"]);
    assert_eq!(with_variables(&pairs), [""; 0]);
}
