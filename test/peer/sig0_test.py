#!/usr/bin/env python3
"""Updates signed with private keys whose public keys are KEY records in the zone (SIG(0), RFC 2931): by nsupdate with keys of
dnssec-keygen, and made here, octet by octet, in good faith and in bad."""
import base64
import hmac
import os
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.name
import dns.query
import dns.rcode
import dns.tsigkeyring
import dns.update
import peer
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

ZONE = '$TTL 300\n@ SOA ns h 10 7200 3600 86400 300\n  NS ns\nns A 127.0.0.1\n'
SECRET = base64.b64encode(b'0123456789abcdef0123456789abcdef').decode()
ALGORITHMS = {'ECDSAP256SHA256': 13, 'ECDSAP384SHA384': 14, 'RSASHA256': 8, 'RSASHA512': 10, 'ED25519': 15}
NOERROR, FORMERR, REFUSED, NOTAUTH = (getattr(dns.rcode, n) for n in ('NOERROR', 'FORMERR', 'REFUSED', 'NOTAUTH'))


# --- keys -----------------------------------------------------------------------------------------

def keygen(t, name, algorithm):
    """(path of the private key, the KEY record) as dnssec-keygen makes them."""
    directory = t.path('keys')
    os.makedirs(directory, exist_ok=True)
    base = peer.must('dnssec-keygen', '-q', '-K', directory, '-T', 'KEY', '-n', 'HOST', '-a', algorithm,
                     *(('-b', '2048') if algorithm.startswith('RSA') else ()), name).split()[-1]
    record = [l for l in open(os.path.join(directory, base + '.key')) if l[0] != ';'][0]
    return os.path.join(directory, base + '.private'), record


class Key:
    """An ED25519 key that signs as it is told."""

    def __init__(self, name):
        self.name, self.private = name, ed25519.Ed25519PrivateKey.generate()
        public = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.rdata = struct.pack('>HBB', 512, 3, 15) + public
        self.record = f'{name} KEY 512 3 15 {base64.b64encode(public).decode()}\n'
        total = sum(b if i & 1 else b << 8 for i, b in enumerate(self.rdata))
        self.tag = (total + (total >> 16)) & 0xffff

    def generic(self):
        return f'\\# {len(self.rdata)} {self.rdata.hex()}'

    def sig0(self, wire, first=-300, last=300, algorithm=15, tag=None, name=None, by=None):
        """The message with a SIG(0) behind it."""
        now = int(time.time())
        head = struct.pack('>HBBIIIH', 0, algorithm, 0, 0, now + last, now + first, self.tag if tag is None else tag)
        head += dns.name.from_text(name or self.name).to_wire()
        rdata = head + (by or self).private.sign(head + wire)
        return count_one_more(wire) + b'\0' + struct.pack('>HHIH', 24, 255, 0, len(rdata)) + rdata


def count_one_more(wire):
    return wire[:10] + struct.pack('>H', struct.unpack('>H', wire[10:12])[0] + 1) + wire[12:]


# --- the server -----------------------------------------------------------------------------------

def serve(t, records):
    port = peer.free_port()
    file = {zone: t.write(f'{zone}zone', ZONE + ''.join(r for r in records if f'.{zone} ' in r))
            for zone in ('rules.', 'list.', 'open.')}
    config = t.write('signetd.yaml', f'''server:
  listen: [ 127.0.0.1@{port} ]
  database: {t.path('db')}
keys:
  - {{ name: twin.rules, secret: "{SECRET}" }}
  - {{ name: solo.rules, secret: "{SECRET}" }}
zones:
  - name: rules.
    file: {file['rules.']}
    dnssec: default
    update-policy:
      - grant twin.rules zonesub
      - grant sig0:solo.rules name all.rules
      - deny sig0:bad.rules zonesub
      - grant sig0:* self A AAAA KEY
  - name: list.
    file: {file['list.']}
    allow-update: [ sig0 h.list, 192.0.2.0/24 ]
  - name: open.
    file: {file['open.']}
    allow-update: 127.0.0.1
''')
    d = peer.Daemon(t, [os.path.join(peer.BIN, 'signetd'), '-c', config], port, t.path('signetd.log'))
    peer.wait_for(d.is_up, 'answer from signetd')
    return d


def has(d, name, rdtype='TXT', text=None):
    answer = [rd.to_text().strip('"') for rs in d.ask(name, rdtype, dnssec=False).answer for rd in rs]
    return text in answer if text else bool(answer)


# --- nsupdate -------------------------------------------------------------------------------------

def nsupdate(d, zone, key, lines, *options):
    script = f'server 127.0.0.1 {d.port}\nzone {zone}\n' + '\n'.join(lines) + '\nsend\n'
    return peer.run('nsupdate', '-k', key, *options, stdin=script.encode())


