"""Creating instances, draining them, and emptying the tables again, for several
sections.

A drain is measured like this.  Instances are started while workers are switched
off (enabled = off).  Then workers are switched on; the clock runs from the
first step that df_stat_workers shows until it shows none and no instance is
ready.  This view reads a few slots of shared memory: reading it every few
milliseconds costs the workers nothing, unlike counting the table.
"""
import time

POLL = 0.003
GIVE_UP = 900
BUSY = 'SELECT count(instance_id) FROM df_stat_workers'
ACTIVE = ("SELECT count(*) FROM df_instances"
          " WHERE runtime_status IN ('Pending', 'Running', 'Suspended')")
READY = ('SELECT EXISTS (SELECT FROM durable_singleton.instance'
         ' WHERE ready_time IS NOT NULL AND owner = %s::regrole)')


def prepare(cluster, workers=None):
    """Loads the orchestrators of bench/sql/orchestrators.sql, workers off."""
    workers_off(cluster)
    cluster.load('orchestrators.sql')
    if workers:
        set_workers(cluster, workers)


def set_workers(cluster, workers):
    cluster.set(durable_singleton__max_workers=workers,
                durable_singleton__workers_per_role=workers)


def workers_off(cluster):
    """Switches workers off, and waits until the last one has exited."""
    cluster.set(durable_singleton__enabled='off')
    until(lambda: cluster.value('SELECT count(*) FROM df_stat_workers') == 0,
          'the workers do not go')


def workers_on(cluster):
    cluster.set(durable_singleton__enabled='on')


def until(condition, complaint, limit=60, pause=0.01):
    give_up = time.monotonic() + limit
    while not condition():
        if time.monotonic() > give_up:
            raise RuntimeError(complaint)
        time.sleep(pause)


def start_many(cluster, orchestrator, count, prefix='i', text="'{\"n\": 1}'"):
    """Starts instances prefix-1 ... as the ordinary role; returns seconds.

    In batches of 10,000 so that no transaction is huge.
    """
    connection = cluster.connect()
    cursor = connection.cursor()
    begun = time.monotonic()
    for first in range(1, count + 1, 10000):
        last = min(count, first + 9999)
        cursor.execute(
            'SELECT count(*) FROM (SELECT df_start_singleton(%s, %s || n,'
            f' {text}::jsonb) AS started FROM generate_series(%s, %s) n) s'
            ' WHERE started', (orchestrator, prefix + '-', first, last))
        if cursor.fetchone()[0] != last - first + 1:
            raise RuntimeError(f'{orchestrator}: not all were started')
    took = time.monotonic() - begun
    connection.close()
    return took


def drain(cluster, limit=GIVE_UP, others_wait=False):
    """Lets the workers run all ready instances; seconds from first to last step.

    Keeps the workers on; workers_off() ends them.  others_wait: it is sufficient
    that none is ready, others may keep waiting.
    """
    cluster.sql(BUSY)
    workers_on(cluster)
    give_up = time.monotonic() + limit
    begun = ended = None
    while True:
        now = time.monotonic()
        if now > give_up:
            raise RuntimeError('instances do not end: ' + str(cluster.sql(
                'SELECT name, runtime_status, waiting_for, count(*)'
                ' FROM df_instances GROUP BY 1, 2, 3 LIMIT 5')))
        busy = cluster.value(BUSY)
        if busy:
            begun = begun or now
            ended = None
        else:
            ended = ended or now
            # Between two steps a worker is idle for a moment, too.
            if now - ended > 3 * POLL and not cluster.value(READY, ('app',)) \
                    and (others_wait or cluster.value(ACTIVE) == 0):
                return ended - (begun or now)
        time.sleep(POLL)


def failed(cluster):
    """The number of instances that ended otherwise than Completed."""
    return cluster.value("SELECT count(*) FROM df_instances"
                         " WHERE runtime_status <> 'Completed'")


def empty(cluster):
    """Removes all instances.  Only while workers are off."""
    tables = [row[0] for row in cluster.sql(
        "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = 'durable_singleton'::regnamespace"
        " AND relname <> 'home'")]
    cluster.sql('TRUNCATE ' + ', '.join(tables))
