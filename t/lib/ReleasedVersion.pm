# A server with a released version of the extension, which ./test has built
# beside the tree, and its upgrade to the version that is tested.
package ReleasedVersion;

use strict;
use warnings;

use Exporter 'import';
use File::Basename qw(dirname);
use File::Copy qw(copy);
use File::Path qw(make_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our @EXPORT = qw(why_no_release released_server install_tested_version tested_version objects_of dump_of);

sub release_dir
{
	my ($version) = @_;

	return "../releases/$version";
}

# Where ./test has installed the version that is tested; undef: in the folder
# of the server.
sub installed_in
{
	my $conf = $ENV{TEMP_CONFIG} && -e $ENV{TEMP_CONFIG} ? slurp_file($ENV{TEMP_CONFIG}) : '';
	my $libdir = pg_config('--pkglibdir');

	return $conf =~ /^dynamic_library_path = '(.+?)\Q$libdir\E:/m ? $1 : undef;
}

sub pg_config
{
	my ($option) = @_;
	my $value = `@{[ $ENV{PG_CONFIG} // 'pg_config' ]} $option`;

	chomp $value;
	return $value;
}

# Why there can be no server with that version; '' if there can.
sub why_no_release
{
	my ($version) = @_;
	my $dir = release_dir($version);

	return slurp_file("$dir/missing") =~ s/\n//r if -e "$dir/missing";
	return "run by ./test only, which builds release $version" unless -d "$dir/inst";
	return 'this server finds extensions in its own folder only' unless defined installed_in();
	return '';
}

# A server whose files of the extension lie in a folder of its own, and are of
# that version.
sub released_server
{
	my ($name, $version, %param) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);
	my $folder = PostgreSQL::Test::Utils::tempdir_short . '/ext';
	my $installed = installed_in();

	$node->{extension_folder} = $folder;
	install($node, release_dir($version) . '/inst');
	$node->init(%{ $param{init} // {} });
	# instead of those that TEMP_CONFIG has
	foreach my $line (grep { /^(extension_\w+|dynamic_library_path) = / }
		split /\n/, slurp_file($ENV{TEMP_CONFIG}))
	{
		$node->append_conf('postgresql.conf', $line =~ s/\Q$installed\E/$folder/gr . "\n");
	}
	$node->append_conf('postgresql.conf', qq{
shared_preload_libraries = 'durable_singleton'
log_statement = none
} . ($param{conf} // ''));
	$node->start;
	return $node;
}

# As a package manager does it: each new file takes the place of the old one,
# and none is missing at any time.  A running server keeps the library that it
# has loaded.
sub install
{
	my ($node, $from) = @_;
	my $folder = $node->{extension_folder};

	foreach my $file (map { chomp; $_ } `cd '$from' && find . -type f`)
	{
		make_path(dirname("$folder/$file"));
		copy("$from/$file", "$folder/$file.new") or die "$file: $!";
		rename "$folder/$file.new", "$folder/$file" or die "$file: $!";
	}
	return;
}

sub install_tested_version
{
	my ($node) = @_;

	return install($node, installed_in());
}

sub tested_version
{
	return slurp_file('durable_singleton.control') =~ /^default_version = '(.*)'/m ? $1 : die;
}

# The members of the extension and all that hangs on them, as text, in an order
# of its own: one object or property a line, without any OID.
my $objects = q{
SET search_path = pg_catalog;
WITH member AS (
	SELECT d.classid, d.objid
	FROM pg_depend d JOIN pg_extension x ON d.refclassid = 'pg_extension'::regclass
		AND x.oid = d.refobjid AND x.extname = 'durable_singleton'
	WHERE d.deptype = 'e'),
part AS (	-- and what belongs to them: indexes, triggers, rules, defaults ...
	SELECT classid, objid FROM member
	UNION
	SELECT d.classid, d.objid
	FROM pg_depend d JOIN member m ON d.refclassid = m.classid AND d.refobjid = m.objid
	WHERE d.deptype IN ('a', 'i', 'P', 'S')
		-- of TOAST tables, whose names are numbers, the options are below
		AND NOT EXISTS (SELECT FROM pg_class c
			WHERE d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind = 't')),
object AS (
	SELECT p.classid, p.objid, i.type || ' ' || i.identity AS name,
		EXISTS (SELECT FROM member m WHERE m.classid = p.classid AND m.objid = p.objid) AS is_member
	FROM part p, pg_identify_object(p.classid, p.objid, 0) i),
property (name, key, value) AS (
	SELECT name, 'is there', is_member::text FROM object
	UNION ALL
	SELECT o.name, 'comment', d.objsubid || ' ' || d.description
	FROM object o JOIN pg_description d ON d.classoid = o.classid AND d.objoid = o.objid
	UNION ALL
	SELECT o.name, 'initial privileges', concat_ws(' ', i.objsubid, i.privtype, i.initprivs::text)
	FROM object o JOIN pg_init_privs i ON i.classoid = o.classid AND i.objoid = o.objid
	UNION ALL
	SELECT o.name, 'label', l.provider || ' ' || l.label
	FROM object o JOIN pg_seclabel l ON l.classoid = o.classid AND l.objoid = o.objid
	UNION ALL
	SELECT o.name, v.key, v.value
	FROM object o JOIN pg_proc p ON o.classid = 'pg_proc'::regclass AND p.oid = o.objid,
		LATERAL (VALUES ('definition', pg_get_functiondef(p.oid)),
			('owner', p.proowner::regrole::text), ('privileges', p.proacl::text),
			('library', p.probin), ('support', p.prosupport::text)) v (key, value)
	UNION ALL
	SELECT o.name, v.key, v.value
	FROM object o JOIN pg_namespace n ON o.classid = 'pg_namespace'::regclass AND n.oid = o.objid,
		LATERAL (VALUES ('owner', n.nspowner::regrole::text), ('privileges', n.nspacl::text)) v (key, value)
	UNION ALL
	SELECT o.name, v.key, v.value
	FROM object o JOIN pg_type t ON o.classid = 'pg_type'::regclass AND t.oid = o.objid,
		LATERAL (VALUES ('owner', t.typowner::regrole::text), ('privileges', t.typacl::text),
			('form', concat_ws(' ', t.typtype, t.typcategory, t.typinput, t.typstorage)),
			('labels', (SELECT string_agg(e.enumlabel, ', ' ORDER BY e.enumsortorder)
				FROM pg_enum e WHERE e.enumtypid = t.oid)),
			('domain', concat_ws(' ', nullif(t.typbasetype, 0)::regtype, t.typtypmod, t.typnotnull, t.typdefault))) v (key, value)
	UNION ALL
	SELECT o.name, v.key, v.value
	FROM object o JOIN pg_class c ON o.classid = 'pg_class'::regclass AND c.oid = o.objid,
		LATERAL (VALUES ('owner', c.relowner::regrole::text), ('privileges', c.relacl::text),
			('form', concat_ws(' ', c.relkind, c.relpersistence, c.relreplident,
				c.relrowsecurity, c.relforcerowsecurity)),
			('options', c.reloptions::text),
			('options of the TOAST table', (SELECT t.reloptions::text FROM pg_class t WHERE t.oid = c.reltoastrelid)),
			('view', CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END),
			('index', CASE WHEN c.relkind = 'i' THEN pg_get_indexdef(c.oid) END),
			('state of the index', (SELECT concat_ws(' ', i.indisvalid, i.indisclustered, i.indisreplident)
				FROM pg_index i WHERE i.indexrelid = c.oid)),
			('sequence', (SELECT s::text FROM (SELECT format_type(seqtypid, NULL), seqstart, seqincrement,
				seqmax, seqmin, seqcache, seqcycle FROM pg_sequence WHERE seqrelid = c.oid) s)))
			v (key, value)
	UNION ALL
	SELECT o.name, 'column ' || a.attnum, concat_ws(' ', a.attname,
		format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attisdropped, a.attidentity, a.attgenerated,
		a.attstorage, a.attcompression, a.attstattarget, a.attcollation::regcollation,
		(SELECT array_agg(option) FROM unnest(a.attoptions) option
			-- a count that some servers keep
			WHERE option NOT LIKE 'pg\_attver=%')::text, a.attacl::text, pg_get_expr(d.adbin, d.adrelid))
	FROM object o JOIN pg_attribute a ON o.classid = 'pg_class'::regclass AND a.attrelid = o.objid
		LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
	WHERE a.attnum > 0
	UNION ALL
	SELECT o.name, 'constraint ' || c.conname, concat_ws(' ', pg_get_constraintdef(c.oid),
		c.convalidated, c.connoinherit)
	FROM object o JOIN pg_constraint c ON o.classid = 'pg_class'::regclass AND c.conrelid = o.objid
		OR o.classid = 'pg_type'::regclass AND c.contypid = o.objid
	UNION ALL
	SELECT o.name, 'trigger ' || t.tgname, concat_ws(' ', pg_get_triggerdef(t.oid), t.tgenabled)
	FROM object o JOIN pg_trigger t ON o.classid = 'pg_class'::regclass AND t.tgrelid = o.objid
	WHERE NOT t.tgisinternal
	UNION ALL
	SELECT o.name, 'rule ' || r.rulename, concat_ws(' ', pg_get_ruledef(r.oid), r.ev_enabled)
	FROM object o JOIN pg_rewrite r ON o.classid = 'pg_class'::regclass AND r.ev_class = o.objid
	UNION ALL
	SELECT o.name, 'policy ' || p.polname, concat_ws(' ', p.polcmd, p.polpermissive,
		pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
	FROM object o JOIN pg_policy p ON o.classid = 'pg_class'::regclass AND p.polrelid = o.objid
	UNION ALL
	SELECT 'extension', v.key, v.value
	FROM pg_extension x, LATERAL (VALUES ('version', x.extversion),
		('schema', x.extnamespace::regnamespace::text), ('relocatable', x.extrelocatable::text),
		('owner', x.extowner::regrole::text)) v (key, value)
	WHERE x.extname = 'durable_singleton'
	UNION ALL
	SELECT 'extension', 'dumps ' || c.oid::regclass, c.condition
	FROM pg_extension x, LATERAL unnest(x.extconfig, x.extcondition) c (oid, condition)
	WHERE x.extname = 'durable_singleton')
SELECT name || ': ' || key || ': ' || regexp_replace(value, '\s+', ' ', 'g')
FROM property WHERE value IS NOT NULL ORDER BY 1;
};

# In a transaction that is rolled back; before: statements to run first.
sub objects_of
{
	my ($node, $database, $before) = @_;

	return $node->safe_psql($database, "BEGIN;\n" . ($before // '') . ";\n$objects ROLLBACK");
}

# pg_dump's own view of the same: for pg_upgrade it shows the members of an
# extension one by one.
sub dump_of
{
	my ($node, $database) = @_;
	my ($stdout, $stderr) = run_command(
		[
			$node->installed_command('pg_dump'), '--schema-only', '--binary-upgrade',
			'-d', $node->connstr($database)
		]);
	my @lines = split /\n/, $stdout;

	die $stderr if $stderr ne '';
	# without OIDs, relfilenodes and random keys
	s/'\{\d[\d,]*\}'/'{...}'/ foreach @lines;
	return join "\n",
	  grep { !/^SELECT pg_catalog\.binary_upgrade_set_|^\\(un)?restrict |^WHERE oid = '/ && !/relfrozenxid|relminmxid/ } @lines;
}

1;
