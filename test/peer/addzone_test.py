#!/usr/bin/env python3
"""signetctl addzone and delzone: zones that come and go while signetd runs, are remembered over restarts and reloads, and
never leave a configuration that cannot be read."""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.query
import dns.rcode
import dns.update
import peer
import updating

ZONE = '$TTL 300\n@ SOA ns h 1 7200 3600 86400 300\n  NS ns\nns A 127.0.0.1\nwww A 192.0.2.1\n'


class Server:
    def __init__(self, t):
        self.t = t
        self.daemon = updating.signetd(t, {'first.': (ZONE, None)}, extra=f'  control: {t.path("control")}\n')
        self.keyring = self.daemon.keyring
        self.config = self.daemon.config = t.path('signetd.yaml')
        self.added = t.path('database/zones.yaml')

    def restart(self):
        self.t.check('ends well', self.daemon.stop() == 0, self.daemon.log()[-1000:])
        self.daemon = peer.Daemon(self.t, self.daemon.process.args, self.daemon.port, self.daemon.log_path)
        self.daemon.config = self.config
        peer.wait_for(self.daemon.is_up, 'answer from signetd')

    def serves(self, zone):
        return self.daemon.ask(f'www.{zone}', 'A').rcode() == dns.rcode.NOERROR

    def said(self, what, words, status, *parts):
        got = self.daemon.ctl(*words)
        self.t.check(what, got[0] == status and all(p in got[1] for p in parts), got)
        return got[1]

    def text(self):
        with open(self.added) as f:
            return f.read()


def comes_and_goes(t, s):
    plain = t.write('it\'s plain.zone', ZONE)
    signed = t.write('signed.zone', ZONE)
    t.check('not there', s.daemon.ask('www.plain.', 'A').rcode() == dns.rcode.REFUSED)
    s.said('addzone', ['addzone', 'plain', plain], 0, 'zone: plain.\nstate: ok\nserial: 1\n', plain)
    t.check('it is served', s.serves('plain.'))
    s.said('with options', ['addzone', 'signed.', signed, 'dnssec=default', 'allow-update=[ "key updater" ]', 'serial=unixtime'],
           0, 'zone: signed.\n')
    peer.wait_for(lambda: json.loads(s.daemon.ctl('--json', 'status', 'signed.')[1])['data'].get('signed'), 'signing')
    u = dns.update.Update('signed.', keyring=s.keyring, keyalgorithm='hmac-sha256.')
    u.add('dyn', 60, 'TXT', 'dyn')
    t.check('it takes updates', dns.query.tcp(u, '127.0.0.1', port=s.daemon.port, timeout=10).rcode() == dns.rcode.NOERROR)
    t.check('the other zone as well as before', s.serves('first.'))
    t.check('the configuration stays', 'plain' not in open(s.config).read())
    t.check('is for the server alone', os.stat(s.added).st_mode & 0o777 == 0o600)
    s.restart()
    t.check('both after a restart', s.serves('plain.') and s.daemon.ask('dyn.signed.', 'TXT').answer)
    s.said('reload', ['reload'], 0, 'zones: 3\n')
    s.said('reconfig', ['reconfig'], 0, 'zones: 3\n')
    t.check('and reloads', s.serves('plain.') and s.daemon.ask('dyn.signed.', 'TXT').answer)
    code, out = peer.ours('signet-checkconf', s.config)
    t.check('signet-checkconf knows them', code == 0 and ': 3 zones, ' in out, out)
    code, out = peer.ours('signet-checkconf', '--dump', s.config)
    t.check('and leaves them where they are', code == 0 and 'first.' in out and 'signed.' not in out, out)
    s.said('delzone', ['delzone', 'plain.'], 0)
    t.check('is served no more', s.daemon.ask('www.plain.', 'A').rcode() == dns.rcode.REFUSED and os.path.exists(plain))
    t.check('the other is', s.serves('signed.'))
    s.restart()
    t.check('after a restart too', s.daemon.ask('www.plain.', 'A').rcode() == dns.rcode.REFUSED and s.serves('signed.'))
    s.said('delzone of the last', ['delzone', 'SIGNED'], 0)
    t.check('none is left', s.text().splitlines()[-1] == 'zones:', s.text())
    s.said('zones', ['zones'], 0, 'first.')
    s.said('again', ['addzone', 'signed.', signed, 'dnssec=default', 'allow-update=key updater'], 0)
    peer.wait_for(lambda: s.daemon.ask('dyn.signed.', 'TXT').answer, 'what an update had done')
    t.check('what the database had is there again', s.serves('signed.'))


