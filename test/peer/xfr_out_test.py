#!/usr/bin/env python3
"""Zone transfers to clients (RFC 5936, RFC 1995): dig, kdig and dnspython, and clients that look at every message; signed by
all algorithms, over TLS, by fast and slow readers, those that vanish, many at once; differences, and what is said where
there are none."""
import os
import re
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update
import dns.zone
import certificates
import peer
import transfers
from peer import frame, read_message, read_wire
from transfers import ALGORITHMS, KEY, SECRET, connect, make_query, serial_of, signetd, transfer, update

ROOT = os.path.join(peer.DATA, 'root-2020101902.zone')
ZONES = {'plain.': None, 'nsec.': 'default', 'hashed.': 'hashed'}


def dump(t, zone, text):
    """Canonical text, without what differs in spelling alone."""
    path = t.write('dump.zone', text)
    return peer.must(os.path.join(peer.BIN, 'signet-checkzone'), '-q', '--dump', '--canonical', '-c', 'signature-expired=ignore',
                     '-o', zone, path)


def good(t, name, x, records=None):
    return t.check(name, not x.faults and x.rcode == 0 and (records is None or len(x.zone()) == records),
                   f'{x.faults[:3]} rcode {x.rcode} records {len(x.records)}')


# --- clients --------------------------------------------------------------------------------------

def programs(t, server):
    for zone in ZONES:
        mine = transfer(server, zone)
        good(t, f'{zone} has each record once', mine)
        ours = mine.zone()
        t.check(f'{zone}: SOA first and last, in one transfer', mine.serials()[0] == mine.serials()[-1] and len(mine.serials()) == 2)
        want = dump(t, zone, peer.must('dig', '@127.0.0.1', '-p', str(server.port), zone, 'AXFR', '+onesoa', '+noall', '+answer'))
        t.check(f'{zone}: dig has as many records', want.count('\n') == len(ours), f'{want.count(chr(10))} {len(ours)}')
        kdig = dump(t, zone, unique(peer.must('kdig', '@127.0.0.1', '-p', str(server.port), zone, 'AXFR', '+noall', '+answer')))
        t.check(f'{zone}: kdig has what dig has', kdig == want)
        z = dns.zone.from_xfr(dns.query.xfr('127.0.0.1', zone, port=server.port, relativize=False), relativize=False)
        there = sum(len(rdataset) for node in z.nodes.values() for rdataset in node)
        t.check(f'{zone}: dnspython makes a zone of it', there == len(ours), f'{there} {len(ours)}')
        v6 = transfer(server, zone, address='::1')
        t.check(f'{zone}: the same over IPv6', v6.zone() == ours and not v6.faults)
    checked = peer.must('dig', '@127.0.0.1', '-p', str(server.port), 'nsec.', 'AXFR', '+onesoa', '+noall', '+answer')
    status, output = peer.ours('signet-verifyzone', '-o', 'nsec.', t.write('signed.zone', checked))
    t.check('what was transferred verifies', status == 0, output[-300:])


def unique(text):
    """Without the second SOA."""
    lines = text.splitlines()
    while lines and not re.search(r'\sSOA\s', lines[-1]):
        lines.pop()
    return '\n'.join(lines[:-1]) + '\n'


def root(t, server):
    want = peer.must(os.path.join(peer.BIN, 'signet-checkzone'), '-q', '--dump', '--canonical', '-c', 'signature-expired=ignore', ROOT)
    got = dump(t, '.', peer.must('dig', '@127.0.0.1', '-p', str(server.port), '.', 'AXFR', '+onesoa', '+noall', '+answer'))
    t.check('the root zone, record for record', got == want, f'{got.count(chr(10))} of {want.count(chr(10))}')
    q = make_query('.')
    with connect(server) as s:
        s.sendall(frame(q))
        sizes = []
        while not sizes or len(wire) > 60000:
            wire = read_wire(s)
            sizes.append(len(wire))
    t.check('messages are full', min(sizes[:-1]) > 65535 - 2048 and max(sizes) <= 65535, sizes)
    uncompressed = sum(len(line) for line in want.splitlines()) / 2
    t.check('names are compressed', sum(sizes) < uncompressed * 1.6, f'{sum(sizes)}')


