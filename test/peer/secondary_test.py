#!/usr/bin/env python3
"""signetd as secondary of BIND, Knot, NSD and itself: zones come in record for record, plain and signed with each algorithm,
follow each change by its difference, and survive primaries that are away, wrong, or hostile, and the end of signetd itself."""
import datetime
import itertools
import json
import os
import random
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsigkeyring
import dns.update
import peer
import transfers
from transfers import SECRET, key_name, serial_of, transfer, zone_text

# Without the ones that are cut short: BIND and NSD do not have them by name.
ALGORITHMS = ['hmac-md5', 'hmac-sha1', 'hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512']
SIGNED = ['nsec.', 'hashed.']
REFRESH = 3600  # so that only NOTIFY makes it quick
QUICK = 10  # seconds in which NOTIFY has brought a change


def keys_of(zone):
    """plain.hmac-sha1.: with that key; the signed ones with one, all others with none."""
    first = zone.split('.')[0]
    return first if first in ALGORITHMS else 'hmac-sha256' if zone in SIGNED else None


PLAIN = [f'{a}.plain.' for a in ALGORITHMS] + ['no.plain.']


# --- signetd --------------------------------------------------------------------------------------

def secondary(t, name, zones, port=None, notify=None, more='', key=keys_of, server='', secret=SECRET):
    """Serves {zone: [ports of primaries]}; tells the port @notify."""
    port = port or peer.free_port()
    os.makedirs(t.path(f'{name}.db'), exist_ok=True)
    text = f'server:\n  listen: 127.0.0.1@{port}\n  database: {t.path(name)}.db\n  control: "{t.path(name)}.control"\n{server}keys:\n'
    for a in ALGORITHMS:
        text += f'  - {{ name: {key_name(a)}, algorithm: {a}, secret: "{secret}" }}\n'
    text += 'remotes:\n'
    used = {(p, key(z)) for z, primaries in zones.items() for p in primaries}
    if notify:
        used |= {(notify, key(z)) for z in zones}
    for p, a in sorted(used, key=str):
        text += f'  - {{ name: "{p}-{a}", addresses: 127.0.0.1, port: {p}' + (f', keys: {key_name(a)}' if a else '') + ' }\n'
    text += 'zones:\n'
    for z, primaries in zones.items():
        text += f'  - name: "{z}"\n    primaries: [ ' + ', '.join(f'"{p}-{key(z)}"' for p in primaries) + ' ]\n'
        text += f'    allow-transfer: any\n{more}'
        if notify:
            text += f'    notify: "{notify}-{key(z)}"\n'
    config = t.write(f'{name}.yaml', text)
    os.chmod(config, 0o600)
    d = peer.Daemon(t, [os.path.join(peer.BIN, 'signetd'), '-c', config], port, t.path(f'{name}.log'))
    d.config = config
    peer.wait_for(d.is_up, 'answer from signetd')
    return d


# --- primaries ------------------------------------------------------------------------------------

def named(t, port, to, zones):
    os.makedirs(t.path('named'), exist_ok=True)
    text = f'''options {{
  directory "{t.path('named')}"; pid-file none; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; notify explicit; notify-delay 0; dnssec-validation no; session-keyfile none; empty-zones-enable no; allow-transfer {{ any; }};
  serial-query-rate 1000; notify-rate 1000; startup-notify-rate 1000; }};
controls {{ }};
dnssec-policy "nsec" {{ keys {{ csk lifetime unlimited algorithm 13; }}; }};
dnssec-policy "hashed" {{ keys {{ csk lifetime unlimited algorithm 13; }}; nsec3param iterations 0 optout no salt-length 0; }};
'''
    for a in ALGORITHMS:
        text += f'key "{key_name(a)}" {{ algorithm {a}; secret "{SECRET}"; }};\n'
    for z in zones:
        path = t.write(f'named/{z}zone', zone_text(z, refresh=REFRESH))
        a = keys_of(z)
        key = f'key "{key_name(a)}"' if a else ''
        text += f'''zone "{z}" {{ type primary; file "{path}"; check-names ignore; check-integrity no; allow-update {{ any; }};
  also-notify {{ 127.0.0.1 port {to} {key}; }}; {f'allow-transfer {{ {key}; }};' if a else ''} {f'dnssec-policy "{z[:-1]}"; inline-signing no;' if z in SIGNED else ''} }};
'''
    return peer.Daemon(t, ['named', '-g', '-n', '1', '-c', t.write('named.conf', text)], port, t.path('named.log'))


