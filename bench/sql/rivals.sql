-- The tables with which starts are compared.

-- A bare insert: one table, one index.
CREATE TABLE bare (
	id text PRIMARY KEY,
	name text NOT NULL,
	input jsonb);

-- The singleton that an experienced user writes by hand: one row per id, and the
-- index with which workers find work.
CREATE TABLE job (
	id text PRIMARY KEY,
	name text NOT NULL,
	input jsonb,
	output jsonb,
	status text NOT NULL DEFAULT 'pending',
	created timestamptz NOT NULL DEFAULT now(),
	ended timestamptz);
CREATE INDEX job_todo ON job (created) WHERE ended IS NULL;
