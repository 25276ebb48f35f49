//! What came of keeping policy reports.

/// What came of keeping policy reports, once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::audit) struct Kept {
    pub(in crate::audit) state: State,
    /// Reports that stand, be they new or not.
    pub(in crate::audit) standing: usize,
    /// Findings that are in none, for want of room.
    pub(in crate::audit) omitted: usize,
    pub(in crate::audit) written: usize,
    pub(in crate::audit) deleted: usize,
    /// Somebody else was faster; the next time will do.
    pub(in crate::audit) conflicts: usize,
    /// A report of somebody else has the name.
    pub(in crate::audit) foreign: usize,
    pub(in crate::audit) failed: usize,
    /// Why not all is as it should be.
    pub(in crate::audit) trouble: Option<String>,
}

/// Whether reports are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::audit) enum State {
    /// Nobody asked for them.
    #[default]
    Off,
    /// They are kept, of this API.
    Kept(&'static str),
    /// The cluster knows no such kind.
    Absent,
    /// The cluster knows the kind in versions that are not written.
    OtherVersion,
    /// The audit was not whole: what stands stays.
    Incomplete,
    /// The API server cannot be asked.
    Failed,
}

impl Kept {
    /// How often there was what, by name.
    pub(in crate::audit) fn writes(&self) -> [(&'static str, usize); 5] {
        [
            ("written", self.written),
            ("deleted", self.deleted),
            ("conflict", self.conflicts),
            ("foreign", self.foreign),
            ("failed", self.failed),
        ]
    }

    /// None are kept, and why.
    pub(in crate::audit) fn none(state: State, trouble: impl Into<Option<String>>) -> Self {
        Self { state, trouble: trouble.into(), ..Self::default() }
    }
}

impl State {
    /// Every state.
    pub(in crate::audit) const ALL: [Self; 6] = [
        Self::Off,
        Self::Kept(""),
        Self::Absent,
        Self::OtherVersion,
        Self::Incomplete,
        Self::Failed,
    ];

    /// Its name.
    pub(in crate::audit) fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Kept(_) => "kept",
            Self::Absent => "absent",
            Self::OtherVersion => "other-version",
            Self::Incomplete => "incomplete",
            Self::Failed => "failed",
        }
    }
}
