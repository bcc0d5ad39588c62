//! Observe: the world in, a snapshot out.
