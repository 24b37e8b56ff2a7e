#!/usr/bin/env python3
"""The same signed zones served by signetd, named, knotd and nsd, the same questions asked of each: see questions.py for
what is asked, corner_zones.py for of what.

Where the three peers agree, we agree. Where one of them says something else than we, a row of ROWS says why it is wrong,
and by which RFC. `make differential` asks at least 50,000 questions, and there a row that explains nothing is a failure
as well; `make test` asks a share of them.

What is compared: code, flags but TC, answer and authority as sets of records with their TTLs and signatures, names
without regard to case; and of the additional section the glue of a referral. What is left out, for all servers alike:

    the zone's NS set in the authority section of an answer    NSD sends it, RFC 1034 4.3.2 leaves it open
    what else is additional                                    RFC 1034 4.3.2: "useful"; see additional() for ours
    CD                                                         BIND copies it, we clear it as RFC 4035 3.1.6 has it
    which sets answer ANY and RRSIG                            RFC 8482 4.1, and 7 for RRSIG; that there are some counts

Where a response of any of them has TC, all are asked again over TCP, as a resolver does, and these are compared; whether
ours should have had it is computed from what had to go into it (RFC 2181 9, RFC 9471).

Of our responses more is asked: no record twice, data octet by octet as in the zone file (names keep their case), the
question as it came, no longer than was allowed, additional data only of names that were mentioned.
"""
import collections
import itertools
import os
import random
import socket
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import corner_zones
import peer
import questions
import wire

PEERS = ('named', 'knot', 'nsd')
QUESTIONS = int(os.environ.get('QUESTIONS', '2500'))  # of each set of zones
WHOLE = 10000  # from so many on each row has to be of use
BATCH = 32
POINTERS = 8  # that a parser has to follow for a name of ours
CHAINS = {'nsec': (), 'nsec3': ('-3', '-'), 'optout': ('-3', 'a1b2', '-A')}

# --- who is right -------------------------------------------------------------------------------------------------

class Case:
    """One question, and the responses to it."""

    def __init__(self, world, question, messages):
        self.world = world
        self.name, self.type, (self.tcp, self.payload, self.do), self.flags = question
        self.key = self.name.lower()
        self.messages = messages
        self.ours = messages['signet']
        self.essence = {n: essence(m, self.type) for n, m in messages.items()}
        targets = {r.owner: r.rdata for r in self.ours.answer if r.type == wire.CNAME}
        self.chain = [self.key]
        self.is_loop = False
        while self.chain[-1] in targets:
            target = targets[self.chain[-1]]
            if target in self.chain:
                self.is_loop = True
                break
            self.chain.append(target)
        self.hops = len(self.chain) - 1
        self.zones = [world.zone_of(n) for n in self.chain]

    @property
    def crosses(self):
        """The chain leads from one zone that is served into another."""
        return any(z is not None and z is not self.zones[0] for z in self.zones)

    def less(self, who):
        """Does @who answer with a part of our answer only?"""
        return records(self.messages[who].answer) < records(self.ours.answer)

    def part(self, who):
        return records(self.messages[who].answer) <= records(self.ours.answer)

    def proves_less(self, who):
        return self.differs(who) == {'authority'} and self.essence[who][3] < self.essence['signet'][3]

    def proves_more(self, who):
        return self.differs(who) == {'authority'} and self.essence[who][3] > self.essence['signet'][3]

    def leaves_glue_out(self, who):
        return self.differs(who) == {'glue'} and self.essence[who][4] < self.essence['signet'][4]

    def meets_empty_wildcard(self):
        """The last name is not there, and *.<closest encloser> is there but owns nothing."""
        zone, encloser = self.zones[-1], self.encloser()
        return encloser is not None and b'\1*' + encloser in zone.names_wire and b'\1*' + encloser not in zone.types

    def encloser(self):
        """Of the last name, if that is not there."""
        zone = self.zones[-1]
        if zone is None or self.chain[-1] in zone.names_wire:
            return None
        up = self.chain[-1]
        while up not in zone.names_wire:
            up = up[1 + up[0]:]
        return up

    def is_unchained(self):
        """Under opt-out a name that leads to insecure delegations only has no NSEC3 record."""
        zone = self.zones[-1]
        names = [self.encloser() or self.chain[-1]]
        if self.meets_empty_wildcard():
            names.append(b'\1*' + names[0])
        return self.world.what == 'optout' and zone is not None and any(n not in zone.types for n in names)

    def is_below_empty_asterisk(self):
        name = self.chain[-1]
        zone = self.zones[-1]
        while zone is not None and name != b'\0' and not (name.startswith(b'\1*') and name in zone.names_wire):
            name = name[1 + name[0]:]
        return zone is not None and name in zone.names_wire and name not in zone.types

    def is_below_hash(self):
        return any(self.key.endswith(h.to_wire().lower()) for h in self.zones[0].hashes) if self.zones[0] else False

    def differs(self, who):
        """Which of code, flags, answer, authority and glue."""
        return {what for what, a, b in zip(PARTS, self.essence['signet'], self.essence[who]) if a != b}


