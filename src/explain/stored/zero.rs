//! Values that mean what absence means, so that the API server writes neither: the zero values of
//! fields that are no pointers in its types (`omitempty`). The OpenAPI document does not say which
//! these are.

use serde_json::Value;

/// Fields whose `false` is written, of types where the others' is not.
const WRITTEN_FLAGS: [&str; 2] = ["AzureDiskVolumeSource.readOnly", "CSIVolumeSource.readOnly"];

/// Fields whose `false` is dropped.
const FLAGS: [&str; 12] = [
    "chapAuthDiscovery",
    "chapAuthSession",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "paused",
    "publishNotReadyAddresses",
    "readOnly",
    "sslEnabled",
    "stdin",
    "stdinOnce",
    "tty",
];

/// Fields whose `0` is dropped.
const NUMBERS: [&str; 11] = [
    "AWSElasticBlockStoreVolumeSource.partition",
    "ContainerPort.hostPort",
    "GCEPersistentDiskVolumeSource.partition",
    "Probe.failureThreshold",
    "Probe.initialDelaySeconds",
    "Probe.periodSeconds",
    "Probe.successThreshold",
    "Probe.timeoutSeconds",
    "ServicePort.nodePort",
    "ServiceSpec.healthCheckNodePort",
    "*.minReadySeconds",
];

/// Fields whose empty text is written: it means something else than absence.
const TEXTS: [&str; 48] = [
    "AppArmorProfile.localhostProfile",
    "AzureDiskVolumeSource.cachingMode",
    "AzureDiskVolumeSource.fsType",
    "AzureDiskVolumeSource.kind",
    "CSIVolumeSource.fsType",
    "ClusterTrustBundleProjection.name",
    "ClusterTrustBundleProjection.signerName",
    "Container.restartPolicy",
    "CronJobSpec.timeZone",
    "EphemeralContainer.restartPolicy",
    "GRPCAction.service",
    "HostPathVolumeSource.type",
    "ISCSIVolumeSource.initiatorName",
    "JobSpec.completionMode",
    "JobSpec.managedBy",
    "JobSpec.podReplacementPolicy",
    "Lifecycle.stopSignal",
    "PersistentVolumeClaimSpec.storageClassName",
    "PersistentVolumeClaimSpec.volumeAttributesClassName",
    "PersistentVolumeClaimSpec.volumeMode",
    "PodDNSConfigOption.value",
    "PodFailurePolicyOnExitCodesRequirement.containerName",
    "PodResourceClaim.resourceClaimName",
    "PodResourceClaim.resourceClaimTemplateName",
    "PodSchedulingGroup.podGroupName",
    "PodSecurityContext.fsGroupChangePolicy",
    "PodSecurityContext.seLinuxChangePolicy",
    "PodSecurityContext.supplementalGroupsPolicy",
    "PodSpec.hostnameOverride",
    "PodSpec.preemptionPolicy",
    "PodSpec.runtimeClassName",
    "SeccompProfile.localhostProfile",
    "SecurityContext.procMount",
    "ServicePort.appProtocol",
    "ServiceSpec.internalTrafficPolicy",
    "ServiceSpec.ipFamilyPolicy",
    "ServiceSpec.loadBalancerClass",
    "ServiceSpec.trafficDistribution",
    "SuccessPolicyRule.succeededIndexes",
    "TopologySpreadConstraint.nodeAffinityPolicy",
    "TopologySpreadConstraint.nodeTaintsPolicy",
    "TypedLocalObjectReference.apiGroup",
    "TypedObjectReference.apiGroup",
    "TypedObjectReference.namespace",
    "VolumeMount.mountPropagation",
    "VolumeMount.recursiveReadOnly",
    "WindowsSecurityContextOptions.gmsaCredentialSpec",
    "WindowsSecurityContextOptions.runAsUserName",
];

/// Whether `value` in `field` of type `of` is dropped.
pub(super) fn is_dropped(of: &str, field: &str, value: &Value) -> bool {
    let is = |row: &&str| {
        row.split_once('.').is_some_and(|(one, name)| (one == of || one == "*") && name == field)
    };
    match value {
        Value::Bool(false) => FLAGS.contains(&field) && !WRITTEN_FLAGS.iter().any(is),
        Value::Number(number) => number.as_i64() == Some(0) && NUMBERS.iter().any(is),
        Value::String(text) => text.is_empty() && !TEXTS.iter().any(is),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}
