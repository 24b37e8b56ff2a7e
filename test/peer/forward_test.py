#!/usr/bin/env python3
"""signetd passes updates of a secondary zone on to its primary, BIND, Knot or another signetd: from nsupdate, knsupdate and
dnspython, over UDP, TCP and TLS, with keys that only client and primary have; the answer comes back, and then the change.
Primaries that are away, silent or wrong are passed over, and a client does not wait for ever.
FORWARD_LONG=1: also for the times that take half a minute."""
import os
import socket
import ssl
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import certificates
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update
import peer
import sig0_test
from transfers import ALGORITHMS, SECRET, dnspython_algorithm, key_argument, key_name, serial_of

# BIND and Knot do not have the ones that are cut short by name.
WHOLE = [a for a in ALGORITHMS if a.count('-') < 2]
LIMIT = 256  # server/forward.h
ZONE = '$TTL 300\n@ SOA ns h 10 3600 2 86400 300\n  NS ns\nns A 127.0.0.1\n'
FORMERR, SERVFAIL, REFUSED, NOTAUTH = (getattr(dns.rcode, n) for n in ('FORMERR', 'SERVFAIL', 'REFUSED', 'NOTAUTH'))


# --- primaries, whose zones take updates with each key -------------------------------------------

def named(t, port, to):
    os.makedirs(t.path('named'), exist_ok=True)
    text = f'''options {{ directory "{t.path('named')}"; pid-file none; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; notify explicit; notify-delay 0; session-keyfile none; empty-zones-enable no; allow-transfer {{ any; }}; }};
controls {{ }};
'''
    for a in WHOLE:
        text += f'key "{key_name(a)}" {{ algorithm {a}; secret "{SECRET}"; }};\n'
    text += f'''zone "named." {{ type primary; file "{t.write('named/zone', ZONE)}"; also-notify {{ 127.0.0.1 port {to}; }};
  allow-update {{ {' '.join(f'key "{key_name(a)}";' for a in WHOLE)} }}; }};
'''
    return peer.Daemon(t, ['named', '-g', '-n', '1', '-c', t.write('named.conf', text)], port, t.path('named.log'))


def knotd(t, port, to):
    os.makedirs(t.path('knot'), exist_ok=True)
    text = f'server:\n  rundir: {t.path("knot")}\n  listen: 127.0.0.1@{port}\nlog:\n  - target: stderr\n    any: info\ndatabase:\n' \
           f'  storage: {t.path("knot")}\nkey:\n'
    for a in WHOLE:
        text += f'  - id: {key_name(a)}\n    algorithm: {a}\n    secret: {SECRET}\n'
    text += f'remote:\n  - id: to\n    address: 127.0.0.1@{to}\nacl:\n  - id: give\n    action: transfer\n'
    text += f'  - id: change\n    action: update\n    key: [ {", ".join(map(key_name, WHOLE))} ]\n'
    text += f'zone:\n  - domain: knotd.\n    file: {t.write("knot/zone", ZONE)}\n    notify: to\n    acl: [ give, change ]\n' \
            '    zonefile-sync: -1\n    zonefile-load: whole\n    journal-content: changes\n'
    return peer.Daemon(t, ['knotd', '-c', t.write('knot.conf', text)], port, t.path('knot.log'))


def keys_text(algorithms):
    return 'keys:\n' + ''.join(f'  - {{ name: {key_name(a)}, algorithm: {a}, secret: "{SECRET}" }}\n' for a in algorithms)


def start(t, name, port, text):
    os.makedirs(t.path(f'{name}.db'), exist_ok=True)
    config = t.write(f'{name}.yaml', text.replace('server:\n', f'server:\n  listen: 127.0.0.1@{port}\n  database: {t.path(name)}.db\n'
                                                  f'  control: "{t.path(name)}.control"\n', 1))
    os.chmod(config, 0o600)
    d = peer.Daemon(t, [os.path.join(peer.BIN, 'signetd'), '-c', config], port, t.path(f'{name}.log'))
    d.config = config
    return d


