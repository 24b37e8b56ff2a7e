#!/usr/bin/env python3
"""What signetctl has done to zones that signetd keeps: zone files written, updates held back, and what of that survives
edits, restarts, and kill -9."""
import calendar
import errno
import json
import os
import re
import shutil
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.query
import dns.rcode
import dns.rdatatype
import dns.update
import fault_control
import peer
import updating

ZONE = '''$TTL 300
@    SOA ns h 10 7200 3600 86400 300
     NS  ns
ns   A   127.0.0.1 ; said by hand
www  A   192.0.2.1
'''
MARK = '; Written by signetd'


class Server:
    """A signetd with zones of several kinds, which can be ended and started again."""

    def __init__(self, t, zones):
        self.t = t
        self.daemon = updating.signetd(t, zones, extra=f'  control: {t.path("control")}\n')
        self.keyring = self.daemon.keyring
        self.daemon.config = self.config = t.path('signetd.yaml')

    def start(self):
        self.daemon = peer.Daemon(self.t, self.daemon.process.args, self.daemon.port, self.daemon.log_path)
        self.daemon.config = self.config
        peer.wait_for(self.daemon.is_up, 'answer from signetd')

    def kill(self):
        self.daemon.is_ours = False  # its status is no news
        self.daemon.stop(signal.SIGKILL)

    def restart(self):
        self.t.check('ends well', self.daemon.stop() == 0, self.daemon.log()[-1000:])
        self.start()

    def file(self, zone):
        return self.t.path(f'{zone}zone')

    def text(self, zone):
        with open(self.file(zone)) as f:
            return f.read()

    def edit(self, zone, text):
        with open(self.file(zone), 'w') as f:
            f.write(text)

    def ask(self, name, rdtype='A'):
        return self.daemon.ask(name, rdtype)

    def serial(self, zone):
        return self.ask(zone, 'SOA').answer[0][0].serial

    def update(self, zone, change):
        u = dns.update.Update(zone, keyring=self.keyring, keyalgorithm='hmac-sha256.')
        change(u)
        return dns.query.tcp(u, '127.0.0.1', port=self.daemon.port, timeout=10).rcode()

    def add(self, zone, name, value=None):
        """A TXT record; value: its own name."""
        got = self.update(zone, lambda u: u.add(name, 60, 'TXT', value or name))
        return self.t.check(f'{name}.{zone} is added', got == dns.rcode.NOERROR, got)

    def has(self, zone, name):
        return any(rs.rdtype == 16 for rs in self.ask(f'{name}.{zone}', 'TXT').answer)

    def said(self, what, words, status, *parts):
        """The answer as text has all of @parts."""
        got = self.daemon.ctl(*words)
        self.t.check(what, got[0] == status and all(p in got[1] for p in parts), got)
        return got[1]

    def json(self, *words, status=0):
        got = self.daemon.ctl('--json', *words)
        self.t.check(f'{words}: JSON, status {status}', got[0] == status and got[1].count('\n') == 1, got)
        return json.loads(got[1])

    def reload(self, zone):
        """Until the file has been looked at."""
        count = self.daemon.log().count('from=file')
        self.daemon.ctl('reload', zone)
        peer.wait_for(lambda: self.daemon.log().count('from=file') > count, 'reading of the file')


def types_of(text):
    return {line.split()[3] for line in text.splitlines() if line and not line.startswith(';')}


