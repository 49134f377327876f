#!/bin/bash
# What ./test packages does on each machine, as root; see scripts/debian.sh.
# Packages are exchanged by the directory $shared, a directory a version.
set -eu
action=$1
shared=/mnt
tree=$PWD
export DEBIAN_FRONTEND=noninteractive

say()
{
	printf '%s\n' "$*"
}

fail()
{
	say "FAILED: $*"
	exit 1
}

# expect WANTED COMMAND...: what the command prints
expect()
{
	local wanted=$1 got
	shift
	got=$("$@") || fail "$* failed: $got"
	[ "$got" = "$wanted" ] || fail "$*: got \"$got\", expected \"$wanted\""
}

# --- building --------------------------------------------------------------

# The source of 1.0 has no debian/: ours builds it, without the entries about
# later versions.
build()
{
	local version=$1 source=/home/ada/build-$1/durable-singleton-$1
	mkdir -p "$source" "$shared/$version"
	if [ "$version" = 1.0 ]; then
		tar -x -C "$source" -f ".releases/$version.tar"
		cp -r debian "$source"
		rm "$source/debian/NEWS"
		sed -i "/^durable-singleton ($version-/,\$!d" "$source/debian/changelog"
	else
		tar -c --exclude=./.releases . | tar -x -C "$source"
	fi
	chown -R ada: "/home/ada/build-$version"
	cd "$source"
	su ada -c 'pg_buildext updatecontrol && dpkg-buildpackage -us -uc -b' ||
		fail "dpkg-buildpackage of $version"
	if [ "$version" != 1.0 ]; then
		diff -u "$tree/debian/control" debian/control ||
			[ "$(. /etc/os-release && echo "$VERSION_CODENAME")" != bookworm ] ||
			fail "debian/control is not what pg_buildext makes of debian/control.in"
		lintian --version
		su ada -c 'lintian --allow-root --fail-on error --info ../*.changes' || fail "lintian"
		for deb in ../*.deb; do
			say "package: ${deb##*/}"
			[[ $deb == *-dbgsym_* ]] || dpkg-deb --contents "$deb" |
				awk '$6 !~ /\/$|\/bitcode\/|\/doc\// { print "  " $6 }'
		done
	fi
	cp ../*.deb "$shared/$version/"
	cd "$tree"
}

# --- installing ------------------------------------------------------------

install_packages()
{
	apt-get -q -y install --no-install-recommends "$@" >/tmp/apt.log 2>&1 ||
		{ cat /tmp/apt.log; fail "apt-get install $*"; }
}

sql()
{
	su postgres -c 'psql -XAtq -v ON_ERROR_STOP=1 -f - '"${1:-postgres}"
}

start_cluster()
{
	major=$(pg_lsclusters -h | awk 'NR == 1 { print $1 }')
	if [ -z "$major" ]; then
		major=$(printf '%s\n' /usr/lib/postgresql/*/bin/postgres | grep -oE '[0-9]+' | sort -n | tail -n 1)
		pg_createcluster "$major" main >/dev/null
	fi
	pg_ctlcluster "$major" main start
}

preload()
{
	echo "shared_preload_libraries = '$1'" >"/etc/postgresql/$major/main/conf.d/durable_singleton.conf"
	pg_ctlcluster "$major" main restart
}

# The first example of the README, as it stands there
first_example()
{
	awk '/^```sql/ { on = 1; next } /^```/ && on { exit } on' README.md
}

started_and_done='t
f
["Hello Tokyo", "Hello Seattle"]'

install_extension()
{
	install_packages "$shared/$1/postgresql-$major-durable-singleton_$1"-*.deb
	preload durable_singleton
}

# A cluster that runs, the package, and the first example
fresh()
{
	start_cluster
	install_extension "$1"
	echo 'CREATE EXTENSION durable_singleton' | sql
	expect "$started_and_done" sql < <(first_example)
	say "measured: apt-get install on a fresh machine with PostgreSQL $major, and the first example of the README: ok"
	test_gateway "$1"
	remove
}

test_gateway()
{
	install_packages "$shared/$1"/durable-singleton-http_"$1"-*.deb systemd
	expect "durable-singleton-http $1" durable-singleton-http --version
	# minimal machines have the manual pages left out
	dpkg -L durable-singleton-http | grep -qx /usr/share/man/man1/durable-singleton-http.1.gz ||
		fail "no manual page"
	unit=$(dpkg -L durable-singleton-http | grep 'systemd/system/.*service$') || fail "no unit"
	# what its dependencies lack here is not its fault
	systemd-analyze verify --man=no "$unit" || fail "systemd-analyze verify"
	[ "$(systemctl is-enabled durable-singleton-http 2>&1)" = disabled ] ||
		fail "the service would start before anybody has said for which database"
	say "measured: durable-singleton-http and its unit $unit: ok"
}

# Leaves nothing but the cluster and its data.
remove()
{
	echo 'DROP EXTENSION durable_singleton' | sql
	preload ''
	dpkg-query -W -f '${Package}\n' '*durable-singleton*' |
		xargs apt-get -q -y purge >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; fail "purge"; }
	left=$(find / -xdev \( -path /proc -o -path /sys -o -path /mnt -o -path /home -o -path /dev \
		-o -path /var/cache/apt -o -path /tmp -o -path /var/lib/postgresql \) -prune -o -iname '*durable*singleton*' -print |
		grep -v "^/etc/postgresql/$major/main/conf.d/durable_singleton.conf$" || true)
	[ -z "$left" ] || fail "left after purge: $left"
	expect 1 sql <<<'SELECT 1'
	say "measured: purged, nothing left"
}