def records(section):
    return frozenset(r.key() for r in section)


PARTS = ('code', 'flags', 'answer', 'authority', 'glue')


def essence(m, rdtype):
    aa = m.flags & wire.AA
    authority = m.authority
    glue = frozenset()
    if m.answer and aa:
        authority = [r for r in authority if wire.NS not in (r.type, r.covers)]
    elif not aa:
        cut = next((r.owner for r in authority if r.type == wire.NS), None)
        if cut is not None:
            glue = records(r for r in m.additional if r.owner.endswith(cut))
    answer = records(m.answer) if rdtype not in (wire.ANY, wire.RRSIG) else bool(m.answer)
    return (m.rcode, m.flags & (wire.AA | wire.RD | wire.RA | wire.AD), answer, records(authority), glue)


def labels(name):
    while name[0]:
        yield name[1:1 + name[0]]
        name = name[1 + name[0]:]


def has_zero(name):
    return any(0 in label for label in labels(name))


def zero_octets(c, who):
    """A name with \\000 in a label is asked for, stands in the proof that differs, or is beside a name on the way."""
    beside = c.zones[-1].before_zero if c.zones[-1] is not None else ()
    difference = records(c.ours.authority) ^ records(c.messages[who].authority)
    return any(map(has_zero, c.chain)) or any(c.chain[-1].endswith(n) for n in beside) or any(has_zero(r[0]) or r[1] == wire.NSEC and has_zero(r[3]) for r in difference)


def rcode(c, who):
    return c.messages[who].rcode


def has_dname(c):
    return any(r.type == wire.DNAME for r in c.ours.answer)


def is_wild(c):
    """The answer came from a wildcard, as the labels of a signature say."""
    return any(r.type == wire.RRSIG and r.rdata[3] < sum(1 for _ in labels(r.owner)) for r in c.ours.answer)


