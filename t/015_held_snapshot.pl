# A snapshot that is held for hours keeps all dead versions of every row.  The
# cost of a restart must not grow with their number.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('held', conf => 'autovacuum = off');
$node->safe_psql('postgres', q{
CREATE FUNCTION noop(input jsonb) RETURNS jsonb LANGUAGE plpgsql
AS $$ BEGIN RETURN input; END $$;
-- one life of the id after the other
CREATE PROCEDURE lives(n int) LANGUAGE plpgsql AS $$
BEGIN
	FOR i IN 1..n LOOP
		PERFORM df_start_singleton('noop', 'again', to_jsonb(i));
		COMMIT;
		PERFORM df_wait_for_completion('again');
		COMMIT;
	END LOOP;
END $$;
-- pages that a start over the ended id looks at
CREATE FUNCTION pages_of_a_restart() RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE $q$EXPLAIN (ANALYZE, BUFFERS, TIMING off, FORMAT json)
		SELECT df_start_singleton('noop', 'again')$q$ INTO plan;
	RETURN (plan #>> '{0,Plan,Shared Hit Blocks}')::int
		+ (plan #>> '{0,Plan,Shared Read Blocks}')::int;
END $$;
});

my $holder = $node->background_psql('postgres');
$holder->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$holder->query_safe('SELECT count(*) FROM df_instances');

# Rolled back: the workers are left out of it, and the first one of a session
# also reads the catalogs.
sub pages
{
	my @pages = split /\n/, $node->safe_psql('postgres', q{
		BEGIN;
		SAVEPOINT s;
		SELECT pages_of_a_restart();
		ROLLBACK TO s;
		SELECT pages_of_a_restart();
		ROLLBACK});

	return $pages[1];
}

$node->safe_psql('postgres', 'CALL lives(20)');
my $few = pages();
$node->safe_psql('postgres', 'CALL lives(400)');
my $many = pages();

cmp_ok($node->safe_psql('postgres', q{
		SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'instance'}),
	'>=', 800, 'the dead versions are all there');
measured "pages of a restart: $few, then $many";
cmp_ok($few, '>', 5, 'a restart looks at pages');
cmp_ok($many, '<=', $few + 30, 'after twenty times as many lives not at many more');

$holder->query_safe('COMMIT');
$holder->quit;
is($node->safe_psql('postgres', q{SELECT count(*), min(output::text) FROM df_instances}),
	'1|400', 'there is one instance, and it has come to its end');

finish($node);
done_testing();
