# The SQL blocks of a Markdown document, run in order as a reader would, and
# compared with what the document says about their results.  CONTRIBUTING.md
# describes the notation.
package Documents;

use strict;
use warnings;

use Exporter 'import';
use PostgreSQL::Test::Utils;

our @EXPORT = qw(run_document broken_links);

# Languages of fenced blocks other than sql and text: nothing runs them.
my %is_other = map { $_ => 1 } qw(console csharp ini javascript json python yaml), '';

my $statement = qr/(?:SELECT|CALL|CREATE|ALTER|INSERT|UPDATE|DELETE|DROP|GRANT|REVOKE)\b/;

my $anything = "\xe2\x80\xa6";     # an ellipsis in UTF-8
my $n_databases = 0;

# Runs a document's blocks as role "app" in a database of their own.  Returns
# what was found, in order: references to a name and, if it is wrong, how; and
# the reasons of the blocks that are not run.
sub run_document
{
	my ($node, $document, $text) = @_;
	my (@found, @not_run);
	my $found = sub { push @found, [ "$document: $_[0]", $_[1] // '' ] };
	my $database = new_database($node, 1);
	my %next = (role => 'app');
	my $block;

	# A block has to say what comes of it before the next one begins.
	my $end_block = sub {
		$found->("block has a result: $block->{name}",
			$block->{compared} ? '' : 'nothing says what the block results in')
		  if $block && !$block->{not_run};
		undef $block;
	};

	foreach my $part (parse($text))
	{
		my ($kind, $value) = @$part;

		if ($kind eq 'sql')
		{
			$end_block->();
			$block = { name => (split /\n/, $value)[0], %next };
			%next = (role => 'app');
			if (defined $block->{not_run})
			{
				push @not_run, "$block->{name} ($block->{not_run})";
				next;
			}
			run_block($node, $database, $block, $value);
			$found->("block runs: $block->{name}", $block->{problem});
			$found->(@$_) foreach compare_comments($block);
		}
		elsif ($kind =~ /^(?:text|output)$/ && $block && !$block->{not_run})
		{
			$found->("output of: $block->{name}", compare_text($block, $value));
		}
		elsif ($kind eq 'check' && $block)
		{
			my ($status, $stdout, $stderr) = $node->psql($database, "SELECT $value");

			$found->("holds: $value", $stdout eq 't' ? '' : "\"$stdout\" $stderr");
			$block->{compared} = 1;
		}
		elsif ($kind eq 'until')
		{
			$found->("comes to hold: $value",
				$node->poll_query_until($database, "SELECT $value") ? '' : 'it never does');
			$block->{compared} = 1 if $block;
		}
		elsif ($kind eq 'admin')
		{
			$node->safe_psql($database, $value);
		}
		elsif ($kind eq 'database' && $value eq 'new')
		{
			$database = new_database($node, 0);
		}
		elsif ($kind =~ /^(?:role|error|not run)$/)
		{
			$next{ $kind =~ s/ /_/r } = $value;
		}
		elsif ($kind eq 'stray')
		{
			$found->('SQL is in a block of SQL', $value);
		}
		elsif ($kind ne 'text' && !($kind eq 'fence' && $is_other{$value}))
		{
			$found->("known notation: $kind", "\"$kind: $value\" means nothing here");
		}
	}
	$end_block->();
	return (\@found, \@not_run);
}

# A database for a document; with the extension, and a role that may use it.
sub new_database
{
	my ($node, $with_extension) = @_;
	my $name = 'document_' . ++$n_databases;

	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->safe_psql($name, q{
		CREATE EXTENSION durable_singleton;
		GRANT CREATE ON SCHEMA public TO app;
		SELECT df_grant_usage('app')}) if $with_extension;
	return $name;
}

# The parts of a document that matter here, in order: blocks of SQL and of
# text, comments with a key, the languages of other blocks, and SQL that is
# outside of a block of SQL.
sub parse
{
	my ($text) = @_;
	my @parts;

	while ($text =~ /^([ ]*)```(\N*)\n(.*?)^\1```$|^[ ]*<!-- ([a-z ]+):\s(.*?) -->$|^[ ]*(<!--\N*)$|^( {4,}\N*)$/msg)
	{
		my ($indent, $language, $content, $key, $value, $comment, $indented) = ($1, $2, $3, $4, $5, $6, $7);

		if (defined $key)
		{
			push @parts, [ $key, $value ];
		}
		elsif (defined $comment)
		{
			push @parts, [ 'comment', $comment ];
		}
		elsif (defined $indented)
		{
			push @parts, [ 'stray', $indented ] if $indented =~ /^ +$statement.*;/;
		}
		else
		{
			$content =~ s/^$indent//mg;
			push @parts, $language =~ /^(?:sql|text)$/ ? [ $language, $content ] : [ 'fence', $language ];
			push @parts, map { [ 'stray', $_ ] } grep { /^$statement.*;/ } split /\n/, $content
			  unless $language eq 'sql';
		}
	}
	return @parts;
}

# Cuts a block into statements, each with the comment behind its end.  A
# statement ends with its line, outside of dollar quotes.
sub statements
{
	my ($sql) = @_;
	my @statements = ({ text => '' });
	my $quote = '';

	foreach my $line (split /\n/, $sql)
	{
		$statements[-1]{text} .= "$line\n";
		while ($line =~ /(\$\w*\$)/g)
		{
			$quote = $quote eq '' ? $1 : $quote eq $1 ? '' : $quote;
		}
		next unless $quote eq '' && $line =~ /(?:;|\\g\w*)\s*(?:-- (.*?)\s*)?$/;
		$statements[-1]{comment} = $1;
		push @statements, { text => '' };
	}
	pop @statements if $statements[-1]{text} !~ /\S/;
	return @statements;
}

# Runs a block in one session of psql, and sets what each statement has printed.
sub run_block
{
	my ($node, $database, $block, $sql) = @_;
	my @statements = statements($sql);
	my $expects_error = defined $block->{error};
	my $script = $expects_error ? '' : "\\set ON_ERROR_STOP on\n";
	my ($stdout, $stderr);

	$script .= "$_->{text}\n\\echo @@\n" foreach @statements;
	$script .= '\\echo :LAST_ERROR_SQLSTATE' . "\n";
	my $success = IPC::Run::run(
		[
			$node->installed_command('psql'), '-Xq', '-d', $node->connstr($database),
			$block->{role} eq 'superuser' ? () : ('-U', $block->{role})
		],
		'<', \$script, '>', \$stdout, '2>', \$stderr);

	$stderr =~ s/^psql:<stdin>:\d+: //mg;
	$block->{stderr} = $stderr;
	my @outputs = split /^@@\n/m, $stdout, -1;
	my $sqlstate = pop @outputs // '';
	chomp $sqlstate;

	foreach my $statement (@statements)
	{
		push @{ $block->{results} }, { %$statement, output => shift @outputs // '' };
	}
	if ($expects_error)
	{
		my $n_errors = () = $stderr =~ /^ERROR: /mg;

		$block->{compared} = 1;
		$block->{problem} = "$n_errors errors, the last with \"$sqlstate\" instead of $block->{error}: $stderr"
		  unless $n_errors == 1 && $sqlstate eq $block->{error};
	}
	elsif (!$success || $stderr ne '')
	{
		$block->{problem} = $stderr ne '' ? $stderr : 'psql failed';
	}
	return;
}

# The rows of what psql prints for a query.
sub rows
{
	my ($output) = @_;
	my ($rows) = $output =~ /^[-+]+\n(.*?)^\(\d+ rows?\)$/ms or return;

	return map { s/^ +| +$//gr =~ s/ +\| +/ | /gr } split /\n/, $rows;
}

# The pattern of what was announced, in which an ellipsis stands for anything.
sub pattern_of
{
	my ($announced) = @_;

	return join '\N*', map { quotemeta } split /[ ]?$anything/, $announced, -1;
}

# A comment behind a query is its result, columns and rows separated by commas
# (or columns by bars); a remark may follow after a colon.
sub compare_comments
{
	my ($block) = @_;
	my @compared;

	foreach my $result (@{ $block->{results} })
	{
		next unless defined $result->{comment} && $result->{output} =~ /\S/ && !is_void($result->{output});

		my $rows = join ', ', map { s/(?:^|(?<= \| ))t(?= \| |$)/true/gr =~ s/(?:^|(?<= \| ))f(?= \| |$)/false/gr }
		  rows($result->{output});
		my $comment = $result->{comment};
		s/ \| /, /g foreach $rows, $comment;
		my $is_right = $rows =~ /\A@{[ pattern_of($comment) ]}\z/
		  || index($comment, "$rows: ") == 0 && $rows ne '';

		push @compared, [ "result of: " . ($result->{text} =~ s/\A\s+|\s*(?:--.*)?\n\z//gr),
			$is_right ? '' : "announced: $comment; result: $rows" ];
		$result->{compared} = 1;
		$block->{compared} = 1;
	}
	return @compared;
}

# A block of text is what psql prints, but for what a comment has told, and for
# what functions print that return nothing.  Widths of columns do not matter, and
# an ellipsis in a line of its own stands for any lines.
sub compare_text
{
	my ($block, $text) = @_;
	my $tidy = sub {
		return map { s/-{2,}/--/gr } grep { $_ ne '' } map { s/[ ]+/ /gr =~ s/^ | $//gr } split /\n/, $_[0];
	};
	my @printed = map { $tidy->($_->{output}) }
	  grep { !$_->{compared} && !is_void($_->{output}) } @{ $block->{results} };
	my @announced = $tidy->($text);
	my $pattern = join '', map { $_ eq $anything ? '(?:\N*\n)*' : pattern_of($_) . '\n' } @announced;

	push @printed, $tidy->(join "\n", $block->{stderr} =~ /^(?:ERROR|DETAIL|HINT): .*$/mg);
	$block->{compared} = 1;
	return join('', map { "$_\n" } @printed) =~ /\A$pattern\z/ ? '' :
	  join("\n", 'announced:', @announced, 'printed:', @printed);
}

sub is_void
{
	my ($output) = @_;
	my @rows = rows($output);

	return @rows > 0 && !grep { $_ ne '' } @rows;
}

# Links of a document that lead nowhere: to a file that is not there, or to a
# heading that its document does not have.
sub broken_links
{
	my ($folder, $document) = @_;
	my $text = slurp_file("$folder/$document");
	my ($home) = "/$document" =~ m{^/?(.*?)[^/]*$};
	my @broken;

	$text =~ s/^([ ]*)```.*?^\1```$//msg;
	foreach my $link ($text =~ /\]\(([^)\s]+)\)/g)
	{
		next if $link =~ /^(?:https?|mailto):/;

		my ($file, $heading) = $link =~ /^([^#]*)(?:#(.*))?$/;
		my $path = $file eq '' ? "$folder/$document" : "$folder/$home$file";

		push @broken, $link
		  if !-e $path || defined $heading && !grep { $_ eq $heading } headings(slurp_file($path));
	}
	return @broken;
}

# The anchors that a document's headings get.
sub headings
{
	my ($text) = @_;

	return map { lc(s/[^\w\s-]//gr) =~ s/ /-/gr } $text =~ /^#+ (.*)$/mg;
}

1;
