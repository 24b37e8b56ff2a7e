#!/usr/bin/env python3
"""Nothing that was acknowledged is lost, and nothing is there in half: signetd is killed at random instants, and in the
middle of each call that writes; and each of these calls fails, once or until somebody makes room.

CRASHES=500: how many kills at random. FAULT_STEP=1: each call is tried, 10: each tenth, 0: none."""
import errno
import os
import random
import shutil
import signal
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.name
import fault_control
import model
import peer
from model import ANY, ANY_TYPE, IN, RR, Rdata

CRASHES = int(os.environ.get('CRASHES', '15'))
FAULT_STEP = int(os.environ.get('FAULT_STEP', '40'))
ZONES = {'nsec.': 'nsec', 'nsec3.': 'nsec3', 'opt-out.': 'opt-out'}
FILE = '$TTL 300\n@ SOA ns h 10 7200 3600 86400 300\n@ NS ns\nns A 127.0.0.1\n'
WRITERS = 2  # of each zone
TOGETHER = 8  # updates that a writer sends at once
LIVE = 40  # pairs of a writer that are there; older ones are deleted
TXT, SOA, A = 16, 6, 1
KILL = -1  # fault.c
PATIENCE = 15  # seconds until updates are taken again, where nothing is in their way


class Server:
    """A signetd with all the zones in a directory of its own, which dies and is started again."""

    def __init__(self, t, name):
        self.t, self.name, self.dir = t, name, t.path(name)
        self.daemon = None
        self.log = t.path(f'{name}.log')
        self.port = peer.free_port()
        may = 'allow-update: 127.0.0.1, allow-transfer: 127.0.0.1'
        zones = ''.join(f'  - {{ name: {z}, file: {self.dir}/{z}zone, dnssec: {p}, {may} }}\n' for z, p in ZONES.items())
        for zone in ZONES:
            t.write(f'{name}/{zone}zone', FILE)
        self.config = t.write(f'{name}.yaml', f'''server:
  listen: [ 127.0.0.1@{self.port} ]
  database: {self.dir}/db
policies:
  - {{ name: nsec }}
  - {{ name: nsec3, denial: nsec3 }}
  - {{ name: opt-out, denial: nsec3-opt-out }}
zones:
{zones}''')

    def launch(self, **environment):
        """Starts it and does not wait."""
        old = dict(os.environ)
        os.environ.update(environment)
        try:
            self.daemon = peer.Daemon(self.t, [os.path.join(peer.BIN, 'signetd'), '-c', self.config], self.port, self.log)
        finally:
            os.environ.clear()
            os.environ.update(old)
        self.daemon.is_ours = False  # that it was killed is no news

    def serials(self):
        """{zone: serial} of what is served; None where nothing is."""
        out = {}
        for zone, answer in zip(ZONES, self.ask((zone, SOA) for zone in ZONES)):
            out[zone] = answer[-1] if answer else None
        return out

    def serials_or_none(self):
        try:
            return self.serials()
        except OSError:
            return dict.fromkeys(ZONES)

    def is_up(self):
        """All zones are served."""
        if self.daemon.process.poll() is not None:
            raise RuntimeError(f'signetd ended: {self.daemon.log()[-2000:]}')
        try:
            return all(s is not None for s in self.serials().values())
        except OSError:
            return False

    def start(self):
        self.launch()
        peer.wait_for(self.is_up, 'zones from signetd')

    def kill(self):
        self.daemon.stop(signal.SIGKILL)

    def connect(self):
        return socket.create_connection(('127.0.0.1', self.port), timeout=10)

    def ask(self, questions):
        """[what was answered to (name, type)]: the last number of its SOA record, or the text of its TXT record; or ()."""
        out = []
        questions = list(questions)
        with self.connect() as s:
            for at in range(0, len(questions), 200):
                part = questions[at:at + 200]
                s.sendall(b''.join(peer.frame(struct.pack('!6H', i, 0, 1, 0, 0, 0) + model.wire_name(name, b'') +
                                              struct.pack('!HH', number, IN)) for i, (name, number) in enumerate(part)))
                answers = {}
                for _ in part:
                    wire = peer.read_wire(s)
                    if wire is None:
                        raise OSError('closed')
                    answers[wire[:2]] = wire
                out += [read_answer(answers[struct.pack('!H', i)], number) for i, (_, number) in enumerate(part)]
        return out

    def validates(self, what):
        for zone in ZONES:
            path = self.t.path(f'{self.name}.served')
            self.daemon.transfer(zone, path)
            status, output = peer.ours('signet-verifyzone', '-q', path)
            self.t.check(f'{what}: {zone} validates', status == 0, output)


