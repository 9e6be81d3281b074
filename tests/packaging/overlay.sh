# shellcheck shell=bash
# Sourced by the tests of the package: a root of their own.

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

is() { [ "$2" = "$3" ] || die "$1 is $2, and should be $3"; }

# Until a command succeeds, for ten seconds.
wait_for() {
    local tries=0
    until "$@"; do
        [ $((tries += 1)) -lt 100 ] || die "not within ten seconds: $*"
        sleep 0.1
    done
}

step() { echo "── $*"; }

environment=(env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive)

within() { chroot "$root" "${environment[@]}" "$@"; }

# Runs this script again, with --inside and the arguments, in namespaces of its own, in
# which nothing outlives it. The first argument is an empty folder, gone afterwards.
in_namespaces() {
    [ "$(id -u)" = 0 ] || die "needs root, for dpkg and namespaces"
    unshare --mount --net --pid --uts --ipc --cgroup --fork --kill-child --mount-proc "$0" --inside "$@"
}

# Sets $root: this machine's, under an overlay in the folder $1, with the package $2 as
# /tmp/doorward.deb and nothing of Doorward that an earlier use of the machine may have left.
make_root() {
    local place=$1
    ip link set lo up
    mount -t tmpfs -o mode=755 overlay "$place"
    mkdir "$place"/{upper,work,root}
    root=$place/root
    mount -t overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" overlay "$root" ||
        die "no overlay can be mounted over this root"
    mount --rbind /dev "$root/dev"
    mount -t proc proc "$root/proc"
    mount -t tmpfs -o mode=755 run "$root/run"
    mount -t tmpfs -o mode=1777 tmp "$root/tmp"
    cp "$2" "$root/tmp/doorward.deb"
    within sh -c 'dpkg --purge doorward >/dev/null 2>&1 || true'
    within sh -c '! getent passwd doorward >/dev/null || userdel doorward'
    within rm -rf /etc/doorward /var/lib/doorward /var/log/doorward
}