def cleaned(t, s):
    """Without -clean a zone goes on from where it was; with it nothing is left of before, but for its file and its keys."""
    path = t.write('clean.zone', ZONE)
    again = ['addzone', 'clean.', path, 'dnssec=default', 'allow-update=key updater']

    def keys():
        return sorted(f for f in os.listdir(t.path('database/keys')) if f.startswith('Kclean.+'))

    def serial():
        r = s.daemon.ask('clean.', 'SOA')
        return r.answer[0][0].serial if r.answer else 0

    def update(name):
        u = dns.update.Update('clean.', keyring=s.keyring, keyalgorithm='hmac-sha256.')
        u.add(name, 60, 'TXT', name)
        t.check('update', dns.query.tcp(u, '127.0.0.1', port=s.daemon.port, timeout=10).rcode() == dns.rcode.NOERROR)

    def has(name):
        return bool(s.daemon.ask(f'{name}.clean.', 'TXT').answer)

    s.said('a zone', again, 0)
    peer.wait_for(lambda: serial() != 0, 'the zone')
    for i in range(20):
        update(f'dyn{i}')
    before, made = serial(), keys()
    s.said('flush', ['flush', 'clean.'], 0)
    s.said('delzone', ['delzone', 'clean.'], 0)
    t.write('clean.zone', ZONE.replace('www A', 'other A'))
    s.said('with another file', again, 0)
    peer.wait_for(lambda: s.daemon.ask('other.clean.', 'A').answer, 'what the new file has')
    t.check('what the old file had is gone', not s.daemon.ask('www.clean.', 'A').answer)
    t.check('it goes on from there', has('dyn19') and serial() > before and keys() == made, serial())
    s.said('its history is there', ['journal', 'clean.'], 0, 'update')
    update('last')
    s.said('delzone -clean', ['delzone', '-clean', 'clean.'], 0)
    t.check('it is served no more', s.daemon.ask('other.clean.', 'A').rcode() == dns.rcode.REFUSED)
    left = [f for f in os.listdir(t.path('database')) if f.startswith('clean.')]
    t.check('files and keys', not left and os.path.exists(path) and keys() == made, left)
    s.said('once more', ['delzone', '-clean', 'clean.'], 1, 'there is no zone')
    s.said('misuse', ['delzone', '-clean'], 2, 'delzone [-clean] ZONE')
    s.said('misuse', ['delzone', 'clean.', '-clean'], 2, 'delzone [-clean] ZONE')
    s.said('anew', again, 0)
    peer.wait_for(lambda: serial() != 0, 'the zone')
    t.check('nothing of before is there', not has('dyn1') and not has('last') and serial() < before, serial())
    t.check('nor in the journal', 'update' not in s.said('journal', ['journal', 'clean.'], 0))
    t.check('the keys are', keys() == made, keys())
    s.restart()
    t.check('after a restart too', not has('last') and s.daemon.ask('other.clean.', 'A').answer)
    s.said('of one that is not kept', ['addzone', 'asitis.', t.write('asitis.zone', ZONE)], 0)
    s.said('of one that is not kept', ['delzone', '-clean', 'asitis.'], 0)
    s.said('delzone', ['delzone', '-clean', 'clean.'], 0)


