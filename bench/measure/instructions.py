"""The number of user-space machine instructions of a start, an instance, an
activity, a continue-as-new and a task, and the functions that they are spent in.

Throughput on a shared machine varies far more than a change of the code is
worth; the number of instructions does not.  A private server runs under
valgrind's callgrind.  Whenever a process enters pg_backend_pid(), which nothing
else calls, callgrind writes its counts since the last time and starts again at
zero.  So one process yields

    warm-up | n operations | 3 n operations | ...

and the difference of the last two divided by 2 n is the cost of one operation:
start-up, caches, the marks and one-time costs cancel out.  Starts are counted in
the session that makes them, with workers switched off, instances in the one
worker that runs them.  fsync is off, because it is the kernel's work.
Optimization is as built; inlined functions count for their callers.
"""
import argparse
import glob
import os
import shlex
import time

from measure import instances
from measure.cluster import Cluster, cpu_seconds
from measure.context import Context

MARK = 'pg_backend_pid'
WARM_UP = 200
TASKS = 100                 # of an instance of fan_out
ENDED = 2300                # more than the number of ids started over

SETTINGS = {
    'fsync': 'off', 'autovacuum': 'off', 'shared_buffers': '32MB',
    'max_wal_size': '4GB', 'checkpoint_timeout': '1h',
    'authentication_timeout': '10min',
    'durable_singleton.max_workers': 1,
    'durable_singleton.rescan_interval': 0,
    'durable_singleton.worker_idle_timeout': '1h',
    'durable_singleton.worker_max_lifetime': 0,
}

MARK_SQL = f'''CREATE FUNCTION mark(input jsonb) RETURNS jsonb LANGUAGE plpgsql
AS $$ BEGIN PERFORM {MARK}(); RETURN input; END $$'''


class SlowCluster(Cluster):
    """A cluster whose server runs under callgrind."""

    def control(self, *args):
        """pg_ctl starts the program of -p, here a script that becomes a server."""
        if 'start' in args:
            args = ('-p', self.write_wrapper(), *args)
        super().control(*args)

    def write_wrapper(self):
        path = os.path.join(self.directory, 'postgres')
        command = ['valgrind', '-q', '--tool=callgrind', '--trace-children=yes',
                   f'--callgrind-out-file={self.dumps}/%p',
                   f'--dump-before={MARK}', self.program('postgres')]
        with open(path, 'w') as script:
            script.write('#!/bin/sh\nexec ' + shlex.join(command) + ' "$@"\n')
        os.chmod(path, 0o700)
        return path

    def create(self):
        super().create()
        os.mkdir(self.dumps)

    @property
    def dumps(self):
        return os.path.join(self.directory, 'dumps')


class Counts:
    """Instructions: total, and of calls, by (caller, function), inclusive."""

    def __init__(self, total, calls):
        self.total = total
        self.calls = calls

    def __sub__(self, other):
        return Counts(self.total - other.total, {
            call: self.calls.get(call, 0) - other.calls.get(call, 0)
            for call in self.calls.keys() | other.calls.keys()})

    def __truediv__(self, n):
        return Counts(self.total / n, {
            call: count / n for call, count in self.calls.items()})

    def of(self, name):
        """Of a function, or of its calls by another: "caller>function"."""
        by, _, function = name.rpartition('>')
        return sum(count for (caller, called), count in self.calls.items()
                   if called == function and caller != function and
                   by in ('', caller))


def read_dump(path):
    """Reads callgrind's file.  callgrind_annotate --inclusive counts calls in
    functions with inlined code more than once."""
    names = {}
    calls = {}
    function = called = None
    is_call = False
    total = 0

    def name(text):
        """"(7) name" gives a number to a name that is "(7)" from then on."""
        number, _, said = text.partition(' ')
        if said:
            # .isra.0, .part.0 and the like are the same function's
            names[number] = said.split('.')[0].split("'")[0]
        return names.get(number, text)

    with open(path) as dump:
        for line in dump:
            key, equals, text = line.rstrip().partition('=')
            if equals:
                if key == 'fn':
                    function = name(text)
                elif key == 'cfn':
                    called = name(text)
                is_call = key == 'calls'
            elif line[0] in '+-*0123456789' and ' ' in line:
                count = int(line.split()[1])
                if is_call:
                    call = function, called
                    calls[call] = calls.get(call, 0) + count
                else:
                    total += count
                is_call = False
    return Counts(total, calls)