# (who is wrong, when, why we are right). The first that fits is taken.
ROWS = [
    ('named', lambda c: 128 <= c.type <= 254 and rcode(c, 'named') == 1,
     'types that nobody knows are questions like others: RFC 8906 3.1.2'),
    ('named', lambda c: c.hops >= 11 and rcode(c, 'named') == 2 and c.part('named'),
     'it gives up chains after 11 aliases: a part of the chain is no failure, who asks goes on from there: RFC 1034 5.2.2'),
    ('named', lambda c: c.is_loop and rcode(c, 'named') == 2,
     'a loop is in the data, not in the server: the answer shows it: RFC 1034 3.6.2'),
    ('named', lambda c: c.is_below_empty_asterisk() and c.differs('named') == {'authority'},
     'the proof for an empty asterisk and below it is of another name: RFC 4035 3.1.3'),
    ('named', lambda c: c.type == wire.ANY and has_dname(c) and rcode(c, 'named') == 0,
     'it does not go on from a DNAME for ANY: RFC 6672 3.2 step 3c, "go back to step 1"'),
    ('named', lambda c: c.meets_empty_wildcard() and c.proves_less('named'),
     'that a wildcard is empty has to be proved as well: RFC 4035 3.1.3.4'),
    ('named', lambda c: c.meets_empty_wildcard() and c.is_unchained() and c.differs('named') == {'authority'},
     'it tells of the wildcard of the closest provable encloser, which does not stand for the name: RFC 5155 7.2.5'),
    ('named', lambda c: c.crosses and rcode(c, 'named') in (0, c.ours.rcode) and c.part('named'),
     'it does not follow aliases into its other zones: RFC 1034 4.3.2 step 3a, "go back to step 1"'),
    ('named', lambda c: c.type == wire.NSEC and c.ours.flags & wire.AA == 0 and c.messages['named'].answer,
     'only DS is answered from above a cut: RFC 4035 3.1.4.1, else RFC 1034 4.3.2 step 3b'),
    ('named', lambda c: c.type == wire.NSEC and (c.less('named') if c.hops else c.is_loop),
     'it does not follow an alias for NSEC where there is NSEC3: RFC 1034 3.6.2 excepts nobody'),
    ('named', lambda c: c.leaves_glue_out('named'),
     'it leaves glue out without TC: RFC 9471 2.1'),
    ('knot', lambda c: zero_octets(c, 'knot'),
     'it puts labels with \\000 in the wrong order: RFC 4034 6.1'),
    ('knot', lambda c: c.crosses and rcode(c, 'knot') in (0, c.ours.rcode) and c.part('knot'),
     'it does not follow aliases into its other zones: RFC 1034 4.3.2 step 3a, "go back to step 1"'),
    ('knot', lambda c: c.type == wire.NSEC and (c.less('knot') if c.hops else c.is_loop),
     'it does not follow an alias for NSEC where there is NSEC3: RFC 1034 3.6.2 excepts nobody'),
    ('knot', lambda c: c.do and rcode(c, 'knot') == 3 and not c.messages['knot'].authority,
     'it finds no proof and leaves out SOA and AA as well: RFC 2308 2.1, RFC 5155 7.2.2'),
    ('knot', lambda c: c.ours.rcode == 6,
     'it goes on with a name that got too long: RFC 6672 2.2, YXDOMAIN is the end'),
    ('knot', lambda c: c.hops > 5 and rcode(c, 'knot') == 0 and c.less('knot'),
     'it stops after 5 aliases: RFC 1034 3.6.2, "chains should be followed"'),
    ('knot', lambda c: c.meets_empty_wildcard() and c.proves_less('knot'),
     'that a wildcard is empty has to be proved as well: RFC 4035 3.1.3.4'),
    ('knot', lambda c: c.type == wire.NSEC and is_wild(c) and c.proves_less('knot'),
     'that there is no closer name has to be proved for an NSEC from a wildcard too: RFC 4035 3.1.3.3'),
    ('knot', lambda c: any(n.startswith(b'\1*') for n in c.chain) and c.proves_less('knot'),
     'a name with an asterisk that is not there is expanded like others, with proof: RFC 4592 3.3.1'),
    ('nsd', lambda c: c.hops >= 16 and records(c.ours.answer) <= records(c.messages['nsd'].answer),
     'it follows more aliases than our 16: nobody has to: RFC 1034 5.2.2'),
    ('nsd', lambda c: c.leaves_glue_out('nsd'),
     'it leaves glue out without TC: RFC 9471 2.1'),
    ('nsd', lambda c: c.encloser() is not None and c.proves_less('nsd'),
     'that there is a closest encloser has to be proved beside a wildcard without data: RFC 5155 7.2.5'),
    ('nsd', lambda c: c.is_unchained(),
     'the proof begins at the closest encloser that has a record: RFC 5155 7.2.1, "closest provable encloser"'),
    ('nsd', lambda c: c.chain[-1].startswith(b'\1*') and c.proves_more('nsd'),
     'for an asterisk that is there the record that matches it is the proof: RFC 5155 7.2.3'),
    ('nsd', lambda c: c.type == wire.NSEC3 and c.hops and c.less('nsd'),
     'it does not follow an alias for NSEC3: RFC 1034 3.6.2 excepts nobody'),
    ('nsd', lambda c: has_dname(c) and c.hops > len({r.owner for r in c.ours.answer if r.type == wire.DNAME}) and c.less('nsd'),
     'it does not go through the same DNAME twice: RFC 6672 3.2 step 3c, "go back to step 1"'),
    ('nsd', lambda c: c.is_below_hash(),
     'it takes the owner of an NSEC3 record for a name of the zone: RFC 5155 7.2.8'),
    ('nsd', lambda c: has_dname(c) and c.differs('nsd') == {'authority'},
     'its proofs for a wildcard behind a DNAME are of the wrong name: RFC 4035 3.1.3.4'),
]

