#!/usr/bin/env python3
"""TCP as clients really use and abuse it (RFC 7766), and the edges of UDP: sizes, truncation, odd packets."""
import os
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import peer

ZONE = '''$ORIGIN example.
$TTL 60
@    SOA ns h 1 2 3 4 5
     NS  ns
ns   A   127.0.0.1
www  A   192.0.2.1
$GENERATE 1-60 big TXT "record number $ of a set that does not fit into a datagram"
'''
CLIENTS = 6  # server.tcp-clients of the test, for all workers
IDLE = 1     # second


def query(name='www.example.', rdtype='A', **more):
    return dns.message.make_query(name, rdtype, **more)


def frame(message):
    wire = message if isinstance(message, bytes) else message.to_wire()
    return struct.pack('!H', len(wire)) + wire


def connect(server, address='127.0.0.1'):
    s = socket.create_connection((address, server.port), timeout=5)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_exactly(s, count):
    data = b''
    while len(data) < count:
        more = s.recv(count - len(data))
        if not more:
            return None
        data += more
    return data


def read_message(s):
    head = read_exactly(s, 2)
    wire = read_exactly(s, struct.unpack('!H', head)[0]) if head else None
    return dns.message.from_wire(wire) if wire is not None else None


def is_closed(s, within=5):
    s.settimeout(within)
    try:
        return s.recv(1) == b''
    except ConnectionResetError:
        return True
    except socket.timeout:
        return False


def framing(t, server):
    q = query()
    with connect(server) as s:
        for octet in frame(q):
            s.sendall(bytes([octet]))
        t.check('octet by octet', read_message(s).id == q.id)
    queries = [query() for _ in range(200)]
    with connect(server) as s:
        s.sendall(b''.join(frame(q) for q in queries))
        ids = sorted(read_message(s).id for _ in queries)
        t.check('200 pipelined queries', ids == sorted(q.id for q in queries))
    with connect(server) as s:
        s.sendall(frame(b'') + frame(b'abc') + frame(q))
        t.check('empty and short messages are passed over', read_message(s).id == q.id)
    with connect(server) as s:
        s.sendall(frame(q.to_wire() + b'\0' * (65535 - len(q.to_wire()))) + frame(q))
        t.check('64 KiB with trailing octets is FORMERR', read_message(s).rcode() == dns.rcode.FORMERR)
        t.check('and the connection goes on', read_message(s).id == q.id)
    with connect(server) as s:
        s.sendall(b''.join(frame(x) for x in queries[:50]))
        s.shutdown(socket.SHUT_WR)
        ids = [read_message(s).id for _ in range(50)]
        t.check('half closed: still answered', ids == [x.id for x in queries[:50]] and is_closed(s))
    with connect(server, '::1') as s:
        s.sendall(frame(q))
        t.check('IPv6', read_message(s).id == q.id)


def limits(t, server):
    with connect(server) as s:
        start = time.monotonic()
        closed = is_closed(s, IDLE + 5)
        t.check('idle connections are closed', closed and time.monotonic() - start >= IDLE * 0.8)
    many = [connect(server) for _ in range(CLIENTS * 4)]
    q = query()
    with connect(server) as s:
        s.sendall(frame(q))
        t.check('many connections: a new one is served', read_message(s).id == q.id)
    closed = sum(is_closed(s, 0.2) for s in many[:CLIENTS])
    t.check('the ones idle for longest made room', closed > 0, closed)
    for s in many:
        s.close()
    # A client that asks and never reads: the server stops reading, others are served.
    deaf = connect(server)
    deaf.settimeout(0.5)
    sent = 0
    big = frame(query('big.example.', 'TXT'))
    try:
        while sent < 200_000_000:
            sent += deaf.send(big * 100)
    except (socket.timeout, ConnectionError):
        pass
    with open(f'/proc/{server.process.pid}/status') as f:
        resident = int(next(line for line in f if line.startswith('VmRSS')).split()[1])
    t.check('a client that does not read is stopped', sent < 200_000_000 and resident < 200_000, f'{sent} {resident}')
    t.check('others are served meanwhile', server.ask('www.example.', 'A', tcp=True).rcode() == 0)
    deaf.close()


def sizes(t, server):
    for payload in (512, 1232, 4096):
        r = server.ask('big.example.', 'TXT', payload=payload)
        wire = len(r.to_wire())
        t.check(f'payload {payload}: truncated and small', r.flags & dns.flags.TC and wire <= min(payload, 1232), wire)
    r = server.ask('big.example.', 'TXT', dnssec=False)
    t.check('without EDNS: 512', r.flags & dns.flags.TC and len(r.to_wire()) <= 512 and r.edns == -1)
    r = server.ask('big.example.', 'TXT', tcp=True)
    t.check('over TCP: whole', not r.flags & dns.flags.TC and len(r.answer[0]) == 60)
    r = server.ask('www.example.', 'A', address='::1')
    t.check('UDP over IPv6', r.rcode() == 0 and len(r.answer) == 1)


