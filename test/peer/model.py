"""A zone that takes dynamic updates, as RFC 2136 tells it and as simple as can be: a dictionary. What it does not have is
what a server adds by itself (DNSSEC records), and all that makes a server fast."""
import struct

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

IN, NONE, ANY = 1, 254, 255
NOERROR, FORMERR, NXDOMAIN, REFUSED, YXDOMAIN, YXRRSET, NXRRSET, NOTZONE = 0, 1, 3, 5, 6, 7, 8, 10
NS, CNAME, SOA, WKS, KEY, DNAME, OPT, DS, RRSIG, NSEC, NSEC3 = 2, 5, 6, 11, 25, 39, 41, 43, 46, 47, 50
ANY_TYPE = 255
SINGLETONS = {CNAME, SOA, DNAME}
SIGNERS = {RRSIG, NSEC, NSEC3}  # the server makes them; clients may not (RFC 3007 §4.3)
BESIDE_CNAME = {CNAME, KEY} | SIGNERS  # RFC 4034 §3, §4; RFC 3007 §3.1.1
# Whose names are compared without regard to case (RFC 4034 §6.2, RFC 6840 §5.1). No other letters in them, in the tests.
HAS_NAMES = {NS, CNAME, SOA, 12, 15, 33, 35, DNAME}
TTL_MAX = 0x7fffffff
HELD_MAX = 365 * 86400  # zones/ddns.h


def is_meta(number):
    return 128 <= number <= 255 or number == OPT


def above(owner):
    """The names above it in the zone, its apex last."""
    while owner:
        owner = owner.partition('.')[2]
        yield owner


class Rdata:
    """Of one type, in wire form, and as RFC 4034 §6.2 compares it."""
    known = {}

    def __init__(self, number, wire, text, canonical):
        self.type, self.wire, self.text, self.canonical = number, wire, text, canonical

    @classmethod
    def of(cls, rdtype, text, origin=None):
        """Of its text in a zone file; names that end in no dot are completed with the name @origin."""
        at = (rdtype, text, origin)
        if at not in cls.known:
            number = dns.rdatatype.from_text(rdtype)
            read_as = dns.rdatatype.DNSKEY if number == KEY else number  # which dnspython has not got
            r = dns.rdata.from_text(dns.rdataclass.IN, read_as, text, origin, relativize=False)
            wire = r.to_wire()
            if number == RRSIG:  # each is another one
                return cls(number, wire, text, wire)
            cls.known[at] = cls(number, wire, r.to_text(), wire.lower() if number in HAS_NAMES else wire)
        return cls.known[at]


def soa_numbers(rdata):
    """Serial, refresh, retry, expire, minimum."""
    return struct.unpack('!5I', rdata.wire[-20:])


def soa_names(rdata):
    return rdata.canonical[:-20]


def is_newer(a, b):
    """RFC 1982."""
    return 0 < (a - b) % 2 ** 32 < 2 ** 31


class Set:
    def __init__(self, ttl, records):
        self.ttl, self.records = ttl, records  # {canonical: Rdata}

    def copy(self):
        return Set(self.ttl, dict(self.records))


class RR:
    """Of a prerequisite or an update. @owner: text in lower case, relative to the zone ('' is its apex), with a final dot
    where it is elsewhere; @rdata: an Rdata, or None where there is none."""

    def __init__(self, owner, cls, number, ttl=0, rdata=None):
        self.owner, self.cls, self.type, self.ttl, self.rdata = owner, cls, number, ttl, rdata
        self.is_outside = owner.endswith('.')
        self.is_void = rdata is None or not rdata.wire


