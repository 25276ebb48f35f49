//! Why a text grants nothing.

/// Text that grants nothing. Says what is wrong and where, never the text itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// A part without `=`.
    #[error("neither \"true\" nor PART=QUANTITY")]
    NoFloor,
    /// A part that no container can be called.
    #[error("a part is no container's name, nor \"@pod\"")]
    NoContainerName,
    /// No quantity after a part.
    #[error("the floor of \"{0}\" is no quantity")]
    NoQuantity(String),
    /// A floor of nothing.
    #[error("the floor of \"{0}\" must be above 0 and fit 64 bits")]
    NoFloorAtAll(String),
    /// A part that is named twice.
    #[error("\"{0}\" has two floors")]
    RepeatedPart(String),
    /// More parts than any pod needs.
    #[error("more than 64 parts")]
    TooManyParts,
    /// More text than anybody needs.
    #[error("longer than 4096 bytes")]
    TooLong,
    /// An option that is none.
    #[error("an option is none of \"for=\", \"force\", \"reason=\"")]
    UnknownOption,
    /// An option that is given twice.
    #[error("option \"{0}\" is given twice")]
    RepeatedOption(&'static str),
    /// A lifetime that is none.
    #[error("\"for=\" is no duration like \"30m\" or \"2h\"")]
    NoDuration,
    /// A lifetime that nothing allows.
    #[error("\"for=\" must be from 1s to 24h")]
    LifetimeOutOfRange,
    /// A reason that cannot be written down.
    #[error("the reason must have 1 to 256 characters and no control characters")]
    UnwritableReason,
}
