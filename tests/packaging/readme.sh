#!/usr/bin/env bash
# Does what README.md says, in a root of its own in which systemd runs: its commands and its
# doorward.toml are taken out of it as they stand, and then somebody signs on. Only the
# domain controller is another one: a KDC of MIT, on the same host.
#
#   tests/packaging/readme.sh PACKAGE.deb
#
# Takes some ten seconds. Needs root, and a cgroup v2 hierarchy that can be written.
set -euo pipefail

# shellcheck source=tests/packaging/boot.sh
source "$(dirname "${BASH_SOURCE[0]}")/boot.sh"

prepare() {
    cp "$(dirname "$0")/../../README.md" "$root/mnt"
    install -d "$root/root/five"
    mv "$root/tmp/doorward.deb" "$root/mnt/doorward_0_amd64.deb"
    echo '127.0.0.1 localhost web.adsdomain.example adserver.adsdomain.example' >"$root/etc/hosts"
    # A service may start when its package is installed, as on a machine that runs.
    rm -f "$root/etc/krb5.conf" "$root/usr/sbin/policy-rc.d"
}

# The blocks of the five minutes, in their order, a file each: 01.sh, 02.toml, …
blocks() {
    awk -v into="$1" '
        /^## Five minutes/ { inside = 1 }
        /^### / || (/^## / && !/^## Five/) { inside = 0 }
        inside && /^```(sh|toml)$/ { file = sprintf("%s/%02d.%s", into, ++number, substr($0, 4)); next }
        /^```$/ { file = "" }
        file { print > file }
    ' /mnt/README.md
}

# As a service: what it finds is printed, and the last line counts.
try_it() {
    export HOME=/root KRB5_CONFIG=/tmp/realm.conf
    local said block pid
    # The port of the default listener is another program's, as it often is.
    python3 -m http.server --bind 127.0.0.1 8080 >/dev/null 2>&1 &
    cd /root/five
    cp /mnt/doorward_*.deb .
    printf '[libdefaults]\ndefault_realm = ADSDOMAIN.EXAMPLE\n' >"$KRB5_CONFIG"
    said=$(make_realm ADSDOMAIN.EXAMPLE john HTTP/web.adsdomain.example http.keytab 2>&1) ||
        die "there is no realm: $said"
    unset KRB5_CONFIG
    blocks /tmp
    is "the number of blocks" "$(find /tmp -name '[0-9][0-9].*' | wc -l)" 6
    grep -qF 'python3 -m http.server --bind 127.0.0.1 9001' /mnt/README.md || die "README names no application"
    (mkdir /tmp/application && cd /tmp/application && echo 'the application' >index.html &&
        exec python3 -m http.server --bind 127.0.0.1 9001) >/dev/null 2>&1 &
    for block in /tmp/[0-9][0-9].*; do
        step "$(head -n 1 "$block")"
        case "$block" in
        *.toml) cp "$block" /etc/doorward/doorward.toml ;;
        *)
            # What asks for a password reads it here.
            said=$(bash -ec "$(cat "$block")" 2>&1 < <(yes password 2>/dev/null)) || die "$(cat "$block") ends with: $said"
            ! grep '^FAIL' <<<"$said" || die "the check finds faults: $said"
            ;;
        esac
    done
    [[ "$said" == *john* ]] || die "probe did not sign john on: $said"

    step "signs on"
    said=$(curl -s --cacert /root/doorward-ca/cacert.pem --negotiate -u : https://web.adsdomain.example/)
    is "the application's answer" "$said" 'the application'
    said=$(curl -s --cacert /root/doorward-ca/cacert.pem --negotiate -u : https://web.adsdomain.example/.doorward/whoami)
    [[ "$said" == *'"john"'* ]] || die "whoami says $said"
    wait_for grep -q '"login":"john"' /var/log/doorward/audit.log
    pid=$(systemctl show --value --property MainPID doorward)
    ! ss -Hltnp | grep ":8080 .*pid=$pid," || die "it listens where the file does not say"
}

in_a_booted_root "$@"
