#!/usr/bin/env bash
# A real Active Directory domain (Samba) and a real MIT realm beside it, on loopback.
# Run inside tests/lab/enter.sh.
#
#   realm.sh up DIR                       brings both up; DIR/env then names everything
#   realm.sh ticket USER CCACHE [OPT…]    signs USER on by password (OPT are kinit's, as -l 5s);
#                                         USER may be alice@MIT.EXAMPLE
#   realm.sh user NAME [PASSWORD]         adds a user, prints the password
#   realm.sh users PREFIX COUNT           adds PREFIX-0 and so on, prints a NAME PASSWORD a line
#   realm.sh service NAME KEYTAB          adds account svc-NAME with HTTP/NAME.<domain>
#   realm.sh disable USER, enable USER
#   realm.sh rotate-key NAME KEYTAB       gives svc-NAME a new key; KEYTAB has only the new one
#   realm.sh rc4-keytab NAME KEYTAB       lets svc-NAME have RC4 keys only, and exports them
#   realm.sh duplicate-spn NAME ACCOUNT   gives ACCOUNT the SPN of svc-NAME too: the KDC refuses it
#   realm.sh winbind stop, winbind start  returns when ntlm_auth is refused, and verifies, again
#
# Every verb but up finds the realm by LAB_DIR, or by the last up of this run.
# LAB_REALM, LAB_DOMAIN and LAB_MIT_REALM name the realms; without them LAB.EXAMPLE,
# LAB and MIT.EXAMPLE.
set -euo pipefail
umask 022

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
examples=$here/../../krb5-examples
mit_port=10088
# Nothing here has to outlive a power cut.
export TDB_NO_FSYNC=1
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=tests/lab/realm/accounts.sh
. "$here/realm/accounts.sh"
# shellcheck source=tests/lab/realm/winbind.sh
. "$here/realm/winbind.sh"

die() {
    echo "realm.sh: $*" >&2
    exit 1
}

lower() {
    printf %s "$1" | tr '[:upper:]' '[:lower:]'
}

# wait_for SECONDS WHAT COMMAND…: until the command succeeds.
wait_for() {
    local limit=$1 what=$2 end
    shift 2
    end=$((SECONDS + limit))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || die "$what did not happen within $limit s; see $LAB_DIR/log"
        sleep 0.1
    done
}

# daemon NAME COMMAND…: started in the background, its output in log/NAME.out.
daemon() {
    local name=$1
    shift
    setsid "$@" </dev/null >"$LAB_DIR/log/$name.out" 2>&1 &
    echo $! >>"${LAB_PIDS:-/dev/null}"
}

