#!/bin/bash
# Usage: tests/lint/clang_tidy.sh BUILD_DIR [PATTERN]
#
# clang-tidy over every source file of ours that BUILD_DIR compiles (or those whose path matches
# the extended regular expression PATTERN), one process per core. The build must be up to date.
#
# The tool is $CLANG_TIDY, or clang-tidy 22 where cmake/install-deps.sh --with-lint has put it, or
# clang-tidy-19, which looks through system headers too and takes more than twice the time.
#
# A file that was clean is not analysed again until it, one of the headers it includes, its compile
# command, a .clang-tidy or the tool changes: clean results are remembered by the hash of all of these
# in ${XDG_CACHE_HOME:-~/.cache}/fovea-clang-tidy, across checkouts.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/sources.sh"
root=$(cd "$here/../.." && pwd)
build=$(cd "$1" && pwd)
pattern=${2:-.}
tidy=$("$root/cmake/install-deps.sh" --where-clang-tidy)
[ -x "$tidy" ] || tidy=clang-tidy-19
tidy=${CLANG_TIDY:-$tidy}
command -v "$tidy" >/dev/null || tool_missing "$tidy"
cache=${XDG_CACHE_HOME:-$HOME/.cache}/fovea-clang-tidy
mkdir -p "$cache"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# One line per compile command: object, source, command. CMake writes one key a line.
sed -nE 's/^ *"(command|file)": "(.*)",?$/\1\t\2/p' "$build/compile_commands.json" |
  awk -F'\t' '
    $1 == "command" { command = $2 }
    $1 == "file" && match(command, / -o [^ ]+ -c /) {
      print substr(command, RSTART + 4, RLENGTH - 8) "\t" $2 "\t" command
    }' |
  awk -F'\t' -v root="$root/" -v build="$build/" -v pattern="$pattern" '
    index($2, root) == 1 && index($2, build) != 1 && $2 !~ /\.S$/ &&
      substr($2, length(root) + 1) ~ pattern && !seen[$2]++' \
    >"$work/commands"
# The same commands for Clang: without precompiled headers, which are the other compiler's, and with the
# omp.h that lies beside clang-tidy-19, found last, because GCC's cannot be read. GCC reports what we use
# that is deprecated; Clang would report what is inside of libstdc++ 12's stable_sort.
for_clang='-Wno-unknown-warning-option -Wno-deprecated-declarations -idirafter /usr/lib/llvm-19/lib/clang/19/include'
sed -E "s/ -Winvalid-pch//; s/ -include [^ ]*\/cmake_pch\.hxx//; s|( -o [^ ]+ -c )| $for_clang\1|" \
  "$build/compile_commands.json" >"$work/compile_commands.json"
count=$(wc -l <"$work/commands")
require_files "$count"

# What each object was made from, as the build recorded it: object, file.
ninja -C "$build" -t deps | awk -v build="$build/" '
  /^[^ ].*: #deps/ { object = $1; sub(/:$/, "", object); next }
  /^ / { file = $1; if (file !~ /^\//) file = build file; print object "\t" file }' >"$work/deps"
cut -f2 "$work/deps" | sort -u | xargs -d '\n' sha256sum >"$work/hashes"

# A key per source: tool, rules, command, and the name and hash of every file it was made from.
common=$({ "$tidy" --version && grep -v '^#' "$root/.clang-tidy"; } | sha256sum)
for_tests=$(grep -v '^#' "$root/tests/.clang-tidy" | sha256sum)
awk -v root="$root" -v work="$work" -v common="$common" -v for_tests="$for_tests" '
  FILENAME ~ /hashes$/ { hash[substr($0, 67)] = substr($0, 1, 64); next }
  FILENAME ~ /deps$/ { split($0, part, "\t"); files[part[1]] = files[part[1]] part[2] " " hash[part[2]] "\n"; next }
  {
    split($0, part, "\t")
    if (!(part[1] in files)) { print part[2] " is not built: build first" > "/dev/stderr"; exit 1 }
    rules = common (index(part[2], root "/tests/") == 1 ? for_tests : "")
    text = rules "\n" part[3] "\n" files[part[1]]
    gsub(root, ".", text)
    name = work "/" FNR ".key"
    printf "%s", text > name
    close(name)
  }' "$work/hashes" "$work/deps" "$work/commands"

line=0
: >"$work/todo"
while IFS=$'\t' read -r _ file _; do
  line=$((line + 1))
  key=$(sha256sum <"$work/$line.key" | cut -c1-64)
  [ -e "$cache/$key" ] || printf '%s\t%s\n' "$key" "$file" >>"$work/todo"
done <"$work/commands"
todo=$(wc -l <"$work/todo")
echo "clang-tidy: $count files, $((count - todo)) known to be clean, $todo to analyse"

# Runs on one line of todo; a failing file leaves a line in `failed`.
analyse() {
  local key=${1%%$'\t'*} file=${1#*$'\t'} output seconds=$SECONDS
  if output=$("$tidy" -p "$work" --quiet "$file" 2>/dev/null); then
    touch "$cache/$key"
    echo "clean   $((SECONDS - seconds)) s  ${file#"$root"/}"
  else
    echo "$file" >>"$work/failed"
    printf 'FAILED  %s s  %s\n%s\n' "$((SECONDS - seconds))" "${file#"$root"/}" "$output"
  fi
}
export -f analyse
export tidy build cache root work
: >"$work/failed"
xargs -r -d '\n' -P "$(nproc)" -n 1 bash -c 'analyse "$1"' _ <"$work/todo"

failed=$(wc -l <"$work/failed")
echo "clang-tidy: $((count - failed)) clean, $failed with findings"
[ "$failed" -eq 0 ]
