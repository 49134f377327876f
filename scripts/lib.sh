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

# --- the server ------------------------------------------------------------

debian_root=/usr/lib/postgresql

# Highest installed major (15 or newer) that has this file.
newest_with()
{
	local dir
	for dir in "$debian_root"/*; do
		[ -e "$dir/$1" ] && [[ ${dir##*/} =~ ^[0-9]+$ ]] &&
			[ "${dir##*/}" -ge 15 ] && echo "${dir##*/}"
	done | sort -n | tail -n 1
}

pgxs_file=lib/pgxs/src/makefiles/pgxs.mk

# Sets pg_config and, where the server comes from Debian, major.  An installed
# server that extensions can be built for comes first, then any installed
# server, then the one this Debian has.
choose_server()
{
	major=
	if [ -n "${PG_CONFIG:-}" ]; then
		pg_config=$PG_CONFIG
		if [[ $pg_config == "$debian_root"/*/bin/pg_config ]]; then
			major=${pg_config#"$debian_root"/}
			major=${major%%/*}
		else
			pg_config=$(type -P "$pg_config") ||
				die "PG_CONFIG=$PG_CONFIG: no such program"
		fi
		return
	fi
	major=$(newest_with "$pgxs_file")
	[ -n "$major" ] || major=$(newest_with bin/postgres)
	if [ -z "$major" ]; then
		# Without package lists apt does not know; they are needed anyway.
		has_package postgresql || refresh_packages
		major=$(apt-cache depends postgresql 2>/dev/null |
			sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1)
		[ -n "$major" ] || major=15
	fi
	pg_config=$debian_root/$major/bin/pg_config
}

# Sets bindir, libdir, sharedir, version and extension_setting; the server is
# installed by now.
describe_server()
{
	[ -x "$pg_config" ] || die "$pg_config is missing"
	bindir=$("$pg_config" --bindir)
	libdir=$("$pg_config" --pkglibdir)
	sharedir=$("$pg_config" --sharedir)
	version=$("$pg_config" --version)
	version=${version#PostgreSQL }
	version=${version%% *}
	[[ $version =~ ^[0-9]+ ]] && [ "${BASH_REMATCH[0]}" -ge 15 ] ||
		die "PostgreSQL $version: durable_singleton needs 15 or newer"
	[ -x "$bindir/postgres" ] || die "no server program in $bindir"
	[ -e "$("$pg_config" --pgxs)" ] ||
		die "the server's build files (pgxs) are missing for $pg_config"

	# Debian's servers have the first of these, all servers from 18 the second.
	for extension_setting in extension_destdir extension_control_path ''; do
		grep -q "${extension_setting:-.}" "$bindir/postgres" && break
	done
	[ -n "$extension_setting" ] ||
		say "this server has extensions only in $libdir: installing there"
}

# --- packages --------------------------------------------------------------

has_package()
{
	[[ $(apt-cache policy "$1" 2>/dev/null) == *"Candidate: "[!\(]* ]]
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo -n "$@"
	fi
}

can_be_root()
{
	[ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null
}

apt_get()
{
	as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
		apt-get -q -y -o Dpkg::Use-Pty=0 "$@" </dev/null
}

refresh_packages()
{
	[ -z "${refreshed:-}" ] || return 0
	refreshed=yes
	type -P apt-get >/dev/null && can_be_root || return 0
	local out
	say "apt-get update"
	out=$(apt_get update 2>&1) ||
		printf 'apt-get update failed, going on with the lists that are there:\n%s\n' "$out" >&2
}

# The command line tools among these that are missing.
missing_tools()
{
	local tool
	for tool; do
		type -P "$tool" >/dev/null || echo "$tool"
	done
}

# What is missing, as Debian packages.  Arguments: ipc_run if TAP tests are
# wanted, gateway if the HTTP gateway is, and its tests; coverage, static and
# valgrind for what these options of ./test run.
missing_packages()
{
	type -P make >/dev/null || echo make
	type -P gcc >/dev/null || echo gcc
	[ -e /usr/include/stdio.h ] || echo libc6-dev
	if [ -n "$major" ]; then
		[ -x "$debian_root/$major/bin/postgres" ] || echo "postgresql-$major"
		[ -e "$debian_root/$major/$pgxs_file" ] || echo "postgresql-server-dev-$major"
	fi
	if [[ " $* " == *" gateway "* ]]; then
		[ -e /usr/include/microhttpd.h ] || echo libmicrohttpd-dev
		[ -e "$("$pg_config" --includedir 2>/dev/null)/libpq-fe.h" ] ||
			[ -e /usr/include/postgresql/libpq-fe.h ] || echo libpq-dev
		missing_tools curl wrk npm
		type -P node >/dev/null || echo nodejs
	fi
	[[ " $* " != *" coverage "* ]] || missing_tools gcovr
	[[ " $* " != *" valgrind "* ]] || missing_tools valgrind
	if [[ " $* " == *" static "* ]]; then
		missing_tools cppcheck clang-tidy
		type -P scan-build >/dev/null || echo clang-tools
	fi
	if [[ " $* " == *" ipc_run "* ]]; then
		perl -MIPC::Run -e 1 2>/dev/null || echo libipc-run-perl
		type -P prove >/dev/null || echo perl
	fi
}

install_missing()
{
	local packages package
	mapfile -t packages < <(missing_packages "$@")
	[ ${#packages[@]} -gt 0 ] || return 0

	type -P apt-get >/dev/null ||
		die "missing: ${packages[*]} (Debian's names), and this machine has no apt-get"
	can_be_root ||
		die "missing: ${packages[*]}
Only root can install them.  Run this first:
    apt-get update && apt-get install --no-install-recommends ${packages[*]}"

	say "installing: ${packages[*]}"
	for package in "${packages[@]}"; do
		has_package "$package" || { refresh_packages; break; }
	done
	# Stale lists name versions that the mirror no longer has.
	install_packages "${packages[@]}" || {
		refresh_packages
		install_packages "${packages[@]}"
	} || die "installing failed: $(tail -n 5 "$apt_log")"
	rm -f "$apt_log"
	mapfile -t packages < <(missing_packages "$@")
	[ ${#packages[@]} -eq 0 ] || die "still missing: ${packages[*]}"
}

# A new server package would make a cluster "main" and start it.  Nobody asked
# for that one, so it is switched off while we install.
install_packages()
{
	local common=/etc/postgresql-common status=0
	local no_main=$common/createcluster.d/durable_singleton_no_main.conf
	apt_log=$(mktemp)
	if [[ " $* " == *" postgresql-"* ]]; then
		apt_get install --no-install-recommends postgresql-common \
			>"$apt_log" 2>&1 || return
		as_root mkdir -p "$common/createcluster.d"
		echo 'create_main_cluster = false' | as_root tee "$no_main" >/dev/null
	fi
	apt_get install --no-install-recommends "$@" >"$apt_log" 2>&1 || status=$?
	[[ " $* " != *" postgresql-"* ]] || as_root rm -f "$no_main"
	return $status
}

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
	# The names of sockets below it must stay short.
	[ ${#parent} -le 40 ] || parent=/tmp
	base=$(mktemp -d "$parent/durable_singleton.XXXXXX") ||
		die "cannot make a directory in $parent"
	mkdir -m 700 "$base/home" "$base/tmp" "$base/log"
	[ "$(id -u)" != 0 ] || chown -R "$user" "$base"
	unprivileged test -w "$base" ||
		die "user $user cannot reach $base: set TMPDIR to a directory it can"
	trap remove_base EXIT
	trap 'interrupted 130' INT
	trap 'interrupted 143' TERM HUP
}

# Not empty: the tests run at full length.
test_all=

# Not empty: which of ./test's ways to look for mistakes they run in.
mode=

# Runs a command as the unprivileged user in an environment of its own, so that
# no PGHOST or psqlrc of the caller has a say.
unprivileged()
{
	local prefix=()
	[ "$(id -u)" != 0 ] || prefix=(setpriv --reuid="$user" --regid="$(id -g "$user")"
		--init-groups --)
	"${prefix[@]}" env -i -C "$base" \
		PATH="${bindir:+$bindir:}/usr/local/bin:/usr/bin:/bin" \
		HOME="$base/home" TMPDIR="$base/tmp" LANG=C.UTF-8 LC_MESSAGES=C \
		SHELL=/bin/sh USER="$user" LOGNAME="$user" \
		${HTTP_LOAD_SECONDS:+HTTP_LOAD_SECONDS="$HTTP_LOAD_SECONDS"} \
		${MODEL_SEED:+MODEL_SEED="$MODEL_SEED"} \
		${MODEL_SEQUENCES:+MODEL_SEQUENCES="$MODEL_SEQUENCES"} \
		${FUZZ_SEED:+FUZZ_SEED="$FUZZ_SEED"} \
		${FUZZ_SECONDS:+FUZZ_SECONDS="$FUZZ_SECONDS"} \
		${TORTURE_SEED:+TORTURE_SEED="$TORTURE_SEED"} \
		${TORTURE_SECONDS:+TORTURE_SECONDS="$TORTURE_SECONDS"} \
		${test_all:+TEST_ALL="$test_all"} \
		${mode:+TEST_MODE="$mode"} "$@" </dev/null
}

# The same in a process group of its own, in the background, so that an
# interrupt of the script reaches the trap at once and ends the whole group.
job=
unprivileged_job()
{
	local status=0
	set -m
	unprivileged "$@" &
	job=$!
	set +m
	wait "$job" || status=$?
	job=
	return $status
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

copy_tree()
{
	mkdir "$base/$1"
	tar -C "$tree" -c --exclude=./.git --exclude='*.o' --exclude='*.bc' \
		--exclude='*.so' --exclude=./results --exclude=./output_iso \
		--exclude=node_modules --exclude=./gateway/durable-singleton-http \
		--exclude='*-sanitized' --exclude='./tmp_*' --exclude='./regression.*' --exclude=./log . |
		tar -x -C "$base/$1" --no-same-owner
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