def knotd(t, port, to, zones):
    os.makedirs(t.path('knot'), exist_ok=True)
    text = f'''server:
    rundir: {t.path('knot')}
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: {t.path('knot')}
key:
'''
    for a in ALGORITHMS:
        text += f'  - id: {key_name(a)}\n    algorithm: {a}\n    secret: {SECRET}\n'
    text += 'remote:\n'
    for a in ALGORITHMS + [None]:
        text += f'  - id: to-{a}\n    address: 127.0.0.1@{to}\n' + (f'    key: {key_name(a)}\n' if a else '')
    text += 'acl:\n  - id: change\n    action: [ update, transfer, notify ]\n'
    for a in ALGORITHMS:
        text += f'  - id: give-{a}\n    action: transfer\n    key: {key_name(a)}\n'
    text += f'''policy:
  - id: nsec
    single-type-signing: on
  - id: hashed
    single-type-signing: on
    nsec3: on
    nsec3-iterations: 0
    nsec3-salt-length: 0
template:
  - id: default
    storage: {t.path('knot')}
    semantic-checks: off
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: changes
zone:
'''
    for z in zones:
        path = t.write(f'knot/{z}zone', zone_text(z, refresh=REFRESH))
        a = keys_of(z)
        text += f'  - domain: "{z}"\n    file: {path}\n    notify: to-{a}\n    acl: [ change{f", give-{a}" if a else ""} ]\n'
        if z in SIGNED:
            text += f'    dnssec-signing: on\n    dnssec-policy: {z[:-1]}\n'
    return peer.Daemon(t, ['knotd', '-c', t.write('knot.conf', text)], port, t.path('knot.log'))


def nsd_zone(t, z, serial):
    """The file of a zone, signed where it has to be. NSD 4.6 adds all RRsets of the apex once more in each difference, but for
    SOA and NS: those of a zone that has others do not fit, and it comes by AXFR."""
    text = zone_text(z, names=40 + serial % 7, serial=serial, refresh=REFRESH)
    if z in PLAIN:
        text = text.replace('@ MX', 'a.mail MX').replace('@ TXT', 'a.text TXT')
    path = t.path('nsd', f'{z}zone')
    plain = t.write(f'nsd/{z}plain', text + f'changed TXT "in {serial}"\n')
    if z in SIGNED:
        if not hasattr(t, 'nsd_keys'):
            t.nsd_keys = {}
        if z not in t.nsd_keys:
            t.nsd_keys[z] = peer.generate_keys(t, z)[0]
        peer.sign(t, z, plain, t.nsd_keys[z], *(['-3', '-'] if z == 'hashed.' else []), output=path + '.new')
    else:
        os.replace(plain, path + '.new')
    os.replace(path + '.new', path)
    return path


def nsd(t, port, to, zones):
    os.makedirs(t.path('nsd'), exist_ok=True)
    text = f'''server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{t.path('nsd')}"
  database: ""
  pidfile: "{t.path('nsd', 'pid')}"
  xfrdfile: "{t.path('nsd', 'xfrd')}"
  xfrdir: "{t.path('nsd')}"
  zonelistfile: "{t.path('nsd', 'list')}"
  server-count: 1
  rrl-ratelimit: 0
  verbosity: 2
remote-control:
  control-enable: no
'''
    for a in ALGORITHMS:
        text += f'key:\n  name: "{key_name(a)}"\n  algorithm: {a}\n  secret: "{SECRET}"\n'
    for z in zones:
        a = keys_of(z)
        key = key_name(a) if a else 'NOKEY'
        text += f'''zone:
  name: "{z}"
  zonefile: "{nsd_zone(t, z, 1)}"
  notify: 127.0.0.1@{to} {key}
  provide-xfr: 127.0.0.1 {key}
  store-ixfr: yes
  create-ixfr: yes
'''
        if a:
            text += '  provide-xfr: 127.0.0.1 NOKEY\n'
    return peer.Daemon(t, ['nsd', '-d', '-c', t.write('nsd.conf', text)], port, t.path('nsd.log'))


def signetd(t, port, to, zones):
    text = f'server:\n  listen: 127.0.0.1@{port}\n  database: {t.path("primary.db")}\n  control: "{t.path("primary")}.control"\nkeys:\n'
    os.makedirs(t.path('primary.db'), exist_ok=True)
    for a in ALGORITHMS:
        text += f'  - {{ name: {key_name(a)}, algorithm: {a}, secret: "{SECRET}" }}\n'
    text += 'remotes:\n'
    for a in ALGORITHMS + [None]:
        text += f'  - {{ name: "to-{a}", addresses: 127.0.0.1, port: {to}' + (f', keys: {key_name(a)}' if a else '') + ' }\n'
    text += 'policies:\n  - { name: hashed, denial: nsec3 }\nzones:\n'
    for z in zones:
        path = t.write(f'primary/{z}zone', zone_text(z, refresh=REFRESH))
        text += f'  - name: "{z}"\n    file: {path}\n    notify: "to-{keys_of(z)}"\n    allow-update: 127.0.0.1\n    allow-transfer: 127.0.0.1\n'
        if z in SIGNED:
            text += f'    dnssec: {"hashed" if z == "hashed." else "default"}\n'
    config = t.write('primary.yaml', text)
    os.chmod(config, 0o600)
    d = peer.Daemon(t, [os.path.join(peer.BIN, 'signetd'), '-c', config], port, t.path('primary.log'))
    d.config = config
    return d


