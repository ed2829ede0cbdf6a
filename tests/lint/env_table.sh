#!/bin/bash
# Usage: env_table.sh ROOT. The README's table of environment variables is the one of
# engine/core/env.h (and names what scripts and tests read), and nothing else calls getenv.
set -uo pipefail
cd "$1" || exit 1
failed=0
problem() { echo "$1"; failed=1; }

declared=$(grep -oE '\{"[A-Z][A-Z_]+"|^ +"[A-Z][A-Z_]+",' engine/core/env.h | grep -oE '[A-Z][A-Z_]+' | sort -u)
documented=$(grep -oE '^\| `[A-Z][A-Z_]+`' README.md | grep -oE '[A-Z][A-Z_]+' | sort -u)
[ -n "$declared" ] || problem 'engine/core/env.h declares no variable'

for name in $declared; do
  grep -qx "$name" <<<"$documented" || problem "README.md: $name of engine/core/env.h is not in the table"
done
for name in $documented; do
  grep -qx "$name" <<<"$declared" || grep -rqF "$name" demo.sh check.sh tests/support ||
    problem "README.md: nothing reads $name"
done
while IFS= read -r file; do
  [ "$file" = engine/core/env.cc ] || problem "$file: getenv belongs into engine/core/env.cc"
done < <(grep -rlE '\b(secure_)?getenv *\(' engine kernels models apps --include=*.cc --include=*.h --include=*.cu)
echo "environment: $(wc -w <<<"$declared") declared, $(wc -w <<<"$documented") documented"
[ "$failed" -eq 0 ]
