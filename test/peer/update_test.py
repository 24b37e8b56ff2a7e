#!/usr/bin/env python3
"""Zones that signetd signs and that clients change: nsupdate, knsupdate and dnspython as clients, delv and Unbound as
validators and changed zone files beside updates. crash_test.py kills them."""
import base64
import os
import re
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update
import peer

ALGORITHMS = ('hmac-md5', 'hmac-sha1', 'hmac-sha224', 'hmac-sha256', 'hmac-sha384', 'hmac-sha512')
ZONE = '''$TTL 300
@    SOA ns h 10 7200 3600 86400 300
     NS  ns
ns   A   127.0.0.1
www  A   192.0.2.1 ; said by hand
*.w  A   192.0.2.1
cut  NS  ns.elsewhere.
'''
SECRET = base64.b64encode(b'0123456789abcdef0123456789abcdef').decode()


def secret_of(algorithm):
    return SECRET if algorithm != 'other' else base64.b64encode(b'f' * 32).decode()


class Primary:
    """A signetd with one kept zone, which can be killed and started again on the same database."""

    def __init__(self, t, zone, policy='default', access=None):
        self.t, self.zone = t, zone
        self.name = zone.strip('.')
        self.file = t.write(f'{self.name}.zone', ZONE)
        keys = ''.join(f'  - {{ name: {a}.key, algorithm: {a}, secret: "{secret_of(a)}" }}\n' for a in ALGORITHMS)
        self.made = t.write('made.key', peer.must(os.path.join(peer.BIN, 'signet-keymgr'), 'tsig', 'made.key'))
        os.chmod(self.made, 0o600)
        rules = 'key local-ddns, key made.key, ' + ', '.join(f'key {a}.key' for a in ALGORITHMS)
        self.port = peer.free_port()
        self.config = t.write(f'{self.name}.yaml', f'''server:
  listen: [ 127.0.0.1@{self.port} ]
  database: {self.name}.db
  session-key: {self.name}.session
keys:
  - {{ name: made.key, file: {self.made} }}
{keys}policies:
  - {{ name: nsec3, denial: nsec3 }}
  - {{ name: opt-out, denial: nsec3-opt-out, keys: csk, algorithm: ED25519 }}
zones:
  - name: {zone}
    file: {self.file}
    dnssec: {policy}
    {access or f'allow-update: [ {rules} ]'}
''')
        self.start()

    def start(self):
        self.daemon = peer.Daemon(self.t, [os.path.join(peer.BIN, 'signetd'), '-c', self.config], self.port,
                                  self.t.path(f'{self.name}.log'))
        peer.wait_for(self.daemon.is_up, 'answer from signetd')

    def kill(self):
        self.daemon.is_ours = False  # its status is no news
        self.daemon.stop(signal.SIGKILL)

    def serial(self):
        return self.daemon.ask(self.zone, 'SOA').answer[0][0].serial

    def texts(self, name):
        answer = self.daemon.ask(f'{name}.{self.zone}', 'TXT').answer
        return {r.strings[0].decode() for rs in answer if rs.rdtype == dns.rdatatype.TXT for r in rs}

    def update(self, algorithm='hmac-sha256', key=None, secret=None):
        ring = dns.tsigkeyring.from_text({(key or f'{algorithm}.key'): secret or SECRET})
        return dns.update.Update(self.zone, keyring=ring, keyalgorithm=dns.name.from_text(
            'hmac-md5.sig-alg.reg.int.' if algorithm == 'hmac-md5' else algorithm + '.'))

    def send(self, update, tcp=True, timeout=10):
        ask = dns.query.tcp if tcp else dns.query.udp
        return ask(update, '127.0.0.1', port=self.port, timeout=timeout)

    def ds(self):
        directory = self.t.path(f'{self.name}.db', 'keys')
        ksk = [f for f in sorted(os.listdir(directory)) if f.endswith('.key') and
               ' 257 ' in open(os.path.join(directory, f)).read()][0]
        return peer.must(os.path.join(peer.BIN, 'signet-keymgr'), 'ds', '-K', directory, ksk[:-4]).strip()


def key_file(t, algorithm, secret=SECRET):
    return t.write(f'{algorithm}.key', f'key "{algorithm}.key" {{ algorithm {algorithm}; secret "{secret}"; }};\n')


