#![no_main]

libfuzzer_sys::fuzz_target!(|packet: &[u8]| {
    if let Some(length) = bytes_pool::length(packet) {
        assert!(length < packet.len());
    }
});
