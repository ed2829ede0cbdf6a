#!/bin/bash
# cmake/install-deps.sh: the package names per distribution, and that it installs only what is
# missing, with no recommends and no update of the lists unless it must. apt-get, dpkg-query, sudo,
# id and python3 are replaced by recorders; nothing is installed.
set -uo pipefail
script=$(cd "$(dirname "$0")/../../cmake" && pwd)/install-deps.sh
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "$1"
  if [ -e "$work/output" ]; then sed 's/^/  | /' "$work/output"; fi
  failures=$((failures + 1))
}
says() { grep -qE -e "$1" "$work/output" || fail "$2: expected '$1' in:"; }
says_not() { if grep -qE -e "$1" "$work/output"; then fail "$2: '$1' should not be in:"; fi; }

# on ID VERSION OPTIONS...: runs the script as if on that system; status in $code, text in output.
on() {
  printf 'ID=%s\nVERSION_ID="%s"\n' "$1" "$2" >"$work/os-release"
  PATH="$work/bin:$PATH" XDG_DATA_HOME="$work/data" FOVEA_OS_RELEASE="$work/os-release" "$script" "${@:3}" >"$work/output" 2>&1
  code=$?
}

mkdir "$work/bin"
for system in 'debian 12' 'debian 13' 'ubuntu 22.04' 'ubuntu 24.04'; do
  # shellcheck disable=SC2086
  on $system --print --with-lint
  [ "$code" -eq 0 ] || fail "$system: exit code $code"
  says '^libdnnl-dev$' "$system"
  says_not '^libopencv-dev$' "$system"
  case $system in
    debian*) says '^libjpeg62-turbo-dev$' "$system" ;;
    ubuntu*) says '^libjpeg-turbo8-dev$' "$system" ;;
  esac
  if [ "$system" = 'ubuntu 22.04' ]; then
    says '^g\+\+-12$' "$system"
    says 'no clang-format-19' "$system"
    says_not '^clang-format-19$' "$system"
  else
    says '^g\+\+$' "$system"
    says '^clang-format-19$' "$system"
  fi
done
on debian 12 --print
says_not '^clang' 'without --with-lint'
on fedora 41
[ "$code" -eq 2 ] || fail "unknown system: exit code $code"
says 'fedora 41 is not one of' 'unknown system'
says 'oneDNN 2.6' 'unknown system'
on debian 12 --wrong
[ "$code" -eq 2 ] || fail "unknown option: exit code $code"

# Recorders: $work/installed lists installed packages, $work/stale makes the first install fail.
cat >"$work/bin/dpkg-query" <<'RECORDER'
#!/bin/bash
if grep -qxF -e "${*: -1}" "$(dirname "$0")/../installed"; then echo 'install ok installed'; else exit 1; fi
RECORDER
cat >"$work/bin/apt-get" <<'RECORDER'
#!/bin/bash
work=$(dirname "$0")/..
echo "apt-get $*" >>"$work/calls"
if [ "$1" = update ]; then rm -f "$work/stale"; fi
[ ! -e "$work/stale" ]
RECORDER
printf '#!/bin/bash\necho "sudo $1" >>"$(dirname "$0")/../calls"\n"$@"\n' >"$work/bin/sudo"
printf '#!/bin/bash\necho 1000\n' >"$work/bin/id"
# Makes a folder with a pip that installs clang-tidy, unless $work/offline is there.
cat >"$work/bin/python3" <<'RECORDER'
#!/bin/bash
mkdir -p "$3/bin"
cat >"$3/bin/pip" <<'PIP'
#!/bin/bash
work=$(dirname "$0")/../../../..
echo "pip $*" >>"$work/calls"
[ ! -e "$work/offline" ] || exit 1
printf '#!/bin/bash\n' >"$(dirname "$0")/clang-tidy"
chmod +x "$(dirname "$0")/clang-tidy"
PIP
chmod +x "$3/bin/pip"
RECORDER
chmod +x "$work/bin/"*
installing() {
  : >"$work/calls"
  on debian 12 "$@"
  cp "$work/calls" "$work/output"
}

on debian 12 --print --with-lint
cp "$work/output" "$work/all"
cp "$work/all" "$work/installed"
touch "$work/offline"
installing --with-lint
[ "$code" -eq 0 ] || fail "no PyPI: exit code $code"
on debian 12 --with-lint
says 'clang-tidy 19 takes its place' 'no PyPI'
[ -z "$(ls "$work/data/fovea")" ] || fail 'no PyPI: something is left'
rm "$work/offline"
installing --with-lint
[ "$code" -eq 0 ] || fail "no clang-tidy 22: exit code $code"
says '^pip install --quiet clang-tidy==22' 'no clang-tidy 22'
on debian 12 --where-clang-tidy
[ -x "$(<"$work/output")" ] || fail "no clang-tidy 22: it is not at"
installing --with-lint
[ "$code" -eq 0 ] || fail "all installed: exit code $code"
says_not . 'all installed'

grep -vxE 'libdnnl-dev|ninja-build' "$work/all" >"$work/installed"
installing
[ "$code" -eq 0 ] || fail "two missing: exit code $code"
says '^apt-get install -y -qq --no-install-recommends ninja-build libdnnl-dev$' 'two missing'
says '^sudo env$' 'two missing, not root'
says_not 'update' 'two missing, lists at hand'

touch "$work/stale"
installing
[ "$code" -eq 0 ] || fail "stale lists: exit code $code"
says '^apt-get update' 'stale lists'
says '^apt-get install -y' 'stale lists'

printf '#!/bin/bash\nexit 100\n' >"$work/bin/apt-get"
installing
[ "$code" -eq 1 ] || fail "apt-get fails: exit code $code"

echo "install-deps: $failures failed"
[ "$failures" -eq 0 ]
