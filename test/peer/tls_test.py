#!/usr/bin/env python3
"""DNS over TLS (RFC 7858) as kdig, dig, openssl, Unbound and Python's ssl speak it, in good faith and in bad: versions,
padding, keepalive, pipelines, limits, certificates that are exchanged under load."""
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.edns
import dns.message
import dns.query
import dns.rcode
import peer
from certificates import NAME, Files
from peer import frame, query, read_message, read_wire, reload
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

ZONE = peer.ZONE + '$GENERATE 1-60 big TXT "record number $ of a set that does not fit into a datagram"\n'
IDLE = 1  # second
BLOCK = 468
KEEPALIVE, PADDING = 11, 12
IS_RELEASE = os.environ.get('MODE', 'release') == 'release'


def serve(t, zone, name, extra='', files='a', workers=2):
    """signetd with a TLS port beside."""
    port = peer.free_port()
    server = peer.signetd(t, {'example.': zone}, name=name, extra=f'''  workers: {workers}
  listen-tls: [ 127.0.0.1@{port}, "::1@{port}" ]
  tls-certificate: {files}.pem
  tls-key: {files}.key
''' + extra)
    server.tls_port = port
    return server


# --- a client -------------------------------------------------------------------------------------

def context(t):
    c = ssl.create_default_context(cafile=t.path('root.pem'))
    c.set_alpn_protocols(['dot'])
    return c


def connect(t, server, address='127.0.0.1', source=None):
    s = socket.create_connection((address, server.tls_port), timeout=5, source_address=source and (source, 0))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context(t).wrap_socket(s, server_hostname=NAME, suppress_ragged_eofs=False)


def how_ended(s, within=5):
    """'close' after a close_notify, 'cut' without, None: not at all."""
    s.settimeout(within)
    try:
        return 'close' if s.recv(1) == b'' else 'octets'
    except (ssl.SSLEOFError, ConnectionError):
        return 'cut'
    except (socket.timeout, ssl.SSLWantReadError):
        return None


def ask(t, server, **more):
    with connect(t, server, **more) as s:
        q = query()
        s.sendall(frame(q))
        r = read_message(s)
        return r is not None and r.id == q.id


# --- other programs -------------------------------------------------------------------------------

def programs(t, server):
    at = ['@127.0.0.1', '-p', str(server.tls_port), 'www.example', 'A']
    strict = [f'+tls-ca={t.path("root.pem")}', f'+tls-hostname={NAME}']
    _, out = peer.run('kdig', *at, *strict, '+timeout=5', '+retry=0')
    t.check('kdig, strict', 'status: NOERROR' in out and '192.0.2.1' in out, out)
    size = re.search(r'Received (\d+) B', out)
    t.check('kdig asks for padding, and gets it', size and int(size[1]) % BLOCK == 0 and '(TLS1.3)' in out, out)
    status, out = peer.run('kdig', *at, strict[0], '+tls-hostname=other.example', '+timeout=5', '+retry=0')
    t.check('kdig sees a wrong name', 'NOERROR' not in out, out)
    _, out = peer.run('kdig', '@::1', *at[1:], '+tls', '+timeout=5', '+retry=0')
    t.check('kdig, who takes any certificate, over IPv6', 'status: NOERROR' in out, out)
    _, out = peer.run('dig', '+tries=1', *at, '+tls', *strict)
    if 'Invalid option' not in out:
        t.check('dig, strict', 'status: NOERROR' in out and '192.0.2.1' in out, out)
        _, out = peer.run('dig', '+tries=1', '+timeout=3', *at, '+tls', strict[0], '+tls-hostname=other.example')
        t.check('dig sees a wrong name', 'NOERROR' not in out, out)
    r = dns.query.tls(query('big.example.', 'TXT'), '127.0.0.1', port=server.tls_port, timeout=5,
                      ssl_context=context(t), server_hostname=NAME)
    t.check('dnspython, a long answer', len(r.answer[0]) == 60)


