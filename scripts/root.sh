#!/bin/bash
# Runs a command in a throw-away Debian root.  See scripts/root.sh --help.
#
# The root is an overlay: below it lie a cached base, made by debootstrap, and
# cached layers; the writes go to a directory of this run, which is removed at
# the end.  All mounts are made in a private mount namespace and end with it, so
# that no forgotten bind mount can be met by an "rm -rf".

. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
. "$tree/scripts/releases.sh"

usage()
{
	cat <<'END'
Usage: scripts/root.sh SUITE[+LAYER]... COMMAND [ARGUMENT...]
       scripts/root.sh --check    says what keeps this machine from it, if anything

Runs the command as root in a throw-away root of this Debian suite (bookworm,
trixie, forky, ...; "experimental" is sid with experimental), in a copy of this
tree.  Needs root, debootstrap, and the right to mount.

The layers, installed in this order:
  server    postgresql and what it depends on, nothing else
  sudo      sudo, and the user ada may use it without a password
  tests     all packages that ./test installs; +tests=N for PostgreSQL N
  packaging what builds the packages of debian/

ROOTS       where the bases, the layers and the packages are kept, and where the
            command's files go (default: /var/tmp/durable_singleton.roots)
SHARED      a directory that the command has as /mnt
END
}

roots=${ROOTS:-/var/tmp/durable_singleton.roots}
# What is older was made from packages that the mirror no longer has.
days_kept=30

# --- one namespace ---------------------------------------------------------

# Runs a command in the root made of the lower directories $1, with its writes
# going to $2/upper.
enter()
{
	local lower=$1 run=$2
	shift 2
	mkdir -p "$run/upper" "$run/work" "$run/merged"
	unshare --mount --pid --ipc --fork --kill-child --propagation private \
		bash -c '
		set -e
		merged=$1 options=$2
		shift 2
		mount -t overlay overlay -o "$options" "$merged"
		[ -z "$SHARED" ] || mount --bind "$SHARED" "$merged/mnt"
		mount -t proc proc "$merged/proc"
		mount --rbind /dev "$merged/dev"
		mount -t tmpfs -o mode=1777 tmpfs "$merged/dev/shm"
		mount --rbind -o ro /sys "$merged/sys"
		# Not chroot: PostgreSQL runs the same there, but inside a chroot nobody may
		# make the user namespaces in which tests mount small disks.
		cd "$merged"
		mkdir -p .outside
		pivot_root . .outside
		cd /
		umount -l /.outside
		rmdir /.outside
		exec "$@"' \
		bash "$run/merged" "lowerdir=$lower,upperdir=$run/upper,workdir=$run/work" \
		env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root LANG=C.UTF-8 TERM=dumb SHELL=/bin/bash "${passed_on[@]}" "$@"
}

# --- bases and layers ------------------------------------------------------

# The mirror that apt uses here.
mirror()
{
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' |
		grep -v security | sort -u | head -n 1
}

# Makes $roots/$1 by the command that follows, which gets a directory to fill,
# unless it is there already.
cached()
{
	local dir=$roots/$1
	shift
	if [ -n "$(find "$dir" -maxdepth 0 -mtime "+$days_kept" 2>/dev/null)" ]; then
		rm -rf --one-file-system "$dir"
	fi
	[ ! -d "$dir" ] || return 0
	say "making $dir, which is kept"
	rm -rf --one-file-system "$dir.new"
	mkdir "$dir.new"
	"$@" "$dir.new" >"$roots/log" 2>&1 ||
		die "making ${dir##*/} failed: $(tail -n 20 "$roots/log")"
	touch "$dir.new"
	mv "$dir.new" "$dir"
}

