# More roles than shared memory has room for: nothing overflows, nothing is
# lost, and no process searches for work in a loop.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

# Groups are a pair of a database and a role each.
my $groups = 1024;
my $roles  = $groups + 100;

# No worker yet.  That much memory for locks lies idle, and is not ours.
my $node = new_server('main', conf => q{
durable_singleton.max_workers = 0
max_locks_per_transaction = 1024
autovacuum = off
});
$node->safe_psql('postgres', q{ALTER SYSTEM SET durable_singleton.rescan_interval = '1h'});
$node->reload;

# The instances live in a database of their own: what happens in it is seen
# from "postgres".
create_database($node, 'app');
$node->safe_psql('app', qq{
DO \$\$
BEGIN
	CREATE ROLE tenants;
	PERFORM df_grant_usage('tenants');
	FOR n IN 1 .. $roles LOOP
		EXECUTE format('CREATE ROLE r%s LOGIN IN ROLE tenants', n);
	END LOOP;
END \$\$;
CREATE FUNCTION answer(jsonb) RETURNS jsonb LANGUAGE sql AS 'SELECT to_jsonb(42)';
});

# Each role starts one, in a transaction of its own.
sub start_all
{
	my ($id, $start_at) = @_;

	$node->safe_psql('app', join '', map { qq{
		SET SESSION AUTHORIZATION r$_;
		SELECT df_start_singleton('answer', '$id $_', start_at => $start_at);
		RESET SESSION AUTHORIZATION;} } 1 .. $roles);
	return;
}

sub all_complete
{
	my ($id, $name) = @_;
	my $begun = time;

	local $Test::Builder::Level = $Test::Builder::Level + 1;
	ok($node->poll_query_until('app', qq{
			SELECT count(*) = $roles FROM df_instances
			WHERE instance_id LIKE '$id %' AND runtime_status = 'Completed'}), $name);
	note sprintf 'after %.1f s', time - $begun;
	return;
}

sub set_workers
{
	my ($n) = @_;

	$node->safe_psql('postgres', "ALTER SYSTEM SET durable_singleton.max_workers = $n");
	$node->reload;
	return;
}

#
# Work for all of them at once
#
start_all('ready', 'NULL');
is($node->safe_psql('app', 'SELECT hints_lost FROM df_stat'), $roles - $groups,
	'there is room for as many groups as memory was set aside for');
set_workers(4);
all_complete('ready', 'roles without a place get their turn');

#
# All wait for a time: then most of the places are taken for long
#
start_all('later', q{now() + interval '1 day'});
my $transactions = q{
	SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = 'app'};
isnt(wait_still($node, $transactions), undef, 'nobody looks for work that is not due');
$node->safe_psql('app', qq{
	SET SESSION AUTHORIZATION r$roles;
	SELECT df_start_singleton('answer', 'now')});
ok(wait_status($node, 'app', 'now', 'Completed'),
	'work that is ready takes the place of a time to come');
$node->safe_psql('app', q{SELECT count(df_terminate(instance_id)) FROM df_instances
	WHERE instance_id LIKE 'later %'});

start_all('soon', q{now() + interval '15 s'});
all_complete('soon', 'and what falls due is found, with a place or without one');

#
# A limit for all of them
#
$node->safe_psql('postgres',
	'ALTER DATABASE app SET durable_singleton.max_active_instances = 1');
start_all('limited', 'NULL');
all_complete('limited', 'more roles than there is room for can have a limit');
start_all('limited', q{now() + interval '1 day'});
is((error_of($node, 'app', q{
		SET SESSION AUTHORIZATION r1;
		SELECT df_start_singleton('answer', 'one more')}))[0],
	'53400', 'which holds for one that was forgotten');

finish($node);
done_testing();
