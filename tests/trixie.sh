#!/bin/sh
# Build and test the tree inside a Debian 13 (trixie) root: another compiler,
# another libsodium, and an OpenSSL that has ML-KEM. usage: tests/trixie.sh
#
# The root is made once, by debootstrap, from the package source that this
# machine itself uses, and kept in BRUSIO_TRIXIE (default
# /var/tmp/brusio-trixie); remove the folder to start afresh. Mounts live in a
# namespace of their own and end with this script. Needs root.
set -eu
cd "$(dirname "$0")/.."
root=${BRUSIO_TRIXIE:-/var/tmp/brusio-trixie}
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo 'check-trixie: chroot needs root; run as root or install sudo'
        exit 1
    }
    exec sudo BRUSIO_TRIXIE="$root" CI="${CI:-}" "$0"
fi
if [ ! -e "$root/.complete" ]; then
    source=$(apt-get indextargets --format '$(REPO_URI)' \
        'Created-By: Packages' 2>/dev/null | sed -n 1p)
    : "${source:=http://deb.debian.org/debian/}"
    echo "check-trixie: making $root from the machine's package source"
    rm -rf "$root"
    mkdir -p "$root"
    debootstrap --variant=minbase --include=make,git,ca-certificates \
        trixie "$root" "$source" >"$root.log" 2>&1 || {
        tail -n 5 "$root.log"
        echo "check-trixie: debootstrap failed; $root.log has all it said"
        exit 1
    }
    touch "$root/.complete"
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
[ ! -d /etc/apt/apt.conf.d ] || for f in /etc/apt/apt.conf.d/*proxy*; do
    [ ! -f "$f" ] || cp "$f" "$root/etc/apt/apt.conf.d/"
done
# the tree as it is, not as it was committed; objects of the last run stay
mkdir -p "$root/src/brusio"
find "$root/src/brusio" -mindepth 1 -maxdepth 1 ! -name build \
    -exec rm -rf {} +
git ls-files -z --cached --others --exclude-standard |
    tar -c --null --ignore-failed-read -T - 2>/dev/null |
    tar -x -C "$root/src/brusio"
unshare --mount sh -eu -c '
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    mount -t tmpfs tmpfs "$1/tmp"
    exec chroot "$1" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        LANG=C.UTF-8 CI="$2" sh -eu -c "
        cd /src/brusio
        export DEBIAN_FRONTEND=noninteractive
        make check
        echo the hybrid suite carries a text and a file:
        tests/e2e/demo.sh /src/brusio/build/release --suite x25519-mlkem768"
    ' sh "$root" "${CI:-}"
echo 'check-trixie: built and tested inside Debian 13'
