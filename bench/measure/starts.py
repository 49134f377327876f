"""Starts: new ids, running ids, ended ids, a million.

Workers are switched off, to measure only the start.  It is compared with

- a bare INSERT ... ON CONFLICT DO NOTHING into a table with one index: no start
  that is written to a table can be cheaper,
- the singleton that an experienced user writes by hand in one statement,
- for duplicates, which are answered without a write, SELECT 1.

Every run of every contender begins with an empty table and after a checkpoint,
and the ids are of the same kind.
"""
import time

from measure import instances
from measure.report import of_rounds
from measure.rounds import interleave

TITLE = 'starts per second'
CLIENTS = (1, 8, 32)
US = 'df_start_singleton'
US_ALIKE = 'df_start_singleton, keep_executions = 0'


def run(ctx):
    with ctx.cluster('starts') as cluster:
        instances.prepare(cluster)
        cluster.load('rivals.sql')
        for part, name in ((fresh, 'fresh'), (duplicates, 'duplicates'),
                           (restarts, 'restarts'), (bulk, 'bulk')):
            if ctx.wants(name):
                yield from part(ctx, cluster)


def cleared(cluster):
    """Empty tables and a checkpoint, the same for each contender."""
    instances.empty(cluster)
    cluster.sql('TRUNCATE bare, job')
    cluster.checkpoint()


def fresh(ctx, cluster):
    seconds = ctx.size(5, 1)
    scripts = {US: 'start.sql', 'bare insert': 'start_bare.sql',
               'hand-written': 'start_hand.sql'}
    results = []
    for clients in CLIENTS:
        ctx.say(f'starts: fresh ids, {clients} client(s)')
        rounds = interleave(
            {name: lambda _, file=file: cluster.pgbench(file, clients, seconds)
             for name, file in scripts.items()},
            ctx.rounds, before=lambda _: cleared(cluster))
        group = f'fresh ids, {clients} client' + 's' * (clients > 1)
        results.append(of_rounds(
            group, 'ratio to the bare insert', rounds.ratio(US, 'bare insert'),
            'x', target='>= 0.8' if clients > 1 else ''))
        results.append(of_rounds(
            group, 'ratio to the hand-written one',
            rounds.ratio(US, 'hand-written'), 'x'))
        results += absolute(group, rounds, scripts)
    return results


def absolute(group, rounds, names):
    return [of_rounds(group, f'{name}, absolute', rounds.figure(name), '/s')
            for name in names]


def duplicates(ctx, cluster):
    """Starts of an id whose instance is running, and waits for an event."""
    seconds = ctx.size(5, 1)
    cleared(cluster)
    cluster.psql('-c', "SELECT df_start_singleton('wait_event', 'hot')")
    cluster.psql('-c', "INSERT INTO job (id, name) VALUES ('hot', 'noop')")
    instances.workers_on(cluster)
    instances.until(lambda: cluster.value(
        "SELECT count(*) FROM df_instances WHERE waiting_for = 'event go'"),
        'the hot instance does not wait')
    instances.workers_off(cluster)
    scripts = {US: 'duplicate.sql', 'SELECT 1': 'select1.sql',
               'hand-written': 'duplicate_hand.sql'}
    results = []
    for clients in ctx.size(CLIENTS, CLIENTS[1:]):
        ctx.say(f'starts: one running id, {clients} client(s)')
        rounds = interleave(
            {name: lambda _, file=file: cluster.pgbench(file, clients, seconds)
             for name, file in scripts.items()}, ctx.rounds)
        group = f'one running id, {clients} client' + 's' * (clients > 1)
        results.append(of_rounds(group, 'ratio to SELECT 1',
                                 rounds.ratio(US, 'SELECT 1'), 'x',
                                 target='>= 0.6'))
        results.append(of_rounds(group, 'ratio to the hand-written one',
                                 rounds.ratio(US, 'hand-written'), 'x'))
        results += absolute(group, rounds, scripts)
    return results


def restarts(ctx, cluster):
    """Starts of ended ids, each id once.

    The old execution is archived, which the hand-written statement does not do;
    with keep_executions = 0 both do the same.
    """
    results = []
    for clients, share in ctx.size(((1, 5000), (8, 4000), (32, 1250)),
                                   ((8, 600), (32, 150))):
        ctx.say(f'starts: ended ids, {clients} client(s)')
        count = clients * share

        def prepare(name):
            cleared(cluster)
            if name in (US, US_ALIKE):
                keep = 10 if name == US else 0
                cluster.set(**{'durable_singleton.keep_executions': keep})
                instances.start_many(cluster, 'noop', count, 'old')
                instances.drain(cluster)
                instances.workers_off(cluster)
            else:
                cluster.sql(
                    'INSERT INTO job (id, name, input, output, status, ended)'
                    " SELECT 'old-' || n, 'noop', '{\"n\": 1}', '{\"n\": 1}',"
                    " 'completed', now() FROM generate_series(1, %s) n",
                    (count,))
            # The state after a day of work.
            cluster.sql('VACUUM ANALYZE job, durable_singleton.instance')
            cluster.checkpoint()

        def measured(script):
            return lambda _: cluster.pgbench(
                script, clients, transactions=share,
                define={'k': 0, 'share': share})

        rounds = interleave({US: measured('restart.sql'),
                             US_ALIKE: measured('restart.sql'),
                             'hand-written': measured('restart_hand.sql')},
                            ctx.rounds, before=prepare)
        group = f'ended ids, {clients} client' + 's' * (clients > 1)
        results.append(of_rounds(group, 'ratio to the hand-written one',
                                 rounds.ratio(US, 'hand-written'), 'x',
                                 target='>= 1.0'))
        results.append(of_rounds(group, 'the same, keep_executions = 0',
                                 rounds.ratio(US_ALIKE, 'hand-written'), 'x'))
        results += absolute(group, rounds, (US, US_ALIKE, 'hand-written'))
    return results


def bulk(ctx, cluster):
    """Very many starts in one statement."""
    count = ctx.size(1_000_000, 20_000)
    ctx.say(f'starts: {count:,} in one statement')

    def timed(query):
        def run_query(_):
            begun = time.monotonic()
            cluster.psql('-c', query)
            return count / (time.monotonic() - begun)
        return run_query

    series = f'generate_series(1, {count}) n'
    rounds = interleave({
        US: timed("SELECT count(*) FROM (SELECT df_start_singleton('noop',"
                  f" 'order-' || n, '{{\"n\": 1}}') FROM {series} OFFSET 0) s"),
        'bare insert': timed(
            "INSERT INTO bare SELECT 'order-' || n, 'noop', '{\"n\": 1}'"
            f' FROM {series} ON CONFLICT DO NOTHING'),
        'hand-written': timed(
            "INSERT INTO job (id, name, input) SELECT 'order-' || n, 'noop',"
            f" '{{\"n\": 1}}' FROM {series}"
            ' ON CONFLICT (id) DO UPDATE SET name = excluded.name'
            ' WHERE job.ended IS NOT NULL RETURNING true'),
    }, min(ctx.rounds, 3), before=lambda _: cleared(cluster))
    group = f'{count:,} in one statement'
    return [of_rounds(group, 'ratio to the bare insert',
                      rounds.ratio(US, 'bare insert'), 'x'),
            of_rounds(group, 'ratio to the hand-written one',
                      rounds.ratio(US, 'hand-written'), 'x'),
            *absolute(group, rounds, (US, 'bare insert', 'hand-written'))]
