# shellcheck shell=bash disable=SC2034
# What ./test and ./demo have in common, to be sourced by bash: finding or
# installing a server, a private directory, building the extension into it,
# running things there as an unprivileged user, and cleaning all of it up.
#
# Everything happens below one private directory, $base.  What has its working
# directory there is ours, and nothing else is ever stopped or removed.

tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
base=

say()
{
	printf '%s\n' "$*"
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

. "$tree/scripts/packages.sh"

# --- the private directory -------------------------------------------------

# Sets base and user: where everything happens, and who does it.  A server
# refuses to run as root.
make_base()
{
	local parent=${TMPDIR:-/tmp}

	user=$(id -un)
	if [ "$(id -u)" = 0 ]; then
		user=postgres
		id "$user" >/dev/null 2>&1 || user=nobody
	fi
	# The names of sockets below it must stay short, and make knows no quoting.
	[[ ${#parent} -le 40 && $parent =~ ^/[A-Za-z0-9._/-]*$ ]] || parent=/tmp
	base=$(mktemp -d "$parent/durable_singleton.XXXXXX") ||
		die "cannot make a directory in $parent"
	mkdir -m 700 "$base/home" "$base/tmp" "$base/log"
	[ "$(id -u)" != 0 ] || chown -R "$user" "$base"
	unprivileged test -w "$base" ||
		die "user $user cannot reach $base: set TMPDIR to a directory it can"
	trap remove_base EXIT
	trap 'interrupted 130' INT
	trap 'interrupted 143' TERM HUP
	# What is built here is also run here.
	cp "$(type -P true)" "$base/tmp/true" && "$base/tmp/true" ||
		die "nothing can be run in $parent (mounted noexec?): set TMPDIR to another directory"
	rm "$base/tmp/true"
}

# Not empty: the tests run at full length.
test_all=

# Not empty: which of ./test's ways to look for mistakes they run in.
mode=

# What a caller sets for the tests, and for nothing else.
settings=(HTTP_LOAD_SECONDS MODEL_SEED MODEL_SEQUENCES FUZZ_SEED FUZZ_SECONDS TORTURE_SEED
	TORTURE_SECONDS)

# NAME=VALUE for those of these variables that are set
set_ones()
{
	local name
	for name; do
		[ -z "${!name:-}" ] || printf '%s\0' "$name=${!name}"
	done
}

# Runs a command as the unprivileged user in an environment of its own, so that
# no PGHOST or psqlrc of the caller has a say.
unprivileged()
{
	local prefix=() given
	[ "$(id -u)" != 0 ] || prefix=(setpriv --reuid="$user" --regid="$(id -g "$user")"
		--init-groups --)
	mapfile -d '' -t given < <(set_ones "${settings[@]}")
	"${prefix[@]}" env -i -C "$base" \
		PATH="${bindir:+$bindir:}/usr/local/bin:/usr/bin:/bin" \
		HOME="$base/home" TMPDIR="$base/tmp" LANG=C.UTF-8 LC_MESSAGES=C \
		SHELL=/bin/sh USER="$user" LOGNAME="$user" "${given[@]}" \
		${test_all:+TEST_ALL="$test_all"} \
		${mode:+TEST_MODE="$mode"} "$@" </dev/null
}

# Runs a command in a process group of its own, in the background, so that an
# interrupt of the script reaches the trap at once and ends the whole group.
job=
group_job()
{
	local status=0
	set -m
	"$@" &
	job=$!
	set +m
	wait "$job" || status=$?
	job=
	return $status
}

unprivileged_job()
{
	group_job unprivileged "$@"
}

own_processes()
{
	find /proc -maxdepth 2 -name cwd \( -lname "$base" -o -lname "$base/*" \) \
		-printf '%h\n' 2>/dev/null | sed 's,/proc/,,'
}

# Ends whatever still runs below $base: commands first, so that they start no
# new servers, then the servers.
stop_own_processes()
{
	local pids file try
	[ -z "$job" ] || kill -TERM -- "-$job" 2>/dev/null
	job=
	for try in {1..100}; do
		mapfile -t pids < <(own_processes)
		[ ${#pids[@]} -gt 0 ] || return 0
		if [ "$try" = 60 ]; then
			kill -KILL "${pids[@]}" 2>/dev/null
		elif [ $((try % 20)) = 5 ]; then
			while IFS= read -r file; do
				kill -QUIT "$(head -n 1 "$file")" 2>/dev/null
			done < <(find "$base" -name postmaster.pid 2>/dev/null)
			kill -TERM "${pids[@]}" 2>/dev/null
		fi
		sleep 0.1
	done
	say "these processes do not end: ${pids[*]}" >&2
}

remove_base()
{
	[ -n "$base" ] || return 0
	trap '' INT TERM HUP
	stop_own_processes
	rm -rf "$base"
	base=
}

interrupted()
{
	trap - EXIT
	printf '\ninterrupted\n' >&2
	remove_base
	exit "$1"
}

# --- building --------------------------------------------------------------

# The tree without what is built or fetched in it, as an archive.
pack_tree()
{
	tar -C "$tree" -c --exclude=./.git --exclude='*.o' --exclude='*.bc' \
		--exclude='*.so' --exclude=./results --exclude=./output_iso \
		--exclude=node_modules --exclude=./gateway/durable-singleton-http \
		--exclude='*-sanitized' --exclude='./tmp_*' --exclude='./regression.*' --exclude=./log .
}

copy_tree()
{
	mkdir "$base/$1"
	pack_tree | tar -x -C "$base/$1" --no-same-owner
	[ "$(id -u)" != 0 ] || chown -R "$user" "$base/$1"
}

# Copies the commit to $base/$1, or the tree as it is where $2 is empty, and sets
# built_from to what it was.
copy_source()
{
	if [ -n "$2" ]; then
		built_from="commit $(git -C "$tree" rev-parse --short "$2")" ||
			die "no such commit: $2"
		mkdir "$base/$1" &&
			(set -o pipefail
			git -C "$tree" archive "$2" | tar -x -C "$base/$1") ||
			die "copying commit $2 failed"
		[ "$(id -u)" != 0 ] || chown -R "$user" "$base/$1"
	else
		built_from="the tree as it is"
		! head=$(git -C "$tree" rev-parse --short HEAD 2>/dev/null) ||
			built_from+=", on commit $head"
		copy_tree "$1" || die "copying the tree failed"
	fi
}

make_in()
{
	local dir=$1
	shift
	unprivileged_job make -s -C "$base/$dir" PG_CONFIG="$pg_config" "$@"
}

# Puts the extension built in $base/$1 where only servers of ours look, and
# sets server_conf to the settings that make them look there.  What follows $1
# is for make, as when the extension was built.
install_private()
{
	local dir=$1 inst=$base/inst paths as=
	shift
	case $extension_setting in
		extension_destdir) paths="'$inst'" ;;
		extension_control_path) paths="'$inst$sharedir:\$system'" ;;
		*)
			server_conf=
			[ -w "$libdir" ] || as=as_root
			$as make -s -C "$base/$dir" PG_CONFIG="$pg_config" "$@" install
			return
			;;
	esac
	server_conf="$extension_setting = $paths
dynamic_library_path = '$inst$libdir:\$libdir'"
	make_in "$dir" "$@" install DESTDIR="$inst"
}