class Counter:
    """Runs operations n and 3 n times, and reads callgrind's dumps."""

    def __init__(self, ctx, cluster):
        self.ctx = ctx
        self.cluster = cluster
        self.worker = None

    def begin(self, name):
        self.ctx.say(name)
        for file in os.listdir(self.cluster.dumps):
            os.unlink(os.path.join(self.cluster.dumps, file))

    def difference(self, n):
        """The cost of one more; dumps of marks are named PID.NUMBER."""
        dumps = sorted(glob.glob(os.path.join(self.cluster.dumps, '*.*')),
                       key=lambda path: os.stat(path).st_mtime_ns)
        _, once, thrice = dumps[:3]
        return (read_dump(thrice) - read_dump(once)) / (2 * n)

    # --- operations of clients ------------------------------------------------------

    def transactions(self, name, script, n=500):
        """bench/sql/SCRIPT with pgbench in one session, n and 3 n times."""
        self.begin(name)
        marks = (WARM_UP + 1, WARM_UP + n + 1, WARM_UP + 4 * n + 1)
        path = os.path.join(self.ctx.base, 'tmp', 'marked.sql')
        with open(self.ctx.sql_file(script)) as file:
            text = file.read()
        with open(path, 'w') as file:
            file.write('\\set turn :turn + 1\n\\if ' +
                       ' or '.join(f':turn = {mark}' for mark in marks) +
                       f'\nSELECT {MARK}();\n\\endif\n{text}')
        self.cluster.pgbench(path, transactions=marks[-1],
                             define={'turn': 0, 'k': 0, 'share': 0})
        return self.difference(n)

    def statements(self, name, query, n=500):
        """One statement for n and for 3 n; query has %(first)s and %(last)s."""
        self.begin(name)
        connection = self.cluster.connect()
        cursor = connection.cursor()
        first = 1
        for count in (WARM_UP, n, 3 * n):
            cursor.execute(query, {'first': first, 'last': first + count - 1})
            cursor.execute(f'SELECT {MARK}()')
            first += count
        connection.close()
        return self.difference(n)

    # --- operations of the worker -------------------------------------------------

    def runs(self, name, orchestrator, n, text="'{\"n\": 1}'"):
        """n and 3 n instances, started in one statement each."""
        self.wait()
        instances.empty(self.cluster)
        self.begin(name)
        for series, count in enumerate((n, n, 3 * n)):
            instances.start_many(self.cluster, orchestrator, count,
                                 str(series), text)
            self.wait()
            instances.start_many(self.cluster, 'mark', 1, f'mark-{series}')
            self.wait()
        bad = instances.failed(self.cluster)
        if bad:
            raise RuntimeError(f'{name}: {bad} did not complete')
        return self.difference(n)

    def wait(self):
        """Until no instance is active.  Before it asks, the worker must have
        slept for a while: under callgrind any query's snapshot lives long, and
        keeps the worker from removing old versions of rows meanwhile."""
        instances.until(lambda: self.sleeps() and
                        self.cluster.value(instances.ACTIVE) == 0,
                        'instances do not end', limit=300, pause=0.2)

    def sleeps(self):
        """The worker uses no CPU time; also True if there is none."""
        if not self.worker or not os.path.exists(f'/proc/{self.worker}'):
            self.worker = next(iter(self.cluster.processes(
                'durable_singleton worker')), None)
        if not self.worker:
            return True
        used = cpu_seconds(self.worker)
        time.sleep(0.3)
        return cpu_seconds(self.worker) == used


# --- the measures: each yields (name, counts, what it is compared with) ----------

def fresh(c):
    yield 'bare insert', c.transactions('bare insert', 'start_bare.sql'), None
    yield 'hand-written', c.transactions('hand-written', 'start_hand.sql'), None
    yield ('fresh start', c.transactions('fresh start', 'start.sql'),
           'bare insert')


def bulk(c):
    series = 'generate_series(%(first)s, %(last)s) n'
    yield 'bulk insert', c.statements(
        'bulk insert', "INSERT INTO bare SELECT 'bulk-' || n, 'noop',"
        f" '{{\"n\": 1}}' FROM {series} ON CONFLICT DO NOTHING"), None
    yield 'bulk start', c.statements(
        'bulk start', "SELECT count(*) FROM (SELECT df_start_singleton('noop',"
        f" 'bulk-' || n, '{{\"n\": 1}}') FROM {series} OFFSET 0) s"
        ), 'bulk insert'


def duplicate(c):
    instances.workers_on(c.cluster)
    instances.empty(c.cluster)
    c.cluster.psql('-c', "SELECT df_start_singleton('wait_event', 'hot')")
    instances.until(lambda: c.cluster.value(
        "SELECT count(*) FROM df_instances WHERE waiting_for = 'event go'"),
        'the hot instance does not wait', pause=0.2)
    yield 'SELECT 1', c.transactions('SELECT 1', 'select1.sql'), None
    yield ('duplicate', c.transactions('duplicate', 'duplicate.sql'),
           'SELECT 1')


