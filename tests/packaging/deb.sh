#!/usr/bin/env bash
# Installs the Debian package, runs it, upgrades it, removes and purges it, in a root
# of its own: this machine's, under an overlay that is thrown away, in namespaces of
# its own. What it leaves behind after the purge is an error, as is everything else.
#
#   tests/packaging/deb.sh PACKAGE.deb
#
# Takes some ten seconds. Needs root.
set -euo pipefail

# shellcheck source=tests/packaging/overlay.sh
source "$(dirname "${BASH_SOURCE[0]}")/overlay.sh"

# In the namespaces. Nothing runs in the root: no systemd, as in a container or a
# debootstrap folder.
inside() {
    place=$1
    make_root "$1" "$2"
    changes >"$place/before"

    installed
    serves
    upgraded
    removed
    purged
}

doorward=(setpriv --reuid doorward --regid doorward --init-groups)

# Starts a gateway, waits until the address answers, and leaves its process id in $gateway.
start() {
    local address=$1 tries=0
    shift
    (exec chroot "$root" "${environment[@]}" "$@" >"$root/tmp/log" 2>&1) &
    gateway=$!
    until curl -s -o /dev/null "http://$address/.doorward/whoami"; do
        if [ $((tries += 1)) = 100 ] || ! kill -0 "$gateway"; then
            die "it does not serve: $(cat "$root/tmp/log")"
        fi
        sleep 0.1
    done
}

stop() {
    kill -TERM "$gateway"
    wait "$gateway" || die "it does not stop cleanly: $(cat "$root/tmp/log")"
}

# What differs from the machine below. dpkg writes to its own logs and tables, and shadow
# keeps copies of the tables before.
changes() {
    local path
    (
        cd "$place/upper"
        find . -mindepth 1 \( -path ./var/lib/dpkg -o -path ./var/log/dpkg.log -o -path ./var/cache \
            -o -path './etc/*-' -o -path ./etc/.pwd.lock \) -prune -o -print0
    ) | while read -rd '' path; do
        if [ -c "$place/upper/$path" ]; then
            echo "gone: $path"
        elif [ ! -e "/$path" ] && [ ! -L "/$path" ]; then
            echo "new: $path"
        elif [ ! -d "/$path" ] && ! cmp -s "/$path" "$root/$path"; then
            echo "changed: $path"
        fi
    done | LC_ALL=C sort
    (cd "$root/etc" && sha256sum passwd group shadow gshadow)
}

expect() {
    local what=$1
    shift
    "$@" >"$root/tmp/said" 2>&1 || {
        cat "$root/tmp/said" >&2
        die "$what"
    }
}

mode_of() { within stat -c '%a %U:%G' "$1"; }

installed() {
    step "installs, without systemd running"
    expect "the package cannot be installed" within dpkg -i /tmp/doorward.deb
    expect "files are not as packed" within dpkg --verify doorward
    is /var/lib/doorward "$(mode_of /var/lib/doorward)" '700 doorward:doorward'
    is /var/log/doorward "$(mode_of /var/log/doorward)" '750 doorward:doorward'
    is /run/doorward "$(mode_of /run/doorward)" '755 doorward:doorward'
    is doorward.toml "$(mode_of /etc/doorward/doorward.toml)" '644 root:root'
    is /etc/doorward/sslkeys "$(mode_of /etc/doorward/sslkeys)" '755 root:root'
    expect "logrotate refuses its configuration" within logrotate --debug /etc/logrotate.d/doorward
    ! grep -i error "$root/tmp/said" || die "logrotate finds errors"
    links
    is "the shell of doorward" "$(within getent passwd doorward | cut -d: -f7)" /usr/sbin/nologin
    if within getent group winbindd_priv >/dev/null; then
        within id -nG doorward | grep -qw winbindd_priv || die "doorward is not in winbindd_priv"
    fi
    within test -L /etc/systemd/system/multi-user.target.wants/doorward.service ||
        die "the unit is not enabled"
    expect "the units are wrong" within sh -c \
        'cp /usr/share/doc/doorward/examples/doorward.socket /tmp &&
        systemd-analyze verify --man=no /usr/lib/systemd/system/doorward.service /tmp/doorward.socket'
    expect "the sandbox has become weaker" within systemd-analyze security --offline=true \
        --threshold=20 /usr/lib/systemd/system/doorward.service
    grep 'Overall exposure' "$root/tmp/said"
}