def sync(t, s):
    for zone in ('plain.', 'nsec.', 'nsec3.'):
        if zone == 'plain.':  # the others have got a serial of their own
            s.said('nothing to write', ['sync', zone], 0, 'the zone file has all of it', f'file: {s.file(zone)}')
            t.check('so comments stay', s.text(zone) == ZONE)
        s.add(zone, 'dyn')
        s.update(zone, lambda u: u.delete('www', 'A'))
        os.chmod(s.file(zone), 0o640)
        s.said(f'{zone} is written', ['sync', zone], 0, f'serial: {s.serial(zone)}\n')
        text = s.text(zone)
        t.check(f'{zone} has what an update has done', 'dyn.' in text and 'www' not in text and text.startswith(MARK), text)
        t.check(f'{zone} has nothing that the server makes', types_of(text) == {'SOA', 'NS', 'A', 'TXT'}, text)
        t.check(f'{zone} what was there is kept', open(s.file(zone) + '.bak').read() == ZONE)
        t.check(f'{zone} with its mode', os.stat(s.file(zone)).st_mode & 0o777 == 0o640)
        t.check(f'{zone} is sound', peer.ours('signet-checkzone', '-o', zone, s.file(zone))[0] == 0)
        s.add(zone, 'more')
        s.said(f'{zone} again', ['sync', zone], 0)
        t.check(f'{zone} the first is kept still', open(s.file(zone) + '.bak').read() == ZONE)
        serial = s.serial(zone)
        s.said(f'{zone} is no changed file', ['reload', zone], 0)
        s.said(f'{zone} nothing to write now', ['sync', zone], 0, 'the zone file has all of it')
        t.check(f'{zone} no new serial', s.serial(zone) == serial and s.has(zone, 'dyn') and s.has(zone, 'more'))
    copy = t.path('copy')
    s.said('all that is served', ['sync', 'nsec.', copy], 0, f'file: {copy}')
    t.check('is signed', {'RRSIG', 'NSEC', 'DNSKEY', 'CDS'} <= types_of(open(copy).read()))
    t.check('and validates', peer.ours('signet-verifyzone', copy)[0] == 0)
    s.said('again', ['sync', 'nsec3.', copy], 0)
    t.check('with NSEC3', {'NSEC3', 'NSEC3PARAM'} <= types_of(open(copy).read()))
    s.said('a relative path', ['sync', 'nsec.', 'copy'], 2, 'whole path')
    other = t.write('other', 'something else\n')
    s.said('what is not ours stays', ['sync', 'nsec.', other], 1, f'{other}: there is something else')
    t.check('as it was', open(other).read() == 'something else\n')
    s.said('no zone', ['sync', 'nowhere.'], 1, 'there is no zone')
    s.said('no directory', ['sync', 'nsec.', t.path('none/copy')], 1, 'none/copy')


def sync_edited(t, s):
    zone = 'nsec.'
    s.add(zone, 'dyn2')
    edited = s.text(zone) + 'hand TXT hand ; by hand\n'
    s.edit(zone, edited)
    s.said('an edited file', ['sync', zone], 1, f'{s.file(zone)} has changed since it was read', 'signetctl reload')
    t.check('stays', s.text(zone) == edited)
    answer = s.json('sync', status=1)
    t.check('all zones: one fails', answer['data']['failed'] == 1 and answer['data']['failures'][0]['zone'] == zone and
            answer['data']['zones'] == 4, answer)
    s.reload(zone)
    s.said('after a reload', ['sync'], 0, 'zones: 4\nfailed: 0\n')
    t.check('both are in it', 'hand' in s.text(zone) and 'dyn2' in s.text(zone))
    os.remove(s.file(zone))
    s.said('a file that is gone is written', ['sync', zone], 0, 'records: ')
    t.check('with all', 'hand' in s.text(zone))
    os.makedirs(t.path('elsewhere'), exist_ok=True)
    os.rename(s.file(zone), t.path('elsewhere/zone'))
    os.symlink(t.path('elsewhere/zone'), s.file(zone))
    s.add(zone, 'dyn3')
    s.said('a link', ['sync', zone], 0)
    t.check('stays a link', os.path.islink(s.file(zone)) and 'dyn3' in open(t.path('elsewhere/zone')).read())


def sync_restart(t, s):
    """Neither a restart nor a crash takes a written file for a changed one."""
    zone = 'nsec3.'
    for end in (s.restart, lambda: (s.kill(), s.start())):
        s.add(zone, 'late')
        s.said('written', ['sync', zone], 0)
        s.update(zone, lambda u: u.delete('late', 'TXT'))
        serial = s.serial(zone)
        end()
        t.check('what was removed later stays away', not s.has(zone, 'late') and s.serial(zone) == serial,
                (serial, s.serial(zone)))
    s.edit(zone, s.text(zone) + 'grown TXT grown\n')
    s.reload(zone)
    t.check('an edit after that is taken', s.has(zone, 'grown') and not s.has(zone, 'late'))