def restart(c):
    instances.workers_on(c.cluster)
    instances.empty(c.cluster)
    instances.start_many(c.cluster, 'noop', ENDED, 'old')
    c.wait()
    instances.workers_off(c.cluster)
    c.cluster.sql(
        'INSERT INTO job (id, name, input, output, status, ended)'
        " SELECT 'old-' || n, 'noop', '{\"n\": 1}', '{\"n\": 1}', 'completed',"
        ' now() FROM generate_series(1, %s) n', (ENDED,))
    c.cluster.sql('VACUUM ANALYZE job, durable_singleton.instance')
    yield ('hand-written, ended',
           c.transactions('hand-written, ended', 'restart_hand.sql'), None)
    yield ('restart', c.transactions('restart', 'restart.sql'),
           'hand-written, ended')


def noop(c):
    instances.workers_on(c.cluster)
    yield 'no-op', c.runs('no-op', 'noop', 500), None


def activity(c):
    """The cost of seven more of them in an instance, with no more instances in
    progress than a worker keeps in memory; and a tenth of an instance of ten
    in a long queue, including its start and its end."""
    instances.workers_on(c.cluster)
    three = c.runs('3 activities', 'three', 20)
    ten = c.runs('10 activities', 'ten', 20)
    yield '3 activities', three, None
    yield '10 activities', ten, None
    yield 'activity', (ten - three) / 7, None
    yield ('1/10, queued',
           c.runs('10 activities, a long queue', 'ten', 150) / 10, None)


def turn(c):
    """The cost of twenty more of them in an instance."""
    instances.workers_on(c.cluster)
    few, many = (c.runs(f'{turns} turns', 'eternal', 15,
                        f"'{{\"turns\": {turns}}}'") for turns in (5, 25))
    yield 'turn', (many - few) / 20, None


def task(c):
    """Its share of an instance that has a hundred."""
    instances.workers_on(c.cluster)
    yield 'task', c.runs(f'{TASKS} tasks', 'fan_out', 3) / TASKS, None


MEASURES = {'fresh start': fresh, 'bulk start': bulk, 'no-op': noop,
            'activity': activity, 'turn': turn, 'task': task,
            'duplicate': duplicate, 'restart': restart}

# --- where they are spent: depth, description, functions --------------------------
# Those of depth 0 do not call each other, so the rest can be computed.  A function
# that is not called counts as zero.

STARTS = (('fresh start', 'bare insert', 'bulk start', 'duplicate', 'SELECT 1',
           'restart', 'hand-written, ended'), (
    (0, 'df_start_singleton', 'ds_start_singleton'),
    (1, 'arguments and function', 'ds_start_prepare ds_arg_instance_id'
        ' ds_start_arg_statuses ds_arg_function_name'),
    (1, 'is the id taken?', 'ds_store_load_for_start ds_start>ds_store_load'),
    (1, 'new execution id', 'ds_execution_id_new'),
    (1, 'instance row', 'ds_store_insert ds_store_start_over>ds_table_update'),
    (2, 'its index entries', 'ds_table_insert_if_absent>ExecInsertIndexTuples'
        ' change_row>ExecInsertIndexTuples change_version>ExecInsertIndexTuples'),
    (1, 'row of the past execution', 'ds_store_start_over>ds_table_insert'
        ' archive>ds_table_insert'),
    (1, 'older executions, messages', 'ds_store_prune_archive ds_store_has_messages'),
    (1, 'remembered for the commit', 'ds_commit_hint_ready'),
    (0, 'commit', 'CommitTransactionCommand'),
    (1, 'hint', 'ds_hint_ready ds_hint_rescan'),
    (0, 'begin of the statement', 'ExecutorStart'),
))

