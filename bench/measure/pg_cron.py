"""Starting instances with pg_cron, compared with start_at.

pg_cron runs statements by the clock; here several jobs call df_start_singleton
every minute, as an application that uses both would do.  It has a separate
cluster, because it needs shared_preload_libraries.  Measured are its resolution,
the delay of a job's statement and of the instance's first step after the full
minute, and the delay of the step of an instance with start_at.
"""
import os
import shutil
import time

import psycopg2

from measure.contenders import idle_load
from measure.report import missing, of_rounds
from measure.rounds import Figure, percentile

GROUP = 'Scheduled starts: late after the time'
JOBS = 20
APART = 10              # seconds from pg_cron's starts to those by start_at
CLOCK = ('CREATE FUNCTION bench_clock(input jsonb) RETURNS jsonb LANGUAGE sql'
         " AS 'SELECT to_jsonb(extract(epoch FROM clock_timestamp()))'")
# Missing features, for the cells of the other parts.
NO_STARTS = 'a timetable only: nothing is started on demand'
NO_WORKFLOWS = 'runs statements by the clock: no queue, no steps'


def private_copy(ctx):
    """Settings that make both extensions visible to a server: Debian's server
    searches one additional directory, so both are copied there."""
    directory = os.path.join(ctx.base, 'peers_pg_cron_inst')
    shutil.copytree(os.path.join(ctx.base, 'inst'), directory)
    shutil.copytree(os.path.join(ctx.peers_dir, 'pg_cron'), directory,
                    dirs_exist_ok=True)
    for place, _, files in os.walk(directory):
        if 'pg_cron.so' in files:
            return {'extension_destdir': directory,
                    'dynamic_library_path': f'{place}:$libdir'}
    raise RuntimeError('its package has no pg_cron.so')


def resolution(cluster):
    try:
        cluster.sql("SELECT cron.schedule('second', '1 second', 'SELECT 1')")
    except psycopg2.Error:
        return "one minute at best: '1 second' is refused"
    cluster.sql("SELECT cron.unschedule('second')")
    return "'1 second' is accepted, too"


def wait_for_minute(ctx, cluster):
    """Waits until all starts are over; returns the minute's epoch."""
    now = float(cluster.value('SELECT extract(epoch FROM clock_timestamp())'))
    minute = (int(now + 3) // 60 + 1) * 60
    ctx.say(f'pg_cron: waits {minute - now:.0f} s for the full minute')
    with cluster.connect() as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT df_start_singleton('bench_clock', 'timer-' || n,"
            ' start_at => to_timestamp(%s)) FROM generate_series(1, %s) n',
            (minute + APART, JOBS))
    time.sleep(minute - now + APART + 2)
    cluster.sql("SELECT cron.unschedule(jobid) FROM cron.job")
    return minute


def lateness(cluster, prefix, due):
    """Seconds from the time to each instance's first step."""
    return [float(row[0]) - due for row in cluster.sql(
        'SELECT output::float8 FROM df_instances WHERE instance_id LIKE %s'
        " AND runtime_status = 'Completed'", (prefix + '-%',))]


def result(name, seconds, note=''):
    if not seconds:
        return missing(GROUP, name, 'none ran', 'ms')
    late = sorted(1000 * value for value in seconds)
    text = 'p50 of %d; p99 %.0f ms' % (len(late), percentile(late, 99))
    return of_rounds(GROUP, name, Figure(late), 'ms',
                     note=text + (f'; {note}' if note else ''))


def measure(ctx):
    settings = private_copy(ctx)
    settings['cron.database_name'] = 'bench'
    with ctx.cluster('peers_pg_cron', tcp=True, settings=settings,
                     preload='pg_cron,durable_singleton') as cluster:
        cluster.sql('CREATE EXTENSION pg_cron')
        version = cluster.value('SELECT extversion FROM pg_extension'
                                " WHERE extname = 'pg_cron'")
        cluster.sql('GRANT USAGE ON SCHEMA cron TO app')
        name = f'pg_cron {version}'
        ctx.say(f'idle: {name}')
        cluster.admin.close()           # or it would be counted
        cluster.admin = None
        idling = idle_load(ctx, GROUP, f'{name} idle without jobs', cluster,
                           'bench')
        finest = resolution(cluster)
        with cluster.connect() as connection, connection.cursor() as cursor:
            cursor.execute(CLOCK)
            for job in range(1, JOBS + 1):
                cursor.execute(
                    "SELECT cron.schedule(%s, '* * * * *', %s)",
                    (f'start-{job}', "SELECT df_start_singleton('bench_clock',"
                                     f" 'cron-{job}')"))
        minute = wait_for_minute(ctx, cluster)
        statements = [float(row[0]) - minute for row in cluster.sql(
            'SELECT extract(epoch FROM start_time) FROM cron.job_run_details'
            ' WHERE start_time IS NOT NULL')]
        return [
            result(f'{name}, its statement', statements, finest),
            result(f'{name}, the first step that it started',
                   lateness(cluster, 'cron', minute)),
            result('durable_singleton start_at, the first step',
                   lateness(cluster, 'timer', minute + APART)),
            idling,
        ]


def run(ctx, why_missing):
    if not why_missing:
        try:
            return measure(ctx)
        except (RuntimeError, OSError, psycopg2.Error) as error:
            why_missing = str(error).splitlines()[0]
    return [missing(GROUP, 'pg_cron', why_missing, 'ms')]