def update(server, zone, changes):
    u = dns.update.UpdateMessage(zone)
    for what, text in changes:
        getattr(u, what)(*text.split(None, 3 if what == 'add' else 2))
    r = dns.query.tcp(u, '127.0.0.1', port=server.port, timeout=30)
    if r.rcode() != 0:
        raise RuntimeError(f'update of {zone}: {dns.rcode.to_text(r.rcode())}')


def batch(r):
    out = []
    for _ in range(r.randrange(1, 9)):
        n = r.randrange(80)
        out.append(r.choice([('delete', f'host{n} A'), ('delete', f'host{n}'), ('add', f'host{n} {r.choice([60, 300])} A 192.0.2.{r.randrange(250)}'),
                             ('add', f'new{n}.deep.er 60 TXT "{"t" * r.randrange(200)}"'), ('add', f'cut{n} 60 NS ns.cut{n}'),
                             ('delete', f'cut{n}')]))
    return out


# --- what is compared -----------------------------------------------------------------------------

def serial(server, zone):
    try:
        return serial_of(server, zone)
    except Exception:
        return None


def has_serial(server, zone, want):
    return want is not None and serial(server, zone) == want


def follows(t, what, primary, ours, zones, within=QUICK):
    """Every zone is there, record for record; of the serial that the primary has when it is at rest."""
    for z in zones:
        try:
            peer.wait_for(lambda: has_serial(ours, z, serial(primary, z)), f'{z} {serial(primary, z)} at {what}', within)
        except RuntimeError as e:
            t.check(f'{what}: {z} follows', False, f'{e}, has {serial(ours, z)}: {ours.log()[-1500:]}')
            continue
        key = keys_of(z) if primary.process.args[0] == 'named' else None
        # A primary that signs by itself may have gone on meanwhile.
        theirs = mine = None
        for _ in range(50):
            theirs, mine = transfer(primary, z, key=key).zone(), transfer(ours, z).zone()
            if theirs == mine:
                break
            time.sleep(0.1)
        t.check(f'{what}: {z} record for record', theirs == mine and len(mine) > 50, f'{len(theirs)} {len(mine)} {list(theirs ^ mine)[:3]}')


def validates(t, what, ours):
    for z in SIGNED:
        path = t.path(f'{z}got')
        ours.transfer(z, path)
        code, output = peer.ours('signet-verifyzone', '-o', z, path)
        t.check(f'{what}: {z} validates', code == 0, output[-500:])


def with_primary(t, name, start):
    r = random.Random(name)
    port, to = peer.free_port(), peer.free_port()
    zones = PLAIN + SIGNED
    primary = start(t, port, to, zones)
    peer.wait_for(primary.is_up, f'answer from {name}')
    ours = secondary(t, f'of-{name}', {z: [port] for z in zones}, port=to)
    follows(t, f'{name}, at first', primary, ours, zones, 30)
    for round_ in range(3):
        if name == 'nsd':
            for z in zones:
                nsd_zone(t, z, 2 + round_)
            primary.process.send_signal(1)
            for z in zones:
                peer.wait_for(lambda: serial(primary, z) == 2 + round_, f'{z} {2 + round_} at nsd')
        else:
            for z in zones:
                for _ in range(1 + round_ * 3):
                    update(primary, z, batch(r))
        follows(t, f'{name}, round {round_},', primary, ours, zones)
    validates(t, name, ours)
    kinds = {k: ours.log().count(f'kind={k}') for k in ('AXFR', 'IXFR')}
    by_ixfr = PLAIN if name == 'nsd' else zones
    t.check(f'{name}: by differences', kinds['IXFR'] >= len(by_ixfr), str(kinds))
    if name != 'nsd':
        t.check(f'{name}: no difference was turned down', 'transfer-fallback' not in ours.log(), ours.log()[-1500:])
    return primary, ours


# --- a primary that does as it is told ------------------------------------------------------------

ZONE = 'z.'


def soa(n, expire=86400):
    return dns.rrset.from_text(ZONE, 300, 'IN', 'SOA', f'ns.z. h.z. {n} 3600 2 {expire} 60')


def rr(name, rdtype, text, ttl=60):
    return dns.rrset.from_text(name, ttl, 'IN', rdtype, text)


def content(n, names=3, expire=86400):
    return [soa(n, expire), rr('z.', 'NS', 'ns.z.'), rr('serial.z.', 'TXT', str(n))] + \
        [rr(f'host{i}.z.', 'A', f'192.0.2.{i % 256}') for i in range(names)]


KEYRING = dns.tsigkeyring.from_text({key_name('hmac-sha256'): ('hmac-sha256', SECRET)})


