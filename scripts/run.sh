# shellcheck shell=bash disable=SC2034,SC2154
# Running the tests and reporting, to be sourced by ./test.  pg_regress and
# pg_isolation_regress run their suites and say by their exit status whether a suite
# has passed; scripts/run_tap.pl runs the TAP files by prove's own TAP::Harness.

# --- results ---------------------------------------------------------------

passed=0
failed=0
skipped=0
failures=()

# report ok|FAILED|skipped NAME DETAIL
report()
{
	printf '%-8s%-52s%s\n' "$1" "$2" "$3"
	[ "$1" != FAILED ] || failures+=("$2")
}

indented()
{
	sed 's/^/    /'
}

seconds()
{
	local us=$(( (${EPOCHREALTIME//[!0-9]/} - $1) / 1000 ))
	printf '%d.%d s' $((us / 1000)) $((us % 1000 / 100))
}

now()
{
	echo "${EPOCHREALTIME//[!0-9]/}"
}

# check NAME COMMAND...: one step, output shown if it fails
check()
{
	local name=$1 start out
	shift
	start=$(now)
	out=$base/log/$name.out
	if "$@" >"$out" 2>&1; then
		report ok "$name" "$(seconds "$start")"
		passed=$((passed + 1))
	else
		report FAILED "$name" "$(seconds "$start")"
		failed=$((failed + 1))
		tail -n 100 "$out" | indented
		return 1
	fi
}

finish()
{
	[ ${#failures[@]} -eq 0 ] || say "failed: ${failures[*]}"
	say "$passed passed, $failed failed$([ $skipped -eq 0 ] || echo ", $skipped skipped")"
	[ $failed -eq 0 ]
	exit
}

# --- pg_regress and pg_isolation_regress -----------------------------------

time_limit=${TIMEOUT:-1800}

# True once a test has passed that needs a server.
servers_ran=

# run_suite regress|isolation FILE...
run_suite()
{
	local kind=$1 file list='' variables out dir start status=0
	shift
	[ $# -gt 0 ] || return 0
	for file; do
		file=${file##*/}
		list+=" ${file%.*}"
	done
	if [ "$kind" = regress ]; then
		variables=("REGRESS=$list" ISOLATION= TAP_TESTS=) dir=$base/src
	else
		variables=(REGRESS= "ISOLATION=$list" TAP_TESTS=) dir=$base/src/output_iso
	fi
	out=$base/log/$kind.out
	start=$(now)
	cp "$base/$kind.conf" "$base/src/test.conf"
	unprivileged_job timeout -k 30 "$time_limit" make -s -C "$base/src" \
		PG_CONFIG="$pg_config" "${server_options[@]}" installcheck "${variables[@]}" \
		>"$out" 2>&1 || status=$?
	if [ $status -eq 0 ]; then
		servers_ran=yes
		passed=$((passed + $#))
		report ok "$kind" "$# passed, $(seconds "$start")"
		return
	fi
	failed=$((failed + 1))
	report FAILED "$kind" "exit status $status, $(seconds "$start")"
	[ $status -ne 124 ] || say "    stopped after $time_limit seconds"
	indented <"$out"
	show_files "$dir/regression.diffs" "$dir/log/postmaster.log" "$base/log/$kind.log"
}

# The differences in full length, of logs the end.
show_files()
{
	local file
	for file; do
		[ -s "$file" ] || continue
		say "    --- ${file#"$base"/}"
		case $file in
			*.diffs) head -n 500 "$file" ;;
			*) tail -n 40 "$file" ;;
		esac | indented
	done
}

# --- TAP -------------------------------------------------------------------

# All files in one go.  A line each is written to our output as they end, and the
# numbers at the end to a file: passed, failed, skipped, and the files that failed.
run_tap()
{
	local counts=$base/log/tap.counts good bad skip names
	[ $# -gt 0 ] || return 0
	unprivileged_job env TEMP_CONFIG="$base/tap.conf" make -s -C "$base/src" \
		PG_CONFIG="$pg_config" "${server_options[@]}" installcheck REGRESS= ISOLATION= \
		PROVE="perl scripts/run_tap.pl" PROVE_FLAGS="--log=$base/log --limit=$time_limit" \
		PROVE_TESTS="$*" 3>&1 >"$base/log/tap.out" 2>"$base/log/tap.err"
	if read -r good bad skip names <"$counts"; then
		[ "$good" -eq 0 ] || servers_ran=yes
		passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + skip))
		# shellcheck disable=SC2206
		failures+=($names)
	else
		failed=$((failed + 1))
		report FAILED tap "it did not come to an end"
		show_files "$base/log/tap.out" "$base/log/tap.err"
	fi
}
