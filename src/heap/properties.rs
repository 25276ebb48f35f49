//! What holds for every container.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::kube::container::{Container, EnvVar};

use super::heaps;
use super::java::words;

/// Pieces that matter to some reader or other, and any text.
fn text() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "-Xmx",
        "1g",
        "512m",
        "-XX:MaxHeapSize=",
        "-XX:MaxRAMPercentage=",
        "90",
        "--max-old-space-size=",
        "off",
        "MiB",
        " ",
        "\"",
        "'",
        "\\",
        "$(A)",
        "$$",
        "$(",
        "$JAVA_OPTS",
        "java ",
        "node ",
        "-jar ",
        "; ",
        "@f",
        "é",
        "0",
        "18446744073709551616",
        "GOMEMLIMIT=",
        "\n",
    ]);
    prop_oneof![9 => vec(pieces, 0..8).prop_map(|pieces| pieces.concat()), 1 => any::<String>()]
}

fn names() -> impl Strategy<Value = &'static str> {
    select(vec![
        "A",
        "JAVA_OPTS",
        "CATALINA_OPTS",
        "JAVA_TOOL_OPTIONS",
        "JDK_JAVA_OPTIONS",
        "_JAVA_OPTIONS",
        "NODE_OPTIONS",
        "GOMEMLIMIT",
    ])
}

fn container(
    env: &[(&'static str, String, bool)],
    command: &[String],
    args: &[String],
) -> Container<'static> {
    let variable = |(name, value, elsewhere): &(&'static str, String, bool)| EnvVar {
        name: (*name).into(),
        value: if *elsewhere { "".into() } else { value.clone().into() },
        value_from: elsewhere.then(Box::default),
    };
    let words = |texts: &[String]| texts.iter().cloned().map(Into::into).collect();
    Container {
        env: env.iter().map(variable).collect(),
        command: words(command),
        args: words(args),
        ..Container::default()
    }
}

proptest! {
    #[test]
    fn nothing_makes_it_panic(
        env in vec((names(), text(), any::<bool>()), 0..5),
        command in vec(prop_oneof![select(vec!["sh", "-c", "java", "node", "env", "tini"]).prop_map(str::to_owned), text()], 0..4),
        args in vec(text(), 0..4),
    ) {
        let found = heaps(&container(&env, &command, &args));
        prop_assert!(found.len() <= 3);
        for heap in &found {
            // settings are repeated in messages: a size and nothing that may be a secret
            prop_assert!(heap.setting.is_ascii() && !heap.setting.contains(['"', '\'', '$', ' ', '\\']), "{:?}", heap);
        }
    }

    #[test]
    fn the_last_size_counts(sizes in vec((1u64..1 << 40, select(vec!["", "k", "K", "m", "M"])), 1..5)) {
        let options: Vec<String> = sizes.iter().map(|(number, unit)| format!("-Xmx{number}{unit}")).collect();
        for found in [
            heaps(&container(&[("JAVA_OPTS", options.join(" "), false)], &[], &[])),
            heaps(&container(&[], &["java".to_owned()], &options)),
            heaps(&container(&[], &["sh".to_owned(), "-c".to_owned(), format!("exec java {} Main", options.join(" "))], &[])),
        ] {
            prop_assert_eq!(found.iter().map(|heap| &heap.setting).collect::<Vec<_>>(), [options.last().unwrap()]);
        }
    }

    #[test]
    fn something_unknown_behind_a_setting_silences_it(setting in select(vec!["-Xmx1g", "-XX:MaxHeapSize=5m", "-XX:MaxRAMPercentage=90"])) {
        for name in ["JAVA_OPTS", "JAVA_TOOL_OPTIONS"] {
            let env = |more: &str| [(name, format!("{setting}{more}"), false)];
            prop_assert_eq!(heaps(&container(&env(" -Da=b"), &[], &[])).len(), 1);
            prop_assert_eq!(heaps(&container(&env(" $(B)"), &[], &[])).len(), 0);
            let overridden = [env("").to_vec(), vec![("_JAVA_OPTIONS", String::new(), true)]].concat();
            prop_assert_eq!(heaps(&container(&overridden, &[], &[])).len(), 0);
        }
    }

    #[test]
    fn words_come_apart_as_they_were_put_together(parts in vec(("[^'\"\\s]{0,4}", "[^'\"]{0,4}", any::<bool>()), 0..5), blanks in "[ \t\r\n\x0b\x0c]{1,3}") {
        let quoted = |(bare, inner, double): &(String, String, bool)| {
            let quote = if *double { '"' } else { '\'' };
            format!("{bare}{quote}{inner}{quote}")
        };
        let text = parts.iter().map(quoted).collect::<Vec<_>>().join(&blanks);
        let expected = parts.iter().map(|(bare, inner, _)| format!("{bare}{inner}")).collect::<Vec<_>>();
        prop_assert_eq!(words(&text), Some(expected));
        let open = format!("{text}'");
        prop_assert_eq!(words(&open), None);
    }

    #[test]
    fn bare_words_are_split_as_std_splits_them(text in "[a-z@$\\\\ \t\n]{0,20}") {
        prop_assert_eq!(words(&text).unwrap(), text.split_ascii_whitespace().collect::<Vec<_>>());
    }
}
