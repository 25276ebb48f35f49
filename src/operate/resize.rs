//! `restraint resize`.
