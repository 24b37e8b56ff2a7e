#!/usr/bin/env python3
"""Packets that nobody should send: queries with octets changed, cut, doubled, pointing at themselves; options of any kind;
responses; other opcodes; noise; over UDP and in TCP frames. After each thousand an honest question has to be answered.

Each packet is answered or not as it should be (RFC 8906 3, RFC 9619): silence for responses and for what has no header,
else one response that can be read strictly, with the id, opcode and question of the query, no longer than the client and
server allow, and never another for an error than a short one.

PACKETS=1000000 test/peer/hostile_test.py is `make soak`; SEED=n repeats a run.
"""
import os
import random
import select
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import corner_zones
import peer
import questions
import wire

PACKETS = int(os.environ.get('PACKETS', '20000'))
SEED = int(os.environ.get('SEED', '1'))
BURST = 40
UDP_SIZE = 1232
# An error is told with header, question, OPT, cookie, and a reason with its text; NSID and keepalive where asked for.
ERROR_MORE = 11 + 28 + 6 + 100 + 20

OPTIONS = (3, 8, 9, 10, 11, 12, 14, 15, 18, 19, 65001)


class Mutator:
    """Endless packets, the same for the same seed."""

    def __init__(self, names, seed):
        self.r = random.Random(seed)
        self.names = names
        self.responses = [b'\0' * 12]  # of the server, to be sent back
        self.kinds = (self.valid, self.octets, self.cut, self.longer, self.header, self.pointers, self.opts, self.noise,
                      self.response, self.opcode, self.splice, self.sections, self.long_name)

    def packet(self):
        return self.r.choice(self.kinds)()

    def name(self):
        return self.r.choice(self.names)

    def options(self):
        r = self.r
        out = b''
        for _ in range(r.choice((0, 0, 1, 1, 2, 5))):
            code = r.choice(OPTIONS) if r.random() < 0.9 else r.randrange(65536)
            data = r.randbytes(r.choice((0, 1, 8, 16, 24, 40, 41, r.randrange(100))))
            out += struct.pack('!HH', code, len(data)) + data
        return out

    def opt(self):
        r = self.r
        options = self.options()
        length = len(options) if r.random() < 0.8 else r.randrange(70000) & 0xffff
        return b'\0' + struct.pack('!HHBBHH', wire.OPT, r.choice((0, 512, 1232, 4096, 65535)), r.choice((0, 0, 0, 1, 255)),
                                   r.choice((0, 0, 0, 1, 255)), r.choice((0, 0x8000, 0x7fff)), length) + options

    def valid(self):
        r = self.r
        return wire.query(self.name(), r.choice(questions.TYPES), r.choice((0, wire.RD, wire.CD | wire.AD)),
                          r.choice((None, 512, 1232, 4096)), r.random() < 0.5, 1, self.options() if r.random() < 0.3 else b'')

    def octets(self):
        m = bytearray(self.valid())
        for _ in range(self.r.choice((1, 1, 2, 4, 16))):
            m[self.r.randrange(2, len(m))] = self.r.randrange(256)
        return bytes(m)

    def cut(self):
        m = self.valid()
        return m[:self.r.randrange(len(m))]

    def longer(self):
        return self.valid() + self.r.randbytes(self.r.choice((1, 2, 11, 100, 1000, 5000)))

    def header(self):
        m = bytearray(self.valid())
        m[2:12] = self.r.randbytes(10) if self.r.random() < 0.3 else \
            struct.pack('!5H', self.r.choice((0, 0x100, 0x0200, 0x7fff)), *(self.r.choice((0, 1, 1, 2, 255, 65535)) for _ in range(4)))
        return bytes(m)

    def pointers(self):
        r = self.r
        labels = b''
        for _ in range(r.randrange(4)):
            label = r.randbytes(r.randrange(1, 10))
            labels += bytes([len(label)]) + label
        to = r.choice((0, 4, 12, 12 + len(labels), 13, 12 + len(labels) + 2, r.randrange(0x4000)))
        name = labels + struct.pack('!H', 0xc000 | to)
        return struct.pack('!6H', 0, 0, 1, 0, 0, 0) + name + struct.pack('!HH', 1, 1)

    def opts(self):
        r = self.r
        count = r.choice((1, 1, 2, 3))
        records = b''.join(self.opt() for _ in range(count))
        counts = [0, 0, count] if r.random() < 0.7 else [r.randrange(3), r.randrange(3), r.randrange(3)]
        return struct.pack('!6H', 0, 0, 1, *counts) + self.name() + struct.pack('!HH', r.choice(questions.TYPES), 1) + records

    def noise(self):
        r = self.r
        return r.randbytes(r.choice((0, 1, 2, 11, 12, 13, 17, r.randrange(600), r.randrange(4000), 65000 if r.random() < 0.05 else 40)))

    def response(self):
        m = bytearray(self.r.choice(self.responses))
        if self.r.random() < 0.3:
            m[2] &= 0x7f
        if len(m) > 12 and self.r.random() < 0.5:
            m[self.r.randrange(12, len(m))] = self.r.randrange(256)
        return bytes(m)

    def opcode(self):
        m = bytearray(self.valid())
        m[2] = self.r.choice((1, 2, 3, 4, 5, 6, 9, 15)) << 3 | self.r.randrange(8)
        return bytes(m)

    def splice(self):
        a, b = self.valid(), self.valid()
        return a[:self.r.randrange(len(a))] + b[self.r.randrange(len(b)):]

    def sections(self):
        r = self.r
        m = b''
        counts = [r.randrange(3) for _ in range(3)]
        for _ in range(sum(counts)):
            name = r.choice((b'\0', b'\xc0\x0c', self.name()))
            rdata = r.randbytes(r.choice((0, 4, 16, 60)))
            m += name + struct.pack('!HHIH', r.choice((1, 2, 5, 6, 24, 41, 46, 250, 249, 65535)), r.choice((1, 255, 254)),
                                    r.randrange(1 << 32), len(rdata)) + rdata
        return struct.pack('!6H', 0, 0, 1, *counts) + self.name() + struct.pack('!HH', r.choice(questions.TYPES), 1) + m

    def long_name(self):
        r = self.r
        name = b''
        size = r.choice((250, 253, 255, 256, 300, 2000))
        while len(name) < size:
            n = r.choice((1, 1, 30, 63, 64, 128, 191))
            name += bytes([n]) + r.randbytes(n & 63)
        name += r.choice((b'\0', self.name(), b'\xc0\x0c'))
        return struct.pack('!6H', 0, 0, 1, 0, 0, 0) + name + struct.pack('!HH', 1, 1)


