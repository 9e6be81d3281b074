#!/usr/bin/env bash
# Boots systemd in a root of its own, as deb.sh makes it, with the package installed, and
# signs on by Kerberos to the gateway that runs in the unit's sandbox. Then the reload, the
# restart, and a socket that systemd hands over.
#
#   tests/packaging/systemd.sh PACKAGE.deb
#
# Takes some five seconds. Needs root, and a cgroup v2 hierarchy that can be written.
set -euo pipefail

# shellcheck source=tests/packaging/overlay.sh
source "$(dirname "${BASH_SOURCE[0]}")/overlay.sh"

# In the namespaces, as process 1: prepares the root, and becomes systemd there.
boot() {
    make_root "$1" "$2"
    mount --bind "$3" "$root/mnt"
    mount -t sysfs sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" || die "no cgroup v2 hierarchy can be mounted"
    within dpkg -i /tmp/doorward.deb >/dev/null
    echo '127.0.0.1 localhost gate.example.org' >"$root/etc/hosts"
    cat >"$root/etc/krb5.conf" <<-'END'
		[libdefaults]
		default_realm = EXAMPLE.ORG
		dns_lookup_kdc = false
		dns_canonicalize_hostname = false
		[realms]
		EXAMPLE.ORG = {
		  kdc = 127.0.0.1:88
		}
	END
    cat >"$root/etc/systemd/system/test.target" <<-'END'
		[Unit]
		Wants=doorward.service test.service
	END
    cat >"$root/etc/systemd/system/test.service" <<-'END'
		[Service]
		Type=oneshot
		ExecStart=/mnt/systemd.sh --test
		ExecStopPost=systemctl poweroff --force --force
		StandardOutput=file:/mnt/said
		StandardError=append:/mnt/said
	END
    mkdir "$root/etc/systemd/system/doorward.service.d"
    printf '[Service]\nStandardError=append:/mnt/log\n' >"$root/etc/systemd/system/doorward.service.d/log.conf"
    cp "$0" "$(dirname "$0")/overlay.sh" "$root/mnt"
    exec chroot "$root" "${environment[@]}" container=other \
        /lib/systemd/systemd --system --unit=test.target --show-status=0
}

realm() {
    kdb5_util create -s -r EXAMPLE.ORG -P master
    krb5kdc
    kadmin.local addprinc -pw password alice
    kadmin.local addprinc -randkey HTTP/gate.example.org
    kadmin.local ktadd -k /etc/doorward/http.keytab HTTP/gate.example.org
    chown root:doorward /etc/doorward/http.keytab
    chmod 640 /etc/doorward/http.keytab
    echo password | kinit alice
}

signs_on() {
    local said
    said=$(curl -sv --insecure --negotiate -u : "$1/.doorward/whoami" 2>&1) || true
    [[ "$said" == *'"alice"'* ]] || die "alice cannot sign on at $1: $said"
}

# As a service beside the gateway: what it finds there is printed, and the last line counts.
try_it() {
    export HOME=/root
    local tries=0 pid said
    until systemctl --quiet is-active doorward; do
        [ $((tries += 1)) -lt 100 ] || die "the unit does not start: $(systemctl status doorward)"
        sleep 0.1
    done
    said=$(realm 2>&1) || die "there is no realm: $said"
    step "signs on, in the sandbox"
    signs_on http://gate.example.org:8080
    pid=$(systemctl show --value --property MainPID doorward)
    grep -q '^Seccomp:	2$' "/proc/$pid/status" || die "no system calls are filtered"
    grep -q '^CapEff:	0000000000000400$' "/proc/$pid/status" || die "it has other capabilities than to bind"

    step "reloads and restarts"
    systemctl reload doorward
    signs_on http://gate.example.org:8080
    systemctl restart doorward
    signs_on http://gate.example.org:8080

    step "takes a socket from systemd"
    systemctl stop doorward
    sed -i 's/^#listen_tls/listen_tls/' /etc/doorward/doorward.toml
    cp /usr/share/doc/doorward/examples/doorward.socket /etc/systemd/system
    systemctl daemon-reload
    systemctl start doorward.socket
    signs_on https://gate.example.org
    systemctl --quiet is-active doorward || die "the socket did not start the service"
    echo "systemd.sh: all is well"
}

case "${1:-}" in
--inside)
    shift
    boot "$@"
    ;;
--test) try_it ;;
*)
    [ $# = 1 ] || die "usage: tests/packaging/systemd.sh PACKAGE.deb"
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
    grep -qsx 'systemd.sh: all is well' "$scratch/shared/said" ||
        die "what the gateway logged: $(cat "$scratch/shared/log" 2>/dev/null)"
    ;;
esac
