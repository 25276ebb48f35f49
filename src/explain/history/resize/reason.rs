//! Why a resize is not carried out, by the kubelet's own words.

use serde::Serialize;

use crate::kube::version::Version;

/// Why a resize is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The node has no room now.
    NodeFull,
    /// The node will never have the room.
    NodeTooSmall,
    /// The static CPU manager gives a Guaranteed pod whole cores.
    StaticCpuManager,
    /// The static memory manager gives a Guaranteed pod its memory for good.
    StaticMemoryManager,
    /// The container may swap.
    Swap,
    /// Windows cannot resize.
    Windows,
    /// The system of the node cannot resize.
    UnsupportedNode,
    /// A feature is off on the node.
    FeatureOff,
    /// The pod is static.
    StaticPod,
    /// The process uses as much as the new limit, or more.
    BelowUsage,
    /// The kubelet does not know how much the process uses.
    UsageUnknown,
    /// What the kubelet says is not known here.
    Other,
}

/// Amounts in a message of the kubelet: bytes, or thousandths of a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Room<'m> {
    resource: &'m str,
    requested: u64,
    used: Option<u64>,
    capacity: u64,
}

impl Reason {
    /// What the kubelet of 1.33 to 1.36 means by `message`.
    pub(super) fn of(message: &str) -> Self {
        let has = |words: &str| message.contains(words);
        match () {
            () if has("didn't have enough capacity") => Self::NodeTooSmall,
            () if has("didn't have enough") => match Room::read(message) {
                Some(room) if room.requested > room.capacity => Self::NodeTooSmall,
                _ => Self::NodeFull,
            },
            () if has("CPU Manager") => Self::StaticCpuManager,
            () if has("Memory Manager") => Self::StaticMemoryManager,
            () if has("swap") => Self::Swap,
            () if has("Windows") => Self::Windows,
            () if has("not supported on this node") => Self::UnsupportedNode,
            () if has("is disabled") || has("eature gate") => Self::FeatureOff,
            () if has("static-pod") || has("static pod") => Self::StaticPod,
            () if has("below current usage") => Self::BelowUsage,
            () if has("memory usage") => Self::UsageUnknown,
            () => Self::Other,
        }
    }

    /// What it means.
    pub(super) fn why(self, message: &str, version: Option<&Version>) -> String {
        match self {
            Self::NodeFull => format!(
                "the node has no room for it now{}: nothing of it is carried out, and containers run on as they were; it is tried \
                 again when pods on the node end or shrink, and every 3 minutes",
                Room::of(message)
            ),
            Self::NodeTooSmall => format!(
                "the node is too small for it, however empty it is{}{}",
                Room::of(message),
                by_version(version)
            ),
            Self::StaticCpuManager => "the kubelet has the static CPU manager, which gives Guaranteed pods cores of their own and \
                                       changes none of them in place"
                .to_owned(),
            Self::StaticMemoryManager => "the kubelet has the static memory manager, which gives Guaranteed pods memory of their own \
                                          and changes none of it in place"
                .to_owned(),
            Self::Swap => "the container may swap, and a change of its memory request would change how much: only resize policy \
                           RestartContainer for memory allows it"
                .to_owned(),
            Self::Windows => "Windows nodes cannot resize pods in place".to_owned(),
            Self::UnsupportedNode => "the system of this node cannot resize pods in place".to_owned(),
            Self::FeatureOff => "the feature is off on this node".to_owned(),
            Self::StaticPod => "the pod is static: its manifest on the node decides".to_owned(),
            Self::BelowUsage => below_usage(version),
            Self::UsageUnknown => "the kubelet has not measured how much memory is in use, and lowers no limit before; it tries again"
                .to_owned(),
            Self::Other => "the kubelet says why".to_owned(),
        }
    }
}

fn below_usage(version: Option<&Version>) -> String {
    let refused = match version.and_then(|version| version.minor) {
        Some(34..) => "",
        _ => " (Kubernetes 1.33 refuses such a resize with 422)",
    };
    format!(
        "the kubelet does not lower a memory limit while usage, page cache included, is at or above it{refused}: nothing is \
         changed, the old limit is in force, and it tries again every few seconds; the spec has the new value, and the next start \
         of the container takes it"
    )
}

/// Who says that a node is too small depends on the version.
fn by_version(version: Option<&Version>) -> String {
    match version.and_then(|version| version.minor) {
        Some(minor @ ..=35) => {
            format!("; the API server of 1.{minor} accepts such a request, that of 1.36 refuses it (403)")
        }
        Some(minor) => format!("; the API server of 1.{minor} refuses a request above what the node can give (403)"),
        None => "; the kubelets of Kubernetes 1.33 to 1.35 say so, since 1.36 the API server refuses such a request (403)".to_owned(),
    }
}

