//! Flags and files of the operator.
