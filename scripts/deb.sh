#!/usr/bin/env bash
# Builds the Debian package, target/doorward_VERSION_ARCHITECTURE.deb:
#
#   scripts/deb.sh                     from a release build
#   scripts/deb.sh BINARY DIRECTORY    from a program that is there, into a directory
#
# Prints the path of the package. DEB_MAINTAINER is who answers for it, DEB_COMPRESSION
# how it is packed (xz).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

binary=${1:-target/release/doorward}
directory=${2:-target}
maintainer=${DEB_MAINTAINER:-Doorward <doorward@localhost>}

[ $# != 0 ] || cargo build --release --locked >&2
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
architecture=$(dpkg --print-architecture)
# Files have the time of the last change, so that the same source gives the same package.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.toml)
export SOURCE_DATE_EPOCH

put() { install -D -m "$1" "$2" "$tree/root/$3"; }

put 0755 "$binary" usr/bin/doorward
strip --strip-unneeded "$tree/root/usr/bin/doorward"
put 0644 packaging/doorward.toml etc/doorward/doorward.toml
put 0644 packaging/systemd/doorward.service usr/lib/systemd/system/doorward.service
put 0644 packaging/systemd/sysusers.conf usr/lib/sysusers.d/doorward.conf
put 0644 packaging/systemd/tmpfiles.conf usr/lib/tmpfiles.d/doorward.conf
put 0644 packaging/logrotate etc/logrotate.d/doorward
# Public keys of services and of people who sign on by certificate: only root puts them there.
install -d -m 0755 "$tree/root/etc/doorward/sslkeys"
documents=usr/share/doc/doorward
put 0644 packaging/systemd/doorward.socket "$documents/examples/doorward.socket"
# As they lie in the source, so that their links lead somewhere.
for file in README.md LICENSE-MIT docs/* krb5-examples/* keytabs/README.md packaging/systemd/doorward.{service,socket} \
    examples/trusted-web-application/*; do
    put 0644 "$file" "$documents/$file"
done
ln -s ../../common-licenses/Apache-2.0 "$tree/root/$documents/LICENSE-APACHE"
put 0644 CHANGELOG.md "$documents/changelog"
gzip -9n "$tree/root/$documents/changelog"
sed 's/^$/./; s/^/ /' LICENSE-MIT >"$tree/mit"
sed -e "/^@MIT@$/{r $tree/mit" -e 'd}' packaging/debian/copyright >"$tree/root/$documents/copyright"
chmod 0644 "$tree/root/$documents/copyright"

# The libraries that the program is linked with, in the versions it needs at least.
mkdir "$tree/debian"
printf 'Source: doorward\n\nPackage: doorward\nArchitecture: any\n' >"$tree/debian/control"
depends=$(cd "$tree" && dpkg-shlibdeps -O root/usr/bin/doorward 2>/dev/null)
depends=${depends#shlibs:Depends=}

control=$tree/root/DEBIAN
mkdir "$control"
size=$(du -sk --exclude=DEBIAN "$tree/root" | cut -f1)
sed -e "s|@VERSION@|$version|" -e "s|@ARCHITECTURE@|$architecture|" -e "s|@SIZE@|$size|" \
    -e "s|@MAINTAINER@|$maintainer|" -e "s|@DEPENDS@|$depends|" \
    packaging/debian/control.in >"$control/control"
install -m 0644 packaging/debian/{conffiles,triggers} "$control"
install -m 0755 packaging/debian/{postinst,prerm,postrm} "$control"
(cd "$tree/root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z |
    xargs -0 md5sum) >"$control/md5sums"
chmod 0644 "$control/md5sums"

package=$directory/doorward_${version}_$architecture.deb
dpkg-deb --root-owner-group "-Z${DEB_COMPRESSION:-xz}" --build "$tree/root" "$package" >&2
echo "$package"
