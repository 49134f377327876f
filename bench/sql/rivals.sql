-- What starts are measured beside.

-- A bare insert: one table, one index.
CREATE TABLE bare (
	id text PRIMARY KEY,
	name text NOT NULL,
	input jsonb);

-- The singleton that a competent user writes by hand: a row an id, and the
-- index by which workers find what is to be done.
CREATE TABLE job (
	id text PRIMARY KEY,
	name text NOT NULL,
	input jsonb,
	output jsonb,
	status text NOT NULL DEFAULT 'pending',
	created timestamptz NOT NULL DEFAULT now(),
	ended timestamptz);
CREATE INDEX job_todo ON job (created) WHERE ended IS NULL;