class Fake:
    """Answers each query over TCP with what answer(fake, query) yields: octets, messages or lists of records. Ends the
    connection behind it; where it yields None, keeps it open and says no more."""

    def __init__(self, answer=None):
        self.answer = answer or whole(1)
        self.asked = []  # types
        self.port = peer.free_port()
        self.socket = socket.create_server(('127.0.0.1', self.port))
        self.held = []
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
            q = dns.message.from_wire(wire, keyring=KEYRING)
            self.asked.append(dns.rdatatype.to_text(q.question[0].rdtype))
            for m in self.answer(self, q):
                if m is None:
                    self.held.append(c)
                    return
                c.sendall(m if isinstance(m, bytes) else peer.frame(self.message(q, m)))
            c.shutdown(socket.SHUT_WR)
            c.recv(1)
            c.close()
        except OSError:
            c.close()

    def message(self, q, m):
        if isinstance(m, dns.message.Message):
            return m
        r = dns.message.Message(q.id)  # never signed
        r.flags = dns.flags.QR | dns.flags.AA
        r.question = q.question
        r.answer = list(m)
        return r.to_wire(max_size=65535)

    def close(self):
        self.socket.close()


def whole(n, **more):
    def answer(fake, q):
        yield content(n, **more) + [soa(n, more.get('expire', 86400))]
    return answer


def rcode(code, only='IXFR', then=None):
    def answer(fake, q):
        if only and dns.rdatatype.to_text(q.question[0].rdtype) != only:
            yield from then(fake, q)
            return
        r = dns.message.make_response(q)
        r.use_edns(False)
        r.set_rcode(code)
        yield r
    return answer


def ixfr(records, then):
    """Those to IXFR, all of it to AXFR."""
    def answer(fake, q):
        if q.question[0].rdtype == dns.rdatatype.IXFR:
            yield records
        else:
            yield from then(fake, q)
    return answer


def garbage(fake, q):
    yield os.urandom(3000)


def garbled(fake, q):
    yield peer.frame(struct.pack('!H', q.id) + b'\x84\0\0\1\0\5\0\0\0\0' + os.urandom(500))


def endless(fake, q):
    yield [soa(9), rr('z.', 'NS', 'ns.z.')]
    for i in range(1 << 30):
        yield [rr(f'{i}-{k}.z.', 'A', '192.0.2.1') for k in range(200)]


def foreign(fake, q):
    yield content(9) + [rr('www.elsewhere.', 'A', '192.0.2.66'), soa(9)]


def cut(fake, q):
    yield content(9)


def cut_inside(fake, q):
    yield peer.frame(fake.message(q, content(9) + [soa(9)]))[:-20]


def two_serials(fake, q):
    yield content(9) + [soa(10)]


def no_ns(fake, q):
    yield [soa(9), rr('www.z.', 'A', '192.0.2.1'), soa(9)]


def empty(fake, q):
    yield []


def closes(fake, q):
    yield b''


def silent(fake, q):
    yield None


HOSTILE = [garbage, garbled, endless, foreign, cut, cut_inside, two_serials, no_ns, empty, closes]


def notify(server, zone):
    q = dns.message.make_query(zone, 'SOA')
    q.flags = dns.flags.AA
    q.set_opcode(4)
    return dns.query.udp(q, '127.0.0.1', port=server.port, timeout=5).rcode()


def text_of(server):
    try:
        r = server.ask('serial.z.', 'TXT', dnssec=False)
        return r.answer[0][0].strings[0].decode() if r.answer else dns.rcode.to_text(r.rcode())
    except Exception as e:
        return str(e)


def reaches(t, what, server, n):
    try:
        peer.wait_for(lambda: text_of(server) == str(n), f'serial {n}', 25)
        t.check(what, True)
    except RuntimeError as e:
        t.check(what, False, f'{e}, has {text_of(server)}: {server.log()[-1500:]}')


def hostile(t):
    """Whatever the first one does, the old version stays, and the next one is asked."""
    first, second = Fake(whole(1)), Fake(whole(1))
    ours = secondary(t, 'hostile', {ZONE: [first.port, second.port]}, key=lambda z: None, server='  transfer-records: 20000\n')
    reaches(t, 'hostile: at first', ours, 1)
    n = 1
    for bad in HOSTILE + [silent]:
        first.answer = bad
        before = ours.log().count('transfer-failed')
        was = len(second.asked)
        # The second has nothing new: the first alone has to be turned down.
        notify(ours, ZONE)
        try:
            peer.wait_for(lambda: len(second.asked) > was, f'the second asked after {bad.__name__}', 25)
        except RuntimeError as e:
            t.check(f'{bad.__name__}: the next is asked', False, f'{e}: {ours.log()[-1000:]}')
        t.check(f'{bad.__name__}: the old one stays', text_of(ours) == str(n), text_of(ours))
        t.check(f'{bad.__name__}: the log says why', ours.log().count('transfer-failed') > before, ours.log()[-500:])
        n += 1
        second.answer = whole(n)
        notify(ours, ZONE)
        if bad is silent:
            first.answer = closes
        reaches(t, f'{bad.__name__}: the next one brings it', ours, n)
    first.close()
    second.close()
    ours.stop()


