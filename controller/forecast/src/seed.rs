//! A stable number from a function's name, to stagger what need not happen at once. Pure.

use forewarm_core::policy::FunctionKey;

/// FNV-1a over namespace and name, begun at `seed`: the same on every platform and version, which the
/// standard library's hasher does not promise.
pub(crate) fn of(key: &FunctionKey, seed: u64) -> u64 {
    let bytes = key.namespace.bytes().chain([b'/']).chain(key.name.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