# RRSIG, reserved and unassigned types, NXNAME, TKEY, TSIG, transfers, MAILB, MAILA
CORNER_TYPES = (0, 41, 46, 103, 128, 200, 249, 250, 251, 252, 253, 254)
OPT = b'\0\0\x29\x04\xd0\0\0\x80\0\0\0'
# corner: (our answer, why)
CORNERS = {
    'TYPE41': ('FORMERR', 'OPT is no type of data (RFC 6891 §6.1.1); BIND says so too'),
    'TYPE128': ('FORMERR', 'NXNAME may not be asked for (RFC 9824 §3.5); BIND says so too'),
    'TYPE250': ('FORMERR', 'TSIG is part of a message (RFC 8945 §4.2); BIND says so too'),
    'TYPE249': ('NOTIMP', 'TKEY is a request for a key (RFC 2930 §2.1), which nobody here serves'),
    'TYPE253': ('NOTIMP', 'MAILB is a question for several types (RFC 1035 §3.2.3); BIND says so too'),
    'cookie of 0': ('FORMERR', 'malformed (RFC 7873 §5.2.2); BIND says so too, the others know no cookies'),
    'cookie of 7': ('FORMERR', 'malformed (RFC 7873 §5.2.2); BIND says so too'),
    'cookie of 9': ('FORMERR', 'malformed (RFC 7873 §5.2.2); BIND says so too'),
    'cookie of 15': ('FORMERR', 'malformed (RFC 7873 §5.2.2); BIND says so too'),
    'cookie of 41': ('FORMERR', 'malformed (RFC 7873 §5.2.2); BIND says so too'),
    'TYPE254': ('NOTIMP', 'MAILA is a question for several types (RFC 1035 §3.2.3); BIND says so too'),
}



# --- the four servers ---------------------------------------------------------------------------------------------

# What the parsers of Knot and NSD misread.
SPELT = (('\\\\', '\\092'), ('[', '\\091'), ('`', '\\096'))


def spell(text):
    for octet, number in SPELT:
        text = text.replace(octet, number)
    return text