def udp_limit(m):
    """What the client may get: its OPT says, where records can be read so far; whatever their data is."""
    try:
        counts = struct.unpack('!4H', m[4:12])
        at = 12
        for section, count in enumerate(counts):
            for _ in range(count):
                _, at = wire.read_name(m, at, [0])
                rdtype, size = struct.unpack('!HH', m[at:at + 4])
                at += 4 if section == 0 else 10 + struct.unpack('!H', m[at + 8:at + 10])[0]
                if section == 3 and rdtype == wire.OPT:
                    return max(512, min(size, UDP_SIZE))
    except (wire.Malformed, IndexError, struct.error):
        pass
    return 512


def wants_answer(m):
    return len(m) >= 12 and not m[2] & 0x80


def fault(query, answer, limit):
    """What is wrong with the answer, or None."""
    if not wants_answer(query):
        return 'answers what is no query'
    try:
        a = wire.Message(answer)
    except (wire.Malformed, IndexError, struct.error) as e:
        return f'cannot be read: {e}'
    if not a.flags & wire.QR or answer[2] & 0x78 != query[2] & 0x78:
        return 'QR or opcode'
    if len(answer) > limit:
        return f'{len(answer)} octets, {limit} are allowed'
    if a.question is not None and not query[12:].startswith(a.question[0] + struct.pack('!HH', *a.question[1:])):
        return 'question'
    if a.rcode not in (0, 3, 6) and len(answer) > len(query) + ERROR_MORE:
        return f'error of {len(answer)} octets to {len(query)}'
    if a.rcode not in (0, 1, 2, 3, 4, 5, 6, 9, 16, 23):
        return f'code {a.rcode}'
    return None


