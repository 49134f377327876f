"""Idle: the activity of the extension while nothing is due, without instances
and with 100,000 that wait for events and timers.

Two clusters are idle during the same minutes.  A connection to another database
reads the transactions of the database with the instances, and from /proc the
CPU time and voluntary context switches (the number of times a process slept, and
woke) of the processes of the extension.  Some of them start and exit; the CPU
time of ended ones is that of the postmaster's children.

Settings beyond stock: autovacuum is off, because its transactions could not be
distinguished from those of the extension; workers retire after a second, so that
the wait is shorter.  With --quick rescan_interval is short, so that some rescans
happen in the measured time.
"""
import time
from contextlib import ExitStack

from measure import instances
from measure.cluster import (DATABASE, children_seconds, cpu_seconds,
                             wakeups)
from measure.report import Result

TITLE = 'idle, with nothing and with many waiting'
ENDED = ('SELECT xact_commit + xact_rollback FROM pg_stat_database'
         f" WHERE datname = '{DATABASE}'")


def run(ctx):
    rescan, watch = ctx.size(60, 4), ctx.size(120, 8)
    many = ctx.size(100_000, 4_000)
    results = []
    with ExitStack() as stack:
        clusters = {}
        for waiting in (0, many):
            ctx.say(f'idle: {waiting:,} waiting instances')
            cluster = stack.enter_context(ctx.cluster(
                f'idle_{waiting}', settings={
                    'autovacuum': 'off',
                    'durable_singleton.worker_idle_timeout': '1s',
                    'durable_singleton.rescan_interval': f'{rescan}s'}))
            fill(cluster, waiting)
            clusters[waiting] = cluster
        ctx.say('idle: waiting until the last visit is over')
        for cluster in clusters.values():
            until_still(cluster, rescan)
        ctx.say(f'idle: watching for {watch} s')
        watchers = {waiting: Watcher(cluster)
                    for waiting, cluster in clusters.items()}
        time.sleep(watch)
        for waiting, watcher in watchers.items():
            results += watcher.results(waiting, rescan, ctx.quick)
    return results


def fill(cluster, waiting):
    """Starts instances that wait; returns when their workers have exited."""
    instances.prepare(cluster)
    cluster.load('idle.sql')
    instances.workers_on(cluster)
    if waiting:
        for name in ('for_event', 'for_timer', 'for_either'):
            instances.start_many(cluster, name, waiting // 3, name)
        instances.until(lambda: cluster.value(
            'SELECT count(*) FROM df_instances'
            ' WHERE waiting_for IS NOT NULL') == waiting // 3 * 3,
            'the instances do not come to wait', 600, 0.5)
    cluster.sql('VACUUM ANALYZE')
    cluster.checkpoint()
    cluster.close_admin()
    instances.until(lambda: not busy(cluster), 'the workers do not retire',
                    120, 0.2)
    time.sleep(1.5)                 # statistics are written once a second


def until_still(cluster, rescan):
    """Waits for the last rescan after the recent work; then the idle time begins."""
    seen, since = None, 0
    def is_still():
        nonlocal seen, since
        ended = cluster.elsewhere(ENDED)[0][0]
        if ended != seen:
            seen, since = ended, time.monotonic()
        return time.monotonic() - since > 1.5 * rescan
    instances.until(is_still, 'transactions go on', 10 * rescan, 0.5)


def busy(cluster):
    return cluster.elsewhere('SELECT count(*) FROM pg_stat_activity'
                             ' WHERE datname = %s', (DATABASE,))[0][0]


class Watcher:
    """Counters at the beginning, and their growth.

    Uses one connection to another database, which exists the whole time, so
    that neither its transactions nor its process count.
    """

    def __init__(self, cluster):
        self.connection = cluster.connect('postgres', 'postgres')
        self.postmaster = cluster.postmaster()
        self.begun = time.monotonic()
        self.first = self.read()

    def query(self, text):
        with self.connection.cursor() as cursor:
            cursor.execute(text)
            return [row[0] for row in cursor.fetchall()]

    def read(self):
        """Transactions; CPU of ended processes; CPU and wake-ups of live ones."""
        commits = self.query(ENDED)[0]
        processes = self.query('SELECT pid FROM pg_stat_activity'
                               " WHERE backend_type LIKE 'durable_singleton%'")
        return commits, children_seconds(self.postmaster), {
            pid: (cpu_seconds(pid), wakeups(pid)) for pid in processes}

    def results(self, waiting, rescan, quick):
        took = time.monotonic() - self.begun
        commits, ended, processes = self.read()
        self.connection.close()
        before = self.first[2]
        # A process that started meanwhile counts in full.
        cpu = ended - self.first[1] + sum(
            value - before.get(pid, (0, 0))[0]
            for pid, (value, _) in processes.items())
        woken = sum(value - before.get(pid, (0, 0))[1]
                    for pid, (_, value) in processes.items())
        group = f'{waiting:,} waiting instances, {took:.0f} s'
        return [
            Result(group, 'transactions per rescan_interval',
                   (commits - self.first[0]) / took * rescan, '',
                   target='<= 1'),
            Result(group, 'CPU of all processes', cpu / took * 100, '%',
                   target='' if quick else '<= 0.1',
                   note=f'rescans each {rescan} s here' if quick else ''),
            Result(group, 'wake-ups', woken / took, '/s'),
            Result(group, 'processes', len(processes), ''),
        ]