WORKER = (('no-op', 'activity', '1/10, queued', 'turn', 'task'), (
    (0, 'search of the tables', 'ds_work_search_next ds_store_next_wake'),
    (0, 'hints', 'ds_slot_take_hint ds_slot_has_worked ds_group_search_take ds_hint_yielded'
        ' ds_hint_has_work work>ds_hint_ready search_for_work>ds_hint_ready'
        ' ds_runner_run>ds_hint_ready'),
    (0, 'claim, giving back', 'ds_claim_take ds_claim_release ds_claim_release_unless_wanted'),
    (0, 'load, or look again', 'ds_store_load_at ds_store_load_history'
        ' ds_store_load_wait_tasks ds_store_is_unchanged ds_store_wait_may_be_over'
        ' ds_wait_for_invalidations ds_replay_create ds_run_cache_put ds_run_cache_take'),
    (1, 'instance row', 'ds_store_load_at ds_store_is_unchanged'),
    (1, 'history', 'ds_store_load_history'),
    (0, 'pass', 'ds_pass_run'),
    (1, 'which function', 'ds_pass_run>ds_function_find_in'
        ' ds_pass_run>ds_function_check ds_pass_run>ds_code_version_of'),
    (1, 'its call', 'ds_pass_run>ds_function_call'),
    (1, 'subtransaction', 'BeginInternalSubTransaction'
        ' ReleaseCurrentSubTransaction RollbackAndReleaseCurrentSubTransaction'),
    (0, 'activity', 'ds_activity_run>ds_function_find_with'
        ' ds_activity_run>ds_function_check ds_activity_run>ds_function_call'),
    (1, 'its call', 'ds_activity_run>ds_function_call'),
    (0, 'history row', 'ds_store_put_rows store_end>ds_store_add_row'),
    (1, 'its index entry', 'ds_table_insert>ExecInsertIndexTuples'),
    (0, 'task row, written', 'ds_store_put_tasks'),
    (0, 'task row, read', 'ds_store_load_task'),
    (0, 'task row, deleted', 'ds_store_end_task'),
    (0, 'is the task watched?', 'ds_store_is_watched'),
    (0, 'instance row', 'write_step>ds_table_update'
        ' ds_store_continue'),
    (1, 'its index entries', 'change_row>ExecInsertIndexTuples'
        ' change_version>ExecInsertIndexTuples'),
    (0, 'telling of the end', 'ds_end_tell'),
    (0, 'begin', 'ds_transaction_begin'),
    (0, 'commit', 'ds_transaction_commit'),
    (0, 'waiting for the flush', 'ds_durability_wait'),
    (0, 'cleaning of the session', 'ds_user_code_forget'),
))


def totals(measured, beside):
    yield f'{"":16} {"instructions":>12}   ratio to'
    for name, counts in measured.items():
        line = f'{name:16} {counts.total:12,.0f}'
        if name in beside:
            other = measured[beside[name]].total
            line += f'   {beside[name]}: {counts.total / other:.2f} x'
        yield line


def shares(measured, names, rows):
    """A column for each measure, a row for each place where they are spent."""
    names = [name for name in names if name in measured]
    if not names:
        return

    def line(title, figure):
        cells = ''
        for name in names:
            count, total = figure(measured[name]), measured[name].total
            cells += f'{count:9,.0f} {100 * count / total:3.0f} %' \
                if abs(count) >= 0.5 else ' ' * 15
        return f'{title:29}{cells}'

    def sum_of(functions):
        return lambda counts: sum(counts.of(name)
                                  for name in functions.split())

    yield ' ' * 29 + ''.join(f'{name:>15}' for name in names)
    for depth, title, functions in rows:
        yield line('  ' * depth + title, sum_of(functions))
    named = ' '.join(functions for depth, _, functions in rows if depth == 0)
    yield line('the rest', lambda counts:
               counts.total - sum_of(named)(counts))
    yield line('all', lambda counts: counts.total)


def top(name, counts, n):
    """The n most expensive functions with a name; main() and the like contain all."""
    yield f'{name}: {counts.total:,.0f}'
    functions = {called: counts.of(called) for _, called in counts.calls
                 if not called.startswith('0x')}
    dearest = sorted(functions, key=functions.get, reverse=True)
    dearest = [function for function in dearest
               if functions[function] < 0.995 * counts.total]
    for function in dearest[:n]:
        count = functions[function]
        yield f'{count:12,.0f} {100 * count / counts.total:5.1f} %  {function}'


def main():
    parser = argparse.ArgumentParser(prog='instructions')
    parser.add_argument('--base', required=True)
    parser.add_argument('--bindir', required=True)
    parser.add_argument('--only', action='append')
    parser.add_argument('--top', type=int)
    options = parser.parse_args()
    options.quick, options.rounds = False, None
    ctx = Context(options)
    wanted = [measure for name, measure in MEASURES.items() if ctx.wants(name)]
    if not wanted:
        parser.error('--only: no such measure: ' + ', '.join(MEASURES))
    measured, beside = {}, {}
    with SlowCluster(ctx, 'instructions', SETTINGS) as cluster:
        instances.prepare(cluster)
        cluster.load('rivals.sql')
        cluster.psql('-c', MARK_SQL)
        counter = Counter(ctx, cluster)
        for measure in wanted:
            for name, counts, other in measure(counter):
                measured[name] = counts
                if other:
                    beside[name] = other
    lines = [*totals(measured, beside), '']
    if options.top:
        for name, counts in measured.items():
            lines += [*top(name, counts, options.top), '']
    else:
        lines += [*shares(measured, *STARTS), '', *shares(measured, *WORKER)]
    print('\n'.join(lines).rstrip())


if __name__ == '__main__':
    main()
