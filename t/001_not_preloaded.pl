# Without shared_preload_libraries the extension can be created, and every
# function says what is missing.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
$node->start;

is($node->psql('postgres', 'CREATE EXTENSION durable_singleton'),
	0, 'CREATE EXTENSION works');

# One call of each function of the extension that is written in C, with NULLs.
# df_next_runs only calculates.
my $calls = $node->safe_psql('postgres', q{
	SELECT format('%s %s(%s)',
		CASE p.prokind WHEN 'p' THEN 'CALL' ELSE 'SELECT * FROM' END,
		p.oid::regproc,
		(SELECT string_agg('NULL::' || format_type(t, NULL), ', ' ORDER BY n)
			FROM unnest(coalesce(CASE p.prokind WHEN 'p'
				THEN p.proallargtypes END, p.proargtypes::oid[]))
				WITH ORDINALITY a(t, n)))
	FROM pg_proc p
		JOIN pg_depend d ON d.classid = 'pg_proc'::regclass
			AND d.objid = p.oid AND d.deptype = 'e'
		JOIN pg_extension x ON d.refclassid = 'pg_extension'::regclass
			AND d.refobjid = x.oid
		JOIN pg_language l ON l.oid = p.prolang
	WHERE x.extname = 'durable_singleton' AND l.lanname = 'c'
		AND p.proname LIKE 'df\_%' AND p.proname <> 'df_next_runs'
	ORDER BY 1});
my @calls = split /\n/, $calls;
cmp_ok(scalar @calls, '>=', 20, 'the functions are found in the catalog');

foreach my $call (@calls)
{
	my ($sqlstate, $message, $hint) = error_of($node, 'postgres', $call);
	my ($function) = $call =~ /(df_\w+)/;

	is($sqlstate, '55000', "$function has a SQLSTATE that fits");
	like($message, qr/durable_singleton/,
		"$function names the library that is not loaded");
	like($hint, qr/shared_preload_libraries/, "$function has the hint");
}

is($node->safe_psql('postgres', q{
		SELECT r AT TIME ZONE 'UTC'
		FROM df_next_runs('0 2 * * *', n => 1, after => '2030-01-01 00:00Z') r}),
	'2030-01-01 02:00:00', 'what is not about instances works without it');

# The tables are ordinary ones: a dump needs no preloaded library.
$node->command_like(
	[ 'pg_dump', '-d', $node->connstr('postgres') ],
	qr/COPY durable_singleton\.instance /,
	'pg_dump works');
is($node->psql('postgres', 'DROP EXTENSION durable_singleton'),
	0, 'DROP EXTENSION works');

finish($node);
done_testing();