# What was once answered wrongly.
KNOWN = ['1b002400000100000000000003ff71380467656e0001010001',  # NOTIFY whose question ends in its type
         '1b002800000100000000000003ff71380467656e0001010001', '1b000000000100000000000003ff71380467656e0001010001']


class Attack:
    def __init__(self, t, server, names):
        self.t, self.server = t, server
        self.mutator = Mutator(names, SEED)
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.udp.connect(('127.0.0.1', server.port))
        self.sent = self.answered = self.faults = self.serial = 0

    def wrong(self, what, query):
        self.faults += 1
        if self.faults <= 5:
            print(f'hostile: {what}: {query.hex()}', flush=True)

    def numbered(self, m):
        """With an id of its own, if there is room for one."""
        self.serial = self.serial + 1 & 0xffff
        return struct.pack('!H', self.serial) + m[2:] if len(m) >= 2 else m

    def check(self, query, answer, limit):
        self.answered += 1
        what = fault(query, answer, limit)
        if what is not None:
            self.wrong(what, query)
        elif self.mutator.r.random() < 0.05:
            self.mutator.responses = self.mutator.responses[-50:] + [answer]

    def burst_udp(self):
        queries = [self.numbered(self.mutator.packet()) for _ in range(BURST)]
        waiting = {q[:2]: q for q in queries if wants_answer(q)}
        every = {q[:2]: q for q in queries if len(q) >= 2}
        for q in queries:
            self.udp.send(q)
        self.sent += len(queries)
        tries = 3
        while waiting or select.select([self.udp], [], [], 0)[0]:
            if not select.select([self.udp], [], [], 1)[0]:
                tries -= 1
                if tries == 0:
                    for q in waiting.values():
                        self.wrong('no answer', q)
                    return
                for q in waiting.values():
                    self.udp.send(q)
                continue
            answer = self.udp.recv(65535)
            query = every.get(answer[:2])
            if query is None:
                continue  # of an earlier burst, asked twice
            waiting.pop(answer[:2], None)
            self.check(query, answer, udp_limit(query))

    def burst_tcp(self):
        """Frames on one connection; now and then one that lies about its length, which ends the use of it."""
        r = self.mutator.r
        frames = [self.numbered(self.mutator.packet())[:65535] for _ in range(r.randrange(1, 20))]
        data = b''.join(struct.pack('!H', len(f)) + f for f in frames)
        lies = r.random() < 0.2
        if lies:
            data += struct.pack('!H', r.randrange(1, 65536)) + r.randbytes(r.randrange(40))
        self.sent += len(frames)
        every = {f[:2]: f for f in frames if len(f) >= 2}
        got = b''
        with socket.create_connection(('127.0.0.1', self.server.port), timeout=5) as s:
            try:
                at = 0
                while at < len(data):
                    n = r.choice((1, 2, 3, 100, 100000, 100000))
                    s.sendall(data[at:at + n])
                    at += n
                s.shutdown(socket.SHUT_WR)
                while True:
                    part = s.recv(1 << 17)
                    if not part:
                        break
                    got += part
            except socket.timeout:
                self.wrong('TCP connection stays open', data[:100])
            except OSError:
                pass  # it may close on those who lie
        answers = 0
        while len(got) >= 2:
            n = struct.unpack('!H', got[:2])[0]
            answer, got = got[2:2 + n], got[2 + n:]
            answers += 1
            query = every.get(answer[:2])
            if len(answer) != n or query is None:
                self.wrong('TCP frame', answer)
                return
            self.check(query, answer, 65535)
        if answers > len(frames):
            self.wrong('more answers than queries', data[:100])

    def health(self):
        """An honest question, both ways."""
        for tcp in (False, True):
            r = self.server.ask('www.example.', 'A', tcp=tcp, timeout=10)
            if r.rcode() != 0 or len(r.answer) != 2:
                self.wrong(f'health, TCP {tcp}: {r}', b'')

    def known(self):
        for q in map(bytes.fromhex, KNOWN):
            self.udp.send(q)
            if select.select([self.udp], [], [], 5)[0]:
                self.check(q, self.udp.recv(65535), udp_limit(q))
            else:
                self.wrong('no answer', q)
        self.t.check('known packets', self.faults == 0)

    def run(self, packets):
        checks = 0
        start = time.monotonic()
        while self.sent < packets and self.faults < 50:
            if self.mutator.r.random() < 0.1:
                self.burst_tcp()
            else:
                self.burst_udp()
            if self.sent >= 1000 * (checks + 1):
                self.health()
                checks += 1
                if self.server.process.poll() is not None:
                    self.wrong(f'the server ended: {self.server.log()[-3000:]}', b'')
                    break
        self.t.check(f'{self.sent} hostile packets', self.faults == 0, f'{self.faults} wrong, seed {SEED}')
        print(f'hostile: {self.sent} packets, {self.answered} answers, {checks} health checks, '
              f'{time.monotonic() - start:.0f} s, seed {SEED}', flush=True)