# Every link between the installed documents leads to a file, and to a heading in it.
links() {
    within python3 - <<-'END' || die "documents have dead links"
		import pathlib, re, sys
		root = pathlib.Path("/usr/share/doc/doorward")
		anchor = lambda title: re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
		dead = []
		for document in root.rglob("*.md"):
		    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text()):
		        path, _, heading = target.partition("#")
		        if ":" in path:
		            continue
		        file = document if not path else document.parent / path
		        if not file.exists():
		            dead.append(f"{document}: {target}")
		        elif heading:
		            titles = re.findall(r"^#+ (.*)$", file.read_text(), re.M)
		            if heading not in map(anchor, titles):
		                dead.append(f"{document}: {target}")
		print("\n".join(dead))
		sys.exit(bool(dead))
	END
}

serves() {
    step "runs as doorward"
    printf 'addent -password -p HTTP/web.example@EXAMPLE.ORG -k 1 -e aes256-cts-hmac-sha1-96\npassword\nwkt /etc/doorward/http.keytab\n' |
        within ktutil >/dev/null
    within chown root:root /etc/doorward/http.keytab
    local said
    said=$(within "${doorward[@]}" doorward check) && die "a keytab that only root can read was not told: $said"
    grep -q 'http.keytab is not readable for doorward' <<<"$said" || die "check said: $said"
    within chown root:doorward /etc/doorward/http.keytab
    within chmod 640 /etc/doorward/http.keytab
    said=$(within "${doorward[@]}" doorward check) || true
    ! grep -E '^FAIL  (configuration|keytab|readable|state|socket|accounts|replay cache):' <<<"$said" ||
        die "check finds faults in the default configuration: $said"

    start 127.0.0.1:8080 "${doorward[@]}" doorward serve
    is "whoami without a ticket" \
        "$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/.doorward/whoami)" 401
    is "root, asking the core" "$(curl -s --unix-socket "$root/run/doorward/core.sock" http://core/v1/whoami |
        grep -o '"as": *"[^"]*"' | tr -d ' ')" '"as":"SYSTEM"'
    stop

    step "runs as doorward, started as root with run_as_user"
    sed 's/127.0.0.1:8080/127.0.0.1:80/' "$root/etc/doorward/doorward.toml" >"$root/tmp/root.toml"
    start 127.0.0.1:80 doorward serve --config /tmp/root.toml
    is "its user" "$(awk '/^Uid/ {print $2, $3, $4, $5}' "/proc/$gateway/status")" \
        "$(within id -u doorward | sed 's/.*/& & & &/')"
    stop
}

upgraded() {
    step "upgrades, and keeps configuration and sessions"
    echo '# changed here' >>"$root/etc/doorward/doorward.toml"
    expect "the package cannot be installed over itself" within dpkg -i /tmp/doorward.deb
    grep -q '# changed here' "$root/etc/doorward/doorward.toml" || die "a changed configuration was overwritten"
    within test -f /var/lib/doorward/sessions.sqlite || die "the sessions are gone"
}

removed() {
    step "removes, and keeps configuration and sessions"
    expect "the package cannot be removed" within dpkg -r doorward
    within test ! -e /usr/bin/doorward || die "the program is still there"
    within test -f /var/lib/doorward/sessions.sqlite || die "the sessions are gone"
    within test -f /etc/doorward/doorward.toml || die "the configuration is gone"
}

purged() {
    step "purges, and keeps nothing but the administrator's keytab"
    expect "the package cannot be purged" within dpkg -P doorward
    within test -f /etc/doorward/http.keytab || die "the administrator's keytab is gone"
    within rm -r /etc/doorward
    changes >"$place/after"
    diff "$place/before" "$place/after" || die "the purge left what stands above"
}

if [ "${1:-}" = --inside ]; then
    inside "$2" "$3"
    echo "deb.sh: all is well"
    exit
fi
[ $# = 1 ] || die "usage: tests/packaging/deb.sh PACKAGE.deb"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
in_namespaces "$scratch" "$(realpath "$1")"
