//! A function for JavaScript.

use wasm_bindgen::prelude::*;

/// Returns two.
#[wasm_bindgen]
pub fn two() -> u32 {
    2
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::*;

    #[wasm_bindgen_test]
    fn is_two() {
        assert_eq!(super::two(), 2);
    }
}
