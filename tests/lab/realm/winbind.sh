# shellcheck shell=bash
# The realm's winbindd, which realm.sh starts and a test may stop: realm.sh reads this file.

winbind_start() {
    daemon winbindd winbindd --foreground --no-process-group --configfile="$SMB_CONF" \
        --option="server role check:inhibit=yes"
    wait_for 60 "winbindd's answer to wbinfo -p" wbinfo -p
    wait_for 60 "ntlm_auth's verdict about alice" ntlm_auth_verifies alice "$ALICE_PASSWORD"
}

winbind_stop() {
    local pid
    pid=$(cat "$LAB_DIR/ad/winbindd.pid")
    kill -TERM "$pid"
    wait_for 30 "the end of winbindd" winbind_ended "$pid"
}

winbind_ended() {
    # It may stay as a zombie until the lab's init reaps it.
    ! grep -qs '^State:[[:space:]]*[^Z]' "/proc/$1/status" && ! wbinfo -p
}

winbind() {
    case "${1:-}" in
    start | stop) "winbind_$1" ;;
    *) die "usage: realm.sh winbind start|stop" ;;
    esac
}

# ntlm_auth_verifies NAME PASSWORD
ntlm_auth_verifies() {
    printf '%s\n' "Username: $1" "NT-Domain: $DOMAIN" "Password: $2" . |
        ntlm_auth --configfile="$SMB_CONF" --helper-protocol=ntlm-server-1 |
        grep -q '^Authenticated: Yes'
}