def signed(t, server):
    for a in ALGORITHMS:
        if a.count('-') == 1:  # dnspython does not cut MACs
            good(t, f'AXFR with {a}', transfer(server, 'plain.', key=a))
        arg = transfers.key_argument(a)
        out = peer.must('dig', '@127.0.0.1', '-p', str(server.port), 'plain.', 'AXFR', '-y', arg)
        t.check(f'dig AXFR with {a}', 'XFR size' in out and 'verify failed' not in out and 'NOERROR' in out, out[-300:])
        if a in ('hmac-sha256', 'hmac-sha512', 'hmac-sha1'):
            out = peer.must('kdig', '@127.0.0.1', '-p', str(server.port), 'plain.', 'AXFR', '-y', arg)
            t.check(f'kdig AXFR with {a}', 'Received' in out and 'WARNING' not in out and ';; ERROR' not in out, out[-300:])
    x = transfer(server, '.', key='hmac-sha256')
    t.check('all messages of a long transfer are signed', len(x.wires) > 10 and not x.faults, x.faults[:3])
    ring = dns.tsigkeyring.from_text({KEY: SECRET})
    count = sum(len(m.answer) for m in dns.query.xfr('127.0.0.1', 'nsec.', port=server.port, keyring=ring, keyname=KEY,
                                                      keyalgorithm='hmac-sha256', relativize=False))
    t.check('dnspython takes a signed transfer', count > 50, count)
    for tcp in (False, True):
        q = make_query('plain.', 'SOA', key='hmac-sha512')
        r = (dns.query.tcp if tcp else dns.query.udp)(q, '127.0.0.1', port=server.port, timeout=5)
        t.check(f'a signed query is answered signed, tcp {tcp}', r.had_tsig and r.answer and r.rcode() == 0, r)
    q = dns.message.make_query('www.plain.', 'A', use_edns=0, payload=1232, want_dnssec=True)
    q.use_tsig(ring, KEY, algorithm='hmac-sha256')
    r = dns.query.udp(q, '127.0.0.1', port=server.port, timeout=5)
    t.check('a signed query with EDNS', r.had_tsig and r.edns == 0 and r.answer)


def bad_signatures(t, server):
    def rcode_of(name, secret, algorithm='hmac-sha256', tcp=True, rdtype='AXFR', skew=0):
        q = dns.message.make_query('plain.', rdtype)
        q.use_tsig(dns.tsigkeyring.from_text({name: (algorithm, secret)}), name, algorithm=algorithm)
        real = time.time
        try:
            time.time = lambda: real() + skew
            wire = q.to_wire()
        finally:
            time.time = real
        if tcp:
            with connect(server) as s:
                s.sendall(frame(wire))
                raw = read_wire(s)
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(5)
                s.sendto(wire, ('127.0.0.1', server.port))
                raw = s.recv(65535)
        flags, questions, answers = struct.unpack('!HHH', raw[2:8])
        return flags & 15, answers, raw
    other = 'b3RoZXIgc2VjcmV0LCBvdGhlciBzZWNyZXQsIG90aGVy'
    for tcp in (True, False):
        for what, args in {'a key that is not there': ('nobody.', SECRET), 'another secret': (KEY, other),
                           'another algorithm': (KEY, SECRET, 'hmac-sha512')}.items():
            rcode, answers, _ = rcode_of(*args, tcp=tcp, rdtype='AXFR' if tcp else 'SOA')
            t.check(f'{what} is NOTAUTH, tcp {tcp}', rcode == 9 and answers == 0, f'{rcode} {answers}')
    for skew in (-400, 400):
        rcode, answers, _ = rcode_of(KEY, SECRET, skew=skew)
        t.check(f'a clock that is off by {skew} s is NOTAUTH', rcode == 9 and answers == 0, rcode)
    rcode, answers, _ = rcode_of(KEY, SECRET, skew=-200)
    t.check('a clock within the fudge is good', rcode == 0 and answers > 50, rcode)


