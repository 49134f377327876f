# pg_upgrade: all instances are preserved, and do not run before
# df_adopt_database().
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# The new server is the one that is tested; the old one is another major that
# has the extension in its own folder.  Without such a one the upgrade is from
# the server to itself, which shows all but the change of the major.
my $new_bin = `@{[ $ENV{PG_CONFIG} // 'pg_config' ]} --bindir`;
chomp $new_bin;
my $old_bin = $new_bin;
if ($new_bin =~ m!^(.*/)(\d+)/bin$!)
{
	my ($versions, $new_major) = ($1, $2);

	foreach my $library (glob "$versions*/lib/durable_singleton.so")
	{
		my ($major) = $library =~ m!^\Q$versions\E(\d+)/!;

		$old_bin = "$versions$major/bin"
		  if $major && $major < $new_major && -x "$versions$major/bin/postgres";
	}
}
note $old_bin eq $new_bin
  ? 'no older major has the extension: upgrading from the server to itself'
  : "upgrading from $old_bin";
plan skip_all => 'no pg_upgrade here' unless -x "$new_bin/pg_upgrade";

my $old = PostgreSQL::Test::Cluster->new('old',
	$old_bin ne $new_bin ? (install_path => $old_bin =~ s!/bin$!!r) : ());
$old->init;
$old->append_conf('postgresql.conf', "shared_preload_libraries = 'durable_singleton'\n");
$old->start;

# pg_upgrade asks the new server to LOAD the library as the functions name it, and
# LOAD looks for "$libdir/..." in the server's own folder only.  Where the extension
# is in another one by extension_control_path, its control file must name the
# library without that; see docs/operations.md.
my $control_path = $old->safe_psql('postgres', q{
	SELECT setting FROM pg_settings
	WHERE name = 'extension_control_path' AND setting <> '$system'});
if ($control_path ne '')
{
	my ($installed) = $control_path =~ /^([^:]*)/;
	my $dir = PostgreSQL::Test::Utils::tempdir_short . '/share';

	system('cp', '-r', $installed, $dir) == 0 or die 'cp';
	my $control = "$dir/extension/durable_singleton.control";
	my $text    = slurp_file($control) =~ s/^(module_pathname = ')\$libdir\//$1/mr;
	unlink $control or die "$control: $!";
	append_to_file($control, $text);
	$control_path = "extension_control_path = '$dir:\$system'\n";
	$old->append_conf('postgresql.conf', $control_path);
	$old->restart;
}
$old->safe_psql('postgres', q{
CREATE EXTENSION durable_singleton;
CREATE ROLE app LOGIN;
SELECT df_grant_usage('app');
CREATE TABLE ledger (instance text, step int);
GRANT ALL ON ledger TO app;
CREATE FUNCTION step(id text, n int) RETURNS int LANGUAGE sql AS $$
	INSERT INTO public.ledger VALUES (id, n) RETURNING n $$;
CREATE FUNCTION do_step(n int) RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT df_call_activity('step', jsonb_build_object('id', df_instance_id(), 'n', n)) $$;
CREATE FUNCTION event(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	PERFORM df_wait_for_external_event('go');
	RETURN do_step(2);
END $$;
CREATE FUNCTION timer(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	PERFORM do_step(1);
	PERFORM df_create_timer('1 second');
	RETURN do_step(2);
END $$;
CREATE FUNCTION parent(jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
BEGIN
	RETURN df_wait_all(ARRAY[df_schedule_sub_orchestrator('event', NULL, 'child'),
		df_schedule_activity('step', '{"id": "parent", "n": 1}')]);
END $$;
SELECT df_start_singleton('event', 'event'), df_start_singleton('timer', 'timer'),
	df_start_singleton('parent', 'parent');
SET ROLE app;
SELECT df_start_singleton('event', 'of app');
});
ok($old->poll_query_until('postgres', q{
		SELECT (SELECT count(*) = 3 FROM df_instances WHERE waiting_for = 'event go')
			AND (SELECT count(*) >= 5 FROM ledger)}),
	'instances wait');
# The timer is to fall due while no server is there.
$old->safe_psql('postgres', q{SELECT df_suspend('timer') FROM df_instances
	WHERE instance_id = 'timer' AND runtime_status = 'Running'});
my $content = q{SELECT instance_id, execution_id, owner, runtime_status, waiting_for, next_wake_time,
		parent_instance_id, output FROM df_instances ORDER BY 1};
my $history = q{SELECT * FROM df_history ORDER BY instance_id, execution_id, seq};
my @before = map { $old->safe_psql('postgres', $_) } $content, $history, 'TABLE ledger';
$old->stop;

my $new = PostgreSQL::Test::Cluster->new('new');
# From 18 on initdb switches data checksums on, and pg_upgrade wants both alike.
$new->init(
	`$old_bin/pg_controldata -D @{[ $old->data_dir ]}` =~ /checksum version: +0/
	  && `$new_bin/initdb --help` =~ /--no-data-checksums/
	? (extra => ['--no-data-checksums'])
	: ());
$new->append_conf('postgresql.conf', "shared_preload_libraries = 'durable_singleton'\n$control_path");
my @upgrade = (
	'pg_upgrade', '--no-sync', '-d', $old->data_dir, '-D', $new->data_dir,
	'-b', $old_bin, '-B', $new_bin, '-s', $new->host,
	'-p', $old->port, '-P', $new->port);
my $cwd = PostgreSQL::Test::Utils::tempdir;
chdir $cwd or die "chdir: $!";
$new->command_ok([ @upgrade, '--check' ], 'pg_upgrade --check');
$new->command_ok(\@upgrade, 'pg_upgrade');
$new->start;

ok($new->wait_for_log(qr/orchestrations in database "postgres" are paused/), 'the log says that it is paused');
is($new->safe_psql('postgres', $content), $before[0], 'all instances have come over');
is($new->safe_psql('postgres', $history), $before[1], 'and their history');
is($new->safe_psql('postgres', 'TABLE ledger'), $before[2], 'nothing has run meanwhile');
is($new->safe_psql('postgres', 'SELECT count(*) FROM df_stat_workers'), 0, 'no worker is there');

$new->safe_psql('postgres', q{SELECT df_adopt_database()});
$new->safe_psql('postgres', q{SELECT df_resume(instance_id) FROM df_instances WHERE runtime_status = 'Suspended'});
ok(wait_status($new, 'postgres', 'timer', 'Completed'), 'adopted, a timer that is over fires');
$new->safe_psql('postgres', q{
	SELECT df_raise_event(instance_id, 'go') FROM df_instances WHERE waiting_for = 'event go'});
ok(wait_ended($new, 'postgres', '%'), 'all come to their ends');
is($new->safe_psql('postgres', q{
		SELECT string_agg(DISTINCT runtime_status::text, ' ') FROM df_instances}),
	'Completed', 'good ones');
is($new->safe_psql('postgres', q{
		SELECT instance, string_agg(step::text, ' ' ORDER BY step) FROM ledger GROUP BY 1 ORDER BY 1}),
	"child|1 2\nevent|1 2\nof app|1 2\nparent|1\ntimer|1 2", 'each step once');
is($new->safe_psql('postgres', q{
		SELECT df_start_singleton('event', 'new');
		SELECT df_raise_event('new', 'go');
		SELECT runtime_status FROM df_wait_for_completion('new')}),
	"t\n\nCompleted", 'new instances run');

finish($new);
done_testing();
