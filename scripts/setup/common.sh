# Shared by all parts of setup.sh: messages, the network, Debian packages.
# shellcheck shell=bash disable=SC2016,SC2154

missing=() # names of the parts that could not be set up

# say PART TEXT: one line that says where a part came from.
say() { printf '%-9s %s\n' "$1:" "$2"; }

# lacks PART WHY WHAT-IS-LOST HOW-TO-MEND
lacks() {
    missing+=("$1")
    { say "$1" "not available: $2"; printf '%10slost: %s\n%10smend: %s\n' '' "$3" '' "$4"; } >&2
}

have() { command -v "$1" >/dev/null 2>&1; }

# at_least VERSION WANTED
at_least() { [[ -n $1 && $(printf '%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

# may_fetch URL: succeeds if downloads are allowed and the server responds. Fails within seconds otherwise.
may_fetch() {
    [[ -z $only_debian ]] || return 1
    have curl || apt_install curl ca-certificates || return 1
    curl -fsIL --connect-timeout 3 --max-time 8 -o /dev/null "$1" 2>/dev/null
}

# logged COMMAND..: runs the command silently; shows the end of its output if it fails.
logged() {
    "$@" >"$deps/setup.log" 2>&1 && return
    { echo "failed: $*"; tail -n 15 "$deps/setup.log"; } >&2
    return 1
}

# --- packages of the installed Debian release ---

is_installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# apt_install PACKAGE..: installs the missing packages. Never removes a package.
apt_install() {
    local package wanted=() as_root=()
    for package in "$@"; do is_installed "$package" || wanted+=("$package"); done
    ((${#wanted[@]})) || return 0
    if ! have apt-get; then
        echo "cannot install ${wanted[*]}: this is not a Debian system" >&2
        return 1
    fi
    if ((EUID != 0)); then
        as_root=(sudo)
        if ! have sudo || { [[ ! -t 0 ]] && ! sudo -n true 2>/dev/null; }; then
            echo "cannot install packages without root; as root run: apt-get install ${wanted[*]}" >&2
            return 1
        fi
    fi
    echo "apt-get install ${wanted[*]}"
    logged "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=120 -o Acquire::http::Timeout=20 -o Acquire::Retries=1 update || true
    logged "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends --no-remove \
        -o DPkg::Lock::Timeout=300 -o Acquire::http::Timeout=20 "${wanted[@]}"
}

# --- packages of Debian sid: unpacked, not installed ---

# unpack_sid FOLDER PACKAGE..: downloads the packages with all dependencies (libc included) and unpacks them into FOLDER. apt uses
# a private folder with an empty package status, so the system's sources, lists and packages do not change.
unpack_sid() {
    local folder=$1 apt=$deps/apt mirror keyring deb
    shift
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 2>/dev/null |
        grep -v security | head -n 1 || true)
    for keyring in /usr/share/keyrings/debian-archive-keyring.{pgp,gpg}; do [[ -e $keyring ]] && break; done
    rm -rf "$apt"
    mkdir -p "$apt"/{lists/partial,archives/partial} "$folder"
    : >"$apt/status"
    echo "deb [signed-by=$keyring] ${mirror:-http://deb.debian.org/debian} sid main" >"$apt/sources.list"
    # Hooks are cleared: those of container images would empty the system's package cache.
    cat >"$apt/apt.conf" <<CONF
#clear APT::Update;
#clear DPkg::Post-Invoke;
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt";
Dir::Cache::archives "$apt/archives";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "20";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Debug::NoLocking "true";
CONF
    logged apt-get -q -c "$apt/apt.conf" update &&
        logged apt-get -q -y -c "$apt/apt.conf" --no-install-recommends --download-only install "$@" || return 1
    for deb in "$apt"/archives/*.deb; do dpkg-deb -x "$deb" "$folder"; done
    rm -rf "$apt"
}
