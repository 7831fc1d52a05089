# redis-server. lumos starts its own server on a free port, so the package's service is disabled.
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

# Only called after we installed the package: a service that was there before is left alone.
stop_redis_service() {
    have systemctl || return 0
    local as_root=()
    ((EUID == 0)) || as_root=(sudo)
    logged "${as_root[@]}" systemctl disable redis-server || true
    [[ ! -d /run/systemd/system ]] || logged "${as_root[@]}" systemctl stop redis-server || true
}