def tls(t):
    files = certificates.Files(t)
    port = peer.free_port()
    server = signetd(t, {'tls.': (transfers.zone_text('tls.', 3000), None)}, name='tls',
                     server=f'  listen-tls: 127.0.0.1@{port}\n  tls-certificate: {t.path("a.pem")}\n  tls-key: {t.path("a.key")}\n')
    want = dump(t, 'tls.', peer.must('dig', '@127.0.0.1', '-p', str(server.port), 'tls.', 'AXFR', '+onesoa', '+noall', '+answer'))
    for key in ([], ['-y', transfers.key_argument()]):
        out = peer.must('kdig', '@127.0.0.1', '-p', str(port), f'+tls-ca={files.root}', f'+tls-hostname={certificates.NAME}', 'tls.', 'AXFR',
                        '+noall', '+answer', *key)
        t.check(f'kdig AXFR over TLS {key[:1]}', dump(t, 'tls.', unique(out)) == want, out[-300:])
    out = peer.must('dig', '@127.0.0.1', '-p', str(port), '+tls', 'tls.', 'AXFR', '+onesoa', '+noall', '+answer')
    t.check('dig AXFR over TLS', dump(t, 'tls.', out) == want)
    old = serial_of(server, 'tls.')
    update(server, 'tls.', [('add', 'new 60 A 192.0.2.77')])
    out = peer.must('kdig', '@127.0.0.1', '-p', str(port), f'+tls-ca={files.root}', f'+tls-hostname={certificates.NAME}', 'tls.',
                    f'IXFR={old}', '+noall', '+answer')
    t.check('kdig IXFR over TLS', len([l for l in out.splitlines() if l and not l.startswith(';')]) == 5 and '192.0.2.77' in out, out)
    transfers.end(t, server)


# --- refusals -------------------------------------------------------------------------------------

def refusals(t, server):
    def ede(r):
        return [o.code for o in r.options if o.otype == 15]
    cases = {
        'nobody is allowed': ('closed.', 'AXFR', dns.rcode.REFUSED, [18]),
        'IXFR where nobody is allowed': ('closed.', 'IXFR', dns.rcode.REFUSED, [18]),
        'only a key is allowed': ('keyed.', 'AXFR', dns.rcode.REFUSED, [18]),
        'a zone that is not there': ('nowhere.', 'AXFR', dns.rcode.NOTAUTH, [20]),
        'a name in a zone': ('www.plain.', 'AXFR', dns.rcode.NOTAUTH, [20]),
        'a zone without data': ('broken.', 'AXFR', dns.rcode.SERVFAIL, [14]),
    }
    for what, (zone, rdtype, rcode, codes) in cases.items():
        x = transfer(server, zone, rdtype, 1, options=[])
        t.check(f'{what}: {dns.rcode.to_text(rcode)}', x.rcode == rcode and ede(x.messages[0]) == codes,
                f'{x.rcode} {x.messages and ede(x.messages[0])}')
    x = transfer(server, 'keyed.', key='hmac-sha256')
    good(t, 'with the key it is allowed', x)
    x = transfer(server, 'keyed.', key='hmac-sha512')
    t.check('with another key it is refused, and signed', x.rcode == dns.rcode.REFUSED and x.messages[0].had_tsig, x.rcode)
    q = make_query('plain.', options=[])
    r = dns.query.udp(q, '127.0.0.1', port=server.port, timeout=5)
    t.check('AXFR over UDP: NOTIMP', r.rcode() == dns.rcode.NOTIMP and not r.answer, r)
    q = make_query('plain.', 'IXFR', 1)
    q.authority.clear()
    with connect(server) as s:
        s.sendall(frame(q))
        r = read_message(s)
    t.check('IXFR without a SOA: FORMERR', r.rcode() == dns.rcode.FORMERR, r)
    q = dns.message.make_query('plain.', 'AXFR', rdclass='CH')
    with connect(server) as s:
        s.sendall(frame(q))
        r = read_message(s)
    t.check('class CH: REFUSED', r.rcode() == dns.rcode.REFUSED, r)


