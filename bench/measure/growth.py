"""Growth: the figures of an empty database compared with those of one with
millions of ended and of waiting instances; then long transactions and churn in
held.py.

One cluster for each size, all running at the same time, so that rounds
interleave: starts and the drain of the started instances, and the latency from
a start to its end.  The tables are filled with copies of a real ended and a
real waiting instance.  Their ids are spread over the key space from which new
ids are drawn, so every start hits a random page.  A bare INSERT into a table
with as many rows shows the loss of any index.  shared_buffers has the size
that a server with such tables would use: with the stock 128 MB each random page
of a primary key of 1 GB would be read from the kernel, and an old one written.
"""
from contextlib import ExitStack

from measure import held, instances, latency
from measure.report import of_rounds
from measure.rounds import Rounds, order, percentile

TITLE = 'growth: many instances, long transactions, churn'
CLIENTS = 8
SETTINGS = {'shared_buffers': '2GB'}
# The range of random() in the scripts, always fifteen digits.
FIRST_ID, LAST_ID = 10 ** 14, 10 ** 15 - 1


def run(ctx):
    if ctx.wants('sizes'):
        yield from many(ctx)
    if ctx.wants('held'):
        yield from held.run(ctx)


def many(ctx):
    ended = ctx.size(10_000_000, 100_000)
    waiting = ctx.size(1_000_000, 20_000)
    sizes = {
        'empty': (0, 0),
        f'{ended // 10:,} ended': (ended // 10, 0),
        f'{waiting:,} waiting': (0, waiting),
        f'{ended:,} ended, {waiting:,} waiting': (ended, waiting),
    }
    if ctx.quick:
        del sizes[f'{ended // 10:,} ended']
    with ExitStack() as stack:
        clusters = {}
        for number, (name, counts) in enumerate(sizes.items()):
            ctx.say(f'growth: making {name}')
            cluster = stack.enter_context(ctx.cluster(
                f'growth_{number}', settings=SETTINGS))
            latency.prepare(cluster)
            cluster.load('rivals.sql')
            fill(cluster, *counts)
            clusters[name] = cluster
        yield from compare(ctx, clusters, list(sizes)[-1])


def fill(cluster, ended, waiting):
    """Copies of one ended and one waiting instance, and as many bare rows."""
    instances.workers_on(cluster)
    cluster.psql('-c', "SELECT df_start_singleton('noop', 'model-ended',"
                 " '{\"n\": 1}'), df_start_singleton('wait_event',"
                 " 'model-waiting', '{\"n\": 1}')")
    instances.until(lambda: cluster.value(
        "SELECT count(*) FROM df_instances WHERE runtime_status = 'Completed'"
        " OR waiting_for = 'event go'") == 2, 'the models do not come about')
    instances.workers_off(cluster)
    copy(cluster, 'model-ended', ended, 0)
    copy(cluster, 'model-waiting', waiting, 1)
    cluster.sql(
        "INSERT INTO bare SELECT 'order-' || %s::bigint + n * %s::bigint,"
        " 'noop', '{\"n\": 1}' FROM generate_series(1, %s) n",
        (FIRST_ID, (LAST_ID - FIRST_ID) // max(1, ended + waiting),
         ended + waiting))
    cluster.sql('VACUUM ANALYZE')
    cluster.checkpoint()


def copy(cluster, model, count, offset):
    """Copies a row with new ids; the columns come from the catalog."""
    columns = [row[0] for row in cluster.sql(
        'SELECT quote_ident(attname) FROM pg_attribute WHERE attrelid ='
        " 'durable_singleton.instance'::regclass AND attnum > 0"
        " AND NOT attisdropped AND attgenerated = ''")]
    step = (LAST_ID - FIRST_ID) // max(1, count)
    new = {'instance_id': f"'order-' || {FIRST_ID + offset} + n * {step}",
           'execution_id': 'gen_random_uuid()'}
    values = ', '.join(new.get(column, column) for column in columns)
    # In id order, which fills the index fast and evenly.
    for first in range(1, count + 1, 1_000_000):
        last = min(count, first + 999_999)
        cluster.sql(f"INSERT INTO durable_singleton.instance"
                    f" ({', '.join(columns)}) SELECT {values}"
                    f' FROM durable_singleton.instance,'
                    f' generate_series({first}::bigint, {last}) n'
                    f' WHERE instance_id = %s', (model,))


MEASURES = {
    'start': ('starts per second, 8 clients', '/s', '>= 0.85'),
    'drain': ('no-op runs per second', '/s', '>= 0.85'),
    'latency': ('start to end over the commit, p50', 'ms', '<= 1.15'),
    'bare': ('bare inserts per second, as many rows', '/s', ''),
}


def compare(ctx, clusters, judged):
    """Interleaved rounds over all clusters; the last one has the targets."""
    kinds = {kind: Rounds(clusters) for kind in MEASURES}
    for turn in range(ctx.rounds):
        for name in order(clusters, turn):
            ctx.say(f'growth: {name}, round {turn + 1}')
            for kind, value in one_run(ctx, clusters[name],
                                       name == 'empty').items():
                kinds[kind].values[name].append(value)
    results = []
    for kind, (title, unit, target) in MEASURES.items():
        rounds = kinds[kind]
        group = f'{title}, compared with empty'
        for name in list(clusters)[1:]:
            results.append(of_rounds(
                group, name, rounds.ratio(name, 'empty'), 'x',
                target if name == judged else ''))
        results += [of_rounds(group, f'{name}, absolute',
                              rounds.figure(name), unit) for name in clusters]
    return results


def one_run(ctx, cluster, is_empty):
    """Starts, their drain, latency; the same steps for every size."""
    if is_empty:
        instances.empty(cluster)
        cluster.sql('TRUNCATE bare')
    cluster.checkpoint()
    # a new worker first has to map every page of shared memory: enough instances
    # to make this negligible
    each = ctx.size(25_000, 1_000)
    values = {'start': cluster.pgbench('start.sql', CLIENTS,
                                       transactions=each)}
    took = instances.drain(cluster, others_wait=True)
    values['drain'] = CLIENTS * each / took
    cluster.checkpoint()
    samples = latency.start_to_end(cluster, ctx.size(200, 60))
    values['latency'] = percentile(samples['end_over'], 50)
    instances.workers_off(cluster)
    cluster.checkpoint()
    values['bare'] = cluster.pgbench('start_bare.sql', CLIENTS,
                                     transactions=each)
    return values
