"""A signed zone as a list of records that a test can operate on.

A zone is signed by dnssec-signzone and read back; tests then take records out, put others in, and make
new signatures with any field they like, by dnspython and python3-cryptography, so that a broken zone
is broken in one place and nowhere else.
"""
import base64
import copy
import os
import struct
import subprocess
import time

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.zone
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

IN = dns.rdataclass.IN
DAY = 86400


def run(*args, cwd=None, stdin=None):
    """Runs a program that must succeed; returns what it printed."""
    done = subprocess.run(args, cwd=cwd, input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError('%s: %s' % (' '.join(args), done.stderr.strip()))
    return done.stdout


def stamp(t):
    return time.strftime('%Y%m%d%H%M%S', time.gmtime(t))


class Key:
    """A key pair from the files that dnssec-keygen wrote; algorithms 13 and 15."""

    def __init__(self, path):
        self.path = path
        with open(path + '.key') as f:
            line = [l for l in f if not l.startswith(';')][-1]
        self.set_rdata(line.split('DNSKEY', 1)[1].strip())
        with open(path + '.private') as f:
            fields = dict(l.rstrip('\n').split(': ', 1) for l in f if ': ' in l)
        secret = base64.b64decode(fields['PrivateKey'])
        if self.algorithm == 13:
            self.private = ec.derive_private_key(int.from_bytes(secret, 'big'), ec.SECP256R1())
        else:
            self.private = ed25519.Ed25519PrivateKey.from_private_bytes(secret)

    def set_rdata(self, rdata):
        self.rdata = rdata
        self.wire = dns.rdata.from_text(IN, 'DNSKEY', rdata)
        self.algorithm = int(self.wire.algorithm)
        self.tag = dns.dnssec.key_id(self.wire)

    def with_head(self, flags, protocol=3):
        """The same pair as a key with other flags or protocol."""
        other = copy.copy(self)
        other.set_rdata('%d %d %s' % (flags, protocol, self.rdata.split(' ', 2)[2]))
        return other

    def sign(self, data):
        if self.algorithm == 15:
            return self.private.sign(data)
        r, s = decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, 'big') + s.to_bytes(32, 'big')


def keygen(directory, zone, algorithm, ksk):
    """Returns the path of the key files without their ending."""
    args = ['dnssec-keygen', '-q', '-K', directory, '-a', algorithm] + (['-f', 'KSK'] if ksk else [])
    return os.path.join(directory, run(*args, zone).strip())


class Record:
    def __init__(self, owner, ttl, rdtype, rdata):
        self.owner = owner.lower()
        self.ttl = int(ttl)
        self.type = rdtype
        self.rdata = rdata

    @property
    def covers(self):
        return self.rdata.split()[0] if self.type == 'RRSIG' else None

    def wire(self):
        return dns.rdata.from_text(IN, self.type, self.rdata).to_digestable()

    def __str__(self):
        return '%s %d IN %s %s' % (self.owner, self.ttl, self.type, self.rdata)


def read_records(path):
    """The records of a file in which each has a line of its own, and nothing is left out."""
    records = []
    with open(path) as f:
        for line in f:
            if line.strip() and not line.startswith(';'):
                owner, ttl, _, rdtype, rdata = line.rstrip('\n').split(None, 4)
                records.append(Record(owner, ttl, rdtype, rdata))
    return records


