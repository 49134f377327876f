# shellcheck shell=bash disable=SC2034,SC2154
# The steps of ./test that are no test files, to be sourced by it: building, checks
# of the sources, and what is looked at when the tests are over.

# --- building --------------------------------------------------------------

# Bitcode is for JIT compilation, which no test looks at.
build_options=(COPT=-Werror with_llvm=no)
server_options=()
[ -z "$mode" ] || . "$tree/scripts/$mode.sh"

build_gcc()
{
	make_in src -j"$(nproc)" "${build_options[@]}" &&
		install_private src "${build_options[@]}"
}

# As its tests want it, too; what make has built already is the ordinary one.
build_gateway()
{
	make_in src/gateway COPT=-Werror all sanitized
}

# The packages of the samples, by whoever calls us and with his settings.
fetch_clients()
{
	local version
	for version in 2.x 3.x; do
		(cd "$base/src/examples/clients/$version" &&
			timeout 300 npm install --ignore-scripts --no-package-lock --no-audit \
				--no-fund --loglevel=error --fetch-retries=1) || return
	done
	[ "$(id -u)" != 0 ] || chown -R "$user" "$base/src/examples/clients"
}

fuzz_gateway()
{
	make_in src/gateway fuzz CLANG="$clang" &&
		unprivileged_job timeout 120 "$base/src/gateway/fuzz_target" -max_total_time=10 \
			-dict="$base/src/gateway/fuzz_target.dict" -artifact_prefix="$base/log/"
}

# The parser alone, which calls nothing of the server.
fuzz_cron()
{
	local src=$base/src
	unprivileged_job "$clang" -std=gnu11 -O1 -g -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -Wall -Werror -Wno-sign-compare \
		-isystem "$("$pg_config" --includedir-server)" -I "$src/src" \
		-o "$src/fuzz_cron" "$src/t/fuzz/cron.c" "$src/src/base/cron_parse.c" &&
		unprivileged_job timeout 120 "$src/fuzz_cron" -max_total_time=10 -max_len=200 \
			-dict="$src/t/fuzz/cron.dict" -artifact_prefix="$base/log/"
}

# The server's flags are meant for gcc.
clang_options='-Wno-unknown-warning-option -Wno-ignored-optimization-argument -Wno-unused-command-line-argument'

# Compiles only.
build_clang()
{
	copy_tree clang &&
		make_in clang -j"$(nproc)" CC="$clang" with_llvm=no \
			COPT="-Werror $clang_options"
}

# Always: which way the includes of src/ run, and what its map names.  A file and its
# header count as one; tsort fails where they go in a circle.  What differs between the
# versions of PostgreSQL stands in one header; 18 has no pg_attribute_noreturn().
layers()
(
	pairs=$base/log/layers.pairs
	cd "$base/src/src" &&
		! grep -rnE 'PG_VERSION_NUM|pg_attribute_noreturn' --include='*.[ch]' --exclude=compat.h . &&
		mapfile -t files < <(find . -name '*.[ch]' -printf '%P\n' | LC_ALL=C sort) &&
		awk -v pairs="$pairs" -f "$tree/scripts/layers.awk" README.md \
			../docs/architecture.md "${files[@]}" &&
		tsort "$pairs" >/dev/null
)

# --- what the servers said, and what is left -------------------------------

# Statements that were logged, and the continuation lines of messages, are not
# the server's own words.  Crashes that tests provoke are by signal 9.  That the
# init file cannot be written is what PostgreSQL says, with XX000, when a test
# has filled the disk.  Of a function that is dropped between its look-up and its
# call it says, in any session, that its cache lookup failed: the test of restore
# drops all functions while instances run.
search_logs()
{
	local bad='TRAP:|PANIC|reference leak|snapshot .* still active|buffer refcount leak|leaked|XX000|runtime error:'
	local crash='terminated by signal ([1-8]|1[0-9]):'
	local files
	mapfile -t files < <(find "$base/log" "$base/src/tmp_check/log" -name '*.log' 2>/dev/null)
	if [ ${#files[@]} -eq 0 ]; then
		[ -z "$servers_ran" ] || echo "no server has left a log"
		[ -z "$servers_ran" ]
		return
	fi
	# the test of poison makes processes crash
	! awk -v bad="$bad" -v crash="$crash" '
		/^\t/ || /STATEMENT:  / || /FATAL:  could not write init file$/ || /LOG:  (statement|execute [^:]*|duration): / { next }
		/ failed: XX000: cache lookup failed for function [0-9]+$/ && FILENAME ~ /052_restore/ { next }
		$0 ~ bad || $0 ~ crash && FILENAME !~ /_poison/ {
			print FILENAME ": " $0; found = 1
		}
		END { exit !found }' "${files[@]}"
}

# Shared memory of the tests' user that nobody has mapped any more.
unused_shared_memory()
{
	local file
	find /dev/shm -maxdepth 1 -name 'PostgreSQL.*' -user "$user" \
		-newer "$base/start" 2>/dev/null | while IFS= read -r file; do
		grep -qs -- "$file" /proc/[0-9]*/maps || [ ! -e "$file" ] || echo "$file"
	done
}

# The tests stop the servers they start and remove the files they make; those
# that failed keep their files, for us to show, and may not have stopped a server
# in good order.
nothing_left()
{
	local left pid
	left=$(for pid in $(own_processes); do
		echo "process $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
	done
	[ "$failed" -gt 0 ] || { unused_shared_memory; find "$base/tmp" -mindepth 1; })
	[ -z "$left" ] || { echo "$left"; return 1; }
}
