"""Messages as octets, and clients with many queries in flight: what tests use that ask very often.

dnspython reads a message in a millisecond; this reads it in a tenth of that, and is as strict: pointers go
backwards, only types of RFC 1035 have compressed names in their data, nothing trails.
"""
import select
import socket
import struct
import time

QR, AA, TC, RD, RA, AD, CD = 0x8000, 0x400, 0x200, 0x100, 0x80, 0x20, 0x10
NS, CNAME, SOA, PTR, MX, TXT, DNAME, OPT, DS, RRSIG, NSEC, NSEC3, ANY = 2, 5, 6, 12, 15, 16, 39, 41, 43, 46, 47, 50, 255

# type: (octets before the first name, names, may be compressed)
NAMES = {2: (0, 1, True), 3: (0, 1, True), 4: (0, 1, True), 5: (0, 1, True), 6: (0, 2, True), 7: (0, 1, True),
         8: (0, 1, True), 9: (0, 1, True), 12: (0, 1, True), 14: (0, 2, True), 15: (2, 1, True), 17: (0, 2, False),
         18: (2, 1, False), 21: (2, 1, False), 26: (2, 2, False), 33: (6, 1, False), 36: (2, 1, False),
         39: (0, 1, False), 46: (18, 1, False), 47: (0, 1, False), 64: (2, 1, False), 65: (2, 1, False)}


class Malformed(Exception):
    pass


class Record:
    __slots__ = ('owner', 'type', 'rdclass', 'ttl', 'rdata', 'exact', 'start', 'end')

    def key(self):
        """What makes it the same record: names without regard to case."""
        return (self.owner, self.type, self.ttl, self.rdata)

    @property
    def covers(self):
        return struct.unpack('!H', self.rdata[:2])[0] if self.type == RRSIG else 0


def read_name(m, at, most, compressed=True):
    """(name in wire form, offset behind it). most[0]: pointers of the name that has most."""
    labels = []
    end = None
    limit = at
    hops = 0
    while True:
        if at >= len(m):
            raise Malformed('name is cut')
        n = m[at]
        if n >= 0xc0:
            if not compressed or at + 1 >= len(m):
                raise Malformed('pointer')
            to = (n & 0x3f) << 8 | m[at + 1]
            end = at + 2 if end is None else end
            if to >= limit:
                raise Malformed('pointer forward')
            limit = at = to
            hops += 1
            most[0] = max(most[0], hops)
            continue
        if n > 63:
            raise Malformed('label')
        if n == 0:
            return b''.join(labels) + b'\0', end if end is not None else at + 1
        labels.append(m[at:at + 1 + n])
        at += 1 + n


def read_rdata(m, at, length, rdtype, most):
    """(as it is with names in full, the same with names in lower case)."""
    end = at + length
    if end > len(m):
        raise Malformed('rdata is cut')
    if rdtype == 35:  # NAPTR: three strings before the name
        before = 4
        for _ in range(3):
            before += 1 + m[at + before]
        names, compressed = 1, False
    elif rdtype in NAMES:
        before, names, compressed = NAMES[rdtype]
    else:
        rdata = m[at:end]
        return rdata, rdata
    if length == 0:
        raise Malformed('no rdata')
    head = m[at:at + before]
    at += before
    whole = b''
    for _ in range(names):
        name, at = read_name(m, at, most, compressed)
        whole += name
    if at > end:
        raise Malformed('name runs over')
    tail = m[at:end]
    return head + whole + tail, head + whole.lower() + tail


