# shellcheck shell=bash disable=SC2154
# What ./test does in roots that scripts/root.sh makes, to be sourced by it.

# --- ./test fresh ----------------------------------------------------------
#
# ./demo and ./test core_race on machines that have next to nothing.  On each, a
# user without sudo, a user with sudo, and root do it; scripts/fresh_machine.sh is
# what they do.

# The step, and what scripts/root.sh calls the machine.  "server" is one that has
# a PostgreSQL server but not what extensions are built with.
declare -A fresh_machines=(
	[fresh_bookworm]=bookworm
	[fresh_bookworm_server]=bookworm+server
	[fresh_trixie]=trixie
	[fresh_trixie_server]=trixie+server
	[fresh_forky]=forky
)
fresh_steps=(fresh_bookworm_server fresh_bookworm fresh_trixie_server fresh_trixie fresh_forky)

# A run of all tests takes the machine that most readers have, with the user who
# needs most.
usual_fresh_steps=(fresh_bookworm_server)

run_fresh()
{
	local machine=$1 user_kind
	shift
	for user_kind; do
		group_job as_root "$tree/scripts/root.sh" "$machine$([ "$user_kind" != sudo ] || echo +sudo)" \
			scripts/fresh_machine.sh "$user_kind" || return
	done
}

run_fresh_steps()
{
	local step reason users=(plain)
	[ ${#names[@]} -eq 0 ] && [ -z "$test_all" ] || users=(plain sudo root)
	for step; do
		if reason=$(can_be_root || echo "it needs root or sudo") && [ -z "$reason" ] &&
			reason=$(as_root "$tree/scripts/root.sh" --check 2>&1); then
			check "$step" run_fresh "${fresh_machines[$step]}" "${users[@]}" &&
				sed -n 's/^# measured: //p' "$base/log/$step.out" | indented
		else
			report skipped "$step" "$reason"
			skipped=$((skipped + 1))
		fi
	done
}

# --- ./test --pg -----------------------------------------------------------

# Runs ./test with these arguments where that major is.
run_in_major()
{
	local suite given wanted='' major=$1
	shift
	case $major in
		15) suite=bookworm ;;
		17) suite=trixie ;;
		18) suite=forky ;;
		19) suite=experimental wanted=19 ;;
		14 | 16) die "no suite of Debian has PostgreSQL $major; PG_CONFIG may name a server that is here" ;;
		*) die "--pg $major: the majors are 15, 17, 18 and 19" ;;
	esac
	can_be_root || die "--pg needs root or sudo, to make a root of its own"
	pg_config='' major=''
	install_missing debootstrap
	mapfile -d '' -t given < <(set_ones ROOTS CI TIMEOUT SERVER_SETTINGS "${settings[@]}")
	group_job as_root env "${given[@]}" "$tree/scripts/root.sh" \
		"$suite+tests${wanted:+=$wanted}" ./test "$@"
}