def read_answer(wire, number):
    """The first record of an answer section, whose owner is the name of the question."""
    count, = struct.unpack('!H', wire[6:8])
    if count == 0:
        return ()
    at = 12
    while wire[at] != 0:
        at += 1 + wire[at]
    at += 5
    while wire[at] != 0 and wire[at] < 192:
        at += 1 + wire[at]
    at += 2 if wire[at] >= 192 else 1
    found, _, _, length = struct.unpack('!HHIH', wire[at:at + 10])
    rdata = wire[at + 10:at + 10 + length]
    if found != number:
        return ()
    return struct.unpack('!I', rdata[-20:-16]) if number == SOA else (rdata[1:].decode(),)


class Writer(threading.Thread):
    """Adds and deletes pairs of names in one zone, several updates at once; knows what must be there."""

    def __init__(self, server, zone, number):
        super().__init__(daemon=True)
        self.server, self.zone, self.number = server, zone, number
        self.origin = dns.name.from_text(zone).to_wire()
        self.done = False
        self.pause = threading.Event()
        self.resting = threading.Event()
        self.at = self.acknowledged = 0
        self.there = []  # numbers of pairs whose adding was acknowledged
        self.unknown = []  # was sent, and no answer came
        self.gone = []  # whose deletion was acknowledged, lately
        self.refused = []  # that gave another rcode than NOERROR

    def pair(self, n):
        return f'a{n}.c{self.number}', f'b{n}.c{self.number}'

    def message(self, i, n, delete):
        names = self.pair(n)
        rrs = [RR(name, ANY, ANY_TYPE) if delete else RR(name, IN, TXT, 60, Rdata.of('TXT', str(n))) for name in names]
        return peer.frame(model.wire_message(i, self.origin, [], rrs))

    def exchange(self, s, changes):
        """@changes: [(n, delete)]."""
        waiting = dict(enumerate(changes))
        for n, delete in changes:
            if delete:
                self.there.remove(n)
        try:
            s.sendall(b''.join(self.message(i, *c) for i, c in waiting.items()))
            while waiting:
                wire = peer.read_wire(s)
                if wire is None:
                    raise OSError('closed')
                number, flags = struct.unpack('!HH', wire[:4])
                n, delete = waiting.pop(number)
                self.acknowledged += flags & 15 == 0
                if flags & 15 != 0:
                    self.refused.append(flags & 15)
                    (self.there if delete else self.gone).append(n)
                else:
                    (self.gone if delete else self.there).append(n)
        finally:
            self.unknown += [n for n, _ in waiting.values()]

    def step(self, s):
        changes = []
        for _ in range(TOGETHER):
            changes.append((self.at, False))
            self.at += 1
        changes += [(n, True) for n in self.there[:max(0, len(self.there) - LIVE)]]
        self.exchange(s, changes)

    def run(self):
        while not self.done:
            if self.pause.is_set():
                self.resting.set()
                time.sleep(0.002)
                continue
            self.resting.clear()
            try:
                with self.server.connect() as s:
                    while not self.done and not self.pause.is_set():
                        self.step(s)
            except OSError:
                time.sleep(0.005)

    def check(self, wrong):
        """What is there, of all pairs that may have changed since the last check. While it rests."""
        numbers = self.there + self.unknown + self.gone
        texts = self.server.ask((f'{name}.{self.zone}', TXT) for n in numbers for name in self.pair(n))
        for i, n in enumerate(numbers):
            first, second = texts[2 * i:2 * i + 2]
            if first != second:
                wrong.append(f'{self.zone} {self.pair(n)}: in half')
            elif i < len(self.there) and first != (str(n),):
                wrong.append(f'{self.zone} {self.pair(n)}: acknowledged and lost')
            elif i >= len(self.there) + len(self.unknown) and first:
                wrong.append(f'{self.zone} {self.pair(n)}: deleted and back')
            elif len(self.there) <= i < len(self.there) + len(self.unknown) and first:
                self.there.append(n)
                texts += first, second
        # What was there at this look has to stay from now on.
        self.unknown, self.gone = [], []


