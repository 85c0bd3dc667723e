# shellcheck shell=bash
# How the program that is shipped is built and looked at. Sourced, not run, after install.sh and in
# the root of the checkout.
#
# Static as a whole, and not only Swift's own libraries: such a program starts faster (see
# docs/PERFORMANCE.md) and runs on any Linux of its architecture. SQLite comes from the libsqlite3.a
# of Debian's libsqlite3-dev. The flags stand here and not in Package.swift, where a user of the
# library would have to take them over. macOS knows no static programs.

release=(swift build -c release --product tradeledger --scratch-path .build/release-program)
if [ "$(uname)" = Linux ]; then release+=(--static-swift-stdlib -Xswiftc -static-executable); fi

# build_release: prints the path of the program. Debug information is still in it.
build_release() {
  local log=.build/release-program.log
  mkdir -p .build
  say "${release[*]}"
  # The linker warns of each function that would load libraries at run time. None of them is called:
  # expect_no_system_databases looks.
  if ! "${release[@]}" >"$log" 2>&1; then
    tail -n 60 "$log" >&2
    fail "the build failed" "a part of libsqlite3-dev or of the toolchain may be missing"
  fi
  printf '%s/tradeledger\n' "$("${release[@]}" --show-bin-path)"
}

# expect_static PROGRAM: it has no interpreter and needs no library.
expect_static() {
  local headers
  headers=$(readelf --wide --program-headers --dynamic "$1")
  if grep -E 'INTERP|NEEDED' <<<"$headers" >&2; then
    fail "$1 is not static" "the lines above name what it needs"
  fi
  grep -q LOAD <<<"$headers" || fail "readelf sees nothing in $1"
}

# expect_no_foundation PROGRAM: it brings no Foundation but FoundationEssentials, and no ICU. Asked
# of the names of its functions, so before they are taken out.
expect_no_foundation() {
  local names
  names=$(nm "$1")
  grep -q '[$]s20FoundationEssentials' <<<"$names" || fail "nm sees no Swift in $1"
  if grep -m 3 -E ' ([$]s10Foundation|[$]s28FoundationInternational|_?CFString|_ZN6icu_)' \
    <<<"$names" >&2; then
    fail "$1 brings full Foundation or ICU" "find out which target imports Foundation"
  fi
}

# expect_no_system_databases PROGRAM: nothing asks the system for users, groups or hosts, for which
# glibc would load libraries of the very version it was built with.
expect_no_system_databases() {
  local program=$1 work status=0
  program=$(realpath "$program")
  work=$(mktemp -d)
  (
    cd "$work"
    export TRADELEDGER_DB=$work/ledger.db HOME='~nobody'
    traced() {
      SWIFT_BACKTRACE=enable=no strace -f -qq -A -e trace=openat,open,connect,socket,execve \
        -o trace "$program" "$@" >>out 2>&1
    }
    traced init --mode paper
    traced bot add m --cooldown 15m
    traced reserve m --side buy --symbol BTC-USD --quantity 1 --token 0123456789abcdef0123456789abcdef
    traced fill 1 --price 2 --token 0123456789abcdef0123456789abcdef
    traced status
    traced audit
    traced report -o page.html
    traced doctor
    traced guard desk -- "$program" --version
    unset TRADELEDGER_DB
    traced simulate --duration 1s --workers 2 --bots 2
  ) || status=$?
  if [ "$status" -ne 0 ]; then
    tail -n 20 "$work/out" >&2
    rm -rf "$work"
    fail "$program fails"
  fi
  grep -q ledger.db-wal "$work/trace" || fail "strace saw nothing of $program"
  if grep -m 5 -E 'nsswitch|/etc/(passwd|group|hosts|resolv)|\.so|AF_INET' "$work/trace" >&2; then
    rm -rf "$work"
    fail "$program asks the system for users, hosts or libraries" "the calls stand above"
  fi
  rm -rf "$work"
}
