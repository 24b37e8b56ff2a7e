"""Latency of signetd at a tenth of its capacity: alone, while it loads a large zone, while one is signed beside it;
and what two workers take per answer, where one takes so much.

The machine this is written for has two cores, so that loading, signing, worker and load generator share them.
The generator sleeps between queries and has real-time priority: what is late is the server's. Sleeping and waking
costs more than polling, in a virtual machine 15 to 30 µs a query; at more than a tenth of the server's capacity the
generator would take the core that the others are to share."""
import os
import shutil
import signal
import subprocess
import time

from bench import BIN, row
from generator import LOAD_CORE, SERVER_CORE, Figures, Load
from servers import LOAD_DEADLINE, Signetd, answers
from workshop import MIXES

ROUNDS = 4
SECONDS = 2
SHARE = 0.1  # of capacity
REAL_TIME = ('chrt', '-f', '10')
MIX = 'nsec-nx'
LOADED = 'optout'  # the large zone


class Reloading(Signetd):
    """signetd that gets another set of zones by SIGHUP."""

    def reload(self, zones):
        self.configure(zones)
        self.process.send_signal(signal.SIGHUP)

    def until(self, zone, there):
        """Waits until a zone is (not) answered for."""
        end = time.monotonic() + LOAD_DEADLINE
        while answers(self.port, zone) != there:
            if time.monotonic() > end:
                raise RuntimeError(f'{zone} is {"not " if there else ""}served {LOAD_DEADLINE} s after SIGHUP')
            time.sleep(0.1)


def load_at(server, queries, rate):
    return Load(server, queries, MIXES[MIX][2], SECONDS, more=('-i', '-R', str(rate)), prefix=REAL_TIME)


def while_loading(server, zones, large, queries, rate):
    """Figures of the time that loading takes, or the first seconds of it."""
    load = load_at(server, queries, rate)
    server.reload({**zones, LOADED: large})
    begin = time.monotonic()
    figures = load.go()
    if answers(server.port, LOADED):
        figures['remark'] = f'loaded within {time.monotonic() - begin:.1f} s'
    server.until(LOADED, True)
    server.reload(zones)
    server.until(LOADED, False)
    return figures


def while_signing(server, shop, queries, rate, directory):
    """Figures of the first seconds of signing; the signer is stopped then."""
    raw, keys = shop.raw(LOADED), os.path.join(shop.path, 'keys')
    signer = subprocess.Popen([os.path.join(BIN, 'signet-signzone'), '-S', '-K', keys, '-d', directory, '-o', LOADED,
                               '-3', '-', '-A', '-f', os.path.join(directory, 'beside'), raw],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return load_at(server, queries, rate).go()
    finally:
        signer.kill()
        signer.wait()


def capacity(server, queries, cores):
    """CPU of an answer, in microseconds, when busy."""
    server.pin(*cores)
    figures = Figures()
    for number in range(ROUNDS):
        figures.measure(Load(server, queries, MIXES[MIX][2], 1, number + 1))
    return figures


def show(what, runs, idle):
    """A row; the quietest round counts, as strangers on the machine only add."""
    best = min(runs, key=lambda r: r['p99_us'])
    p99 = best['p99_us']
    good = None if idle is None else p99 <= 1.2 * idle
    remarks = ', '.join({r['remark'] for r in runs if 'remark' in r})
    row(f'p99 {what}, µs' + (f' ({remarks})' if remarks else ''),
        f'{p99:.0f} (p50 {best["p50_us"]:.0f}, max {best["max_us"]:,.0f})',
        '' if idle is None else f'<= {1.2 * idle:.0f}', good)
    lost = sum(r['lost'] for r in runs)
    if lost:
        row(f'lost {what}', f'{lost}', '0', False)
    return p99


def measure(directory, shop):
    """Rows of latency and of two workers."""
    zones, large, queries = {'nsec': shop.zone('nsec')}, shop.zone(LOADED), shop.mix(MIX)
    scratch = os.path.join(directory, 'scratch')
    os.makedirs(scratch, exist_ok=True)
    server = Reloading(directory, zones)
    try:
        server.start()
        server.wait()
        one = capacity(server, queries, (SERVER_CORE,))
        rate = round(SHARE * 1e6 / one.cpu)
        server.pin(SERVER_CORE, LOAD_CORE)
        print(f'\nlatency of signetd, one worker, {MIXES[MIX][0]}, {rate:,} queries/s; all share {os.cpu_count()} cores')
        idle, loading, signing = [], [], []
        for _ in range(ROUNDS):
            idle.append(load_at(server, queries, rate).go())
            loading.append(while_loading(server, zones, large, queries, rate))
            signing.append(while_signing(server, shop, queries, rate, scratch))
        p99 = show('idle', idle, None)
        show('while a large zone is loaded', loading, p99)
        show('while a large zone is signed beside', signing, p99)
    finally:
        server.stop()
        shutil.rmtree(scratch, ignore_errors=True)
    return one


def two_workers(directory, shop, one):
    """Row of what two workers do against one."""
    server = Reloading(directory, {'nsec': shop.zone('nsec')}, workers=2)
    try:
        server.start()
        server.wait()
        two = capacity(server, shop.mix(MIX), (SERVER_CORE, LOAD_CORE))
        ratio = 2 * one.cpu / two.cpu
        print(f'\ntwo workers, {MIXES[MIX][0]}; the load generator shares a core with one, so CPU per answer counts')
        row('CPU per answer of one and of two workers, µs', f'{one.cpu:.2f} {two.cpu:.2f}')
        row('answers of two busy cores against one', f'{ratio:.2f} x', '>= 1.8 x', ratio >= 1.8)
    finally:
        server.stop()