def cut_at(messages, part):
    """The primary dies when so much is sent."""
    def answer(fake, q):
        octets = b''.join(peer.frame(fake.message(q, m)) for m in messages)
        yield octets[:int(len(octets) * part)]
    return answer


def dies(t):
    """At 20 points of an AXFR and of an IXFR; the next one brings it, whole."""
    r = random.Random(20)
    n = 1
    first, second = Fake(whole(n)), Fake(whole(n))
    ours = secondary(t, 'dies', {ZONE: [first.port, second.port]}, key=lambda z: None)
    reaches(t, 'dies: at first', ours, n)
    for i in range(20):
        n += 1
        records = content(n) if i % 2 else [soa(n), soa(n - 1), rr('serial.z.', 'TXT', str(n - 1)), soa(n), rr('serial.z.', 'TXT', str(n))]
        first.answer = cut_at([[x] for x in records + [soa(n)]], r.random())
        second.answer = whole(n)
        notify(ours, ZONE)
        reaches(t, f'dies, {i}: the next one brings it', ours, n)
        got = {(x[0].to_text(), int(x[2]), x[3].to_text()) for x in transfer(ours, ZONE).records}
        want = {(x.name.to_text(), int(x.rdtype), rd.to_text()) for x in content(n) for rd in x}
        t.check(f'dies, {i}: it is whole', got == want, str(got ^ want))
    first.close()
    second.close()
    ours.stop()


def unsigned(t):
    """Who has a key is not believed without it."""
    fake = Fake(whole(1))
    ours = secondary(t, 'unsigned', {ZONE: [fake.port]}, key=lambda z: 'hmac-sha256')
    peer.wait_for(lambda: 'transfer-failed' in ours.log(), 'reason')
    t.check('unsigned: the log says it', 'TSIG' in ours.log().split('transfer-failed')[1], ours.log()[-500:])
    t.check('unsigned: nothing is served', serial(ours, ZONE) is None)
    t.check('unsigned: its NOTIFY is refused', notify(ours, ZONE) == dns.rcode.REFUSED)
    fake.close()
    ours.stop()


def forced(t):
    """signetctl retransfer takes an older serial at once, also while a primary is asked that says nothing."""
    fake = Fake(whole(9))
    ours = secondary(t, 'forced', {ZONE: [fake.port]}, key=lambda z: None)
    reaches(t, 'forced: at first', ours, 9)
    fake.answer = silent
    notify(ours, ZONE)
    peer.wait_for(lambda: fake.asked[-1] == 'IXFR', 'question')
    fake.answer = whole(5)
    code, output = ours.ctl('retransfer', ZONE)
    t.check('retransfer while a primary is asked', code == 0, output)
    reaches(t, 'retransfer takes the older one', ours, 5)
    t.check('retransfer waits for nobody', 'transfer-f' not in ours.log(), ours.log()[-1500:])  # the silent one was not given up
    t.check('retransfer asks for all of it', fake.asked[-1] == 'AXFR', str(fake.asked))
    fake.close()
    ours.stop()


def fallbacks(t):
    """What is no answer to IXFR has AXFR asked for."""
    n = 1
    fake = Fake(whole(n))
    ours = secondary(t, 'fallbacks', {ZONE: [fake.port]}, key=lambda z: None)
    reaches(t, 'fallbacks: at first', ours, 1)
    for code in (dns.rcode.NOTIMP, dns.rcode.FORMERR, dns.rcode.SERVFAIL, dns.rcode.REFUSED):
        n += 1
        del fake.asked[:]
        fake.answer = rcode(code, then=whole(n))
        notify(ours, ZONE)
        reaches(t, f'IXFR {dns.rcode.to_text(code)}: by AXFR', ours, n)
        t.check(f'IXFR {dns.rcode.to_text(code)}: the log says it', ours.log().count('transfer-fallback') == n - 1, ours.log()[-500:])
        t.check(f'IXFR {dns.rcode.to_text(code)}: asked', fake.asked[0] == 'IXFR' and fake.asked[-1] == 'AXFR', str(fake.asked))
    wrong = {'removes what is not there': lambda old, new: [soa(new), soa(old), rr('no.z.', 'A', '192.0.2.1'), soa(new), soa(new)],
             'begins elsewhere': lambda old, new: [soa(new), soa(old + 100), soa(new), soa(new)],
             'adds what is there': lambda old, new: [soa(new), soa(old), soa(new), rr('host1.z.', 'A', '192.0.2.1'), soa(new)]}
    for what, records in wrong.items():
        n += 1
        fake.answer = ixfr(records(n - 1, n), whole(n))
        notify(ours, ZONE)
        reaches(t, f'IXFR that {what}: by AXFR', ours, n)
    # The same content once more is no new version.
    versions = ours.log().count('zone-transferred')
    del fake.asked[:]
    for answer in (whole(n), ixfr([soa(n)], whole(n))):
        fake.answer = answer
        was = len(fake.asked)
        notify(ours, ZONE)
        peer.wait_for(lambda: len(fake.asked) > was, 'question')
    # An older one is not taken, and the log says so.
    fake.answer = whole(n - 1)
    notify(ours, ZONE)
    peer.wait_for(lambda: 'older than' in ours.log(), 'word of the older serial')
    t.check('the same content makes no version', ours.log().count('zone-transferred') == versions and text_of(ours) == str(n))
    fake.close()
    ours.stop()


