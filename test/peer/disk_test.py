#!/usr/bin/env python3
"""The tools that write, on disks that are full, read-only, or not theirs, and killed in the middle.

Whatever happens, the old files are intact byte for byte and no temporary file stays (after a kill one may:
nobody was left to remove it); exit status 1, and a message with file, reason and remedy. What needs a
mount (a disk that is really full) runs in a mount namespace of its own; where that is not permitted, the
test says so, and the limit of the file size and the calls that fail one by one (fault.c) stand for it."""
import os
import resource
import shutil
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import peer

NOBODY = 65534
TAG_DIGITS = 5
ZONE = '$TTL 300\n@ SOA ns1 host 7 3600 900 1209600 300\n NS ns1\nns1 A 192.0.2.53\n$GENERATE 1-1500 h$ A 192.0.2.7\n'
OLD = 'what was here before\n'
FULL = ('No space left on device', 'free some space')
LIMIT = ('File too large', 'ulimit -f')
READ_ONLY = ('Read-only file system', 'read-only')
DENIED = ('Permission denied', 'check owner and permissions')


class Tool:
    """One way to call a tool. The directory has what it starts from; it writes the files that are @written."""

    def __init__(self, name, program, args, setup, written):
        self.name, self.program, self.args, self.setup, self.written = name, program, args, setup, written

    def run(self, t, directory, limit=None, user=None, **more):
        def prepare():
            if limit is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
            if user is not None:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)

        args = [a.replace('@', directory) for a in self.args]
        done = subprocess.run([t.path('bin', self.program), *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              preexec_fn=prepare, timeout=60, cwd=t.dir, **more)
        return done.returncode, done.stdout.decode(errors='replace')


def old_output(t, directory):
    for name in ('out', 'dsset-example.', 'tsig'):
        with open(os.path.join(directory, name), 'w') as f:
            f.write(OLD)


def key_pair(t, directory):
    for name in os.listdir(t.path('keys')):
        shutil.copy2(t.path('keys', name), directory)


def nothing(t, directory):
    pass


def tools(t):
    for name in os.listdir(peer.BIN):
        os.makedirs(t.path('bin'), exist_ok=True)
        shutil.copy(os.path.join(peer.BIN, name), t.path('bin'))
    t.write('zone', ZONE)
    os.makedirs(t.path('keys'))
    keymgr = t.path('bin', 'signet-keymgr')
    key = peer.must(keymgr, 'generate', '-K', t.path('keys'), '-f', 'CSK', '-A', '20260101000000', 'example.').strip()
    peer.must(t.path('bin', 'signet-signzone'), '-S', '-K', t.path('keys'), '-d', t.dir, '-f', t.path('signed'),
              '-o', 'example.', t.path('zone'))
    private = t.path('private')  # readable by nobody else, and so by the user of that name
    os.makedirs(private)
    shutil.copy(t.path('keys', key + '.key'), private)
    shutil.copy(t.path('keys', key + '.private'), private)
    for name in os.listdir(private):
        os.chmod(os.path.join(private, name), 0o600)
        if os.geteuid() == 0:
            os.chown(os.path.join(private, name), NOBODY, NOBODY)
    return [
        Tool('signzone', 'signet-signzone',
             ['-S', '-K', private, '-d', '@', '-f', '@/out', '-o', 'example.', '-N', 'increment', t.path('signed')],
             old_output, ['out', 'dsset-example.']),
        Tool('checkzone', 'signet-checkzone', ['-q', '-d', '-f', '@/out', '-o', 'example.', t.path('zone')],
             old_output, ['out']),
        Tool('keymgr settime', 'signet-keymgr', ['settime', '-I', '20360101000000', '@/' + key], key_pair,
             [key + '.private', key + '.key']),
        Tool('keymgr revoke', 'signet-keymgr', ['revoke', '@/' + key], key_pair, None),
        Tool('keymgr generate', 'signet-keymgr', ['generate', '-K', '@', 'example.'], nothing, None),
        Tool('keymgr import', 'signet-keymgr', ['import', '-K', '@', t.path('private', key)], nothing,
             [key + '.private', key + '.key']),
        Tool('keymgr tsig', 'signet-keymgr', ['tsig', '-o', '@/tsig', 'name.'], old_output, ['tsig']),
    ]


def snapshot(directory):
    files = {}
    for name in os.listdir(directory):
        with open(os.path.join(directory, name), 'rb') as f:
            files[name] = f.read()
    return files


def directory_for(t, tool, where=None):
    """A directory with what the tool starts from, and all that is in it."""
    directory = where or t.path('work')
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory, exist_ok=True)
    tool.setup(t, directory)
    if os.geteuid() == 0:
        for name in os.listdir(directory):
            os.chown(os.path.join(directory, name), NOBODY, NOBODY)
    return directory, snapshot(directory)


