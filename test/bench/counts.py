"""What signetd calls per query: allocations, locks, clocks (seen by count.so) and the system (seen by strace)."""
import os
import re
import shutil
import signal
import struct
import subprocess

import bench
from bench import PARTS, rule
from generator import SERVER_CORE, Load
from servers import Signetd
from workshop import MIXES

# In the order of count.c.
COUNTERS = ('allocations', 'frees', 'locks', 'clock reads', 'receives', 'sends', 'waits')
BATCH_CALLS = ('recvmmsg', 'sendmmsg', 'epoll_wait')
SECONDS = 1
# Calls per answer that timers and the like may make; one in a hundred answers would be ten times as much.
NOISE = 0.001


class Counted(Signetd):
    """signetd with count.so preloaded."""

    def prepare(self):
        self.counters = os.path.join(self.dir, 'counters')
        self.environment.update(LD_PRELOAD=os.path.join(PARTS, 'count.so'), COUNT_FILE=self.counters)
        return super().prepare()

    def counts(self):
        """{counter: calls so far, of all threads}"""
        with open(self.counters, 'rb') as f:
            rows = f.read()
        size = 64  # of a row: the counters, to the end of the cache line
        sums = [sum(column) for column in
                zip(*(struct.unpack_from(f'<{len(COUNTERS)}Q', rows, at) for at in range(0, len(rows), size)))]
        return dict(zip(COUNTERS, sums))


def system_calls(server, load):
    """{name: calls} while the load goes on, and its figures."""
    output = os.path.join(server.dir, 'strace')
    tracer = subprocess.Popen(['strace', '-f', '-c', '-U', 'calls,name', '-o', output, '-p', str(server.process.pid)],
                              stderr=subprocess.PIPE)
    try:
        tracer.stderr.readline()  # "Process 4711 attached"
        figures = load.go()
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate()
    with open(output) as f:
        found = re.findall(r'^\s*(\d+)\s+(\w+)$', f.read(), re.MULTILINE)
    return {name: int(calls) for calls, name in found if name != 'total'}, figures


HEAD = '| mix                    | allocations | frees  | locks  | of a batch: answers | clock reads | sends | waits | ' \
       'other system calls |         |'


def count_mix(server, mix, queries):
    """A row: calls per answer, and per batch (one recvmmsg) where a batch may make some."""
    title, _, dnssec, *_ = MIXES[mix]
    load = Load(server, queries, dnssec, SECONDS)
    before = server.counts()
    answers = load.go()['answered']
    used = {k: v - before[k] for k, v in server.counts().items()}
    none = [used[k] / answers for k in ('allocations', 'frees', 'locks')]
    batch = [used[k] / used['receives'] for k in ('clock reads', 'sends', 'waits')]
    others = ''
    if shutil.which('strace'):
        calls, figures = system_calls(server, Load(server, queries, dnssec, SECONDS))
        other = {n: c for n, c in calls.items() if n not in BATCH_CALLS}
        none.append(sum(other.values()) / max(figures['answered'], 1))
        others = f'{none[-1]:.4f} ' + ' '.join(sorted(other, key=other.get, reverse=True)[:2] if none[-1] > NOISE else [])
    good = max(none) <= NOISE and max(batch) <= 1 + NOISE
    if not good:
        bench.missed.append(f'calls per answer, {title}')
    print(f'| {title:22} | {none[0]:11.4f} | {none[1]:6.4f} | {none[2]:6.4f} | {answers / used["receives"]:19.1f} | '
          f'{batch[0]:11.2f} | {batch[1]:5.2f} | {batch[2]:5.2f} | {others:18} | {"reached" if good else "MISSED":7} |', flush=True)


def count(directory, zones, lists):
    """Rows of calls per query, for each mix in lists."""
    print('\ncalls of signetd per answer, one worker: none but at most one of each kind per batch'
          + ('' if shutil.which('strace') else ' (no strace here, so none of the system)'))
    print(HEAD)
    print(rule(HEAD))
    server = Counted(directory, zones)
    try:
        server.start()
        server.wait()
        server.pin(SERVER_CORE)
        for mix, queries in lists.items():
            count_mix(server, mix, queries)
    finally:
        server.stop()