def options(t, server):
    x = transfer(server, 'plain.', options=[dns.edns.GenericOption(9, b''), dns.edns.GenericOption(3, b'')])
    first = x.messages[0]
    found = {o.otype: o.data for o in first.options}
    t.check('EXPIRE is the SOA\'s (RFC 7314)', found.get(9) == struct.pack('!I', 1209600), found)
    t.check('NSID is there', found.get(3) == b'primary', found)
    x = transfer(server, '.', options=[])
    t.check('OPT is in the first message alone', [m.edns for m in x.messages] == [0] + [-1] * (len(x.messages) - 1))
    x = transfer(server, 'plain.')
    t.check('no OPT where none was sent', x.messages[0].edns == -1)
    r = server.ask('plain.', 'SOA')
    t.check('flags are AA and QR', all(m.flags == 0x8400 for m in x.messages), x.messages[0].flags)
    x = transfer(server, 'plain.', 'IXFR', serial_of(server, 'plain.'), options=[dns.edns.GenericOption(9, b'')])
    t.check('EXPIRE with an IXFR', [o.otype for o in x.messages[0].options] == [9])


# --- connections ----------------------------------------------------------------------------------

def pipelines(t, server):
    queries = [peer.query('www.plain.', id=1), make_query('.', ident=2), peer.query('host1.plain.', id=3), make_query('nsec.', ident=4),
               make_query('plain.', ident=5, key='hmac-sha256'), peer.query('host2.plain.', id=6), make_query('closed.', ident=7)]
    with connect(server) as s:
        s.sendall(b''.join(map(frame, queries)))
        ids, last = [], {}
        records = {i: 0 for i in range(1, 8)}
        soas = {i: 0 for i in range(1, 8)}
        while set(last) != set(range(1, 8)):
            wire = read_wire(s)
            if wire is None:
                break
            ident = struct.unpack('!H', wire[:2])[0]
            m = dns.message.from_wire(wire, xfr=True, one_rr_per_rrset=True, continue_on_error=True, keyring=False) \
                if ident == 5 else dns.message.from_wire(wire, xfr=True, one_rr_per_rrset=True)
            ids.append(ident)
            records[ident] += len(m.answer)
            soas[ident] += sum(r.rdtype == dns.rdatatype.SOA for r in m.answer)
            if ident in (1, 3, 6, 7) or soas[ident] == 2:
                last[ident] = len(ids)
        t.check('all of a pipeline is answered', set(last) == set(range(1, 8)), f'{ids}')
        t.check('each transfer is whole', all(soas[i] == 2 for i in (2, 4, 5)), soas)
        t.check('one transfer at a time', last[2] < ids.index(4) + 1 and last[4] < ids.index(5) + 1, ids)
        t.check('a query behind a transfer does not wait for its end', last[3] < last[2], ids)
        s.sendall(frame(peer.query('www.plain.', id=9)))
        t.check('the connection is good for more', read_message(s).id == 9)
    with connect(server) as s:
        q = make_query('.', ident=2)
        s.sendall(frame(q))
        s.shutdown(socket.SHUT_WR)
        x = transfers.read_transfer(s, q, '.')
        good(t, 'who says no more gets all of it', x)
        t.check('and then the end', s.recv(1) == b'')
    u = dns.update.UpdateMessage('plain.', keyring=dns.tsigkeyring.from_text({KEY: SECRET}), keyname=KEY, keyalgorithm='hmac-sha256')
    u.add('piped', 60, 'A', '192.0.2.99')
    with connect(server) as s:
        q = make_query('plain.', ident=77)
        s.sendall(frame(u) + frame(q))
        r = read_message_signed(s, u)
        x = transfers.read_transfer(s, q, 'plain.')
        t.check('an update, then a transfer, on one connection', r == u.id and b'\x05piped' in b''.join(x.wires), r)
        u2 = dns.update.UpdateMessage('plain.', keyring=dns.tsigkeyring.from_text({KEY: SECRET}), keyname=KEY, keyalgorithm='hmac-sha256')
        u2.delete('piped')
        s.sendall(frame(u2))
        t.check('and an update behind it', read_message_signed(s, u2) == u2.id)