def s_client(server, *options):
    return peer.run('openssl', 's_client', '-connect', f'127.0.0.1:{server.tls_port}', *options, stdin=b'', timeout=20)[1]


def versions(t, server):
    for option, version in (('-tls1_3', 'TLSv1.3'), ('-tls1_2', 'TLSv1.2')):
        out = s_client(server, option, '-alpn', 'dot', '-CAfile', t.path('root.pem'))
        t.check(f'{version} is spoken', f'New, {version}' in out and 'Verify return code: 0' in out and
                'ALPN protocol: dot' in out and 'Compression: NONE' in out, out)
    for option in ('-tls1_1', '-tls1'):
        out = s_client(server, option, '-cipher', 'ALL:@SECLEVEL=0')
        t.check(f'{option} is refused', 'New, TLS' not in out and 'alert' in out, out)
    out = s_client(server, '-tls1_2', '-cipher', 'AES128-GCM-SHA256:AES256-SHA:@SECLEVEL=0')
    t.check('so is what has no forward secrecy', 'New, TLS' not in out, out)
    out = s_client(server, '-alpn', 'h2,http/1.1')
    t.check('so is who wants another protocol', 'no application protocol' in out, out)
    t.check('who names none is served', 'No ALPN negotiated' in s_client(server))
    sessions = t.path('session.pem')
    for option in ('-tls1_3', '-tls1_2'):
        # The ticket of TLS 1.3 comes behind the handshake: an answer waits for it.
        with socket.create_connection(('127.0.0.1', server.tls_port), timeout=5) as raw:
            c = context(t)
            c.minimum_version = c.maximum_version = \
                ssl.TLSVersion.TLSv1_3 if option == '-tls1_3' else ssl.TLSVersion.TLSv1_2
            with c.wrap_socket(raw, server_hostname=NAME) as s:
                s.sendall(frame(query()))
                read_message(s)
                session = s.session
        with socket.create_connection(('127.0.0.1', server.tls_port), timeout=5) as raw:
            with c.wrap_socket(raw, server_hostname=NAME, session=session) as s:
                s.sendall(frame(query()))
                t.check(f'{option}: a session is taken up again', read_message(s) and s.session_reused)


def is_up(resolver):
    try:
        return resolver.ask('up.test.', 'A', timeout=0.3).rcode() == dns.rcode.NXDOMAIN
    except Exception:
        return False


def through_unbound(t, server):
    """A resolver that asks over TLS, and looks at the certificate."""
    for name, good in ((NAME, True), ('other.example', False)):
        port = peer.free_port()
        config = t.write(f'unbound-{good}.conf', f'''server:
  interface: 127.0.0.1
  port: {port}
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "{t.dir}"
  pidfile: ""
  use-syslog: no
  do-not-query-localhost: no
  module-config: "iterator"
  num-threads: 1
  local-zone: "up.test." static
  outbound-msg-retry: 1
  tls-cert-bundle: "{t.path('root.pem')}"
remote-control:
  control-enable: no
stub-zone:
  name: "example"
  stub-addr: 127.0.0.1@{server.tls_port}#{name}
  stub-tls-upstream: yes
''')
        resolver = peer.Daemon(t, ['unbound', '-d', '-p', '-c', config], port, t.path(f'unbound-{good}.log'))
        peer.wait_for(lambda: is_up(resolver), 'answer from unbound')
        r = resolver.ask('big.example.', 'TXT', tcp=True, timeout=15)
        t.check(f'Unbound, who expects {name}', (r.rcode() == dns.rcode.NOERROR and len(r.answer) == 1) == good, r)
        resolver.stop()


# --- messages -------------------------------------------------------------------------------------