def nsupdate(t, p, key, lines, tool='nsupdate', *options):
    script = f'server 127.0.0.1 {p.port}\nzone {p.zone}\n' + '\n'.join(lines) + '\nsend\nanswer\n'
    return peer.run(tool, *(('-k', key) if key else ()), *options, stdin=script.encode())


def clients(t, p):
    for a in ALGORITHMS:
        for options in ((), ('-v',)):
            name = f'{a}{"-tcp" if options else ""}'
            status, out = nsupdate(t, p, key_file(t, a), [f'update add {name}.{p.zone} 60 TXT {name}'], 'nsupdate', *options)
            t.check(f'nsupdate {name}', status == 0 and p.texts(name) == {name}, out)
    status, out = nsupdate(t, p, None, [f'update add knot.{p.zone} 60 TXT knot'], 'knsupdate', '-y',
                           f'hmac-sha256:hmac-sha256.key:{SECRET}')
    t.check('knsupdate', status == 0 and p.texts('knot') == {'knot'}, out)
    for tcp in (False, True):
        u = p.update()
        u.add(f'py{int(tcp)}', 60, 'TXT', 'one')
        u.add(f'py{int(tcp)}', 60, 'TXT', 'two')  # as cert-manager does
        t.check(f'dnspython, tcp={tcp}', p.send(u, tcp).rcode() == 0 and p.texts(f'py{int(tcp)}') == {'one', 'two'})


def key_files(t, p):
    status, out = nsupdate(t, p, p.made, [f'update add made.{p.zone} 60 TXT made'])
    t.check('with a key that signet-keymgr has made', status == 0 and p.texts('made') == {'made'}, out)
    session = t.path(f'{p.name}.session')
    t.check('the session key is ours alone', os.stat(session).st_mode & 0o777 == 0o600)
    old = t.write('old.session', open(session).read())
    status, out = nsupdate(t, p, session, [f'update add session.{p.zone} 60 TXT session'])
    t.check('with the session key', status == 0 and p.texts('session') == {'session'}, out)
    p.daemon.process.send_signal(signal.SIGHUP)
    peer.wait_for(lambda: 'reload-done' in p.daemon.log(), 'the reload')
    status, out = nsupdate(t, p, old, [f'update add old.{p.zone} 60 TXT old'])
    t.check('the session key of before a reload: BADSIG', status != 0 and 'BADSIG' in out, out)
    status, out = nsupdate(t, p, session, [f'update add new.{p.zone} 60 TXT new'])
    t.check('the session key of now', status == 0 and p.texts('new') == {'new'}, out)
    secrets = [SECRET] + [re.search('secret "(.*)"', open(f).read())[1] for f in (p.made, old, session)]
    t.check('no secret is in the log', not any(s in p.daemon.log() for s in secrets))


def refusals(t, p):
    serial = p.serial()
    status, out = nsupdate(t, p, None, [f'update add no.{p.zone} 60 TXT no'])
    t.check('without a key: REFUSED', status != 0 and 'REFUSED' in out, out)
    status, out = nsupdate(t, p, key_file(t, 'hmac-sha256', secret_of('other')), [f'update add no.{p.zone} 60 TXT no'])
    t.check('with another secret: BADSIG', status != 0 and 'BADSIG' in out, out)
    unknown = t.write('unknown.key', f'key "unknown.key" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n')
    status, out = nsupdate(t, p, unknown, [f'update add no.{p.zone} 60 TXT no'])
    t.check('with an unknown key: BADKEY', status != 0 and 'BADKEY' in out, out)
    u = p.update()
    other = dns.update.Update('elsewhere.', keyring=dns.tsigkeyring.from_text({'hmac-sha256.key': SECRET}),
                              keyalgorithm='hmac-sha256.')
    other.add('a', 60, 'TXT', 'x')
    t.check('for a zone that is elsewhere: NOTAUTH', p.send(other).rcode() == dns.rcode.NOTAUTH)
    for what, change, rcode in (
            ('RRSIG', lambda u: u.add('x', 60, 'RRSIG', 'A 13 2 60 20300101000000 20200101000000 1 x. AAAA'), dns.rcode.REFUSED),
            ('NSEC', lambda u: u.add('x', 60, 'NSEC', 'y.example. A'), dns.rcode.REFUSED),
            ('DNSKEY', lambda u: u.delete('@', 'DNSKEY'), dns.rcode.REFUSED),
            ('a name outside', lambda u: u.add('x.elsewhere.', 60, 'A', '192.0.2.1'), dns.rcode.NOTZONE),
            ('prerequisite: no such name', lambda u: u.present('nobody'), dns.rcode.NXDOMAIN),
            ('prerequisite: there is one', lambda u: u.absent('www'), dns.rcode.YXDOMAIN),
            ('prerequisite: no such set', lambda u: u.present('www', 'TXT'), dns.rcode.NXRRSET),
            ('prerequisite: there is a set', lambda u: u.absent('www', 'A'), dns.rcode.YXRRSET)):
        u = p.update()
        change(u)
        u.add('both', 60, 'TXT', 'or none')
        t.check(f'{what}: {dns.rcode.to_text(rcode)}', p.send(u).rcode() == rcode)
    u = p.update()
    u.add('www', 300, 'A', '192.0.2.1')
    t.check('what is there already: NOERROR', p.send(u).rcode() == 0)
    t.check('and no new serial', p.serial() == serial, p.serial())
    t.check('nothing of a refused update is there', not p.texts('both'))


