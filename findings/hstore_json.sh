#!/bin/bash
# Guess: to_jsonb() of a value and back, as jsonb_populate_record() does it, gives
# the value, for every type of PostgreSQL's own extensions.
# In fact hstore has a cast to json, which to_jsonb() uses, and no way back: an
# object is handed to hstore's input function as JSON text, which it does not
# read.  A workflow that passes such a value from one step to the next as JSON
# fails at the second; hstore::text passes.
. "$(dirname "$0")/lib.sh"
start_server
run_node "to_jsonb: {\"a\": \"1\"}
back: 42601 syntax error in hstore, near \"\"\" at position 6
back, as text: \"a\"=>\"1\"" <<'END'
const { Client } = require('pg');
(async () => {
  const client = new Client({ host: process.argv[2], user: 'postgres', database: 'postgres' });
  await client.connect();
  const value = async text => (await client.query({ text, rowMode: 'array' })).rows[0][0];
  await client.query('CREATE EXTENSION hstore; CREATE TABLE t (h hstore)');
  console.log('to_jsonb: ' + (await value(`SELECT to_jsonb('a=>1'::hstore)::text`)));
  const back = given => value(`SELECT (jsonb_populate_record(NULL::t, jsonb_build_object('h', ${given}))).h::text`);
  console.log('back: ' + (await back(`to_jsonb('a=>1'::hstore)`).catch(error => error.code + ' ' + error.message)));
  console.log('back, as text: ' + (await back(`'a=>1'::hstore::text`)));
  await client.end();
})();
END
