# shellcheck shell=bash disable=SC2154
# ./test packages, to be sourced by ./test: the Debian packages of debian/ are
# built on one machine, and installed, used, upgraded from 1.0 and purged on
# others, made by scripts/root.sh.  scripts/package_machine.sh is what happens
# there.

# The step, and the suite
declare -A package_suites=([packages]=bookworm [packages_trixie]=trixie)
package_steps=(packages packages_trixie)

build_and_install()
{
	local suite=$1 version action
	version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" "$tree/durable_singleton.control")
	mkdir -p "$base/packages/$suite"
	on_machine()
	{
		group_job as_root env SHARED="$base/packages/$suite" "$tree/scripts/root.sh" \
			"$suite+$1" scripts/package_machine.sh "$2" "$3"
	}
	on_machine packaging build "$version" || return
	on_machine server fresh "$version" || return
	on_machine server service "$version" || { cat "$base/packages/$suite/service.out"; return 1; }
	cat "$base/packages/$suite/service.out" 2>/dev/null
	if ! release_source 1.0 >/dev/null 2>&1; then
		echo "# measured: no upgrade: the source of release 1.0 is not here"
		return 0
	fi
	on_machine packaging build 1.0 &&
		on_machine server upgrade "$version"
}

run_package_steps()
{
	local step reason
	for step; do
		if reason=$(can_be_root || echo "it needs root or sudo") && [ -z "$reason" ] &&
			reason=$(as_root "$tree/scripts/root.sh" --check 2>&1); then
			check "$step" build_and_install "${package_suites[$step]}" &&
				sed -n 's/^# measured: //p; s/^measured: //p; s/^package: //p; s/^[EW]: /lintian &/p' \
					"$base/log/$step.out" | indented
		else
			report skipped "$step" "$reason"
			skipped=$((skipped + 1))
		fi
	done
}
