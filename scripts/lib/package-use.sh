#!/usr/bin/env bash
# Uses the installed program as a person would: a ledger from the first command to the audit, and
# the completion of a bot's name in bash. Called by scripts/package-check, in a root of its own too.
#
#   package-use.sh TREE        where usr/share lies: / where the package is installed
#
# TRADELEDGER_DB: a ledger that does not exist yet.
set -euo pipefail
tree=${1%/}

complain() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

tradeledger init --mode paper
tradeledger bot add momentum --cooldown 15m
token=0123456789abcdef0123456789abcdef
tradeledger reserve momentum --side buy --symbol BTC-USD --quantity 0.25 --token "$token"
tradeledger fill 1 --price 64250.10 --token "$token"
again=0
tradeledger --quiet reserve momentum --side buy --symbol BTC-USD --quantity 0.25 || again=$?
[ "$again" -eq 1 ] || complain "a second trade inside the cooldown ended with $again instead of 1"
tradeledger audit
tradeledger guard desk -- tradeledger instances
tradeledger guard desk --supervise -- tradeledger instances

shopt -s extglob
# shellcheck source=/dev/null
. "$tree/usr/share/bash-completion/completions/tradeledger"
# offers LINE: what Tab offers at the end of it.
offers() {
  COMPREPLY=()
  COMP_LINE=$1
  COMP_POINT=${#COMP_LINE}
  read -ra COMP_WORDS <<<"$COMP_LINE"
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  COMP_TYPE=9
  export COMP_LINE COMP_POINT COMP_TYPE
  _tradeledger_whole_words tradeledger "${COMP_WORDS[-1]}" "${COMP_WORDS[-2]}" 2>&1 && printf '%s\n' "${COMPREPLY[@]}"
}
# The functions of the file are not made for -e and -u.
set +eu
name=$(offers "tradeledger check mo")
[ "$name" = momentum ] || complain "bash offers '$name' instead of momentum"
command=$(offers "tradeledger reser")
[ "$command" = reserve ] || complain "bash offers '$command' instead of reserve"
nothing=$(TRADELEDGER_DB=/nowhere offers "tradeledger check mo")
[ -z "$nothing" ] || complain "without a ledger bash is told: $nothing"
