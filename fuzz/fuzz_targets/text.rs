//! Nothing that could drive a terminal leaves, as text or as JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use scratchdbg::text::{Untrusted, is_dangerous};

fuzz_target!(|data: &[u8]| {
    let text = Untrusted::new(data);
    assert!(!text.safe().as_str().chars().any(is_dangerous));
    let mut out = Vec::new();
    scratchdbg::commands::output::line(&mut out, &text).expect("memory can be written");
    let line = std::str::from_utf8(&out).expect("JSON is UTF-8");
    assert!(!line.trim_end().chars().any(is_dangerous));
});