def validates(t, p, resolver, name, rdtype, what):
    r = resolver.ask(f'{name}.{p.zone}' if name else p.zone, rdtype, timeout=10)
    # Where opt-out covers a name, an insecure delegation may be there: no AD (RFC 5155 §9.2), but no SERVFAIL.
    secure = r.flags & dns.flags.AD or p.zone == 'opt-out.'
    return t.check(f'{p.zone} {what} validates', secure and r.rcode() in (0, 3), r)


def chain_changes(t, p):
    """Names, empty non-terminals, wildcards and cuts come and go: each answer must validate at each step."""
    steps = (('a name', [('add', 'new', 60, 'A', '192.0.2.2')], (('new', 'A'), ('nex', 'A'))),
             ('an empty non-terminal', [('add', 'a.b.c', 60, 'A', '192.0.2.2')], (('b.c', 'A'), ('x.b.c', 'A'))),
             ('a wildcard', [('add', '*.c', 60, 'TXT', 'x')], (('q.c', 'TXT'), ('q.c', 'A'), ('b.c', 'TXT'))),
             ('it goes', [('delete', 'a.b.c')], (('a.b.c', 'TXT'), ('b.c', 'A'))),
             ('a cut', [('add', 'sub', 60, 'NS', 'ns.elsewhere.'), ('add', 'sub', 60, 'DS', '1 13 2 ' + '00' * 32)], (('sub', 'DS'),)),
             ('insecure', [('delete', 'sub', 'DS')], (('sub', 'DS'), ('subb', 'A'))),
             ('an alias', [('add', 'al', 60, 'CNAME', f'www.{p.zone}')], (('al', 'A'), ('al', 'TXT'))),
             ('all that goes', [('delete', '*.c'), ('delete', 'new'), ('delete', 'sub'), ('delete', 'al')],
              (('q.c', 'TXT'), ('new', 'A'), ('c', 'A'), ('sub', 'A'))))
    for what, changes, questions in steps:
        u = p.update()
        for action, name, *rest in changes:
            getattr(u, action)(name, *rest)
        t.check(f'{p.zone} {what} is done', p.send(u).rcode() == 0)
        resolver = peer.unbound(t, {p.zone: p.port}, [p.ds()], name=f'unbound-{p.name}')
        for name, rdtype in questions:
            validates(t, p, resolver, name, rdtype, f'{what}: {name} {rdtype}')
        resolver.stop()


def chain_switches(t):
    """NSEC3PARAM by nsupdate, as operators of BIND do it: the chain is another, also after kill -9."""
    p = Primary(t, 'switch.')
    key = key_file(t, 'hmac-sha256')

    def denial():
        rdtypes = {rs.rdtype for rs in p.daemon.ask(f'nobody.{p.zone}', 'A').authority}
        return {dns.rdatatype.NSEC: 'nsec', dns.rdatatype.NSEC3: 'nsec3'}[(rdtypes & {47, 50}).pop()]

    everything = ('www', 'nobody', 'x.w')
    for what, lines, then, names in (
            ('to NSEC3', ['update add switch. 0 NSEC3PARAM 1 0 0 -'], 'nsec3', everything),
            # What opt-out spans is not secure (RFC 5155 §6).
            ('opt-out and a salt', ['update add switch. 0 NSEC3PARAM 1 1 0 AABB', 'update add cut2.switch. 60 NS ns.elsewhere.'],
             'nsec3', ('www', 'ns')),
            ('to NSEC', ['update delete switch. NSEC3PARAM'], 'nsec', everything)):
        status, out = nsupdate(t, p, key, lines)
        t.check(f'{what}: done when answered', status == 0 and denial() == then, out)
        resolver = peer.unbound(t, {p.zone: p.port}, [p.ds()], name='unbound-switch')
        for name in names:
            validates(t, p, resolver, name, 'A', f'{what}: {name}')
        resolver.stop()
        serial = p.serial()
        p.kill()
        p.start()
        t.check(f'{what}: and after kill -9', denial() == then and p.serial() == serial, (denial(), serial, p.serial()))
    status, out = nsupdate(t, p, key, ['update add switch. 0 NSEC3PARAM 1 0 10 -'])
    t.check('iterations are refused', status != 0 and 'REFUSED' in out and 'RFC 9276' in p.daemon.log(), out)


