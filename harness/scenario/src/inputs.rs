//! The words of `lumos-inputs` for those of the model.

use lumos_model::cell::Size;

/// The size group in the words of the inputs.
pub fn size(size: Size) -> lumos_inputs::Size {
    match size {
        Size::Tiny => lumos_inputs::Size::Tiny,
        Size::Small => lumos_inputs::Size::Small,
        Size::Medium => lumos_inputs::Size::Medium,
        Size::Large => lumos_inputs::Size::Large,
    }
}

/// The names of the functions that a scenario may use.
pub fn function_names() -> Vec<&'static str> {
    lumos_inputs::functions().iter().map(|function| function.name).collect()
}
