#!/usr/bin/env python3
"""TCP as clients really use and abuse it (RFC 7766), and the edges of UDP: sizes, truncation, odd packets."""
import errno
import os
import resource
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.flags
import dns.message
import dns.rcode
import peer
from peer import frame, query, read_exactly, read_message

ZONE = peer.ZONE + '$GENERATE 1-60 big TXT "record number $ of a set that does not fit into a datagram"\n'
CLIENTS = 6  # server.tcp-clients of the test, for all workers
IDLE = 1     # second


def connect(server, address='127.0.0.1'):
    s = socket.create_connection((address, server.port), timeout=5)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


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
        s.sendall(b'\0\x1d' + b'\xff' * 12)
        s.shutdown(socket.SHUT_WR)
        t.check('half a message and the end', is_closed(s, 0.5))
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
    deaf_client(t, server)


def deaf_client(t, server):
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
    resident = usage(server)[1]
    t.check('a client that does not read is stopped', sent < 200_000_000 and resident < 200_000, f'{sent} {resident}')
    t.check('others are served meanwhile', server.ask('www.example.', 'A', tcp=True).rcode() == 0)
    t.check('it is cut off', was_reset(deaf, IDLE + 2))
    deaf.close()


def nobody_waits_for_others(t, zone):
    """Answers are made at once and in order, so none waits for another to be made (RFC 7766 §6.2.1.1); and one that is
    not taken keeps nobody else waiting, though there is one worker."""
    server = peer.signetd(t, {'example.': zone}, name='waiting', extra='  workers: 1\n  tcp-idle-timeout: 1m')
    big, small = frame(query('big.example.', 'TXT')), query()
    slow = []
    for _ in range(10):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(('127.0.0.1', server.port))
        s.settimeout(0.1)
        quietly(s.sendall, big * 2000)
        slow.append(s)
    longest = 0
    with connect(server) as s:
        for i in range(200):
            start = time.monotonic()
            s.sendall(frame(small))
            read_message(s)
            slow[i % 10].settimeout(5)
            slow[i % 10].recv(2000)
            longest = max(longest, time.monotonic() - start)
    t.check('slow clients keep nobody waiting', longest < 0.5, longest)
    with connect(server) as s:
        s.sendall(big * 20 + frame(small))
        names = [read_message(s).question[0].name.to_text() for _ in range(21)]
        t.check('a small answer behind big ones comes too', names[-1] == 'www.example.', names)
    for s in slow:
        s.close()
    server.stop()


def stopping_reader(t, server):
    # A client that takes much at first and then nothing has earned no time by it.
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(('127.0.0.1', server.port))
        s.settimeout(0.5)
        big = frame(query('big.example.', 'TXT')) * 1000
        threading.Thread(target=lambda: quietly(s.sendall, big), daemon=True).start()
        read_exactly(s, 500_000)
        t.check('who stops to read is cut off', was_reset(s, 2 * IDLE + 2))


def quietly(function, *args):
    try:
        function(*args)
    except OSError:
        pass


