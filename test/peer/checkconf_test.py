#!/usr/bin/env python3
"""signet-checkconf as an operator uses it: the program itself, its output, its exit status."""
import os
import shutil
import subprocess
import sys
import tempfile

BIN = os.path.abspath(os.environ.get('BIN', 'build/release/bin'))
DATA = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../data/config')
PROGRAM = os.path.join(BIN, 'signet-checkconf')
ZONE = '$TTL 3600\n@ SOA ns1 hostmaster 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.1\n'

CASES = []


def case(function):
    CASES.append(function)
    return function


def run(*args, text=None, program=PROGRAM, **more):
    done = subprocess.run([program, *args], input=text, capture_output=True, text=True, timeout=60,
                          **more)
    return done.returncode, done.stdout, done.stderr


def write(path, text):
    with open(path, 'w') as f:
        f.write(text)
    return path


def same(is_, expected):
    assert is_ == expected, f'{is_!r} instead of {expected!r}'


@case
def good_is_said_to_be_good(_):
    path = os.path.join(DATA, 'good.yaml')
    summary = f'{path}: 2 zones, 0 warnings, ok\n'
    for args in (['-c', path], ['--config', path], [path]):
        same(run(*args), (0, summary, ''))
    same(run('-q', path), (0, '', ''))


@case
def standard_input_is_read(folder):
    text = 'zones: [{name: a, file: a.zone}]\n'
    write(folder + '/a.zone', ZONE)
    same(run('-', text=text, cwd=folder), (0, '-: 1 zone, 0 warnings, ok\n', ''))
    same(run('-', text='sever: 1\n')[::2],
         (1, 'standard input:1:1: unknown key "sever"; did you mean "server"?\n'))


@case
def all_errors_are_said_with_their_places(folder):
    path = write(folder + '/s.yaml', 'server:\n  wokers: 2\n  udp-size: 9\nzones:\n  - name: a..b\n')
    status, out, err = run('-c', path)
    same(status, 1)
    same(out, f'{path}: 4 errors, 0 warnings\n')
    same([line[len(path):].split(': ')[0] for line in err.splitlines()],
         [':2:3', ':3:13', ':5:5', ':5:11'])
    same(run('-q', '-c', path), (status, out, err))


@case
def warnings_leave_it_good(folder):
    path = write(folder + '/s.yaml', 'log: {level: debug}\n')
    same(run(path), (0, f'{path}: 0 zones, 1 warning, ok\n',
                     f'warning: {path}: there are no zones; all queries will be refused\n'))


@case
def a_file_that_cannot_be_read_is_bad(folder):
    for path in (folder + '/nothing.yaml', folder):
        status, _, err = run('-c', path)
        same(status, 1)
        assert path in err, err


@case
def misuse_is_told_apart(_):
    for args in (['--no-such-option'], ['a', 'b'], ['-c', 'a', 'b'], ['--defaults', 'a'],
                 ['--defaults', '--dump'], ['-c']):
        status, out, err = run(*args)
        same((status, out), (2, ''))
        assert '--help' in err, err


@case
def help_and_version_are_there(_):
    status, out, err = run('--help')
    same((status, err), (0, ''))
    assert out.startswith('usage: signet-checkconf'), out
    same(run('-h'), (status, out, err))
    status, out, err = run('--version')
    same((status, err), (0, ''))
    assert out.startswith('signet-checkconf (Signet) '), out


@case
def defaults_are_a_configuration(folder):
    status, out, err = run('--defaults')
    same((status, err), (0, ''))
    path = write(folder + '/s.yaml', out)
    same(run('-q', path)[0], 0)
    # Nothing in it is different from what an empty section gives.
    empty = write(folder + '/e.yaml', 'server:\n')
    same(run('--dump', path)[1], run('--dump', empty)[1])


@case
def a_dump_reads_back_from_elsewhere(folder):
    good = os.path.join(DATA, 'good.yaml')
    status, dump, err = run('--dump', good)
    same((status, err), (0, f'{good}: 2 zones, 0 warnings, ok\n'))
    path = write(folder + '/dump.yaml', dump)
    same(run('-q', '--dump', path), (0, dump, ''))
    same(dump.count('    file: /'), 2)


@case
def a_dump_that_cannot_be_written_is_an_error(_):
    with open('/dev/full', 'w') as full:
        done = subprocess.run([PROGRAM, '-q', '--dump', os.path.join(DATA, 'good.yaml')],
                              stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    same(done.returncode, 1)
    assert 'No space left' in done.stderr, done.stderr


@case
def zones_are_loaded_on_request(folder):
    write(folder + '/good.zone', ZONE)
    write(folder + '/bad.zone', ZONE + 'www A 192.0.2.256\n')
    write(folder + '/odd.zone', ZONE + 'a CNAME ns1\na A 192.0.2.9\n')
    path = write(folder + '/s.yaml', 'zones:\n'
                 '  - {name: good, file: good.zone}\n'
                 '  - {name: bad, file: bad.zone}\n'
                 '  - {name: odd, file: odd.zone}\n')
    same(run('-q', path), (0, '', ''))
    status, out, err = run('--zones', path)
    same((status, out), (1, f'{path}: 2 errors, 0 warnings\n'))
    assert f'{folder}/bad.zone:5:' in err, err
    assert '[cname-other-data]' in err, err
    same(run('-qz', write(folder + '/g.yaml', 'zones: [{name: good, file: good.zone}]\n')), (0, '', ''))


@case
def checks_of_zones_are_set(folder):
    write(folder + '/odd.zone', ZONE + 'a CNAME ns1\na A 192.0.2.9\n')
    text = 'checks: {cname-other-data: %s}\nzones:\n  - {name: odd, file: odd.zone%s}\n'
    for top, own, status, said in (
            ('error', '', 1, 'odd.: a.odd.'), ('warn', '', 0, 'warning: odd.: a.odd.'),
            ('ignore', '', 0, ''), ('error', ', checks: {cname-other-data: ignore}', 0, ''),
            ('ignore', ', checks: {cname-other-data: error}', 1, 'odd.: a.odd.')):
        path = write(folder + '/s.yaml', text % (top, own))
        is_, _, err = run('-qz', path)
        same((top, own, is_), (top, own, status))
        assert err.startswith(said) and bool(err) == bool(said), err


@case
def a_zone_that_may_not_be_read_is_found(folder):
    program = shutil.copy(PROGRAM, folder)
    os.chmod(folder, 0o755)
    os.chmod(write(folder + '/a.zone', ZONE), 0)
    path = write(folder + '/s.yaml', 'zones: [{name: a, file: a.zone}]\n')
    as_user = {'user': 'nobody'} if os.geteuid() == 0 else {}
    status, _, err = run(path, program=program, **as_user)
    same((status, err), (1, f'{path}:1:25: zones.file: cannot read "{folder}/a.zone": '
                            'Permission denied\n'))


def main():
    passed = failed = 0
    for function in CASES:
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(folder)
                passed += 1
            except Exception as e:
                failed += 1
                print(f'{function.__name__}: {type(e).__name__}: {e}')
    print(f'checkconf: {passed} passed, {failed} failed')
    return 1 if failed else 0


sys.exit(main())
