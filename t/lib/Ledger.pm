# Shared by the tests of tasks and children: an activity that leaves a token in
# a ledger, returns the same token as its result, and can be held at a gate.
package Ledger;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT = qw(create_ledger at_gate);

# The ledger has no constraint that would hide a second run.
sub create_ledger
{
	my ($node) = @_;

	$node->safe_psql('postgres', q{
		CREATE TABLE ledger (instance text, step int, token uuid);
		-- writes, then stands at the gate, if its input has one
		CREATE FUNCTION write(input jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
		DECLARE
			mine uuid := gen_random_uuid();
		BEGIN
			INSERT INTO ledger VALUES (input ->> 'id', (input ->> 'step')::int, mine);
			IF input ? 'gate' THEN
				PERFORM pg_advisory_xact_lock_shared(8, (input ->> 'gate')::int);
			END IF;
			RETURN to_jsonb(mine);
		END $$});
	return;
}

# The query for how many workers stand at a gate.
sub at_gate
{
	return q{
		SELECT count(*) FROM pg_locks l JOIN df_stat_workers w USING (pid)
		WHERE l.locktype = 'advisory' AND NOT l.granted};
}

1;
