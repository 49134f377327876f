# shellcheck shell=bash disable=SC2034
# Released versions of the extension, for the tests of upgrades.  To be sourced
# by ./test and scripts/root.sh, after scripts/lib.sh.
#
# extension/releases names the commit of each.  The history has its source;
# a copy of the tree without history may have it as .releases/VERSION.tar.

# release_field VERSION NUMBER
release_field()
{
	awk -v version="$1" -v field="$2" '$1 == version { print $field }' \
		"$tree/extension/releases"
}

released_versions()
{
	awk '!/^#/ { print $1 }' "$tree/extension/releases"
}

# The source of a version as a tar archive on stdout; false: it is not here.
release_source()
{
	local commit
	commit=$(release_field "$1" 2)
	if [ -e "$tree/.releases/$1.tar" ]; then
		cat "$tree/.releases/$1.tar"
	elif git -C "$tree" cat-file -e "$commit^{commit}" 2>/dev/null; then
		git -C "$tree" archive "$commit"
	else
		return 1
	fi
}

# Keeps the sources for a copy of the tree without history: keep_release_sources COPY
keep_release_sources()
{
	local version
	mkdir -p "$1/.releases"
	for version in $(released_versions); do
		release_source "$version" >"$1/.releases/$version.tar" ||
			rm -f "$1/.releases/$version.tar"
	done
}

# Builds each released version in $base/releases/VERSION and installs it below
# $base/releases/VERSION/inst.  Where its source is missing it says so in
# $base/releases/VERSION/missing, which the tests give as their reason.
build_releases()
{
	local version dir status=0
	for version in $(released_versions); do
		dir=releases/$version
		mkdir -p "$base/$dir"
		if release_source "$version" >"$base/release.tar" 2>/dev/null; then
			tar -x -C "$base/$dir" -f "$base/release.tar"
			[ "$(id -u)" != 0 ] || chown -R "$user" "$base/releases"
			make_in "$dir" -j"$(nproc)" with_llvm=no with_gateway=no &&
				make_in "$dir" with_llvm=no with_gateway=no install \
					DESTDIR="$base/$dir/inst" || status=1
		else
			echo "the source of release $version is not here: neither the history nor .releases/$version.tar has it" \
				>"$base/$dir/missing"
		fi
		rm -f "$base/release.tar"
	done
	return $status
}
