"""Peers: other systems that run workflows on PostgreSQL, in the same rounds.

graphile-worker, pg-boss, absurd and DBOS, each in the configuration that its
documentation recommends for throughput (bench/peers/NAME.mjs), and pg_cron
(see pg_cron.py).  Two clusters with stock durability run in parallel, one for
durable_singleton, one for the peers, and only one contender works at a time:

starts    the contender's client library in one Node process on 8 connections,
          between raw INSERTs by the same driver; the ratio of the two counts
drains    workflows are queued, then workers start; from the first step until
          nothing is left.  Each with one and with two workers, processes in the
          case of peers: the best counts.  A peer that fetches in batches has its
          first batch for free: it was fetched before the first step.
latency   on an idle system, start committed -> step -> end seen by another
          connection
idle      one worker (process) without work
WAL       of queueing in bulk and running; storage: growth of the database after
          VACUUM; both in the first round, when all tables are new

All connect over TCP as the same ordinary role.
"""
from measure import pg_cron
from measure.contenders import (CONNECTIONS, KINDS, attempt, everybody,
                                idle_load, reason_missing)
from measure.report import Result, missing, of_rounds
from measure.rounds import Figure, order, percentile

TITLE = 'compared with other workflow engines on PostgreSQL'
TARGETS = {'noop': '>= 1.5', 'three': '>= 15'}


def working(contenders):
    return [contender for contender in contenders if not contender.broken]


def in_turn(names, turn):
    return order(names, turn) if names else []


def absent(group, contenders, unit):
    """A cell with the reason for each contender that could not be measured."""
    return [missing(group, contender.name, contender.broken, unit)
            for contender in contenders if contender.broken]


def against_best(group, ours, values, target, unit_note):
    """The ratio of durable_singleton's best to the peers' best, for each round."""
    def best(mine):
        chosen = {key: value for key, value in values.items()
                  if (key[0] is ours) == mine and value and
                  not key[0].broken}
        return max(chosen, key=lambda key: Figure(chosen[key]).median,
                   default=None)
    us, them = best(True), best(False)
    if us is None or them is None:
        return missing(group, 'durable_singleton / best peer',
                       'no peer to compare with', 'x', target)
    ratios = Figure([a / b for a, b in zip(values[us], values[them])])
    return of_rounds(group, 'durable_singleton / best peer', ratios, 'x',
                     target, f'{them[0].name}{unit_note(them)}')


# --- the parts --------------------------------------------------------------

def starts(ctx, contenders, rounds):
    group = f'Fresh starts by the client library, {CONNECTIONS} connections,' \
        ' in raw INSERTs'
    seconds = ctx.size(2, 1)
    values = {(contender, 0): [] for contender in working(contenders)}
    raw, started = {}, {}
    for turn in range(rounds):
        for contender in in_turn(working(contenders), turn):
            ctx.say(f'starts, round {turn + 1}: {contender.name}')
            contender.before_starts()
            got = attempt(contender, contender.starts, seconds)
            if got:
                values[contender, 0].append(got['start'] / got['raw'])
                raw.setdefault(contender, []).append(got['raw'])
                started.setdefault(contender, []).append(got['start'])
    results = [
        of_rounds(group, contender.name, Figure(values[contender, 0]), 'x',
                  note='%.0f/s and %.0f/s' % (
                      Figure(started[contender]).median,
                      Figure(raw[contender]).median),
                  starts=started[contender], raw=raw[contender])
        for contender in working(contenders)]
    results.append(missing(group, 'pg_cron', pg_cron.NO_STARTS, 'x'))
    results.append(against_best(group, contenders[0], values, '',
                                lambda key: ''))
    return results + absent(group, contenders, 'x')


