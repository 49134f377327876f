"""The context of every section: sizes, paths, creation of clusters."""
import os
import sys
import time

from measure.cluster import Cluster

FULL_ROUNDS, QUICK_ROUNDS = 5, 2


class Context:
    """Options and paths of the run; passed to a section's run(ctx).

    quick      small sizes
    rounds     interleaved rounds
    base       the private directory, writable; removed at the end
    bindir     the server's programs
    peers_dir  directory of the peers' packages, if they were installed
    """

    def __init__(self, options):
        self.quick = options.quick
        self.rounds = options.rounds or \
            (QUICK_ROUNDS if options.quick else FULL_ROUNDS)
        self.base = options.base
        self.bindir = options.bindir
        self.only = options.only or ()
        self.home = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        with open(os.path.join(self.base, 'server.conf')) as conf:
            self.server_conf = conf.read()
        self.peers_dir = os.path.join(self.base, 'peers')
        self.settings = {}
        self.begun = time.monotonic()

    def size(self, full, quick):
        """The size for this run: `quick` with --quick, else `full`."""
        return quick if self.quick else full

    def wants(self, name):
        """False for a part of a section that --only excludes."""
        return not self.only or any(text in name for text in self.only)

    def sql_file(self, name):
        """The path of bench/sql/NAME; a path is returned unchanged."""
        return os.path.join(self.home, 'sql', name)

    def cluster(self, name, **options):
        """A new private cluster, to be used with `with`; see Cluster."""
        return Cluster(self, name, **options)

    def note_settings(self, name, settings):
        """Settings of a cluster that are not stock, for the report."""
        self.settings[name] = dict(settings)

    def say(self, text):
        """A line of progress, on stderr: the tables go to stdout."""
        took = time.monotonic() - self.begun
        print(f'  [{took:6.1f} s] {text}', file=sys.stderr, flush=True)
