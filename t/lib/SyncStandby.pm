# Shared by the tests of synchronous replication: a standby that the primary
# waits for.
package SyncStandby;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Cluster;

our @EXPORT = qw(new_sync_standby wait_synchronous);

# The primary must have been initialized with allows_streaming.
sub new_sync_standby
{
	my ($primary) = @_;

	$primary->backup('base');

	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($primary, 'base', has_streaming => 1);
	$standby->start;
	$primary->safe_psql('postgres',
		"ALTER SYSTEM SET synchronous_standby_names = 'standby'");
	$primary->reload;
	wait_synchronous($primary);
	return $standby;
}

sub wait_synchronous
{
	my ($primary) = @_;

	$primary->poll_query_until('postgres',
		q{SELECT sync_state = 'sync' FROM pg_stat_replication})
	  or die 'no synchronous standby';
	return;
}

1;
