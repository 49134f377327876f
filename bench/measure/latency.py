"""Latency: from a start to its end, from an event to the code that waited for
it, and the delay of timers; on an idle system and under half load.

One client performs one operation at a time, with pauses of random length.  Client
and server use the same clock.  In the same loop a bare INSERT is committed and
timed, to measure the current cost of any commit.

    called -------- returned                       the start and its commit
             first step executing                  clock_timestamp() in it
                        completion visible         df_wait_for_completion

"Over the commit" is the time since the call minus the median of the bare INSERT.

Half load is half of the rate at which this machine can start and run instances at
the same time, determined first: S starts per second alone and D drained per
second alone give 1 / (1/S + 1/D) of both.
"""
import random
import time
from dataclasses import dataclass, field

from measure import instances
from measure.report import Result, of_rounds
from measure.rounds import Figure, median, percentile

TITLE = 'latency, idle and under half load'
PERCENTS = (50, 99, 99.9)


@dataclass
class Samples:
    """Milliseconds by kind; `rounds` has them separately for each round."""
    rounds: list = field(default_factory=list)

    def all(self, kind):
        return [value for one in self.rounds for value in one[kind]]

    def result(self, group, title, kind, percent, target='', note=''):
        apart = [percentile(one[kind], percent) for one in self.rounds]
        if len(self.all(kind)) * (100 - percent) < 100:
            note = f'the largest of {len(self.all(kind))}'
        return Result(group, f'{title}, p{percent:g}',
                      percentile(self.all(kind), percent), 'ms', min(apart),
                      max(apart), target, note, apart,
                      {'samples': len(self.all(kind))})


def run(ctx):
    with ctx.cluster('latency') as cluster:
        prepare(cluster)
        rate = half_load(ctx, cluster)
        count = ctx.size(400, 80)
        idle, loaded, reached = Samples(), Samples(), []
        for turn in range(ctx.rounds):
            for samples in (idle, loaded)[::-1 if turn % 2 else 1]:
                state = 'idle' if samples is idle else 'under half load'
                ctx.say(f'latency: {state}, round {turn + 1}')
                clear(cluster)
                if samples is idle:
                    idle.rounds.append(one_round(cluster, count))
                else:
                    with Load(cluster, rate) as load:
                        loaded.rounds.append(one_round(cluster, count))
                    reached.append(load.reached)
    return tables(idle, 'idle') + tables(loaded, 'half load') + [of_rounds(
        'the half load', 'started and run meanwhile', Figure(reached), '/s',
        note=f'asked for: {rate:,} /s')]


def prepare(cluster):
    instances.prepare(cluster)
    cluster.load('latency.sql')


def half_load(ctx, cluster):
    """Starts per second that keep the machine half busy."""
    # The best of three, because a disk may be slow for a moment.
    starts = max(cluster.pgbench('start.sql', 8, seconds=ctx.size(3, 1))
                 for _ in range(3))
    instances.workers_on(cluster)
    instances.drain(cluster)
    instances.workers_off(cluster)
    instances.empty(cluster)
    count = ctx.size(50_000, 10_000)
    instances.start_many(cluster, 'noop', count)
    drained = count / instances.drain(cluster)
    both = 1 / (1 / starts + 1 / drained)
    ctx.say(f'latency: {starts:,.0f} starts/s, {drained:,.0f} runs/s,'
            f' side by side about {both:,.0f}/s')
    return int(both / 2)


def clear(cluster):
    instances.workers_off(cluster)
    instances.empty(cluster)
    cluster.sql('TRUNCATE plain')
    cluster.sql('VACUUM')
    cluster.checkpoint()
    instances.workers_on(cluster)


class Load:
    """Starts at a given rate in the background; `reached` is the actual rate."""

    def __init__(self, cluster, rate):
        self.cluster = cluster
        self.rate = rate
        self.reached = None

    def __enter__(self):
        self.process = self.cluster.pgbench_start('start.sql', 4, seconds=600,
                                                  rate=self.rate)
        self.begun = time.monotonic()
        time.sleep(1)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()
        took = time.monotonic() - self.begun
        instances.until(
            lambda: not self.cluster.value(instances.READY, ('app',)),
            f'{self.rate} starts a second are too many', 120, 0.05)
        self.reached = self.cluster.value(
            'SELECT count(*) FROM df_instances'
            " WHERE instance_id LIKE 'order-%%'", ()) / took


