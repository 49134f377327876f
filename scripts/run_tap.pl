# Runs TAP tests by TAP::Harness, as prove does, and reports a line for each file.
# PGXS calls it in place of prove:
#
#   run_tap.pl [-I DIR]... --log=DIR --limit=SECONDS FILE...
#
# The report goes to file descriptor 3, and the numbers to DIR/tap.counts: passed,
# failed, skipped, and the files that failed.
use strict;
use warnings;
use Fcntl;
use File::Basename;
use Getopt::Long;
use TAP::Harness;

my (@lib, $log, $limit);
GetOptions('I=s' => \@lib, 'log=s' => \$log, 'limit=i' => \$limit) or die 'options';
my @files = @ARGV;

open my $report, '>&=', 3 or die "file descriptor 3: $!";
# the servers that tests start do not get it
fcntl($report, F_SETFD, FD_CLOEXEC) or die "fcntl: $!";
$report->autoflush(1);

my ($passed, $failed, $skipped, @failures) = (0, 0, 0);
my (@notes, $err_size);

sub indented
{
	my ($text) = @_;

	return $text =~ s/^/    /mgr;
}

# The last lines of a file, from some place on.
sub tail
{
	my ($file, $n, $from) = @_;

	open my $handle, '<', $file or return '';
	seek $handle, $from // 0, 0;
	my @lines = <$handle>;
	splice @lines, 0, -$n if @lines > $n;
	return join('', @lines) =~ s/(?<!\n)\z/\n/r;
}

# What a test prints is in a file of its own, with the server's logs beside it; what
# it prints before that file is there comes on the error output.
sub show_failure
{
	my ($name) = @_;
	my $logs = 'tmp_check/log';

	print $report indented(tail("$log/tap.err", 60, $err_size));
	foreach my $file ("$logs/regress_log_$name", sort glob "$logs/${name}_*.log")
	{
		next if !-s $file;
		print $report "    --- $file\n", indented(tail($file, $file =~ /regress_log/ ? 100 : 40));
	}
	return;
}

sub report_file
{
	my ($file, $parser) = @_;
	my $skips = () = $parser->skipped;
	my $good  = (() = $parser->passed) - $skips;
	my $bad   = () = $parser->failed;
	my $took  = sprintf '%.1f s', $parser->end_time - $parser->start_time;
	my $why   = '';

	# A file may also fail as a whole: it died, or did not keep to its plan.
	if ($parser->has_problems && $bad == 0)
	{
		$bad = 1;
		$why = ', ' . (($parser->parse_errors)[0] // 'ended by a signal');
		$why = ", exit status @{[ $parser->exit ]}" if $parser->exit;
		$why = ", stopped after $limit seconds" if $parser->exit == 124 || $parser->exit == 137;
	}
	$passed += $good;
	$failed += $bad;
	$skipped += $skips;

	my ($result, $detail) = ('ok', "$good passed, $took");
	($result, $detail) = ('FAILED', "$good passed, $bad failed$why, $took") if $bad;
	if (!$bad && $good == 0)
	{
		$skipped++ if $skips == 0;
		($result, $detail) = ('skipped', $parser->skip_all // '');
	}
	printf $report "%-8s%-52s%s\n", $result, $file, $detail;
	if ($bad)
	{
		push @failures, $file;
		show_failure(basename($file, '.pl'));
	}
	else
	{
		my %seen;
		print $report map { "    $_\n" } grep { !$seen{$_}++ } @notes;
	}
	return;
}

my $harness = TAP::Harness->new({
		verbosity => -3,
		# each file with a limit of its own
		exec => [ 'timeout', '-k', '30', $limit, $^X, map { "-I$_" } @lib ]
	});
$harness->callback(
	made_parser => sub {
		my ($parser) = @_;

		@notes = ();
		$err_size = -s "$log/tap.err";
		$parser->callback(comment => sub {
				push @notes, $1 if $_[0]->as_string =~ /^# measured: (.*)/;
			});
		$parser->callback(test => sub {
				push @notes, '# skip ' . $_[0]->explanation if $_[0]->has_skip;
			});
	});
$harness->callback(after_test => sub { report_file($_[0][0], $_[1]) });
$harness->runtests(@files);

open my $counts, '>', "$log/tap.counts" or die "$log/tap.counts: $!";
print $counts "$passed $failed $skipped @failures\n";
close $counts;
exit($failed > 0);
