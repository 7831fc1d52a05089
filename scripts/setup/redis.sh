# redis-server: lumos starts its own on a free port, so the package's service is not wanted.
# shellcheck shell=bash

setup_redis() {
    if ! have redis-server; then
        if ! apt_install redis-server; then
            lacks redis "package redis-server could not be installed" \
                "storage \"redis\" and \"host\", unless a scenario names a server by URL" "apt-get install redis-server"
            return
        fi
        stop_redis_service
    fi
    say redis "$(redis-server --version | sed -n 's/.* v=\([^ ]*\).*/\1/p') (system package)"
}

# Only called when the package is ours: the user's own service is none of our business.
stop_redis_service() {
    have systemctl || return 0
    local as_root=()
    ((EUID == 0)) || as_root=(sudo)
    logged "${as_root[@]}" systemctl disable redis-server || true
    [[ ! -d /run/systemd/system ]] || logged "${as_root[@]}" systemctl stop redis-server || true
}