class World:
    """A set of zones and the servers of it."""

    def __init__(self, t, what, zones):
        self.what = what
        spelt = {z: t.write(f'{what}/{z}spelt', spell(open(p).read())) if z == 'example.' else p for z, p in zones.items()}
        self.zones = [questions.Zone(z, p) for z, p in zones.items()]
        self.by_apex = {z.apex.to_wire().lower(): z for z in self.zones}
        self.servers = {'signet': peer.signetd(t, zones, name=f'{what}-signet', extra='  udp-size: 4096'),
                        'named': peer.named(t, zones, name=f'{what}-named', minimal='no-auth'),
                        'knot': peer.knotd(t, spelt, name=f'{what}-knot'),
                        'nsd': peer.nsd(t, spelt, name=f'{what}-nsd', minimal='no')}
        self.udp = {n: wire.Udp(s.port) for n, s in self.servers.items()}
        self.tcp = {n: wire.Tcp(s.port) for n, s in self.servers.items()}

    def zone_of(self, name):
        """The served zone that has @name, or None."""
        while name not in self.by_apex:
            if name == b'\0':
                return None
            name = name[1 + name[0]:]
        return self.by_apex[name]

    def ask(self, part, tcp):
        """Sends the questions to all; [{server: Message}]. Whoever is silent, or cannot be read, fails the test."""
        clients = self.tcp if tcp else self.udp
        queries = [wire.query(name, rdtype, flags, payload, do) for name, rdtype, (_, payload, do), flags in part]
        for c in clients.values():
            c.send(queries)
        got = {n: c.collect() for n, c in clients.items()}
        for n, answers in got.items():
            for q, answer in zip(part, answers):
                if answer is None:
                    raise RuntimeError(f'{n} does not answer {show_question(q)}')
        return [{n: wire.Message(got[n][i]) for n in got} for i in range(len(part))]

    def stop(self):
        for c in (*self.udp.values(), *self.tcp.values()):
            c.close()
        for s in list(self.servers.values()):
            s.stop()


def show_name(name):
    return dns.name.from_wire(name, 0)[0].to_text()


def show_type(r):
    covers = f'({dns.rdatatype.to_text(r.covers)})' if r.covers else ''
    return f'{dns.rdatatype.to_text(r.type)}{covers}'


def show_question(q):
    name, rdtype, (tcp, payload, do), flags = q
    return f'{show_name(name)} {dns.rdatatype.to_text(rdtype)} {"TCP" if tcp else "UDP"} EDNS={payload} DO={do} flags={flags:#x}'


def show_difference(a, b):
    """What the message @b has more than @a, and less, section by section."""
    lines = [f'{dns.rcode.to_text(a.rcode)} {a.flags:#x}, theirs {dns.rcode.to_text(b.rcode)} {b.flags:#x}']
    for title, one, other in zip(('answer', 'authority', 'additional'), a.sections, b.sections):
        for sign, section, rest in (('-', one, records(other)), ('+', other, records(one))):
            for r in [r for r in section if r.key() not in rest][:12]:
                name = show_name(r.rdata) if r.type in (wire.NS, wire.CNAME, wire.DNAME, wire.NSEC) else ''
                lines.append(f'    {sign} {title}: {show_name(r.owner)} {r.ttl} {show_type(r)} {name}')
    return '\n'.join(lines)


def show(m):
    lines = [f'{dns.rcode.to_text(m.rcode)} flags={m.flags:#x} {len(m.wire)} octets']
    for title, section in zip(('answer', 'authority', 'additional'), m.sections):
        for r in section[:40]:
            name = show_name(r.rdata) if r.type in (wire.NS, wire.CNAME, wire.DNAME, wire.NSEC) else ''
            lines.append(f'      {title}: {show_name(r.owner)} {r.ttl} {show_type(r)} {name}')
    return '\n'.join(lines)

# --- comparing ----------------------------------------------------------------------------------------------------

class Score:
    """What came of it."""

    def __init__(self):
        self.used = collections.Counter()
        self.asked = self.split = self.wrong = 0
        self.shown = collections.Counter()

    def fail(self, kind, text):
        self.wrong += 1
        self.shown[kind] += 1
        if self.shown[kind] <= int(os.environ.get('SHOW', '2')):
            print(f'{kind}: {text}', flush=True)


def row_of(case, who):
    return next((i for i, (peer_name, fits, _) in enumerate(ROWS) if peer_name == who and fits(case)), None)


