#!/usr/bin/env python3
"""Catalog zones (RFC 9432): signetd as consumer of catalogs that signetd, BIND and Knot serve, and as producer for each of them;
members that come, go, move and begin anew; catalogs that are broken; ends and kills in between."""
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.dnssec
import dns.message
import dns.query
import dns.rcode
import dns.update
import peer
from transfers import differences, serial_of, transfer

CATALOG = 'cat.example.'
OTHER = 'other.example.'
KILLS = int(os.environ.get('CRASHES', '3'))


def zone_text(zone):
    return f'$ORIGIN {zone}\n$TTL 60\n@ SOA ns.elsewhere. h 1 3600 600 604800 60\n@ NS ns.elsewhere.\nwww A 192.0.2.1\n'


def catalog_text(zone, members=(), version='2'):
    text = f'$ORIGIN {zone}\n$TTL 0\n@ SOA invalid. invalid. 1 3600 600 604800 0\n@ NS invalid.\n'
    return text + (f'version TXT "{version}"\n' if version else '') + ''.join(f'{label}.zones PTR {m}\n' for label, m in members)


def daemon(t, name, text, port, wait=True):
    os.makedirs(t.path(f'{name}.db'), exist_ok=True)
    head = f'server:\n  listen: 127.0.0.1@{port}\n  database: {t.path(name)}.db\n  control: "{t.path(name)}.control"\n'
    config = t.write(f'{name}.yaml', head + text)
    d = peer.Daemon(t, [os.path.join(peer.BIN, 'signetd'), '-c', config], port, t.path(f'{name}.log'))
    d.config, d.name, d.text = config, name, text
    if wait:
        peer.wait_for(d.is_up, 'answer from signetd')
    return d


def again(t, d, sig=signal.SIGTERM, text=None):
    """Ends a signetd, and starts it anew."""
    status = d.stop(sig)
    if sig == signal.SIGTERM:
        t.check('ends well', status == 0, d.log()[-2000:])
    return daemon(t, d.name, text or d.text, d.port)


def primary(t, name, zones, to, more=''):
    """Serves catalogs and members, and takes updates of all from here; tells the port @to."""
    text = f'remotes: [ {{ name: to, addresses: 127.0.0.1, port: {to} }} ]\nzones:\n'
    for z, content in zones.items():
        path = t.write(f'{name}.{z}zone', content)
        text += f'  - {{ name: {z}, file: {path}, allow-transfer: any, allow-update: 127.0.0.1, notify: to }}\n'
    return daemon(t, name, text + more, peer.free_port())


def consumer_text(port, catalogs, more='', zones='', templates=''):
    text = f'''remotes: [ {{ name: from, addresses: 127.0.0.1, port: {port} }} ]
templates:
  - {{ name: plain, primaries: from }}
  - {{ name: open, primaries: from, allow-transfer: any }}
{templates}zones:
{zones}'''
    for c in catalogs:
        text += f'  - {{ name: {c}, primaries: from, allow-transfer: any, catalog-role: consumer, catalog-template: plain,\n'
        text += f'      catalog-groups: {{ public: open, "two words": open }}{more} }}\n'
    return text


def change(server, zone, *changes):
    """('add', 'a.zones PTR a.') or ('delete', 'a.zones PTR')."""
    u = dns.update.UpdateMessage(zone)
    for what, text in changes:
        name, rest = text.split(None, 1)
        rdtype, rdata = (rest + ' ').split(' ', 1)
        if what == 'add':
            u.add(name, 0, rdtype, rdata.strip())
        elif rdata.strip():
            u.delete(name, rdtype, rdata.strip())
        else:
            u.delete(name, rdtype)
    r = dns.query.tcp(u, '127.0.0.1', port=server.port, timeout=30)
    if r.rcode() != 0:
        raise RuntimeError(f'update of {zone}: {dns.rcode.to_text(r.rcode())}')


def serves(server, zone):
    try:
        return server.ask(f'www.{zone}', 'A').rcode() == dns.rcode.NOERROR
    except dns.exception.Timeout:
        return False


def comes(t, what, server, zone):
    try:
        peer.wait_for(lambda: serves(server, zone), zone)
        return t.check(what, True)
    except RuntimeError:
        return t.check(what, False, f'{zone}: {server.log()[-3000:]}')


