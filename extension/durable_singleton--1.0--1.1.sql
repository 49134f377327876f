-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION durable_singleton UPDATE TO '1.1'" to load this file. \quit

-- As in the script of 1.0: nothing is looked up in the target schema.
SET LOCAL search_path = pg_catalog, pg_temp;
