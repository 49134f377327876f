# Every example does what it promises: as it stands, and again, for an ordinary
# role that has only df_grant_usage.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# What an example promises: how that is called, what it prints to show it (a
# pattern), and a condition that holds afterwards.
my %promised = (
	aggregator => [
		'each event is counted once, over several turns',
		qr/Completed\s+\| \{"yes": 17, "votes": 25\}/,
		q{(SELECT count(DISTINCT execution_id) = 2 FROM df_example_poll.turn)}
	],
	any_function => [
		'a function of any signature is an activity',
		qr/5 \|\s+15\.00 \| EUR/,
		q{(SELECT count(*) = 1 FROM df_example_shop.charge WHERE currency = 'EUR')}
	],
	async_http_status => [
		'a request is accepted once, and then followed to its end',
		qr/"status": 202, "location".*"status": 409.*"status": 202, "progress".*"status": 200/s,
		q{(SELECT count(*) = 5 FROM df_example_web.page)}
	],
	eternal_singleton => [
		'each round is done once, in an execution of its own',
		qr/^\s+1\n\s+2\n\s+3\n/m,
		q{(SELECT count(DISTINCT execution_id) = max(round) FROM df_example_house.cleaning)}
	],
	fan_out_fan_in => [
		'each row has its task, and the results are summed up',
		qr/Completed\s+\|\s+3100\s/,
		q{(SELECT count(*) = 20 AND sum(cost) = 3100 FROM df_example_fleet.inspection)}
	],
	first => [
		'the first start gets true, the second false',
		qr/ t\n.* f\n.*"Hello Tokyo"/s,
		q{(SELECT runtime_status = 'Completed' FROM df_get_status('greeter'))}
	],
	function_chaining => [
		'a chain ends where it fails',
		qr/order 1 +\| Completed .*order 2 +\| Failed /s,
		q{(SELECT pieces = 16 FROM df_example_chain.stock) AND (SELECT count(*) = 1 FROM df_example_chain.parcel)}
	],
	human_interaction => [
		'an answer in time, an escalation, and nobody at all',
		qr/"manager"\n.*"director"\n.*"nobody"\n/s,
		q{(SELECT string_agg(receiver, ' ' ORDER BY number) = 'manager director Bob'
			FROM df_example_office.letter WHERE subject = 'a car')}
	],
	monitor => [
		'it looks until the condition holds, or gives up',
		qr/"looks": 4, "arrived": true.*"arrived": false/s,
		q{(SELECT count(*) = 4 FROM df_example_port.look WHERE ship = 'Argo')
			AND (SELECT min(miles_off) = 100 FROM df_example_port.look WHERE ship = 'Flying Dutchman')}
	],
	retry_and_rewind => [
		'a passing failure is retried, a lasting one mended and rewound',
		qr/TaskFailed.*no answer at the door.*TaskCompleted.*"sqlstate": "23503".*delivered to Bob/s,
		q{(SELECT count(*) = 2 FROM df_example_post.delivery) AND (SELECT count(*) = 2 FROM df_example_post.stamp)}
	],
	saga => [
		'a failing third step leaves the books balanced',
		qr/"booked": true.*"booked": false.*Bob\s*\|\s*1000\n/s,
		q{(SELECT sum(balance) = 2000 FROM df_example_bank.account)
			AND (SELECT balance = 1000 FROM df_example_bank.account WHERE name = 'Bob')
			AND (SELECT sum(CASE 'Bob' WHEN payer THEN -amount WHEN payee THEN amount END) = 0
				FROM df_example_bank.booking WHERE trip = 'trip of Bob')}
	],
	trigger => [
		'an order starts its instance, and a rolled back one does not',
		qr/Completed\s+\| \{"items": 2\}.*1 \| packed.*instances_of_order_2\s+-+\s+0\s/s,
		q{(SELECT count(*) = 2 FROM df_example_store.parcel)}
	],
);

my $folder = "$FindBin::RealBin/../examples";
my @examples = sort map { m{([^/]+)\.sql$} } glob("$folder/*.sql");
is_deeply(\@examples, [ sort keys %promised ], 'each example has its check');

my $node = new_server('main');
$node->safe_psql('postgres', 'CREATE ROLE app LOGIN');

foreach my $name (@examples)
{
	my ($promise, $shown, $condition) = @{ $promised{$name} };

	$node->safe_psql('postgres', "CREATE DATABASE $name OWNER app");
	$node->safe_psql($name, q{
		CREATE EXTENSION durable_singleton;
		GRANT CREATE ON SCHEMA public TO app;
		SELECT df_grant_usage('app')});

	foreach my $time ('once', 'again')
	{
		my ($stdout, $stderr);
		my $result = $node->run_log(
			[
				$node->installed_command('psql'), '-X', '-U', 'app',
				'-d', $node->connstr($name), '-f', "$folder/$name.sql"
			],
			'<', \undef, '>', \$stdout, '2>', \$stderr);
		ok($result && $stderr eq '', "$name runs, $time")
		  or diag("$stdout\n$stderr");
		like($stdout, $shown, "$name, $time, shows: $promise");
		is($node->safe_psql($name, "SELECT $condition"), 't',
			"$name, $time, keeps: $promise");
	}

	is($node->safe_psql($name, q{
		SELECT count(*) > 0 FROM df_instances WHERE owner = 'app'::regrole}),
		't', "$name started instances");
	is($node->safe_psql($name, q{
		SELECT count(*) FROM df_instances WHERE runtime_status
			IN ('Pending', 'Running', 'Suspended')}),
		'0', "$name leaves nothing active");
}

# The instance belongs to the owner of the trigger function, whichever role
# inserts the order, and an id that has run is refused together with its order.
$node->safe_psql('trigger', q{
	CREATE ROLE clerk LOGIN;
	GRANT USAGE ON SCHEMA df_example_store TO clerk;
	GRANT INSERT ON ALL TABLES IN SCHEMA df_example_store TO clerk});
$node->safe_psql('trigger', q{
	BEGIN;
	INSERT INTO df_example_store.orders VALUES (7);
	INSERT INTO df_example_store.line VALUES (7, 'lamp');
	COMMIT}, extra_params => [ '-U', 'clerk' ]);
is($node->safe_psql('trigger', q{
	SELECT s.runtime_status, s.output, i.owner
	FROM df_wait_for_completion('order-7', '1 minute') s JOIN df_instances i USING (instance_id)}),
	'Completed|{"items": 1}|app', 'trigger: the order of another role is fulfilled by the owner');
my (undef, undef, $refused) = $node->psql('trigger', q{
	DELETE FROM df_example_store.line WHERE order_id = 7;
	DELETE FROM df_example_store.orders WHERE id = 7;
	INSERT INTO df_example_store.orders VALUES (7)}, extra_params => [ '-U', 'app' ]);
like($refused, qr/An instance with ID "order-7" already exists/,
	'trigger: an id that has run is refused');
is($node->safe_psql('trigger', 'SELECT count(*) FROM df_example_store.orders WHERE id = 7'), '0',
	'trigger: and so is its order');

# What the README shows first is the first example, remarks and OR REPLACE aside.
my $readme = slurp_file("$FindBin::RealBin/../README.md");
my ($shown) = $readme =~ /```sql\n(.*?)```/s;
$shown =~ s/ *-- .*//g;
my $example = slurp_file("$folder/first.sql");
$example =~ s/ OR REPLACE| *-- .*//g;
cmp_ok(index($example, $shown), '>', 0, 'the README shows the first example');

finish($node);
done_testing();