def goes(t, what, server, zone):
    try:
        peer.wait_for(lambda: server.ask(f'www.{zone}', 'A').rcode() == dns.rcode.REFUSED, f'end of {zone}')
        return t.check(what, True)
    except RuntimeError:
        return t.check(what, False, f'{zone}: {server.log()[-3000:]}')


def logged(t, what, server, text, count=1):
    try:
        peer.wait_for(lambda: server.log().count(text) >= count, text)
    except RuntimeError:
        pass
    return t.check(what, server.log().count(text) == count, f'{text}: {server.log().count(text)} times\n{server.log()[-3000:]}')


def transfers_of(server, zone):
    return server.log().count(f'zone-transferred zone={zone} ')


def files_of(t, server, zone):
    return [f for f in os.listdir(t.path(f'{server.name}.db')) if f.startswith(zone)]


# --- one catalog ----------------------------------------------------------------------------------

def one(t):
    port = peer.free_port()
    zones = {z: zone_text(z) for z in ('a.', 'b.', 'c.', 'd.', 'e.', 'own.')}
    first = primary(t, 'p1', {CATALOG: catalog_text(CATALOG, [('x', 'a.'), ('y', 'b.')]), **zones}, port)
    own = t.write('own', zone_text('own.').replace('192.0.2.1', '192.0.2.99'))
    c = daemon(t, 'c1', consumer_text(first.port, [CATALOG], zones=f'  - {{ name: own., file: {own} }}\n'), port)
    for z in ('a.', 'b.'):
        comes(t, f'{z} is there at the start', c, z)
    status, said = c.ctl('status', 'a.')
    t.check('status says where it is from', status == 0 and 'catalog: cat.example.' in said and 'template: plain.' in said, said)
    t.check('so does the list', 'catalog' in c.ctl('zones')[1] and 'plain.' in c.ctl('zones')[1])
    t.check('members are counted', 'members: 2' in c.ctl('status', CATALOG)[1], c.ctl('status', CATALOG)[1])
    status, said = c.ctl('delzone', 'a.')
    t.check('delzone of a member', status != 0 and 'member of the catalog cat.example.' in said, said)

    change(first, CATALOG, ('add', 'z.zones PTR c.'))
    comes(t, 'a member is added', c, 'c.')
    t.check('the others are not transferred again', transfers_of(c, 'a.') == 1 and transfers_of(c, 'b.') == 1, c.log()[-2000:])
    change(first, 'c.', ('add', 'new.c. A 192.0.2.7'))
    peer.wait_for(lambda: c.ask('new.c.', 'A').answer, 'NOTIFY of a member')
    t.check('a member is notified', True)

    change(first, CATALOG, ('delete', 'y.zones PTR'))
    goes(t, 'a member is removed', c, 'b.')
    peer.wait_for(lambda: 'b. ' not in open(t.path('c1.db', 'members')).read(), 'end of b. in the file of members')
    t.check('nothing is kept of it', files_of(t, c, 'b.') == [])

    change(first, CATALOG, ('delete', 'z.zones PTR'), ('add', 'zz.zones PTR c.'))
    logged(t, 'another label: it begins anew', c, 'zone-transferred zone=c. ', 3)
    t.check('AXFR', c.log().count('zone=c. primary=from kind=AXFR') == 2, c.log()[-2000:])
    comes(t, 'and is served', c, 'c.')

    t.check('no transfer of a plain member', transfer(c, 'a.').rcode == dns.rcode.REFUSED)
    change(first, CATALOG, ('add', 'group.x.zones TXT "unknown"'), ('add', 'group.x.zones TXT "two words"'))
    try:
        peer.wait_for(lambda: transfer(c, 'a.').rcode == dns.rcode.NOERROR, 'transfer')
        t.check('another group is another template', transfers_of(c, 'a.') == 1, c.log()[-2000:])
    except RuntimeError:
        t.check('another group is another template', False, c.log()[-2000:])
    t.check('status says so', 'template: open.' in c.ctl('status', 'a.')[1], c.ctl('status', 'a.')[1])

    change(first, CATALOG, ('add', 'o.zones PTR own.'))
    logged(t, 'what the configuration has stays', c, 'member-clash zone=own. catalog=cat.example. stays="in the configuration"')
    t.check('as it is', str(c.ask('www.own.', 'A').answer[0][0]) == '192.0.2.99')
    text = zone_text('e.').replace('192.0.2.1', '192.0.2.99').replace('SOA ns.elsewhere. h 1 ', 'SOA ns.elsewhere. h 9 ')
    status, said = c.ctl('addzone', 'e.', t.write('e', text), 'allow-update=127.0.0.1')
    t.check('addzone', status == 0, said)
    change(first, CATALOG, ('add', 'e.zones PTR e.'))
    logged(t, 'what was added stays', c, 'member-clash zone=e. catalog=cat.example. stays="in the configuration"')
    status, said = c.ctl('delzone', '-clean', 'e.')
    t.check('delzone has the catalog take it', status == 1 and 'is served now as a member of a catalog' in said, said)
    logged(t, 'which is transferred, whatever the serial', c, 'zone-transferred zone=e. primary=from kind=AXFR serial=1')
    t.check('and served', str(c.ask('www.e.', 'A').answer[0][0]) == '192.0.2.1')
    change(first, CATALOG, ('delete', 'e.zones PTR'))
    goes(t, 'and goes', c, 'e.')
    broken(t, first, c)
    c = restarted(t, first, c)
    reconfigured(t, first, c)