impl<'m> Room<'m> {
    fn read(message: &'m str) -> Option<Self> {
        let (_, rest) = message.split_once("enough ")?;
        let (_, rest) = rest.split_once(": ")?;
        let (resource, _) = rest.split_once(',')?;
        let number = |word: &str| -> Option<u64> {
            let (_, rest) = message.rsplit_once(word)?;
            let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
            rest.get(..end)?.parse().ok()
        };
        Some(Self {
            resource,
            requested: number("requested: ")?,
            used: number("used: "),
            capacity: number("capacity: ")?,
        })
    }

    /// The amounts in `message`, in words; nothing where it has none.
    fn of(message: &str) -> String {
        let Some(room) = Room::read(message) else { return String::new() };
        let words = |amount: u64| match room.resource {
            "memory" => format!("{} MiB", amount / (1024 * 1024)),
            "cpu" => format!("{amount}m"),
            _ => amount.to_string(),
        };
        let Room { resource, requested, used, capacity } = room;
        let used = used.map(|used| format!(", {} are taken", words(used))).unwrap_or_default();
        format!(
            " ({resource}: {} asked for{used}, {} is all it can give)",
            words(requested),
            words(capacity)
        )
    }
}

/// The resource of which there is not enough.
pub(super) fn lacking(message: &str) -> Option<&str> {
    Room::read(message).map(|room| room.resource)
}

/// How much memory the kubelet says is in use, in bytes: of the whole pod, whichever container it
/// names.
pub(super) fn usage(message: &str) -> Option<u64> {
    let (_, rest) = message.split_once("below current usage (")?;
    rest.split_once(')')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kubelets_own_words_decide() {
        let room = |amounts: &str| format!("Node didn't have enough resource: memory, {amounts}");
        let cases = [
            (
                "Node didn't have enough capacity: memory, requested: 6442450944, capacity: 4110172160",
                Reason::NodeTooSmall,
            ),
            (&room("requested: 3, used: 2, capacity: 4"), Reason::NodeFull),
            (&room("requested: 5, used: 2, capacity: 4"), Reason::NodeTooSmall),
            (
                "Resize is infeasible for Guaranteed Pods alongside CPU Manager policy \"static\"",
                Reason::StaticCpuManager,
            ),
            (
                "Resize is infeasible for Guaranteed Pods alongside Memory Manager static policy",
                Reason::StaticMemoryManager,
            ),
            ("In-place resize of containers with swap is not supported.", Reason::Swap),
            ("In-place pod-level resources resize is not supported on Windows", Reason::Windows),
            ("In-place pod resize is not supported on this node", Reason::UnsupportedNode),
            ("InPlacePodLevelResourcesVerticalScaling is disabled", Reason::FeatureOff),
            ("In-place resize of static-pods is not supported", Reason::StaticPod),
            (
                "cannot decrease memory limits: attempting to set container \"app\" memory limit (1) below current usage (0)",
                Reason::BelowUsage,
            ),
            ("cannot decrease memory limits: missing pod memory usage", Reason::UsageUnknown),
            ("unable to read memory usage for pod \"a\"", Reason::UsageUnknown),
            ("something new", Reason::Other),
        ];
        for (message, reason) in cases {
            assert_eq!(Reason::of(message), reason, "{message}");
        }
    }

    #[test]
    fn amounts_are_told_in_words() {
        let message = "Node didn't have enough resource: memory, requested: 3145728000, used: 2403336192, capacity: 4005412864";
        assert_eq!(
            Room::of(message),
            " (memory: 3000 MiB asked for, 2292 MiB are taken, 3819 MiB is all it can give)"
        );
        let capacity =
            "Node didn't have enough capacity: memory, requested: 6442450944, capacity: 4110172160";
        assert_eq!(
            Room::of(capacity),
            " (memory: 6144 MiB asked for, 3919 MiB is all it can give)"
        );
        assert_eq!(lacking(message), Some("memory"));
        assert_eq!(Room::of("Node didn't have enough resource: cpu"), "");
        assert_eq!(usage("limit (67108864) below current usage (105607168), x"), Some(105_607_168));
    }

    #[test]
    fn what_differs_between_versions_is_told_with_its_version() {
        let told = |version: Option<&str>| {
            Reason::NodeTooSmall.why("", version.map(Version::read).as_ref())
        };
        assert!(told(None).contains("1.33 to 1.35 say so"), "{}", told(None));
        assert!(told(Some("v1.34.2")).contains("of 1.34 accepts"), "{}", told(Some("v1.34.2")));
        assert!(told(Some("1.36")).contains("of 1.36 refuses"), "{}", told(Some("1.36")));
    }
}
