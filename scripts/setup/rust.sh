# cargo and rustc for the harness.
# shellcheck shell=bash disable=SC2154

rust_wanted=1.95

# rust_version RUSTC: its version; empty if it does not run (rustup without a toolchain, for example).
rust_version() { "$1" --version 2>/dev/null | awk '{print $2; exit}' || true; }

setup_rust() {
    local version way
    # rustup may be installed but not yet on PATH; env.sh does the same.
    cargo_bin=${CARGO_HOME:-$HOME/.cargo}/bin
    [[ :$PATH: == *:$cargo_bin:* || ! -x $cargo_bin/cargo ]] || PATH=$cargo_bin:$PATH

    [[ -n $(rust_version rustc) ]] || install_rust || true
    version=$(rust_version rustc)
    if ! have cargo || [[ -z $version ]]; then
        lacks rust "neither rustup nor Debian's rustc-web could be installed" "everything: nothing can be built" \
            "install Rust $rust_wanted or newer (https://rustup.rs), then call this again"
        return
    fi
    if ! at_least "$version" "$rust_wanted"; then
        lacks rust "$(command -v rustc) is $version, the harness needs $rust_wanted" "the harness cannot be built" \
            "rustup update stable (or: apt-get remove rustc cargo), then call this again"
        return
    fi
    way=$(command -v rustc)
    [[ $way != /usr/bin/rustc ]] || ! is_installed rustc-web || way="Debian's rustc-web"
    [[ $way != "$cargo_bin"/* ]] || ! have rustup || way=rustup
    say rust "rustc $version ($way)"
    have cc || apt_install gcc libc6-dev ||
        lacks linker "no C compiler (cc)" "everything: Rust links with it" "apt-get install gcc libc6-dev"
}

# rustup first. Debian's rustc-web is the newest Rust in a stable Debian release.
install_rust() {
    if may_fetch https://sh.rustup.rs; then
        curl -fsS --proto '=https' -m 60 -o "$deps/rustup-init.sh" https://sh.rustup.rs &&
            logged sh "$deps/rustup-init.sh" -y --profile minimal -c rustfmt -c clippy --default-toolchain stable
        rm -f "$deps/rustup-init.sh"
        [[ ! -x $cargo_bin/cargo ]] || PATH=$cargo_bin:$PATH
        hash -r
    fi
    [[ -n $(rust_version rustc) ]] || apt_install rustc-web cargo-web
}