def broken(t, first, c):
    rows = [('two names for a member', [('add', 'x.zones PTR d.')], [('delete', 'x.zones PTR d.')],
             'there is more than one PTR record at x.zones.cat.example.'),
            ('a member twice', [('add', 'w.zones PTR A.')], [('delete', 'w.zones PTR')], 'is listed twice'),
            ('two owners', [('add', 'coo.x.zones PTR q.'), ('add', 'coo.x.zones PTR r.')], [('delete', 'coo.x.zones PTR')],
             'there is more than one PTR record at coo.x.zones.cat.example.'),
            ('no version', [('delete', 'version TXT')], [('add', 'version TXT "2"')], 'there is no TXT record \\"version\\"'),
            ('another version', [('delete', 'version TXT'), ('add', 'version TXT "1"')], [('delete', 'version TXT'), ('add', 'version TXT "2"')],
             'the version is not \\"2\\"')]
    for i, (what, make, mend, why) in enumerate(rows):
        count = c.log().count(why)
        change(first, CATALOG, *make, ('add', 'd.zones PTR d.'), ('delete', 'zz.zones PTR'))
        logged(t, f'{what}: the log says so', c, why, count + 1)
        t.check(f'{what}: nothing changes', serves(c, 'a.') and serves(c, 'c.') and not serves(c, 'd.'), c.log()[-2000:])
        said = c.ctl('status', CATALOG)[1]
        t.check(f'{what}: status says so', why.replace('\\', '') in said, said)
        if i == 0:
            c.stop(signal.SIGKILL)
            fresh = daemon(t, c.name, c.text, c.port)
            comes(t, f'{what}: after a restart too', fresh, 'a.')
            comes(t, f'{what}: after a restart too', fresh, 'c.')
            t.check(f'{what}: nothing changes', not serves(fresh, 'd.'))
            c.process = fresh.process
        change(first, CATALOG, *mend)
        comes(t, f'{what}: mended', c, 'd.')
        goes(t, f'{what}: mended', c, 'c.')
        change(first, CATALOG, ('delete', 'd.zones PTR'), ('add', 'zz.zones PTR c.'))
        goes(t, f'{what}: and back', c, 'd.')
        comes(t, f'{what}: and back', c, 'c.')


def restarted(t, first, c):
    """Without a primary, what was there is there."""
    first.stop(signal.SIGKILL)
    new = again(t, c)
    for z in ('a.', 'c.'):
        t.check(f'{z} after a restart without its primary', serves(new, z), new.log()[-2000:])
    os.remove(t.path(f'{c.name}.db', 'members'))
    new = again(t, new)
    for z in ('a.', 'c.'):
        comes(t, f'{z} without the file of members', new, z)
    t.write(f'{c.name}.db/members', 'nonsense\n')
    new = again(t, new)
    logged(t, 'a file of members that is none', new, 'members-lost')
    comes(t, 'and still', new, 'a.')
    fresh = daemon(t, first.name, first.text, first.port)
    first.process = fresh.process
    return new