def read_message_signed(s, q):
    wire = read_wire(s)
    ident, flags = struct.unpack('!HH', wire[:4])
    return ident if flags & 15 == 0 else None


class SlowReader(threading.Thread):
    """Reads a thousand octets at a time, and then hurries."""

    def __init__(self, s, end):
        super().__init__()
        self.s, self.end, self.got, self.hurry = s, end, bytearray(), threading.Event()
        self.start()

    def run(self):
        while not self.got.endswith(self.end):
            more = self.s.recv(1 << 20 if self.hurry.is_set() else 1000)
            if not more:
                break
            self.got.extend(more)
            self.hurry.wait(0.02)


def slow_readers(t):
    server = signetd(t, {'large.': (transfers.zone_text('large.', 60000), None)}, name='slow',
                     server='  tcp-idle-timeout: 2s\n  workers: 1\n')
    old = serial_of(server, 'large.')
    with connect(server, receive=4096) as s, connect(server, receive=4096) as dead:
        s.sendall(frame(make_query('large.')))
        dead.sendall(frame(make_query('large.')))
        reader = SlowReader(s, b'\0\0\0\1\0\x12\x75\0\0\0\0\x3c')  # the numbers that the SOA ends with
        peer.wait_for(lambda: dead.recv(1, socket.MSG_PEEK) and reader.got, 'first octet')
        rtt = []
        for i in range(200):
            begun = time.monotonic()
            server.ask('www.large.', 'A')
            rtt.append(time.monotonic() - begun)
        t.check('queries do not wait for slow readers', sorted(rtt)[100] < 0.05, sorted(rtt)[100])
        good(t, 'nor do other transfers', transfer(server, 'large.'))
        new = update(server, 'large.', [('add', 'fresh 60 A 192.0.2.55')])
        peer.wait_for(lambda: 'xfr-out-broken zone=large.' in server.log(), 'end of who does not read', 20)
        t.check('who does not read is let go', server.log().count('xfr-out-broken') == 1, server.log()[-1000:])
        reader.hurry.set()
        reader.join()
        got = reader.got
        messages = []
        while got:
            end = 2 + struct.unpack('!H', got[:2])[0]
            messages.append(dns.message.from_wire(bytes(got[2:end]), xfr=True, one_rr_per_rrset=True))
            del got[:end]
        records = [r for m in messages for r in m.answer]
        t.check('a slow reader gets the version that it began with',
                records[0][0].serial == records[-1][0].serial == old != new and len(set(map(str, records))) == len(records) - 1
                and not any(r.name.labels[0] == b'fresh' for r in records), f'{old} {new} {len(records)}')
    transfers.end(t, server)


def vanishing(t, server):
    before = server.log().count('xfr-out-broken')
    for i in range(20):
        s = connect(server, receive=4096)
        s.sendall(frame(make_query('.')))
        if i % 2:
            read_wire(s)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        s.close()
    peer.wait_for(lambda: server.log().count('xfr-out-broken') - before + server.log().count('records=21592') >= 20, 'all ends')
    t.check('clients that vanish are noticed', server.log().count('xfr-out-broken') > before)
    good(t, 'and harm nobody', transfer(server, 'plain.'))