class Zone:
    """{owner: {type: Set}}. The serial is only known within bounds, as the server moves it by itself."""

    def __init__(self):
        self.names = {}
        self.serial = (0, 0)

    def put(self, owner, ttl, rdata):
        """A record of the zone file."""
        self.set(owner, rdata.type, ttl).records[rdata.canonical] = rdata

    def set(self, owner, number, ttl):
        return self.names.setdefault(owner, {}).setdefault(number, Set(ttl, {}))

    def find(self, owner, number):
        return self.names.get(owner, {}).get(number)

    # --- prerequisites (RFC 2136 §3.2) ---

    def prerequisites(self, rrs):
        wanted = {}
        for rr in rrs:
            if rr.ttl != 0:
                return FORMERR
            if rr.is_outside:
                return NOTZONE
            if rr.cls in (ANY, NONE):
                if not rr.is_void or (rr.type != ANY_TYPE and is_meta(rr.type)):
                    return FORMERR
                is_there = rr.owner in self.names if rr.type == ANY_TYPE else self.find(rr.owner, rr.type) is not None
                if is_there != (rr.cls == ANY):
                    if rr.type == ANY_TYPE:
                        return NXDOMAIN if rr.cls == ANY else YXDOMAIN
                    return NXRRSET if rr.cls == ANY else YXRRSET
            elif rr.cls == IN and not is_meta(rr.type):
                wanted.setdefault((rr.owner, rr.type), set()).add(rr.rdata.canonical)
            else:
                return FORMERR
        for (owner, number), records in wanted.items():
            have = self.find(owner, number)
            if have is None or set(have.records) != records:
                return NXRRSET
        return NOERROR

    # --- updates (RFC 2136 §3.4) ---

    @staticmethod
    def prescan(rrs):
        for rr in rrs:
            if rr.is_outside:
                return NOTZONE
            if rr.type != ANY_TYPE and is_meta(rr.type):
                return FORMERR
            if rr.cls == ANY:
                good = rr.ttl == 0 and rr.is_void
            elif rr.cls == NONE:
                good = rr.ttl == 0 and rr.type != ANY_TYPE
            else:
                good = rr.cls == IN and rr.type != ANY_TYPE
            if not good:
                return FORMERR
            if rr.type in SIGNERS:
                return REFUSED
            if rr.cls == IN and rr.ttl <= TTL_MAX and rr.ttl > HELD_MAX:
                return REFUSED
            if rr.cls == IN and rr.type == SOA and soa_numbers(rr.rdata)[3] > HELD_MAX:
                return REFUSED
        return NOERROR

    def add(self, rr):
        sets = self.names.get(rr.owner, {})
        others = set(sets) - BESIDE_CNAME
        if rr.type == CNAME and others or rr.type not in BESIDE_CNAME and CNAME in sets:
            return
        if rr.type in (NS, DNAME) and rr.owner.split('.')[0] == '*':  # not defined (RFC 4592 §4.2, §4.4); zones/ddns.h
            return
        if rr.owner and {rr.type} | set(sets) >= {NS, DNAME}:  # RFC 6672 §2.3
            return
        if rr.type == SOA:
            low, high = self.serial
            serial = soa_numbers(rr.rdata)[0]
            if rr.owner or not is_newer(serial, high):
                # The test gives none that are newer than one bound only.
                assert rr.owner or not is_newer(serial, low)
                return
            self.serial = (serial, serial)
        ttl = 0 if rr.ttl > TTL_MAX else rr.ttl  # RFC 2181 §8
        s = self.set(rr.owner, rr.type, ttl)
        s.ttl = ttl
        if rr.type in SINGLETONS:
            s.records = {}
        elif rr.type == WKS:  # known by address and protocol (§1.1.5)
            s.records = {c: r for c, r in s.records.items() if c[:5] != rr.rdata.canonical[:5]}
        s.records.setdefault(rr.rdata.canonical, rr.rdata)

    def remove_set(self, owner, number):
        if number == SOA or (owner == '' and number == NS):
            return
        self.names.get(owner, {}).pop(number, None)

    def remove(self, rr):
        s = self.find(rr.owner, rr.type)
        if s is None or rr.type == SOA or (rr.owner == '' and rr.type == NS and len(s.records) == 1):
            return
        s.records.pop(rr.rdata.canonical, None)
        if not s.records:
            del self.names[rr.owner][rr.type]

    def apply(self, rr):
        if rr.cls == ANY and rr.type == ANY_TYPE:
            for number in list(self.names.get(rr.owner, {})):
                self.remove_set(rr.owner, number)
        elif rr.cls == ANY:
            self.remove_set(rr.owner, rr.type)
        elif rr.cls == NONE:
            self.remove(rr)
        else:
            self.add(rr)

    def tidy(self, owner):
        """A DS record without a delegation would make the zone impossible to validate (zones/ddns.h)."""
        sets = self.names.get(owner)
        if sets is not None and DS in sets and (owner == '' or NS not in sets):
            del sets[DS]
        if not sets:
            self.names.pop(owner, None)

    def content(self):
        """{(owner, type): (ttl, records)}, SOA without its serial."""
        out = {}
        for owner, sets in self.names.items():
            for number, s in sets.items():
                records = frozenset(s.records)
                if number == SOA:
                    r = next(iter(s.records.values()))
                    records = (soa_names(r), soa_numbers(r)[1:])
                out[owner, number] = (s.ttl, records)
        return out

    def update(self, prerequisites, updates):
        """The rcode of the answer."""
        rcode = self.prerequisites(prerequisites) or self.prescan(updates)
        if rcode == NOERROR:
            for rr in updates:
                self.apply(rr)
            for owner in {rr.owner for rr in updates}:
                self.tidy(owner)
        return rcode


# --- messages -------------------------------------------------------------------------------------

def wire_name(owner, origin):
    """@origin: in wire form."""
    labels = [label.encode() for label in owner.rstrip('.').split('.') if label]
    return b''.join(bytes([len(label)]) + label for label in labels) + (b'\0' if owner.endswith('.') else origin)


def wire_rr(rr, origin, spell):
    wire = rr.rdata.wire if rr.rdata is not None else b''
    return wire_name(spell(rr.owner), origin) + struct.pack('!HHIH', rr.type, rr.cls, rr.ttl, len(wire)) + wire


def wire_message(number, origin, prerequisites, updates, spell=lambda owner: owner):
    """An UPDATE message (RFC 2136 §2). @spell gives owners another spelling, upper case for one."""
    return (struct.pack('!6H', number, 5 << 11, 1, len(prerequisites), len(updates), 0) + origin +
            struct.pack('!HH', SOA, IN) +
            b''.join(wire_rr(rr, origin, spell) for rr in prerequisites + updates))