def signetd(t, port, to, sig0):
    text = 'server:\n' + keys_text(ALGORITHMS) + f'remotes:\n  - {{ name: to, addresses: 127.0.0.1, port: {to} }}\nzones:\n'
    for zone, more in (('signetd.', ''), ('signed.', '    dnssec: default\n')):
        path = t.write(f'primary.{zone}', ZONE + (sig0 if zone == 'signetd.' else ''))
        rules = [f'key {key_name(a)}' for a in ALGORITHMS] + (['sig0 pc.signetd.'] if zone == 'signetd.' else [])
        text += f'  - name: {zone}\n    file: {path}\n    notify: to\n    allow-transfer: any\n    allow-update: [ {", ".join(rules)} ]\n{more}'
    return start(t, 'primary', port, text)


def secondary(t, name, port, zones, keys=(), more=''):
    """Serves {zone: ([ports of primaries], rule)}."""
    ports = sorted({p for primaries, _ in zones.values() for p in primaries})
    text = f'server:\n{more}' + (keys_text(keys) if keys else '') + 'remotes:\n'
    text += ''.join(f'  - {{ name: "{p}", addresses: 127.0.0.1, port: {p} }}\n' for p in ports) + 'zones:\n'
    for z, (primaries, rule) in zones.items():
        text += f'  - name: "{z}"\n    primaries: [ ' + ', '.join(f'"{p}"' for p in primaries) + ' ]\n'
        text += f'    allow-notify: any\n    allow-transfer: any\n    allow-update-forwarding: {rule}\n' if rule else ''
    d = start(t, name, port, text)
    peer.wait_for(d.is_up, 'answer from signetd')
    return d


# --- clients --------------------------------------------------------------------------------------

def message(zone, name, text='x', key=None, secret=SECRET):
    u = dns.update.UpdateMessage(zone)
    u.add(name, 60, 'TXT', text)
    if key:
        u.use_tsig(dns.tsigkeyring.from_text({key_name(key): (dnspython_algorithm(key), secret)}), key_name(key),
                   algorithm=dnspython_algorithm(key))
    return u


def send(server, u, how=dns.query.udp, timeout=20, **more):
    more.setdefault('port', server.port)
    return how(u, '127.0.0.1', timeout=timeout, **more)


def tool(program, d, zone, name, key, *options):
    algorithm, owner, secret = key.split(':')
    script = f'server 127.0.0.1 {d.port}\nzone {zone}\nupdate add {name} 60 TXT "{program}"\nsend\n'
    if program == 'knsupdate':
        script += 'answer\n'
    return peer.run(program, '-y', key, *options, stdin=script.encode())


def has(d, name):
    try:
        return bool(d.ask(name, 'TXT', dnssec=False).answer)
    except Exception:
        return False


def arrives(t, what, d, name):
    """The change, by NOTIFY and IXFR."""
    try:
        peer.wait_for(lambda: has(d, name), name, 10)
        t.check(f'{what}: the change comes back', True)
    except RuntimeError as e:
        t.check(f'{what}: the change comes back', False, f'{e}: {d.log()[-1500:]}')


def by_programs(t, d, zone, algorithms):
    for a in algorithms:
        for program in ('nsupdate', 'knsupdate') if a in WHOLE else ('nsupdate',):
            for options in ((), ('-v',)):
                name = f'{program}{len(options)}.{a}.{zone}'
                status, out = tool(program, d, zone, name, key_argument(a), *options)
                t.check(f'{zone}: {program} {options} {a}', status == 0 and 'rror' not in out.replace('NOERROR', ''), out)
        for how in (dns.query.udp, dns.query.tcp) if a in WHOLE else ():
            name = f'dnspython-{how.__name__}.{a}.{zone}'
            r = send(d, message(zone, name, key=a), how)
            t.check(f'{zone}: dnspython {how.__name__} {a}', r.rcode() == 0 and r.had_tsig, r.to_text())
    arrives(t, zone, d, name)


def over_tls(t, d, zone):
    context = ssl.create_default_context(cafile=t.path('root.pem'))
    r = send(d, message(zone, f'tls.{zone}', key='hmac-sha256'), dns.query.tls, port=d.tls_port, ssl_context=context,
             server_hostname=certificates.NAME)
    t.check('over TLS', r.rcode() == 0 and r.had_tsig, r.to_text())
    arrives(t, 'over TLS', d, f'tls.{zone}')