def by_nsupdate(t, d, keys):
    for algorithm, (private, _) in keys.items():
        name = f'{algorithm.lower()}.rules.'
        for i, options in enumerate(((), ('-v',))):
            status, out = nsupdate(d, 'rules.', private, [f'update add {name} 60 A 192.0.2.{i + 1}'], *options)
            t.check(f'nsupdate {algorithm} {options}', status == 0 and has(d, name, 'A', f'192.0.2.{i + 1}'), out)
        status, out = nsupdate(d, 'rules.', private, [f'update add {name} 60 TXT no'])
        t.check(f'{algorithm}: another type', 'REFUSED' in out and not has(d, name), out)
        status, out = nsupdate(d, 'rules.', private, ['update add elsewhere.rules. 60 A 192.0.2.1'])
        t.check(f'{algorithm}: another name', 'REFUSED' in out and not has(d, 'elsewhere.rules.', 'A'), out)
    t.check('the log says who', 'key=sig0:ed25519.rules. rcode=NOERROR' in d.log(), d.log()[-500:])
    other, _ = keygen(t, 'ed25519.rules.', 'ED25519')
    status, out = nsupdate(d, 'rules.', other, ['update add ed25519.rules. 60 A 192.0.2.9'])
    t.check('a key that is not in the zone: NOTAUTH', 'NOTAUTH' in out and not has(d, 'ed25519.rules.', 'A', '192.0.2.9'), out)
    t.check('and the log says why', 'rcode=NOTAUTH' in d.log() and 'SIG(0): no such key in the zone' in d.log(), d.log()[-500:])


# --- by hand --------------------------------------------------------------------------------------

def update(zone, name, rdtype, text):
    u = dns.update.Update(zone)
    u.add(name, 60, rdtype, text)
    return u.to_wire()


