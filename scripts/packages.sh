# shellcheck shell=bash disable=SC2034
# Which server ./test, ./demo and bench/bench use, what of their needs this
# machine lacks, and installing that.  To be sourced by scripts/lib.sh.
#
# Each need is asked for by itself: the header, module or program that is used,
# never another file of the package that happens to bring it.  Debian's
# postgresql-client-NN, for one, has pg_config, pgxs.mk and the Perl modules of
# the TAP tests, but not the headers.

debian_root=/usr/lib/postgresql
oldest_major=15

# --- the server ------------------------------------------------------------

# Highest installed major that has a server, and whose $1 passes.
newest_installed()
{
	local dir major
	for dir in "$debian_root"/*; do
		major=${dir##*/}
		[ -x "$dir/bin/postgres" ] && [[ $major =~ ^[0-9]+$ ]] &&
			[ "$major" -ge "$oldest_major" ] && "$1" "$major" && echo "$major"
	done | sort -n | tail -n 1
}

has_headers()
{
	local config=$debian_root/$1/bin/pg_config
	[ -x "$config" ] && [ -e "$("$config" --includedir-server)/postgres.h" ]
}

can_have_headers()
{
	has_package "postgresql-server-dev-$1"
}

# Sets major to the one that this Debian has.  An ordinary user whose machine has
# no package lists yet gets lists of their own for this question.
find_packaged_major()
{
	local options=() lists=''
	if ! has_package postgresql; then
		if can_be_root; then
			refresh_packages
		elif lists=$(mktemp -d); then
			mkdir -p "$lists/lists/partial" "$lists/cache/archives/partial"
			options=(-o "Dir::State::Lists=$lists/lists" -o "Dir::Cache=$lists/cache")
			apt-get -qq "${options[@]}" update >/dev/null 2>&1 </dev/null
		fi
	fi
	major=$(apt-cache "${options[@]}" depends postgresql 2>/dev/null |
		sed -n 's/.*Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1)
	[ -z "$lists" ] || rm -rf "$lists"
}

# Sets pg_config and, where the server comes from Debian's packages, major.  An
# installed server that extensions can be built for comes first, then one whose
# headers can be installed, then any, then the one this Debian has.
choose_server()
{
	local dir
	major=
	if [ -n "${PG_CONFIG:-}" ]; then
		pg_config=$(type -P "$PG_CONFIG") || {
			[[ $PG_CONFIG =~ ^$debian_root/([0-9]+)/bin/pg_config$ ]] ||
				die "PG_CONFIG=$PG_CONFIG: no such program"
			pg_config=$PG_CONFIG
			major=${BASH_REMATCH[1]}
			return
		}
		pg_config=$(cd "$(dirname "$pg_config")" && pwd)/${pg_config##*/}
		# Debian's /usr/bin/pg_config asks the one of some major.
		dir=$("$pg_config" --bindir) || die "PG_CONFIG=$PG_CONFIG does not work"
		if [[ $dir =~ ^$debian_root/([0-9]+)/bin$ ]]; then
			major=${BASH_REMATCH[1]}
			pg_config=$dir/pg_config
		fi
		return
	fi
	major=$(newest_installed has_headers)
	[ -n "$major" ] || major=$(newest_installed can_have_headers)
	[ -n "$major" ] || major=$(newest_installed true)
	if [ -z "$major" ]; then
		type -P apt-get >/dev/null ||
			die "there is no server below $debian_root: name the pg_config of one in PG_CONFIG"
		find_packaged_major
		[ -n "$major" ] ||
			die "apt knows no package \"postgresql\": run \"apt-get update\" as root, or name the pg_config of a server in PG_CONFIG"
		[ "$major" -ge "$oldest_major" ] ||
			die "durable_singleton needs PostgreSQL $oldest_major or newer, and this Debian has $major.
The PostgreSQL project's apt repository has newer ones."
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
	[[ $version =~ ^[0-9]+ ]] && [ "${BASH_REMATCH[0]}" -ge "$oldest_major" ] ||
		die "PostgreSQL $version: durable_singleton needs $oldest_major or newer"

	# Debian's servers have the first of these, all servers from 18 the second.
	for extension_setting in extension_destdir extension_control_path ''; do
		grep -q "${extension_setting:-.}" "$bindir/postgres" && break
	done
	[ -n "$extension_setting" ] ||
		say "this server has extensions only in $libdir: installing there"
}

# --- what is missing -------------------------------------------------------

# need PACKAGE WHY COMMAND...: a line for the package, if the command fails.
# The package is Debian's; empty, if no package has it.
need()
{
	local package=$1 why=$2
	shift 2
	"$@" >/dev/null 2>&1 || printf '%s\t%s\n' "$package" "$why"
}

has_program()
{
	type -P "$1"
}

# has_header FILE [OPTION...]: the compiler finds it
has_header()
{
	local file=$1
	shift
	if type -P "$compiler"; then
		echo "#include <$file>" | "$compiler" "$@" -E -x c -
	else
		[ -e "/usr/include/$file" ]
	fi
}

# The compiler that the server's makefiles name, and the package that has it.
compiler_of_server()
{
	compiler=$("$pg_config" --cc 2>/dev/null)
	compiler=${compiler%% *}
	: "${compiler:=gcc}"
	case $compiler in
		*clang*) compiler_package=clang ;;
		*) compiler_package=gcc ;;
	esac
}

