#!/bin/sh
# The packet on arm64, where libsodium does all of X25519: cross-built, its
# tests and vectors run under qemu. usage: tests/arm64.sh
#
# Headers and libraries come from Debian's arm64 packages, unpacked (not
# installed) once into BRUSIO_ARM64 (default /var/tmp/brusio-arm64); remove the
# folder to start afresh. Needs root for debootstrap.
set -eu
cd "$(dirname "$0")/.."
root=${BRUSIO_ARM64:-/var/tmp/brusio-arm64}
if [ ! -e "$root/.complete" ]; then
    [ "$(id -u)" = 0 ] || {
        echo 'check-arm64: debootstrap needs root for the first run'
        exit 1
    }
    source=$(apt-get indextargets --format '$(REPO_URI)' \
        'Created-By: Packages' 2>/dev/null | sed -n 1p)
    : "${source:=http://deb.debian.org/debian/}"
    echo "check-arm64: unpacking arm64 packages into $root"
    rm -rf "$root"
    debootstrap --arch=arm64 --foreign --variant=minbase \
        --include=libc6-dev,libsodium-dev,libssl-dev,libevent-dev,libjansson-dev,libsqlite3-dev,libqrencode-dev,libcmocka-dev \
        bookworm "$root" "$source" >"$root.log" 2>&1 || {
        tail -n 5 "$root.log"
        exit 1
    }
    for package in "$root"/var/cache/apt/archives/*.deb; do
        dpkg-deb -x "$package" "$root"
    done
    touch "$root/.complete"
fi
export PKG_CONFIG_SYSROOT_DIR="$root"
export PKG_CONFIG_LIBDIR="$root/usr/lib/aarch64-linux-gnu/pkgconfig:$root/usr/share/pkgconfig"
out=build/arm64
rm -rf "$out/tree"
mkdir -p "$out/tree"
git ls-files -z --cached --others --exclude-standard |
    tar -c --null --ignore-failed-read -T - 2>/dev/null |
    tar -x -C "$out/tree"
cd "$out/tree"
${MAKE:-make} --no-print-directory CC="aarch64-linux-gnu-gcc --sysroot=$root" \
    AR=aarch64-linux-gnu-ar build/release/run-tests
for part in '*sphinx*' '*x25519*' '*hpolyc*'; do
    qemu-aarch64-static -L "$root" build/release/run-tests "$part" |
        grep -v -E '^\[ (RUN|      OK) '
done
echo 'check-arm64: the packet works on arm64, with libsodium'
