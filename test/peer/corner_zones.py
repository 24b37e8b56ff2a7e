"""The zones of the differential test: made to contain every corner, and generated ones.

    example.          the corners
    child.example.    served beside its parent, signed
    plain.example.    the same, not signed
    x.far.example.    its parent is not served, its grandparent is
    other.            where aliases lead to
    dnapex.           a DNAME at the apex
    gen.              generated
"""
import random

DS = '2345 13 2 0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF'
HEAD = '$TTL 300\n@ SOA ns1.example. Host.Master.example. 7 3600 900 1209600 200\n@ NS ns1.example.\n'

CORNERS = '''$ORIGIN example.
@         NS NS2.Other.
          MX 10 mail
          TXT "apex"
          TYPE65280 \\# 3 010203
ns1       A 127.0.0.1
mail      A 192.0.2.25
          AAAA 2001:db8::25
www       A 192.0.2.1
          AAAA 2001:db8::1
          TXT "a" "b"

; wildcards: at several levels, at and below names that are empty, in each other
*.wild    A 192.0.2.2
          TXT "wild"
blocked.wild TXT "no address here"
a.ent.wild A 192.0.2.3
*.deep.ent.wild TXT "below an empty one"
*.*.star  A 192.0.2.4
sub.*.star TXT "below an asterisk"
sub.*.empty A 192.0.2.5
*.cwild   CNAME www
*.cwild2  CNAME nowhere
*.cwild3  CNAME x.wild
*.cwild4  CNAME www.other.
*.cwild5  CNAME x.nodata
*.cloop   CNAME y.cloop
*.nodata  HINFO "a" "b"
*.mxwild  MX 10 mail
          MX 20 x.wild
*.srvwild SRV 1 2 3 mail
*.big     TXT "%(long)s"
          TXT "%(long)s2"
          TXT "%(long)s3"
*.hw      HTTPS 1 . alpn=h2
          A 192.0.2.6
*.tree    TXT "tree"
*.www     A 192.0.2.7

; empty names
a.b.c.ent A 192.0.2.8
w.ent2    TXT "x"
*.w.ent2  TXT "y"

; aliases
alias     CNAME www
chain1    CNAME chain2
chain2    CNAME Chain3
chain3    CNAME chain4
chain4    CNAME www
dangling  CNAME nowhere
danglingwild CNAME x.y.nodata
tonodata  CNAME mail
toent     CNAME b.c.ent
toapex    CNAME example.
outside   CNAME www.unserved.test.
other     CNAME www.other.
there     CNAME back.other.
otherno   CNAME nowhere.other.
otherwild CNAME a.wild.other.
tochild   CNAME www.child
tochildapex CNAME child
tochildno CNAME nowhere.child
toplain   CNAME www.plain
loop1     CNAME loop2
loop2     CNAME loop1
self      CNAME self
towild    CNAME x.wild
towild2   CNAME x.y.wild
incut     CNAME www.sub
insec     CNAME www.sec
toglue    CNAME ns.sub
todname   CNAME host.dn
below.alias2 A 192.0.2.9
alias2    CNAME www
UPPERalias CNAME wWw

; DNAMEs
dn        DNAME tree
dn        A 192.0.2.10
          TXT "beside"
host.tree A 192.0.2.11
          TXT "t"
c.tree    CNAME www
c2.tree   CNAME host.dn
e.f.tree  A 192.0.2.12
dn2       DNAME other.
dn3       DNAME wild
dn4       DNAME sub
dn5       DNAME nowhere
dn6       DNAME dn
dn7       DNAME dn6
dn8       DNAME mail
dn9       DNAME child
dnroot    DNAME .
dnloop1   DNAME dnloop2
dnloop2   DNAME dnloop1
dngrow    DNAME a.dngrow
dnself    DNAME dnself
dnapexx   DNAME dnapex.
below.dn.deep DNAME tree
dnlong    DNAME %(label60)s.%(label60)s.%(label50)s.example.
dnlonger  DNAME %(label60)s.%(label60)s.%(label60)s.%(label50)s.example.
%(label60)s.%(label60)s.%(label50)s TXT "long"

; delegations
sub       NS ns.sub
          NS ns1
ns.sub    A 192.0.2.13
          AAAA 2001:db8::13
deep.ns.sub A 192.0.2.14
txt.sub   TXT "occluded"
y.sub     NS ns.y.sub
ns.y.sub  A 192.0.2.15
z.sub     CNAME www
w.sub     DNAME tree
*.sub     A 192.0.2.16
sec       NS ns1
sec       DS %(ds)s
sec2      NS ns.sec2
          NS a.ns.sec2
          DS %(ds)s
          DS 2%(ds)s
ns.sec2   A 192.0.2.17
a.ns.sec2 AAAA 2001:db8::17
selfglue  NS selfglue
          A 192.0.2.18
sibling   NS ns.sub
          NS a.ns.sec2
deepglue  NS ns.a.b.deepglue
ns.a.b.deepglue A 192.0.2.19
outglue   NS ns.unserved.test.
          NS www.other.
wildns    NS x.wild
cnamens   NS alias
dnamens   NS host.dn
noglue    NS ns.noglue
below.wildcut NS ns.unserved.test.
*.wildcut A 192.0.2.20
insec.del NS ns.unserved.test.
insec2.del NS ns.unserved.test.
x.y.insec2 NS ns.unserved.test.
a.x.mixed NS ns.unserved.test.
b.x.mixed A 192.0.2.21
a.secdeep NS ns1
a.secdeep DS %(ds)s
child     NS ns1
plain     NS ns1
far       NS ns.far
ns.far    A 192.0.2.22
0cut      NS ns1
zcut      NS ns1

; what has additional data
_sip._udp SRV 1 2 5060 mail
          SRV 1 3 5060 ns.sub
mx        MX 10 mail
          MX 20 mail.sub
          MX 30 mail.unserved.test.
          MX 40 www.other.
          MX 50 alias
          MX 60 x.wild
          MX 70 ns.sub
nullmx    MX 0 .
naptr     NAPTR 1 1 "s" "SIP" "" _sip._udp
          NAPTR 1 2 "a" "x" "" mail
          NAPTR 1 3 "u" "x" "!a!b!" .
svcb      SVCB 1 mail alpn=h2
          SVCB 2 . port=53
svcb      A 192.0.2.23
svcbalias SVCB 0 svcb
https     HTTPS 1 . alpn=h2,h3
          A 192.0.2.24
          AAAA 2001:db8::24
httpsalias HTTPS 0 https
afsdb     AFSDB 1 mail
kx        KX 1 mail
rt        RT 1 mail
ptr       PTR mail
caa       CAA 0 issue "ca.example"
tlsa      TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
loc       LOC 1 N 1 E 1m
generic   TYPE65280 \\# 3 010203
generic2  TYPE65280 \\# 0
hinfo     HINFO "" ""
empty     TXT ""
rp        RP Host.Master txt.example.
minfo     MINFO mail www

; borders of the order
\\000.odd  A 192.0.3.1
\\000\\000.odd A 192.0.3.2
a\\000.odd A 192.0.3.3
a.odd     A 192.0.3.4
a\\000\\000.odd A 192.0.3.5
\\000.a.odd A 192.0.3.6
\\000.\\000.odd TXT "x"
a\\001.odd A 192.0.3.7
a\\.b.odd  A 192.0.3.8
b.a.odd   A 192.0.3.9
a-b.odd   A 192.0.3.10
\\255.odd  A 192.0.3.11
\\255\\255.odd A 192.0.3.12
a\\255.odd A 192.0.3.13
\\255.a.odd A 192.0.3.14
\\032.odd  A 192.0.3.15
\\\\.odd   A 192.0.3.16
\\".odd   A 192.0.3.17
\\@.odd    A 192.0.3.18
\\[.odd    A 192.0.3.19
Z.odd     A 192.0.3.20
z\\000.odd NS ns1
zz.odd    A 192.0.3.21
**.odd    A 192.0.3.22
a*.odd    A 192.0.3.23
UPPER.odd A 192.0.3.24
_.odd     CNAME UPPER.odd
`.odd     A 192.0.3.25
\\127.odd  A 192.0.3.26
\\128.odd  A 192.0.3.27
w\\000.odd2 NS ns1
*.w.odd2  A 192.0.3.28
x.w\\000\\000.odd2 A 192.0.3.29
'''