def held(t):
    """A primary that has lost most of the zone: what the zone itself says of max-removed counts, and nothing else."""
    fake = Fake(whole(1, names=300))
    follower = secondary(t, 'follower', {ZONE: [fake.port]}, key=lambda z: None, server='  max-removed: 1\n')
    ours = secondary(t, 'held', {ZONE: [fake.port]}, key=lambda z: None, more='    max-removed: 50%\n')

    def is_held(what, old, numbers):
        count = ours.log().count(f'zone-held zone=z. {numbers} limit=50%')
        notify(ours, ZONE)
        try:
            peer.wait_for(lambda: ours.log().count(f'zone-held zone=z. {numbers} limit=50%') > count, 'word in the log')
            peer.wait_for(lambda: status(ours)['transfer'] == 'waits', 'end of the round')
        except RuntimeError as e:
            t.check(what, False, f'{e}: {ours.log()[-1500:]}')
        told = status(ours)
        t.check(what, text_of(ours) == str(old) and told['state'] == 'held' and told['primary-serial'] == old, told)
        t.check(f'{what}: status says why', 'signetctl approve' in told['transfer-failed'], told)

    def approve(code=0, text='primaries are asked'):
        got, output = ours.ctl('approve', ZONE)
        t.check('approve', got == code and text in output, output)

    for server in (ours, follower):
        reaches(t, 'held: at first', server, 1)
    approve(1, 'nothing waits for approval')
    fake.answer = whole(2)
    is_held('almost all is lost', 1, 'removed=298 records=302')
    notify(follower, ZONE)
    reaches(t, 'others take it', follower, 2)
    ours.ctl('reconfig')
    t.check('a reload changes nothing of that', status(ours)['state'] == 'held')
    t.check('it is counted', 'zones-held: 1' in ours.ctl('status')[1])
    approve()
    reaches(t, 'approved', ours, 2)
    t.check('nothing is held any more', status(ours)['state'] == 'ok' and 'transfer-failed' not in status(ours), status(ours))
    fake.answer = whole(3, names=300)
    notify(ours, ZONE)
    reaches(t, 'more is no matter', ours, 3)
    gone = [rr(f'host{i}.z.', 'A', f'192.0.2.{i % 256}') for i in range(200)]
    fake.answer = ixfr([soa(4), soa(3), *gone, soa(4), soa(4)], whole(9))
    is_held('a difference', 3, 'removed=200 records=302')
    fake.answer = whole(5)
    approve()
    peer.wait_for(lambda: 'out 298' in status(ours)['transfer-failed'], 'other reason')
    t.check('more than was approved waits', text_of(ours) == '3' and status(ours)['state'] == 'held', status(ours))
    ours.stop()
    ours = transfers.again(t, ours)
    is_held('after a restart', 3, 'removed=298 records=302')
    fake.answer = whole(6, names=290)
    notify(ours, ZONE)
    reaches(t, 'mended at the primary', ours, 6)
    t.check('and so is the state', status(ours)['state'] == 'ok', status(ours))
    fake.answer = whole(7)
    is_held('once more', 6, 'removed=288 records=292')
    ours.ctl('retransfer', ZONE)
    reaches(t, 'retransfer', ours, 7)
    for server in (ours, follower):
        server.stop()
    fake.close()


