#!/bin/bash
# Does what a newcomer does on a fresh machine: ./demo, then ./test core_race.
# Run as root by scripts/root.sh, in the root that is the fresh machine and in a
# copy of the tree that belongs to the user ada.
#
#   fresh_machine.sh root    root does it
#   fresh_machine.sh sudo    ada does it, who may use sudo
#   fresh_machine.sh plain   ada does it, who may not: each command has to name
#                            what the administrator is to run, before it builds
#                            anything, and works after that
set -u

kind=$1
measured=
out=$(mktemp)

failed()
{
	echo "FAILED: $*"
	cat "$out"
	exit 1
}

# as_user COMMAND: its output goes to $out
as_user()
{
	if [ "$kind" = root ]; then
		bash -c "$1"
	else
		runuser -u ada -- env HOME=/home/ada bash -c "$1"
	fi >"$out" 2>&1 </dev/null
}

# timed WHAT COMMAND...
timed()
{
	local what=$1 start=${EPOCHREALTIME//[!0-9]/} status=0
	shift
	"$@" || status=$?
	measured+="${measured:+, }$what $(((${EPOCHREALTIME//[!0-9]/} - start) / 100000)) s"
	# tenths of seconds
	measured=$(sed 's/\([0-9]\) s$/.\1 s/; s/ \.\([0-9]\) s$/ 0.\1 s/' <<<"$measured")
	return $status
}

# A command that has to be refused: one message, with the one command for the
# administrator, which is then run.  The packages of the first command may have all
# that a later one needs, as in suites whose server brings IPC::Run; that one passes.
refused()
{
	local command=$1 advice
	touch "$out.before"
	if timed "$command" as_user "$command"; then
		[ "${2:-}" = perhaps ] || failed "$command needed no packages"
		return
	fi
	measured+=' (refused)'
	advice=$(sed -n 's/^    \(apt-get update && apt-get install .*\)/\1/p' "$out")
	[ "$(grep -c . <<<"$advice")" = 1 ] || failed "$command names no command for the administrator"
	[ "$(grep -cE "^[a-z]+: " "$out")" = 1 ] || failed "$command has more than one message"
	[ -z "$(find . -newer "$out.before" -type f; find /tmp /var/tmp -mindepth 1 -user ada)" ] ||
		failed "$command left files behind"
	cat "$out"
	timed packages bash -c "yes | { $advice; }" >"$out" 2>&1 || failed "$advice"
}

# installing COMMAND: it says what it installs and why, and works
installing()
{
	timed "$1 with packages" as_user "$1" || failed "$1"
	grep -q '^This machine lacks packages' "$out" || [ "${2:-}" = perhaps ] || failed "$1 did not say what it installs"
	sed -n '/^This machine lacks/,/^[^ T]/p' "$out"
}

passes()
{
	timed "$1" as_user "$1" || failed "$1"
	if grep -q '^This machine lacks packages' "$out"; then
		failed "$1 installed packages once more"
	fi
}

if [ "$kind" = plain ]; then
	refused ./demo
	passes ./demo
	refused "./test core_race" perhaps
	passes "./test core_race"
else
	installing ./demo
	passes ./demo
	installing "./test core_race" perhaps
	passes "./test core_race"
fi
# packages may leave files of their own there
left=$(find /tmp /var/tmp -mindepth 1 \( -name 'durable_singleton*' -o -name 'tmp.*' \) -not -path "$out*")
[ -z "$left" ] || failed "files are left: $left"
echo "# measured: as $kind: $measured"
rm -f "$out" "$out.before"
