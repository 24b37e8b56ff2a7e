"""The load generator against a server, and what comes of it."""
import json
import subprocess

from bench import PARTS

SERVER_CORE, LOAD_CORE = 0, 1
WARM_UP = 0.2


class Load:
    """The load generator against a server, warmed up; go() measures."""

    def __init__(self, server, queries, dnssec, seconds, seed=1, more=(), prefix=()):
        self.server, self.seconds = server, seconds
        command = [*prefix, f'{PARTS}/loadgen', '-k', str(LOAD_CORE), '-p', str(server.port), '-w', str(WARM_UP),
                   '-t', str(seconds), '-r', str(seed), *more, *(['-e', '1232', '-d'] if dnssec else []), queries]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.process.stdout.readline() != b'warm\n':
            raise RuntimeError(f'{" ".join(command)}: failed')

    def go(self):
        """Returns what the generator says, as a dictionary."""
        output, _ = self.process.communicate(b'\n')
        return json.loads(output)


class Figures:
    """What one server did in one mix, over several rounds.

    A machine shared with others has slow seconds in which everything takes a fifth more, and never fast ones: so
    the fastest round counts. How CPU is divided is known from ticks only, so from those of all rounds."""

    def __init__(self):
        self.loads, self.cpus, self.busy = [], [], []
        self.user_ticks = self.system_ticks = 0

    def measure(self, load):
        before = load.server.cpu()
        figures = load.go()
        user, system, exact = (b - a for a, b in zip(before, load.server.cpu()))
        self.loads.append(figures)
        self.cpus.append(exact / max(figures['answered'], 1) * 1e6)
        self.busy.append(exact / figures['seconds'])
        self.user_ticks += user
        self.system_ticks += system

    @property
    def cpu(self):
        """Microseconds per answer."""
        return min(self.cpus)

    @property
    def user(self):
        return self.cpu * self.user_ticks / max(self.user_ticks + self.system_ticks, 1)

    @property
    def rate(self):
        return max(load['rate'] for load in self.loads)

    @property
    def octets(self):
        return self.loads[0]['octets']

    def remarks(self, mixed):
        """What to know about the figures. A worker that is not busy: others took its core, or the load generator
        was too slow."""
        if max(self.busy) < 0.9:
            yield f'worker busy {max(self.busy):.0%}'
        lost = sum(load['lost'] for load in self.loads)
        if lost:
            yield f'{lost} lost'
        rcodes = sorted({c for load in self.loads for c in load['rcodes']})
        if len(rcodes) > 1 and not mixed:
            yield f'rcodes {",".join(rcodes)}'
