#!/usr/bin/env bash
# Makes the Python environment of the lab's clients: tests/lab/venv.sh [DIRECTORY]
# It needs the network, once; afterwards it only looks whether the environment is there.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=${1:-$here/../../target/lab-venv}

cmp -s "$here/requirements.txt" "$venv/made-from" && exit 0

if ! command -v krb5-config >/dev/null; then
    echo "venv.sh: the headers of Kerberos are missing: apt-get install libkrb5-dev python3-dev python3-venv" >&2
    exit 1
fi
mkdir -p "$(dirname "$venv")"
exec 9>"$venv.lock"
flock 9
cmp -s "$here/requirements.txt" "$venv/made-from" && exit 0
/usr/bin/python3 -m venv --clear "$venv"
"$venv/bin/pip" install --quiet --requirement "$here/requirements.txt" >&2
cp "$here/requirements.txt" "$venv/made-from"