def compare(score, case, question):
    ours = case.essence['signet']
    others = [who for who in PEERS if case.essence[who] != ours]
    score.split += bool(others)
    rows = {who: row_of(case, who) for who in others}
    for row in rows.values():
        score.used[row] += 1
    agree = len({case.essence[who] for who in PEERS}) == 1
    for who in others:
        if rows[who] is None or agree:
            kind = f'{case.world.what}: {"all" if agree else who} differ in {" ".join(sorted(case.differs(who)))}'
            score.fail(kind, f'{show_question(question)}\n  {show_difference(case.ours, case.messages[who])}')
            break


def needed_octets(m):
    """Octets of a response without what may be left out."""
    referral = not m.flags & wire.AA
    cut = next((r.owner for r in m.authority if r.type == wire.NS), None) if referral else None
    glue = sum(r.end - r.start for r in m.additional if cut is not None and r.owner.endswith(cut))
    opt = 11 if m.opt is not None else 0  # options may be left out
    return m.additional_at + glue + opt


def check_ours(score, world, question, udp, whole):
    """@udp: as asked, @whole: over TCP if that was cut."""
    name, rdtype, (tcp, payload, do), flags = question
    where = show_question(question)
    if udp.question != (name, rdtype, 1):
        score.fail('question is not as it came', where)
    if not tcp:
        limit = max(512, min(payload or 512, 4096))
        if len(udp.wire) > limit:
            score.fail('longer than allowed', where)
        if udp.is_truncated() != (needed_octets(whole) > limit):
            score.fail('TC', f'{where}: {needed_octets(whole)} octets are needed of {limit}\n  {show(udp)}\n  {show(whole)}')
        for a, b in zip(udp.sections, whole.sections):
            if not records(a) <= records(b):
                score.fail('another answer over TCP', f'{where}\n  {show(udp)}\n  {show(whole)}')
    every = [r.key() for s in whole.sections for r in s]
    if len(every) != len(set(every)):
        score.fail('a record twice', f'{where}\n  {show(whole)}')
    for r in itertools.chain(*whole.sections):
        if not is_of_zone(world, r, whole):
            score.fail('data not as in the zone', f'{where}: {show_name(r.owner)} {show_type(r)}')
    if max(udp.hops, whole.hops) > POINTERS:
        score.fail('too many pointers for a name', where)
    if udp.flags & (wire.CD | wire.AD | wire.RA | 0x40):
        score.fail('CD, AD, RA or Z', where)
    if (whole.opt is not None) != (payload is not None):
        score.fail('OPT', where)


def is_of_zone(world, r, m):
    """Octet by octet; but for what is made on the way."""
    zone = world.zone_of(r.owner)
    if r.type in questions.UNREAD:
        return True
    owners = [r.owner]
    up = r.owner
    while up != b'\0':
        up = up[1 + up[0]:]
        owners.append(b'\1*' + up)
    zones = [zone, world.zone_of(zone.apex.parent().to_wire().lower())] if len(zone.apex) > 1 else [zone]
    if any((o, r.type, r.exact) in z.exact for z in zones if z is not None for o in owners):
        return True
    return r.type == wire.CNAME and any(d.type == wire.DNAME and r.owner.endswith(d.owner) for d in m.answer)


def run_world(t, score, what, zones):
    world = World(t, what, zones)
    stream = questions.generate(world.zones)
    strict = random.Random(3)
    asked = wrong = 0
    before = score.wrong
    while asked < QUESTIONS:
        batch = list(itertools.islice(stream, BATCH))
        asked += len(batch)
        for tcp in (False, True):
            part = [q for q in batch if q[2][0] == tcp]
            got = world.ask(part, tcp) if part else []
            cut = [i for i, m in enumerate(got) if any(x.is_truncated() for x in m.values())]
            again = dict(zip(cut, world.ask([part[i] for i in cut], True))) if cut else {}
            for i, (q, m) in enumerate(zip(part, got)):
                whole = again.get(i, m)
                compare(score, Case(world, q, whole), q)
                check_ours(score, world, q, m['signet'], whole['signet'])
                if strict.random() < 0.05:
                    dns.message.from_wire(m['signet'].wire, ignore_trailing=False)
    score.asked += asked
    t.check(f'{what}: {asked} questions', score.wrong == before, f'{score.wrong - before} wrong')
    world.stop()


