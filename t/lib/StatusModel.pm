# The state machine of instances as the contract tells it: a small reference
# model that says what every call of a client must answer.
#
# An id here is a symbol: a letter for an id that the client chooses, n1, n2 ...
# for one that the server makes, "a kid" for the child of a.  Values of jsonb are
# their text; ~ stands for a value that the contract leaves open.
package StatusModel;

use strict;
use warnings;
use Storable qw(dclone);

my %ended = map { $_ => 1 } qw(Completed Failed Terminated);

# keep: how many past executions are kept
sub new
{
	my ($class, $keep) = @_;

	return bless {
		keep     => $keep,
		mended   => 0,     # false: activities that can fail do
		instance => {},
		log      => {},    # id => how often it wrote its log
		orphaned => {},    # executions ended under a child that may still run
		count    => 0,     # executions
		unclear  => 0,     # true: the contract does not say what comes next
		seen     => {},    # how often each cell of the status table was reached
		families => 0,     # children
	  },
	  $class;
}

# What a savepoint keeps.
sub snapshot
{
	my ($self) = @_;

	return dclone([ @$self{qw(mended instance orphaned log)} ]);
}

sub restore
{
	my ($self, $snapshot) = @_;

	@$self{qw(mended instance orphaned log)} = @{ dclone($snapshot) };
	return;
}