def framing(t, server):
    q = query()
    with connect(t, server) as s:
        t.check('ALPN and version', s.selected_alpn_protocol() == 'dot' and s.version() == 'TLSv1.3')
        for octet in frame(q):
            s.sendall(bytes([octet]))
        t.check('octet by octet, each in a record', read_message(s).id == q.id)
    queries = [query() for _ in range(200)]
    with connect(t, server) as s:
        s.sendall(b''.join(frame(q) for q in queries))
        ids = [read_message(s).id for _ in queries]
        t.check('200 pipelined in a record', sorted(ids) == sorted(q.id for q in queries))
        for q in queries:
            s.sendall(frame(q))
        ids = [read_message(s).id for _ in queries]
        t.check('200 pipelined in 200 records', sorted(ids) == sorted(q.id for q in queries))
    with connect(t, server) as s:
        s.sendall(frame(b'') + frame(b'abc') + frame(q.to_wire() + b'\0' * (65535 - len(q.to_wire()))) + frame(q))
        t.check('64 KiB with trailing octets is FORMERR', read_message(s).rcode() == dns.rcode.FORMERR)
        t.check('and the connection goes on', read_message(s).id == q.id)
        half = s.unwrap  # sends close_notify, and waits for that of the server
        t.check('close_notify is answered', half().recv(1) == b'')
    with connect(t, server) as s:
        s.sendall(frame(q) * 50)
        socket.socket.shutdown(s, socket.SHUT_WR)
        t.check('half closed without close_notify: still answered', all(read_message(s).id == q.id for _ in range(50)))
        t.check('and closed then', how_ended(s) == 'close')
    t.check('IPv6', ask(t, server, address='::1'))


def options(t, server):
    with connect(t, server) as s:
        for name, rdtype, size in (('www.example.', 'A', 1), ('big.example.', 'TXT', 4), ('no.example.', 'A', 1)):
            for pad in (0, 1, 300):
                padding = [dns.edns.GenericOption(PADDING, b'\0' * pad)]
                s.sendall(frame(query(name, rdtype, options=padding)))
                wire = read_wire(s)
                r = dns.message.from_wire(wire)
                t.check(f'{name} is padded', len(wire) % BLOCK == 0 and len(wire) >= size * BLOCK and
                        any(o.otype == PADDING and not any(o.to_wire()) for o in r.options), len(wire))
        for edns in ({}, {'use_edns': 0}):
            s.sendall(frame(query(**edns)))
            r = read_message(s)
            t.check('nobody who does not ask is padded', not any(o.otype == PADDING for o in r.options), r)
        s.sendall(frame(query(options=[dns.edns.GenericOption(KEEPALIVE, b'')])))
        r = read_message(s)
        t.check('keepalive is told', [o.to_wire() for o in r.options if o.otype == KEEPALIVE] ==
                [struct.pack('!H', IDLE * 10)], r)
    q = query(options=[dns.edns.GenericOption(PADDING, b'\0' * 10)])
    for ask_over in (dns.query.tcp, dns.query.udp):
        r = ask_over(q, '127.0.0.1', port=server.port, timeout=5)
        t.check('nothing is padded in clear', not any(o.otype == PADDING for o in r.options), r)


# --- limits ---------------------------------------------------------------------------------------