def corner_world(t, chain, options):
    """{zone: file}, signed but for one."""
    child_keys, child_ds = peer.generate_keys(t, 'child.example.')
    # NSD 4.6 falls over names of 254 octets in zones with NSEC3: no asterisk fits before them.
    texts = {'example.': corner_zones.corners(child_ds, 253 if options else 255), **corner_zones.small_zones(), 'gen.': corner_zones.generated()}
    files = {}
    for zone, text in texts.items():
        source = t.write(f'{chain}/{zone}zone', text)
        if zone == 'plain.example.':
            status, dump = peer.ours('signet-checkzone', '-q', '--dump', '-o', zone, source)
            files[zone] = t.write(f'{chain}/{zone}dump', dump)
        else:
            keys = child_keys if zone == 'child.example.' else peer.generate_keys(t, zone)[0]
            files[zone] = peer.sign(t, zone, source, keys, *options)
    for keys in os.listdir(t.path('keys')):
        for f in os.listdir(t.path('keys', keys, 'ECDSAP256SHA256')):
            os.unlink(t.path('keys', keys, 'ECDSAP256SHA256', f))
    return files


def differential(t):
    score = Score()
    only = os.environ.get('WORLDS', '').split()
    for chain, options in CHAINS.items():
        if not only or chain in only:
            run_world(t, score, chain, corner_world(t, chain, options))
    if not only or 'root' in only:
        run_world(t, score, 'root', {'.': os.path.join(peer.DATA, 'root-2020101902.zone')})
    print(f'differential: {score.asked} questions to each of four servers, a peer differs on {score.split}, '
          f'{score.wrong} wrong')
    for i, (who, _, why) in enumerate(ROWS):
        print(f'  {score.used[i]:6} {who}: {why}')
        if QUESTIONS >= WHOLE and not only:
            t.check(f'row "{who}: {why}" is of use', score.used[i] != 0)


# --- what hardly anybody asks --------------------------------------------------------------------------------------

ZONE = '''$ORIGIN example.
$TTL 300
@         SOA ns1 host 1 3600 900 1209600 300
          NS ns1
ns1       A 127.0.0.1
www       A 192.0.2.1
'''


def with_options(options, version=0, flags=0, questions=1, rdclass=1):
    """www.example. A with an OPT record."""
    question = dns.name.from_text('www.example.').to_wire() + struct.pack('!HH', 1, rdclass) if questions else b''
    return struct.pack('!6H', 1, 0, questions, 0, 0, 1) + question + b'\0\0\x29' + \
        struct.pack('!HBBHH', 1232, 0, version, flags, len(options)) + options


def option_queries():
    for length in (0, 7, 8, 9, 15, 16, 24, 40, 41):
        yield f'cookie of {length}', with_options(struct.pack('!HH', 10, length) + b'c' * length)
    yield 'no question but a cookie', with_options(struct.pack('!HH', 10, 8) + b'c' * 8, questions=0)
    yield 'version 1', with_options(b'', version=1)
    yield 'version 1 with a malformed cookie', with_options(struct.pack('!HH', 10, 1) + b'c', version=1)
    yield 'version 255', with_options(b'', version=255)
    yield 'flags that nobody knows', with_options(b'', flags=0x7fff)
    for code in (0, 3, 5, 9, 11, 12, 13, 14, 15, 18, 19, 20, 100, 65001, 65535):
        yield f'option {code}', with_options(struct.pack('!HH', code, 0))
    yield 'an option cut short', with_options(struct.pack('!HH', 65001, 3) + b'hi')
    yield 'half an option', with_options(b'\0\3\0')
    for opcode in (1, 2, 3, 6, 15):
        wire = bytearray(with_options(b''))
        wire[2] = opcode << 3
        yield f'opcode {opcode} with OPT', bytes(wire)
    for rdclass in (4, 255):
        yield f'class {rdclass} with OPT', with_options(b'', rdclass=rdclass)


