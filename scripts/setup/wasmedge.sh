# libwasmedge in .deps/wasmedge: lib/ holds only libwasmedge.so*, include/ its headers. Debian sid's build is newer than a stable
# Debian and also needs private/: all libraries that it depends on, with their libc and loader.
# shellcheck shell=bash disable=SC2016,SC2034,SC2154

wasmedge_wanted=0.17.1
wasmedge_release=https://github.com/WasmEdge/WasmEdge/releases/download/$wasmedge_wanted

setup_wasmedge() {
    wasmedge=$deps/wasmedge wasmedge_loader=''
    local mend='connect to the network and run this again; .deps/setup.log has the reason'
    # The build of wasmedge-sys uses bindgen, which needs libclang and its headers.
    apt_install libclang-dev || mend='apt-get install libclang-dev, then call this again'
    if is_installed libclang-dev && { [[ -e $wasmedge/way ]] || fetch_wasmedge; }; then
        wasmedge_loader=$(compgen -G "$wasmedge/private/ld-linux-*.so.*" || true)
        say wasmedge "$wasmedge_wanted from $(<"$wasmedge/way")"
    else
        wasmedge=''
        lacks wasmedge "version $wasmedge_wanted cannot be downloaded or does not load here" \
            "the targets wasmedge-interp, wasmedge-jit and wasmedge-aot" "$mend"
    fi
}

# Prepared in a temporary folder, and moved into place once it loads.
fetch_wasmedge() {
    local new=$deps/wasmedge.new way
    for way in release_archive debian_sid; do
        rm -rf "$new" && mkdir -p "$new"/{lib,include}
        if "wasmedge_from_$way" "$new" && wasmedge_loads "$new"; then
            rm -rf "$wasmedge" && mv "$new" "$wasmedge"
            return
        fi
    done
    rm -rf "$new"
    return 1
}

wasmedge_from_release_archive() {
    local to=$1 arch sha256 archive=$deps/wasmedge.tar.gz
    # Checksums from crate wasmedge-sys 0.21.1.
    case $(uname -m) in
        x86_64) arch=x86_64 sha256=27a1abec072ddf45b40e2e81e33c1e5fe9b241f31fd1bbf0182f05097489a07a ;;
        aarch64) arch=aarch64 sha256=6d7762429083e787ccbddf629868bb59de4325ccdcc31d9f7bd240adcdd9fe9d ;;
        *) return 1 ;;
    esac
    local url=$wasmedge_release/WasmEdge-$wasmedge_wanted-manylinux_2_28_$arch.tar.gz
    may_fetch "$url" && logged curl -fsSL --connect-timeout 5 --max-time 600 -o "$archive" "$url" &&
        logged sha256sum -c <<<"$sha256  $archive" || return 1
    mkdir "$to/unpacked" && tar -xzf "$archive" -C "$to/unpacked" --strip-components=1
    cp -a "$to"/unpacked/lib*/libwasmedge.so* "$to/lib/" && cp -a "$to"/unpacked/include/. "$to/include/"
    rm -rf "$to/unpacked" "$archive"
    echo "the official release archive" >"$to/way"
}

wasmedge_from_debian_sid() {
    local to=$1 library
    apt_install patchelf || return 1
    unpack_sid "$to/unpacked" "libwasmedge0=$wasmedge_wanted*" "libwasmedge-dev=$wasmedge_wanted*" || return 1
    mkdir "$to/private"
    cp -a "$to"/unpacked/usr/lib/*-linux-gnu/*.so* "$to/private/" && cp -a "$to/unpacked/usr/include/wasmedge" "$to/include/"
    rm -rf "$to/unpacked"
    # Each library finds the others in its own folder, so nothing needs LD_LIBRARY_PATH. libc and its loader are not modified.
    for library in "$to"/private/*.so*; do
        case $library in
            */ld-linux* | */libc.so*) ;;
            *) [[ -L $library ]] || patchelf --set-rpath '$ORIGIN' "$library" || return 1 ;;
        esac
    done
    for library in "$to"/private/libwasmedge.so*; do
        ln -s "../private/$(basename "$library")" "$to/lib/"
    done
    echo "Debian sid's packages, with a libc of their own (${only_debian:+requested with --debian}$(
        [[ $only_debian ]] || echo "its release archive cannot be downloaded here"))" >"$to/way"
}

# wasmedge_loads FOLDER: links and runs a small program the way the harness links its host.
wasmedge_loads() {
    local from=$1 loader link
    loader=$(compgen -G "$from/private/ld-linux-*.so.*" || true)
    if [[ -n $loader ]]; then
        link=("-Wl,--allow-shlib-undefined" "-Wl,--dynamic-linker=$loader" "-Wl,-rpath,$from/private")
    else
        link=("-Wl,-rpath,$from/lib")
    fi
    logged cc -x c -I "$from/include" -o "$from/check" - -L "$from/lib" -lwasmedge "${link[@]}" <<'C' || return 1
#include <stdio.h>
#include <wasmedge/wasmedge.h>
int main(void) { puts(WasmEdge_VersionGet()); }
C
    [[ $(logged "$from/check"; cat "$deps/setup.log") == "$wasmedge_wanted" ]] && rm "$from/check"
}
