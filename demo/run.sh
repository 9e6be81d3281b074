#!/usr/bin/env bash
# Shows Doorward at work on a real Active Directory realm: signs on in every way there
# is, tries what must be refused, then waits, so that you can try it yourself.
#
#   demo/run.sh                until Ctrl-C
#   DEMO_ONCE=1 demo/run.sh    ends after the table; exit code 0 if all was as it must be
#
# Everything it makes stands in one temporary directory, and goes with it; so do the
# processes, which run in namespaces of their own (tests/lab/enter.sh).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
pointer=target/demo-running

die() {
    echo "demo: $*" >&2
    exit 1
}

outside() {
    [ "$(id -u)" = 0 ] || die "a domain controller needs root: run it as root"
    scripts/packages.sh demo
    cargo build --release --locked
    DEMO_DIR=$(mktemp -d "${TMPDIR:-/tmp}/doorward-demo.XXXXXX")
    chmod 755 "$DEMO_DIR"
    export DEMO_DIR
    trap 'rm -rf "$DEMO_DIR" "$pointer"' EXIT
    left=''
    TMPDIR=$DEMO_DIR tests/lab/enter.sh demo/run.sh &
    lab=$!
    # What runs in the background never sees Ctrl-C; it is told to end.
    trap 'left=yes; kill -TERM "$lab" 2>/dev/null || true' INT TERM
    printf '%s\n' "$lab" "$DEMO_DIR" >"$pointer"
    local rc=0
    wait "$lab" || rc=$?
    while kill -0 "$lab" 2>/dev/null; do
        rc=0
        wait "$lab" || rc=$?
    done
    [ -z "$left" ] || exit 0
    if [ "$rc" != 0 ]; then
        echo "demo: the last lines of the gateway's log:" >&2
        tail -n 5 "$DEMO_DIR/gateway.log" 2>/dev/null >&2 || true
    fi
    exit "$rc"
}

# filled FILE: a configuration with the names of this run.
filled() {
    sed -e "s|@DIR@|$DEMO_DIR|g; s|@DNS@|$DNS|g; s|@REALM@|$REALM|g; s|@DOMAIN@|$DOMAIN|g" \
        -e "s|@KEYTAB@|$BOTH_KEYTAB|g; s|@SMB_CONF@|$SMB_CONF|g" \
        "demo/conf/$1" >"$DEMO_DIR/$1"
}

# Certificates as an administrator makes them, and the keys that the core knows.
make_keys() {
    local cert=(target/release/doorward cert) pki=$DEMO_DIR/pki name
    mkdir "$pki" "$DEMO_DIR/sslkeys"
    {
        "${cert[@]}" ca --dir "$pki"
        "${cert[@]}" server "core.$DNS" --dir "$pki"
        for name in delivery webapp alice stranger; do
            "${cert[@]}" client "$name" --dir "$pki"
        done
    } >"$DEMO_DIR/cert.log"
    cp "$pki"/{delivery,webapp,alice}-public.pem "$DEMO_DIR/sslkeys"
}

# run NAME COMMAND…: in the background, until the demo ends.
run() {
    local name=$1
    shift
    "$@" </dev/null >"$DEMO_DIR/$name.log" 2>&1 &
    pids[$name]=$!
    echo $! >>"$LAB_PIDS"
}

# answers NAME PORT: waits until it listens there.
answers() {
    local end=$((SECONDS + 30))
    until (exec 3<>"/dev/tcp/127.0.0.1/$2") 2>/dev/null; do
        if [ "$SECONDS" -ge "$end" ] || ! kill -0 "${pids[$1]}" 2>/dev/null; then
            cat "$DEMO_DIR/$1.log" >&2
            die "$1 does not listen on port $2"
        fi
        sleep 0.1
    done
}

by_hand() {
    cat <<EOF

Now you. In another terminal, in this directory; each command runs as alice:

  demo/enter curl --negotiate -u : http://web.$DNS:8080/
  demo/enter curl --negotiate -u : --cacert $DEMO_DIR/state/self-signed.pem https://web.$DNS:8443/.doorward/whoami
  demo/enter --as bob curl --negotiate -u : -H 'Remote-User: alice' http://web.$DNS:8080/
  demo/enter curl --negotiate -u : http://alias.$DNS:8090/     (nginx, forward-auth)
  demo/enter curl http://web.$DNS:9180/metrics
  demo/enter browser http://web.$DNS:8080/     (Chromium, on this screen)
  demo/enter     (a shell)

By NTLM, like a machine that has no ticket:

  demo/enter sh -c 'curl --ntlm --user "$DOMAIN\\bob:\$BOB_PASSWORD" http://web.$DNS:8080/'
  demo/enter sh -c 'DOORWARD_PASSWORD=\$BOB_PASSWORD target/release/doorward probe http://web.$DNS:8080/ --ntlm --user "$DOMAIN\\bob"'
  demo/enter sh -c 'echo \$BOB_PASSWORD'     (prints bob's password)

The gateway's log: $DEMO_DIR/gateway.log; its audit log: $DEMO_DIR/audit.log
Ctrl-C stops everything.
EOF
}

inside() {
    echo "demo: starting an Active Directory realm and an MIT realm"
    tests/lab/realm.sh up "$DEMO_DIR/realm"
    set -a
    # shellcheck source=/dev/null
    . "$DEMO_DIR/realm/env"
    set +a
    local user rc=0
    for user in alice bob dora; do
        tests/lab/realm.sh ticket "$user" "$DEMO_DIR/$user.ccache"
    done
    tests/lab/realm.sh ticket "alice@$MIT_REALM" "$DEMO_DIR/mit-alice.ccache"
    make_keys
    filled doorward.toml
    filled nginx.conf
    mkdir "$DEMO_DIR/nginx"
    chown www-data "$DEMO_DIR/nginx"

    echo "demo: starting the gateway, an application, and an nginx"
    declare -gA pids
    KRB5_CONFIG=$KRB5_CONFIG_TWO_REALMS \
        run gateway target/release/doorward serve --config "$DEMO_DIR/doorward.toml"
    run app /usr/bin/python3 demo/app.py 9001 "http://web.$DNS:8080"
    run nginx nginx -c "$DEMO_DIR/nginx.conf"
    answers gateway 8443
    answers app 9001
    answers nginx 8090

    /usr/bin/python3 demo/signons.py "$DEMO_DIR" || rc=$?
    [ -z "${DEMO_ONCE:-}" ] || exit "$rc"
    by_hand
    exec sleep infinity
}

if [ -n "${DEMO_DIR:-}" ] && [ -n "${LAB_TMP:-}" ]; then
    inside
else
    outside
fi
