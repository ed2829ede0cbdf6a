#!/bin/bash
# Usage: cmake/runtime-packages.sh FOLDER
#
# Prints the Debian packages that own the shared libraries of the programs and modules in FOLDER, and
# those of libcurl, which is loaded at the first download, one a line, without those of NVIDIA (their
# images bring them).
set -euo pipefail
{
  find "$1" -type f -exec ldd {} + 2>/dev/null | awk '$2 == "=>" && $3 ~ /^\// { print $3 }'
  ldconfig -p | awk '$1 == "libcurl.so.4" && !found++ { print $NF }'
} | sort -u |
  while IFS= read -r library; do
    # dpkg knows files of packages from before the merged /usr under /lib.
    for path in "$(realpath "$library")" "$library" "${library#/usr}"; do
      if owner=$(dpkg-query -S "$path" 2>/dev/null); then
        echo "${owner%%:*}"
        break
      fi
    done
  done | sort -u | grep -vE '^(cuda-|libcu([^r]|r[^l])|libnv)'
