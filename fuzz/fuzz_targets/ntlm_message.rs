//! See `doorward::fuzz::ntlm_message`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| doorward::fuzz::ntlm_message(bytes));
