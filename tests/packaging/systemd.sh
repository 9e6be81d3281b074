#!/usr/bin/env bash
# Boots systemd in a root of its own, as deb.sh makes it, with the package installed, and
# signs on by Kerberos to the gateway that runs in the unit's sandbox. Then reloads, good
# ones and bad ones, a restart, a rotation of the audit log, and a socket that systemd hands
# over.
#
#   tests/packaging/systemd.sh PACKAGE.deb
#
# Takes some ten seconds. Needs root, and a cgroup v2 hierarchy that can be written.
set -euo pipefail

# shellcheck source=tests/packaging/boot.sh
source "$(dirname "${BASH_SOURCE[0]}")/boot.sh"

prepare() {
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
}

realm() {
    make_realm EXAMPLE.ORG alice HTTP/gate.example.org /etc/doorward/http.keytab
    chown root:doorward /etc/doorward/http.keytab
    chmod 640 /etc/doorward/http.keytab
    echo password | kinit alice
}

signs_on() {
    local said
    said=$(curl -sv --insecure --negotiate -u : "$1/.doorward/whoami" 2>&1) || true
    [[ "$said" == *'"alice"'* ]] || die "alice cannot sign on at $1: $said"
}

alice_in() { grep -q '"login":"alice"' "$1"; }

signs_on_into() {
    signs_on http://gate.example.org:8080
    alice_in "$1"
}

reload_fails() {
    local said
    said=$(systemctl reload doorward 2>&1) && die "systemctl reload succeeds with $1"
    systemctl --quiet is-active doorward || die "a failed reload ended the gateway: $said"
    grep -q "$2" /mnt/log || die "the log does not name $2"
    systemctl status doorward 2>/dev/null | grep -q "Status: .*$2" || die "the status does not name $2: $(systemctl status doorward)"
}

# As a service beside the gateway: what it finds there is printed, and the last line counts.
try_it() {
    export HOME=/root
    local pid said
    wait_for systemctl --quiet is-active doorward
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

    step "fails to reload what is wrong, and goes on"
    cp /etc/doorward/doorward.toml /tmp/good.toml
    sed 's/^listen = \["127/listn = ["127/' /tmp/good.toml >/etc/doorward/doorward.toml
    reload_fails "a wrong key" "did you mean listen"
    sed 's/^#audit/audit/; s|^\[front\]|[front]\nserver_ssl_key_file = "/nonexistent.pem"\nlisten_tls = ["127.0.0.1:443"]|' \
        /tmp/good.toml >/etc/doorward/doorward.toml
    said=$(systemctl reload doorward 2>&1) || die "what takes a restart failed the reload: $said"
    grep -q 'log.audit, front.listen_tls changed' /mnt/log || die "the log does not name what takes a restart"
    systemctl status doorward 2>/dev/null | grep -q 'Status: .*front.listen_tls' || die "nor does the status"
    signs_on http://gate.example.org:8080

    step "rotates the audit log"
    sed 's/^#audit/audit/' /tmp/good.toml >/etc/doorward/doorward.toml
    systemctl restart doorward
    signs_on http://gate.example.org:8080
    wait_for alice_in /var/log/doorward/audit.log
    is "the audit log" "$(stat -c '%a %U:%G' /var/log/doorward/audit.log)" '640 doorward:doorward'
    logrotate --force /etc/logrotate.d/doorward
    [ -s /var/log/doorward/audit.log.1 ] || die "nothing was rotated"
    wait_for signs_on_into /var/log/doorward/audit.log
    is "the new audit log" "$(stat -c '%a %U:%G' /var/log/doorward/audit.log)" '640 doorward:doorward'

    step "takes a socket from systemd"
    systemctl stop doorward
    sed 's/^#listen_tls/listen_tls/' /tmp/good.toml >/etc/doorward/doorward.toml
    cp /usr/share/doc/doorward/examples/doorward.socket /etc/systemd/system
    systemctl daemon-reload
    systemctl start doorward.socket
    signs_on https://gate.example.org
    systemctl --quiet is-active doorward || die "the socket did not start the service"
}

in_a_booted_root "$@"
