#!/bin/sh
# The PromQL oracle tests need promtool 2.42 (Debian 12's package `prometheus`). It is unpacked into a cache folder, never installed,
# so that no Prometheus server starts; elsewhere this says what to do.
set -e
cache="${XDG_CACHE_HOME:-$HOME/.cache}/seatrial/promtool"
fits() { "$1" --version 2>/dev/null | grep -q "version 2\.42\."; }
fits "$cache/promtool" && exit 0
found=$(command -v promtool || true)
if [ -n "$found" ] && fits "$found"; then exit 0; fi
if command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then
  echo "fetching promtool ..."
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  chmod 755 "$work"
  cd "$work"
  apt-get download -qq prometheus 2>/dev/null || { [ "$(id -u)" = 0 ] && apt-get update -qq && apt-get download -qq prometheus; }
  dpkg-deb -x prometheus_*.deb unpacked
  mkdir -p "$cache"
  cp unpacked/usr/bin/promtool "$cache/promtool"
  fits "$cache/promtool" && exit 0
fi
echo "make test-all needs promtool 2.42 on the PATH or at $cache/promtool" >&2
echo "(https://github.com/prometheus/prometheus/releases/tag/v2.42.0)" >&2
exit 1