def by_sig0(t, d, key):
    for options in ((), ('-v',)):
        name = f'sig0-{len(options)}.signetd.'
        status, out = sig0_test.nsupdate(d, 'signetd.', key, [f'update add {name} 60 TXT x'], *options)
        t.check(f'SIG(0) {options}', status == 0, out)
        arrives(t, f'SIG(0) {options}', d, name)


def refusals(t, d, primary):
    """What the primary says of who may not, and what it says of the update itself."""
    zone = 'signetd.'
    r = send(d, message(zone, 'no-key'))
    t.check('without a key the primary refuses', r.rcode() == REFUSED, r.to_text())
    u = message(zone, 'no', key='hmac-sha256', secret='AAAA')
    try:
        send(d, u)
        t.check('a wrong key', False, 'no error')
    except dns.tsig.PeerBadSignature:
        t.check('a wrong key: the primary says BADSIG', True)
    u = message(zone, 'no')
    u.use_tsig(dns.tsigkeyring.from_text({'nobody.': ('hmac-sha256', SECRET)}), 'nobody.', algorithm='hmac-sha256')
    try:
        send(d, u)
        t.check('an unknown key', False, 'no error')
    except dns.tsig.PeerBadKey:
        t.check('an unknown key: the primary says BADKEY', True)
    u = message(zone, 'www', key='hmac-sha256')
    u.present('nothing.' + zone)
    t.check('a prerequisite', send(d, u).rcode() == dns.rcode.NXDOMAIN)
    wire = message(zone, 'www').to_wire()
    with socket.create_connection(('127.0.0.1', d.port), timeout=5) as s:
        s.sendall(peer.frame(wire[:-3]))
        r = peer.read_wire(s)
        t.check('cut short: FORMERR', r is not None and r[3] & 15 == FORMERR and r[:2] == wire[:2], repr(r))
    t.check('nothing of that is there', not has(primary, f'no.{zone}') and not has(primary, f'www.{zone}'))


def who_may(t, primary, port):
    """Rules about addresses and keys."""
    keys = ['hmac-sha256', 'hmac-sha512']
    cases = [('[]', None, REFUSED, 'nobody'), ('192.0.2.1', None, REFUSED, 'another address'),
             ('127.0.0.0/8', 'hmac-sha384', 0, 'by address, with a key that is not known'),
             (f'key {key_name("hmac-sha256")}', 'hmac-sha256', 0, 'by key'),
             (f'key {key_name("hmac-sha256")}', 'hmac-sha512', REFUSED, 'by another key'),
             (f'key {key_name("hmac-sha256")}', None, REFUSED, 'by key, without one'),
             (f'[ any, deny key {key_name("hmac-sha512")} ]', 'hmac-sha512', REFUSED, 'denied by key')]
    d = None
    for i, (rule, key, rcode, what) in enumerate(cases):
        if d:
            d.stop()
        d = secondary(t, f'rules{i}', peer.free_port(), {'signetd.': ([port], rule)}, keys)
        name = f'rule{i}.signetd.'
        r = send(d, message('signetd.', name, key=key))
        t.check(what, r.rcode() == rcode and r.had_tsig == (key is not None), r.to_text())
        t.check(f'{what}: done or not', has(primary, name) == (rcode == 0))
    with_key = message('signetd.', 'bad', key='hmac-sha256', secret='AAAA')
    try:
        send(d, with_key)
        t.check('a key of ours, wrongly used', False, 'no error')
    except dns.tsig.PeerBadSignature:
        t.check('a key of ours, wrongly used', 'rcode=NOTAUTH' not in ''.join(x for x in d.log().splitlines() if 'update-forwarded' in x)
                and 'update zone=signetd. client=127.0.0.1/32 key=none rcode=NOTAUTH' in d.log(), d.log()[-1000:])
    r = send(d, message('nowhere.', 'x'))
    t.check('another zone', r.rcode() == NOTAUTH, r.to_text())
    d.stop()
    d = secondary(t, 'unknown', peer.free_port(), {'signetd.': ([port], '192.0.2.1')}, keys)
    try:
        send(d, message('signetd.', 'x', key='hmac-sha384'))
        t.check('an unknown key of an address that may not', False, 'no error')
    except dns.tsig.PeerBadKey:
        t.check('an unknown key of an address that may not', True)
    d.stop()


