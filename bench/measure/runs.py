"""Runs: the number of instances of several shapes that workers process per second,
and the costs of an instance in WAL, storage and dead tuples.

Instances of each shape are started with workers switched off and then processed
by 1, 2 and 4 workers, in interleaved rounds; instances.py describes the clock.
The tables are empty and clean before each run.  "x" next to the number of
workers is the ratio to one worker in the same round.

WAL is that of the start and the run, after a checkpoint and without a vacuum in
between, so there are few page images.  Storage is the growth of the extension's
tables and indexes, before and after VACUUM.
"""
import time

from measure import instances
from measure.report import of_rounds
from measure.rounds import Figure, interleave

TITLE = 'instances run per second, and what one costs'
WORKERS = (1, 2, 4)
BALLS = 10
TURNS = 20

# name, orchestrator, number (full, quick), target for one worker, and the unit, if
# an instance is more than one
SHAPES = (
    ('no-op', 'noop', (100_000, 10_000), '>= 20000', None),
    ('3 activities', 'three', (10_000, 1_500), '>= 6000', None),
    ('10 activities', 'ten', (3_000, 200), '', None),
    ('fan-out of 100 tasks', 'fan_out', (200, 20), '', None),
    ('timer', 'timer', (20_000, 1_500), '', None),
    ('event ping-pong', 'player', (1_000, 60), '', ('events', BALLS)),
    ('eternal turns', 'eternal', (2_000, 200), '', ('turns', TURNS)),
)


def run(ctx):
    with ctx.cluster('runs') as cluster:
        instances.prepare(cluster)
        shapes = [shape for shape in SHAPES if ctx.wants(shape[0])]
        for shape in shapes:
            yield from one_shape(ctx, cluster, *shape)
        for shape in shapes:
            if shape[0] in ('no-op', '3 activities', 'eternal turns'):
                yield from costs(ctx, cluster, *shape)


def start(cluster, orchestrator, count):
    if orchestrator == 'player':
        pairs_text = (
            "format('{\"other\": \"i-%%s\", \"serves\": %%s, \"turns\": "
            f"{BALLS}}}', n + CASE n %% 2 WHEN 1 THEN 1 ELSE -1 END,"
            " (n %% 2 = 1)::text)")
        instances.start_many(cluster, orchestrator, count, text=pairs_text)
    elif orchestrator == 'eternal':
        instances.start_many(cluster, orchestrator, count,
                             text=f"'{{\"turns\": {TURNS}}}'")
    else:
        instances.start_many(cluster, orchestrator, count)


def fresh(cluster):
    instances.workers_off(cluster)
    instances.empty(cluster)
    cluster.checkpoint()


def one_shape(ctx, cluster, title, orchestrator, sizes, target, unit):
    count = ctx.size(*sizes)
    unit_name, factor = unit or ('instances', 1)
    ctx.say(f'runs: {title}')

    def drained(workers):
        def once(_):
            fresh(cluster)
            instances.set_workers(cluster, workers)
            start(cluster, orchestrator, count)
            rate = count * factor / instances.drain(cluster)
            bad = instances.failed(cluster)
            if bad:
                raise RuntimeError(f'{title}: {bad} did not complete')
            return rate
        return once

    rounds = interleave({workers: drained(workers) for workers in WORKERS},
                        ctx.rounds)
    instances.workers_off(cluster)
    results = []
    for workers in WORKERS:
        name = f'{workers} worker' + 's' * (workers > 1)
        note = ''
        if workers > 1:
            ratio = rounds.ratio(workers, 1)
            note = f'{ratio.median:.2f} × one worker'
        results.append(of_rounds(
            f'{title}: {unit_name} per second', name, rounds.figure(workers),
            '/s', target if workers == 1 else '', note,
            count=count, workers=workers))
    return results


def costs(ctx, cluster, title, orchestrator, sizes, _target, unit):
    """WAL, storage and dead tuples of an instance, each in a separate round."""
    count = ctx.size(*sizes)
    unit_name, factor = unit or ('instance', 1)
    ctx.say(f'runs: costs of {title}')
    wal, before, after, dead = [], [], [], []
    for _ in range(ctx.size(3, 1)):
        fresh(cluster)
        instances.set_workers(cluster, 1)
        cluster.sql('VACUUM')
        cluster.checkpoint()
        size, lsn = cluster.storage(), cluster.wal()
        start(cluster, orchestrator, count)
        instances.drain(cluster)
        instances.workers_off(cluster)
        wal.append((cluster.wal() - lsn) / count)
        before.append((cluster.storage() - size) / count)
        dead.append(dead_of(cluster) / count)
        cluster.sql('VACUUM')
        after.append((cluster.storage() - size) / count)
    noop = orchestrator == 'noop'
    group = f'{title}: costs of an instance' + \
        (f' of {factor} {unit_name}' if unit else '')
    return [
        of_rounds(group, 'WAL, start and run', Figure(wal), 'bytes',
                  '<= 700' if noop else ''),
        of_rounds(group, 'tables and indexes', Figure(before), 'bytes'),
        of_rounds(group, 'the same after VACUUM', Figure(after), 'bytes',
                  '<= 400' if noop else ''),
        of_rounds(group, 'dead tuples', Figure(dead), ''),
    ]


def dead_of(cluster):
    """Dead tuples, once the workers' statistics have arrived."""
    time.sleep(1)
    return cluster.dead_tuples()