def refused(t, what, tool, directory, before, words, done):
    status, said = done
    t.check(f'{tool.name}, {what}: exit status 1', status == 1, f'{status}: {said}')
    named = tool.written or ['K']
    t.check(f'{tool.name}, {what}: file, reason, remedy', all(w in said for w in words)
            and any(f'{directory}/{name}' in said for name in named), said)
    after = snapshot(directory)
    t.check(f'{tool.name}, {what}: all as before', after == before,
            f'{sorted(before)} {sorted(after)}, changed: {[n for n in before if after.get(n) != before[n]]}')


def limits(t, tool):
    """The first file is too large, and for those that write two, then the second."""
    directory, _ = directory_for(t, tool)
    status, said = tool.run(t, directory)
    if not t.check(f'{tool.name}: works', status == 0, said):
        return
    sizes = sorted(len(data) for name, data in snapshot(directory).items() if not tool.written or name in tool.written)
    # The next run makes other keys: their tags may have fewer digits, and the files be so much shorter.
    for limit in sorted({10, *(s - TAG_DIGITS for s in sizes)}):
        directory, before = directory_for(t, tool)
        refused(t, f'no file above {limit} octets', tool, directory, before, LIMIT, tool.run(t, directory, limit=limit))


def denied(t, tool):
    directory, before = directory_for(t, tool)
    os.chmod(directory, 0o555)
    user = NOBODY if os.geteuid() == 0 else None
    refused(t, 'a directory of somebody else', tool, directory, before, DENIED, tool.run(t, directory, user=user))
    os.chmod(directory, 0o755)


def disks(t, tool):
    disk = t.path('disk')
    os.makedirs(disk, exist_ok=True)
    for pages in (0, 1):  # a page holds a key file, but no zone
        peer.must('mount', '-t', 'tmpfs', '-o', 'size=1m,mode=755', 'none', disk)
        directory, _ = directory_for(t, tool, os.path.join(disk, 'work'))
        peer.fill(directory, pages)
        before = snapshot(directory)
        done = tool.run(t, directory)
        if pages == 0 or len(tool.written or ['two', 'files']) == 2 or tool.name == 'checkzone':
            refused(t, f'a full disk, {pages} pages left', tool, directory, before, FULL, done)
        peer.must('umount', disk)
    peer.must('mount', '-t', 'tmpfs', '-o', 'size=1m,mode=755', 'none', disk)
    directory, before = directory_for(t, tool, os.path.join(disk, 'work'))
    peer.must('mount', '-o', 'remount,ro', disk)
    refused(t, 'a read-only disk', tool, directory, before, READ_ONLY, tool.run(t, directory))
    peer.must('umount', disk)


def with_fault(t, tool, directory, fault):
    env = {**os.environ, 'FAULT': fault, 'LD_PRELOAD': t.path('fault.so')}
    env['ASAN_OPTIONS'] = env.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'
    return tool.run(t, directory, env=env)


def each_call(t, tool):
    """Every call that writes fails once, and once it is the last one. Each file is the old or the whole new
    one. (Its digits differ from run to run, where keys or signatures are random.)"""
    counts = {}
    for kind, expected in (('full', 1), ('kill', -signal.SIGKILL)):
        faults = 0
        while faults < 100:
            directory, before = directory_for(t, tool)
            status, said = with_fault(t, tool, directory, f'{faults + 1} {kind}')
            if status == 0:
                break
            faults += 1
            what = f'{tool.name}, {kind} at call {faults}'
            t.check(f'{what}: status', status == expected and (kind == 'kill' or FULL[0] in said), f'{status}: {said}')
            intact(t, tool, what, directory, before, kind)
            if kind == 'kill':
                status, said = tool.run(t, directory)
                half = tool.name in ('keymgr import', 'keymgr revoke') and 'not overwritten; move it away' in said
                t.check(f'{what}: and once more', status == 0 or half, said)
        counts[kind] = faults
    t.check(f'{tool.name}: faults were met', counts['full'] >= 4 and counts['full'] == counts['kill'], counts)


