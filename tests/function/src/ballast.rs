//! Ballast: a size in, resident memory out.

use std::collections::TryReserveError;

const MIB: usize = 1 << 20;

/// Memory that stays resident for as long as the value lives.
#[derive(Debug)]
pub struct Ballast {
    _bytes: Vec<u8>,
}

impl Ballast {
    /// Allocates `mib` MiB and writes to all of it; zero allocates nothing.
    ///
    /// An error means that the address space is exhausted. Memory beyond the container's limit is
    /// no error: the kernel kills the process, which is what a memory test wants to see.
    pub fn fill(mib: u32) -> Result<Self, TryReserveError> {
        let size = mib as usize * MIB;
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(size)?;
        // Not zero: zeroed pages may be lazy, and lazy pages are not resident.
        bytes.resize(size, 0x5a);
        // Nobody reads the bytes; without this the compiler may leave out the writes.
        Ok(Self {
            _bytes: std::hint::black_box(bytes),
        })
    }
}