def crashes(t):
    """At random instants, while starting too."""
    chance = random.Random(7)
    server = Server(t, 'crash')
    server.start()
    serials = server.serials()
    writers = [Writer(server, zone, i) for zone in ZONES for i in range(WRITERS)]
    wrong, early = [], 0
    for w in writers:
        w.start()
    for i in range(CRASHES):
        time.sleep(chance.random() * 0.25)
        server.kill()
        if chance.random() < 0.2:
            early += 1
            server.launch()
            time.sleep(chance.random() * 0.1)
            server.kill()
        for w in writers:
            w.pause.set()
        for w in writers:
            w.resting.wait()
        server.start()
        now = server.serials()
        for zone in ZONES:
            if model.is_newer(serials[zone], now[zone]):
                wrong.append(f'{zone} serial {now[zone]} after {serials[zone]}')
        serials = now
        for w in writers:
            w.check(wrong)
        if i % 25 == 0:
            server.validates(f'after {i + 1} crashes')
        for w in writers:
            w.pause.clear()
    for w in writers:
        w.done = True
    for w in writers:
        w.join()
    server.validates('at the end')
    acknowledged = sum(w.acknowledged for w in writers)
    refused = [r for w in writers for r in w.refused]
    t.check(f'{CRASHES} crashes: nothing is lost, back, or there in half', not wrong, wrong[:5])
    t.check('all that was answered was NOERROR', not refused, refused[:5])
    t.check('updates went on between', acknowledged > CRASHES, acknowledged)
    log = server.daemon.log()
    t.check('nobody saw damage', 'damaged' not in log and 'lost' not in log, log[-1000:])
    t.check('ends well', server.daemon.stop() == 0)
    print(f'crash: {CRASHES + early} kills, {early} of them while starting, {acknowledged} updates acknowledged')


# --- faults ---------------------------------------------------------------------------------------