check_machine() {
    local need missing=''
    local -A package=(
        [samba]=samba-ad-dc [samba-tool]=samba [wbinfo]=winbind [ntlm_auth]=winbind [ldbmodify]=ldb-tools
        [kinit]=krb5-user [krb5kdc]=krb5-kdc [kadmin.local]=krb5-admin-server [ip]=iproute2
    )
    for need in "${!package[@]}"; do
        command -v "$need" >/dev/null || missing+=" ${package[$need]}"
    done
    [ -e /usr/share/samba/setup/provision.ldif ] || missing+=' samba-ad-provision'
    [ -z "$missing" ] || die "this machine lacks what the realm is made of. Mend it with
    apt-get install samba samba-ad-dc samba-ad-provision samba-dsdb-modules samba-vfs-modules winbind ldb-tools krb5-user krb5-kdc krb5-admin-server iproute2
(missing:$missing)"
    [ -n "${LAB_TMP:-}" ] || die "run it inside tests/lab/enter.sh, so that the realm ends with the run"
    [ "$(id -u)" = 0 ] || die "a domain controller needs root: run the tests as root"
    # Samba makes sockets below the directory; a socket's path has at most 107 bytes.
    [ ${#LAB_DIR} -le 70 ] || die "$LAB_DIR is too long a path for Samba's sockets: use one of at most 70 bytes"
}

write_smb_conf() {
    cat >"$LAB_DIR/ad/etc/smb.conf" <<EOF
[global]
    realm = $REALM
    workgroup = $DOMAIN
    netbios name = DC1
    server role = active directory domain controller
    # No DNS and no file service are needed: hosts stand in /etc/hosts.
    # winbindd is started beside it: where samba starts it, both end together.
    server services = rpc, ldap, cldap, kdc
    interfaces = lo
    bind interfaces only = yes
    private dir = $LAB_DIR/ad/private
    state directory = $LAB_DIR/ad/state
    cache directory = $LAB_DIR/ad/cache
    lock directory = $LAB_DIR/ad
    pid directory = $LAB_DIR/ad
    ncalrpc dir = $LAB_DIR/ad/ncalrpc
    log file = $LAB_DIR/log/samba.%m
    panic action = /bin/true
    idmap_ldb:use rfc2307 = yes
    ldb:nosync = true
    tls enabled = no
    # Names and passwords of the lab are nobody else's, and stay on loopback.
    ldap server require strong auth = no
    ntlm auth = ntlmv2-only
EOF
}

provision() {
    # Under its usual name, security.NTACL, the attribute takes a right that containers
    # lack.
    samba-tool domain provision --realm="$REALM" --domain="$DOMAIN" --server-role=dc \
        --dns-backend=SAMBA_INTERNAL --targetdir="$LAB_DIR/ad" --host-name=dc1 \
        --host-ip=127.0.0.1 --use-rfc2307 --configfile=/dev/null --option="interfaces=lo" \
        --option="bind interfaces only=yes" --option="ldb:nosync=true" \
        --option="acl_xattr:security_acl_name=user.NTACL" \
        >"$LAB_DIR/log/provision" 2>&1 || die "provisioning failed: $(tail -n 3 "$LAB_DIR/log/provision")"
    write_smb_conf
}

krb5_conf() {
    sed -e "s/kdc\.mitrealm\.example/127.0.0.1:$mit_port/" \
        -e "s/adserver\.adsdomain\.example/127.0.0.1/" \
        -e "s/ADSDOMAIN\.EXAMPLE/$REALM/g; s/adsdomain\.example/$DNS/g" \
        -e "s/MITREALM\.EXAMPLE/$MIT_REALM/g; s/mitrealm\.example/$1/g" "$2"
}

write_krb5_confs() {
    krb5_conf '' "$examples/ad.conf" >"$LAB_DIR/ad.conf"
    # To the clients of the MIT realm, the same hosts are the MIT realm's.
    krb5_conf "$DNS" "$examples/mit.conf" >"$LAB_DIR/mit.conf"
    krb5_conf "$(lower "$MIT_REALM")" "$examples/two-realms.conf" >"$LAB_DIR/two-realms.conf"
}

write_env() {
    cat <<EOF
LAB_DIR=$LAB_DIR
LAB_REALM=$REALM
LAB_DOMAIN=$DOMAIN
LAB_MIT_REALM=$MIT_REALM
REALM=$REALM
DOMAIN=$DOMAIN
MIT_REALM=$MIT_REALM
DNS=$DNS
KRB5_CONFIG=$LAB_DIR/ad.conf
KRB5_CONFIG_MIT=$LAB_DIR/mit.conf
KRB5_CONFIG_TWO_REALMS=$LAB_DIR/two-realms.conf
SMB_CONF=$LAB_DIR/ad/etc/smb.conf
WEB_KEYTAB=$LAB_DIR/web.keytab
OTHER_KEYTAB=$LAB_DIR/other.keytab
MIT_KEYTAB=$LAB_DIR/mit.keytab
BOTH_KEYTAB=$LAB_DIR/both.keytab
ALICE_PASSWORD=$(new_password)
BOB_PASSWORD=$(new_password)
CAROL_PASSWORD=$(new_password)
DORA_PASSWORD=$(new_password)
JUERGEN_PASSWORD=$(new_password)
MIT_ALICE_PASSWORD=$(new_password)
SVC_WEB_PASSWORD=$(new_password)
SVC_OTHER_PASSWORD=$(new_password)
EOF
}

populate() {
    local names=$LAB_DIR/names.json
    cat >"$names" <<EOF
{
  "dns": "$DNS",
  "users": {"alice": "$ALICE_PASSWORD", "bob": "$BOB_PASSWORD", "carol": "$CAROL_PASSWORD",
            "dora": "$DORA_PASSWORD", "jürgen": "$JUERGEN_PASSWORD"},
  "groups": {"inner": ["bob"], "outer": ["inner"], "webusers": ["alice", "bob"]},
  "services": {
    "svc-web": {"password": "$SVC_WEB_PASSWORD", "keytab": "$WEB_KEYTAB",
                "spns": ["HTTP/web.$DNS", "HTTP/alias.$DNS"]},
    "svc-other": {"password": "$SVC_OTHER_PASSWORD", "keytab": "$OTHER_KEYTAB",
                  "spns": ["HTTP/other.$DNS"]}
  }
}
EOF
    /usr/bin/python3 "$here/realm/populate.py" "$SMB_CONF" "$names" >"$LAB_DIR/log/populate" 2>&1 ||
        die "the accounts could not be made: $(tail -n 3 "$LAB_DIR/log/populate")"
    rm "$names"
}

mit_up() {
    local dir=$LAB_DIR/mit
    mkdir -p "$dir"
    cat >"$dir/kdc.conf" <<EOF
[kdcdefaults]
    kdc_ports = ""
    kdc_listen = 127.0.0.1:$mit_port
    kdc_tcp_listen = 127.0.0.1:$mit_port
[realms]
    $MIT_REALM = {
        database_name = $dir/principal
        key_stash_file = $dir/stash
        acl_file = /dev/null
        supported_enctypes = aes256-cts:normal aes128-cts:normal
        max_life = 10h
    }
EOF
    export KRB5_KDC_PROFILE=$dir/kdc.conf
    {
        KRB5_CONFIG=$KRB5_CONFIG_MIT kdb5_util create -s -r "$MIT_REALM" -P "$(new_password)"
        KRB5_CONFIG=$KRB5_CONFIG_MIT kadmin.local -r "$MIT_REALM" <<EOF
addprinc -pw $MIT_ALICE_PASSWORD alice
addprinc -randkey HTTP/web.$DNS
ktadd -k $MIT_KEYTAB HTTP/web.$DNS
EOF
    } >"$LAB_DIR/log/mit-database" 2>&1 || die "the MIT realm could not be made: see $LAB_DIR/log/mit-database"
    KRB5_CONFIG=$KRB5_CONFIG_MIT daemon krb5kdc krb5kdc -n -r "$MIT_REALM" -P "$dir/pid"
    printf 'rkt %s\nrkt %s\nwkt %s\n' "$WEB_KEYTAB" "$MIT_KEYTAB" "$BOTH_KEYTAB" | ktutil >/dev/null
}

up() {
    [ $# = 1 ] || die "usage: realm.sh up DIR"
    mkdir -p "$1"
    LAB_DIR=$(cd "$1" && pwd)
    REALM=${LAB_REALM:-LAB.EXAMPLE}
    DOMAIN=${LAB_DOMAIN:-LAB}
    MIT_REALM=${LAB_MIT_REALM:-MIT.EXAMPLE}
    DNS=$(lower "$REALM")
    check_machine
    exec 9>"$LAB_DIR/lock"
    flock 9
    [ ! -e "$LAB_DIR/up" ] || return 0
    mkdir -p "$LAB_DIR/log"
    (umask 077 && write_env >"$LAB_DIR/env")
    # shellcheck source=/dev/null
    . "$LAB_DIR/env"
    write_krb5_confs
    provision
    populate
    # Samba must not inherit the lock.
    daemon samba samba -i --no-process-group -s "$SMB_CONF" 9>&-
    mit_up 9>&-
    wait_for 120 "a ticket from the domain controller" ticket alice "$LAB_DIR/first.ccache"
    winbind_start 9>&-
    wait_for 60 "a ticket from the MIT realm" ticket "alice@$MIT_REALM" "$LAB_DIR/first.ccache"
    rm -f "$LAB_DIR/first.ccache"
    echo "$LAB_DIR" >"$LAB_TMP/realm"
    touch "$LAB_DIR/up"
}

find_realm() {
    LAB_DIR=${LAB_DIR:-$(cat "${LAB_TMP:-/nonexistent}/realm" 2>/dev/null)} ||
        die "no realm is up: first run realm.sh up DIR"
    [ -r "$LAB_DIR/env" ] || die "$LAB_DIR has no realm: first run realm.sh up $LAB_DIR"
    # shellcheck source=/dev/null
    . "$LAB_DIR/env"
    # shellcheck source=/dev/null
    [ ! -e "$LAB_DIR/env.added" ] || . "$LAB_DIR/env.added"
}

verb=${1:-}
[ $# = 0 ] || shift
case "$verb" in
up) up "$@" ;;
ticket | user | users | service | duplicate-spn | rotate-key | rc4-keytab | disable | enable | winbind)
    find_realm
    case "$verb" in
    rotate-key) rotate_key "$@" ;;
    rc4-keytab) rc4_keytab "$@" ;;
    duplicate-spn) duplicate_spn "$@" ;;
    disable | enable) account_state "$verb" "$1" ;;
    *) "$verb" "$@" ;;
    esac
    ;;
*)
    sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