def was_reset(s, within):
    """Has the server cut the connection? Nothing is read, only the socket's state looked at."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == errno.ECONNRESET:
            return True
        time.sleep(0.05)
    return False


def slow_clients(t, server):
    big = frame(query('big.example.', 'TXT'))
    with connect(server) as s, connect(server) as half, connect(server) as silent:
        half.sendall(b'\xff')
        silent.sendall(b'\xff\xff')  # a length, and nothing behind
        start = time.monotonic()
        try:
            while time.monotonic() < start + IDLE + 5:
                s.sendall(b'\x40')
                time.sleep(0.05)
        except ConnectionError:
            pass
        took = time.monotonic() - start
        t.check('an octet at a time without an end', IDLE * 0.8 <= took < IDLE + 3, took)
        t.check('half a length', is_closed(half, 2))
        t.check('a length with nothing behind', is_closed(silent, 2))
    # The answers are taken slowly, but they are taken: 40 KB/s, for three times what an idle client gets.
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.connect(('127.0.0.1', server.port))
        asked = threading.Thread(target=s.sendall, args=(big * 1000,), daemon=True)
        asked.start()
        start = time.monotonic()
        got = 0
        while time.monotonic() < start + 3 * IDLE:
            got += len(read_exactly(s, 2000) or b'')
            time.sleep(0.05)
        while got < 200_000 and (more := s.recv(65536)):
            got += len(more)
        t.check('a slow reader is not cut off', got >= 200_000, got)
    stopping_reader(t, server)


def per_address(t, zone):
    config = '  workers: 1\n  tcp-clients: 50\n  tcp-clients-per-address: 4\n  tcp-idle-timeout: 1m'
    server = peer.signetd(t, {'example.': zone}, name='peraddress', extra=config)
    q = query()

    def connect_from(source):
        s = socket.create_connection(('127.0.0.1', server.port), timeout=5, source_address=(source, 0))
        s.sendall(frame(q))
        return s if read_message(s).id == q.id else None

    others = [connect_from('127.0.0.2') for _ in range(4)]
    mine = [connect_from('127.0.0.3') for _ in range(4)]
    mine[0].sendall(frame(q))
    read_message(mine[0])
    more = connect_from('127.0.0.3')
    t.check('the one idle for longest of this client made room', is_closed(mine[1]))
    t.check('not the one that asked since', not is_closed(mine[0], 0.1) and not is_closed(mine[2], 0.1))
    t.check('and none of other clients', not any(is_closed(s, 0.05) for s in others))
    for s in others + mine + [more]:
        s.close()
    server.stop()


def usage(server):
    """(open files, resident KiB)"""
    pid = server.process.pid
    with open(f'/proc/{pid}/status') as f:
        resident = int(next(line for line in f if line.startswith('VmRSS')).split()[1])
    return len(os.listdir(f'/proc/{pid}/fd')), resident


def coming_and_going(t, zone):
    server = peer.signetd(t, {'example.': zone}, name='churn', extra='  tcp-clients: 100')
    q = query()

    def visit(how):
        with connect(server) as s:
            if how % 4 == 1:
                s.sendall(b'\xff\xffx')
            elif how % 4 == 2:
                s.sendall(frame(q) * 3)
                read_message(s)
            elif how % 4 == 3:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))  # reset

    for how in range(1000):
        visit(how)
    before = usage(server)
    for how in range(4000):
        visit(how)
    peer.wait_for(lambda: usage(server)[0] <= before[0], 'end of the connections')
    after = usage(server)
    # A sanitizer keeps what was freed for a while.
    t.check('no files or memory are lost', after[0] <= before[0] and (
        after[1] < before[1] + 4000 or os.environ.get('MODE', 'release') != 'release'), f'{before} {after}')
    server.stop()


def cpu_seconds(pid):
    fields = open(f'/proc/{pid}/stat').read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def no_descriptors(t, zone):
    server = peer.signetd(t, {'example.': zone}, name='files', extra='  tcp-clients: 1000\n  tcp-idle-timeout: 1m')
    open_files = usage(server)[0]
    resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (open_files + 5, open_files + 5))
    many = [connect(server) for _ in range(30)]
    time.sleep(0.5)
    before = cpu_seconds(server.process.pid)
    time.sleep(2)
    spent = cpu_seconds(server.process.pid) - before
    t.check('without file descriptors it does not spin', spent < 0.2, spent)
    t.check('UDP is answered', server.ask('www.example.', 'A').rcode() == 0)
    t.check('and says so, once a worker', 1 <= server.log().count('tcp-paused') <= 16, server.log()[-500:])
    for s in many:
        s.close()
    t.check('then it goes on', server.ask('www.example.', 'A', tcp=True, timeout=10).rcode() == 0)
    server.stop()


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
        t.check('RD is copied, AD, CD and RA are not set', flags == dns.flags.RD | dns.flags.AA)


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
        slow_clients(t, server)
        sizes(t, server)
        odd_packets(t, server)
        starting(t, server)
        stopping(t, server)
        per_address(t, zone)
        nobody_waits_for_others(t, zone)
        coming_and_going(t, zone)
        no_descriptors(t, zone)
        privileges(t, zone)


main()
