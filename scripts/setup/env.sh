# Writes .deps/env.sh, which the other scripts source.
# shellcheck shell=bash disable=SC2016,SC2154

# from_root PATH: relative to the checkout, so that the checkout can be moved.
from_root() { if [[ $1 == "$root"/* ]]; then printf '"$_lumos_root%s"' "${1#"$root"}"; else printf '"%s"' "$1"; fi; }

write_env() {
    local lib='' include=''
    [[ -z $wasmedge ]] || lib=$wasmedge/lib include=$wasmedge/include
    {
        echo '# Written by scripts/setup.sh. Do not edit: changes are lost.'
        echo '_lumos_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)'
        [[ ! -x $cargo_bin/cargo ]] ||
            printf '[[ :$PATH: == *:%q:* ]] || PATH=%q:$PATH\n' "$cargo_bin" "$cargo_bin"
        export_line LUMOS_FUNCTIONS_CARGO "$functions_cargo"
        export_line LUMOS_FUNCTIONS_RUSTC "$functions_rustc"
        export_line LUMOS_FUNCTIONS_BUILD_STD "$build_std"
        export_line LUMOS_WASI_P1_SYSROOT "$wasi_p1"
        export_line LUMOS_WASI_P2_SYSROOT "$wasi_p2"
        export_line LUMOS_WASM_LD "$wasm_ld"
        export_line LUMOS_WASM_COMPONENT_LD "$component_ld"
        export_line LUMOS_WASMEDGE_ROOT "$wasmedge"
        export_line WASMEDGE_LIB_DIR "$lib"
        export_line WASMEDGE_INCLUDE_DIR "$include"
        export_line LUMOS_WASMEDGE_LOADER "$wasmedge_loader"
        echo 'unset _lumos_root'
    } >"$deps/env.sh.new"
    mv "$deps/env.sh.new" "$deps/env.sh"
}

export_line() { printf 'export %s=%s\n' "$1" "$(from_root "$2")"; }

summary() {
    if ((${#missing[@]} == 0)); then
        echo "Everything is in place."
    else
        echo "Ready without: ${missing[*]}."
    fi
    # Only Rust and a linker are required.
    [[ " ${missing[*]} " != *' rust '* && " ${missing[*]} " != *' linker '* ]]
}