# --- primaries that do as they like ---------------------------------------------------------------

class Fake:
    """Answers each UPDATE over TCP with what answer(fake, wire) returns: octets; None: nothing, and keeps the connection."""

    def __init__(self, answer):
        self.answer, self.got = answer, []
        self.port = peer.free_port()
        self.socket = socket.create_server(('127.0.0.1', self.port), backlog=512)
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        try:
            wire = peer.read_wire(c)
            if wire is None:
                return
            if wire[2] >> 3 & 15 != 5:
                c.close()  # a transfer: not here
                return
            self.got.append(wire)
            octets = self.answer(self, wire)
            if octets is None:
                c.recv(1)
            else:
                c.sendall(octets)
            c.close()
        except OSError:
            c.close()

    def close(self):
        self.socket.close()


def reply(wire, more=b'', ident=None, first=0xa8, rcode=0, additional=0):
    return peer.frame((ident or wire[:2]) + bytes([first, rcode]) + struct.pack('!4H', 0, 0, 0, additional) + more)


def good(fake, wire):
    return reply(wire, rcode=dns.rcode.YXRRSET)


def other_id(fake, wire):
    return reply(wire, ident=bytes([wire[0] ^ 1, wire[1]]))


def silent(fake, wire):
    return None


NO_ANSWERS = {'another id': other_id, 'a query': lambda f, w: peer.frame(w), 'another opcode': lambda f, w: reply(w, first=0x84),
              'garbage': lambda f, w: peer.frame(os.urandom(100)), 'cut short': lambda f, w: reply(w)[:-1],
              'a few octets': lambda f, w: peer.frame(b'abc'), 'nothing at all': lambda f, w: peer.frame(b''), 'the end': lambda f, w: b''}


def long_answer(size):
    """A TXT record of @size octets, owner and all."""
    return lambda fake, wire: reply(wire, b'\0' + struct.pack('!HHIH', 16, 1, 0, size - 11) + b'x' * (size - 11), additional=1)