def big_sets():
    """Sets that do not fit 512, 1232, 4096 octets, and one that only TCP takes."""
    lines = []
    for i in range(40):
        lines.append(f'a40 A 10.0.0.{i}')
    for i in range(12):
        lines.append(f'txt12 TXT "{i:02}{"x" * 90}"')
    for i in range(30):
        lines.append(f'txt30 TXT "{i:02}{"y" * 120}"')
    for i in range(95):
        lines.append(f'txt95 TXT "{i:03}{"z" * 240}"')
    lines.append('long TXT ' + ' '.join(f'"{"s" * 255}"' for _ in range(10)))
    lines.append('tolong CNAME long')
    lines.append('many TXT ' + ' '.join('""' for _ in range(250)))
    for i in range(13):
        lines.append(f'bigcut NS ns{i}.a.long.name.of.many.labels.bigcut')
        lines.append(f'ns{i}.a.long.name.of.many.labels.bigcut A 10.1.0.{i}')
        lines.append(f'ns{i}.a.long.name.of.many.labels.bigcut AAAA 2001:db8::1:{i}')
    for i in range(30):
        lines.append(f'hugecut NS ns{i}.of.many.labels.hugecut')
        lines.append(f'ns{i}.of.many.labels.hugecut A 10.2.0.{i}')
    lines.append(f'hugecut DS {DS}')
    for i in range(25):
        lines.append(f'bigsibling NS ns{i}.of.many.labels.hugecut')
    return '\n'.join(lines) + '\n'