def amplification(t, zones):
    """Many of the most rewarding question in the name of one victim: what the victim gets is bounded."""
    server = peer.signetd(t, zones, name='rrl', extra='  workers: 1\n  rrl: { rate: 20, window: 1s, slip: 2 }')
    q = wire.query(b'\4many\7example\0', wire.TXT, 0, 4096, True)
    big = server.ask('many.example.', 'TXT', payload=4096)
    t.check('the question is rewarding', len(big.to_wire()) > 300)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(('127.0.0.1', server.port))
        s.settimeout(0.5)
        sent = received = whole = 0
        start = time.monotonic()
        for _ in range(100):
            for _ in range(20):
                sent += s.send(q)
            while select.select([s], [], [], 0.002)[0]:
                n = len(s.recv(65535))
                received += n
                whole += n > 100
        seconds = time.monotonic() - start
    t.check('whole answers keep to the rate', whole <= 20 * (seconds + 2), f'{whole} in {seconds:.1f} s')
    t.check('what is sent beyond is no more than what came', received - whole * UDP_SIZE <= sent, (sent, received, whole))
    server.stop()


def main():
    with peer.Test('hostile') as t:
        keys, _ = peer.generate_keys(t, 'example.')
        zones = {'example.': peer.sign(t, 'example.', t.write('example.zone', corner_zones.corners('')), keys)}
        keys, _ = peer.generate_keys(t, 'gen.')
        zones['gen.'] = peer.sign(t, 'gen.', t.write('gen.zone', corner_zones.generated()), keys, '-3', '-', '-A')
        names = [n.to_wire() for z, p in zones.items() for n in sorted(questions.Zone(z, p).names)]
        server = peer.signetd(t, zones, extra='  nsid: site-1\n  identity: one\n  version: none\n  tcp-idle-timeout: 2s\n'
                                              '  report-channel: agent.test')
        attack = Attack(t, server, names)
        attack.known()
        attack.run(PACKETS)
        log = server.log()
        t.check('no sanitizer has a word', 'Sanitizer' not in log and 'runtime error' not in log, log[-2000:])
        t.check('signetd ends well', server.stop() == 0, server.log()[-2000:])
        amplification(t, zones)


main()
