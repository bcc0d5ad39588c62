//! forewarm-core
