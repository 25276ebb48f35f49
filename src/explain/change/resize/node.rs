//! What the API server refuses because of the pod's node, where the node is known
//! (`PodResizeValidator` of Kubernetes 1.36).

use serde_json::Value;

use crate::explain::pod_spec::amount_text;
use crate::kube::quantity::Quantity;
use crate::kube::requests::{cpu_text, memory_floor_text, memory_text};
use crate::manifest::unstructured::Unstructured;

/// Why the pod cannot be resized on its node, which stands among `others`.
pub(super) fn refusal(pod: &Unstructured, others: &[Unstructured]) -> Option<String> {
    let name = pod.text("/spec/nodeName").filter(|name| !name.is_empty())?;
    let node = others.iter().find(|other| other.kind == "Node" && other.name == name)?;
    if let Some(system) =
        node.text("/metadata/labels/kubernetes.io~1os").filter(|system| *system != "linux")
    {
        return Some(format!(
            "node {name:?} is of {system}, and only pods of Linux can be resized (403)"
        ));
    }
    let asked = pod.decode().ok()?.spec.requests()?;
    let overhead = |resource: &str| amount(pod.value(), &format!("/spec/overhead/{resource}"));
    let most = |resource: &str| amount(node.value(), &format!("/status/allocatable/{resource}"));
    let whole = |amount: &Quantity<'_>| amount.value().map(i128::from);
    let memory =
        asked.memory.saturating_add(overhead("memory").as_ref().and_then(whole).unwrap_or(0));
    let cpu =
        asked.cpu.saturating_add(overhead("cpu").and_then(|cpu| cpu.milli_value()).unwrap_or(0));
    let too_much = |what: String, most: String| {
        Some(format!(
            "the pod would ask for {what}, and all that node {name:?} can give is {most}: the API server refuses it (403); before \
             Kubernetes 1.36 it accepts it, and the kubelet answers with Infeasible"
        ))
    };
    match (most("memory").as_ref().and_then(whole), most("cpu").and_then(|cpu| cpu.milli_value())) {
        (Some(most), _) if memory > most => {
            too_much(format!("{} of memory", memory_text(memory)), memory_floor_text(most))
        }
        (_, Some(most)) if cpu > most => {
            too_much(format!("{} of cpu", cpu_text(cpu)), cpu_text(most))
        }
        _ => None,
    }
}

fn amount(value: &Value, pointer: &str) -> Option<Quantity<'static>> {
    Quantity::parse(amount_text(value.pointer(pointer)?)?).ok()
}
