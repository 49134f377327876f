# the documentation is true: the SQL of the guide runs and gives what it says,
# and the reference has every function, column and setting as it is
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main');
my $folder = "$FindBin::RealBin/..";
my $guide = slurp_file("$folder/docs/programming.md");
my $reference = slurp_file("$folder/docs/reference.md");
my $readme = slurp_file("$folder/README.md");

# The guide: blocks of SQL, in order, run by an ordinary role.  The comments
# behind a block, which a reader does not see, say what must hold after it, or
# what a superuser does before the next one.
$node->safe_psql('postgres', q{
	CREATE ROLE manager;
	CREATE ROLE app LOGIN IN ROLE manager;
	GRANT CREATE ON SCHEMA public TO app;
	SELECT df_grant_usage('app')});
my ($blocks, $checks) = (0, 0);
while ($guide =~ /^```sql\n(.*?)^```|^<!-- (check|until|admin): (\N*) -->$/msg)
{
	if (defined $1)
	{
		my ($block, $first) = ($1, (split /\n/, $1)[0]);
		my ($status, undef, $stderr) = $node->psql('postgres', $block,
			extra_params => [ '-U', 'app' ], on_error_stop => 1);
		ok($status == 0 && $stderr eq '', "block runs: $first")
		  or diag($stderr);
		$blocks++;
	}
	elsif ($2 eq 'check')
	{
		is($node->safe_psql('postgres', "SELECT $3"), 't', "it holds: $3");
		$checks++;
	}
	elsif ($2 eq 'admin')
	{
		$node->safe_psql('postgres', $3);
	}
	else
	{
		ok($node->poll_query_until('postgres', "SELECT $3"),
			"it comes to hold: $3");
	}
}
cmp_ok($blocks, '>', 10, 'the guide has blocks of SQL');
cmp_ok($checks, '>=', $blocks, 'and says what comes of them');

# The reference: signatures as PostgreSQL tells them, casts and spelling aside.
my %is_in_reference;
$is_in_reference{$_} = 1 foreach $reference =~ /^    (df_\w+\(.*)$/mg;
my @functions = split /\n/, $node->safe_psql('postgres', q{
	SELECT p.proname || '(' || pg_get_function_arguments(p.oid) || ')' ||
		coalesce(' returns ' || pg_get_function_result(p.oid), '')
	FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e'
		JOIN pg_extension x ON x.oid = d.refobjid
	WHERE x.extname = 'durable_singleton' AND p.proname LIKE 'df\_%'
	ORDER BY p.proname});
foreach my $function (@functions)
{
	if ($function =~ /^(?:df_wait|df_run)\(/)
	{
		# a procedure's result depends on the server's version
		$function =~ s/ returns .*//;
	}
	$function =~ s/::[a-z_ ]+(?:\[\])?(?=[,)])//g;
	$function =~ s/ DEFAULT / = /g;
	$function =~ s/timestamp with time zone/timestamptz/g;
	$function =~ s/'00:00:(\d\d)'/"'" . ($1 + 0) . " s'"/ge;
	ok(delete $is_in_reference{$function}, "reference has $function");
}
is_deeply([ keys %is_in_reference ], [], 'reference has no other function');

# Columns of the views, in order.
foreach my $view ('df_instances', 'df_history', 'df_executions', 'df_stat_workers',
	'df_stat', 'df_http_functions', 'df_http_instances')
{
	my $columns = $node->safe_psql('postgres', qq{
		SELECT string_agg(attname || ' ' || replace(format_type(atttypid, atttypmod),
			'timestamp with time zone', 'timestamptz'), E'\\n' ORDER BY attnum)
		FROM pg_attribute WHERE attrelid = '$view'::regclass AND attnum > 0});
	my ($section) = $reference =~ /^### $view\n(.*?)^##/ms;
	is(join("\n", map { s/`//gr =~ s/ \|//r } $section =~ /^\| (`\w+` \| \w+(?: \w+)*(?:\[\])?)/mg),
		$columns, "reference has the columns of $view");
}
is($node->safe_psql('postgres', q{
	SELECT string_agg(c.relname, ' ' ORDER BY c.relname) FROM pg_class c
		JOIN pg_depend d ON d.objid = c.oid AND d.deptype = 'e'
		JOIN pg_extension x ON x.oid = d.refobjid AND x.extnamespace = c.relnamespace
	WHERE x.extname = 'durable_singleton' AND c.relkind = 'v'}),
	join(' ', sort $reference =~ /^### (df_\w+)$/mg), 'reference has every view');

# Settings, all at their defaults here.
my $settings = $node->safe_psql('postgres', q{
	SELECT string_agg(format('| `%s` | %s| `%s` | %s |', split_part(name, '.', 2),
			CASE WHEN unit <> '' THEN unit || ' ' END, current_setting(name),
			CASE context WHEN 'sighup' THEN 'C' WHEN 'superuser' THEN 'D'
				WHEN 'user' THEN 'U' ELSE 'S' END),
		E'\n' ORDER BY name COLLATE "C")
	FROM pg_settings WHERE name LIKE 'durable_singleton.%'});
is(join("\n", sort $reference =~ /^(\| `\w+` \|[^|]*\| `[^`|]+` \| \w \|)/mg),
	$settings, 'reference has the settings');

# Nothing is spoken of that is not there.
foreach my $text ([ 'programming.md', $guide ], [ 'reference.md', $reference ],
	[ 'README.md', $readme ], [ 'http.md', slurp_file("$folder/docs/http.md") ])
{
	my %seen;
	my @names = grep { !$seen{$_}++ } $text->[1] =~ /\b(df_[a-z_]+)\b/g;
	is($node->safe_psql('postgres', sprintf(q{
		SELECT string_agg(n, ' ') FROM unnest('{%s}'::text[]) n
		WHERE to_regproc(n) IS NULL AND to_regclass(n) IS NULL AND to_regtype(n) IS NULL},
		join(',', @names))), '', "$text->[0] names no function that is not there");

	my @files = $text->[1] =~ /`((?:docs|examples)\/\w+\.\w+)`/g;
	is(join(' ', grep { !-e "$folder/$_" } @files), '',
		"$text->[0] names no file that is not there");
}

finish($node);
done_testing();
