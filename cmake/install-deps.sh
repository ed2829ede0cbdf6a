#!/bin/bash
# Installs what Fovea needs to build and to test, and nothing else.
#
# Usage: cmake/install-deps.sh [--with-lint] [--print | --where-clang-tidy]
#   --with-lint         also clang-format 19, clang-tidy 19 (with an omp.h for it), shellcheck, and
#                       clang-tidy 22 from PyPI, for this user alone
#   --print             only list the packages that would be needed, one a line
#   --where-clang-tidy  only print the path of clang-tidy 22, there or not
#
# Debian 12 and 13, Ubuntu 22.04 and 24.04. Installs only what is missing, so a second run is instant
# and needs no network. Exit codes: 0 everything is there; 1 an installation failed; 2 wrong usage or
# another distribution. FOVEA_OS_RELEASE replaces /etc/os-release (for tests).
set -euo pipefail

with_lint=0
print=0
# Debian has no clang-tidy that leaves out system headers, in which 19 spends more than half of its time.
tidy_version=22.1.8
tidy_home="${XDG_DATA_HOME:-$HOME/.local/share}/fovea/clang-tidy-$tidy_version"
for argument in "$@"; do
  case $argument in
    --with-lint) with_lint=1 ;;
    --print) print=1 ;;
    --where-clang-tidy)
      echo "$tidy_home/bin/clang-tidy"
      exit 0
      ;;
    -h | --help)
      sed -n '2,12s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    *)
      echo "install-deps: unknown option $argument; see --help" >&2
      exit 2
      ;;
  esac
done

# Narrow packages: libopencv-dev would bring every module and VTK.
packages=(
  cmake ninja-build git ca-certificates
  libdnnl-dev
  libopencv-core-dev libopencv-imgproc-dev libopencv-imgcodecs-dev
  nlohmann-json3-dev libcli11-dev libspdlog-dev
  libxxhash-dev libssl-dev libpng-dev zlib1g-dev
  libprotobuf-dev protobuf-compiler libhdf5-dev libcurl4-openssl-dev
  libgtest-dev libbenchmark-dev
  graphviz  # fovea plot runs it
)
# Clang cannot read the omp.h of GCC.
lint=(clang-format-19 clang-tidy-19 libomp-19-dev shellcheck python3-venv)

os_release=${FOVEA_OS_RELEASE:-/etc/os-release}
system=unknown
if [ -r "$os_release" ]; then
  # shellcheck disable=SC1090
  system=$(. "$os_release" && echo "${ID:-unknown} ${VERSION_ID:-}")
fi
case $system in
  'debian 12' | 'debian 13') packages+=(g++ libjpeg62-turbo-dev) ;;
  'ubuntu 24.04') packages+=(g++ libjpeg-turbo8-dev) ;;
  'ubuntu 22.04')
    # Its g++ is 11; its newest clang-format is 15.
    packages+=(g++-12 libjpeg-turbo8-dev)
    lint=(shellcheck)
    ;;
  *)
    cat >&2 <<MESSAGE
install-deps: $system is not one of Debian 12, 13, Ubuntu 22.04, 24.04.
Install by name, with headers:
  g++ 12 or newer, CMake 3.22 or newer, Ninja, Git
  oneDNN 2.6 or newer, OpenCV 4.5 or newer (core, imgproc, imgcodecs), libjpeg-turbo, libpng
  nlohmann-json, CLI11, spdlog, xxHash, OpenSSL 3, zlib, protobuf with its compiler, HDF5, libcurl
  GoogleTest and Google Benchmark; Graphviz, whose program fovea plot runs
  for the lint clang-format 19, clang-tidy 19, libomp 19, shellcheck
Then: cmake --preset release && cmake --build --preset release
MESSAGE
    exit 2
    ;;
esac
if [ "$with_lint" -eq 1 ]; then
  packages+=("${lint[@]}")
  if [ "$system" = 'ubuntu 22.04' ]; then
    echo "install-deps: Ubuntu 22.04 has no clang-format-19 or clang-tidy-19; those checks skip" >&2
  fi
fi

if [ "$print" -eq 1 ]; then
  printf '%s\n' "${packages[@]}"
  exit 0
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [ "$status" = 'install ok installed' ] || missing+=("$package")
done
# Without it the lint uses clang-tidy 19.
install_tidy() {
  [ "$with_lint" -eq 1 ] && [ ! -x "$tidy_home/bin/clang-tidy" ] || return 0
  echo "install-deps: installing clang-tidy $tidy_version into $tidy_home"
  if ! { python3 -m venv "$tidy_home" && "$tidy_home/bin/pip" install --quiet "clang-tidy==$tidy_version"; }; then
    rm -rf "$tidy_home"
    echo "install-deps: PyPI gave no clang-tidy $tidy_version; clang-tidy 19 takes its place, and more time" >&2
  fi
}
if [ "${#missing[@]}" -eq 0 ]; then
  echo "install-deps: all ${#packages[@]} packages are installed"
  install_tidy
  exit 0
fi

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "install-deps: not root and no sudo; as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

echo "install-deps: installing ${missing[*]}"
# Package lists are fetched only if what is here does not know the packages or is out of date.
simulated() { apt-get install --simulate -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1; }
if ! { simulated && install; } && ! { "${as_root[@]}" apt-get update -qq && install; }; then
  echo "install-deps: apt-get could not install: ${missing[*]}" >&2
  exit 1
fi
install_tidy