def freeze(t, s):
    zone = 'nsec.'
    s.add(zone, 'before')
    s.said('freeze', ['freeze', zone], 0, f'serial: {s.serial(zone)}')
    t.check('the file has all', 'before' in s.text(zone))
    serial = s.serial(zone)
    t.check('updates are refused', s.update(zone, lambda u: u.add('cold', 60, 'TXT', 'cold')) == dns.rcode.REFUSED)
    t.check('and change nothing', s.serial(zone) == serial and not s.has(zone, 'cold'))
    t.check('the log says why', 'update-frozen zone=nsec. requests=1' in s.daemon.log(), s.daemon.log()[-500:])
    s.add('nsec3.', 'warm')
    s.said('freeze again', ['freeze', zone], 0, 'was frozen before')
    for end in (s.restart, lambda: (s.kill(), s.start())):
        end()
        t.check('it stays frozen', s.update(zone, lambda u: u.add('cold', 60, 'TXT', 'cold')) == dns.rcode.REFUSED)
    good = s.text(zone)
    s.edit(zone, good + 'edited TXT edited\nwrong A 1.2.3\n')
    s.said('a bad file', ['thaw', zone], 1, 'mend the zone file', 'stays frozen')
    t.check('it is frozen still', s.update(zone, lambda u: u.add('cold', 60, 'TXT', 'cold')) == dns.rcode.REFUSED)
    s.edit(zone, good + 'edited TXT edited\n')
    s.said('thaw', ['thaw', zone], 0, 'records: ')
    t.check('the edit is there at once', s.has(zone, 'edited') and s.has(zone, 'before'))
    s.add(zone, 'after')
    s.said('thaw again', ['thaw', zone], 0, 'was not frozen')
    s.add(zone, 'last')
    s.edit(zone, s.text(zone) + 'mine TXT mine\n')
    s.said('freeze of a zone with an edited file', ['freeze', zone], 1, 'has changed since it was read')
    s.add(zone, 'goes-on')
    s.said('thaw loads it', ['thaw', zone], 0)
    t.check('and it is there', s.has(zone, 'mine') and s.has(zone, 'last'))
    s.said('freeze all', ['freeze'], 0, 'zones: 4\nfailed: 0\n')
    t.check('all are frozen', all(s.update(z, lambda u: u.add('cold', 60, 'TXT', 'x')) == dns.rcode.REFUSED
                                  for z in ('plain.', 'nsec.', 'nsec3.')))
    s.said('thaw all', ['thaw'], 0, 'zones: 4\nfailed: 0\n')
    s.add('plain.', 'thawed')


def flush(t, s):
    zone = 'nsec.'

    def snapshots():
        return sorted(f for f in os.listdir(t.path('database')) if f.startswith(zone + 'served.'))
    s.said('flush', ['flush', zone], 0, 'serial: ')
    for i in range(30):  # what is smaller lies in the journal
        s.add(zone, f'fill{i}')
    s.said('flush', ['flush', zone], 0, 'serial: ')
    s.add(zone, 'flushed')
    before = snapshots()
    s.said('flush', ['flush', zone], 0, f'serial: {s.serial(zone)}')
    after = snapshots()
    t.check('a new snapshot', len(before) == len(after) == 1 and before != after, (before, after))
    s.said('flush again', ['flush', zone], 0, 'serial: ')
    t.check('has nothing to do', snapshots() == after)
    s.kill()
    s.start()
    t.check('all is there', s.has(zone, 'flushed') and snapshots() == after)
    s.said('flush all', ['flush'], 0, 'zones: 4\nfailed: 0\n')


def records(lines):
    """Without what a renewal of signatures changes, and without the SOA."""
    made = ('RRSIG', 'NSEC', 'NSEC3', 'SOA')
    return sorted(re.sub(r'\s+', ' ', line) for line in lines if line.split()[4] not in made)


