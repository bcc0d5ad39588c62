//! forewarm-forecast
