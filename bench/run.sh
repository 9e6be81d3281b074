#!/usr/bin/env bash
# Measures Doorward beside its peers, on one real realm, in one run, in turn.
#
#   bench/run.sh                            every row; about nine minutes on two cores
#   bench/run.sh --row handshake --pairs 9  one row; --list names them
#   bench/run.sh --seconds 2                how long one measurement takes
#
# Prints a table, and writes target/bench/latest.json. The exit code is 0 if everything
# could be measured without an error, whatever the figures are.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [ -z "${LAB_TMP:-}" ]; then
    for argument in "$@"; do
        case "$argument" in -h | --help | --list) exec /usr/bin/python3 bench/bench.py "$@" ;; esac
    done
    cargo build --release --locked
    exec tests/lab/enter.sh bench/run.sh "$@"
fi

echo "bench: bringing up the realm" >&2
tests/lab/realm.sh up "$LAB_TMP/realm.d"
set -a
# shellcheck source=/dev/null
. "$LAB_TMP/realm.d/env"
set +a
# Ten thousand connections, and some.
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"
exec /usr/bin/python3 bench/bench.py "$@"