def client_hello(t):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    c = context(t).wrap_bio(incoming, outgoing, server_hostname=NAME)
    try:
        c.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def strangers(t, server):
    hello = client_hello(t)
    for what, octets in (('plain DNS', frame(query())), ('HTTP', b'GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
                         ('zeros', b'\0' * 5000), ('random octets', os.urandom(5000)),
                         ('a record without an end', b'\x16\x03\x01\x40\x00' + b'\1' * 100), ('half a hello', hello[:len(hello) // 2]),
                         ('a hello alone', hello), ('one octet', hello[:1]), ('nothing', b'')):
        with socket.create_connection(('127.0.0.1', server.tls_port), timeout=IDLE + 3) as s:
            start = time.monotonic()
            try:
                s.sendall(octets)
                while s.recv(4096):
                    pass
                ended = True
            except socket.timeout:
                ended = False
            except ConnectionError:
                ended = True
            t.check(f'{what}: the connection is ended', ended and time.monotonic() - start < IDLE + 2)
    with socket.create_connection(('127.0.0.1', server.tls_port), timeout=5) as s:
        start = time.monotonic()
        try:
            for octet in hello * 100:
                s.sendall(bytes([octet]))
                time.sleep(0.02)
        except ConnectionError:
            pass
        took = time.monotonic() - start
        t.check('a handshake an octet at a time is cut off', took < IDLE + 3, took)
    t.check('others are served', ask(t, server))


def idle(t, server):
    with connect(t, server) as s:
        start = time.monotonic()
        t.check('idle: closed with close_notify', how_ended(s, IDLE + 5) == 'close' and
                time.monotonic() - start >= IDLE * 0.8)
    with connect(t, server) as s:
        start = time.monotonic()
        s.sendall(b'\xff\xff')
        while time.monotonic() < start + 10 and how_ended(s, 0.05) is None:
            try:
                s.sendall(b'\x40')
            except OSError:
                break
        t.check('a message an octet at a time is idle', IDLE * 0.8 <= time.monotonic() - start < IDLE + 3)


def resident(server):
    with open(f'/proc/{server.process.pid}/status') as f:
        return int(next(line for line in f if line.startswith('VmRSS')).split()[1])


def deaf(t, server):
    """A client that asks and never reads."""
    s = connect(t, server)
    s.settimeout(0.5)
    sent = 0
    big = frame(query('big.example.', 'TXT')) * 100
    try:
        while sent < 200_000_000:
            s.sendall(big)
            sent += len(big)
    except (socket.timeout, ConnectionError, ssl.SSLError):
        pass
    t.check('who does not read is stopped', sent < 200_000_000 and (resident(server) < 200_000 or not IS_RELEASE), f'{sent} {resident(server)}')
    start = time.monotonic()
    t.check('others do not wait for it', ask(t, server) and time.monotonic() - start < 1)
    s.setblocking(False)

    def is_cut():
        try:
            socket.socket.send(s, b'x')
        except BlockingIOError:
            return False
        except ConnectionError:
            return True

    peer.wait_for(is_cut, 'end of the deaf client', IDLE + 3)
    t.check('it is cut off', True)
    s.close()


def many(t, zone):
    """What connections cost that have nothing to say; and the limits on them."""
    count = 400
    server = serve(t, zone, 'many', f'  tcp-clients: {count + 20}\n  tcp-clients-per-address: {count + 20}\n  tcp-idle-timeout: 1m\n'
                   '  tls-handshakes: 0\n', workers=1)
    warm = [connect(t, server) for _ in range(20)]
    for s in warm:
        s.sendall(frame(query()))
        read_message(s)
    before = resident(server)
    clients = []
    for _ in range(count):
        s = connect(t, server)
        s.sendall(frame(query()))
        read_message(s)
        clients.append(s)
    each = (resident(server) - before) / count
    t.check('an idle connection is small', each < 40 or not IS_RELEASE, f'{each:.1f} KiB')
    t.check('the ones idle for longest made no room yet', how_ended(clients[0], 0.05) is None)
    more = [connect(t, server) for _ in range(30)]
    t.check('then they do', how_ended(warm[0]) == 'close' and how_ended(clients[-1], 0.05) is None)
    t.check('UDP is answered beside them', server.ask('www.example.', 'A').rcode() == 0)
    for s in warm + clients + more:
        s.close()
    # They come and go.
    hello = client_hello(t)
    for how in range(300):
        if how % 3 == 0:
            ask(t, server)
            continue
        with socket.create_connection(('127.0.0.1', server.tls_port)) as s:
            s.sendall(hello[:how] if how % 3 == 1 else hello)
            if how % 2 == 0:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    open_files = lambda: len(os.listdir(f'/proc/{server.process.pid}/fd'))
    peer.wait_for(lambda: open_files() < 40, 'end of the connections')
    t.check('memory is given back', resident(server) < before + count * 40 or not IS_RELEASE, f'{before} {resident(server)}')
    server.stop()


def handshake_rate(t, zone):
    server = serve(t, zone, 'rate', '  tls-handshakes: 5\n', workers=1)
    good = bad = 0
    for _ in range(40):
        try:
            good += ask(t, server, source='127.0.0.2')
        except (ConnectionError, ssl.SSLError):
            bad += 1
    t.check('handshakes of one client are limited', 5 <= good < 30 and bad > 0, (good, bad))
    t.check('those of others are not', ask(t, server, source='127.0.0.3'))
    t.check('nor are connections without', server.ask('www.example.', 'A', tcp=True).rcode() == 0)
    server.stop()


# --- certificates that change ---------------------------------------------------------------------

def issuer_and_key(t, server):
    with connect(t, server) as s:
        s.sendall(frame(query()))
        read_message(s)
        key = x509.load_der_x509_certificate(s.getpeercert(True)).public_key()
        return 'b' if isinstance(key, rsa.RSAPublicKey) else 'a'


def use(t, name, key=None):
    """Puts another pair in the place of the one in use."""
    for kind, source in (('pem', name), ('key', key or name)):
        with open(t.path(f'{source}.{kind}')) as f:
            text = f.read()
        temporary = t.write(f'now.{kind}.new', text)
        os.chmod(temporary, 0o600)
        os.rename(temporary, t.path(f'now.{kind}'))


def under_load(t, server):
    bad, counts, done = [], [0, 0], threading.Event()

    def new_ones():
        while not done.is_set():
            try:
                counts[0] += 1 if ask(t, server) else bad.append('no answer') or 0
            except Exception as e:
                bad.append(repr(e))

    def old_one():
        try:
            with connect(t, server) as s:
                while not done.is_set():
                    queries = [query() for _ in range(5)]
                    s.sendall(b''.join(frame(q) for q in queries))
                    for q in queries:
                        if read_message(s).id != q.id:
                            bad.append('another answer')
                    counts[1] += 1
        except Exception as e:
            bad.append(repr(e))

    threads = [threading.Thread(target=f) for f in (new_ones, new_ones, old_one, old_one)]
    for thread in threads:
        thread.start()
    seen = []
    for i in range(10):
        use(t, 'ba'[i % 2])
        reload(server)
        seen.append(issuer_and_key(t, server))
    done.set()
    for thread in threads:
        thread.join()
    t.check('new connections have the new certificate', seen == ['b', 'a'] * 5, seen)
    t.check('no query is lost', not bad, bad[:3])
    t.check('queries went on', counts[0] > 10 and counts[1] > 10, counts)


def bad_files(t, server):
    logged = lambda since: server.log()[since:]
    for what, change, said in (
            ('a key of another certificate', lambda: use(t, 'b', 'a'), 'not the key of'),
            ('no certificate', lambda: t.write('now.pem', 'nothing\n'), 'no certificate'),
            ('a key that is gone', lambda: (use(t, 'b'), os.unlink(t.path('now.key'))), 'now.key'),
            ('a key that others can read', lambda: (use(t, 'b'), os.chmod(t.path('now.key'), 0o644)), 'others can read')):
        since = len(server.log())
        change()
        reload(server)
        t.check(f'{what}: the old one stays', issuer_and_key(t, server) == 'a' and
                all(x in logged(since) for x in ('tls-finding', said, 'tls-kept', 'remedy=')), logged(since))
    since = len(server.log())
    use(t, 'old')
    reload(server)
    t.check('an expired one is used, with a warning', 'warn tls-finding' in logged(since) and 'expired on' in logged(since) and
            'tls-loaded subject="CN = ns.example"' in logged(since) and 'tls-kept' not in logged(since), logged(since))
    use(t, 'b')
    reload(server)
    t.check('then a good one', issuer_and_key(t, server) == 'b')


def not_root(t, zone):
    if os.getuid() != 0:
        return
    server = serve(t, zone, 'nobody', '  user: nobody\n')
    t.check('a key for root alone is read before root is given up', ask(t, server))
    t.check('and that it is too late for the next one', 'tls-unreadable' in server.log(), server.log())
    reload(server)
    t.check('so the old one stays', ask(t, server) and 'tls-kept' in server.log() and 'let the user who runs signetd read it' in
            server.log(), server.log())
    server.stop()


def configurations(t, zone):
    config = lambda more: t.write('check.yaml', f'server:\n  listen: 127.0.0.1@8853\n{more}zones:\n  - name: example\n    file: {zone}\n')
    both = '  listen-tls: 127.0.0.1@8854\n  tls-certificate: {}.pem\n  tls-key: {}.key\n'
    for what, more, status, said in (
            ('good', both.format('a', 'a'), 0, ', ok'),
            ('another key', both.format('a', 'b'), 1, 'is not the key of the certificate'),
            ('no key', '  listen-tls: 127.0.0.1@8854\n  tls-certificate: a.pem\n', 1, ':3:15: server.listen-tls needs server.tls-key'),
            ('no such file', both.format('a', 'none'), 1, 'none.key'),
            ('expired', both.format('old', 'old'), 0, 'expired on'),
            ('files without a port', '  tls-certificate: none.pem\n', 0, ', ok')):
        path = config(more)
        for program in (('signet-checkconf', '-c', path), ('signetd', '-t', '-c', path)):
            is_, out = peer.ours(*program)
            t.check(f'{program[0]}: {what}', is_ == status and (said in out or said == ', ok'), f'{is_} {out}')
    port = peer.free_port()
    path = config(both.format('a', 'b').replace('8854', str(port)).replace('8853', str(port)))
    is_, out = peer.ours('signetd', '-c', path, timeout=20)
    t.check('signetd does not start with a key of another', is_ == 1 and 'is not the key' in out, out)


def taken(t, server):
    config = open(server.config).read()
    other = re.sub(r'  listen: .*', f'  listen: 127.0.0.1@{peer.free_port()}', config)
    status, out = peer.ours('signetd', '-c', t.write('second.yaml', other), timeout=20)
    t.check('an occupied TLS port', status == 1 and 'another server has this port' in out and 'server.listen-tls' in out, out)


def stopping(t, server):
    with connect(t, server) as s:
        queries = [query() for _ in range(100)]
        s.sendall(frame(queries[0]))
        read_message(s)
        s.sendall(b''.join(frame(q) for q in queries))
        time.sleep(0.1)
        status = server.stop()
        got = 0
        while got < len(queries) and read_message(s) is not None:
            got += 1
        t.check('SIGTERM: what was asked before is answered', got == len(queries) and status == 0, (got, status))
        t.check('and leave is taken', how_ended(s) == 'close')


def main():
    with peer.Test('tls') as t:
        zone = t.write('zone', ZONE)
        Files(t)
        configurations(t, zone)
        use(t, 'a')
        server = serve(t, zone, 'now', f'  tcp-idle-timeout: {IDLE}s\n  tcp-output: 64K\n  tls-handshakes: 0\n', files='now')
        t.check('the certificate is logged', 'tls-loaded subject="CN = ns.example" not-after=2' in server.log(), server.log())
        programs(t, server)
        versions(t, server)
        through_unbound(t, server)
        framing(t, server)
        options(t, server)
        strangers(t, server)
        idle(t, server)
        deaf(t, server)
        taken(t, server)
        under_load(t, server)
        bad_files(t, server)
        stopping(t, server)
        many(t, zone)
        handshake_rate(t, zone)
        not_root(t, zone)


main()
