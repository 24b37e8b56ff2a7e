#!/usr/bin/env python3
"""Random updates (random_updates.py), and what becomes of them by AXFR and IXFR: after each batch each secondary has the
zone that its primary has, record for record, and the zone validates.

ours: signetd takes the updates, of zones signed with NSEC, NSEC3 and NSEC3 with opt-out; BIND, Knot, NSD and another signetd
are its secondaries. named, knotd, nsd: these are the primaries, BIND and Knot sign by themselves what they are told by updates,
NSD reads files; a signetd is their secondary, and another is the secondary of that. At times the secondaries begin anew, by AXFR.

UPDATES=100000: how many, in each role of all zones together. SEED=7: which. Arguments: parts."""
import os
import shutil
import signal
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peer
import secondary_test
import transfers
import xfr_secondaries_test
from random_updates import FILE, Updates
from secondary_test import keys_of, serial
from transfers import key_name, transfer

UPDATES = int(os.environ.get('UPDATES', '600'))
SEED = int(os.environ.get('SEED', '7'))
BATCHES = max(5, UPDATES // 150)  # between two comparisons, 50 updates of each of three zones at most
VALIDATED = max(1, BATCHES // 50)  # every so many batches
ANEW = max(3, BATCHES // 20)
ZONES = {'nsec.': 'default', 'hashed.': 'hashed', 'opt-out.': 'opt-out'}
# By its key the primary's log knows a secondary.
KEYS = {'named': 'hmac-sha224', 'knotd': 'hmac-sha384', 'nsd': 'hmac-sha512', 'signetd': 'hmac-sha256'}
STEP = 5  # updates: the zones are small, and more would be a larger difference than the zone
LEAP = 10 ** 7  # many between two looks of a secondary are no step back (RFC 1982)
WITHIN = 30  # seconds


def equal(t, what, primary, secondary, zone, key=None):
    """Of the serial that the primary has when it is at rest."""
    theirs = mine = None

    def same():
        nonlocal theirs, mine
        if serial(primary, zone) is None or serial(primary, zone) != serial(secondary, zone):
            return False
        try:
            theirs, mine = transfer(primary, zone, key=key).zone(), transfer(secondary, zone).zone()
        except OSError:
            return False  # NSD ends connections when it reloads
        return theirs == mine
    try:
        peer.wait_for(same, f'{what}: {zone} {serial(primary, zone)}', WITHIN)
        return t.check(f'{what}: {zone} record for record', len(mine) > 4, len(mine))
    except RuntimeError as e:
        return t.check(f'{what}: {zone} record for record', False,
                       f'{e}: has {serial(secondary, zone)}, primary {serial(primary, zone)}; only one has {list((theirs or set()) ^ (mine or set()))[:4]}; '
                       f'{secondary.log()[-6000:]}')


def validates(t, what, server, zones, tools=('signet-verifyzone', 'ldns-verify-zone', 'dnssec-verify')):
    for zone in zones:
        path = t.path(f'{what}.{zone}got')
        server.transfer(zone, path)
        for tool in tools:
            status, output = (peer.ours if tool == 'signet-verifyzone' else peer.run)(tool, *([] if tool == 'ldns-verify-zone' else ['-q', '-o', zone]), path)
            t.check(f'{what}: {zone} {tool}', status == 0, output[-1000:])


def send(server, updates, count):
    with socket.create_connection(('127.0.0.1', server.port), timeout=60) as s:
        updates.send(s, count)


def batches(t, what, primary, updates, followers, look, anew, change):
    """Sends the updates in batches; after each look(batch) and, at times, anew()."""
    def follow(batch):
        for name, s in followers.items():
            for u in updates:
                xfr_secondaries_test.notify(s, u.name)
                if not equal(t, f'{what}, {batch}, {name}', primary, s, u.name, keys_of(u.name) if what == 'named' else None):
                    return False
        return True

    for i in range(BATCHES):
        for u in updates:
            change(primary, u, max(1, UPDATES // BATCHES // len(updates)))
        if not follow(f'batch {i}'):
            return False
        look(i)
        if i % ANEW == ANEW - 1:
            anew()
            if not follow(f'batch {i} anew'):
                return False
    return True


def begin_anew(t, d):
    """With nothing that differences could be of."""
    t.check(f'{d.config}: ends well', d.stop() == 0, d.log()[-1000:])
    shutil.rmtree(d.config.replace('.yaml', '.db'))
    os.makedirs(d.config.replace('.yaml', '.db'))
    return transfers.again(t, d)


# --- signetd is the primary -----------------------------------------------------------------------

def ours(t):
    zones = {zone: (FILE, policy) for zone, policy in ZONES.items()}
    to = peer.free_port()
    more = ('  - name: opt-out\n    denial: nsec3-opt-out\n'
            f'remotes: [ {{ name: below, addresses: 127.0.0.1, port: {to}, keys: {key_name(KEYS["signetd"])} }} ]\n')
    primary = transfers.signetd(t, zones, name='primary', update='127.0.0.1', more=more, more_zone='    notify: below\n')
    followers = {name: start(t, primary, ZONES, KEYS[name]) for name, start in xfr_secondaries_test.SECONDARIES.items()}
    followers['signetd'] = secondary_test.secondary(t, 'secondary', {z: [primary.port] for z in ZONES}, port=to, key=lambda z: KEYS['signetd'])
    updates = [Updates(zone, SEED, for_peers=True, leap=LEAP) for zone in ZONES]

    def change(server, u, count):
        for at in range(0, count, STEP):
            send(server, u, min(STEP, count - at))
            for s in followers.values():
                xfr_secondaries_test.notify(s, u.name)

    def look(i):
        if i % VALIDATED == 0:
            name = list(followers)[i // VALIDATED % len(followers)]
            validates(t, f'signetd to {name}', followers[name], ZONES)

    def anew():
        followers['signetd'] = begin_anew(t, followers['signetd'])
        for name, start in xfr_secondaries_test.SECONDARIES.items():
            followers[name].stop()
            shutil.rmtree(followers[name].log_path.removesuffix('.log'))
            followers[name] = start(t, primary, ZONES, KEYS[name])
            peer.wait_for(followers[name].is_up, f'answer from {name}')

    t.check('the updates are as the model has them', batches(t, 'signetd', primary, updates, followers, look, anew, change) and
            not any(u.bad for u in updates), '\n'.join(b for u in updates for b in u.bad[:2]))
    for name, algorithm in KEYS.items():
        answers = [line for line in primary.log().splitlines() if f' key={key_name(algorithm)} ' in line]
        kinds = {kind: sum(f' answer={kind} ' in line for line in answers) for kind in ('differences', 'zone')}
        t.check(f'signetd to {name}: by differences', kinds['differences'] >= BATCHES, kinds)
    t.check('signetd: no difference was turned down', 'transfer-fallback' not in followers['signetd'].log(), followers['signetd'].log()[-1500:])
    for s in [*followers.values(), primary]:
        s.stop()


# --- others are ------------------------------------------------------------------------------------

def theirs(t, name, start, change, tools, least=BATCHES):
    """@start: of secondary_test. change(primary, updates, count) makes so many. @tools: what takes the zones that it signs.
    @least: so many differences."""
    port, to = peer.free_port(), peer.free_port()
    zones = ['no.plain.', 'nsec.', 'hashed.']
    primary = start(t, port, to, zones)
    peer.wait_for(primary.is_up, f'answer from {name}')
    first = secondary_test.secondary(t, f'of-{name}', {z: [port] for z in zones}, port=to)
    last = secondary_test.secondary(t, f'last-{name}', {z: [to] for z in zones}, key=lambda z: None)
    updates = [Updates(z, SEED, judges=False, for_peers=True, leap=LEAP) for z in zones]
    followers = {'first': first, 'last': last}

    def look(i):
        if i % VALIDATED == 0:
            validates(t, f'{name} to last', followers['last'], zones[1:], tools)

    def anew():
        followers['last'] = begin_anew(t, followers['last'])
    batches(t, name, primary, updates, followers, look, anew, change)
    for s in followers.values():
        kinds = s.log().count('kind=IXFR')
        t.check(f'{name}: by differences', kinds >= least, kinds)
    for s in [*followers.values(), primary]:
        s.stop()


def send_until_done(server, updates, count):
    """To one that closes the connection when it does not like an update."""
    end = updates.tried + count
    while updates.tried < end:
        try:
            send(server, updates, end - updates.tried)
        except (OSError, RuntimeError):
            pass


def named(t):
    """When the minimum of the SOA changes, the TTL of NSEC records does not; no key is a ZSK, as dnssec-verify would have it."""
    theirs(t, 'named', secondary_test.named, send_until_done, ['ldns-verify-zone'])


def knotd(t):
    """Leaves NSEC records of names that a cut has come to hide, takes DS without a cut and NS at a wildcard: nobody would
    validate that."""
    theirs(t, 'knotd', secondary_test.knotd, send_until_done, [])


def nsd(t):
    """From files, which signet-signzone signs: each time all signatures are others, and the differences larger than the zone;
    and those of NSD do not fit where the apex has other sets than SOA and NS (secondary_test.nsd_zone)."""
    serials = {}

    def change(primary, updates, count):
        zone = updates.name
        serials[zone] = serials.get(zone, 1) + 1
        updates.make(count)
        path, plain = t.path('nsd', f'{zone}zone'), t.write(f'nsd/{zone}plain', updates.text(serials[zone]))
        if zone in t.nsd_keys:
            peer.sign(t, zone, plain, t.nsd_keys[zone], *(['-3', '-'] if zone == 'hashed.' else []), output=path + '.new')
        else:
            os.replace(plain, path + '.new')
        os.replace(path + '.new', path)
        primary.process.send_signal(signal.SIGHUP)
        peer.wait_for(lambda: serial(primary, zone) == serials[zone], f'{zone} {serials[zone]} at nsd')
    theirs(t, 'nsd', secondary_test.nsd, change, ['signet-verifyzone', 'ldns-verify-zone', 'dnssec-verify'], least=1)


def main():
    with peer.Test('xfr_model') as t:
        for part in (ours, named, knotd, nsd):
            if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
                part(t)


main()
