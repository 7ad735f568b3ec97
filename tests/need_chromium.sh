#!/bin/sh
# The browser tests need Chromium; on Debian as root it is installed here, elsewhere this says what to do.
set -e
[ -x /usr/bin/chromium ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing chromium ..."
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null
  exit 0
fi
echo "make test-all needs Chromium at /usr/bin/chromium; on Debian: sudo apt install chromium" >&2
exit 1
