#!/usr/bin/env bash
# Inside a root of its own: installs /tmp/tradeledger.deb, uses it, removes it. Called by
# scripts/package-check, with namespaces of its own.
#
#   package-root.sh ROOT       enters it and goes on there
#   package-root.sh
set -euo pipefail

if [ $# -gt 0 ]; then
  mount -t proc proc "$1/proc"
  mount -t tmpfs tmpfs "$1/run"
  exec chroot "$1" bash /tmp/package-root.sh
fi

dpkg -i /tmp/tradeledger.deb
man -w tradeledger
for shell in zsh fish; do
  command -v "$shell" >/dev/null || continue
  case "$shell" in
    zsh) zsh -n /usr/share/zsh/vendor-completions/_tradeledger ;;
    fish) fish --no-execute /usr/share/fish/vendor_completions.d/tradeledger.fish ;;
  esac
done

# As a user who is not root.
useradd --system --create-home --home-dir /var/lib/tradeledger tradeledger 2>/dev/null || true
chmod 700 /var/lib/tradeledger
rm -f /var/lib/tradeledger/ledger.db*
setpriv --reuid tradeledger --regid tradeledger --clear-groups env \
  TRADELEDGER_DB=/var/lib/tradeledger/ledger.db HOME=/var/lib/tradeledger \
  bash /tmp/package-use.sh /

for unit in worker@x.service metrics.service metrics.timer backup.service backup.timer; do
  systemd-analyze verify --man=yes "/lib/systemd/system/tradeledger-$unit"
done

dpkg -P tradeledger
[ -s /var/lib/tradeledger/ledger.db ] || { echo "error: the ledger went with the package" >&2 && exit 1; }
left=$(find /usr /lib/systemd -path '*tradeledger*')
[ -z "$left" ] || { echo "error: left behind: $left" >&2 && exit 1; }
