//! Log streams: multiplexed or raw, with the engine's times, cut anywhere.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, bytes)) = data.split_first() else { return };
    let (tty, times, cut) = (choice & 1 != 0, choice & 2 != 0, usize::from(choice >> 2));
    scratchdbg::logs::lines::fuzz(bytes, cut, tty, times);
    scratchdbg::engine::docker::logs::fuzz(bytes, cut, tty);
});
