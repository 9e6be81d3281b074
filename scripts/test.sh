#!/usr/bin/env bash
# Runs every test of every binary, and counts them all in one last line. The exit code
# is that of the tests. Arguments are cargo's: scripts/test.sh --test it kerberos
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit

output=$(mktemp)
trap 'rm -f "$output"' EXIT
cargo test --locked --no-fail-fast "$@" 2>&1 | tee "$output"
rc=${PIPESTATUS[0]}

read -r passed failed < <(awk '/^test result: / {
        for (i = 2; i <= NF; i++) {
            if ($i == "passed;") passed += $(i - 1)
            if ($i == "failed;") failed += $(i - 1)
        }
    }
    END { print passed + 0, failed + 0 }' "$output")

if [ "$rc" != 0 ] && [ "$failed" = 0 ]; then
    echo "test.sh: cargo failed though no test did (it does not compile, or a test binary crashed); counted as one failure"
    failed=1
elif [ "$passed" = 0 ] && [ "$failed" = 0 ]; then
    echo "test.sh: no test ran, which proves nothing; counted as one failure"
    failed=1
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
