//! Writes shapes.

use proc_macro::TokenStream;

/// Writes a shape whose area is the product of two of its fields: `rectangle!(Name, a, a)`.
#[proc_macro]
pub fn rectangle(input: TokenStream) -> TokenStream {
    let text = input.to_string();
    let words: Vec<&str> = text.split(',').map(str::trim).collect();
    let [name, width, height] = words[..] else {
        return "compile_error!(\"a name and two fields\");"
            .parse()
            .unwrap_or_default();
    };
    format!(
        "/// A shape.\n#[derive(Clone, Copy, Debug)]\n\
         pub struct {name} {{\n/// In metres.\npub {width}: f64 }}\n\
         impl Shape for {name} {{ fn area(&self) -> f64 {{ self.{width} * self.{height} }} }}"
    )
    .parse()
    .unwrap_or_default()
}
