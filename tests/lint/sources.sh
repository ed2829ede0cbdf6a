# Sourced by the lint scripts. Exit code 77 is a skip (SKIP_RETURN_CODE in CMakeLists.txt).

# Prints the files of the tree $1 that belong to the project, relative to it: tracked ones and new
# ones that git does not ignore; outside a checkout all but build/.
list_files() {
  if git -C "$1" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git -C "$1" ls-files --cached --others --exclude-standard
  else
    (cd "$1" && find . -path ./build -prune -o -type f -print | sed 's|^\./||')
  fi | while IFS= read -r file; do
    if [ -f "$1/$file" ]; then printf '%s\n' "$file"; fi
  done
}

# Ends the script because the tool $1 is missing: a failure under CI=true, else a skip.
tool_missing() {
  echo "$1 is not installed: cmake/install-deps.sh --with-lint"
  if [ "${CI:-}" = true ]; then exit 1; fi
  exit 77
}

# Ends the script with a failure if it was about to check nothing.
require_files() {
  if [ "$1" -eq 0 ]; then
    echo "no files to check"
    exit 1
  fi
}
