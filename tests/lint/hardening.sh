#!/bin/bash
# Usage: hardening.sh BINARY...   What the link left: position independent, all relocations resolved
# at start and then read-only, no executable stack, stack protector.
set -uo pipefail
failed=0
[ $# -gt 0 ] || { echo "no binaries to check"; exit 1; }

# want BINARY READELF_OPTION PATTERN WHAT
# No grep -q: it would stop at the first match, and readelf's broken pipe would count as a failure.
want() {
  readelf -W "$2" "$1" | grep -E "$3" > /dev/null || { echo "$1: $4"; failed=1; }
}
for binary in "$@"; do
  [ -e "$binary" ] || { echo "$binary: no such file"; failed=1; continue; }
  want "$binary" -h 'Type: +DYN' 'not position independent'
  want "$binary" -d 'BIND_NOW|FLAGS_1.*NOW' 'symbols are bound lazily'
  want "$binary" -l 'GNU_RELRO' 'relocations stay writable'
  want "$binary" -l 'GNU_STACK.* RW ' 'the stack is executable'
  want "$binary" --dyn-syms '__stack_chk_fail' 'no stack protector'
done
echo "hardening: $# binaries"
[ "$failed" -eq 0 ]
