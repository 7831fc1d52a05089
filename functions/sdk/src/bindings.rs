//! The bindings of the world in `wit/function.wit`, for components.

wit_bindgen::generate!({
    world: "function",
    path: "wit",
    pub_export_macro: true,
    export_macro_name: "__export_component",
    default_bindings_module: "lumos_function::bindings",
});
