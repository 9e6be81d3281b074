# shellcheck shell=bash
# Sourced by the tests that boot systemd in a root of their own. A script that does so
# defines prepare, which may change the root in $root before the boot, and try_it, which runs
# there as a service. Then it calls: in_a_booted_root "$@"

# shellcheck source=tests/packaging/overlay.sh
source "$(dirname "${BASH_SOURCE[0]}")/overlay.sh"

self=$(basename "$0")

# In the namespaces, as process 1: prepares the root, and becomes systemd there.
boot() {
    make_root "$1" "$2"
    mount --bind "$3" "$root/mnt"
    mount -t sysfs sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" || die "no cgroup v2 hierarchy can be mounted"
    prepare
    cat >"$root/etc/systemd/system/test.target" <<-'END'
		[Unit]
		Wants=doorward.service test.service
	END
    cat >"$root/etc/systemd/system/test.service" <<-END
		[Service]
		Type=oneshot
		ExecStart=/mnt/$self --test
		ExecStopPost=systemctl poweroff --force --force
		StandardOutput=file:/mnt/said
		StandardError=append:/mnt/said
	END
    mkdir "$root/etc/systemd/system/doorward.service.d"
    printf '[Service]\nStandardError=append:/mnt/log\n' >"$root/etc/systemd/system/doorward.service.d/log.conf"
    cp "$0" "$(dirname "$0")"/{boot,overlay}.sh "$root/mnt"
    exec chroot "$root" "${environment[@]}" container=other \
        /lib/systemd/systemd --system --unit=test.target --show-status=0
}

# A realm of MIT on this host, with somebody in it: make_realm REALM PERSON SERVICE KEYTAB
make_realm() {
    kdb5_util create -s -r "$1" -P master
    krb5kdc -r "$1"
    kadmin.local -r "$1" addprinc -pw password "$2"
    kadmin.local -r "$1" addprinc -randkey "$3"
    kadmin.local -r "$1" ktadd -k "$4" "$3"
}

in_a_booted_root() {
    case "${1:-}" in
    --inside)
        shift
        boot "$@"
        ;;
    --test)
        try_it
        echo "$self: all is well"
        ;;
    *)
        [ $# = 1 ] || die "usage: tests/packaging/$self PACKAGE.deb"
        scratch=$(mktemp -d)
        mkdir "$scratch"/{place,shared}
        # A cgroup of its own, so that systemd there sees no other process's.
        cgroup=$(findmnt --first-only --noheadings --output TARGET --types cgroup2)/doorward-test.$$
        mkdir "$cgroup" || die "no cgroup can be made"
        trap 'find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null; rm -rf "$scratch"' EXIT
        # systemd ends by a power-off, which is no success of its process: what was said counts.
        (
            echo "$BASHPID" >"$cgroup/cgroup.procs"
            in_namespaces "$scratch/place" "$(realpath "$1")" "$scratch/shared"
        ) >"$scratch/console" 2>&1 || true
        cat "$scratch/shared/said" 2>/dev/null || cat "$scratch/console"
        grep -qsx "$self: all is well" "$scratch/shared/said" ||
            die "what the gateway logged: $(cat "$scratch/shared/log" 2>/dev/null)"
        ;;
    esac
}