def edit_file(t, p):
    """The operator's file and updates live together."""
    def reload():
        before = p.daemon.log().count('from=file')
        p.daemon.process.send_signal(signal.SIGHUP)
        peer.wait_for(lambda: p.daemon.log().count('from=file') > before, 'reading of the file')
    u = p.update()
    u.add('dyn', 60, 'TXT', 'dyn')
    u.delete('www', 'A')
    p.send(u)
    serial = p.serial()
    text = open(p.file).read()
    with open(p.file, 'w') as f:
        f.write(text.replace('*.w  A   192.0.2.1\n', '') + 'hand TXT hand\n')
    reload()
    t.check('the file\'s new record is there', p.texts('hand') == {'hand'})
    t.check('what the file lost is gone', p.daemon.ask(f'x.w.{p.zone}', 'A').rcode() == dns.rcode.NXDOMAIN)
    t.check('the update\'s record stays', p.texts('dyn') == {'dyn'})
    t.check('what an update removed stays away', not p.daemon.ask(f'www.{p.zone}', 'A').answer)
    t.check('the serial moved', p.serial() > serial)
    with open(p.file, 'w') as f:
        f.write(text + 'hand TXT hand\n')
    reload()
    t.check('comments are as they were', '; said by hand' in open(p.file).read())
    with open(p.file, 'w') as f:
        f.write(text.replace(' h 10 ', ' h 5000 ').replace('www  A   192.0.2.1', 'www  A   192.0.2.99'))
    reload()
    t.check('a newer serial of the file is taken', p.serial() == 5000, p.serial())
    t.check('a conflict is named', 'file-conflict' in p.daemon.log(), p.daemon.log()[-500:])
    with open(p.file, 'w') as f:
        f.write(text.replace(' h 10 ', ' h 5000 ') + 'broken A 1.2.3\n')
    p.daemon.process.send_signal(signal.SIGHUP)
    peer.wait_for(lambda: 'zone-unchanged' in p.daemon.log(), 'word on the broken file')
    t.check('a broken file changes nothing', p.texts('dyn') == {'dyn'} and p.serial() == 5000)


def rules(t):
    """Who may change what (zones.update-policy)."""
    p = Primary(t, 'rules.', access='''update-policy:
      - deny hmac-sha512.key subdomain secret.rules
      - grant hmac-sha512.key zonesub
      - grant hmac-sha256.key name _acme.rules TXT(2)
      - grant *.key wildcard *.open.rules A''')
    refused, done = dns.rcode.REFUSED, dns.rcode.NOERROR
    for what, algorithm, changes, rcode in (
            ('all of the zone', 'sha512', [('add', 'a', 60, 'TXT', 'x'), ('add', 'b.c', 60, 'A', '192.0.2.1')], done),
            ('what a rule before denies', 'sha512', [('add', 'd', 60, 'TXT', 'x'), ('add', 'x.secret', 60, 'TXT', 'x')], refused),
            ('NS without a rule that names it', 'sha512', [('add', 'sub', 60, 'NS', 'ns.elsewhere.')], refused),
            ('another type', 'sha256', [('add', '_acme', 60, 'A', '192.0.2.1')], refused),
            ('another name', 'sha256', [('add', 'a', 60, 'TXT', 'y')], refused),
            ('all of a name that is not its own', 'sha256', [('delete', 'a')], refused),
            ('by wildcard', 'sha1', [('add', 'a.open', 60, 'A', '192.0.2.1')], done),
            ('the wildcard\'s parent', 'sha1', [('add', 'open', 60, 'A', '192.0.2.1')], refused)):
        u = p.update(f'hmac-{algorithm}')
        for action, *rest in changes:
            getattr(u, action)(*rest)
        t.check(f'rules: {what}', p.send(u).rcode() == rcode)
    t.check('rules: a refused update does nothing', not p.texts('d') and p.texts('a') == {'x'})
    key = key_file(t, 'hmac-sha256')
    status, out = nsupdate(t, p, key, [f'update add _acme.rules. 60 TXT {i}' for i in range(3)])
    t.check('rules: two records of three', status == 0 and p.texts('_acme') == {'0', '1'}, (out, p.texts('_acme')))
    status, out = nsupdate(t, p, key, ['update delete _acme.rules. TXT 0', 'update add _acme.rules. 60 TXT 5'])
    t.check('rules: one for another', status == 0 and p.texts('_acme') == {'1', '5'}, (out, p.texts('_acme')))
    status, out = nsupdate(t, p, None, ['prereq yxrrset www.rules. TXT', 'update add a.open.rules. 60 A 192.0.2.2'])
    t.check('rules: without a key REFUSED, and no word about the zone', status != 0 and 'REFUSED' in out, out)


