#!/usr/bin/env bash
# Form, lints, licences and known flaws of the dependencies, and the shell scripts.
# Every check runs; the exit code is 1 if one of them failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

failed=0
check() {
    echo "── $*"
    "$@" || failed=1
}
skip() {
    echo "── skipped: $*"
}

check cargo fmt --check
check cargo clippy --all-targets --locked -- -D warnings
if command -v cargo-deny >/dev/null; then
    check cargo deny --locked check
else
    skip "cargo deny (licences, advisories): cargo install --locked cargo-deny"
fi
if command -v shellcheck >/dev/null; then
    mapfile -t scripts < <(git ls-files | xargs grep -lE '^#!/usr/bin/env bash' --)
    check shellcheck -x "${scripts[@]}"
else
    skip "shellcheck: apt-get install shellcheck"
fi
exit "$failed"