def is_whole(name, data):
    """Did a tool write all of this file?"""
    if name == 'out':
        return data.startswith(b'example.\t') and data.count(b'\tA\t') == 1501
    if name.endswith('.key'):
        return b' DNSKEY ' in data and data.endswith(b'\n')
    if name.endswith('.private'):
        return data.startswith(b'Private-key-format: v1.3\n') and b'Activate:' in data and data.endswith(b'\n')
    return data.endswith(b'\n') and (b' DS ' in data or b'secret' in data)


def intact(t, tool, what, directory, before, kind):
    after = snapshot(directory)
    names = ('out', 'dsset-example.', 'tsig')
    final = {n: d for n, d in after.items() if n.endswith(('.key', '.private')) or n in names}
    if kind != 'kill':
        t.check(f'{what}: no other file', final == after, sorted(after))
        pairs = {n.rsplit('.', 1)[0] for n in final if n.startswith('K')}
        t.check(f'{what}: keys have both halves', all(p + e in final for p in pairs for e in ('.key', '.private')),
                sorted(after))
    if tool.name == 'keymgr revoke':  # the names change
        lost = [] if any(n.endswith('.private') for n in final) else ['the private key']
    else:
        lost = [n for n in before if n not in after]
    t.check(f'{what}: nothing is lost', not lost, (lost, sorted(after)))
    bad = [n for n, d in final.items() if d != before.get(n) and not is_whole(n, d)]
    t.check(f'{what}: old files or whole ones', not bad, bad)


def streams(t):
    """Standard output that takes nothing, and a device as the output file."""
    sign = ('signet-signzone', '-v', '0', '-S', '-K', t.path('keys'), '-d', t.dir)
    for program, *args in ((*sign, '-f', '-', '-o', 'example.', t.path('zone')),
                           ('signet-checkzone', '-o', 'example.', '-d', t.path('zone')),
                           ('signet-checkzone', '-o', 'example.', t.path('zone')),
                           ('signet-checkzone', '-l'),
                           ('signet-verifyzone', t.path('signed')),
                           ('signet-checkconf', '--defaults'),
                           ('signet-keymgr', 'list', '-K', t.path('keys'), 'example.'),
                           ('signet-keymgr', 'tsig', 'name.'),
                           *((('signet-keymgr', c, '-K', t.path('keys'), name[:-4])) for c in ('ds', 'cds', 'export')
                             for name in os.listdir(t.path('keys')) if name.endswith('.key')),
                           ('signetd', '--help')):
        with open('/dev/full', 'w') as full:
            done = subprocess.run([t.path('bin', program), *args], stdout=full, stderr=subprocess.PIPE, timeout=60)
        said = done.stderr.decode()
        t.check(f'{program} {args}: nobody could read it', done.returncode == 1 and 'standard output' in said
                and FULL[0] in said and f'{program}: ' in said, f'{done.returncode}: {said}')
    for closed in ((1,), (0, 1, 2)):
        done = subprocess.run([t.path('bin', 'signet-signzone'), '-S', '-K', t.path('keys'), '-d', t.dir, '-f',
                               t.path('closed'), '-o', 'example.', t.path('zone')],
                              preexec_fn=lambda: [os.close(fd) for fd in closed], stderr=subprocess.DEVNULL)
        with open(t.path('closed')) as f:
            text = f.read()
        t.check('without standard streams: nothing strays into the file', done.returncode == 0
                and text.startswith('example.') and text.splitlines()[-1].startswith('; signet fingerprint'),
                (done.returncode, text[:60], text[-60:]))
    for program, *args in (sign, ('signet-checkzone', '-d')):
        status, said = peer.ours(program, *args, '-f', '/dev/full', '-o', 'example.', t.path('zone'))
        t.check(f'{program} -f /dev/full', status == 1 and '/dev/full: cannot write' in said
                and all(w in said for w in FULL), said)


def main():
    may_mount = '--mount' in sys.argv
    if not may_mount:
        peer.in_namespace('disk')
    with peer.Test('disk') as t:
        peer.fault_library(t)
        for tool in tools(t):
            limits(t, tool)
            denied(t, tool)
            each_call(t, tool)
            if may_mount:
                disks(t, tool)
        streams(t)


main()
