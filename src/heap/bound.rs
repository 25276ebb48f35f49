//! The one measure for heaps: what they leave of the memory limit.

/// How large a heap, or what is like one, may become.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub enum Size {
    /// Bytes.
    Bytes(u64),
    /// A share of the memory limit, in percent: it follows the limit at the next start.
    Share(f64),
}

/// What a size bounds, which says how much has to be left beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The heap: what a virtual machine keeps beside it comes on top, and so do threads and buffers.
    Heap,
    /// The old generation of V8: the rest of the heap comes on top, too.
    OldSpace,
    /// All that Go's runtime manages.
    Runtime,
    /// The data of a store: connections, copies and what lies in gaps come on top.
    Data,
    /// All of the process.
    Process,
}

impl Bound {
    /// The share of the limit, in percent, above which too little is left; of the old generation
    /// from which on.
    pub fn most(self) -> u8 {
        match self {
            Self::Heap | Self::Data => 85,
            Self::OldSpace => 80,
            Self::Runtime => 95,
            Self::Process => 100,
        }
    }

    /// Whether `size` leaves too little of a memory limit of so many bytes.
    pub(super) fn leaves_too_little(self, size: Size, limit: u128) -> bool {
        let most = u128::from(self.most());
        match size {
            Size::Bytes(bytes) => {
                let (bytes, most) =
                    (u128::from(bytes).saturating_mul(100), limit.saturating_mul(most));
                if self == Self::OldSpace { bytes >= most } else { bytes > most }
            }
            Size::Share(percent) if self == Self::OldSpace => percent >= f64::from(self.most()),
            Size::Share(percent) => percent > f64::from(self.most()),
        }
    }

    /// Whether `size` leaves nothing of it: of the old generation of V8 as much counts as nothing
    /// as it takes besides.
    pub(super) fn leaves_nothing(self, size: Size, limit: u128) -> bool {
        match (self, size) {
            (Self::OldSpace | Self::Process, _) => self.leaves_too_little(size, limit),
            (_, Size::Bytes(bytes)) => u128::from(bytes) >= limit,
            (_, Size::Share(percent)) => percent >= 100.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_measure() {
        let limit = 1_000;
        for (bound, most) in [
            (Bound::Heap, 850),
            (Bound::OldSpace, 799),
            (Bound::Runtime, 950),
            (Bound::Data, 850),
            (Bound::Process, 1_000),
        ] {
            let share = |bytes: u64| Size::Share(bytes as f64 / 10.0);
            for size in [Size::Bytes(most), share(most)] {
                assert!(!bound.leaves_too_little(size, limit), "{bound:?} {size:?}");
            }
            for size in [Size::Bytes(most + 1), share(most + 1)] {
                assert!(bound.leaves_too_little(size, limit), "{bound:?} {size:?}");
            }
        }
        assert!(Bound::Heap.leaves_nothing(Size::Bytes(1_000), limit));
        assert!(!Bound::Heap.leaves_nothing(Size::Bytes(999), limit));
        assert!(Bound::OldSpace.leaves_nothing(Size::Bytes(800), limit));
        assert!(!Bound::Process.leaves_nothing(Size::Bytes(1_000), limit));
    }

    #[test]
    fn limits_beyond_64_bits() {
        assert!(!Bound::Heap.leaves_too_little(Size::Bytes(u64::MAX), u128::MAX));
    }
}
