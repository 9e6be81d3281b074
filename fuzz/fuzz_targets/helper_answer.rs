//! See `doorward::fuzz::helper_answer`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| doorward::fuzz::helper_answer(bytes));
