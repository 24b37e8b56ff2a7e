"""What the programs of `make bench` share: running things, rows of the table, our own programs."""
import contextlib
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BIN = os.path.abspath(os.environ.get('BIN', os.path.join(HERE, '../../build/release/bin')))
PARTS = os.path.join(BIN, '../test/bench')  # programs made of test/bench/*.c
NAMES = int(os.environ.get('NAMES', '1000000'))
CORES = os.cpu_count()
AUTOGROUP = '/proc/self/autogroup'  # Linux shares cores among sessions first, then among their processes
missed = []  # bars that were not reached


class Run:
    """One program, run to its end: wall and CPU seconds, peak memory in MiB."""

    def __init__(self, *args, cwd=None, accept=(0,)):
        start = time.monotonic()
        process = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=cwd)
        self.output = process.stdout.read().decode(errors='replace')
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.wall = time.monotonic() - start
        self.cpu = usage.ru_utime + usage.ru_stime
        self.memory = usage.ru_maxrss / 1024
        if process.returncode not in accept:
            raise RuntimeError(f'{" ".join(args)}: {process.returncode}: {self.output[-500:]}')


def ours(name, *args, **more):
    return Run(os.path.join(BIN, name), *args, **more)


def row(what, figure, bar='', good=None):
    """One line of a table of figures and bars."""
    mark = '' if good is None else 'reached' if good else 'MISSED'
    if good is False:
        missed.append(what)
    print(f'| {what:52} | {figure:>28} | {bar:>14} | {mark:7} |', flush=True)


def rule(head):
    """The line below the head of a table."""
    return '|' + '|'.join('-' * len(cell) for cell in head.split('|')[1:-1]) + '|'


def make_zone(path, *options):
    """Writes a generated zone; options as of gen_zone.py."""
    with open(path, 'w') as f:
        subprocess.run([sys.executable, f'{HERE}/gen_zone.py', *options], stdout=f, check=True)


def make_keys(directory, zone):
    os.makedirs(directory, exist_ok=True)
    ours('signet-keymgr', 'generate', '-K', directory, '-f', 'KSK', zone)
    ours('signet-keymgr', 'generate', '-K', directory, zone)


def sign(zone, origin, keys, into, *options):
    """Signs a zone file with signet-signzone; the run has .made, the number of signatures."""
    r = ours('signet-signzone', '-S', '-K', keys, '-d', os.path.dirname(into), '-o', origin, '-f', into, *options, zone)
    r.made = int(re.search(r'(\d+) made', r.output)[1])
    return r


@contextlib.contextmanager
def priority():
    """Whatever else the machine does should not be measured. Needs root; without it goes on."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, -15)
        with open(AUTOGROUP) as f:
            before = f.read().split()[-1]
        with open(AUTOGROUP, 'w') as f:
            f.write('-15')
    except PermissionError:
        print('not root: what else runs here is measured as well', file=sys.stderr)
        before = None
    except FileNotFoundError:
        before = None
    try:
        yield
    finally:
        if before is not None:
            with open(AUTOGROUP, 'w') as f:
                f.write(before)