def crowd(t, server):
    want = transfer(server, 'nsec.')
    bodies = b''.join(w[2:] for w in want.wires)
    right = []

    def one(i):
        q = make_query('nsec.', ident=i)
        with connect(server, address='127.0.0.1' if i % 2 else '::1') as s:
            s.sendall(frame(q))
            x = transfers.read_transfer(s, q, 'nsec.')
            right.append(not x.faults and b''.join(w[2:] for w in x.wires) == bodies)
    threads = [threading.Thread(target=one, args=(i,)) for i in range(1, 101)]
    for th in threads:
        th.start()
    for th in threads:
        th.join()
    t.check('100 clients at once', right == [True] * 100, f'{right.count(True)} of {len(right)}')


def limits(t):
    server = signetd(t, {'large.': (transfers.zone_text('large.', 60000), None)}, name='limits',
                     server='  transfers-out: 3\n  transfers-out-per-address: 2\n  workers: 1\n')

    def begin(address):
        s = connect(server, receive=4096, address=address)
        s.sendall(frame(make_query('large.', options=[])))
        return s, dns.message.from_wire(read_wire(s), xfr=True, one_rr_per_rrset=True)
    first = [begin('127.0.0.1') for _ in range(2)]
    t.check('two of one address', all(m.rcode() == 0 for _, m in first))
    s3, m3 = begin('127.0.0.1')
    t.check('a third is SERVFAIL, with the reason', m3.rcode() == 2 and [o.text for o in m3.options if o.otype == 15] == ['too many transfers'], m3)
    s4, m4 = begin('::1')
    t.check('another address has room', m4.rcode() == 0)
    s5, m5 = begin('::1')
    t.check('not for more than all may be', m5.rcode() == 2)
    for s, _ in first:
        s.close()
    peer.wait_for(lambda: server.log().count('xfr-out-broken') >= 2, 'ends')
    s6, m6 = begin('127.0.0.1')
    t.check('and room again', m6.rcode() == 0)
    for s in (s3, s4, s5, s6):
        s.close()
    transfers.end(t, server)


# --- differences ----------------------------------------------------------------------------------

def follow(t, server, zone, versions):
    """Each version that was, and the difference to what is now."""
    now = transfer(server, zone).zone()
    newest = serial_of(server, zone)
    for serial, content in versions.items():
        x = transfer(server, zone, 'IXFR', serial)
        if serial == newest:
            t.check(f'{zone} {serial}: SOA alone for who is current', len(x.records) == 1)
            continue
        parts = transfers.differences(x) if x.records[1][2] == dns.rdatatype.SOA else []
        t.check(f'{zone} {serial}: a condensed difference', len(parts) == 1 and parts[0][:2] == (serial, newest), [p[:2] for p in parts])
        t.check(f'{zone} {serial}: leads to what is now', transfers.apply(content, x) == now and not x.faults, x.faults[:3])


def ixfr(t, server):
    kept = {}
    for zone in ZONES:
        versions = {serial_of(server, zone): transfer(server, zone).zone()}
        for changes in ([('add', 'new 60 A 192.0.2.11')], [('delete', 'www'), ('add', 'new 60 A 192.0.2.12')],
                        [('delete', 'new'), ('add', 'www 300 A 192.0.2.5')], [('add', 'x.y.z 60 TXT text'), ('delete', 'host1')],
                        [('add', f'many{i} 60 A 192.0.2.{i}') for i in range(20)], [('add', 'host3 900 A 192.0.2.33')]):
            serial = update(server, zone, changes)
            versions[serial] = transfer(server, zone).zone()
        follow(t, server, zone, versions)
        kept[zone] = versions
    zone, versions = 'plain.', kept['plain.']
    newest = max(versions)
    t.check('newer than ours: SOA alone', len(transfer(server, zone, 'IXFR', newest + 5).records) == 1)
    t.check('newer by the arithmetic of serials: SOA alone', len(transfer(server, zone, 'IXFR', (newest + 2**31 - 1) % 2**32).records) == 1)
    for serial in ((newest + 2**31 + 5) % 2**32, (newest + 2**31) % 2**32):
        x = transfer(server, zone, 'IXFR', serial)
        t.check(f'no history of {serial}: all of the zone', x.zone() == versions[newest] and not x.faults, x.faults[:3])
    x = transfer(server, zone, 'IXFR', min(versions), key='hmac-sha384')
    t.check('signed', transfers.apply(versions[min(versions)], x) == versions[newest] and not x.faults)
    return kept


