#!/bin/bash
# Guess: after DISCARD ALL, which poolers send between two clients, a session is
# as new.
# In fact the random seed and dblink's connections stay.  The next user of the
# session gets the "random" numbers that follow from the seed, finds the name of
# a connection taken, and can use it: a transaction that the one before left
# open on the remote side is still open, with its locks.  Background workers and
# poolers that serve several users must close dblink connections by themselves.
. "$(dirname "$0")/lib.sh"
start_server
run_node "first after the seed: 0.9851677175347999
the same after DISCARD ALL: true
dblink connections after DISCARD ALL: {c}
the remote transaction is open: true
dblink_connect for the next user: 42710 duplicate connection name" <<'END'
const { Client } = require('pg');
(async () => {
  const client = new Client({ host: process.argv[2], user: 'postgres', database: 'postgres' });
  await client.connect();
  const value = async text => Object.values((await client.query({ text, rowMode: 'array' })).rows[0])[0];
  await value('CREATE EXTENSION dblink').catch(() => {});
  await client.query('SELECT setseed(0.5)');
  const first = await value('SELECT random()');
  console.log('first after the seed: ' + first);
  await client.query('SELECT setseed(0.5)');
  await client.query(`SELECT dblink_connect('c', 'dbname=postgres user=postgres host=' ||
    current_setting('unix_socket_directories'))`);
  await client.query(`SELECT dblink_exec('c', 'BEGIN'); SELECT dblink_exec('c', 'CREATE TABLE t ()')`);
  await client.query('DISCARD ALL');
  console.log('the same after DISCARD ALL: ' + (await value('SELECT random()') === first));
  console.log('dblink connections after DISCARD ALL: {' + (await value('SELECT dblink_get_connections()')) + '}');
  console.log('the remote transaction is open: ' + (await value(
    `SELECT count(*) = 1 FROM pg_stat_activity WHERE state = 'idle in transaction' AND backend_xid IS NOT NULL`)));
  await client.query(`SELECT dblink_connect('c', 'dbname=postgres')`)
    .catch(error => console.log(`dblink_connect for the next user: ${error.code} ${error.message}`));
  await client.end();
})();
END
