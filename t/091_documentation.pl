# The documentation is true: each block of SQL runs and returns what the
# document says, links lead somewhere, and the reference has every function,
# column and setting as it is.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/lib";
use Documents;
use DurableSingleton;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_server('main');
my $folder = "$FindBin::RealBin/..";
my @documents = map { s{^\Q$folder/\E}{}r } sort(glob("$folder/*.md"), glob("$folder/docs/*.md"));
my %text = map { $_ => slurp_file("$folder/$_") } @documents;
my $reference = $text{'docs/reference.md'};

$node->safe_psql('postgres', 'CREATE ROLE manager; CREATE ROLE app LOGIN IN ROLE manager');

# Every block of SQL, for an ordinary role unless it says otherwise.
my $n_blocks = 0;
foreach my $document (@documents)
{
	my ($found, $not_run) = run_document($node, $document, $text{$document});

	is($_->[1], '', $_->[0]) foreach @$found;
	$n_blocks += grep { $_->[0] =~ /: block runs: / } @$found;
	note("$document: not run: $_") foreach @$not_run;
	cmp_ok(scalar(@$not_run), '<=', 2, "$document: at most two blocks are not run");
}
cmp_ok($n_blocks, '>', 20, 'the documents have blocks of SQL');

# A planted mistake is seen, each of its kind; what is right is not.
my $block = "```sql\nSELECT 1 AS one, 'a' AS letter;\n```\n";
my $value = "```sql\nSELECT n FROM generate_series(1, 2) n;%s\n```\n";
my @planted = (
	[ 'a wrong comment', sprintf($value, '     -- 1, 3'), sprintf($value, '     -- 1, 2: both') ],
	[ 'a wrong text', "$block```text\n one | letter\n-----+---\n 1 | b\n(1 row)\n```\n",
		"$block```text\n one | letter\n-----+---\n 1 | a\n(1 row)\n```\n" ],
	[ 'a line too few', "$block```text\n one | letter\n-----+---\n 1 | a\n```\n",
		"$block```text\n one | \xe2\x80\xa6\n-----+---\n \xe2\x80\xa6 | a\n(1 row)\n```\n" ],
	[ 'a condition that does not hold', "$block<!-- check: 1 = 2 -->\n", "$block<!-- check: 1 = 1 -->\n" ],
	[ 'a block without a result', $block, "<!-- not run: never -->\n$block" ],
	[ 'a block that fails', "```sql\nSELECT 1/0;     -- 1\n```\n",
		"<!-- error: 22012 -->\n```sql\nSELECT 1/0;\n```\n```text\nERROR:  division by zero\n```\n" ],
	[ 'another error', "<!-- error: SD409 -->\n```sql\nSELECT 1/0;\n```\n",
		"<!-- error: 22012 -->\n```sql\nSELECT 1/0;\n```\n" ],
	[ 'a role without the right', "```sql\nSELECT rolpassword FROM pg_authid LIMIT 0;\n```\n<!-- check: true -->",
		"<!-- role: superuser -->\n```sql\nSELECT count(*) > 0 FROM pg_authid;     -- true\n```\n" ],
	[ 'SQL that nothing runs', "    SELECT 1;\n", "    make install\n" ],
	[ 'SQL in another block', "```\nSELECT 1;\n```\n", "```\n+--+\n```\n" ],
	[ 'a word that means nothing', "$block<!-- chekc: true -->\n<!-- check: true -->\n",
		"$block<!-- check: true -->\n" ],
	[ 'a comment that means nothing', "$block<!-- check:true -->\n<!-- check: true -->\n",
		"$block<!-- check: true -->\n" ]);
foreach my $planted (@planted)
{
	my ($mistake, $wrong, $right) = @$planted;
	my ($seen) = run_document($node, 'planted', $wrong);
	my ($unseen) = run_document($node, 'planted', $right);

	isnt(join('', map { $_->[1] } @$seen), '', "$mistake is seen");
	is(join('', map { $_->[1] } @$unseen), '', "$mistake is not seen where there is none");
}

# A statement within a sentence is one that PostgreSQL understands, unless an
# ellipsis stands for the rest of it.
foreach my $document (@documents)
{
	foreach my $statement (grep { !/\xe2\x80\xa6/ } $text{$document} =~ /`(SELECT [^`;]*)/g)
	{
		is((error_of($node, 'postgres', "PREPARE s AS $statement"))[1], '', "$document: $statement");
	}
}

# Links, and what can be reached by them.
foreach my $document (@documents, map { s{^\Q$folder/\E}{}r } glob("$folder/*/README.md"))
{
	is(join(' ', broken_links($folder, $document)), '', "$document has no broken link");
}
foreach my $document (grep { m{^docs/} } @documents)
{
	like($text{'README.md'}, qr/\]\(\Q$document\E[)#]/, "README.md leads to $document");
}

# The list of tests names each file of t/ once.
my $tests = slurp_file("$folder/t/README.md");
my @listed = $tests =~ /^\| (`[^|]*) \|/mg;
is_deeply([ sort map { /`([^`]+)`/g } @listed ],
	[ sort map { s{^\Q$folder/t/\E}{}r } grep { -f || m{/modules/} }
		  map { glob("$folder/t/$_") } '*.pl', 'lib/*', 'lib/torture/*', 'modules/*' ],
	't/README.md names each file of t/ once');

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
foreach my $document (@documents)
{
	my %seen;
	my @names = grep { !$seen{$_}++ && !/^df_example/ } $text{$document} =~ /\b(df_[a-z_]+)\b/g;
	is($node->safe_psql('postgres', sprintf(q{
		SELECT string_agg(n, ' ') FROM unnest('{%s}'::text[]) n
		WHERE to_regproc(n) IS NULL AND to_regclass(n) IS NULL AND to_regtype(n) IS NULL},
		join(',', @names))), '', "$document names no function that is not there");

	my @files = $text{$document} =~ /`((?:docs|examples|expected|scripts|specs|sql|src|t)\/[\w\/]+\.\w+)`/g;
	is(join(' ', grep { !-e "$folder/$_" } @files), '',
		"$document names no file that is not there");
}

finish($node);
done_testing();