def one_round(cluster, count):
    samples = start_to_end(cluster, count)
    samples.update(event_to_resume(cluster, count // 2))
    samples.update(timers(cluster, count))
    return samples


def pause():
    time.sleep(random.uniform(0.001, 0.006))


def start_to_end(cluster, count, warm_up=10):
    """Starts one instance after another and waits for each."""
    connection = cluster.connect()
    cursor = connection.cursor()
    cursor.execute("PREPARE start(text) AS"
                   " SELECT df_start_singleton('stamp', $1, '{\"n\": 1}')")
    cursor.execute('PREPARE wait(text) AS SELECT output'
                   ' FROM df_wait_for_completion($1)')
    cursor.execute('PREPARE plain(text) AS INSERT INTO plain VALUES ($1)')
    rows = []
    name = f'l-{time.time_ns()}-'
    for n in range(warm_up + count):
        pause()
        begun = time.time()
        cursor.execute('EXECUTE plain(%s)', (name + str(n),))
        plain = time.time() - begun
        pause()
        called = time.time()
        cursor.execute('EXECUTE start(%s)', (name + str(n),))
        returned = time.time()
        cursor.execute('EXECUTE wait(%s)', (name + str(n),))
        seen = time.time()
        stepped = float(cursor.fetchone()[0])
        rows.append((plain, returned - called, stepped - called,
                     seen - called, seen - returned))
    connection.close()
    kinds = zip(*rows[warm_up:])
    samples = {kind: [value * 1000 for value in values] for kind, values in
               zip(('plain', 'start', 'step', 'end', 'after'), kinds)}
    return over_commit(samples, ('step', 'end'))


def over_commit(samples, kinds):
    commit = median(samples['plain'])
    for kind in kinds:
        samples[kind + '_over'] = [value - commit for value in samples[kind]]
    return samples


def event_to_resume(cluster, count):
    """Sends events to waiting instances, one after another."""
    connection = cluster.connect()
    cursor = connection.cursor()
    name = f'e-{time.time_ns()}'
    instances.start_many(cluster, 'stamp_event', count, name)
    instances.until(lambda: cluster.value(
        'SELECT count(*) FROM df_instances WHERE instance_id LIKE %s'
        ' AND waiting_for IS NOT NULL', (name + '-%',)) == count,
        'the instances do not come to wait for their event')
    cursor.execute("PREPARE send(text) AS SELECT df_raise_event($1, 'go')")
    cursor.execute('PREPARE wait(text) AS SELECT output'
                   ' FROM df_wait_for_completion($1)')
    cursor.execute('PREPARE plain(text) AS INSERT INTO plain VALUES ($1)')
    samples = {'plain': [], 'event': []}
    for n in range(1, count + 1):
        pause()
        begun = time.time()
        cursor.execute('EXECUTE plain(%s)', (f'{name}-{n}',))
        samples['plain'].append((time.time() - begun) * 1000)
        pause()
        called = time.time()
        cursor.execute('EXECUTE send(%s)', (f'{name}-{n}',))
        cursor.execute('EXECUTE wait(%s)', (f'{name}-{n}',))
        resumed = float(cursor.fetchone()[0])
        samples['event'].append((resumed - called) * 1000)
    connection.close()
    over_commit(samples, ('event',))
    return {'event_over': samples['event_over']}


def timers(cluster, count, spacing=0.004):
    """Timers due one after another; their delays."""
    name = f't-{time.time_ns()}'
    due = time.time() + 0.5 + count * 0.001
    instances.start_many(
        cluster, 'stamp_timer', count, name,
        text=f'to_jsonb(to_timestamp({due} + {spacing} * n))')
    time.sleep(max(0, due + spacing * count - time.time()))
    instances.until(lambda: cluster.value(
        "SELECT count(*) FROM df_instances WHERE instance_id LIKE %s"
        " AND runtime_status = 'Completed'", (name + '-%',)) == count,
        'the timers do not fire', pause=0.1)
    return {'late': [float(row[0]) * 1000 for row in cluster.sql(
        'SELECT output FROM df_instances WHERE instance_id LIKE %s',
        (name + '-%',))]}


def tables(samples, state):
    start, event = f'start to end, {state}', f'events and timers, {state}'
    results = []
    for group, title, kind, targets in (
            (start, 'bare INSERT, committed', 'plain', {}),
            (start, 'start, committed', 'start', {}),
            (start, 'first step executes, over the commit', 'step_over', {}),
            (start, 'completion visible, over the commit', 'end_over',
             {50: '<= 1', 99: '<= 5'}),
            (start, 'completion visible, after the start has returned',
             'after', {}),
            (event, 'event to resume, over the commit', 'event_over',
             {50: '<= 1'}),
            (event, 'timer late', 'late', {99: '<= 10'})):
        for percent in PERCENTS:
            target = targets.get(percent, '')
            note = ''
            if target and kind == 'end_over':
                alone = percentile(samples.all('plain'), percent)
                note = f'a commit alone: {alone:.2f} ms'
            results.append(samples.result(group, title, kind, percent, target,
                                          note))
    return results