def refused(t, s):
    good = t.write('good.zone', ZONE)
    before = s.text()
    for what, words, code, parts in (
            ('of a zone of the configuration', ['addzone', 'first.', good], 1, ['is served already']),
            ('twice', ['addzone', 'signed.', good], 1, ['is served already']),
            ('no name', ['addzone', 'a..b', good], 2, ['signetctl: ']),
            ('no file', ['addzone', 'new.', t.path('nowhere')], 1, [f'{s.added}:', 'cannot read', 'nowhere']),
            ('an unknown option', ['addzone', 'new.', good, 'dnsec=default'], 1, ['unknown key "dnsec"', f'{s.added}:']),
            ('an unknown policy', ['addzone', 'new.', good, 'dnssec=none'], 1, ['there is no policy "none"', f'{s.added}:']),
            ('no option', ['addzone', 'new.', good, 'dnssec'], 2, ['expected an option of zones']),
            ('a wrong option', ['addzone', 'new.', good, 'dns sec=default'], 2, ['expected an option of zones']),
            ('broken YAML', ['addzone', 'new.', good, 'allow-update=[ "key updater"'], 1, [f'{s.added}:']),
            ('another zone in it', ['addzone', 'new.', good, 'checks={}, name: other.'], 1, [f'{s.added}:']),
            ('delzone of a zone of the configuration', ['delzone', 'first.'], 1, ['stands in the configuration', s.added]),
            ('delzone of none', ['delzone', 'none.'], 1, ['there is no zone'])):
        s.said(what, words, code, *parts)
        t.check(f'{what}: nothing is left of it', s.text() == before)
    t.check('none of them is served', 'new.' not in s.daemon.ctl('zones')[1])
    good_config = open(s.config).read()
    t.write('signetd.yaml', good_config + 'wrong: yes\n')
    got = peer.ours('signetctl', '-s', t.path('control'), 'addzone', 'new.', good)
    t.check('a bad configuration', got[0] == 1 and 'unknown key "wrong"' in got[1] and s.text() == before, got)
    t.write('signetd.yaml', good_config)
    s.said('a bad zone file', ['addzone', 'bad.', t.write('bad.zone', 'nonsense\n')], 1, 'is added, and has nothing to serve',
           'bad.zone:1')
    s.said('can be mended', ['status', 'bad.'], 0, 'state: down')
    t.write('bad.zone', ZONE)
    s.said('and loaded', ['reload', 'bad.'], 0, 'state: ok')


def by_hand(t, s):
    """The file may have been edited; what is wrong with it is said with its place."""
    before = s.text()
    zone = t.write('hand.zone', ZONE)
    with open(s.added, 'a') as f:
        f.write(f'# mine\n  - file: {zone}\n    name: hand\n')
    s.said('an edited file', ['reconfig'], 0, 'zones: 4\n')
    t.check('is read', s.serves('hand.'))
    s.said('delzone of another', ['delzone', 'bad.'], 0)
    s.said('delzone', ['delzone', 'hand.'], 0)
    t.check('they are gone', 'zones: 2\n' in s.daemon.ctl('status')[1], s.text())
    for what, text, error in (('a zone of the configuration', f'zones:\n  - name: first\n    file: {zone}\n', ':2:11: the zone '
                               '"first." is here, and in the configuration at line'),
                              ('no YAML', 'zones: [\n', ':2:1: '), ('another section', 'server: {}\n', ':1:1: expected a list'),
                              ('a wrong key', f'zones:\n  - name: x\n    fil: {zone}\n', ':2:5: this zone has no "file"'),
                              ('a list of something', 'zones: 1\n', ':1:1: expected a list'), ('not a map', '- 1\n', ':1:1: ')):
        with open(s.added, 'w') as f:
            f.write(text)
        s.said(what, ['reconfig'], 1, f'{s.added}{error}')
        t.check(f'{what}: the old zones are served', s.serves('first.') and s.serves('signed.'))
    with open(s.added, 'w') as f:
        f.write(before)
    s.said('as before', ['reconfig'], 0, 'zones: 3\n')


def without_database(t):
    zone = t.write('zone', ZONE)
    server = peer.signetd(t, {'other.': zone}, name='plain')
    got = server.ctl('addzone', 'new.', zone)
    t.check('no database', got[0] == 1 and 'remembered in server.database' in got[1], got)
    server.stop()


def main():
    with peer.Test('addzone') as t:
        s = Server(t)
        comes_and_goes(t, s)
        cleaned(t, s)
        refused(t, s)
        by_hand(t, s)
        without_database(t)


main()