class Message:
    """A response. sections: lists of Record; the OPT record is taken out of the last one. hops: pointers of the name that
    has most."""
    __slots__ = ('wire', 'id', 'flags', 'rcode', 'question', 'sections', 'opt', 'additional_at', 'hops')

    def __init__(self, m):
        self.wire = m
        if len(m) < 12:
            raise Malformed('no header')
        self.id, self.flags, questions, *counts = struct.unpack('!6H', m[:12])
        self.rcode = self.flags & 15
        self.opt = None
        at = 12
        most = [0]
        self.question = None
        for _ in range(questions):
            name, at = read_name(m, at, most)
            self.question = (name, *struct.unpack('!HH', m[at:at + 4]))
            at += 4
        self.sections = ([], [], [])
        for section, count in zip(self.sections, counts):
            self.additional_at = at
            for _ in range(count):
                r = Record()
                r.start = at
                name, at = read_name(m, at, most)
                r.owner = name.lower()
                try:
                    r.type, r.rdclass, r.ttl, length = struct.unpack('!HHIH', m[at:at + 10])
                except struct.error:
                    raise Malformed('record is cut') from None
                at += 10
                r.exact, r.rdata = read_rdata(m, at, length, r.type, most)
                at += length
                r.end = at
                if r.type == OPT:
                    if self.opt is not None or section is not self.sections[2] or name != b'\0':
                        raise Malformed('OPT')
                    self.opt = r
                    self.rcode |= r.ttl >> 24 << 4
                else:
                    section.append(r)
        self.hops = most[0]
        if at != len(m):
            raise Malformed('octets behind the end')

    @property
    def answer(self):
        return self.sections[0]

    @property
    def authority(self):
        return self.sections[1]

    @property
    def additional(self):
        return self.sections[2]

    def is_truncated(self):
        return bool(self.flags & TC)


def query(name, rdtype, flags=0, payload=None, do=False, rdclass=1, options=b''):
    """Octets of a query, id 0. @payload None: without EDNS."""
    m = struct.pack('!6H', 0, flags, 1, 0, 0, payload is not None) + name + struct.pack('!HH', rdtype, rdclass)
    if payload is not None:
        m += b'\0' + struct.pack('!HHIH', OPT, payload, 0x8000 if do else 0, len(options)) + options
    return m


class Udp:
    """Asks one server over UDP, many queries at a time."""

    def __init__(self, port, address='127.0.0.1'):
        self.s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self.s.connect((address, port))
        self.serial = 0

    def send(self, queries):
        """Sends them, each with an id of its own."""
        self.waiting = {}
        for i, q in enumerate(queries):
            self.serial = self.serial + 1 & 0xffff
            q = struct.pack('!H', self.serial) + q[2:]
            self.waiting[q[:2]] = (i, q)
            self.s.send(q)
        self.got = [None] * len(queries)

    def collect(self, tries=5, timeout=2.0):
        """The answers, in the order of the queries; None: none came."""
        while self.waiting:
            if not select.select([self.s], [], [], timeout)[0]:
                tries -= 1
                if tries == 0:
                    break
                for _, q in self.waiting.values():
                    self.s.send(q)
                continue
            answer = self.s.recv(65535)
            i, _ = self.waiting.pop(answer[:2], (None, None))
            if i is not None:
                self.got[i] = answer
        return self.got

    def close(self):
        self.s.close()


class Tcp:
    """The same over one connection, which is opened again when the server closes it."""

    def __init__(self, port, address='127.0.0.1'):
        self.where = (address, port)
        self.s = None

    def send(self, queries):
        self.waiting = {struct.pack('!H', i + 1): (i, struct.pack('!HH', len(q), i + 1) + q[2:])
                        for i, q in enumerate(queries)}
        self.got = [None] * len(queries)
        self.write()

    def write(self):
        """What was not answered yet."""
        data = b''.join(q for _, q in self.waiting.values())
        for _ in range(3):
            try:
                if self.s is None:
                    self.s = socket.create_connection(self.where, timeout=5)
                    self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.buffer = b''
                self.s.sendall(data)
                return
            except OSError:
                self.close()
                time.sleep(0.05)

    def collect(self, tries=5):
        while self.waiting and tries:
            try:
                data = self.s.recv(1 << 17) if self.s is not None else b''
            except OSError:
                data = b''
            if not data:
                tries -= 1
                self.close()
                self.write()
                continue
            self.buffer += data
            at = 0
            while len(self.buffer) >= at + 2:
                n = struct.unpack('!H', self.buffer[at:at + 2])[0]
                if len(self.buffer) < at + 2 + n:
                    break
                answer = self.buffer[at + 2:at + 2 + n]
                at += 2 + n
                i, _ = self.waiting.pop(answer[:2], (None, None))
                if i is not None:
                    self.got[i] = answer
            self.buffer = self.buffer[at:]
        return self.got

    def close(self):
        if self.s is not None:
            self.s.close()
        self.s = None
