# shellcheck shell=bash disable=SC2034,SC2154
# ./test --valgrind, to be sourced by ./test: the servers run under valgrind's
# memcheck.  It is worth most with a server built with USE_VALGRIND, which tells
# it what palloc() and pfree() do; see CONTRIBUTING.md.  The server's own suppressions
# are in its source, src/tools/valgrind.supp: VALGRIND_SUPPRESSIONS names the file.

# The server's programs find each other in the folder where they are: in this
# one "postgres" is the server under valgrind, but for initdb's and for -V.  The
# folder must not be called "bin", or they look for all other files beside it.
prepare_valgrind()
{
	local programs=$base/programs
	[ -r "${VALGRIND_SUPPRESSIONS:-}" ] ||
		die "set VALGRIND_SUPPRESSIONS to src/tools/valgrind.supp of the server's source"
	cp "$VALGRIND_SUPPRESSIONS" "$base/valgrind.supp"
	mkdir "$base/log/valgrind"
	cp -a "$bindir" "$programs"
	rm "$programs/postgres"
	cat >"$programs/postgres" <<WRAPPER
#!/bin/sh
case \$1 in
	--boot | --check | --single | -V | --version | -C) exec '$bindir/postgres' "\$@" ;;
esac
exec valgrind --quiet --leak-check=no --trace-children=yes --gen-suppressions=all \\
	--suppressions='$base/valgrind.supp' --time-stamp=yes --num-callers=30 \\
	--error-markers=VALGRINDERROR-BEGIN,VALGRINDERROR-END \\
	--log-file='$base/log/valgrind/%p.txt' '$bindir/postgres' "\$@"
WRAPPER
	chmod 755 "$programs/postgres"
	[ "$(id -u)" != 0 ] || chown -R "$user" "$programs" "$base/log" "$base/valgrind.supp"
	server_options=("bindir=$programs")
}

valgrind_found_nothing()
{
	local logs
	mapfile -t logs < <(find "$base/log/valgrind" -name '*.txt')
	[ ${#logs[@]} -gt 0 ] || { echo "valgrind has left no log"; return 1; }
	! grep -h -A40 VALGRINDERROR-BEGIN "${logs[@]}"
}