def reconfigured(t, first, c):
    """A catalog that the configuration has no more; a member that it has."""
    with open(c.config) as f:
        text = f.read()
    t.write(c.config, text.replace('zones:\n', f'zones:\n  - {{ name: a., primaries: from, allow-transfer: any }}\n', 1))
    before = transfers_of(c, 'a.')
    status, said = c.ctl('reconfig')
    t.check('reconfig', status == 0, said)
    t.check('a member that is configured is none', 'catalog' not in c.ctl('status', 'a.')[1] and serves(c, 'a.'), c.ctl('status', 'a.')[1])
    t.check('and is not transferred again', transfers_of(c, 'a.') == before)
    t.write(c.config, text)
    c.ctl('reconfig')
    t.check('and one again', 'catalog: cat' in c.ctl('status', 'a.')[1])
    comes(t, 'served', c, 'a.')
    t.write(c.config, text.replace(', catalog-role: consumer, catalog-template: plain', '').replace('catalog-groups: { public: open, "two words": open }', 'serial: date'))
    status, said = c.ctl('reconfig')
    t.check('a catalog that is none any more', status == 0, said)
    goes(t, 'its members go', c, 'a.')
    t.write(c.config, text)
    c.ctl('reconfig')
    comes(t, 'and come', c, 'a.')
    t.check('with nothing of before', transfers_of(c, 'a.') == before + 1, c.log()[-2000:])
    c.stop()
    first.stop()


# --- members that are signed here -----------------------------------------------------------------

def keys_of(t, server, zone, where='keys'):
    """The tags of its private keys."""
    return sorted(f[len(zone) + 6:-8] for f in os.listdir(t.path(f'{server.name}.db', where)) if f.startswith(f'K{zone}+') and f.endswith('.private'))


def signed(t):
    """Whose keys go with it, though not for good."""
    port = peer.free_port()
    first = primary(t, 'p8', {CATALOG: catalog_text(CATALOG, [('x', 'a.'), ('y', 'b.'), ('z', 'aa.')]),
                              **{z: zone_text(z) for z in ('a.', 'aa.', 'b.')}}, port)
    c = daemon(t, 'c8', consumer_text(first.port, [CATALOG]).replace('plain, primaries: from', 'plain, primaries: from, dnssec: default'), port)

    def is_signed_by(zone):
        try:
            return sorted('%05d' % dns.dnssec.key_id(k) for k in c.ask(zone, 'DNSKEY').answer[0])
        except (IndexError, dns.exception.Timeout):
            return None

    def comes_signed(what, zone):
        try:
            peer.wait_for(lambda: is_signed_by(zone) and is_signed_by(zone) == keys_of(t, c, zone), 'keys')
            t.check(what, True)
        except RuntimeError:
            t.check(what, False, f'{is_signed_by(zone)} {keys_of(t, c, zone)} {c.log()[-2000:]}')

    def removed():
        return sorted(d for d in os.listdir(t.path('c8.db', 'keys')) if d.startswith('removed-'))

    for z in ('a.', 'aa.', 'b.'):
        comes_signed(f'signed: {z}', z)
    before = {z: keys_of(t, c, z) for z in ('a.', 'aa.', 'b.')}
    change(first, CATALOG, ('delete', 'x.zones PTR'))
    goes(t, 'signed: a member is removed', c, 'a.')
    logged(t, 'signed: the log says what becomes of its keys', c, 'members-keys-removed files=4')
    t.check('signed: they are not used any more', keys_of(t, c, 'a.') == [] and len(removed()) == 1, removed())
    t.check('signed: and are not lost', keys_of(t, c, 'a.', f'keys/{removed()[0]}') == before['a.'])
    t.check('signed: for nobody else', os.stat(t.path('c8.db', 'keys', removed()[0])).st_mode & 0o777 == 0o700)
    change(first, CATALOG, ('delete', 'y.zones PTR'), ('add', 'yy.zones PTR b.'))
    logged(t, 'signed: another label', c, 'members-keys-removed', 2)
    comes_signed('signed: begins with other keys', 'b.')
    t.check('signed: which are others', not set(keys_of(t, c, 'b.')) & set(before['b.']), before)
    t.check('signed: the others stay', keys_of(t, c, 'aa.') == before['aa.'] and is_signed_by('aa.') == before['aa.'])
    # It was a mistake.
    change(first, CATALOG, ('add', 'x.zones PTR a.'))
    comes_signed('signed: a member is back', 'a.')
    for f in os.listdir(t.path('c8.db', 'keys')):
        if f.startswith('Ka.+'):
            os.remove(t.path('c8.db', 'keys', f))
    for f in os.listdir(t.path('c8.db', 'keys', removed()[0])):
        os.rename(t.path('c8.db', 'keys', removed()[0], f), t.path('c8.db', 'keys', f))
    status, said = c.ctl('sign', 'a.')
    t.check('signed: keys that are put back', status == 0 and set(before['a.']) <= set(is_signed_by('a.')), f'{said} {is_signed_by("a.")}')
    c.stop()
    first.stop()