def chains():
    """Aliases one after the other, more than anybody follows, and just not so many."""
    lines = [f'hop{i} CNAME hop{i + 1}' for i in range(30)] + ['hop30 A 192.0.2.99']
    lines += [f'dhop{i} DNAME dhop{i + 1}' for i in range(24)] + ['x.dhop24 A 192.0.2.98']
    lines += [f'whop{i} CNAME x.whop{i}' for i in range(6)]
    lines += [f'*.whop{i} CNAME whop{i + 1}' for i in range(5)] + ['*.whop5 A 192.0.2.97']
    return '\n'.join(lines) + '\n'


def long_names(longest):
    """Names of so many octets, in few labels and in many."""
    three = '.'.join('l' * 61 for _ in range(3))
    few = f'{"m" * (longest - 3 * 62 - 9 - 1)}.{three}'
    many = '.'.join('a' for _ in range((longest - 9) // 2))
    return f'{few} A 192.0.2.30\n{many} A 192.0.2.31\n*.{three} TXT "w"\nm.{three} NS ns1\ntofew CNAME {few}\n' \
        f'mx.few MX 1 {few}\n'


CHILD = '''$ORIGIN child.example.
ns1.child.example. A 192.0.2.40
www       A 192.0.2.41
*.wild    A 192.0.2.42
cut       NS ns.cut
ns.cut    A 192.0.2.43
alias     CNAME www.example.
dn        DNAME example.
b.grand   NS ns1.example.
'''
PLAIN = '''$ORIGIN plain.example.
www       A 192.0.2.50
*.wild    A 192.0.2.51
a.ent     TXT "x"
alias     CNAME www.example.
dn        DNAME tree.example.
cut       NS ns.cut
cut       DS %(ds)s
ns.cut    A 192.0.2.53
'''
FAR = '''$ORIGIN x.far.example.
www       A 192.0.2.60
'''
OTHER = '''$ORIGIN other.
ns2       A 192.0.2.70
          AAAA 2001:db8::70
www       A 192.0.2.71
back      CNAME www.example.
back2     CNAME chain1.example.
*.wild    A 192.0.2.72
backnot   CNAME nowhere.example.
host      A 192.0.2.73
backdn    DNAME tree.example.
cut       NS ns1.example.
'''
DNAPEX = '''$ORIGIN dnapex.
@         DNAME tree.example.
@         TXT "apex"
'''


def corners(child_ds, longest=255):
    """The text of example."""
    fill = {'ds': DS, 'long': 'w' * 200, 'label60': 'd' * 60, 'label50': 'e' * 50}
    return HEAD + CORNERS % fill + child_ds.replace('child.example.', 'child') + '\n' + big_sets() + chains() + \
        long_names(longest)


def small_zones():
    """{apex: text} of the others."""
    return {'child.example.': HEAD + CHILD, 'plain.example.': HEAD + PLAIN % {'ds': DS},
            'x.far.example.': HEAD + FAR, 'other.': HEAD + OTHER, 'dnapex.': HEAD + DNAPEX}


# --- generated --------------------------------------------------------------------------------------------------

LABELS = ('a', 'b', 'ab', 'abc', 'b-c', 'x', 'y', 'zz', 'ns', 'mail', 'host', '_tcp', '*', 'A1', '0', '9', 'a\\001', '\\255q')


def generated(owners=3000, seed=11):
    """A zone of random records at random places, few labels so that everything meets. What may not stand together
    does not."""
    r = random.Random(seed)
    kinds = {}  # owner: types that are there
    lines = []

    def name(depth):
        labels = [r.choice(LABELS) for _ in range(depth)]
        return '.'.join(l + (str(r.randrange(40)) if l not in ('*',) and r.random() < 0.5 else '') for l in labels)

    def target():
        return r.choice((name(1), name(2), r.choice(list(kinds)) if kinds else 'ns1.example.', 'www.example.',
                         'out.unserved.test.', name(1) + '.other.'))

    while len(kinds) < owners:
        owner = name(r.choice((1, 2, 2, 3, 3, 4)))
        key = owner.lower()
        have = kinds.setdefault(key, set())
        kind = r.choice(('A', 'A', 'A', 'AAAA', 'TXT', 'MX', 'SRV', 'NS', 'NS', 'SEC', 'CNAME', 'DNAME', 'HTTPS', 'NAPTR'))
        is_wild = owner.startswith('*')
        if 'CNAME' in have or (kind == 'CNAME' and have) or ({'NS', 'SEC', 'DNAME'} & have) or \
                (kind in ('NS', 'SEC', 'DNAME') and (is_wild or have)) or \
                (kind == 'DNAME' and r.random() < 0.6):
            continue
        have.add(kind)
        ttl = r.choice((60, 300, 3600))
        if kind == 'SEC':
            lines += [f'{owner} 300 NS {t}' for t in {target(), target()}] + [f'{owner} 300 DS {DS}']
        elif kind == 'NS':
            lines += [f'{owner} 300 NS {t}' for t in {target(), f'ns.{owner}'}] + [f'ns.{owner} 300 A 10.3.0.1']
        elif kind in ('CNAME', 'DNAME'):
            lines.append(f'{owner} {ttl} {kind} {target()}')
        else:
            rdata = {'A': lambda: f'10.4.{r.randrange(256)}.{r.randrange(256)}', 'AAAA': lambda: f'2001:db8::{r.randrange(9999)}',
                     'TXT': lambda: '"' + 't' * r.randrange(250) + '"', 'MX': lambda: f'{r.randrange(9)} {target()}',
                     'SRV': lambda: f'1 2 {r.randrange(9)} {target()}', 'HTTPS': lambda: f'1 {r.choice((".", target()))}',
                     'NAPTR': lambda: f'1 {r.randrange(9)} "{r.choice(("a", "s", ""))}" "x" "" {target()}'}[kind]
            lines += [f'{owner} {ttl} {kind} {d}' for d in {rdata() for _ in range(r.choice((1, 1, 2, 5)))}]
    dnames = tuple('.' + owner for owner, have in kinds.items() if 'DNAME' in have)
    lines = [l for l in lines if not l.split()[0].lower().endswith(dnames)]  # below them nothing may stand
    return HEAD.replace('ns1.example.', 'ns1') + 'ns1 A 127.0.0.1\n' + '\n'.join(lines) + '\n'
