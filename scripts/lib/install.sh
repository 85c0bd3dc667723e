# shellcheck shell=bash
# What the scripts of this project need, and how it is installed. Sourced, not run.
#
# The rule, in this one place: apt-get runs only when something is missing, as root or through
# sudo; where neither is possible the scripts say what is missing and stop.

# say TEXT: a line for people.
say() { printf '==> %s\n' "$*" >&2; }

# fail TEXT [HINT]: the last line for people, and the end.
fail() {
  printf 'error: %s\n' "$1" >&2
  if [ $# -gt 1 ]; then printf 'hint: %s\n' "$2" >&2; fi
  exit 1
}

# The Swift compiler cannot be had from Debian.
need_swift() {
  command -v swift >/dev/null 2>&1 ||
    fail "there is no swift in PATH" \
      "install Swift 6.2 or later: https://www.swift.org/install/linux (made with 6.3.1)"
}

has_sqlite_headers() {
  command -v pkg-config >/dev/null 2>&1 && pkg-config --exists sqlite3
}

has_psycopg() { "$1" -c 'import psycopg' >/dev/null 2>&1; }

# is_there PACKAGE: whether what the package is wanted for is there, from wherever it came.
is_there() {
  case "$1" in
    libsqlite3-dev) has_sqlite_headers ;;
    python3) python3 -c 'import sqlite3' >/dev/null 2>&1 ;;
    python3-venv) python3 -c 'import ensurepip' >/dev/null 2>&1 ;;
    man-db) command -v man >/dev/null 2>&1 ;;
    dpkg-dev) command -v dpkg-deb >/dev/null 2>&1 ;;
    binutils) command -v strip >/dev/null 2>&1 && command -v readelf >/dev/null 2>&1 ;;
    postgresql) compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null ||
      command -v postgres >/dev/null 2>&1 ;;
    pgbouncer) [ -x /usr/sbin/pgbouncer ] || command -v pgbouncer >/dev/null 2>&1 ;;
    python3-psycopg) has_psycopg /usr/bin/python3 ;;
    iproute2) command -v ip >/dev/null 2>&1 ;;
    libpq-dev) command -v pkg-config >/dev/null 2>&1 && pkg-config --exists libpq ;;
    ca-certificates) [ -e /etc/ssl/certs/ca-certificates.crt ] || [ "$(uname)" != Linux ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

# need_packages PACKAGE...: installs those that are missing, or ends the script.
need_packages() {
  local package
  local missing=()
  for package in "$@"; do
    if ! is_there "$package"; then missing+=("$package"); fi
  done
  if [ ${#missing[@]} -eq 0 ]; then return 0; fi
  install_packages "${missing[@]}"
  for package in "$@"; do
    is_there "$package" ||
      fail "$package is installed, but cannot be used from here" \
        "look at PATH and PKG_CONFIG_PATH: another one may stand in front of Debian's"
  done
}

# need_psycopg: for the python3 in PATH; where it has none, Debian's comes first from here on.
need_psycopg() {
  need_packages python3
  if has_psycopg python3; then return 0; fi
  need_packages python3-psycopg
  PATH=/usr/bin:$PATH
}

install_packages() {
  local as_root=()
  command -v apt-get >/dev/null 2>&1 ||
    fail "missing: $*" "there is no apt-get here: install what these Debian packages hold"
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 ||
      fail "missing: $*" "as root: apt-get update && apt-get install -y $*"
    as_root=(sudo)
    # Without a terminal nobody can type a password.
    if [ ! -t 0 ]; then as_root=(sudo -n); fi
  fi
  say "installing $*"
  # One broken source among many fails the update; whether it matters, the installation tells.
  run_apt ${as_root[@]+"${as_root[@]}"} update || say "apt-get update failed; trying all the same"
  run_apt ${as_root[@]+"${as_root[@]}"} install -y --no-install-recommends "$@" ||
    fail "could not install: $*" "as root: apt-get update && apt-get install -y $*"
}

# run_apt [sudo [-n]] ARGUMENT...: apt-get that asks nothing; its output goes to stderr.
run_apt() {
  local as_root=()
  while [ "$1" = sudo ] || [ "$1" = -n ]; do
    as_root+=("$1")
    shift
  done
  ${as_root[@]+"${as_root[@]}"} env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >&2
}
