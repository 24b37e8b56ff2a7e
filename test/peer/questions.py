"""What the differential test asks: every owner and every empty name with many types, and around each the names that
are not there: below it, beside it, right before and after it in the order."""
import random

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

import wire

# Types of data, of DNSSEC, questions for several types, and types that nobody has data of.
TYPES = tuple(dns.rdatatype.from_text(t) for t in (
    'A NS CNAME SOA PTR HINFO MX TXT RP AFSDB AAAA LOC SRV NAPTR DNAME DS RRSIG NSEC DNSKEY NSEC3 NSEC3PARAM TLSA '
    'CDS SVCB HTTPS ANY CAA TYPE65280 TYPE129 TYPE200 TYPE240 TYPE248 TYPE65535').split())
COMMON = tuple(dns.rdatatype.from_text(t) for t in 'A A A AAAA NS SOA MX TXT CNAME DNAME DS DS DNSKEY NSEC ANY'.split())

# (over TCP, EDNS payload, DO): how often of 20
VARIANTS = ((False, 4096, True),) * 8 + ((False, 1232, True),) * 3 + ((False, 512, True),) * 2 + \
    ((False, None, False),) * 3 + ((False, 1232, False),) + ((True, 1232, True),) * 2 + ((True, None, False),)


# dnspython does not know their text.
UNREAD = (14,)  # MINFO


class Zone:
    """Owners and data of a signed file, in which each record has a line of its own."""

    def __init__(self, apex, path):
        self.apex = dns.name.from_text(apex)
        self.types = {}     # owner in wire form, lower case: set of types
        self.exact = set()  # (owner in lower case, type, rdata as it is)
        self.owners = set()
        owner = self.apex
        with open(path) as f:
            for line in f:
                if not line.strip() or line[0] in ';$':
                    continue
                fields = line.rstrip('\n').split(None, 4) if not line[0].isspace() else \
                    [None] + line.rstrip('\n').split(None, 3)
                if fields[0] is not None:
                    owner = dns.name.from_text(fields[0], self.apex)
                self.add(owner, fields[3], fields[4])
        self.hashes = {o for o in self.owners if wire.NSEC3 in self.types[o.to_wire().lower()]}
        self.names = self.with_empty(self.owners - self.hashes)
        self.names_wire = {n.to_wire().lower() for n in self.names}
        # What stands before the \\000 in names that have one: a.example. for a\\000b.example.
        self.before_zero = {dns.name.Name((n.labels[0][:n.labels[0].index(0)],) + n.labels[1:]).to_wire().lower()
                            for n in self.names if n != self.apex and 0 in n.labels[0] and n.labels[0][0] != 0}

    def add(self, owner, rdtype, text):
        number = int(dns.rdatatype.from_text(rdtype))
        key = owner.to_wire().lower()
        if number not in UNREAD:
            rdata = dns.rdata.from_text(dns.rdataclass.IN, number, text, self.apex, False)
            self.exact.add((key, number, rdata.to_wire()))
        self.types.setdefault(key, set()).add(number)
        self.owners.add(owner)

    def with_empty(self, owners):
        names = {self.apex}
        for owner in owners:
            while owner not in names:
                names.add(owner)
                owner = owner.parent()
        return names

    def has(self, name, rdtype):
        return rdtype in self.types.get(name, ())


def neighbours(name, apex):
    """Names near @name that are most likely not there."""
    found = []
    labels = name.labels

    def add(*new):
        try:
            found.append(dns.name.Name(new))
        except (dns.name.NameTooLong, dns.name.LabelTooLong, dns.name.EmptyLabel):
            pass
    for label in (b'a', b'zz', b'*', b'\0', b'\xff', b'www', b'ent', b'x' * 63, b'ns', b'A-'):
        add(label, *labels)
    add(b'x', b'y', *labels)
    add(b'x', b'*', *labels)
    add(b'*', b'y', *labels)
    if name != apex:
        first = labels[0]
        for label in (first + b'\0', first + b'\0\0', first + b'\xff', first[:-1], first[:-1] + bytes([first[-1] ^ 1]),
                      first[:-1] + bytes([first[-1] - 1 & 255]), b'*', b'nope', b'\0'):
            add(label, *labels[1:])
        add(b'q', first + b'\0', *labels[1:])
        add(first, b'nope', *labels[1:])
    return found


def long_below(name):
    """A name of (nearly) 255 octets below @name: DNAMEs make too long names of it."""
    labels = list(name.labels)
    room = 255 - sum(len(l) + 1 for l in labels)
    while room > 2:
        n = min(room - 1, 40)
        labels.insert(0, b'v' * n)
        room -= n + 1
    return dns.name.Name(labels)


def mixed(name, r):
    """The name in wire form, in mixed case."""
    w = bytearray(name.to_wire())
    for i, c in enumerate(w):
        if 97 <= c <= 122 and r.random() < 0.5:
            w[i] = c - 32
    return bytes(w)


def generate(zones, seed=5):
    """Endless (name in wire form, type, variant, flags), first all owners with all types, then at random; always the
    same ones."""
    r = random.Random(seed)
    every = []
    some = []
    for z in zones:
        # Owners of NSEC3 records are no names of the zone (RFC 5155 7.2.8); a few of them are asked for all the same.
        names = sorted(z.names) + sorted(z.hashes)[:10]
        is_large = len(names) > 1000
        for n in names:
            every += [(n, t) for t in (r.sample(TYPES, 4) if is_large else TYPES)]
            around = neighbours(n, z.apex)
            if wire.DNAME in z.types.get(n.to_wire().lower(), ()):
                around += [long_below(n)] * 4
                around += [dns.name.Name((l,) + n.labels) for l in (b'host', b'www', b'c', b'c2', b'x', b'ns')] * 3
            if is_large:
                around = r.sample(around, 3)
            some += [(n, r.choice(TYPES if r.random() < 0.3 else COMMON)) for n in around for _ in range(1 if is_large else 2)]
    r.shuffle(every)
    r.shuffle(some)
    both = [q for pair in zip(every, some) for q in pair] + every[len(some):] + some[len(every):]
    while True:
        for name, rdtype in both:
            n = mixed(name, r) if r.random() < 0.3 else name.to_wire()
            yield n, rdtype, r.choice(VARIANTS), r.choice((0, 0, wire.RD, wire.RD | wire.AD, wire.CD))