def send(d, wire, tcp=False):
    """The octets of the response."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as s:
        s.settimeout(10)
        s.connect(('127.0.0.1', d.port))
        s.sendall(peer.frame(wire) if tcp else wire)
        return peer.read_wire(s) if tcp else s.recv(65535)


def with_tsig(wire, key):
    """The message with a good TSIG behind it."""
    name, algorithm = dns.name.from_text(key).to_wire(), dns.name.from_text('hmac-sha256').to_wire()
    times, end = struct.pack('>HIH', 0, int(time.time()), 300), bytes(4)
    mac = hmac.digest(base64.b64decode(SECRET), wire + name + struct.pack('>HI', 255, 0) + algorithm + times + end, 'sha256')
    rdata = algorithm + times + struct.pack('>H', len(mac)) + mac + wire[:2] + end
    return count_one_more(wire) + name + struct.pack('>HHIH', 250, 255, 0, len(rdata)) + rdata


def rcode_is(t, d, what, wire, rcode):
    got = send(d, wire)[3] & 15
    return t.check(f'{what}: {dns.rcode.to_text(rcode)}', got == rcode, dns.rcode.to_text(got))


def by_hand(t, d, keys):
    h, solo, twin, bad = (keys[n] for n in ('h', 'solo', 'twin', 'bad'))
    change = lambda text='192.0.2.1', name='h.rules.', rdtype='A': update('rules.', name, rdtype, text)
    octets = send(d, h.sig0(change()), tcp=True)
    t.check('over TCP, and the response has no signature', octets[3] & 15 == NOERROR and octets[6:12] == bytes(6), octets.hex())
    rcode_is(t, d, 'the signer in capitals', h.sig0(change('192.0.2.2'), name='H.Rules.'), NOERROR)
    for what, more in (('expired', {'first': -900, 'last': -10}), ('not valid yet', {'first': 100, 'last': 900}),
                       ('by another key', {'by': solo}), ('another tag', {'tag': h.tag ^ 1}), ('another algorithm', {'algorithm': 13}),
                       ('the name of another', {'name': 'twin.rules.'}), ('a name that has no key', {'name': 'ns.rules.'}),
                       ('a name in another zone', {'name': 'h.list.'})):
        before = d.log().count('SIG(0): ')
        rcode_is(t, d, what, h.sig0(change('192.0.2.66'), **more), NOTAUTH)
        t.check(f'{what}: the log says why', d.log().count('SIG(0): ') == before + 1)
    signed = h.sig0(change('192.0.2.66'))
    rcode_is(t, d, 'a message that was changed', signed.replace(bytes((192, 0, 2, 66)), bytes((192, 0, 2, 67))), NOTAUTH)
    rcode_is(t, d, 'another id', bytes((signed[0] ^ 1,)) + signed[1:], NOTAUTH)
    rcode_is(t, d, 'two', h.sig0(signed), FORMERR)
    opt = b'\0' + struct.pack('>HHIH', 41, 1232, 0, 0)
    rcode_is(t, d, 'not the last', count_one_more(signed) + opt, FORMERR)
    rcode_is(t, d, 'an OPT before it', h.sig0(count_one_more(change()) + opt), NOERROR)
    rcode_is(t, d, 'cut', signed[:-70], FORMERR)
    rcode_is(t, d, 'a TSIG behind it', with_tsig(signed, 'twin.rules.'), FORMERR)
    rcode_is(t, d, 'a TSIG alone', with_tsig(change(), 'twin.rules.'), NOERROR)
    t.check('none of these did anything', not has(d, 'h.rules.', 'A', '192.0.2.66') and not has(d, 'h.rules.', 'A', '192.0.2.67'))
    for key, name, rdtype, text, rcode in ((bad, 'bad.rules.', 'A', '192.0.2.1', REFUSED), (solo, 'all.rules.', 'TXT', 'x', NOERROR),
                                           (twin, 'any.rules.', 'TXT', 'x', REFUSED), (twin, 'twin.rules.', 'A', '192.0.2.1', NOERROR)):
        rcode_is(t, d, f'rules: {key.name} for {name} {rdtype}', key.sig0(update('rules.', name, rdtype, text)), rcode)


def tsig_keys_are_others(t, d):
    """A TSIG key and a KEY record of one name do not stand for each other."""
    for key, name, rcode in (('twin.rules.', 'any.rules.', NOERROR), ('solo.rules.', 'all.rules.', REFUSED),
                             ('solo.rules.', 'solo.rules.', REFUSED)):
        u = dns.update.Update('rules.', keyring=dns.tsigkeyring.from_text({key: SECRET}), keyalgorithm='hmac-sha256.')
        u.add(name, 60, 'A', '192.0.2.8')
        got = dns.query.udp(u, '127.0.0.1', port=d.port, timeout=10).rcode()
        t.check(f'TSIG {key} for {name}: {dns.rcode.to_text(rcode)}', got == rcode, got)


def key_changes(t, d, keys):
    """A key comes into use with the update that adds it, and out of use with the one that removes it."""
    h, new = keys['h'], Key('h.rules.')
    rcode_is(t, d, 'the new key before it is there', new.sig0(update('rules.', 'h.rules.', 'A', '192.0.2.3')), NOTAUTH)
    u = dns.update.Update('rules.')
    u.add('h.rules.', 300, 'KEY', new.generic())
    rcode_is(t, d, 'the old key adds it', h.sig0(u.to_wire()), NOERROR)
    rcode_is(t, d, 'the new key', new.sig0(update('rules.', 'h.rules.', 'A', '192.0.2.3')), NOERROR)
    u = dns.update.Update('rules.')
    u.delete('h.rules.', 'KEY', h.generic())
    rcode_is(t, d, 'it removes the old', new.sig0(u.to_wire()), NOERROR)
    rcode_is(t, d, 'the old key', h.sig0(update('rules.', 'h.rules.', 'A', '192.0.2.4')), NOTAUTH)
    # In one group as well, where the server takes both together.
    u = dns.update.Update('rules.')
    u.delete('h.rules.', 'KEY')
    wires = [new.sig0(u.to_wire()), new.sig0(update('rules.', 'h.rules.', 'A', '192.0.2.5'))]
    with socket.create_connection(('127.0.0.1', d.port), timeout=10) as s:
        s.sendall(b''.join(peer.frame(w) for w in wires))
        got = {r.id: r.rcode() for r in (peer.read_message(s), peer.read_message(s))}
    ids = [struct.unpack('>H', w[:2])[0] for w in wires]
    t.check('the key that the update before has removed', [got[i] for i in ids] == [NOERROR, NOTAUTH], got)
    t.check('and nothing of that is there', not has(d, 'h.rules.', 'A', '192.0.2.5'))


def lists(t, d, keys):
    h, other = keys['list'], keys['other']
    change = update('list.', 'x.list.', 'TXT', 'x')
    rcode_is(t, d, 'allow-update: sig0', h.sig0(change), NOERROR)
    t.check('it is there', has(d, 'x.list.', 'TXT', 'x'))
    rcode_is(t, d, 'allow-update: not good', h.sig0(change, by=other), NOTAUTH)
    rcode_is(t, d, 'allow-update: a KEY that no rule is about', other.sig0(change), REFUSED)
    rcode_is(t, d, 'allow-update: not signed', change, REFUSED)
    # Who needs no signature is not asked for a good one.
    change = update('open.', 'x.open.', 'TXT', 'x')
    rcode_is(t, d, 'no rule about signatures', keys['open'].sig0(change, by=other), NOERROR)


def main():
    with peer.Test('sig0') as t:
        made = {a: keygen(t, f'{a.lower()}.rules.', a) for a in ALGORITHMS}
        keys = {n: Key(f'{n}.rules.') for n in ('h', 'solo', 'twin', 'bad')}
        keys.update({'list': Key('h.list.'), 'other': Key('other.list.'), 'open': Key('h.open.')})
        d = serve(t, [r for _, r in made.values()] + [k.record for k in keys.values()])
        by_nsupdate(t, d, made)
        by_hand(t, d, keys)
        tsig_keys_are_others(t, d)
        key_changes(t, d, keys)
        lists(t, d, keys)


if __name__ == '__main__':
    main()