class Course:
    """What is done to a server while calls fail: pairs of names in all zones, a snapshot, an edited file."""
    BULK = 6  # updates that together are worth a snapshot
    numbers = iter(range(10 ** 9))

    def __init__(self, server):
        self.server = server
        self.acknowledged = []  # pairs of (zone, n)
        self.refused = []
        self.unknown = []
        self.bad = []
        self.serials = server.serials_or_none()

    def add(self, zone, bulk=0):
        """A pair in one message, with @bulk other names; the rcode, or None where nobody answered."""
        n = next(self.numbers)
        rrs = [RR(f'{half}{n}', IN, TXT, 60, Rdata.of('TXT', str(n))) for half in 'ab']
        rrs += [RR(f'bulk{i}-{n}', IN, TXT, 60, Rdata.of('TXT', f'"{"x" * 250}" "{"y" * 250}"')) for i in range(bulk)]
        rcode = None
        try:
            with self.server.connect() as s:
                s.sendall(peer.frame(model.wire_message(n & 0xffff, dns.name.from_text(zone).to_wire(), [], rrs)))
                wire = peer.read_wire(s)
                rcode = wire[3] & 15 if wire is not None else None
        except OSError:
            pass
        (self.acknowledged if rcode == 0 else self.unknown if rcode is None else self.refused).append((zone, n))
        if rcode not in (0, 2, None):
            self.bad.append(f'rcode {rcode}')
        return rcode

    def run(self):
        """Until the server is gone or all is done."""
        for zone in ZONES:
            self.add(zone)
        for _ in range(self.BULK):
            self.add('nsec3.', bulk=90)
        self.edit()
        self.add('nsec.')

    def edit(self):
        """The operator's file has one record more."""
        server = self.server
        n = next(self.numbers)
        with open(f'{server.dir}/nsec.zone', 'a') as f:
            f.write(f'file{n} TXT {n}\n')
        def said():
            log = server.daemon.log()
            return sum(log.count(what) for what in ('zone=nsec. from=file', 'zone=nsec. job=load'))
        before = said()
        server.daemon.process.send_signal(signal.SIGHUP)
        peer.wait_for(lambda: server.daemon.process.poll() is not None or said() > before, 'word of the file')

    def look(self, what, may_be_early=False):
        """Everything is as it was answered."""
        pairs = self.acknowledged + self.unknown + self.refused
        texts = self.server.ask((f'{half}{n}.{zone}', TXT) for zone, n in pairs for half in 'ab')
        for i, (zone, n) in enumerate(pairs):
            first, second = texts[2 * i:2 * i + 2]
            if first != second:
                self.bad.append(f'{what}: {zone} {n} in half')
            elif i < len(self.acknowledged) and first != (str(n),):
                self.bad.append(f'{what}: {zone} {n} acknowledged and lost')
            elif i >= len(self.acknowledged) + len(self.unknown) and first and not may_be_early:
                self.bad.append(f'{what}: {zone} {n} refused and there')
        now = self.server.serials()
        for zone, serial in now.items():
            if self.serials[zone] is not None and model.is_newer(self.serials[zone], serial):
                self.bad.append(f'{what}: {zone} serial {serial} after {self.serials[zone]}')
        self.serials = now

    def recovers(self, what):
        """Updates are taken again, and nobody did anything."""
        for zone in ZONES:
            end = time.monotonic() + PATIENCE
            while self.add(zone) != 0:
                if time.monotonic() > end or self.server.daemon.process.poll() is not None:
                    self.bad.append(f'{what}: {zone} takes no updates: {self.server.daemon.log()[-1500:]}')
                    return
                time.sleep(0.05)


def fresh(t, template):
    """A server whose directory is as that of @template, which was stopped; None: that has nothing but zone files."""
    server = Server(t, 'fault')
    if template is not None:
        shutil.rmtree(server.dir)
        shutil.copytree(template.dir, server.dir)
    else:
        shutil.rmtree(f'{server.dir}/db', ignore_errors=True)
    if os.path.exists(server.log):
        os.unlink(server.log)
    return server


def comes_up(server, patience):
    try:
        peer.wait_for(server.is_up, 'zones from signetd', patience)
        return True
    except RuntimeError:  # it may have ended
        return False


def has_tried(server):
    """All zones are served, or the server has said which are not, or it has ended."""
    peer.wait_for(lambda: server.daemon.process.poll() is not None or 'zones-ready' in server.daemon.log(), 'word of the zones')
    return server.daemon.process.poll() is None and None not in server.serials_or_none().values()


# What happens at the nth call: the process is killed; the call fails; it fails and has done its work, and what the server does
# to take it back fails as well; it fails, and so do all behind it until there is room again.
FAULTS = (('killed', KILL, lambda n: (n, n)), ('EIO', errno.EIO, lambda n: (n, n)),
          ('EIO, but done', errno.EIO, lambda n: (n, n + 1, n)), ('ENOSPC from', errno.ENOSPC, lambda n: (n, 2 ** 62)),
          ('EROFS from', errno.EROFS, lambda n: (n, 2 ** 62)))


