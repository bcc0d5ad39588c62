//! Pieces of chart templates as text: quoting, and the head of an object. Pure.

/// First line of every generated template; a template comment, so that it renders to nothing.
pub(super) const MADE: &str = "{{- /* Made by `forewarm generate` from controller/operator/src; not edited. */ -}}\n";