# The newest clang, by its name or path.
find_clang()
{
	type -P clang || printf '%s\n' /usr/bin/clang-[0-9]* | grep -v '[*]' | sort -V | tail -n 1
}

has_fuzzer()
{
	echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
		"$(find_clang)" -x c - -fsanitize=fuzzer -o /dev/null
}

# Where the package of a clang's libraries carries its version.
fuzzer_package()
{
	local version
	version=$("$(find_clang)" -dumpversion 2>/dev/null)
	echo "libclang-rt-${version:+${version%%.*}-}dev"
}

# What a whole run of ./test uses, in the words of missing().
test_needs=(build regress isolation tap pgbench gateway node npm curl wrk openssl clang fuzz
	plperl plpython3)

# What is missing, a line each: the Debian package, a tab, and what for.  The
# arguments say what is going to be done: always "build"; the tests' kinds
# regress, isolation, tap; "gateway", the programs that are used, by name; clang,
# fuzz, and what these options of ./test run: coverage, static, valgrind.  Anything
# else is a program, or the caller has a function of that name.
missing()
{
	local compiler compiler_package bindir pgxs server='' headers='' what
	compiler_of_server
	bindir=$("$pg_config" --bindir 2>/dev/null)
	[ -z "$major" ] || server=postgresql-$major headers=postgresql-server-dev-$major
	pgxs=$("$pg_config" --pgxs 2>/dev/null)
	pgxs=${pgxs%/src/makefiles/*}

	for what; do
		case $what in
			build)
				need "$server" "the server" test -x "$bindir/postgres"
				need make "runs the build" has_program make
				need "$compiler_package" "compiles the extension" has_program "$compiler"
				need libc6-dev "the C library's headers" has_header stdio.h
				need "$headers" "the server's headers, such as postgres.h" \
					test -e "$("$pg_config" --includedir-server 2>/dev/null)/postgres.h"
				need "$headers" "the server's makefiles, such as pgxs.mk" \
					test -e "$pgxs/src/makefiles/pgxs.mk"
				;;
			regress)
				need "$headers" "pg_regress, which runs the regression tests" \
					test -x "$pgxs/src/test/regress/pg_regress"
				;;
			isolation)
				need "$headers" "pg_isolation_regress, which runs the isolation tests" \
					test -x "$pgxs/src/test/isolation/pg_isolation_regress"
				;;
			tap)
				need "$headers" "PostgreSQL::Test::Cluster, for the TAP tests" \
					test -e "$pgxs/src/test/perl/PostgreSQL/Test/Cluster.pm"
				need perl "runs the TAP tests" perl -MTest::More -MTime::HiRes -MJSON::PP -MTAP::Harness -e 1
				need perl "prove, for the TAP tests" has_program prove
				need libipc-run-perl "a Perl module of the TAP tests" perl -MIPC::Run -e 1
				;;
			gateway)
				need libmicrohttpd-dev "the HTTP gateway's library" has_header microhttpd.h
				need "${major:+libpq-dev}" "libpq's headers, for the HTTP gateway" \
					has_header libpq-fe.h \
					"-I$("$pg_config" --includedir 2>/dev/null || echo /usr/include/postgresql)"
				;;
			pgbench) need "$server" "pgbench, for its clients" test -x "$bindir/pgbench" ;;
			clang) need clang "compiles the extension a second time" test -n "$(find_clang)" ;;
			fuzz)
				need clang "compiles the HTTP gateway's fuzz test" test -n "$(find_clang)"
				need "$(fuzzer_package)" "libFuzzer, for the HTTP gateway's fuzz test" has_fuzzer
				;;
			plperl | plpython3)
				# its test skips what a server without packages does not have
				[ -z "$major" ] || [ -e "$("$pg_config" --pkglibdir)/$what.so" ] ||
					! has_package "postgresql-$what-$major" ||
					need "postgresql-$what-$major" "a language, for a test of time-outs" false
				;;
			node) need nodejs "runs the Durable Functions clients" has_program node ;;
			npm) need npm "fetches the Durable Functions clients" has_program npm ;;
			static)
				need cppcheck "checks the sources" has_program cppcheck
				need clang-tidy "checks the sources" has_program clang-tidy
				need clang-tools "scan-build, which checks the sources" has_program scan-build
				need pg-bsd-indent "checks the format of the sources" has_program pg_bsd_indent
				;;
			sanitize) ;; # the compiler has it
			coverage) need gcovr "counts the lines that the tests run" has_program gcovr ;;
			*)
				if declare -F "missing_$what" >/dev/null; then
					"missing_$what"
				else
					need "$what" "for the tests" has_program "$what"
				fi
				;;
		esac
	done
}

# --- installing ------------------------------------------------------------

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

# Sets packages, and lacking to a text that says what each is for.
list_missing()
{
	local lines without
	lines=$(missing "$@")
	without=$(sed -n 's/^\t/    /p' <<<"$lines")
	[ -z "$without" ] || die "the server of $pg_config lacks:
$without"
	mapfile -t packages < <(cut -f 1 <<<"$lines" | grep . | awk '!seen[$0]++')
	# A package has its name in its first line only.
	lacking=$(awk -F '\t' '!seen[$0]++ {
		why[$1] = why[$1] sprintf("    %-26s %s\n", why[$1] == "" ? $1 : "", $2)
		if (!order[$1]++) names[++n] = $1
	}
	END { for (i = 1; i <= n; i++) printf "%s", why[names[i]] }' <<<"$lines")
}

# Installs what is missing, see missing(), and says so before.
install_missing()
{
	local packages lacking package apt_log
	list_missing "$@"
	[ ${#packages[@]} -gt 0 ] || return 0
	local command="apt-get install --no-install-recommends ${packages[*]}"

	type -P apt-get >/dev/null ||
		die "these are missing, by the names of Debian's packages, and this machine has no apt-get:
$lacking"
	can_be_root || die "this machine lacks packages that only root can install:
$lacking
Nothing was built.  The administrator runs this first:
    apt-get update && $command"

	say "This machine lacks packages, which are installed now:
$lacking"
	for package in "${packages[@]}"; do
		has_package "$package" || { refresh_packages; break; }
	done
	spare_running_servers "$command"
	apt_log=$(mktemp)
	# Stale lists name versions that the mirror no longer has.
	install_packages "${packages[@]}" || {
		refresh_packages
		spare_running_servers "$command"
		install_packages "${packages[@]}"
	} || die "installing failed: $(tail -n 5 "$apt_log")"
	rm -f "$apt_log"
	list_missing "$@"
	[ ${#packages[@]} -eq 0 ] || die "still missing:
$lacking"
}

# Headers may ask for the server's newest point release, and Debian restarts all
# clusters of a server that it upgrades.  That is for their administrator to do.
spare_running_servers()
{
	local upgrade running
	while IFS= read -r upgrade; do
		running=$(pg_lsclusters -h 2>/dev/null |
			awk -v major="$upgrade" '$1 == major && $4 ~ /^online/ { print $1 "/" $2 }')
		[ -z "$running" ] || die "apt would upgrade postgresql-$upgrade, too, and restart these clusters:
    ${running//$'\n'/ }
Nothing was installed.  To have it so, run this as root:
    $1"
	done < <(apt-get -s -o Debug::NoLocking=1 ${1#apt-get} 2>/dev/null |
		sed -n 's/^Inst postgresql-\([0-9][0-9]*\) \[.*/\1/p')
}

# A new server package would make a cluster "main" and start it.  The user has
# not asked for that one, so it is switched off while we install.
install_packages()
(
	common=/etc/postgresql-common
	no_main=$common/createcluster.d/durable_singleton_no_main.conf
	if [[ " $* " =~ \ postgresql-[0-9]+\  ]]; then
		apt_get install --no-install-recommends postgresql-common \
			>"$apt_log" 2>&1 || exit
		trap 'as_root rm -f "$no_main"' EXIT
		trap 'exit 130' INT TERM HUP
		as_root mkdir -p "$common/createcluster.d"
		echo 'create_main_cluster = false' | as_root tee "$no_main" >/dev/null
	fi
	apt_get install --no-install-recommends "$@" >"$apt_log" 2>&1
)
