//! forewarm-source