def fault(t, control, template, how, n):
    """One server with a fault at its nth call. False: there are not so many, with nothing stored: before it serves."""
    name, kind, which = how
    what = f'{"stored" if template else "new"}: {name} at call {n}'
    server = fresh(t, template)
    first, last, *lands = which(n)
    control.set(first, last, kind, *lands)
    server.launch(**control.environment)
    is_up = has_tried(server)
    met = control.calls >= n
    course = Course(server)
    if is_up and (template is not None or met):
        course.run()
        met = met or (control.calls >= n and template is not None)
    if kind != KILL and is_up:
        course.look(what)
        if course.refused and 'reason=' not in server.daemon.log():
            course.bad.append(f'{what}: no reason in the log')
        control.heal()
        course.recovers(what)
        course.look(what)
    elif kind != KILL and server.daemon.process.poll() is None:
        # What could not be loaded is tried again after a minute (keeper_restart_test.c); a reload does it at once.
        control.heal()
        server.daemon.process.send_signal(signal.SIGHUP)
        if not comes_up(server, PATIENCE):
            course.bad.append(f'{what}: not served: {server.daemon.log()[-1500:]}')
    elif kind != KILL:
        control.heal()
        if os.strerror(kind) not in server.daemon.log():
            course.bad.append(f'{what}: ended, and does not say why: {server.daemon.log()[-1500:]}')
        print(f'crash: {what}: ended: {server.daemon.log().strip().splitlines()[-1]}', flush=True)
    server.kill()
    server.start()
    course.look(f'{what}, started again')
    course.recovers(f'{what}, started again')
    course.look(f'{what}, started again')
    if n % 10 == 0 or course.bad:
        server.validates(what)
    t.check(what, not course.bad, '\n'.join(course.bad[:5]))
    server.kill()
    return met


def faults(t):
    """Each call that writes, of a server that starts with an empty database, and of one that goes on with what is stored."""
    control = fault_control.Control(t)
    template = Server(t, 'template')
    template.start()
    template.daemon.stop()
    shift = 0
    for how in FAULTS:
        for stored in (template, None):
            n = first = 1 + shift % FAULT_STEP
            shift += 7
            began = time.monotonic()
            while fault(t, control, stored, how, n):
                n += FAULT_STEP
            print(f'crash: {"stored" if stored else "new"}, {how[0]}: {(n - first) // FAULT_STEP} of {n - 1} calls, '
                  f'{time.monotonic() - began:.0f} s', flush=True)
            t.check('faults were met', n > first)


def full_disk(t):
    """A disk that is really full: updates are refused, queries go on, and so it is after a restart; until there is room."""
    disk = t.path('disk')
    os.makedirs(disk)
    peer.must('mount', '-t', 'tmpfs', '-o', 'size=8m,mode=755', 'none', disk)
    server = Server(t, 'disk')
    server.start()
    course = Course(server)
    course.run()
    filler = peer.fill(disk, 0)
    refused = sum(course.add('nsec.', bulk=50) != 0 for _ in range(60))
    t.check('full disk: updates are refused', refused > 10, refused)
    t.check('full disk: with a reason', 'No space left on device' in server.daemon.log(), server.daemon.log()[-1000:])
    course.look('full disk')
    server.kill()
    server.start()
    course.look('full disk, started again')
    t.check('full disk: updates are still refused', any(course.add('nsec.', bulk=50) != 0 for _ in range(60)))
    os.unlink(filler)
    course.recovers('room again')
    course.look('room again')
    server.validates('room again')
    t.check('full disk: nothing was lost', not course.bad, '\n'.join(course.bad[:5]))
    t.check('full disk: ends well', server.daemon.stop() == 0)
    peer.must('umount', disk)


def main():
    may_mount = '--mount' in sys.argv
    if not may_mount:
        peer.in_namespace('crash')
    with peer.Test('crash') as t:
        if CRASHES:
            crashes(t)
        if FAULT_STEP:
            faults(t)
        if may_mount:
            full_disk(t)


main()
