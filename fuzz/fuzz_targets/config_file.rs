#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| restraint_fuzz::run("config_file", data));