def roles(t):
    """A zone of a file becomes one of a primary, and back: what it was before is served no more than until the next is there."""
    fake = Fake(whole(1))
    text = '$TTL 60\n@ SOA ns h 1 3600 2 86400 60\n@ NS ns\nserial TXT file\nold A 192.0.2.9\n'
    for dnssec in ('no', 'default'):
        port, name = peer.free_port(), f'roles-{dnssec}'
        path = t.write(f'{name}.zone', text)
        os.makedirs(t.path(f'{name}.db'))
        head = f'server:\n  listen: 127.0.0.1@{port}\n  database: {t.path(name)}.db\n  control: "{t.path(name)}.control"\nremotes: [ {{ name: from, ' \
            f'addresses: 127.0.0.1, port: {fake.port} }} ]\nzones:\n  - {{ name: z., allow-transfer: any, dnssec: {dnssec}, '
        of_file, of_primary = f'{head} file: {path}, allow-update: 127.0.0.1 }}\n', f'{head} primaries: from }}\n'
        config = t.write(f'{name}.yaml', of_file)
        ours = peer.Daemon(t, [os.path.join(peer.BIN, 'signetd'), '-c', config], port, t.path(f'{name}.log'))
        ours.config = config
        peer.wait_for(ours.is_up, 'answer from signetd')

        def is_of(what, n, names):
            reaches(t, f'{name}: {what}', ours, n)
            got = {r[0].to_text() for r in transfer(ours, ZONE).records if r[2] in (dns.rdatatype.A, dns.rdatatype.TXT)}
            t.check(f'{name}: {what}: and nothing else', got == set(names), got)

        theirs = ['serial.z.', 'host0.z.', 'host1.z.', 'host2.z.']
        is_of('the file', 'file', ['serial.z.', 'old.z.'])
        update(ours, 'z.', [('add', 'dyn 60 TXT dyn')])  # its serial is past that of the primary
        for restarts in (False, True):
            def become(config):
                nonlocal ours
                t.write(f'{name}.yaml', config)
                if restarts:
                    ours.stop()
                    ours = transfers.again(t, ours)
                else:
                    t.check(f'{name}: reconfig', ours.ctl('reconfig')[0] == 0)
            become(of_primary)
            is_of('the primary', 1, theirs)
            was = serial(ours, ZONE)
            become(of_file)
            is_of('the file again', 'file', ['serial.z.', 'old.z.'])
            t.check(f'{name}: the serial goes on', serial(ours, ZONE) > was)
        fake.answer = whole(9, expire=4)
        restarts = False
        become(of_primary)
        reaches(t, f'{name}: expires soon', ours, 9)
        fake.answer = closes
        peer.wait_for(lambda: answered(ours) == 'SERVFAIL', 'SERVFAIL after expiry')
        fake.answer = whole(1)
        become(of_file)
        is_of('the file, after it has expired', 'file', ['serial.z.', 'old.z.'])
        if dnssec == 'default':
            code, output = peer.ours('signet-verifyzone', '-o', ZONE, ours_file(t, ours))
            t.check(f'{name}: validates', code == 0, output)
        ours.stop()
    fake.close()


def ours_file(t, server):
    server.transfer(ZONE, t.path('got'))
    return t.path('got')


def answered(server):
    try:
        return dns.rcode.to_text(server.ask(ZONE, 'SOA', dnssec=False).rcode())
    except Exception as e:
        return str(e)


def expiry(t):
    """A few seconds without a primary, and SERVFAIL; it comes back by itself, and a restart needs no primary. The expire time is short
    only where the zone is to expire, so that nothing here has to be done within it."""
    fake = Fake(whole(1))
    ours = secondary(t, 'expiry', {ZONE: [fake.port]}, key=lambda z: None)
    reaches(t, 'expiry: at first', ours, 1)
    fake.answer = closes
    ours.stop()
    again = transfers.again(t, ours)
    t.check('a restart serves at once, without a primary', text_of(again) == '1', text_of(again))
    fake.answer = whole(2, expire=4)
    notify(again, ZONE)
    reaches(t, 'with a short time', again, 2)
    fake.answer = closes
    peer.wait_for(lambda: answered(again) == 'SERVFAIL', 'SERVFAIL after expiry')
    t.check('the log says that it expired', 'zone-expired' in again.log())
    fake.answer = ixfr([soa(2, 4)], whole(2, expire=4))
    reaches(t, 'back with the same serial', again, 2)
    # A primary that dribbles holds nothing up.
    fake.answer = dribble
    notify(again, ZONE)
    peer.wait_for(lambda: answered(again) == 'SERVFAIL', 'SERVFAIL while a primary dribbles')
    t.check('no transfer had ended', again.log().count('zone-transferred') == 2, again.log()[-1500:])
    fake.answer = closes
    again.stop()
    again = transfers.again(t, again)
    t.check('a restart of what expired does not serve it', answered(again) == 'SERVFAIL', answered(again))
    fake.answer = whole(3)
    reaches(t, 'back with another serial', again, 3)
    fake.close()
    again.stop()


def short_expiry(t):
    """An expire time that is shorter than refresh does not make a zone flap, and one of nothing does not make us a flood."""
    fakes = {expire: Fake(whole(1, expire=expire)) for expire in (600, 6, 0)}
    began = time.monotonic()
    servers = {expire: secondary(t, f'short-{expire}', {ZONE: [fake.port]}, key=lambda z: None) for expire, fake in fakes.items()}
    reaches(t, 'short expiry: at first', servers[600], 1)
    peer.wait_for(lambda: status(servers[600])['transfer'] == 'waits', 'end of the transfer')
    told = status(servers[600])
    left = (instant(told['expires']) - instant(told['next-refresh'])).total_seconds()
    t.check('is to be asked well before it expires', left > 200, told)  # 300 and more on an idle machine
    for expire in (6, 0):
        peer.wait_for(lambda: len(fakes[expire].asked) >= 4, f'third refresh, expire {expire}')
    asked = len(fakes[0].asked)
    t.check('expire 0 is no flood', asked <= time.monotonic() - began + 2, f'{asked} questions')
    for expire in fakes:
        fakes[expire].close()
        servers[expire].stop()