def history(t, s):
    zone = 'nsec.'
    start = s.serial(zone)
    s.add(zone, 'h1', 'one')
    first = s.serial(zone)
    s.update(zone, lambda u: (u.delete('h1', 'TXT'), u.add('h2', 60, 'TXT', 'two')))
    s.add(zone, 'h3', 'three')
    end = s.serial(zone)
    listed = s.json('journal', zone)['data']
    last = listed['entries'][-3:]
    t.check('the journal has what was done', [(e['from'], e['to']) for e in last] ==
            [(start, first), (first, first + 1), (first + 1, end)] and all(e['source'] == 'update' for e in last), last)
    t.check('with numbers', last[1]['removed'] > 2 and last[1]['added'] > 3 and last[1]['octets'] > 100 and
            listed['count'] >= 3 and listed['octets'] > 300 and re.match(r'20..-..-..T..:..:..Z$', last[0]['time']), listed)
    s.said('as text', ['journal', zone, '1'], 0, 'from ', f'\n{end - 1} ')
    t.check('as many as asked for', len(s.json('journal', zone, '2')['data']['entries']) == 2)
    s.said('a wrong count', ['journal', zone, 'all'], 2, 'found "all", expected how many')
    lines = s.json('diff', zone, str(start))['data']['changes']
    t.check('diff', records(lines) == ['+ h2.nsec. 60 IN TXT "two"', '+ h3.nsec. 60 IN TXT "three"'], lines)
    soas = [line.split()[0] + line.split()[7] for line in lines if line.split()[4] == 'SOA']
    t.check('with both SOA records', soas == [f'-{start}', f'+{end}'], soas)
    back = s.json('diff', zone, str(end), str(start))['data']['changes']
    t.check('backwards', sorted(back) == sorted(line.translate({43: 45, 45: 43})[0] + line[1:] for line in lines), back)
    one = s.json('diff', zone, str(first), str(first + 1))['data']['changes']
    t.check('one step', records(one) == ['+ h2.nsec. 60 IN TXT "two"', '- h1.nsec. 60 IN TXT "one"'], one)
    s.said('as text', ['diff', zone, str(first), str(end)], 0, f'from: {first}\nto: {end}\n- ', '+ h3.nsec.\t60\tIN\tTXT\t"three"')
    s.said('nothing', ['diff', zone, str(end)], 0, f'from: {end}\nto: {end}\n')
    steps = s.json('diff', zone, str(start), str(end), '-ixfr')['data']['changes']
    soas = [int(line.split('\t')[4].split()[2]) for line in steps if line.split()[3] == 'SOA']
    t.check('as IXFR has it', soas == [end, start, first, first, first + 1, first + 1, end, end] and
            [line.split()[3] for line in (steps[0], steps[1], steps[-1])] == ['SOA'] * 3, steps)
    texts = [line for line in steps if '\tTXT\t' in line]
    t.check('each step', [line.split()[0] for line in texts] == ['h1.nsec.', 'h1.nsec.', 'h2.nsec.', 'h3.nsec.'], texts)
    s.said('a serial that is not there', ['diff', zone, '5'], 1, 'serial 5 is not in the journal')
    s.said('no serial', ['diff', zone, 'x'], 2, 'found "x", expected a serial')
    s.said('the newer first', ['diff', zone, str(end), str(start), '-ixfr'], 1, 'name the older one first')
    s.said('too many', ['diff', zone, '1', '2', '3'], 2, 'expected: diff ZONE FROM')


def rollback(t, s):
    for zone in ('nsec3.', 'plain.', 'nsec.'):
        start = s.serial(zone)
        s.add(zone, 'good')
        then = s.serial(zone)
        s.update(zone, lambda u: (u.delete('good', 'TXT'), u.delete('ns2'), u.add('bad', 60, 'TXT', 'bad'),
                                  u.replace('@', 300, 'SOA', f'ns h {then + 10} 7200 3600 86400 60')))
        text = s.text(zone)
        end = s.serial(zone)
        s.said(f'{zone} rollback', ['rollback', zone, str(then)], 0, f'serial: {end + 1}\n')
        t.check(f'{zone} what was there is back', s.has(zone, 'good') and not s.has(zone, 'bad'))
        soa = s.ask(zone, 'SOA').answer[0][0]
        t.check(f'{zone} SOA', (soa.serial, soa.minimum) == (end + 1, 300), soa)
        t.check(f'{zone} the zone file stays', s.text(zone) == text)
        entry = s.json('journal', zone, '1')['data']['entries'][0]
        t.check(f'{zone} is in the journal', (entry['source'], entry['from'], entry['to']) == ('rollback', end, end + 1), entry)
        lines = s.json('diff', zone, str(then))['data']['changes']
        t.check(f'{zone} is as it was', records(lines) == [], lines)
        s.said(f'{zone} again', ['rollback', zone, str(then)], 0, 'has not changed since', f'serial: {end + 1}\n')
        s.said(f'{zone} to now', ['rollback', zone, str(end + 1)], 0, 'has not changed since')
        s.said(f'{zone} further back', ['rollback', zone, str(start)], 0, f'serial: {end + 2}\n')
        t.check(f'{zone} is back there', not s.has(zone, 'good'))
        s.said(f'{zone} forward again', ['rollback', zone, str(then)], 0, f'serial: {end + 3}\n')
        t.check(f'{zone} as it was then', s.has(zone, 'good'))
        s.kill()
        s.start()
        t.check(f'{zone} also after a crash', s.has(zone, 'good') and s.serial(zone) == end + 3)
        s.said(f'{zone} to nowhere', ['rollback', zone, '4'], 1, 'serial 4 is not in the journal')
        if zone != 'plain.':
            s.said(f'{zone} copy', ['sync', zone, t.path('copy')], 0)
            t.check(f'{zone} validates', peer.ours('signet-verifyzone', t.path('copy'))[0] == 0)