def drains(ctx, contenders, rounds, kind):
    group = f'{KINDS[kind]}, drained'
    able = [c for c in working(contenders) if kind in c.counts]
    values = {(contender, workers): []
              for contender in able for workers in (1, 2)}
    for turn in range(rounds):
        for contender, workers in in_turn(values, turn):
            if contender.broken:
                continue
            ctx.say(f'{kind}, round {turn + 1}: {contender.name},'
                    f' {workers} {contender.how}')
            rate = attempt(contender, contender.drain, kind, turn, workers)
            if rate:
                values[contender, workers].append(rate)

    def how(key):
        return f', {key[1]} {key[0].how}' + ('es' if key[0].how == 'process'
                                            else 's') * (key[1] > 1)
    values = {key: rates for key, rates in values.items()
              if not key[0].broken}
    results = [of_rounds(group, key[0].name + how(key), Figure(rates), '/s',
                         note=f'{key[0].counts[kind]:,} at a time')
               for key, rates in values.items()]
    results += [missing(group, contender.name, contender.steps, '/s')
                for contender in working(contenders)
                if kind not in contender.counts]
    results.append(missing(group, 'pg_cron', pg_cron.NO_WORKFLOWS, '/s'))
    results.append(against_best(group, contenders[0], values, TARGETS[kind],
                                how))
    return results + absent(group, contenders, '/s')


def costs(contenders, kind):
    results = []
    for key, what in (('wal', 'WAL'), ('storage', 'storage after VACUUM')):
        group = f'{KINDS[kind]}: {what} of each'
        for contender in working(contenders):
            if kind in contender.cost:
                results.append(Result(
                    group, contender.name, contender.cost[kind][key], 'bytes',
                    note=f'mean of {contender.counts[kind]:,}'))
            else:
                results.append(missing(group, contender.name,
                                       contender.steps, 'bytes'))
        results += absent(group, contenders, 'bytes')
    return results


def early(parts):
    """The meaning of a negative figure."""
    if Figure([percentile(part, 50) for part in parts]).median >= 0:
        return ''
    return '; it ran before the client had heard of its commit'


def latency(ctx, contenders, rounds):
    group = 'Latency of a no-op workflow on an idle system'
    each = max(5, ctx.size(100, 30) // rounds)
    samples = {}
    for turn in range(rounds):
        for contender in in_turn(working(contenders), turn):
            ctx.say(f'latency, round {turn + 1}: {contender.name}')
            got = attempt(contender, contender.latency, each)
            for key, values in (got or {}).items():
                samples.setdefault(contender, {}).setdefault(
                    key, []).append(values)
    results = []
    for key, what in (('step', 'start committed → first step'),
                      ('done', 'start committed → end seen')):
        for contender in working(contenders):
            parts = samples[contender][key]
            pooled = [value for part in parts for value in part]
            results.append(of_rounds(
                group, f'{what}: {contender.name}',
                Figure([percentile(part, 50) for part in parts]), 'ms',
                note='p50; p99 of %d: %.2f ms%s' % (
                    len(pooled), percentile(pooled, 99), early(parts)),
                p99=percentile(pooled, 99)))
    return results + absent(group, contenders, 'ms')


def idle(ctx, contenders):
    group = 'Idle, one worker with nothing to do'
    results = []
    for contender in working(contenders):
        ctx.say(f'idle: {contender.name}')
        process = attempt(contender, contender.start_idling)
        if contender.broken:
            continue
        results.append(idle_load(ctx, group, contender.name,
                                 contender.cluster, contender.database('noop'),
                                 process))
        if process is not None:
            process.kill()
            process.wait()
    return results + absent(group, contenders, 'tx/s')


def run(ctx):
    with ctx.cluster('peers_ours', tcp=True) as ours, \
            ctx.cluster('peers_theirs', tcp=True, preload='') as theirs:
        contenders = everybody(ctx, ours, theirs)
        if ctx.wants('starts'):
            yield from starts(ctx, contenders, ctx.rounds)
        for kind in KINDS:
            if ctx.wants(kind):
                yield from drains(ctx, contenders, ctx.rounds, kind)
                yield from costs(contenders, kind)
        if ctx.wants('latency'):
            yield from latency(ctx, contenders, ctx.rounds)
        if ctx.wants('idle'):
            yield from idle(ctx, contenders)
    if ctx.wants('pg_cron'):
        yield from pg_cron.run(ctx, reason_missing(ctx, 'pg_cron'))
