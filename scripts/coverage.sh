# shellcheck shell=bash disable=SC2034,SC2154
# ./test --coverage, to be sourced by ./test: the extension is built for gcov,
# and at the end Debian's gcovr says which lines of src/ the tests have run.
#
# Each server process adds its counters to the files beside the objects when it
# ends by proc_exit().  Those that are killed or crash, as some tests want it,
# add nothing, so the figures are a lower bound.

coverage_wanted=90

# -Og and no inlining: lines stay what they are in the source, and the tests of
# speed can still pass.
build_options=(COPT='-Og -fno-inline --coverage -Wno-clobbered' with_llvm=no)

# The figure of the whole suite has to reach $coverage_wanted; that of single
# tests is only shown.
measure_coverage()
{
	local limit=()
	[ ${#names[@]} -gt 0 ] || limit=(--fail-under-line "$coverage_wanted")
	unprivileged_job gcovr --root "$base/src" --filter src/ \
		--gcov-ignore-parse-errors "${limit[@]}" --txt "$base/log/coverage.txt" \
		"$base/src/src"
}

show_coverage()
{
	say
	cat "$base/log/coverage.txt"
}
