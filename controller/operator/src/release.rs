//! `forewarm release`: gives back what was taken.
