//! One pass of the line.