# From 1.0 to this version, with an instance that waits
upgrade()
{
	start_cluster
	install_extension 1.0
	sql <<'END'
CREATE EXTENSION durable_singleton;
CREATE FUNCTION step(n int) RETURNS int LANGUAGE sql AS 'SELECT n';
CREATE FUNCTION wait(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM df_call_activity('step', '{"n": 1}');
	PERFORM df_wait_for_external_event('go');
	RETURN df_call_activity('step', '{"n": 2}');
END $$;
SELECT df_start_singleton('wait', 'one'), df_start_singleton('wait', 'two');
END
	install_packages "$shared/$1/postgresql-$major-durable-singleton_$1"-*.deb
	expect 'ERROR:  version '"$1"' of extension "durable_singleton" needs the library of version '"$1" \
		bash -c 'su postgres -c "psql -XAtq -c \"ALTER EXTENSION durable_singleton UPDATE\"" 2>&1 | head -n 1'
	expect $'\n2' sql <<'END'
SELECT df_raise_event('one', 'go');
SELECT output FROM df_wait_for_completion('one');
END
	pg_ctlcluster "$major" main restart
	expect $'\n2' sql <<'END'
ALTER EXTENSION durable_singleton UPDATE;
SELECT df_raise_event('two', 'go');
SELECT output FROM df_wait_for_completion('two');
END
	expect "$1" sql <<<"SELECT extversion FROM pg_extension WHERE extname = 'durable_singleton'"
	say "measured: package 1.0 to $1 with instances that wait: ok"
	echo 'DROP FUNCTION wait, step' | sql
	remove
}

# --- the service, under a systemd of its own -----------------------------------

# What the unit's defaults name: a database "shop" for a role "web".  For peer
# authentication the server must know the unit's dynamic user: libnss-systemd.
service()
{
	rm -f "$shared/service.out"
	start_cluster
	install_extension "$1"
	install_packages "$shared/$1"/durable-singleton-http_"$1"-*.deb systemd curl libnss-systemd
	echo 'CREATE ROLE web LOGIN; CREATE DATABASE shop' | sql
	sql shop <<'END'
CREATE EXTENSION durable_singleton;
SELECT df_grant_usage('web');
CREATE FUNCTION hello(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT $1';
GRANT CREATE ON DATABASE shop TO web;
SELECT df_expose_http('hello');
END
	umount -R /sys/fs/cgroup 2>/dev/null || true
	mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup &&
		mkdir /sys/fs/cgroup/systemd &&
		mount -t cgroup -o none,name=systemd,xattr cgroup /sys/fs/cgroup/systemd || {
		say "measured: the service was not started: this machine has no control groups for a systemd"
		return 0
	}
	cat >/etc/systemd/system/package-test.service <<END
[Unit]
After=basic.target
[Service]
Type=oneshot
WorkingDirectory=$tree
ExecStart=$tree/scripts/package_machine.sh under_systemd $1
ExecStopPost=/bin/sh -c 'systemctl exit \$\$EXIT_STATUS'
StandardOutput=file:$shared/service.out
StandardError=inherit
TimeoutStartSec=100
END
	printf '[Unit]\nRequires=basic.target package-test.service\n' >/etc/systemd/system/package-test.target
	# systemd has a /run of its own, without the socket
	pg_ctlcluster "$major" main stop
	export container=other
	# this process is the first one of its namespace
	exec /lib/systemd/systemd --unit=package-test.target --log-target=console
}

under_systemd()
{
	local url=http://127.0.0.1:7071/runtime/webhooks/durabletask pid answer
	systemd-tmpfiles --create
	start_cluster
	systemctl start durable-singleton-http || fail "systemctl start"
	for _ in {1..100}; do
		curl -s -o /dev/null "$url/instances/none" && break
		sleep 0.1
	done
	answer=$(curl -s -o /dev/null -w '%{http_code}' -H 'Content-Type: application/json' \
		-d '"hi"' "$url/orchestrators/hello/one")
	[ "$answer" = 202 ] || fail "a start by HTTP: $answer: $(journalctl -u durable-singleton-http 2>&1 | tail -n 5)"
	expect '"hi"' sql shop <<<"SELECT output FROM df_wait_for_completion('one')"
	pid=$(systemctl show -P MainPID durable-singleton-http)
	systemctl reload durable-singleton-http || fail "systemctl reload"
	expect "$pid" systemctl show -P MainPID durable-singleton-http
	kill -KILL "$pid"
	for _ in {1..100}; do
		curl -s -o /dev/null "$url/instances/one" && break
		sleep 0.1
	done
	expect active systemctl is-active durable-singleton-http
	systemctl stop durable-singleton-http || fail "systemctl stop"
	say "measured: the service under $(systemctl --version | head -n 1): started, used, reloaded, restarted after a crash, stopped"
}

[ "$action" = under_systemd ] || apt-get -q update >/dev/null
case $action in
	build | fresh | upgrade | service | under_systemd) "$action" "$2" ;;
	*) fail "what is $action?" ;;
esac