def corner_queries():
    """(what, query in wire form, over TCP)"""
    for name in ('www.example.', 'example.', 'other.test.'):
        n = dns.name.from_text(name).to_wire()
        for rdtype in CORNER_TYPES:
            for tcp in (False, True) if rdtype in (251, 252) else (False,):
                yield (f'{name} TYPE{rdtype}{" TCP" if tcp else ""}',
                       struct.pack('!6H', 1, 0, 1, 0, 0, 1) + n + struct.pack('!HH', rdtype, 1) + OPT, tcp)
    n = dns.name.from_text('www.example.').to_wire()
    for rdclass in (0, 3, 254):
        yield f'class {rdclass}', struct.pack('!6H', 1, 0, 1, 0, 0, 1) + n + struct.pack('!HH', 1, rdclass) + OPT, False
    for what, wire in option_queries():
        yield what, wire, False
    yield 'AXFR of class CH', struct.pack('!6H', 1, 0, 1, 0, 0, 0) + n + struct.pack('!HH', 252, 3), True
    yield 'OPT twice', struct.pack('!6H', 1, 0, 1, 0, 0, 2) + n + struct.pack('!HH', 1, 1) + OPT + OPT, False
    yield 'OPT and no question', struct.pack('!6H', 1, 0, 0, 0, 0, 1) + OPT, False
    yield 'no question', struct.pack('!6H', 1, 0, 0, 0, 0, 0), False


def ask_wire(server, wire, tcp):
    """What has to agree: code, AA, counts of answer and authority, whether there is an OPT. None: silence."""
    try:
        if tcp:
            with socket.create_connection(('127.0.0.1', server.port), timeout=3) as s:
                s.sendall(struct.pack('!H', len(wire)) + wire)
                with s.makefile('rb') as f:
                    answer = f.read(struct.unpack('!H', f.read(2))[0])
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.connect(('127.0.0.1', server.port))
                s.settimeout(2)
                s.send(wire)
                answer = s.recv(65535)
    except (OSError, struct.error):
        return None
    _, flags, _, answers, authority, additional = struct.unpack('!6H', answer[:12])
    return (dns.rcode.to_text(flags & 15), bool(flags & dns.flags.AA), answers, authority, additional)


def corners(t):
    """What hardly anybody asks. Where two of the peers agree, we do as they, or CORNERS says why not."""
    keys, _ = peer.generate_keys(t, 'example.')
    signed = peer.sign(t, 'example.', t.write('corners.zone', ZONE), keys)
    signet = peer.signetd(t, {'example.': signed}, name='corners')
    others = [start(t, {'example.': signed}, name=f'corners-{start.__name__}')
              for start in (peer.named, peer.knotd, peer.nsd)]
    for what, wire, tcp in corner_queries():
        ours = ask_wire(signet, wire, tcp)
        theirs = [ask_wire(s, wire, tcp) for s in others]
        most = max(theirs, key=theirs.count)
        key = next((k for k in (what, what.split()[-1]) if k in CORNERS), what)
        if key in CORNERS:
            t.check(f'{what}: we differ as we said', ours is not None and ours[0] == CORNERS[key][0], (ours, theirs))
        elif theirs.count(most) > 1:
            t.check(f'{what}: as most of them', ours == most, (ours, theirs))
        else:
            t.check(f'{what}: as one of them', ours in theirs, (ours, theirs))
    for s in (signet, *others):
        s.stop()
    for f in os.listdir(keys):  # those that sign the other zones come with them
        os.unlink(os.path.join(keys, f))


def main():
    with peer.Test('differential') as t:
        corners(t)
        differential(t)


main()