def inception(s, name, rdtype):
    return [r.inception for rs in s.ask(name, rdtype).answer if rs.rdtype == 46 for r in rs][0]


def sign(t, s):
    zone = 'nsec.'
    s.said('of a zone that is not signed', ['sign', 'plain.'], 1, 'does not sign the zone')
    serial, before = s.serial(zone), inception(s, 'ns.nsec.', 'A')
    peer.wait_for(lambda: time.time() - 3600 > before + 1, 'another second')
    data = s.json('sign', zone)['data']
    t.check('all is signed anew', inception(s, 'ns.nsec.', 'A') > before and data['serial'] == s.serial(zone) > serial, data)
    keys = {k['role']: k for k in data['keys']}
    t.check('keys are told', len(keys) == 2 and all(k['state'] == 'active' and k['can-sign'] and k['algorithm'] ==
            'ECDSAP256SHA256' for k in keys.values()) and keys['ksk']['ds'].startswith(f'{keys["ksk"]["tag"]} 13 2 '), data)
    s.said('copy', ['sync', zone, t.path('copy')], 0)
    t.check('validates', peer.ours('signet-verifyzone', t.path('copy'))[0] == 0)

    zone = 'later.'
    s.said('without keys', ['status', zone], 0, 'state: down')
    t.check('the log says how to make them', 'make them with signetctl sign' in s.daemon.log())
    s.said('sign makes keys', ['sign', zone], 0, 'records: ', 'ksk   ECDSAP256SHA256  active', ' 13 2 ')
    t.check('the log says which DS', re.search(r'key-generated zone=later. tag=\d+ ds=', s.daemon.log()))
    s.said('is served', ['status', zone], 0, 'state: ok', 'signed: yes')
    os.makedirs(t.path('database/old'), exist_ok=True)
    for f in os.listdir(t.path('database/keys')):
        if f.startswith('Klater.'):
            os.rename(t.path('database/keys', f), t.path('database/old', f))
    old = {k['tag'] for k in s.json('sign', zone)['data']['keys']}
    s.said('copy', ['sync', zone, t.path('copy')], 0)
    tags = [line.split()[10] for line in open(t.path('copy')) if '\tRRSIG\t' in line]
    t.check('new keys where there are none', set(map(int, tags)) == old and peer.ours('signet-verifyzone', t.path('copy'))[0] == 0,
            (set(tags), old))


