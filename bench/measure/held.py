"""A transaction held open for minutes, and churn: part of section growth.

While a snapshot is held no dead row can be removed.  Two loads run at full
speed, with sixteen clients that start an instance, wait for its end, and start
the next:

- new ids: the dead entries of ended instances are where workers search for work,
- the same thousand ids repeatedly: every row has hundreds of dead versions, and
  every restart archives an execution.  The same with the hand-written
  singleton, two statements on one row, shows the loss of PostgreSQL itself.

The figure is the throughput of the last period compared with that of the
first, with and without the held snapshot.  Autovacuum is on, as in stock.
"""
import re
import time

from measure import instances
from measure.cluster import memory
from measure.report import Result, of_rounds
from measure.rounds import Figure

CLIENTS = 16
# title, script, with and without a held snapshot
LOADS = (('fresh ids', 'churn_fresh.sql', (False, True)),
         ('the same 1,000 ids', 'churn_same.sql', (False, True)),
         ('the same 1,000 ids, hand-written', 'churn_hand.sql', (True,)))


def run(ctx):
    with ctx.cluster('held') as cluster:
        instances.prepare(cluster)
        cluster.load('rivals.sql')
        for title, script, states in LOADS:
            for holding in states:
                yield from one_load(ctx, cluster, title, script, holding)


def one_load(ctx, cluster, title, script, holding):
    seconds = ctx.size(300, 6) if holding else ctx.size(300, 4)
    stretch = ctx.size(10, 2)
    state = 'a snapshot held' if holding else 'nothing held'
    ctx.say(f'growth: {title}, {state}, {seconds} s')
    instances.workers_off(cluster)
    instances.empty(cluster)
    cluster.sql('TRUNCATE job')
    cluster.sql('VACUUM')
    cluster.checkpoint()
    instances.workers_on(cluster)
    holder = cluster.connect()
    if holding:
        cursor = holder.cursor()
        cursor.execute('BEGIN ISOLATION LEVEL REPEATABLE READ')
        cursor.execute('SELECT count(*) FROM bare')
    process = cluster.pgbench_start(script, CLIENTS, seconds=seconds,
                                    progress=True)
    time.sleep(min(5, seconds / 3))
    early = workers_memory(cluster)
    time.sleep(seconds - min(5, seconds / 3) - 1)
    late = workers_memory(cluster)
    per_second = seconds_of(cluster.pgbench_progress(process))
    dead = cluster.dead_tuples()
    size = cluster.storage()
    holder.close()
    instances.workers_off(cluster)
    runs = sum(per_second)
    cluster.sql('VACUUM')
    clean = cluster.storage()
    indexes = cluster.sql(
        'SELECT indexrelname, pg_relation_size(indexrelid)'
        ' FROM pg_stat_user_indexes WHERE schemaname = %s'
        ' ORDER BY 2 DESC LIMIT 1', ('durable_singleton',))[0]
    group = f'{title}, {state} for {seconds} s' if holding else \
        f'{title}, {state}, {seconds} s'
    first = Figure(per_second[:stretch]).median
    last = Figure(per_second[-stretch:]).median
    ours = script != 'churn_hand.sql'
    results = [
        Result(group, f'last {stretch} s compared with the first {stretch} s',
               last / first, 'x', target='>= 0.7' if holding and ours else '',
               details={'per_second': per_second}),
        of_rounds(group, 'runs per second', Figure(per_second), '/s')]
    return results if not ours else results + [
        Result(group, 'dead tuples at the end', dead, ''),
        Result(group, 'tables and indexes at the end', size / 1e6, 'MB',
               note=f'{size / max(1, runs):,.0f} bytes a run'),
        Result(group, 'the same after VACUUM', clean / 1e6, 'MB',
               note=f'largest index {indexes[0]}, {indexes[1] / 1e6:.1f} MB'),
        Result(group, "a worker's own memory at the end", late / 1e6, 'MB',
               note=f'{early / 1e6:.1f} MB at the beginning'),
    ]


def workers_memory(cluster):
    """The value of the largest worker; 0 if there is none at the moment."""
    sizes = [0]
    for (pid,) in cluster.sql('SELECT pid FROM df_stat_workers'):
        try:
            sizes.append(memory(pid))
        except FileNotFoundError:                   # it has just retired
            pass
    return max(sizes)


def seconds_of(progress):
    """Transactions in each second, from pgbench's progress lines."""
    return [float(rate) for rate in
            re.findall(r'^progress: .*? ([0-9.]+) tps', progress, re.M)]