def odd_packets(t, server):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(('127.0.0.1', server.port))
        s.settimeout(0.3)

        def ask(wire):
            s.send(wire)
            try:
                return s.recv(4096)
            except socket.timeout:
                return None

        def rcode(wire):
            r = ask(wire)
            return None if r is None else r[3] & 15

        good = query().to_wire()
        t.check('a response is met with silence', ask(good[:2] + b'\x80\0' + good[4:]) is None)
        t.check('so is less than a header', ask(good[:11]) is None)
        t.check('no question', rcode(good[:4] + b'\0\0' + good[6:12]) == dns.rcode.FORMERR)
        t.check('two questions', rcode(good[:4] + b'\0\2' + good[6:] + good[12:]) == dns.rcode.FORMERR)
        t.check('half a question', rcode(good[:-3]) == dns.rcode.FORMERR)
        t.check('trailing octets', rcode(good + b'x') == dns.rcode.FORMERR)
        t.check('a pointer in the question', rcode(good[:12] + b'\xc0\x0c' + good[-4:]) == dns.rcode.FORMERR)
        t.check('a label of 64', rcode(good[:12] + b'\x40' + b'a' * 64 + good[-5:]) == dns.rcode.FORMERR)
        for opcode in (1, 2, 4, 5, 6, 15):
            wire = good[:2] + bytes([opcode << 3]) + good[3:]
            t.check(f'opcode {opcode}', rcode(wire) == dns.rcode.NOTIMP)
        q = query()
        q.use_edns(1, 0, 1232)
        r = dns.message.from_wire(ask(q.to_wire()))
        t.check('EDNS version 1', r.rcode() == dns.rcode.BADVERS and r.edns == 0)
        q = query(want_dnssec=True).to_wire()
        t.check('two OPTs', rcode(q[:11] + b'\2' + q[12:] + q[-11:]) == dns.rcode.FORMERR)
        r = dns.message.from_wire(ask(query('www.other.', 'A').to_wire()))
        t.check('other zones are refused', r.rcode() == dns.rcode.REFUSED and not r.flags & dns.flags.AA)
        for name, rdtype, tcp, expected in (('example.', 'AXFR', True, dns.rcode.REFUSED),
                                            ('example.', 'AXFR', False, dns.rcode.NOTIMP),
                                            ('example.', 'IXFR', True, dns.rcode.REFUSED),
                                            ('example.', 'IXFR', False, dns.rcode.REFUSED),
                                            ('www.example.', 'AXFR', True, dns.rcode.NOTAUTH)):
            r = server.ask(name, rdtype, tcp=tcp)
            t.check(f'no transfer of {name} by {rdtype}, TCP {tcp}', r.rcode() == expected, r)
        r = dns.message.from_wire(ask(query('WwW.eXample.').to_wire()))
        t.check('case is kept and ignored', r.question[0].name.to_text() == 'WwW.eXample.' and len(r.answer) == 1)
        q = query()
        q.flags |= dns.flags.RD | dns.flags.CD | dns.flags.AD
        r = dns.message.from_wire(ask(q.to_wire()))
        flags = r.flags & (dns.flags.RD | dns.flags.CD | dns.flags.AD | dns.flags.RA | dns.flags.AA)
        t.check('RD and CD are copied, AD and RA are not set', flags == dns.flags.RD | dns.flags.CD | dns.flags.AA)


def stopping(t, server):
    queries = [query() for _ in range(100)]
    with connect(server) as s:
        s.sendall(b''.join(frame(q) for q in queries))
        time.sleep(0.1)
        status = server.stop()
        got = 0
        while got < len(queries) and read_message(s) is not None:
            got += 1
        t.check('SIGTERM: what was asked before is answered', got == len(queries) and status == 0, (got, status))


def starting(t, server):
    config = open(server.config).read()
    second = t.write('second.yaml', config)
    status, output = peer.ours('signetd', '-c', second, timeout=20)
    t.check('an occupied port', status == 1 and 'another server has this port' in output, output)
    status, output = peer.ours('signetd', '-c', t.path('missing.yaml'), timeout=20)
    t.check('a missing configuration', status == 1 and 'missing.yaml' in output, output)
    status, output = peer.ours('signetd', '--nonsense', timeout=20)
    t.check('a wrong option', status == 2 and '--help' in output, output)


def privileges(t, zone):
    if os.getuid() != 0:
        return
    server = peer.signetd(t, {'example.': zone}, name='nobody',
                          extra=f'  user: nobody\n  pid-file: {t.path("signetd.pid")}')
    status = open(f'/proc/{server.process.pid}/status').read()
    t.check('root is given up', 'Uid:\t65534\t65534\t65534\t65534' in status and 'NoNewPrivs:\t1' in status, status)
    t.check('the pid file holds the pid', int(open(t.path('signetd.pid')).read()) == server.process.pid)
    t.check('it serves', server.ask('www.example.', 'A').rcode() == 0)
    server.stop()


def main():
    with peer.Test('tcp') as t:
        zone = t.write('zone', ZONE)
        server = peer.signetd(t, {'example.': zone},
                              extra=f'  tcp-clients: {CLIENTS}\n  tcp-idle-timeout: {IDLE}s\n  tcp-output: 64K')
        framing(t, server)
        limits(t, server)
        sizes(t, server)
        odd_packets(t, server)
        starting(t, server)
        stopping(t, server)
        privileges(t, zone)


main()