def signing(t, s):
    zone = 'nsec.'

    def chain():
        return s.json('status', zone)['data']['denial'], types_of(dump()) & {'NSEC', 'NSEC3', 'NSEC3PARAM'}

    def dump():
        s.said('copy', ['sync', zone, t.path('copy')], 0)
        t.check('validates', peer.ours('signet-verifyzone', t.path('copy'))[0] == 0)
        return open(t.path('copy')).read()
    s.said('another chain', ['signing', '-nsec3param', '1', '1', '0', 'ab', zone], 0, f'serial: {s.serial(zone) + 1}\n')
    t.check('it is NSEC3', chain() == ('nsec3', {'NSEC3', 'NSEC3PARAM'}), chain())
    t.check('with these parameters', re.search(r'\tNSEC3\t1 1 0 AB ', dump()) and '\tNSEC3PARAM\t1 0 0 AB\n' in dump())
    s.restart()
    t.check('also after a restart', chain()[0] == 'nsec3' and re.search(r'\tNSEC3\t1 1 0 AB ', dump()))
    serial = s.serial(zone)
    s.said('the same', ['signing', '-nsec3param', '1', '1', '0', 'AB', zone], 0)
    t.check('no new serial', s.serial(zone) == serial)
    s.said('back', ['signing', '-nsec3param', 'none', zone], 0)
    t.check('it is NSEC', chain() == ('nsec', {'NSEC'}), chain())
    for what, words, code, message in (('iterations', ['1', '0', '1', '-', zone], 1, 'RFC 9276'),
                                       ('a wrong salt', ['1', '0', '0', 'salt', zone], 2, 'expected a salt'),
                                       ('wrong flags', ['1', '2', '0', '-', zone], 2, 'expected flags'),
                                       ('too few', ['1', '0', zone], 2, 'expected: signing'),
                                       ('no zone that is signed', ['none', 'plain.'], 1, 'not signed')):
        s.said(what, ['signing', '-nsec3param', *words], code, message)
    s.said('another option', ['signing', '-list', 'x', zone], 2, 'expected -nsec3param')


def approve(t):
    """A zone file that is cut off is held back until somebody says that it is meant so."""
    s = Server(t, {'large.': (ZONE, 'default')})
    whole = ZONE + ''.join(f'n{i} A 192.0.2.1\n' for i in range(400))
    s.edit('large.', whole)
    s.reload('large.')
    s.said('nothing waits', ['approve', 'large.'], 1, 'nothing waits for approval')
    s.edit('large.', '\n'.join(whole.split('\n')[:140]) + '\n')
    serial = s.serial('large.')
    s.said('reload begins', ['reload', 'large.'], 0)
    peer.wait_for(lambda: s.json('status', 'large.')['data']['state'] == 'held', 'state of the zone')
    t.check('the log has the numbers', re.search(r'zone-held zone=large. removed=\d+ records=403 limit=50%', s.daemon.log()))
    s.said('status says what to do', ['status', 'large.'], 0, 'signetctl approve')
    t.check('the old version is served', s.serial('large.') == serial and s.ask('n399.large.').answer)
    s.add('large.', 'meanwhile')
    s.kill()
    s.start()
    t.check('after kill -9 too', s.ask('n399.large.').answer and s.json('status', 'large.')['data']['state'] == 'held')
    s.said('approved', ['approve', 'large.'], 0, 'serial: ')
    t.check('it is served', not s.ask('n399.large.').answer and s.ask('n1.large.').answer and s.has('large.', 'meanwhile'))
    t.check('and nothing waits', s.json('status', 'large.')['data']['state'] == 'ok')