def datagrams(t, server, kept):
    zone, versions = 'plain.', kept['plain.']
    serials = sorted(versions)
    for key in (None, 'hmac-sha256'):
        q = make_query(zone, 'IXFR', serials[-2], key, options=[])
        r = dns.query.udp(q, '127.0.0.1', port=server.port, timeout=5, one_rr_per_rrset=True)
        t.check(f'a small difference fits into a datagram, key {key}', len(r.answer) == 7 and not r.flags & dns.flags.TC
                and bool(r.had_tsig) == (key is not None), r)
        q = make_query(zone, 'IXFR', serials[0], key)
        r = dns.query.udp(q, '127.0.0.1', port=server.port, timeout=5, one_rr_per_rrset=True)
        t.check(f'a large one does not: SOA alone, key {key}', len(r.answer) == 1 and r.answer[0][0].serial == serials[-1], r)
    q = make_query(zone, 'IXFR', serials[-1])
    r = dns.query.udp(q, '127.0.0.1', port=server.port, timeout=5)
    t.check('who is current gets the SOA', len(r.answer) == 1 and len(r.answer[0]) == 1)
    q = make_query(zone, 'IXFR', (serials[-1] - 1000) % 2**32)
    r = dns.query.udp(q, '127.0.0.1', port=server.port, timeout=5)
    t.check('no history: SOA', len(r.answer) == 1 and r.answer[0][0].serial == serials[-1])
    q = make_query('closed.', 'IXFR', 1)
    r = dns.query.udp(q, '127.0.0.1', port=server.port, timeout=5)
    t.check('refused over UDP as well', r.rcode() == dns.rcode.REFUSED)


def restart(t, server, kept):
    transfers.end(t, server)
    server = transfers.again(t, server)
    for zone, versions in kept.items():
        follow(t, server, zone, versions)
    transfers.end(t, server, 9)
    server = transfers.again(t, server)
    follow(t, server, 'nsec.', kept['nsec.'])
    return server


def wrap(t):
    first = 2**32 - 3
    server = signetd(t, {'wrap.': (transfers.zone_text('wrap.', serial=first), None)}, name='wrap')
    versions = {serial_of(server, 'wrap.'): transfer(server, 'wrap.').zone()}
    for i in range(6):
        serial = update(server, 'wrap.', [('add', f'w{i} 60 A 192.0.2.{i}')])
        versions[serial] = transfer(server, 'wrap.').zone()
    t.check('the serial went past its end', first in versions and min(versions) < 10, sorted(versions))
    follow(t, server, 'wrap.', versions)
    transfers.end(t, server)


