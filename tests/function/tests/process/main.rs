//! Tests of the real binary, as a child process spoken to over HTTP and by signals.

// All of this crate is a test; clippy knows only those functions that say so.
#![allow(clippy::unwrap_used)]

mod child;
mod lifecycle;
mod requests;