def status(t, s):
    """What is going on, why it waits, what comes next and when."""
    zone = 'nsec.'

    def told(name=zone):
        return s.json('status', name)['data']

    def seconds(text):
        return calendar.timegm(time.strptime(text, '%Y-%m-%dT%H:%M:%SZ'))
    data = told()
    t.check('nothing is wrong', data['state'] == 'ok' and data['file-state'] == 'loaded' and not data['frozen'] and
            not {'reason', 'failed-job', 'job'} & set(data), data)
    t.check('when the next signature is due', 86400 < seconds(data['next-signing']) - time.time() < 15 * 86400, data)
    t.check('no key comes or goes', 'next-key-event' not in data and
            [(k['role'], k['state'], k['can-sign']) for k in sorted(data['keys'], key=lambda k: k['role'])] ==
            [('ksk', 'active', True), ('zsk', 'active', True)] and not any('next' in k for k in data['keys']), data)
    changes, octets = data['journal-changes'], data['journal-octets']
    s.add(zone, 'told')
    data = told()
    t.check('the journal grows', data['journal-changes'] == changes + 1 and data['journal-octets'] > octets and
            data['journal-to-replay'] > 0, data)
    s.said('flush', ['flush', zone], 0)
    t.check('nothing is left to replay', told()['journal-to-replay'] == 0)
    data = told('plain.')
    t.check('a zone that is not signed', data['keys'] == [] and 'next-signing' not in data and data['state'] == 'ok', data)
    s.said('freeze', ['freeze', zone], 0)
    s.said('is told', ['status', zone], 0, 'frozen: yes\n')
    text = s.text(zone)
    s.edit(zone, text + 'wrong A 1.2.3\n')
    t.check('a changed file is told', told()['file-state'] == 'changed')
    s.said('a bad file', ['thaw', zone], 1)
    data = told()
    t.check('so is why it is not loaded', data['state'] == 'stale' and data['failed-job'] == 'load' and data['frozen'] and
            data['reason'].startswith(f'{s.file(zone)}:') and abs(seconds(data['failed']) - time.time()) < 60, data)
    os.remove(s.file(zone))
    t.check('a file that is gone', told()['file-state'] == 'missing')
    s.edit(zone, text)
    s.said('mended', ['thaw', zone], 0)
    data = told()
    t.check('all is well', data['state'] == 'ok' and data['file-state'] == 'loaded' and not data['frozen'] and
            'reason' not in data, data)
    key = [k for k in data['keys'] if k['role'] == 'zsk'][0]
    path = [f for f in os.listdir(t.path('database/keys')) if f'+{key["tag"]:05}.key' in f][0][:-4]
    soon = int(time.time()) + 3 * 86400
    peer.must(os.path.join(peer.BIN, 'signet-keymgr'), 'settime', '-K', t.path('database/keys'), '-I', '+3d', path)
    s.said('reload', ['reload', zone], 0)
    peer.wait_for(lambda: 'next-key-event' in told(), 'new times')
    data = told()
    key = [k for k in data['keys'] if k['role'] == 'zsk'][0]
    t.check('what comes next', abs(seconds(data['next-key-event']) - soon) < 60 and key['next'] == 'Inactive' and
            key['at'] == data['next-key-event'], data)


def sync_faults(t, s):
    """A disk that is full at any call, and a crash there: the zone file is the old or the new one, and nothing is lost."""
    zone = 'plain.'
    control = fault_control.Control(t)

    def with_faults(start):
        was = dict(os.environ)
        os.environ.update(control.environment)
        try:
            start()
        finally:
            os.environ.clear()
            os.environ.update(was)
    for kind, what in ((errno.ENOSPC, 'a full disk'), (fault_control.KILL, 'a crash')):
        control.heal()
        with_faults(s.restart)
        number = 1
        while True:
            s.add(zone, f'n{number}', str(kind))
            before = s.text(zone)
            control.set(number, number, kind)
            code, out = s.daemon.ctl('sync', zone)
            happened = control.calls >= number
            control.heal()
            if kind == fault_control.KILL and happened:
                s.daemon.process.wait(20)
                s.daemon.is_ours = False
                s.daemon.stop()
                with_faults(s.start)
            text = s.text(zone)
            t.check(f'{what} at call {number}: the file is old or new', text == before or f'n{number}.{zone}' in text, out)
            t.check(f'{what} at call {number}: it is whole', peer.ours('signet-checkzone', '-o', zone, s.file(zone))[0] == 0)
            t.check(f'{what} at call {number}: nothing is lost', all(s.has(zone, f'n{i}') for i in range(1, number + 1)))
            if not happened:
                t.check('done in the end', code == 0 and f'n{number}.{zone}' in text, out)
                break
            t.check(f'{what} at call {number}: said', code == (3 if kind == fault_control.KILL else 1) or
                    f'n{number}.{zone}' in text, (code, out))
            number += 1
            if number > 60:
                raise RuntimeError('no end of calls')
        t.check(f'{what}: there were calls', number > 4, number)
        s.said('sync', ['sync', zone], 0)
        left = [f for f in os.listdir(t.dir) if re.match(rf'{re.escape(zone)}zone[.]........$', f)]
        t.check(f'{what}: no file is left over', kind == fault_control.KILL or not left, left)


