//! The match conditions of the chart, as its `_hooks.tpl` writes them.

/// Both lists of containers before and after.
const OLD: &str = "(oldObject.spec.containers+oldObject.spec.?initContainers.orValue([]))";
const NEW: &str = "(object.spec.containers+object.spec.?initContainers.orValue([]))";

const NO_MIRROR_POD: &str =
    "!('kubernetes.io/config.mirror'inobject.metadata.?annotations.orValue({}))";

const SPEC_OR_RELOADER_DIFFERS: &str = "request.operation=='CREATE'||object.spec!=oldObject.spec\
    ||object.metadata.?annotations.orValue({}).exists(k,k.contains('stakater.com/')\
    &&object.metadata.annotations[?k]!=oldObject.metadata.?annotations[?k])";

const ANNOTATION_DIFFERS: &str = "k,object.metadata.?annotations[?k].orValue('')\
    !=(request.operation=='CREATE'?'':oldObject.metadata.?annotations[?k].orValue('')))";

const NO_NAMESPACE_GOES: &str =
    "request.userInfo.username!='system:serviceaccount:kube-system:namespace-controller'";

const NO_AUTHORITY: &str =
    "!(request.?name.orValue('')in['kube-root-ca.crt','openshift-service-ca.crt'])";

const NO_LEADER_ELECTION: &str = "!('control-plane.alpha.kubernetes.io/leader'\
    in(request.operation=='DELETE'?oldObject:object).metadata.?annotations.orValue({}))";

const NO_TOKEN_OR_RELEASE: &str = "!((request.operation=='DELETE'?oldObject:object).?type.orValue('')\
    in['kubernetes.io/service-account-token','helm.sh/release.v1'])";

const CONTENT_DIFFERS: &str = "request.operation!='UPDATE'||object.?data!=oldObject.?data\
    ||object.?binaryData!=oldObject.?binaryData||object.?immutable!=oldObject.?immutable";

/// Whether the chart renders `expression` for a condition of this name, with some values. White
/// space does not count.
pub(super) fn renders(condition: &str, expression: &str) -> bool {
    let written: String = expression.split_whitespace().collect();
    let keeps = || [false, true].map(keeps_memory);
    match condition {
        "may-take-memory" => keeps().iter().any(|kept| written == format!("!({kept})")),
        "takes-no-memory" => keeps().contains(&written),
        "resources-differ" => Cpu::ALL.iter().any(|cpu| written == resources_differ(*cpu)),
        "no-mirror-pod" => written == NO_MIRROR_POD,
        "no-namespace-goes" => written == NO_NAMESPACE_GOES,
        "no-authority" => written == NO_AUTHORITY,
        "no-leader-election" => written == NO_LEADER_ELECTION,
        "no-token-or-release" => written == NO_TOKEN_OR_RELEASE,
        "content-differs" => written == CONTENT_DIFFERS,
        "spec-or-reloader-differs" => written == SPEC_OR_RELOADER_DIFFERS,
        "approval-differs" => written.split_once(".exists(").is_some_and(|(keys, rest)| {
            // which annotations approve is a setting
            serde_json::from_str::<Vec<String>>(keys).is_ok() && rest == ANNOTATION_DIFFERS
        }),
        // whom it names follows the policies
        _ => true,
    }
}

/// No memory is taken: of limits and volumes, and with `requests` of requests as well.
fn keeps_memory(requests: bool) -> String {
    let keeps = |old: &str, new: &str| {
        let limit = keeps_limit(old, new);
        if requests { format!("{limit}&&{}", keeps_request(old, new)) } else { limit }
    };
    let (of_container, of_pod) = (keeps("o", "c"), keeps("oldObject.spec", "object.spec"));
    let of_volume = keeps_size("o", "v");
    format!(
        "{NEW}.all(c,{OLD}.exists(o,o.name==c.name&&{of_container}))&&{of_pod}\
         &&object.spec.?volumes.orValue([]).all(v,v.?emptyDir.?medium.orValue('')!='Memory'\
         ||oldObject.spec.?volumes.orValue([]).exists(o,o.name==v.name&&{of_volume}))"
    )
}

