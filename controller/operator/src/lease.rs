//! The lease of our own.
