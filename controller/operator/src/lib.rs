//! forewarm-operator