fn keeps_limit(old: &str, new: &str) -> String {
    let value = |part: &str| format!("{part}.?resources.?limits.?memory.orValue('')");
    let amount = |part: &str| format!("quantity({part}.resources.limits.memory)");
    let (before, after) = (amount(old), amount(new));
    let (old, new) = (value(old), value(new));
    format!(
        "({old}=={new}||(isQuantity({old})&&isQuantity({new})&&{before}.isGreaterThan(quantity('0'))\
         &&{after}.compareTo({before})>=0&&!{after}.isGreaterThan(quantity('9223372036854775807'))))"
    )
}

fn keeps_request(old: &str, new: &str) -> String {
    let value = |part: &str| format!("{part}.?resources.?requests.?memory.orValue('0')");
    let (old, new) = (value(old), value(new));
    format!(
        "({old}=={new}||(isQuantity({old})&&isQuantity({new})&&quantity({new}).compareTo(quantity({old}))>=0))"
    )
}

fn keeps_size(old: &str, new: &str) -> String {
    let value = |part: &str| format!("{part}.?emptyDir.?sizeLimit.orValue('0')");
    let (old, new) = (value(old), value(new));
    format!(
        "({old}=={new}||(isQuantity({old})&&isQuantity({new})&&(!quantity({new}).isGreaterThan(quantity('0'))\
         ||(quantity({old}).isGreaterThan(quantity('0'))&&quantity({new}).compareTo(quantity({old}))>=0))))"
    )
}

/// Which changes of cpu rules look at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cpu {
    None,
    /// Those that restart the container.
    Restarts,
    All,
}

impl Cpu {
    const ALL: [Self; 3] = [Self::None, Self::Restarts, Self::All];
}

fn resources_differ(cpu: Cpu) -> String {
    let of_container = values("c", cpu);
    let of_pod = if cpu == Cpu::None { Cpu::None } else { Cpu::All };
    format!(
        "{NEW}.map(c,{of_container})!={OLD}.map(c,{of_container})||{}!={}",
        values("object.spec", of_pod),
        values("oldObject.spec", of_pod)
    )
}

/// The values of one part that rules look at.
fn values(part: &str, cpu: Cpu) -> String {
    let of = |resource: &str| {
        let value = |kind| format!("{part}.?resources.?{kind}.?{resource}.orValue('')");
        format!("{},{}", value("limits"), value("requests"))
    };
    let memory = of("memory");
    match cpu {
        Cpu::None => format!("[{memory}]"),
        Cpu::All => format!("[{memory},{}]", of("cpu")),
        Cpu::Restarts => format!(
            "[{memory}]+(!{part}.?resizePolicy.orValue([]).exists(p,p.resourceName=='cpu'\
             &&p.restartPolicy=='RestartContainer')?[]:[{}])",
            of("cpu")
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::doctor::hook;
    use crate::doctor::testing::healthy;

    use super::*;

    #[test]
    fn what_the_chart_renders_is_known_and_anything_else_is_not() {
        let facts = healthy();
        let conditions: Vec<_> = hook::every(&facts).flat_map(|hook| hook.conditions).collect();
        assert!(conditions.len() > 7);
        for condition in conditions {
            let (name, expression) = (&*condition.name, &*condition.expression);
            assert!(renders(name, expression), "{name}: {expression}");
            assert!(renders(name, &expression.replace(' ', "\n  ")), "{name}");
            if name != "automation" {
                assert!(!renders(name, &format!("({expression}) && false")), "{name}");
                assert!(!renders(name, &expression.replace("bject", "bject.x")), "{name}");
            }
        }
    }

    #[test]
    fn settings_that_change_conditions_are_known() {
        let memory = [false, true].map(keeps_memory);
        assert_ne!(memory[0], memory[1]);
        for kept in &memory {
            assert!(
                renders("takes-no-memory", kept)
                    && renders("may-take-memory", &format!("!({kept})"))
            );
            assert!(
                !renders("takes-no-memory", &format!("!({kept})"))
                    && !renders("may-take-memory", kept)
            );
        }
        for cpu in Cpu::ALL {
            assert!(renders("resources-differ", &resources_differ(cpu)));
        }
        let approval = |keys: &str| format!("{keys}.exists({ANNOTATION_DIFFERS}");
        assert!(renders("approval-differs", &approval("[\"example.com/agreed\"]")));
        assert!(!renders("approval-differs", &approval("[\"a\"].filter(k, k != \"a\")")));
    }
}