class Zone:
    """Owners are absolute and in lower case. @keys: ksk, zsk, and others by name."""

    def __init__(self, origin, records, keys, now):
        self.origin = origin
        self.records = records
        self.keys = keys
        self.now = now

    def __getattr__(self, name):
        if name in self.__dict__.get('keys', {}):
            return self.keys[name]
        raise AttributeError(name)

    @classmethod
    def sign_text(cls, directory, origin, text, keys, now, options=()):
        """Signs with dnssec-signzone and reads the result."""
        plain = os.path.join(directory, 'plain.zone')
        signed = os.path.join(directory, 'signed.zone')
        with open(plain, 'w') as f:
            f.write(text)
            for key in (keys['ksk'], keys['zsk']):
                f.write('%s 3600 IN DNSKEY %s\n' % (origin, key.rdata))
        run('dnssec-signzone', '-q', '-P', '-O', 'full', '-o', origin, '-f', signed,
            '-s', stamp(now - 3600), '-e', stamp(now + 14 * DAY), *options,
            '-k', keys['ksk'].path, plain, keys['zsk'].path, cwd=directory)
        return cls(origin, read_records(signed), keys, now)

    def copy(self):
        other = copy.copy(self)
        other.records = [copy.copy(r) for r in self.records]
        return other

    def text(self):
        return ''.join('%s\n' % r for r in self.records)

    # --- records ---

    def find(self, owner, rdtype):
        return [r for r in self.records if r.owner == owner and r.type == rdtype]

    def one(self, owner, rdtype):
        found = self.find(owner, rdtype)
        assert len(found) == 1, (owner, rdtype, len(found))
        return found[0]

    def sigs(self, owner, rdtype):
        return [r for r in self.find(owner, 'RRSIG') if r.covers == rdtype]

    def sig(self, owner, rdtype):
        found = self.sigs(owner, rdtype)
        assert len(found) == 1, (owner, rdtype, len(found))
        return found[0]

    def take_out(self, gone):
        assert gone
        self.records = [r for r in self.records if r not in gone]

    def drop(self, owner, rdtype):
        """The set and its signatures."""
        self.take_out(self.find(owner, rdtype) + self.sigs(owner, rdtype))

    def drop_sigs(self, owner, rdtype):
        self.take_out(self.sigs(owner, rdtype))

    def add(self, owner, ttl, rdtype, rdata):
        self.records.append(Record(owner, ttl, rdtype, rdata))

    def set_word(self, owner, rdtype, n, word):
        """Puts @word in the place of the nth of the only record, and signs it again."""
        record = self.one(owner, rdtype)
        words = record.rdata.split()
        record.rdata = ' '.join(words[:n] + [word] + words[n + 1:])
        self.resign(owner, rdtype)

    # --- keys and signatures ---

    def add_key(self, key):
        self.add(self.origin, 3600, 'DNSKEY', key.rdata)
        self.resign(self.origin, 'DNSKEY')

    def key_record(self, key):
        return [r for r in self.find(self.origin, 'DNSKEY') if r.wire() == key.wire.to_digestable()][0]

    def replace_zsk(self, key):
        """The same pair with another head; everything is signed anew."""
        self.key_record(self.zsk).rdata = key.rdata
        self.resign(self.origin, 'DNSKEY')
        for record in [r for r in self.records if r.covers not in (None, 'DNSKEY')]:
            self.resign(record.owner, record.covers, key=key)

    def sign_all(self, key):
        """A signature by @key beside each but that of the DNSKEY set."""
        for record in [r for r in self.records if r.covers not in (None, 'DNSKEY')]:
            self.sign(record.owner, record.covers, key=key)

    def make_sig(self, owner, rdtype, key=None, **change):
        """An RRSIG over the set, with the fields that RFC 4034 wants except those in @change:
        labels, original_ttl, inception, expiration, tag, signer, ttl, algorithm."""
        key = key or (self.ksk if rdtype == 'DNSKEY' else self.zsk)
        records = self.find(owner, rdtype)
        assert records, (owner, rdtype)
        name = dns.name.from_text(owner)
        count = len(name) - 1 - (1 if name.is_wild() else 0)
        labels = change.get('labels', count)
        ttl = change.get('original_ttl', records[0].ttl)
        number = dns.rdatatype.from_text(rdtype)
        head = struct.pack('!HBBIIIH', number, change.get('algorithm', key.algorithm), labels, ttl,
                           change.get('expiration', self.now + 14 * DAY),
                           change.get('inception', self.now - 3600), change.get('tag', key.tag))
        head += dns.name.from_text(change.get('signer', self.origin)).to_digestable()
        if labels < count:
            name = dns.name.from_text('*', name.split(labels + 1)[1])
        data = head
        for wire in sorted(set(r.wire() for r in records)):
            data += name.to_digestable() + struct.pack('!HHIH', number, IN, ttl, len(wire)) + wire
        wire = head + key.sign(data)
        rdata = dns.rdata.from_wire(IN, 'RRSIG', wire, 0, len(wire))
        return Record(owner, change.get('ttl', records[0].ttl), 'RRSIG', rdata.to_text())

    def sign(self, owner, rdtype, key=None, **change):
        """One signature more."""
        self.records.append(self.make_sig(owner, rdtype, key, **change))

    def resign(self, owner, rdtype, key=None, **change):
        """One signature in the place of those that are there."""
        old = self.sigs(owner, rdtype)
        self.records = [r for r in self.records if r not in old]
        self.sign(owner, rdtype, key, **change)

    def spoilt(self, owner, rdtype):
        """The rdata of the only signature with six bits changed."""
        words = self.sig(owner, rdtype).rdata.split()
        text = ''.join(words[8:])
        return ' '.join(words[:8]) + ' ' + text[:4] + ('B' if text[4] == 'A' else 'A') + text[5:]

    def set_zonemd(self):
        """Gives the SHA-384 digest its value, and signs the set again."""
        placed = [r for r in self.find(self.origin, 'ZONEMD') if r.rdata.split()[1:3] == ['1', '1']][0]
        zone = dns.zone.from_text(self.text(), origin=self.origin, relativize=False)
        placed.rdata = '%s 1 1 %s' % (placed.rdata.split()[0], zone.compute_digest(1).digest.hex())
        self.resign(self.origin, 'ZONEMD')

    # --- denial of existence ---

    def set_nsec(self, owner, next_name=None, plus=(), minus=(), types=None):
        """Changes the NSEC or NSEC3 record at @owner and signs it again."""
        rdtype = 'NSEC' if self.find(owner, 'NSEC') else 'NSEC3'
        record = self.one(owner, rdtype)
        words = record.rdata.split()
        head = 1 if rdtype == 'NSEC' else 5
        have = words[head:] if types is None else list(types)
        if next_name is not None:
            words[head - 1] = next_name
        record.rdata = ' '.join(words[:head] + [t for t in have if t not in minus] + list(plus))
        self.resign(owner, rdtype)

    def add_nsec(self, owner, next_name, types):
        soa = self.one(self.origin, 'SOA')
        self.add(owner, min(soa.ttl, int(soa.rdata.split()[6])), 'NSEC', '%s %s' % (next_name, types))
        self.sign(owner, 'NSEC')

    def cut_nsec(self, owner):
        """Takes the NSEC record of @owner out and closes the chain over the hole."""
        after = self.one(owner, 'NSEC').rdata.split()[0]
        self.drop(owner, 'NSEC')
        before = [r for r in self.records if r.type == 'NSEC' and r.rdata.split()[0] == owner]
        self.set_nsec(before[0].owner, next_name=after)

    def nsec3(self, name):
        """The owner of the NSEC3 record of @name."""
        words = self.one(self.origin, 'NSEC3PARAM').rdata.split()
        salt = words[3] if words[3] != '-' else ''
        return '%s.%s' % (dns.dnssec.nsec3_hash(name, salt, int(words[2]), 1).lower(), self.origin)

    def nsec3_chain(self):
        """Owners of all NSEC3 records, in order of their hashes."""
        return sorted(r.owner for r in self.records if r.type == 'NSEC3')

    def nsec3_cover(self, name):
        """The owner of the record before that of @name."""
        chain = self.nsec3_chain()
        return max((o for o in chain if o < self.nsec3(name)), default=chain[-1])

    def cut_nsec3(self, name):
        """Takes the NSEC3 record of @name out and closes the chain over the hole."""
        owner = self.nsec3(name)
        after = self.one(owner, 'NSEC3').rdata.split()[4]
        before = self.nsec3_cover(name)
        self.drop(owner, 'NSEC3')
        self.set_nsec(before, next_name=after)

    def put_chain(self, other):
        """Adds the NSEC3 records of @other, the same zone with another chain, and announces them."""
        for record in other.records:
            if record.type == 'NSEC3' or record.covers == 'NSEC3':
                self.records.append(copy.copy(record))
        param = other.one(other.origin, 'NSEC3PARAM')
        self.records.append(copy.copy(param))
        self.resign(self.origin, 'NSEC3PARAM')

    def put_nsec3(self, name, types):
        """Puts an NSEC3 record for @name into the chain."""
        owner = self.nsec3(name)
        before = self.nsec3_cover(name)
        record = self.one(before, 'NSEC3')
        self.add(owner, record.ttl, 'NSEC3', ' '.join(record.rdata.split()[:5] + types.split()))
        self.sign(owner, 'NSEC3')
        self.set_nsec(before, next_name=owner.split('.')[0].upper())
