#!/usr/bin/env bash
# Runs a command in a network, mount and pid namespace of its own, ready for the
# lab's realm (realm.sh). Whatever the command starts ends with it, and two runs
# at once never meet.
#
#   tests/lab/enter.sh COMMAND [ARGUMENT…]
#       for the demo, the benchmark, or a shell: tests/lab/enter.sh bash
#   tests/lab/enter.sh --cargo BINARY [ARGUMENT…]
#       as cargo's runner: enters for the integration tests, else only starts BINARY
#
# The command finds in its environment
#   LAB_TMP     a directory of this run, kept at the end if the command failed, for a day
#   LAB_HOSTS   the run's /etc/hosts, which names the lab's hosts
#   LAB_PIDS    a file that takes the process id of each daemon the lab starts
#   LAB_VENV    the Python environment that venv.sh makes (target/lab-venv)
# LAB_REALM names the realm; without it: LAB.EXAMPLE. The exit code is the command's.
#
# Where namespaces cannot be made (no root, a plain container), the command runs in
# the network there is, if the realm's ports are free and its host names are known.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ports=(88 135 389 464 3268 10088)

die() {
    echo "enter.sh: $*" >&2
    exit 1
}

host_names() {
    local dns
    dns=$(printf %s "${LAB_REALM:-LAB.EXAMPLE}" | tr '[:upper:]' '[:lower:]')
    printf '%s\n' "dc1.$dns" {web,alias,other,apache,nginx,app,core}".$dns"
}

write_hosts() {
    printf '127.0.0.1 localhost\n::1 localhost\n127.0.0.1 %s\n' "$(hostname)"
    host_names | sed 's/^/127.0.0.1 /'
}

# Ends everything in the namespace but this shell, which is its init.
# shellcheck disable=SC2317  # called by a trap
end_all() {
    trap '' TERM INT
    kill -TERM -1 2>/dev/null || true
    for _ in {1..50}; do
        pgrep --parent $$ --runstates DRS >/dev/null || break
        sleep 0.1
    done
    exit 143
}

inside() {
    ip link set lo up
    mkdir -p /run/samba
    mount -t tmpfs -o mode=755 lab /run/samba
    mount --bind "$LAB_HOSTS" /etc/hosts
    # A child and not exec: as init of its namespace the command would not be ended
    # by TERM, and would have to reap what daemons leave behind.
    "$@" <&0 &
    local child=$!
    trap end_all TERM INT
    local rc=0
    wait "$child" || rc=$?
    exit "$rc"
}

# shellcheck disable=SC2317  # called by a trap
leave() {
    local rc=$?
    [ -z "${stayed:-}" ] || xargs -r kill -TERM <"$LAB_PIDS" 2>/dev/null || true
    if [ "$rc" = 0 ] || [ "$rc" = 143 ]; then
        rm -rf "$LAB_TMP"
    else
        echo "enter.sh: what the lab left is in $LAB_TMP" >&2
    fi
}

enter() {
    # unshare blocks TERM while it waits, so the signal is handed to the init inside;
    # if this shell is killed outright, unshare and all the rest go with it.
    setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child --mount-proc \
        "${BASH_SOURCE[0]}" --inside "$@" <&0 &
    local unshare=$! rc=0
    trap 'kill -TERM $(cat "/proc/$unshare/task/$unshare/children") 2>/dev/null || true' TERM INT
    wait "$unshare" || rc=$?
    while kill -0 "$unshare" 2>/dev/null; do
        rc=0
        wait "$unshare" || rc=$?
    done
    exit "$rc"
}

stay() {
    local port name
    for port in "${ports[@]}"; do
        if [ -n "$(ss -Hlntu "sport = :$port")" ]; then
            die "namespaces cannot be made here, and port $port, which the realm needs, is in use: stop what listens there, or run as root where unshare(2) is allowed (docker run --cap-add SYS_ADMIN)"
        fi
    done
    for name in $(host_names); do
        getent hosts "$name" >/dev/null || die "namespaces cannot be made here, and the host name $name is unknown: run as root where unshare(2) is allowed, or name the lab's hosts ($(host_names | sed 's/.*/--add-host &:127.0.0.1/' | paste -sd' '))"
    done
    echo "enter.sh: namespaces cannot be made here; running in the network there is" >&2
    mkdir -p /run/samba
    stayed=yes
    trap 'exit 143' TERM INT
    "$@" <&0 &
    local child=$! rc=0
    echo "$child" >>"$LAB_PIDS"
    wait "$child" || rc=$?
    exit "$rc"
}

case "${1:-}" in
--inside)
    shift
    inside "$@"
    ;;
--cargo)
    shift
    [[ "$1" == */deps/it-* ]] || exec "$@"
    ;;
'' | -h | --help)
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
    exit 2
    ;;
esac

# Inside a lab already (a test that runs the demo): there is nothing more to make.
[ -z "${LAB_TMP:-}" ] || exec "$@"

LAB_VENV=${LAB_VENV:-$here/../../target/lab-venv}
# The network inside reaches nothing, so the packages are fetched before.
"$here/venv.sh" "$LAB_VENV" || echo "enter.sh: tests with Python clients will fail: $LAB_VENV is not there" >&2
# Not in TMPDIR, which may be closed to the lab's servers, that run as other users.
find /tmp -maxdepth 1 -name 'doorward-lab.*' -mtime +0 -exec rm -rf {} +
LAB_TMP=$(mktemp -d /tmp/doorward-lab.XXXXXX)
LAB_HOSTS=$LAB_TMP/hosts
LAB_PIDS=$LAB_TMP/pids
export LAB_TMP LAB_HOSTS LAB_PIDS LAB_VENV
chmod 755 "$LAB_TMP"
# Replay caches stand in TMPDIR, so those of two runs are apart too.
export TMPDIR=$LAB_TMP/tmp
install -d -m 1777 "$TMPDIR"
: >"$LAB_PIDS"
write_hosts >"$LAB_HOSTS"
trap leave EXIT
if unshare --net --mount --pid --fork --mount-proc true 2>/dev/null; then
    enter "$@"
else
    stay "$@"
fi
