//! The switch `ConfigMap` that stops all writes.
