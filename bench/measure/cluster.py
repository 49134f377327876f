"""A private PostgreSQL cluster for one section, and its figures.

It has stock durability: initdb's postgresql.conf, plus the few lines in
Cluster.settings, which are reported.  Nothing here switches off fsync,
synchronous_commit or autovacuum.  The program already runs as an unprivileged
user (see bench/bench), so it starts servers directly.
"""
import os
import re
import socket
import subprocess
import time

import psycopg2

DATABASE = 'bench'
ROLE = 'app'
TICKS = os.sysconf('SC_CLK_TCK')
OUTDATED = ('outdated: %s does not take effect')


def free_port():
    with socket.socket() as sock:
        sock.bind(('127.0.0.1', 0))
        return sock.getsockname()[1]


class Cluster:
    """One server.  Use it as `with ctx.cluster('name') as cluster:`.

    Two roles: the bootstrap superuser for the queries of the benchmark itself,
    and "app", an ordinary role that owns the instances, as in an application.
    The database is "bench".
    """

    def __init__(self, ctx, name, settings=None, preload='durable_singleton',
                 tcp=False):
        self.ctx = ctx
        self.name = name
        self.directory = os.path.join(ctx.base, name)
        self.data = os.path.join(self.directory, 'data')
        self.log = os.path.join(ctx.base, 'log', name + '.log')
        self.preload = preload
        self.port = free_port()
        self.host = '127.0.0.1' if tcp else self.directory
        self.settings = {
            'port': self.port,
            'listen_addresses': '127.0.0.1' if tcp else '',
            'unix_socket_directories': self.directory,
            'shared_preload_libraries': preload,
        }
        self.settings.update(settings or {})
        self.admin = None

    # --- life ---------------------------------------------------------------

    def __enter__(self):
        self.create()
        self.start()
        try:
            self.make_database()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def program(self, name):
        return os.path.join(self.ctx.bindir, name)

    def create(self):
        os.makedirs(self.directory)
        subprocess.run([self.program('initdb'), '-D', self.data, '-A', 'trust',
                        '-U', 'postgres', '--no-instructions'],
                       check=True, stdout=subprocess.DEVNULL)
        with open(os.path.join(self.data, 'postgresql.conf'), 'a') as conf:
            conf.write(self.ctx.server_conf + '\n')
            for key, value in self.settings.items():
                conf.write(f"{key} = '{value}'\n")
        self.ctx.note_settings(self.name, self.settings)

    def control(self, *args):
        subprocess.run([self.program('pg_ctl'), '-D', self.data, '-w', '-s',
                        '-t', '300', *args], check=True,
                       stdout=subprocess.DEVNULL)

    def start(self):
        self.control('-l', self.log, 'start')
        self.admin = None

    def stop(self):
        self.close_admin()
        self.control('-m', 'fast', 'stop')

    def make_database(self):
        connection = self.connect('postgres', 'postgres')
        cursor = connection.cursor()
        cursor.execute(f'CREATE ROLE {ROLE} LOGIN')
        cursor.execute(f'CREATE DATABASE {DATABASE}')
        connection.close()
        self.sql(f'GRANT CREATE ON SCHEMA public TO {ROLE}')
        if 'durable_singleton' in self.preload:
            self.sql('CREATE EXTENSION durable_singleton')
            self.sql(f"SELECT df_grant_usage('{ROLE}')")

    # --- SQL ----------------------------------------------------------------

    def connect(self, user=ROLE, database=DATABASE):
        """A psycopg2 connection in autocommit mode."""
        connection = psycopg2.connect(host=self.host, port=self.port,
                                      user=user, dbname=database,
                                      application_name='bench')
        connection.autocommit = True
        return connection

    def sql(self, query, args=None):
        """Rows of a query run by the superuser; [] if it returns none."""
        if self.admin is None:
            self.admin = self.connect('postgres')
        with self.admin.cursor() as cursor:
            cursor.execute(query, args)
            return cursor.fetchall() if cursor.description else []

    def elsewhere(self, query, args=None):
        """The same in database postgres, on a separate connection."""
        connection = self.connect('postgres', 'postgres')
        with connection.cursor() as cursor:
            cursor.execute(query, args)
            rows = cursor.fetchall()
        connection.close()
        return rows

    def close_admin(self):
        """Ends the superuser's connection; sql() opens another one."""
        if self.admin is not None:
            self.admin.close()
        self.admin = None

    def value(self, query, args=None):
        return self.sql(query, args)[0][0]

    def load(self, name, user=ROLE):
        """Runs bench/sql/NAME with psql."""
        self.psql('-f', self.ctx.sql_file(name), user=user)

    def psql(self, *args, user=ROLE):
        subprocess.run([self.program('psql'), '-X', '-q', '-v',
                        'ON_ERROR_STOP=1', '-h', self.host, '-p',
                        str(self.port), '-U', user, '-d', DATABASE, *args],
                       check=True, stdout=subprocess.DEVNULL)

    def set(self, **settings):
        """ALTER SYSTEM and reload; the first "__" of a name stands for the dot.

        Returns once a new connection sees the values: then the postmaster has
        read them and signaled all other processes.
        """
        for key, value in settings.items():
            name = key.replace('__', '.', 1)
            if value is None:
                self.sql(f'ALTER SYSTEM RESET {name}')
            else:
                self.sql(f"ALTER SYSTEM SET {name} = '{value}'")
        load_time = self.value('SELECT pg_conf_load_time()')
        self.sql('SELECT pg_reload_conf()')
        for _ in range(2000):
            connection = self.connect('postgres')
            with connection.cursor() as cursor:
                cursor.execute('SELECT pg_conf_load_time()')
                seen = cursor.fetchone()[0]
            connection.close()
            if seen > load_time:
                return
            time.sleep(0.002)
        raise RuntimeError(OUTDATED % list(settings))

    # --- load ---------------------------------------------------------------

    def pgbench(self, script, clients=1, seconds=None, transactions=None,
                rate=None, define=None, user=ROLE):
        """Transactions per second of bench/sql/SCRIPT, without connection time."""
        process = self.pgbench_start(script, clients, seconds, transactions,
                                     rate, define, user)
        return self.pgbench_result(process)

    def pgbench_start(self, script, clients=1, seconds=None, transactions=None,
                      rate=None, define=None, user=ROLE, progress=False):
        """The same in the background; pgbench_result waits for the end."""
        command = [self.program('pgbench'), '-n', '-M', 'prepared',
                   '-c', str(clients), '-j', str(min(2, clients)),
                   '-f', self.ctx.sql_file(script), '-h', self.host,
                   '-p', str(self.port), '-U', user]
        command += ['-t', str(transactions)] if transactions else \
            ['-T', str(seconds)]
        if rate:
            command += ['-R', str(rate)]
        if progress:
            command += ['-P', '1']
        for key, value in (define or {}).items():
            command += ['-D', f'{key}={value}']
        return subprocess.Popen(command + [DATABASE], text=True,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def pgbench_progress(self, process):
        """Waits for the end; returns the progress lines."""
        _, err = process.communicate()
        if process.returncode:
            raise RuntimeError('pgbench: ' + err[-600:])
        return err

    def pgbench_result(self, process):
        out, err = process.communicate()
        found = re.search(r'^tps = ([0-9.]+) \(without', out, re.M)
        if process.returncode or not found:
            raise RuntimeError('pgbench: ' + (err or out)[-600:])
        return float(found.group(1))

    # --- figures of the server ----------------------------------------------

    def checkpoint(self):
        """Gives each contender the same start, with clean buffers."""
        self.sql('CHECKPOINT')

    def wal(self):
        """Bytes of WAL written so far."""
        return int(self.value(
            "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"))

    def storage(self, schema='durable_singleton'):
        """Bytes of all tables of a schema with their indexes and TOAST."""
        return int(self.value(
            'SELECT sum(pg_total_relation_size(oid)) FROM pg_class'
            " WHERE relkind = 'r' AND relnamespace = %s::regnamespace",
            (schema,)))

    def dead_tuples(self, schema='durable_singleton'):
        """Dead rows in a schema, according to the statistics."""
        self.sql('SELECT pg_stat_force_next_flush()')
        return int(self.value(
            'SELECT coalesce(sum(n_dead_tup), 0) FROM pg_stat_user_tables'
            ' WHERE schemaname = %s', (schema,)))

    def commits(self, database=DATABASE):
        """Transactions of a database, including those of the benchmark."""
        return int(self.value('SELECT xact_commit + xact_rollback'
                              ' FROM pg_stat_database WHERE datname = %s',
                              (database,)))

    def postmaster(self):
        with open(os.path.join(self.data, 'postmaster.pid')) as file:
            return int(file.readline())

    def processes(self, pattern='durable_singleton'):
        """{pid: backend type} of server processes whose type contains the text."""
        return dict(self.sql(
            'SELECT pid, backend_type FROM pg_stat_activity'
            ' WHERE backend_type LIKE %s', (f'%{pattern}%',)))


# --- figures of a process, from /proc ----------------------------------------

def status_field(pid, field):
    with open(f'/proc/{pid}/status') as status:
        for line in status:
            if line.startswith(field + ':'):
                return int(line.split()[1])
    return 0


def wakeups(pid):
    """The number of times the process has slept: voluntary context switches."""
    return status_field(pid, 'voluntary_ctxt_switches')


def memory(pid):
    """Private memory in bytes; shared_buffers do not count."""
    return status_field(pid, 'RssAnon') * 1024


def stat_fields(pid):
    with open(f'/proc/{pid}/stat') as stat:
        return stat.read().rsplit(')', 1)[1].split()


def cpu_seconds(pid):
    """CPU time, user and system, in units of a clock tick."""
    fields = stat_fields(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS


def children_seconds(pid):
    """The same of the children that have ended."""
    fields = stat_fields(pid)
    return (int(fields[13]) + int(fields[14])) / TICKS
