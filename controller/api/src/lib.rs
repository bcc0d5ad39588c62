//! forewarm-api