def raw(d, wire, tcp=False, timeout=5):
    """The answer's octets; None: none."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as s:
        s.settimeout(timeout)
        s.connect(('127.0.0.1', d.port))
        s.sendall(peer.frame(wire) if tcp else wire)
        try:
            return peer.read_wire(s) if tcp else s.recv(65535)
        except OSError:
            return None


def octets(t, d, fake):
    """As they came, but for the id."""
    wire = message('fake.', 'www.UPPER.fake.', key='hmac-sha256').to_wire()
    r = raw(d, wire)
    got = fake.got[-1]
    t.check('the octets as they came', got[2:] == wire[2:] and len(got) == len(wire), f'{got!r} {wire!r}')
    t.check('with another id', got[:2] != wire[:2] or raw(d, wire) and fake.got[-1][:2] != wire[:2])
    t.check('the answer as it came', r == wire[:2] + reply(got, rcode=7)[4:], repr(r))
    key = sig0_test.Key('pc.fake.')
    wire = key.sig0(message('fake.', 'www').to_wire())
    raw(d, wire, tcp=True)
    t.check('with a SIG(0) the id too', fake.got[-1] == wire, repr(fake.got[-1]))
    big = dns.update.UpdateMessage('fake.')
    for i in range(1000):
        big.add(f'host{i}', 60, 'TXT', 'x' * 40)
    wire = big.to_wire(max_size=65535)
    t.check('a message of 60 kB', len(wire) > 50000 and raw(d, wire, tcp=True) is not None and fake.got[-1][2:] == wire[2:])


def pass_over(t):
    """The first primary is of no use, the second answers."""
    for what, answer in list(NO_ANSWERS.items()) + [('no connection', None)]:
        bad, last = Fake(answer or silent), Fake(good)
        if answer is None:
            bad.close()
        d = secondary(t, f'over {what}', peer.free_port(), {'fake.': ([bad.port, last.port], 'any')})
        for tcp in (False, True):
            r = raw(d, message('fake.', 'www').to_wire(), tcp)
            t.check(f'{what}: the next primary', r is not None and r[3] & 15 == dns.rcode.YXRRSET, repr(r))
        d.stop()
        last.close()
        bad.close()


def all_away(t):
    away = [peer.free_port() for _ in range(3)]
    d = secondary(t, 'away', peer.free_port(), {'fake.': (away, 'any')}, ['hmac-sha256'])
    for tcp in (dns.query.udp, dns.query.tcp):
        start = time.monotonic()
        r = send(d, message('fake.', 'www', key='hmac-sha256'), tcp)
        t.check('all are away: SERVFAIL, signed with a key of ours', r.rcode() == SERVFAIL and r.had_tsig, r.to_text())
        t.check('and soon', time.monotonic() - start < 5)
    u = message('fake.', 'www', key='hmac-sha512')
    wire = u.to_wire()
    r = raw(d, wire)
    t.check('a key of others: SERVFAIL, not signed', r is not None and r[:2] == wire[:2] and r[3] & 15 == SERVFAIL and len(r) == 12, repr(r))
    t.check('the log says so', 'rcode=SERVFAIL added=0 removed=0 reason="no primary answers; the last Connection refused"' in d.log(), d.log()[-1000:])
    d.stop()


def sizes(t):
    for size, payload, tcp, is_whole in ((500, None, False, True), (501, None, False, False), (600, 1232, False, True),
                                         (1221, 1232, False, False), (60000, None, True, True)):
        fake = Fake(long_answer(size))
        d = secondary(t, f'size{size}', peer.free_port(), {'fake.': ([fake.port], 'any')})
        u = message('fake.', 'www')
        if payload:
            u.use_edns(0, payload=payload)
        r = raw(d, u.to_wire(), tcp)
        t.check(f'an answer of {size + 12} octets', r is not None and (len(r), r[2] & 2) == ((size + 12, 0) if is_whole else (12, 2)),
                repr(r and r[:40]))
        d.stop()
        fake.close()


def crowds(t):
    """Datagrams that come again while the first is under way; more than may be under way; a reload, and the end, meanwhile."""
    go = threading.Event()

    def waits(fake, wire):
        go.wait(60)
        return good(fake, wire)
    fake = Fake(waits)
    d = secondary(t, 'crowd', peer.free_port(), {'fake.': ([fake.port], 'any')})
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(10)
        s.connect(('127.0.0.1', d.port))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        wire = message('fake.', 'www').to_wire()
        for _ in range(5):
            s.send(wire)
        peer.wait_for(lambda: fake.got, 'the update')
        for i in range(LIMIT + 44):
            s.send(message('fake.', f'host{i}').to_wire())
        refused = [s.recv(4096) for _ in range(45)]
        t.check('those beyond the limit: SERVFAIL at once', all(r[3] & 15 == SERVFAIL for r in refused))
        peer.wait_for(lambda: len(fake.got) >= LIMIT, 'all others')
        t.check('what comes again is passed on once', [w[2:] for w in fake.got].count(wire[2:]) == 1, str(len(fake.got)))
        peer.reload(d)
        go.set()
        answers = [s.recv(4096) for _ in range(LIMIT)]
        t.check('the others are answered, over a reload', all(r[3] & 15 == dns.rcode.YXRRSET for r in answers))
        go.clear()
        s.send(message('fake.', 'last').to_wire())
        peer.wait_for(lambda: len(fake.got) > LIMIT, 'the update')
    t.check('signetd ends with updates under way', d.stop() == 0, d.log()[-2000:])
    go.set()
    fake.close()


def silence(t, results):
    """The first says nothing, and the second answers; all say nothing."""
    quiet, last = Fake(silent), Fake(good)
    d = secondary(t, 'silence', peer.free_port(), {'fake.': ([quiet.port, last.port], 'any')})
    start = time.monotonic()
    r = raw(d, message('fake.', 'www').to_wire(), timeout=25)
    results.append(('a silent primary: the next after 10 s', r is not None and r[3] & 15 == dns.rcode.YXRRSET and
                    9 < time.monotonic() - start < 20, f'{r!r} after {time.monotonic() - start}'))


def long_times(t):
    """Half a minute for all of it: primaries that say nothing, or an octet at a time."""
    class Slow(Fake):
        def serve(self, c):
            wire = peer.read_wire(c)
            try:
                for octet in reply(wire, b'x' * 1000, additional=1) if wire and wire[2] >> 3 & 15 == 5 else b'':
                    c.sendall(bytes([octet]))
                    time.sleep(0.5)
            except OSError:
                pass
            c.close()
    quiet = [Fake(silent) for _ in range(5)]
    slow = Slow(None)
    d = secondary(t, 'long', peer.free_port(), {'fake.': ([q.port for q in quiet], 'any'), 'slow.': ([slow.port], 'any')})

    def ask(zone):
        start = time.monotonic()
        r = raw(d, message(zone, 'www').to_wire(), tcp=True, timeout=60)
        took = time.monotonic() - start
        t.check(f'{zone} SERVFAIL after 30 s', r is not None and r[3] & 15 == SERVFAIL and 28 < took < 35, f'{r!r} after {took}')
    threads = [threading.Thread(target=ask, args=(z,)) for z in ('fake.', 'slow.')]
    for x in threads:
        x.start()
    for x in threads:
        x.join()
    t.check('not all were asked', sum(len(q.got) for q in quiet) in (3, 4), str([len(q.got) for q in quiet]))
    d.stop()


# --- all of it ------------------------------------------------------------------------------------

def main():
    with peer.Test('forward') as t:
        certificates.Files(t)
        results = []
        waiting = threading.Thread(target=silence, args=(t, results))
        waiting.start()
        port = peer.free_port()
        key, record = sig0_test.keygen(t, 'pc.signetd.', 'ED25519')
        primaries = {'named.': named(t, peer.free_port(), port), 'knotd.': knotd(t, peer.free_port(), port)}
        primaries['signetd.'] = primaries['signed.'] = signetd(t, peer.free_port(), port, record)
        for p in primaries.values():
            peer.wait_for(p.is_up, 'answer from a primary')
        tls = peer.free_port()
        d = secondary(t, 'secondary', port, {z: ([p.port], '127.0.0.1') for z, p in primaries.items()},
                      more=f'  listen-tls: 127.0.0.1@{tls}\n  tls-certificate: a.pem\n  tls-key: a.key\n')
        d.tls_port = tls
        for z in primaries:
            peer.wait_for(lambda: d.ask(z, 'SOA', dnssec=False).answer, z)
        by_programs(t, d, 'named.', WHOLE)
        by_programs(t, d, 'knotd.', WHOLE)
        by_programs(t, d, 'signetd.', ALGORITHMS)
        by_programs(t, d, 'signed.', ['hmac-sha256'])
        over_tls(t, d, 'signed.')
        by_sig0(t, d, key)
        refusals(t, d, primaries['signetd.'])
        # A chain: this one's primary is the secondary.
        third = secondary(t, 'third', peer.free_port(), {'named.': ([port], '127.0.0.1')})
        peer.wait_for(lambda: third.ask('named.', 'SOA', dnssec=False).answer, 'named. at the third')
        r = send(third, message('named.', 'chain.named.', key='hmac-sha512'))
        t.check('a chain of secondaries', r.rcode() == 0 and r.had_tsig, r.to_text())
        arrives(t, 'a chain of secondaries', d, 'chain.named.')
        primaries['named.'].stop()
        r = send(d, message('named.', 'away.named.'))
        t.check('the primary is away: SERVFAIL', r.rcode() == SERVFAIL, r.to_text())
        who_may(t, primaries['signetd.'], primaries['signetd.'].port)
        fake = Fake(good)
        octets(t, secondary(t, 'octets', peer.free_port(), {'fake.': ([fake.port], 'any')}), fake)
        pass_over(t)
        all_away(t)
        sizes(t)
        crowds(t)
        if os.environ.get('FORWARD_LONG'):
            long_times(t)
        waiting.join()
        for name, is_good, detail in results:
            t.check(name, is_good, detail)
        t.check('and that is all', len(results) == 1)


if __name__ == '__main__':
    main()
