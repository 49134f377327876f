# shellcheck shell=bash
# Installs the peers into a private directory: packages with npm, with a private Node
# if the system's is too old, and pg_cron with apt.  Nothing is installed on the
# system.  The section reports missing peers.
#
# To be sourced; uses say, has_package, refresh_packages and $major of
# scripts/lib.sh.

# graphile-worker 0.18 requires the newest Node.
new_enough_node()
{
	node -e 'const [a, b] = process.versions.node.split(".").map(Number)
		process.exit(a > 22 || (a === 22 && b >= 18) ? 0 : 1)' 2>/dev/null
}

fetch_packages()
{
	local options=(--ignore-scripts --no-package-lock --no-audit --no-fund
		--loglevel=error --fetch-retries=1) out
	if ! type -P npm >/dev/null; then
		echo "npm is not installed"
		return 1
	fi
	# The optional packages are only Node.
	! new_enough_node || options+=(--omit=optional)
	out=$(cd "$1" && npm install "${options[@]}" 2>&1) || {
		printf '%s\n' "$out"
		grep -m 1 'npm error' <<<"$out"     # what follows is where its log is
		return 1
	}
}

# Debian's package, unpacked but not installed: a setting gives a server its path.
fetch_pg_cron()
{
	local package=postgresql-${major:-none}-cron
	has_package "$package" || refresh_packages
	mkdir "$1/pg_cron"
	(cd "$1/pg_cron" && apt-get -q download "$package" 2>&1 &&
		dpkg -x ./*.deb . && rm -f ./*.deb)
}

fetch_absurd_sql()
{
	if [ -z "${ABSURD_SQL:-}" ]; then
		echo "its npm package lacks the SQL schema: name sql/absurd.sql of a checkout in ABSURD_SQL"
		return 1
	fi
	cp -- "$ABSURD_SQL" "$1/absurd.sql" 2>&1
}

# If a peer could not be installed, the last line of NAME.missing is the reason.
install_peers()
{
	local what
	for what in packages pg_cron absurd_sql; do
		if "fetch_$what" "$1" >"$1/$what.missing"; then
			rm -f "$1/$what.missing"
		else
			say "$what: $(tail -n 1 "$1/$what.missing")"
		fi
	done
	[ ! -e "$1/packages.missing" ]
}
