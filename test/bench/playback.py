"""A primary that plays back: the messages of an AXFR as a server has sent them, and changes of one record.

It costs next to nothing, so that what a secondary does is what is measured, and each secondary gets the same."""
import socket
import struct
import threading

import dns.message
import dns.name
from servers import free_port

SOA, TXT, IXFR, AXFR = 6, 16, 251, 252
TTL = 300


def read_exactly(s, count):
    out = bytearray(count)
    view, have = memoryview(out), 0
    while have < count:
        n = s.recv_into(view[have:])
        if n == 0:
            raise EOFError
        have += n
    return out


def question(zone, rdtype, ident=0):
    return struct.pack('>6H', ident, 0, 1, 0, 0, 0) + dns.name.from_text(zone).to_wire() + struct.pack('>2H', rdtype, 1)


class Recording:
    """All messages of an AXFR, each behind its length."""

    def __init__(self, path):
        with open(path, 'rb') as f:
            self.octets = f.read()
        self.starts = []
        at = 0
        while at < len(self.octets):
            self.starts.append(at + 2)
            at += 2 + struct.unpack_from('>H', self.octets, at)[0]
        first = dns.message.from_wire(self.octets[2:self.starts[1] - 2])
        self.ttl, self.soa = first.answer[0].ttl, first.answer[0][0]

    @property
    def serial(self):
        return self.soa.serial

    def send(self, s, ident, rdtype):
        """As the answer to a question of that type."""
        out = bytearray(self.octets)
        for at in self.starts:
            struct.pack_into('>H', out, at, ident)
            if out[at + 5]:
                struct.pack_into('>H', out, out.index(0, at + 12) + 1, rdtype)
        s.sendall(out)


class Playback:
    """Serves a zone on 127.0.0.1: whole, as @recording has it, then change by change."""

    def __init__(self, zone, recording):
        self.zone, self.apex = zone, dns.name.from_text(zone).to_wire()
        self.lock = threading.Lock()
        self.play(recording)
        self.port = free_port()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.bind(('127.0.0.1', self.port))
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.tcp.bind(('127.0.0.1', self.port))
        self.tcp.listen(16)
        for run in (self.datagrams, self.connections):
            threading.Thread(target=run, daemon=True).start()

    def close(self):
        for s in (self.udp, self.tcp):
            s.close()

    def play(self, recording):
        """All of another version; no history leads to it."""
        with self.lock:
            self.recording = recording
            self.whole = self.serial = recording.serial

    def change(self):
        """One record more, and the one of the change before is gone; returns the octets of its TXT."""
        with self.lock:
            self.serial += 1
            return self.text(self.serial)

    def notify(self, port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.bind(('127.0.0.1', 0))
            s.sendto(struct.pack('>6H', 4711, 0x2400, 1, 0, 0, 0) + self.apex + struct.pack('>2H', SOA, 1), ('127.0.0.1', port))

    # --- records ---------------------------------------------------------------------------------

    @staticmethod
    def text(serial):
        return b'\x0eserial%08d' % serial

    def soa(self, serial):
        rdata = self.recording.soa.replace(serial=serial).to_wire()
        return self.apex + struct.pack('>2HIH', SOA, 1, self.recording.ttl, len(rdata)) + rdata

    def changed(self, serial):
        rdata = self.text(serial)
        return b'\x07changed' + self.apex + struct.pack('>2HIH', TXT, 1, TTL, len(rdata)) + rdata

    def differences(self, since):
        """The answer to IXFR, records and their count, or None: history does not reach back so far."""
        if since == self.serial:
            return [self.soa(self.serial)]
        if not self.whole <= since < self.serial:
            return None
        out = [self.soa(self.serial)]
        for serial in range(since, self.serial):
            out.append(self.soa(serial))
            if serial > self.whole:
                out.append(self.changed(serial))
            out += [self.soa(serial + 1), self.changed(serial + 1)]
        return out + [self.soa(self.serial)]

    # --- serving ---------------------------------------------------------------------------------

    def parse(self, query):
        """(id, type, serial of the SOA in the authority section)."""
        ident, = struct.unpack_from('>H', query)
        at = 12 + len(self.apex)
        rdtype, = struct.unpack_from('>H', query, at)
        since = 0
        if rdtype == IXFR:  # the record is the first behind the question: its rdata ends with five numbers
            at += 4
            at += 2 if query[at] >= 0xc0 else query.index(0, at) + 1 - at
            length, = struct.unpack_from('>H', query, at + 8)
            since, = struct.unpack_from('>I', query, at + 10 + length - 20)
        return ident, rdtype, since

    def message(self, ident, rdtype, records, flags=0x8400):
        return struct.pack('>6H', ident, flags, 1, len(records), 0, 0) + self.apex + struct.pack('>2H', rdtype, 1) + b''.join(records)

    def datagrams(self):
        while True:
            try:
                query, client = self.udp.recvfrom(4096)
            except OSError:
                return
            if query[2] & 0x80:
                continue  # an answer to NOTIFY
            ident, rdtype, _ = self.parse(query)
            with self.lock:
                if rdtype == SOA:
                    self.udp.sendto(self.message(ident, rdtype, [self.soa(self.serial)]), client)
                else:
                    self.udp.sendto(self.message(ident, rdtype, [], 0x8600), client)

    def connections(self):
        while True:
            try:
                s, _ = self.tcp.accept()
            except OSError:
                return
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(s,), daemon=True).start()

    def serve(self, s):
        with s:
            try:
                while True:
                    query = read_exactly(s, struct.unpack('>H', read_exactly(s, 2))[0])
                    self.answer(s, *self.parse(query))
            except (EOFError, OSError):
                pass

    def answer(self, s, ident, rdtype, since):
        with self.lock:
            records = [self.soa(self.serial)] if rdtype == SOA else self.differences(since) if rdtype == IXFR else None
            recording = self.recording
        if records is None:
            recording.send(s, ident, rdtype)
        else:
            m = self.message(ident, rdtype, records)
            s.sendall(struct.pack('>H', len(m)) + m)