def status(server):
    return json.loads(server.ctl('--json', 'status', ZONE)[1])['data']


def instant(text):
    return datetime.datetime.strptime(text, '%Y-%m-%dT%H:%M:%SZ')


def dribble(fake, q):
    yield [soa(9), rr('z.', 'NS', 'ns.z.')]
    for i in itertools.count():
        time.sleep(0.1)
        yield [rr(f'd{i}.z.', 'A', '192.0.2.1')]


def wrong_key(t, primary):
    """Another secret: nothing comes over, and the log says why."""
    zone = 'hmac-sha256.plain.'
    ours = secondary(t, 'wrong', {zone: [primary.port]}, secret='d3Jvbmcgc2VjcmV0LCAzMiBvY3RldHMgYXQgbGVuZ3RoISE=')
    peer.wait_for(lambda: 'transfer-failed' in ours.log(), 'reason')
    t.check('wrong key: the log says it', 'key' in ours.log().split('transfer-failed')[1], ours.log()[-500:])
    t.check('wrong key: nothing is served', serial(ours, zone) is None)
    ours.stop()


def kills(t, primary):
    """kill -9 at random points in a stream of transfers: what was published is there, and the rest follows."""
    zone = 'no.plain.'
    r = random.Random(20)
    ours = secondary(t, 'killed', {zone: [primary.port]}, more='    allow-notify: any\n')
    follows(t, 'killed, at first', primary, ours, [zone], 20)
    is_on = [True]

    def stream():
        random_ = random.Random(9)
        while is_on[0]:
            update(primary, zone, batch(random_))
            try:
                notify(ours, zone)
            except Exception:
                pass  # it is away just now

    thread = threading.Thread(target=stream, daemon=True)
    thread.start()
    bad = []
    for i in range(20):
        time.sleep(r.random() * 0.15)
        before = serial(ours, zone)
        ours.stop(9)
        ours = transfers.again(t, ours)
        now = serial(ours, zone)
        if now is None or (before is not None and now < before):
            bad.append((before, now))
    is_on[0] = False
    thread.join()
    t.check('killed: what was published is there', not bad, str(bad))
    notify(ours, zone)
    follows(t, 'killed 20 times', primary, ours, [zone], 20)
    ours.stop()


def chain(t):
    """Primary, signetd, knotd, signetd: one tells the next."""
    zone = 'chain.'
    ports = [peer.free_port() for _ in range(4)]
    primary = signetd(t, ports[0], ports[1], [zone])
    peer.wait_for(primary.is_up, 'answer from signetd')
    first = secondary(t, 'first', {zone: [ports[0]]}, port=ports[1], notify=ports[2])
    os.makedirs(t.path('middle'), exist_ok=True)
    middle = peer.Daemon(t, ['knotd', '-c', t.write('middle.conf', f'''server:
    rundir: {t.path('middle')}
    listen: 127.0.0.1@{ports[2]}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: {t.path('middle')}
remote:
  - id: above
    address: 127.0.0.1@{ports[1]}
  - id: below
    address: 127.0.0.1@{ports[3]}
acl:
  - id: all
    action: [ transfer, notify ]
zone:
  - domain: "{zone}"
    storage: {t.path('middle')}
    semantic-checks: off
    master: above
    notify: below
    acl: all
''')], ports[2], t.path('middle.log'))
    peer.wait_for(middle.is_up, 'answer from knotd')
    last = secondary(t, 'last', {zone: [ports[2]]}, port=ports[3])
    follows(t, 'the end of the chain, at first', primary, last, [zone], 30)
    r = random.Random(3)
    for i in range(5):
        update(primary, zone, batch(r) + [('add', f'round{i} 60 TXT {i}')])
        follows(t, f'the end of the chain, round {i}', primary, last, [zone], 20)
    for d in (last, middle, first, primary):
        d.stop()


def main():
    with peer.Test('secondary') as t:
        parts = sys.argv[1:]
        def wanted(part):
            return not parts or part in parts
        for name, start in (('named', named), ('knotd', knotd), ('nsd', nsd), ('signetd', signetd)):
            if wanted(name):
                primary, ours = with_primary(t, name, start)
                if name == 'named':
                    wrong_key(t, primary)
                    kills(t, primary)
                ours.stop()
                primary.stop()
        for part in (hostile, dies, unsigned, forced, fallbacks, held, roles, expiry, short_expiry, chain):
            if wanted(part.__name__):
                part(t)


if __name__ == '__main__':
    main()
