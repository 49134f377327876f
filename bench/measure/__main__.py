"""Runs the sections, prints their tables, writes results.json and the chart.

bench/bench builds the extension and calls this as an unprivileged user.
"""
import argparse
import importlib
import os
import platform
import subprocess
import traceback

from measure import report
from measure.context import Context

SECTIONS = ('starts', 'runs', 'latency', 'growth', 'idle', 'peers')


def load(name):
    return importlib.import_module('measure.' + name)


def parse():
    parser = argparse.ArgumentParser(prog='bench')
    parser.add_argument('--section', action='append', choices=SECTIONS)
    parser.add_argument('--only', action='append')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--rounds', type=int)
    parser.add_argument('--base', required=True)
    parser.add_argument('--bindir', required=True)
    parser.add_argument('--built-from', default='')
    return parser.parse_args()


def about(ctx, options):
    """Versions, the machine, and the settings."""
    def output(*command):
        return subprocess.run(command, text=True, capture_output=True,
                              check=False).stdout.strip()
    cpu = ''
    with open('/proc/cpuinfo') as info:
        for line in info:
            if line.startswith('model name'):
                cpu = line.split(':', 1)[1].strip()
    return {
        'durable_singleton': options.built_from,
        'server': output(ctx.bindir + '/postgres', '--version'),
        'pgbench': output(ctx.bindir + '/pgbench', '--version'),
        'python': platform.python_version(),
        'kernel': platform.release(),
        'cpu': cpu,
        'cores': os.cpu_count(),
        'load average': '%.1f before the run' % os.getloadavg()[0],
        'quick': ctx.quick,
        'rounds': ctx.rounds,
    }


def run_section(ctx, name):
    """(title, results); a section that fails becomes a result that says so."""
    try:
        module = load(name)
    except ImportError as error:
        return name, [report.missing(name, 'section', f'cannot run: {error}')]
    results = []
    try:
        for result in module.run(ctx):
            results.append(result)
    except Exception as error:
        traceback.print_exc()
        results.append(report.missing('the rest of the section', name,
                                      f'broke off: {error}'))
    for result in results:
        result.section = name
    return module.TITLE, results


class Output:
    """Prints, and writes results.txt with the same lines."""

    def __init__(self, path):
        self.file = open(path, 'w')

    def __call__(self, text=''):
        print(text, flush=True)
        print(text, file=self.file, flush=True)


def show_settings(say, ctx):
    """The settings of the servers beyond stock; equal ones in one line."""
    say('\nSettings beyond stock postgresql.conf, sockets, and a free port:')
    alike = {}
    for name, settings in ctx.settings.items():
        text = ', '.join(f'{key} = {value}' for key, value in settings.items()
                         if not key.startswith(('port', 'listen', 'unix')))
        alike.setdefault(text, []).append(name)
    for text, names in alike.items():
        say(f"  {', '.join(names)}: {text}")


def main():
    options = parse()
    ctx = Context(options)
    facts = about(ctx, options)
    results_dir = os.path.join(ctx.base, 'results')
    say = Output(os.path.join(results_dir, 'results.txt'))
    for key, value in facts.items():
        say(f'{key:18} {value}')
    if os.getloadavg()[0] > 0.5:
        say('Something else runs here: ratios suffer from it, too.')
    done = []
    for name in options.section or SECTIONS:
        title, results = run_section(ctx, name)
        done.append((name, title, results))
        say(f'\n=== {name}: {title}')
        say('\n'.join(report.table(results)))
        facts['settings'] = ctx.settings
        report.write_json(os.path.join(results_dir, 'results.json'),
                          facts, done)
    show_settings(say, ctx)
    say('\n' + report.summary([result for _, _, results in done
                               for result in results]))
    load('chart').draw(os.path.join(results_dir, 'results.svg'), facts, done)


if __name__ == '__main__':
    main()
