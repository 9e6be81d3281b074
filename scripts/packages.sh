#!/usr/bin/env bash
# Installs what a purpose needs and the machine lacks, and nothing else:
#
#   scripts/packages.sh build|unit|test|demo|bench|doc|lint|deb|deb-test
#
# On Debian and its kin by apt-get, as root or by sudo; elsewhere it names what to
# install. Rust, git and make are taken for granted. No daemon that comes with a
# package is started, though Debian lets it start at the next boot.
set -euo pipefail

# Lists apart, so that a machine that only compiles, or runs the unit tests, gets no
# domain controller.
build=(gcc libc6-dev pkg-config libkrb5-dev libclang-dev)
# Unit tests compare with what openssl, klist and ntlm_auth say.
unit=(openssl krb5-user winbind)
lab=(
    samba samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind ldb-tools
    krb5-user krb5-kdc krb5-admin-server
    iproute2 procps util-linux
    python3 python3-venv python3-dev
    curl openssl ca-certificates systemd adduser dpkg-dev logrotate
    nginx libnginx-mod-http-js apache2-bin libapache2-mod-auth-gssapi media-types
)
clients=(chromium default-jdk-headless faketime)
packager=(dpkg-dev binutils)

die() {
    echo "packages.sh: $*" >&2
    exit 1
}

wanted() {
    case "$1" in
    build | doc) printf '%s\n' "${build[@]}" ;;
    unit) printf '%s\n' "${build[@]}" "${unit[@]}" ;;
    lint) printf '%s\n' "${build[@]}" shellcheck ;;
    test | demo) printf '%s\n' "${build[@]}" "${lab[@]}" "${clients[@]}" ;;
    deb) printf '%s\n' "${build[@]}" "${packager[@]}" ;;
    deb-test) printf '%s\n' "${build[@]}" "${packager[@]}" adduser curl iproute2 logrotate openssl procps python3 krb5-user krb5-kdc krb5-admin-server systemd util-linux ;;
    bench) printf '%s\n' "${build[@]}" "${lab[@]}" wrk ;;
    *) die "usage: packages.sh build|unit|test|demo|bench|doc|lint|deb|deb-test" ;;
    esac
}

present() {
    case "$1" in
    # Any JDK does, from wherever it came.
    default-jdk-headless) command -v javac >/dev/null ;;
    *) [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
    esac
}

install() {
    local policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        # invoke-rc.d asks this file before it starts what a package brings.
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -y --no-install-recommends -qq "$@" >/dev/null || {
        # Lists that are old name versions that no mirror has any more.
        apt-get update -qq
        apt-get install -y --no-install-recommends -qq "$@" >/dev/null
    }
}

if [ "${1:-}" = --install ]; then
    shift
    install "$@"
    exit
fi

purpose=${1:-}
needs=$(wanted "$purpose")
if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "packages.sh: there is no apt-get; \"make $purpose\" needs these Debian packages: $(echo "$needs" | paste -sd' ')" >&2
    exit 0
fi
missing=()
for package in $needs; do
    present "$package" || missing+=("$package")
done
[ ${#missing[@]} != 0 ] || exit 0

echo "packages.sh: installing what \"make $purpose\" needs and this machine lacks: ${missing[*]}" >&2
if [ "$(id -u)" = 0 ]; then
    "${BASH_SOURCE[0]}" --install "${missing[@]}"
elif command -v sudo >/dev/null; then
    sudo "${BASH_SOURCE[0]}" --install "${missing[@]}"
else
    die "neither root nor sudo: as root, run: apt-get install --no-install-recommends ${missing[*]}"
fi || die "apt-get could not install them: see above, or run: apt-get install --no-install-recommends ${missing[*]}"