sub status_of
{
	my ($self, $id) = @_;

	return ($self->{instance}{$id} // { status => 'none' })->{status};
}

# Makes the call and returns its expected answer: a value or an SQLSTATE.
sub call
{
	my ($self, $op) = @_;
	my $method = "call_$op->{call}";

	$self->{unclear} = 1
	  if defined $op->{id} && $op->{call} ne 'status'
	  && $self->status_of($op->{id}) eq '~';
	$self->{seen}{"$op->{call} $op->{variant}"}{ $self->status_of($op->{id}) }++
	  if defined $op->{id};
	return $self->$method($op);
}

#
# Starts
#

sub fresh
{
	my ($self, $id, $from) = @_;

	return {
		execution => ++$self->{count},
		parent    => $from->{parent},
		function => $from->{function},
		input    => $from->{input},
		status   => 'Pending',
		later    => $from->{later},
		events   => [],
		past     => 0,
		story    => ['ExecutionStarted'],
	};
}

# A new execution, in the place of the present one if there is one.
sub begin
{
	my ($self, $id, $from) = @_;
	my $old = $self->{instance}{$id};
	my $new = $self->fresh($id, $from);

	if ($old)
	{
		$self->abandon($old) unless $ended{ $old->{status} };
		$new->{past} = $old->{past} + 1;
		$new->{past} = $self->{keep} if $new->{past} > $self->{keep};
	}
	$self->{instance}{$id} = $new;
	return;
}

sub call_start
{
	my ($self, $op) = @_;
	my $instance = $self->{instance}{ $op->{id} };
	my @reuse = @{ $op->{reuse} // [qw(Completed Failed Terminated)] };
	my $free = 1;

	return 'SD400' if grep { !$ended{$_} } @reuse;
	if ($instance && $ended{ $instance->{status} })
	{
		$free = grep { $_ eq $instance->{status} } @reuse;
	}
	elsif ($instance)
	{
		$free = $op->{conflict} eq 'terminate';
	}
	return $op->{conflict} eq 'skip' ? 'false' : 'SD409' unless $free;
	$self->begin($op->{id}, $op);
	return 'true';
}

sub call_start_new
{
	my ($self, $op) = @_;
	my $id = $op->{id} // $op->{as};
	my $instance = $self->{instance}{$id};

	return 'SD409' if $instance && !$ended{ $instance->{status} };
	$self->begin($id, $op);
	return kind_of_id($id);
}

sub call_restart
{
	my ($self, $op) = @_;
	my $instance = $self->{instance}{ $op->{id} };
	my $id = $op->{as} // $op->{id};

	return 'SD404' unless $instance;
	return 'SD409' if !$op->{as} && !$ended{ $instance->{status} };
	$self->begin(
		$id,
		{
			function => $instance->{function},
			input    => $instance->{input},
			later    => 0
		});
	return kind_of_id($id);
}

sub kind_of_id
{
	my ($id) = @_;

	return $id =~ /^n/ ? 'a uuid' : 'the id';
}

#
# Calls that steer
#

# '' if the instance has one of the statuses, else the error.
sub refused
{
	my ($self, $id, @allowed) = @_;
	my $instance = $self->{instance}{$id} or return 'SD404';

	return '' if grep { $_ eq $instance->{status} } @allowed;
	return $ended{ $instance->{status} } ? 'SD410' : 'SD409';
}

my @active = qw(Pending Running active Suspended);

sub call_raise_event
{
	my ($self, $op) = @_;
	my $error = $self->refused($op->{id}, @active);

	return $error if $error;
	push @{ $self->{instance}{ $op->{id} }{events} },
	  [ lc $op->{event}, $op->{data} ];
	return '';
}

sub call_terminate
{
	my ($self, $op) = @_;
	my $error = $self->refused($op->{id}, @active);

	return $error if $error;
	$self->abandon($self->{instance}{ $op->{id} });
	$self->end($self->{instance}{ $op->{id} },
		'Terminated', output => defined $op->{reason} ? qq("$op->{reason}") : '');
	return '';
}

sub call_suspend
{
	my ($self, $op) = @_;
	my $error = $self->refused($op->{id}, qw(Pending Running active));
	my $instance = $self->{instance}{ $op->{id} };

	return $error if $error;
	$instance->{before} = $instance->{status};
	$instance->{status} = 'Suspended';
	happened($instance, 'ExecutionSuspended');
	return '';
}

sub call_resume
{
	my ($self, $op) = @_;
	my $error = $self->refused($op->{id}, 'Suspended');
	my $instance = $self->{instance}{ $op->{id} };

	return $error if $error;
	$instance->{status} = $instance->{before};
	happened($instance, 'ExecutionResumed');
	return '';
}

# 'active': the contract does not say which of Pending and Running, nor what
# becomes of the events of the failure.
sub call_rewind
{
	my ($self, $op) = @_;
	my $error = $self->refused($op->{id}, 'Failed');
	my $instance = $self->{instance}{ $op->{id} };

	return $error if $error;
	$instance->{status} = 'active';
	$instance->{story}  = undef;
	delete $instance->{failure};

	# A failed child goes on with it: at once, or soon after.
	if (my $end = delete $instance->{child_end})
	{
		my $kid = $self->{instance}{"$op->{id} kid"};

		delete $instance->{child};
		if ($kid && $end->{status} eq 'Failed')
		{
			$instance->{child} = 1;
			$kid->{status}     = '~';
			$kid->{story}      = undef;
			$kid->{output}     = $kid->{failure} = '~';
			$kid->{parent}     = [ $op->{id}, $instance->{execution} ];
		}
	}
	return '';
}

sub call_purge
{
	my ($self, $op) = @_;
	my $instance = $self->{instance}{ $op->{id} };

	return 0 unless $instance;
	return 'SD409' unless $ended{ $instance->{status} };
	return $self->remove($op->{id});
}

# Is the execution that started it as its child still active?
sub is_wanted
{
	my ($self, $instance) = @_;
	my ($id, $execution) = @{ $instance->{parent} // return };
	my $parent = $self->{instance}{$id};

	return $parent
	  && $parent->{execution} == $execution
	  && !$ended{ $parent->{status} };
}

# An ended instance and its ended child.
sub remove
{
	my ($self, $id) = @_;
	my $kid = $self->{instance}{"$id kid"};

	delete $self->{instance}{$id};
	$self->{unclear} = 1 if $kid && $kid->{status} eq '~';
	return 1 unless $kid && $kid->{parent} && $ended{ $kid->{status} };
	delete $self->{instance}{"$id kid"};
	return 2;
}

sub call_purge_by
{
	my ($self, $op) = @_;
	my %wanted = map { $_ => 1 } @{ $op->{statuses} // [ keys %ended ] };
	my $n = 0;

	return 'SD400' if grep { !$ended{$_} } keys %wanted;
	return 0 if $op->{none};
	foreach my $id (sort keys %{ $self->{instance} })
	{
		my $instance = $self->{instance}{$id} or next;

		next unless $wanted{ $instance->{status} };
		next if $self->is_wanted($instance);
		$n += $self->remove($id);
	}
	return $n;
}

sub call_mend
{
	my ($self, $op) = @_;

	$self->{mended} = $op->{value};
	return '';
}

sub call_status
{
	my ($self, $op) = @_;
	my $log = $self->{log}{ $op->{id} } // 0;
	my $i = $self->{instance}{ $op->{id} } or return "none|0|$log";

	return join '|', $i->{function}, $i->{status}, $i->{input},
	  $i->{custom} // '', $i->{output} // '', $i->{failure} // '',
	  $i->{story} ? join(' ', @{ $i->{story} }) : '*', $i->{past}, $log;
}

#
# CALL df_run(): everything that can go on does
#

sub call_run
{
	my ($self) = @_;
	my $before;

	foreach my $instance (values %{ $self->{instance} })
	{
		next unless $instance->{status} eq '~';
		$self->{unclear} = 1 if $self->{orphaned}{ $instance->{parent}[1] };
		$instance->{status} = 'active';
		delete @$instance{qw(output failure)};
	}
	do
	{
		$before = join ' ', map { $_->{status} } values %{ $self->{instance} };
		foreach my $id (sort keys %{ $self->{instance} })
		{
			my $instance = $self->{instance}{$id};

			next if $ended{ $instance->{status} };
			if ($instance->{parent} && $self->{orphaned}{ $instance->{parent}[1] })
			{
				$self->end($instance, 'Terminated', output => '~');
				next;
			}
			next if $instance->{status} eq 'Suspended' || $instance->{later};
			my $function = $instance->{function};
			$instance->{status} = 'Running';
			$self->$function($instance, $id);
		}
	} while $before ne join ' ', map { $_->{status} } values %{ $self->{instance} };
	return '';
}

# The execution is ended by a client: so will be its child, soon after.
sub abandon
{
	my ($self, $instance) = @_;

	$self->{orphaned}{ $instance->{execution} } = 1;
	return;
}

# Adds to the history of an execution, unless it is one that cannot be told.
sub happened
{
	my ($instance, @events) = @_;

	push @{ $instance->{story} }, @events if $instance->{story};
	return;
}

sub end
{
	my ($self, $instance, $status, %result) = @_;

	happened($instance,
		$status eq 'Terminated' ? 'ExecutionTerminated' : 'ExecutionCompleted');
	# a failed one may be rewound, and its events taken then
	$instance->{status} = $status;
	$instance->{events} = [] if $status ne 'Failed';
	@$instance{ keys %result } = values %result;
	if ($instance->{parent})
	{
		my $parent = $self->{instance}{ $instance->{parent}[0] };

		return unless $self->is_wanted($instance);
		$parent->{child_end} = { %$instance, status => $status };
		happened($parent,
			$status eq 'Completed'
			? 'SubOrchestrationInstanceCompleted'
			: 'SubOrchestrationInstanceFailed');
	}
	return;
}

sub complete
{
	my ($self, $instance, $output) = @_;

	return $self->end($instance, 'Completed', output => $output);
}

# The activity that can fail; directly: called as an ordinary function.
sub fix
{
	my ($self, $instance, $directly) = @_;

	happened($instance, 'TaskScheduled', $self->{mended} ? 'TaskCompleted' : 'TaskFailed')
	  unless $directly;
	return 1 if $self->{mended};
	$self->end($instance, 'Failed', failure => 'P0001');
	return 0;
}

# The activity that writes the log; each of its places in an execution once.
sub note
{
	my ($self, $instance, $id, $place) = @_;

	return if $instance->{noted}{$place}++;
	$self->{log}{$id}++;
	happened($instance, 'TaskScheduled', 'TaskCompleted');
	return;
}

# The event's data, or nothing if it has not come.
sub take
{
	my ($self, $instance, $name) = @_;
	my $events = $instance->{events};

	foreach my $n (0 .. $#$events)
	{
		next if $events->[$n][0] ne $name;
		happened($instance, 'EventRaised');
		return [ splice @$events, $n, 1 ];
	}
	return;
}

# The functions of the test, by name: what each does when it may go on.

sub m_done
{
	my ($self, $instance) = @_;

	return $self->complete($instance, $instance->{input});
}

sub m_wait
{
	my ($self, $instance) = @_;

	$instance->{custom} = '"waiting"';
	my $event = $self->take($instance, 'go') or return;
	return $self->complete($instance, $event->[0][1]);
}

sub m_acts
{
	my ($self, $instance, $id) = @_;

	$self->note($instance, $id, 1);
	my $event = $self->take($instance, 'go') or return;
	$self->note($instance, $id, 2);
	return $self->complete($instance, $event->[0][1]);
}

sub m_fail
{
	my ($self, $instance, $id) = @_;

	$self->note($instance, $id, 1);
	return $self->complete($instance, '"fixed"') if $self->fix($instance);
	return;
}

sub m_late
{
	my ($self, $instance, $id) = @_;

	if (!$instance->{fixed})
	{
		$self->fix($instance) or return;
		$instance->{fixed} = 1;
	}
	my $event = $self->take($instance, 'go') or return;
	return $self->complete($instance, $event->[0][1]);
}

sub m_raise
{
	my ($self, $instance) = @_;

	return $self->complete($instance, '"fixed"') if $self->fix($instance, 1);
	return;
}

sub m_catch
{
	my ($self, $instance, $id) = @_;

	if (!$instance->{first})
	{
		$instance->{first} = $self->{mended} ? '"fixed"' : '"caught"';
		happened($instance, 'TaskScheduled',
			$self->{mended} ? 'TaskCompleted' : 'TaskFailed');
	}
	$self->note($instance, $id, 1);
	return $self->complete($instance, qq([$instance->{first}, "fixed"]))
	  if $self->fix($instance);
	return;
}

sub m_fan
{
	my ($self, $instance, $id) = @_;

	# side by side: in no order that one could foresee
	$instance->{story} = undef;
	$self->note($instance, $id, $_) foreach 1, 3;
	return $self->complete($instance, '["noted", "fixed", "noted"]')
	  if $self->fix($instance);
	return;
}

sub m_timer
{
	my ($self, $instance) = @_;

	$instance->{custom} = '"sleeping"';
	happened($instance, 'TimerCreated') unless $instance->{sleeps}++;
	return;
}

# calls a child whose id it chooses
sub m_family
{
	my ($self, $instance, $id) = @_;
	my $kid = $self->{instance}{"$id kid"};

	if (!$instance->{child})
	{
		# is the child of the execution before ended, or about to be?
		$self->{unclear} = 1 if $kid && !$ended{ $kid->{status} };
		$self->{families}++;
		$self->begin(
			"$id kid",
			{
				function => 'm_kid',
				input    => $instance->{input},
				parent   => [ $id, $instance->{execution} ]
			});
		$instance->{child} = 1;
		happened($instance, 'SubOrchestrationInstanceCreated');
	}
	my $end = $instance->{child_end} or return;
	return $self->complete($instance, $end->{output}) if $end->{status} eq 'Completed';
	return $self->end($instance, 'Failed',
		failure => $end->{status} eq 'Failed' ? $end->{failure} : 'SD410');
}

sub m_kid
{
	my ($self, $instance) = @_;

	$instance->{data} //= $self->take($instance, 'go') or return;
	return $self->complete($instance, $instance->{data}[0][1])
	  if $self->fix($instance);
	return;
}

# three turns, each takes an item; the second function drops what is left
sub m_loop
{
	my ($self, $instance, $id, $drop) = @_;

	for (;;)
	{
		$instance->{custom} = $instance->{input};
		my $event = $self->take($instance, 'item') or return;
		return $self->complete($instance, $event->[0][1])
		  if $instance->{input} % 10 >= 2;
		$instance->{input}++;
		$instance->{events} = [] if $drop;
		$instance->{story} = ['ExecutionStarted'];
	}
}

sub m_drop
{
	my ($self, $instance, $id) = @_;

	return $self->m_loop($instance, $id, 1);
}

1;
