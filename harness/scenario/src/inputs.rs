//! Names of functions and sizes of `lumos-inputs`.

use lumos_model::cell::Size;

/// The size group of `lumos-inputs` for `size`.
pub fn size(size: Size) -> lumos_inputs::Size {
    match size {
        Size::Tiny => lumos_inputs::Size::Tiny,
        Size::Small => lumos_inputs::Size::Small,
        Size::Medium => lumos_inputs::Size::Medium,
        Size::Large => lumos_inputs::Size::Large,
    }
}

/// The functions that a scenario may name.
pub fn function_names() -> Vec<&'static str> {
    lumos_inputs::functions().iter().map(|function| function.name).collect()
}
