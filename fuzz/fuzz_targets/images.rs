//! Images and the programs in them: archives, layers, configurations, ELF files, tables of functions, certificates.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&choice, bytes)) = data.split_first() else { return };
    match choice % 4 {
        0 => scratchdbg::image::fuzz(bytes),
        1 => scratchdbg::golang::fuzz(bytes),
        2 => scratchdbg::check::certificates::fuzz(bytes),
        _ => {
            if let Ok(config) = serde_json::from_slice(bytes) {
                let _ = scratchdbg::image::Setup::of_config(&config).words();
            }
        }
    }
});