make_base_of()
{
	local suite=$1 dir=$2 script=/usr/share/debootstrap/scripts/$1
	[ "$suite" != experimental ] || suite=sid
	# Those that are younger than this debootstrap are made like sid.
	[ -e "$script" ] || script=/usr/share/debootstrap/scripts/sid
	debootstrap --variant=minbase --include=ca-certificates "$suite" "$dir/upper" \
		"$(mirror)" "$script" || return
	[ "$suite" = "$1" ] ||
		sed 's/ sid / experimental /' "$dir/upper/etc/apt/sources.list" \
			>"$dir/upper/etc/apt/sources.list.d/experimental.list"
	rm -rf "$dir/upper/var/lib/apt/lists"/* "$dir/upper/var/cache/apt"/*.bin
	# Nothing is to be started in these roots, and nothing in them is to last.
	printf '#!/bin/sh\nexit 101\n' >"$dir/upper/usr/sbin/policy-rc.d"
	chmod 755 "$dir/upper/usr/sbin/policy-rc.d"
	echo force-unsafe-io >"$dir/upper/etc/dpkg/dpkg.cfg.d/throw-away"
	# The mirror may be a snapshot.
	echo 'Acquire::Check-Valid-Until "false";' >"$dir/upper/etc/apt/apt.conf.d/throw-away"
	enter "$dir/upper" "$dir/run" useradd --create-home --shell /bin/bash ada &&
		cp -a "$dir/run/upper/." "$dir/upper/" && rm -rf "$dir/run"
}

# Fills $dir/upper with what the command writes in a root of these lower
# directories.  What apt has learnt about the mirror does not stay.
make_layer()
{
	local lower=$1 script=$2 dir=$3
	keep_network "$dir"
	give_packages "$dir" "$suite"
	enter "$lower" "$dir" bash -ec "$script" || return
	take_packages "$dir" "$suite"
	rm -rf "$dir/work" "$dir/merged" "$dir/upper/var/lib/apt/lists" \
		"$dir/upper/var/cache/apt" "$dir/upper/home/ada/durable_singleton"
}

# What every machine here has to reach the mirror and the npm registry.
keep_network()
{
	local file
	mkdir -p "$1/upper/etc" "$1/upper/usr/local/share/ca-certificates"
	cp -L /etc/resolv.conf /etc/hosts "$1/upper/etc/"
	for file in /usr/local/share/ca-certificates/*.crt; do
		[ ! -e "$file" ] || cp "$file" "$1/upper/usr/local/share/ca-certificates/"
	done
}

# Packages that were fetched once are not fetched again.  Links, so that each
# run has a directory of its own that apt can lock.
give_packages()
{
	local archives=$1/upper/var/cache/apt/archives
	mkdir -p "$roots/packages-$2" "$archives"
	find "$roots/packages-$2" -name '*.deb' -exec ln -t "$archives" {} +
}

take_packages()
{
	find "$1/upper/var/cache/apt/archives" -maxdepth 1 -name '*.deb' \
		-exec mv -n -t "$roots/packages-$2" {} +
}

copy_tree_to()
{
	mkdir -p "$1/upper/home/ada/durable_singleton"
	pack_tree | tar -x -C "$1/upper/home/ada/durable_singleton" --no-same-owner
	keep_release_sources "$1/upper/home/ada/durable_singleton"
}

apt='export DEBIAN_FRONTEND=noninteractive
update-ca-certificates >/dev/null 2>&1
apt-get -q update
apt-get -q -y install --no-install-recommends'

# Sets lowers, for the suite and layers $1 (bookworm+server+sudo).
prepare()
{
	local name=${1%%+*} layer
	local -a layers
	IFS=+ read -ra layers <<<"${1#"$name"}"
	suite=$name
	cached "$suite" make_base_of "$suite"
	lowers=$roots/$suite/upper
	for layer in "${layers[@]}"; do
		case $layer in
			'') continue ;;
			server) script="$apt postgresql" ;;
			sudo)
				script="$apt sudo
				echo 'ada ALL = NOPASSWD: ALL' >/etc/sudoers.d/ada"
				;;
			tests=[1-9]*)
				# Of experimental the server alone; all that it depends on is in sid.
				script="printf '%s\n' 'Package: src:postgresql-${layer#*=}' \
					'Pin: release a=experimental' 'Pin-Priority: 990' \
					>/etc/apt/preferences.d/server
				$apt postgresql-${layer#*=} postgresql-server-dev-${layer#*=}"
				;;
			tests) script= ;;
			packaging)
				script="$apt build-essential debhelper lintian libmicrohttpd-dev libpq-dev \
					postgresql-server-dev-all"
				;;
			*) die "no layer is called \"$layer\"; see --help" ;;
		esac
		name+=+$layer
		case $layer in
			tests*) cached "$name" make_tests_layer "$lowers" "${script:-}" ;;
			*) cached "$name" make_layer "$lowers" "$script" ;;
		esac
		lowers=$roots/$name/upper:$lowers
	done
}

# All that ./test can ask for.
make_tests_layer()
{
	copy_tree_to "$3"
	make_layer "$1" "$2
		update-ca-certificates >/dev/null 2>&1
		cd /home/ada/durable_singleton
		. scripts/lib.sh
		choose_server
		install_missing ${test_needs[*]}" "$3"
}

# Fails with the reason, if this machine cannot have such roots.
check_machine()
{
	local dir why url
	dir=$(mktemp -d "$roots/check.XXXXXX") || die "cannot make a directory in $roots"
	# shellcheck disable=SC2064
	trap "rm -rf --one-file-system '$dir'" EXIT
	mkdir "$dir/lower" "$dir/upper" "$dir/work" "$dir/merged"
	why=$(unshare --mount --pid --ipc --fork --kill-child --propagation private sh -c '
		mount -t overlay overlay -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work" "$1/merged" &&
			mount -t proc proc "$1/merged"' sh "$dir" 2>&1) ||
		die "this machine permits no mounts in a namespace: $why"
	url=$(mirror)
	[ -n "$url" ] || die "apt names no mirror of Debian"
	why=$(/usr/lib/apt/apt-helper download-file "${url%/}/dists/stable/Release" "$dir/Release" 2>&1) ||
		die "the mirror of Debian gives nothing: $(tail -n 1 <<<"$why")"
}

# --- main ------------------------------------------------------------------

case ${1:-} in
	-h | --help) usage; exit ;;
	--check) ;;
	'' | -*) usage >&2; exit 2 ;;
	*) [ $# -gt 1 ] || die "no command; see --help" ;;
esac
[ "$(id -u)" = 0 ] || die "only root can make these roots"
type -P debootstrap >/dev/null || die "debootstrap is missing: apt-get install debootstrap"
umask 022
mkdir -p "$roots"
[ -O "$roots" ] && [ ! -L "$roots" ] && [ -d "$roots" ] ||
	die "$roots is not a directory of root's"
roots=$(cd "$roots" && pwd -P)
if [ "$1" = --check ]; then
	check_machine
	exit
fi
# The command runs as it would here, but knows that it is in such a root.
mapfile -d '' -t passed_on < <(set_ones CI TIMEOUT SERVER_SETTINGS "${settings[@]}")
passed_on+=(THROW_AWAY_ROOT=yes)

exec {lock}>"$roots/lock"
flock "$lock"
# What runs left behind that were killed.
for run in "$roots"/run.* "$roots"/check.*; do
	[ ! -d "$run" ] || [ -n "$(find "$run" -maxdepth 0 -mmin -1)" ] || flock -n "$run/lock" rm -rf --one-file-system "$run"
done
prepare "$1"
shift

run=$(mktemp -d "$roots/run.XXXXXX") || die "cannot make a directory in $roots"
chmod 755 "$run"
exec {run_lock}>"$run/lock"
flock "$run_lock"
flock -u "$lock"

inside=
end_run()
{
	trap - EXIT
	trap '' INT TERM HUP
	[ -z "$inside" ] || kill -KILL "$inside" 2>/dev/null
	wait
	take_packages "$run" "$suite"
	rm -rf --one-file-system "$run"
}
trap end_run EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

keep_network "$run"
give_packages "$run" "$suite"
copy_tree_to "$run"
enter "$lowers" "$run" env -C /home/ada/durable_singleton bash -c '
	chown -R ada: .
	update-ca-certificates >/dev/null 2>&1
	exec "$@"' bash "$@" </dev/null &
inside=$!
status=0
wait "$inside" || status=$?
inside=
exit $status
