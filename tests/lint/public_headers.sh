#!/bin/bash
# Usage: public_headers.sh ROOT CXX CC [INCLUDE_DIR...]
#
# Compiles every public header alone, twice in one file, with nothing of the project but the public
# folder on the include path, the way a user's first line would. c_api.h must also be C.
set -euo pipefail
root=$1 cxx=$2 cc=$3
shift 3
flags=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only "-I$root/engine/include")
for folder in "$@"; do flags+=(-isystem "$folder"); done

count=0
failed=0
for header in "$root"/engine/include/fovea/*.h; do
  [ -e "$header" ] || continue
  name=fovea/${header##*/}
  count=$((count + 1))
  printf '#include <%s>\n#include <%s>\n' "$name" "$name" |
    "$cxx" -std=c++20 "${flags[@]}" -x c++ - || { echo "$name does not compile alone"; failed=1; }
  if [ "$name" = fovea/c_api.h ]; then
    printf '#include <%s>\n' "$name" |
      "$cc" -std=c11 "${flags[@]}" -x c - || { echo "$name is not C"; failed=1; }
  fi
done
echo "public headers: $count compiled"
[ "$count" -gt 0 ] && [ "$failed" -eq 0 ]