# --- two catalogs ---------------------------------------------------------------------------------

def two(t):
    port = peer.free_port()
    zones = {z: zone_text(z) for z in ('a.', 'b.', 'c.', 'd.')}
    first = primary(t, 'p2', {CATALOG: catalog_text(CATALOG, [('x', 'a.'), ('y', 'b.'), ('z', 'c.')]),
                              OTHER: catalog_text(OTHER, [('q', 'd.')]), **zones}, port)
    c = daemon(t, 'c2', consumer_text(first.port, [CATALOG, OTHER]), port)
    for z in zones:
        comes(t, f'two: {z}', c, z)
    change(first, OTHER, ('add', 'x.zones PTR a.'), ('add', 'other.zones PTR b.'), ('add', 'z.zones PTR c.'))
    logged(t, 'two: a clash', c, 'member-clash zone=a. catalog=other.example. stays=of=cat.example.')
    t.check('two: the first stays', 'catalog: cat' in c.ctl('status', 'a.')[1])
    change(first, CATALOG, ('add', f'coo.x.zones PTR {OTHER}'), ('add', f'coo.y.zones PTR {OTHER}'), ('add', 'coo.z.zones PTR elsewhere.'))
    logged(t, 'two: coo', c, 'member-moved zone=a. catalog=other.example.')
    logged(t, 'two: coo', c, 'member-moved zone=b. catalog=other.example.')
    logged(t, 'two: coo with another label', c, 'zone-transferred zone=b. ', 2)
    t.check('two: coo with the same label', transfers_of(c, 'a.') == 1 and serves(c, 'a.'))
    t.check('two: the owner is another', 'catalog: other' in c.ctl('status', 'a.')[1])
    t.check('two: coo to nobody', 'catalog: cat' in c.ctl('status', 'c.')[1])
    change(first, CATALOG, ('delete', 'x.zones PTR'), ('delete', 'coo.x.zones PTR'), ('delete', 'y.zones PTR'))
    c = again(t, c)
    t.check('two: moved, for good', serves(c, 'a.') and serves(c, 'b.') and transfers_of(c, 'a.') == 1, c.log()[-2000:])
    # Who was first is known after a restart too: c. is in both.
    t.check('two: the first is the first after a restart', 'catalog: cat' in c.ctl('status', 'c.')[1], c.ctl('status', 'c.')[1])
    change(first, CATALOG, ('delete', 'z.zones PTR'))
    logged(t, 'two: the other one\'s turn', c, 'zone-transferred zone=c. ', 2)
    t.check('two: it is the other one\'s', 'catalog: other' in c.ctl('status', 'c.')[1], c.ctl('status', 'c.')[1])
    change(first, OTHER, ('add', f'coo.z.zones PTR {CATALOG}'))
    change(first, CATALOG, ('add', 'z.zones PTR c.'), ('add', f'coo.z.zones PTR {OTHER}'))
    peer.wait_for(lambda: c.log().count('catalog-taken zone=cat.example.') >= 2, 'the catalog')
    t.check('two: nobody gives to and fro', 'catalog: other' in c.ctl('status', 'c.')[1] and transfers_of(c, 'c.') == 2)
    c.stop()
    first.stop()


# --- many -----------------------------------------------------------------------------------------