def long_history(t):
    """More than is condensed: in its steps, and read in pieces."""
    server = signetd(t, {'long.': (transfers.zone_text('long.', 3000), None)}, name='long')
    versions = {serial_of(server, 'long.'): transfer(server, 'long.').zone()}
    for i in range(40):
        serial = update(server, 'long.', [('add', f'l{i}-{k} 60 TXT "{"z" * 200} {k}"') for k in range(200)])
        if i in (3, 38):
            versions[serial] = transfer(server, 'long.').zone()
    now = transfer(server, 'long.').zone()
    oldest, *_ = versions
    x = transfer(server, 'long.', 'IXFR', oldest)
    parts = transfers.differences(x)
    t.check('a long history in its steps', len(parts) == 40 and len(x.wires) > 8, f'{len(parts)} {len(x.wires)}')
    t.check('which lead to what is now', transfers.apply(versions[oldest], x) == now and not x.faults, x.faults[:3])
    for serial in list(versions)[1:]:
        x = transfer(server, 'long.', 'IXFR', serial)
        t.check(f'from {serial}', transfers.apply(versions[serial], x) == now and not x.faults, x.faults[:3])
    for _ in range(3):
        update(server, 'long.', [('delete', f'l{i}-{k}') for i in range(40) for k in range(0, 200)][:3000])
    update(server, 'long.', [('delete', f'l{i}-{k}') for i in range(40) for k in range(0, 200)][3000:6000])
    update(server, 'long.', [('delete', f'l{i}-{k}') for i in range(40) for k in range(0, 200)][6000:])
    x = transfer(server, 'long.', 'IXFR', list(versions)[1])
    t.check('differences larger than the zone: all of it', x.serials() == [x.serials()[0]] * 2 and not x.faults, x.serials()[:5])
    transfers.end(t, server)


def reloads(t, server):
    """A transfer goes on with its key when a reload takes that away."""
    with connect(server, receive=4096) as s:
        q = make_query('.', key='hmac-sha512')
        s.sendall(frame(q))
        peer.wait_for(lambda: s.recv(1, socket.MSG_PEEK), 'first octet')
        text = open(server.config).read()
        without = re.sub(r'  - \{ name: hmac-sha512\.key\..*\n', '', text)
        open(server.config, 'w').write(without)
        peer.reload(server)
        x = transfers.read_transfer(s, q, '.')
        good(t, 'a transfer outlives its key', x)
    x = transfer(server, 'plain.', key='hmac-sha256')
    good(t, 'other keys are good as before', x)
    with connect(server) as s:
        s.sendall(frame(make_query('plain.', key='hmac-sha512')))
        raw = read_wire(s)
    t.check('the one that is gone is not', raw[3] & 15 == 9)
    open(server.config, 'w').write(text)
    peer.reload(server)
    good(t, 'and then it is there again', transfer(server, 'plain.', key='hmac-sha512'))


def main():
    with peer.Test('xfr_out') as t:
        zones = {zone: (transfers.zone_text(zone, 300), policy) for zone, policy in ZONES.items()}
        zones['.'] = (os.path.abspath(ROOT), None)
        server = signetd(t, zones, server='  nsid: primary\n')
        text = open(server.config).read().replace('  - name: "."', '''  - name: closed.
    file: FILE
  - name: keyed.
    file: FILE
    allow-transfer: key hmac-sha256.key.
  - name: broken.
    file: BROKEN
    allow-transfer: any
  - name: "."'''.replace('FILE', t.write('closed.zone', '@ 60 SOA ns h 1 2 3 4 5\n@ 60 NS ns\nns 60 A 127.0.0.1\n'))
                                               .replace('BROKEN', t.write('broken.zone', 'no SOA\n')))
        text = text.replace(f'file: {os.path.abspath(ROOT)}\n    allow-transfer: any\n    allow-update: key {KEY}',
                            f'file: {os.path.abspath(ROOT)}\n    allow-transfer: any')
        open(server.config, 'w').write(text)
        peer.reload(server)
        programs(t, server)
        root(t, server)
        signed(t, server)
        bad_signatures(t, server)
        refusals(t, server)
        options(t, server)
        pipelines(t, server)
        vanishing(t, server)
        crowd(t, server)
        reloads(t, server)
        kept = ixfr(t, server)
        datagrams(t, server, kept)
        server = restart(t, server, kept)
        tls(t)
        slow_readers(t)
        limits(t)
        wrap(t)
        long_history(t)


if __name__ == '__main__':
    main()
