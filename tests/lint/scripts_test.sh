#!/bin/bash
# Usage: scripts_test.sh CXX CC. Proves that every lint script passes a clean tree and notices what
# it is for: a fault is planted in a small tree and the message must name the file.
set -uo pipefail
cxx=$1 cc=$2
here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
checks=0
failures=0

# expect pass|fail|skip TEXT COMMAND...
expect() {
  local want=$1 text=$2 output code got
  shift 2
  output=$("$@" 2>&1)
  code=$?
  case $code in 0) got=pass ;; 77) got=skip ;; *) got=fail ;; esac
  checks=$((checks + 1))
  if [ "$got" != "$want" ] || [[ "$output" != *"$text"* ]]; then
    echo "expected $want with '$text', got $got ($code) from: $*"
    printf '  | %s\n' "$output"
    failures=$((failures + 1))
  fi
}

fresh_tree() {
  rm -rf "$tree"
  mkdir -p "$tree/engine/core" "$tree/engine/include/fovea" "$tree/cmake"
  cp "$here/../../.clang-format" "$tree/"
  printf '#pragma once\n#include <cstdint>\nusing FoveaInt = std::int32_t;\n' >"$tree/engine/include/fovea/types.h"
  printf '#pragma once\nint fovea_version(void);\n' >"$tree/engine/include/fovea/c_api.h"
  printf 'int answer();\n' >"$tree/engine/core/answer.cc"
  printf '#!/bin/bash\necho "$1"\n' >"$tree/run.sh"
}

fresh_tree
expect pass '1 files' "$here/shell.sh" "$tree"
expect pass '5 files' "$here/words.sh" "$tree"
expect pass '4 files, 0 too long' "$here/file_length.sh" "$tree"
expect pass '2 compiled' "$here/public_headers.sh" "$tree" "$cxx" "$cc"
if command -v clang-format-19 >/dev/null; then
  expect pass '3 files' "$here/format.sh" "$tree"
  printf 'int  answer( ) {return 42 ;}\n' >"$tree/engine/core/answer.cc"
  expect fail 'engine/core/answer.cc' "$here/format.sh" "$tree"
fi
expect skip 'none is not installed' env CI=false CLANG_FORMAT=none "$here/format.sh" "$tree"
expect fail 'none is not installed' env CI=true CLANG_FORMAT=none "$here/format.sh" "$tree"

fresh_tree
for _ in $(seq 501); do echo '// line'; done >"$tree/engine/core/long.h"
expect fail 'engine/core/long.h: 501 lines' "$here/file_length.sh" "$tree"
sed -i 1d "$tree/engine/core/long.h"
expect pass '0 too long' "$here/file_length.sh" "$tree"

# A tracked checkout: ignored files are not looked at, new ones are.
fresh_tree
git -C "$tree" init -q
echo '/ignored.sh' >"$tree/.gitignore"
echo 'cat /root/secret' >"$tree/ignored.sh"
expect pass '0 patterns' "$here/words.sh" "$tree"

for words in 'see /work/main' 'cd /root/' 'path=/home/someone' '// FIXME later' '<<<<<<< HEAD'; do
  fresh_tree
  echo "$words" >"$tree/notes.md"
  expect fail "notes.md:1:$words" "$here/words.sh" "$tree"
done
fresh_tree
echo "models/work/x and \$HOME/root/ and ../work/" >"$tree/notes.md"
expect pass '0 patterns' "$here/words.sh" "$tree"

fresh_tree
printf '#pragma once\nstd::int32_t answer();\n' >"$tree/engine/include/fovea/answer.h"
expect fail 'fovea/answer.h does not compile alone' "$here/public_headers.sh" "$tree" "$cxx" "$cc"
printf '#pragma once\n#include "engine/core/answer.h"\n' >"$tree/engine/include/fovea/answer.h"
expect fail 'fovea/answer.h does not compile alone' "$here/public_headers.sh" "$tree" "$cxx" "$cc"
printf 'struct Answer {};\n' >"$tree/engine/include/fovea/answer.h"
expect fail 'fovea/answer.h does not compile alone' "$here/public_headers.sh" "$tree" "$cxx" "$cc"
fresh_tree
printf '#pragma once\n#include <cstdint>\n' >"$tree/engine/include/fovea/c_api.h"
expect fail 'fovea/c_api.h is not C' "$here/public_headers.sh" "$tree" "$cxx" "$cc"

# One table of environment variables.
env_tree() {
  fresh_tree
  printf 'inline constexpr Variable kHome{"FOVEA_HOME", "x"};\n' >"$tree/engine/core/env.h"
  printf 'auto v = std::getenv(name);\n' >"$tree/engine/core/env.cc"
  printf '| variable | meaning |\n| `FOVEA_HOME` | x |\n' >"$tree/README.md"
  touch "$tree/demo.sh" "$tree/check.sh"
}
env_tree
expect pass '1 declared, 1 documented' "$here/env_table.sh" "$tree"
printf '{"FOVEA_NEW", "x"}\n' >>"$tree/engine/core/env.h"
expect fail 'FOVEA_NEW of engine/core/env.h is not in the table' "$here/env_table.sh" "$tree"
env_tree
echo '| `FOVEA_GONE` | x |' >>"$tree/README.md"
expect fail 'nothing reads FOVEA_GONE' "$here/env_table.sh" "$tree"
env_tree
printf 'auto v = getenv("A");\n' >"$tree/engine/core/other.cc"
expect fail 'engine/core/other.cc: getenv belongs' "$here/env_table.sh" "$tree"
env_tree
: >"$tree/engine/core/env.h"
expect fail 'declares no variable' "$here/env_table.sh" "$tree"

if command -v shellcheck >/dev/null; then
  fresh_tree
  printf '#!/bin/bash\ncd $1/x\n[ -z $undefined ] && unused=1\n' >"$tree/run.sh"
  expect fail 'SC' "$here/shell.sh" "$tree"
fi

fresh_tree
printf 'int main(int n, char** v) { char copy[64]; copy[n] = v[0][0]; return copy[n + 1]; }\n' >"$tree/main.cc"
hardened=(-fstack-protector-strong -fPIE -pie '-Wl,-z,relro,-z,now,-z,noexecstack')
# link MESSAGE FLAG...: a program linked as hardened but for FLAG is refused with MESSAGE.
link() {
  "$cxx" "${hardened[@]}" "${@:2}" "$tree/main.cc" -o "$tree/program"
  expect fail "$1" "$here/hardening.sh" "$tree/program"
}
link 'not position independent' -fno-PIE -no-pie
link 'symbols are bound lazily' -Wl,-z,lazy
link 'relocations stay writable' -Wl,-z,norelro
link 'the stack is executable' -Wl,-z,execstack
link 'no stack protector' -fno-stack-protector
"$cxx" "${hardened[@]}" "$tree/main.cc" -o "$tree/program"
expect pass '1 binaries' "$here/hardening.sh" "$tree/program"
expect fail 'no such file' "$here/hardening.sh" "$tree/none"
expect fail 'no binaries' "$here/hardening.sh"

# A lint that looks at nothing must not pass.
rm -rf "$tree"
mkdir "$tree"
for script in file_length words shell; do
  expect fail 'no files' "$here/$script.sh" "$tree"
done
expect fail '0 compiled' "$here/public_headers.sh" "$tree" "$cxx" "$cc"

echo "lint scripts: $checks checks, $failures failed"
[ "$failures" -eq 0 ]