def becomes_kept(t):
    """A zone that was served as it was in its file is signed and updated from a reload on: and nothing is lost then
    either, nor when it was so before, was not for a while, and is again."""
    p = Primary(t, 'turned.')
    kept = open(p.config).read()
    plain = re.sub(r'    (dnssec|allow-update): .*\n', '', kept)

    def turn(config, word):
        t.write(f'{p.name}.yaml', config)
        before = p.daemon.log().count(word)
        p.daemon.process.send_signal(signal.SIGHUP)
        peer.wait_for(lambda: p.daemon.log().count(word) > before, 'end of the reload')

    def add(name):
        u = p.update()
        u.add(name, 60, 'TXT', name)
        t.check(f'{name} is added', p.send(u).rcode() == 0)

    p.kill()
    os.system(f'rm -rf {t.path(p.name + ".db")}')
    t.write(f'{p.name}.yaml', plain)
    p.start()
    turn(kept, 'zone-loaded')
    peer.wait_for(lambda: any(rs.rdtype == dns.rdatatype.RRSIG for rs in p.daemon.ask(p.zone, 'SOA').answer), 'signatures')
    add('first')
    p.kill()
    p.start()
    t.check('what was acknowledged after the turn is there', p.texts('first') == {'first'}, p.daemon.log()[-1500:])
    serial = p.serial()
    turn(plain, 'reload-done')
    t.check('that it is not signed any more is said', 'zone-unsigned zone=turned.' in p.daemon.log())
    turn(kept, 'from=database')
    add('second')
    t.check('both are there when it is turned again', p.texts('first') == {'first'} and p.texts('second') == {'second'})
    t.check('and the serial goes on', p.serial() > serial, (serial, p.serial()))
    p.kill()
    p.start()
    t.check('and after a crash', p.texts('first') == {'first'} and p.texts('second') == {'second'})
    resolver = peer.unbound(t, {p.zone: p.port}, [p.ds()], name='unbound-turned')
    validates(t, p, resolver, 'second', 'TXT', 'after the turns')
    turn(re.sub('    dnssec: .*\n', '', kept), 'zone-unsigned')
    answer = p.daemon.ask(p.zone, 'ANY', tcp=True).answer + p.daemon.ask(f'nobody.{p.zone}', 'A').authority
    t.check('updates alone: nothing that signing made is left', not {46, 47, 48, 50, 51, 59, 60} & {rs.rdtype for rs in answer}, answer)
    add('third')
    p.kill()
    p.start()
    t.check('and nothing else is lost', all(p.texts(name) == {name} for name in ('first', 'second', 'third')))
    turn(kept, 'zone-renewed')
    validates(t, p, resolver, 'third', 'TXT', 'signed again')


def main():
    with peer.Test('update') as t:
        p = Primary(t, 'example.')
        clients(t, p)
        key_files(t, p)
        refusals(t, p)
        chain_changes(t, p)
        edit_file(t, p)
        rules(t)
        chain_switches(t)
        becomes_kept(t)
        for policy in ('nsec3', 'opt-out'):
            chain_changes(t, Primary(t, f'{policy}.', policy))


main()
