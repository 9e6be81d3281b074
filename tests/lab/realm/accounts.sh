# shellcheck shell=bash
# Accounts of the lab's realms, and what happens to them: the verbs of realm.sh, which
# reads this file.

new_password() {
    # Upper and lower case, digits and a sign: the domain asks for three of them.
    printf 'Pw-%s' "$(od -An -N15 -tx1 /dev/urandom | tr -d ' \n')"
}

# A user's password is in env under the name in ASCII capitals.
variable_of() {
    local name=$1
    [ "$name" != "alice@$MIT_REALM" ] || name=mit_alice
    name=${name//ü/ue}
    # The shell takes nothing else in a name.
    printf %s_PASSWORD "$(printf %s "${name%@*}" | LC_ALL=C tr -c '[:alnum:]' _ | tr '[:lower:]' '[:upper:]')"
}

password_of() {
    local variable
    variable=$(variable_of "$1")
    printf %s "${!variable:?realm.sh: no password is known for $1}"
}

# export_keytab PRINCIPAL FILE
export_keytab() {
    rm -f "$2"
    samba-tool domain exportkeytab "$2" --principal="$1" --configfile="$SMB_CONF" >&2
    chmod 640 "$2"
}

account_dn() {
    local dn
    dn=$(ldbsearch --configfile="$SMB_CONF" -H "$LAB_DIR/ad/private/sam.ldb" \
        "(sAMAccountName=$1)" dn | sed -n 's/^dn: //p')
    echo "${dn:?realm.sh: the domain has no account $1}"
}

set_enctypes() {
    printf '%s\n' "dn: $(account_dn "$1")" 'changetype: modify' \
        'replace: msDS-SupportedEncryptionTypes' "msDS-SupportedEncryptionTypes: $2" |
        ldbmodify --configfile="$SMB_CONF" -H "$LAB_DIR/ad/private/sam.ldb" >&2
}

set_password() {
    samba-tool user setpassword "$1" --newpassword="$2" --configfile="$SMB_CONF" \
        -H "$LAB_DIR/ad/private/sam.ldb" >&2
}

ticket() {
    local user=$1 ccache=$2 config=$KRB5_CONFIG
    shift 2
    [[ "$user" != *"@$MIT_REALM" ]] || config=$KRB5_CONFIG_MIT
    [[ "$user" == *@* ]] || user=$user@$REALM
    password_of "${user%"@$REALM"}" |
        KRB5_CONFIG=$config kinit -c "FILE:$ccache" "$@" "$user" >/dev/null
}

user() {
    local password=${2:-$(new_password)}
    samba-tool user add "$1" "$password" --configfile="$SMB_CONF" \
        -H "$LAB_DIR/ad/private/sam.ldb" >&2
    printf '%s=%s\n' "$(variable_of "$1")" "$password" >>"$LAB_DIR/env.added"
    echo "$password"
}

# All in one go: one after another would take most of a second each.
users() {
    local number password name ldif=''
    for ((number = 0; number < $2; number++)); do
        name=$1-$number
        password=$(new_password)
        ldif+="dn: CN=$name,CN=Users,DC=${REALM//./,DC=}
objectClass: user
sAMAccountName: $name
userAccountControl: 512
unicodePwd:: $(printf '"%s"' "$password" | iconv -t UTF-16LE | base64 -w0)

"
        echo "$name $password"
    done
    ldbadd --configfile="$SMB_CONF" -H "$LAB_DIR/ad/private/sam.ldb" <<<"$ldif" >&2
    # The domain controller sees them a moment later.
    wait_for 30 "the sign-on of $name" ntlm_auth_verifies "$name" "$password"
}

service() {
    local account=svc-$1 password
    password=$(user "$account")
    samba-tool spn add "HTTP/$1.$DNS" "$account" --configfile="$SMB_CONF" \
        -H "$LAB_DIR/ad/private/sam.ldb" >&2
    # The AES keys are made when the password is set, from the types allowed by then.
    set_enctypes "$account" 24
    set_password "$account" "$password"
    export_keytab "HTTP/$1.$DNS" "$2"
    grep -qw "$1.$DNS" /etc/hosts || echo "127.0.0.1 $1.$DNS" >>"${LAB_HOSTS:-/etc/hosts}"
}

rotate_key() {
    set_password "svc-$1" "$(new_password)"
    export_keytab "HTTP/$1.$DNS" "$2"
}

rc4_keytab() {
    set_enctypes "svc-$1" 4
    rotate_key "$1" "$2"
}

duplicate_spn() {
    local partition
    partition=$LAB_DIR/ad/private/sam.ldb.d/DC=${REALM//./,DC=}.ldb
    # Past the directory's own rules, as an old or a replicated domain has it: they
    # would refuse a second account with the same SPN.
    printf '%s\n' "dn: $(account_dn "$2")" 'changetype: modify' \
        'add: servicePrincipalName' "servicePrincipalName: HTTP/$1.$DNS" |
        ldbmodify -H "$partition" >&2
}

account_state() {
    samba-tool user "$1" "$2" --configfile="$SMB_CONF" -H "$LAB_DIR/ad/private/sam.ldb" >&2
}