def sync_load(t):
    """Whatever an update may put into a zone, a start that has nothing but the written file serves it."""
    zones = ['plain.', 'nsec.', 'nsec3.']
    s = Server(t, {'plain.': (ZONE, None), 'nsec.': (ZONE, 'default'), 'nsec3.': (ZONE, 'hashed')})
    steps = [
        ('names', lambda u: [u.add(n, 60, 'TXT', n) for n in ('a.tree', 'b.a.tree', 'a.cut', '*.wild', 'far.down.there')]),
        ('a DNAME above names', lambda u: u.add('tree', 60, 'DNAME', 'other.example.')),
        ('names below a DNAME', lambda u: u.add('c.tree', 60, 'A', '192.0.2.3')),
        ('a DNAME below a DNAME', lambda u: u.add('d.tree', 60, 'DNAME', 'other.example.')),
        ('a cut above names', lambda u: u.add('cut', 60, 'NS', 'ns.cut')),
        ('names below a cut', lambda u: u.add('x.cut', 60, 'CNAME', 'y.cut')),
        ('DS with a cut', lambda u: u.add('cut', 60, 'DS', '1 13 2 ' + '0' * 64)),
        ('DS without a cut', lambda u: u.add('nocut', 60, 'DS', '1 13 2 ' + '0' * 64)),
        ('a cut comes to a DS', lambda u: (u.add('later', 60, 'DS', '1 13 2 ' + '0' * 64), u.add('later', 60, 'NS', 'ns.later'))),
        ('a cut goes from a DS', lambda u: (u.delete('later', 'NS'), u.add('there', 60, 'A', '192.0.2.9'))),
        ('CNAME', lambda u: u.add('alias', 60, 'CNAME', 'www')),
        ('other data at it', lambda u: u.add('alias', 60, 'A', '192.0.2.5')),
        ('NS and MX at it', lambda u: (u.add('mail', 60, 'MX', '1 alias'), u.add('deep', 60, 'NS', 'alias'))),
        ('a name of the server without address', lambda u: u.delete('ns', 'A')),
        ('another TTL', lambda u: u.add('www', 61, 'A', '192.0.2.77')),
        ('a long text', lambda u: u.add('long', 60, 'TXT', ' '.join(['"' + 'x' * 255 + '"'] * 20))),
    ]
    for what, change in steps:
        for zone in zones:
            t.check(f'{zone} {what}', s.update(zone, change) in (dns.rcode.NOERROR, dns.rcode.REFUSED))
    served = {}
    for zone in zones:
        served[zone] = s.serial(zone)
        s.said(f'{zone} is written', ['sync', zone], 0)
        done = peer.ours('signet-checkzone', '-o', zone, s.file(zone))
        t.check(f'{zone} the file has no error', done[0] == 0, done)
        copy = t.path(f'{zone}all')
        s.said(f'{zone} all that is served', ['sync', zone, copy], 0)
        if zone != 'plain.':
            # kzonecheck takes a name below a DNAME for an error, and a cut without glue. A server may refuse such a zone, as it does;
            # where it loads it, these names are hidden as those below a cut are (RFC 6672 §2.4), and so not signed.
            for tool in (['ldns-verify-zone', copy], ['dnssec-verify', '-o', zone, copy]):
                done = peer.run(*tool)
                t.check(f'{zone} {tool[0]} accepts it', done[0] == 0, done)
    t.check('ends', s.daemon.stop() == 0)
    shutil.rmtree(t.path('database'))
    os.makedirs(t.path('database'))
    s.start()
    for zone in zones:
        t.check(f'{zone} is there again', s.ask(f'long.{zone}', 'TXT').rcode() == 0 and
                s.ask(f'q.a.tree.{zone}').answer[0].rdtype == dns.rdatatype.DNAME, s.daemon.log()[-1500:])
    t.check('ends again', s.daemon.stop() == 0)


def main():
    with peer.Test('orders') as t:
        s = Server(t, {'plain.': (ZONE, None), 'nsec.': (ZONE, 'default'), 'nsec3.': (ZONE, 'hashed'), 'later.': (ZONE, 'by-hand')})
        sign(t, s)
        signing(t, s)
        sync(t, s)
        sync_edited(t, s)
        sync_restart(t, s)
        freeze(t, s)
        flush(t, s)
        history(t, s)
        rollback(t, s)
        status(t, s)
        sync_faults(t, s)
        t.check('ends', s.daemon.stop() == 0)
        sync_load(t)
        approve(t)


main()
