//! Plan: observation, forecast and standing in; who has the field, what is held and what we would like out.
//! Pure. Whether it is allowed now is not asked here but in [`crate::guard`].

pub mod field;
pub mod floor;
pub mod footing;
pub mod memory;
pub mod remedy;