def many(t):
    """Killed while members come and go, it comes to what the catalog says."""
    port = peer.free_port()
    zones = [f'm{i}.' for i in range(120)]
    first = primary(t, 'p3', {CATALOG: catalog_text(CATALOG), **{z: zone_text(z) for z in zones}}, port)
    text = consumer_text(first.port, [CATALOG])
    c = daemon(t, 'c3', text, port)
    listed = set()
    rng = random.Random(7)
    for i in range(KILLS):
        adds = rng.sample(sorted(set(zones) - listed), 30)
        drops = rng.sample(sorted(listed), len(listed) // 4)
        listed = (listed | set(adds)) - set(drops)
        change(first, CATALOG, *[('add', f'{z}zones PTR {z}') for z in adds], *[('delete', f'{z}zones PTR') for z in drops])
        peer.wait_for(lambda: serves(c, adds[rng.randrange(len(adds))]), 'one of them')
        c.stop(signal.SIGKILL)
        c = daemon(t, 'c3', text, port)
    try:
        peer.wait_for(lambda: all(serves(c, z) for z in listed), 'all members', 60)
        t.check('many: all members', True)
    except RuntimeError:
        t.check('many: all members', False, f'{[z for z in listed if not serves(c, z)]} {c.log()[-3000:]}')
    t.check('many: and no others', not [z for z in zones if z not in listed and serves(c, z)])
    kept = {f.rsplit('.', 2)[0] + '.' for f in os.listdir(t.path('c3.db')) if '.served.' in f}
    t.check('many: nothing is kept of others', kept <= listed | {CATALOG}, kept - listed)
    c.stop()
    first.stop()


# --- producers ------------------------------------------------------------------------------------

def producer_text(t, name, zones, to, more=''):
    text = f'''remotes:
{"".join(f"  - {{ name: to{p}, addresses: 127.0.0.1, port: {p} }}{chr(10)}" for p in to)}
templates:
  - name: member
    allow-transfer: any
    allow-update: 127.0.0.1
    notify: [ {', '.join(f'to{p}' for p in to)} ]
    catalog-zone: {CATALOG}
zones:
  - {{ name: {CATALOG}, catalog-role: producer, allow-transfer: any, notify: [ {', '.join(f'to{p}' for p in to)} ] }}
{more}'''
    for z in zones:
        text += f'  - {{ name: {z}, file: {t.write(f"{name}.{z}zone", zone_text(z))}, template: member }}\n'
    return text


def records(server, zone):
    x = transfer(server, zone)
    return {f'{n} {dns.rdatatype.to_text(rt)} {rd}' for n, _, rt, rd in x.records if rt not in (6,)}


def bind_consumer(t, port, primary_port):
    os.makedirs(t.path('named'), exist_ok=True)
    text = f'''options {{ directory "{t.path('named')}"; pid-file none; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; notify no; dnssec-validation no; session-keyfile none; empty-zones-enable no; allow-transfer {{ any; }};
  catalog-zones {{ zone "{CATALOG}" default-primaries {{ 127.0.0.1 port {primary_port}; }} in-memory yes min-update-interval 1s; }}; }};
controls {{ }};
zone "{CATALOG}" {{ type secondary; primaries {{ 127.0.0.1 port {primary_port}; }}; file "cat"; }};
'''
    return peer.Daemon(t, ['named', '-g', '-n', '1', '-c', t.write('named.conf', text)], port, t.path('named.log'))


def knot_text(t, name, port, more):
    os.makedirs(t.path(name), exist_ok=True)
    return f'''server:
    rundir: {t.path(name)}
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: {t.path(name)}
acl:
  - id: any
    address: 127.0.0.1
    action: [ transfer, notify, update ]
{more}'''


def knot_consumer(t, port, primary_port):
    text = knot_text(t, 'knot', port, f'''remote:
  - id: from
    address: 127.0.0.1@{primary_port}
template:
  - id: default
    storage: {t.path('knot')}
  - id: plain
    storage: {t.path('knot')}
    master: from
    acl: any
zone:
  - domain: {CATALOG}
    master: from
    acl: any
    catalog-role: interpret
    catalog-template: plain
''')
    return peer.Daemon(t, ['knotd', '-c', t.write('knot.conf', text)], port, t.path('knot.log'))


def signet_consumer(t, port, primary_port):
    """It hands on what it gets, to another."""
    last = peer.free_port()
    text = consumer_text(primary_port, [CATALOG], more=', notify: to', templates='  - { name: chain, primaries: from, allow-transfer: any, notify: to }\n')
    text = text.replace('catalog-template: plain', 'catalog-template: chain')
    text = text.replace('remotes: [ ', f'remotes: [ {{ name: to, addresses: 127.0.0.1, port: {last} }}, ')
    chain = daemon(t, 'chain', text, port)
    return chain, daemon(t, 'last', consumer_text(port, [CATALOG]), last)


def producers(t):
    ports = {name: peer.free_port() for name in ('named', 'knot', 'signetd')}
    text = producer_text(t, 'p4', ['a.', 'b.'], list(ports.values()))
    p = daemon(t, 'p4', text, peer.free_port())
    found = records(p, CATALOG)
    t.check('producer: SOA, NS and version', f'{CATALOG} NS invalid.' in found and f'version.{CATALOG} TXT "2"' in found, found)
    nodes = {r.split()[2]: r.split('.')[0] for r in found if ' PTR ' in r}
    t.check('producer: members', set(nodes) == {'a.', 'b.'} and len(found) == 4, found)
    first_serial = serial_of(p, CATALOG)
    servers = {'named': bind_consumer(t, ports['named'], p.port), 'knot': knot_consumer(t, ports['knot'], p.port)}
    servers['signetd'], servers['chain'] = signet_consumer(t, ports['signetd'], p.port)
    for name, s in servers.items():
        comes(t, f'producer: {name} has a.', s, 'a.')
        comes(t, f'producer: {name} has b.', s, 'b.')

    path = t.write('added.zone', zone_text('added.'))
    status, said = p.ctl('addzone', 'added.', path, 'template=member', 'catalog-group=public')
    t.check('producer: addzone', status == 0, said)
    for name, s in servers.items():
        comes(t, f'producer: addzone comes to {name}', s, 'added.')
    found = records(p, CATALOG)
    t.check('producer: its group', any(r.startswith('group.') and r.endswith('TXT "public"') for r in found), found)
    t.check('producer: labels stay', all(f'{label}.zones.{CATALOG} PTR {z}' in found for z, label in nodes.items()), found)
    x = transfer(p, CATALOG, 'IXFR', serial=first_serial)
    steps = differences(x)
    t.check('producer: IXFR', len(steps) == 1 and len(steps[0][2]) == 1 and len(steps[0][3]) == 3, steps)
    status, said = p.ctl('delzone', 'added.')
    t.check('producer: delzone', status == 0, said)
    for name, s in servers.items():
        goes(t, f'producer: delzone comes to {name}', s, 'added.')

    serial = serial_of(p, CATALOG)
    p = again(t, p)
    peer.wait_for(lambda: serial_of(p, CATALOG), 'the catalog')
    t.check('producer: a restart changes nothing', serial_of(p, CATALOG) == serial and records(p, CATALOG) == found - {r for r in found if 'public' in r or r.endswith(' added.')},
            records(p, CATALOG))
    t.check('producer: history after a restart', len(differences(transfer(p, CATALOG, 'IXFR', serial=first_serial))) >= 1)
    t.write(p.config, open(p.config).read().replace('  - { name: b.', '  # - { name: b.'))
    p.ctl('reconfig')
    for name, s in servers.items():
        goes(t, f'producer: reconfig comes to {name}', s, 'b.')
    status, said = p.ctl('sync', CATALOG)
    t.check('producer: no zone file', status != 0 and 'catalog-zone' in said, said)
    t.check('producer: sync of all', p.ctl('sync')[0] == 0, p.ctl('sync')[1])
    for s in [*servers.values(), p]:
        s.stop()


# --- others' catalogs -----------------------------------------------------------------------------

def of_bind(t):
    """BIND serves a catalog that nsupdate keeps."""
    port, to = peer.free_port(), peer.free_port()
    os.makedirs(t.path('bind'), exist_ok=True)
    text = f'''options {{ directory "{t.path('bind')}"; pid-file none; listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; notify explicit; notify-delay 0; also-notify {{ 127.0.0.1 port {to}; }}; dnssec-validation no; session-keyfile none;
  empty-zones-enable no; allow-transfer {{ any; }}; }};
controls {{ }};
'''
    zones = {CATALOG: catalog_text(CATALOG, [('x', 'a.')]), 'a.': zone_text('a.'), 'b.': zone_text('b.')}
    for z, content in zones.items():
        text += f'zone "{z}" {{ type primary; file "{t.write(f"bind/{z}zone", content)}"; allow-update {{ any; }}; check-names ignore; }};\n'
    named = peer.Daemon(t, ['named', '-g', '-n', '1', '-c', t.write('bind.conf', text)], port, t.path('bind.log'))
    peer.wait_for(named.is_up, 'answer from named')
    c = daemon(t, 'c5', consumer_text(port, [CATALOG]), to)
    comes(t, 'of BIND: a member', c, 'a.')
    change(named, CATALOG, ('add', 'y.zones PTR b.'))
    comes(t, 'of BIND: added', c, 'b.')
    change(named, CATALOG, ('delete', 'x.zones PTR'))
    goes(t, 'of BIND: removed', c, 'a.')
    c.stop()
    named.stop()


def of_knot(t):
    """Knot makes a catalog."""
    port, to = peer.free_port(), peer.free_port()
    zones = ''.join(f'''  - domain: {z}
    file: {t.write(f"knotp.{z}zone", zone_text(z))}
    acl: any
    notify: to
    catalog-role: member
    catalog-zone: {CATALOG}
''' for z in ('a.', 'b.'))
    text = knot_text(t, 'knotp', port, f'''remote:
  - id: to
    address: 127.0.0.1@{to}
template:
  - id: default
    storage: {t.path('knotp')}
    zonefile-load: whole
zone:
  - domain: {CATALOG}
    catalog-role: generate
    acl: any
    notify: to
''')
    config = t.write('knotp.conf', text + zones)
    knot = peer.Daemon(t, ['knotd', '-c', config], port, t.path('knotp.log'))
    peer.wait_for(knot.is_up, 'answer from knotd')
    c = daemon(t, 'c8', consumer_text(port, [CATALOG]), to)
    for z in ('a.', 'b.'):
        comes(t, f'of Knot: {z}', c, z)
    more = zones.replace('domain: b.', 'domain: c.').replace('knotp.b.zone', 'knotp.c.zone')
    t.write('knotp.c.zone', zone_text('c.'))
    more = more.replace(f'    catalog-zone: {CATALOG}\n', f'    catalog-zone: {CATALOG}\n    catalog-group: public\n')
    t.write('knotp.conf', text + more)
    knot.process.send_signal(signal.SIGHUP)
    comes(t, 'of Knot: added', c, 'c.')
    goes(t, 'of Knot: removed', c, 'b.')
    t.check('of Knot: the group', 'template: open.' in c.ctl('status', 'c.')[1], c.ctl('status', 'c.')[1])
    c.stop()
    knot.stop()


def of_file(t):
    """A catalog that comes from a file here, with members from elsewhere."""
    first = primary(t, 'p7', {z: zone_text(z) for z in ('a.', 'b.')}, peer.free_port())
    path = t.write('catfile', catalog_text(CATALOG, [('x', 'a.')]))
    text = consumer_text(first.port, [CATALOG]).replace(f'name: {CATALOG}, primaries: from', f'name: {CATALOG}, file: {path}')
    c = daemon(t, 'c7', text, peer.free_port())
    comes(t, 'of a file: a member', c, 'a.')
    t.write('catfile', catalog_text(CATALOG, [('y', 'b.')]))
    status, said = c.ctl('reload', CATALOG)
    t.check('of a file: reload', status == 0, said)
    comes(t, 'of a file: added', c, 'b.')
    goes(t, 'of a file: removed', c, 'a.')
    c.stop()
    first.stop()


def guarded(t):
    """A catalog that has lost its members waits for approval, and they are served meanwhile."""
    port = peer.free_port()
    zones = {z: zone_text(z) for z in ('a.', 'b.', 'c.')}
    first = primary(t, 'p9', {CATALOG: catalog_text(CATALOG, [('x', 'a.'), ('y', 'b.'), ('z', 'c.')]), **zones}, port)
    c = daemon(t, 'c9', consumer_text(first.port, [CATALOG], more=', max-removed: 1'), port)
    for z in zones:
        comes(t, f'guarded: {z}', c, z)
    change(first, CATALOG, ('delete', 'x.zones PTR'))
    goes(t, 'guarded: one may go', c, 'a.')
    change(first, CATALOG, ('delete', 'y.zones PTR'), ('delete', 'z.zones PTR'))
    logged(t, 'guarded: two are held', c, 'zone-held zone=cat.example. removed=2 records=4 limit=1')
    c = again(t, c)
    change(first, CATALOG, ('add', 'note TXT again'))  # and a NOTIFY
    logged(t, 'guarded: after a restart too', c, 'zone-held zone=cat.example. removed=2', 2)
    t.check('guarded: they are served', serves(c, 'b.') and serves(c, 'c.'), c.log()[-2000:])
    status, said = c.ctl('approve', CATALOG)
    t.check('guarded: approve', status == 0, said)
    for z in ('b.', 'c.'):
        goes(t, f'guarded: {z} goes', c, z)
    c.stop()
    first.stop()


PARTS = {'one': one, 'guarded': guarded, 'signed': signed, 'two': two, 'many': many, 'producers': producers, 'bind': of_bind, 'knot': of_knot, 'file': of_file}

with peer.Test('catalog') as test:
    for part in sys.argv[1:] or PARTS:
        start = time.monotonic()
        PARTS[part](test)
        if os.environ.get('VERBOSE'):
            print(f'{part}: {time.monotonic() - start:.1f} s', flush=True)
