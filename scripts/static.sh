# shellcheck shell=bash disable=SC2154
# ./test --static, to be sourced by ./test: the format of src/ (scripts/format),
# and cppcheck, clang-tidy and scan-build over src/ and gateway/.  Any finding
# fails the run.  The headers of the server, of libpq and of libmicrohttpd are
# system headers: findings in them are not shown.

# What it knows of mmap() is wrong: with MAP_ANONYMOUS the file is -1.  Of a
# macro that is the argument of another one it thinks that the comma in it
# separates arguments.
run_cppcheck()
{
	unprivileged_job cppcheck --quiet --error-exitcode=1 --inline-suppr \
		-j"$(nproc)" --std=c11 --enable=warning,performance,portability \
		'--suppress=invalidFunctionArg:*/crash_notes.c' \
		'--suppress=preprocessorErrorDirective:*/table_form.c' \
		--library=posix --library="$base/src/scripts/cppcheck.cfg" \
		-D__GNUC__ -I"$base/src/src" \
		"$base/src/src" "$base/src/gateway"
}

# Its flags are in compile_flags.txt beside the sources, its checks and why some
# are left out in .clang-tidy.
run_clang_tidy()
{
	local include=-isystem
	printf '%s\n' -D_GNU_SOURCE -std=gnu11 '-DDS_VERSION="0"' $include \
		"$("$pg_config" --includedir-server)" -I. >"$base/src/src/compile_flags.txt"
	printf '%s\n' -D_GNU_SOURCE -std=gnu11 '-DGW_VERSION="0"' $include \
		"$("$pg_config" --includedir)" >"$base/src/gateway/compile_flags.txt"
	unprivileged_job sh -c 'find "$1"/src "$1"/gateway -name "*.c" -print0 |
		xargs -0 -n 1 -P "$2" clang-tidy --quiet' sh "$base/src" "$(nproc)"
}

run_scan_build()
{
	copy_tree scan &&
		unprivileged_job scan-build --status-bugs -o "$base/log/scan" \
			sh -c 'make -s -C "$1" PG_CONFIG="$2" CC="$CC" with_llvm=no COPT="$3"' sh \
			"$base/scan" "$pg_config" "$clang_options"
}

check_statically()
{
	check format unprivileged_job "$base/src/scripts/format" --check
	check cppcheck run_cppcheck
	check clang_tidy run_clang_tidy
	check scan_build run_scan_build
}
