#!/usr/bin/env python3
"""What goes wrong between real primaries and a signetd that is their secondary: they are killed in mid-transfer, at 20 points;
their clocks are off; they stop without a word; they sign one message in a hundred. What is served is always a version that
was whole, and the next one comes as soon as it can. Arguments: parts."""
import os
import signal
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dns.message
import dns.rdatatype
import dns.tsig
import peer
import secondary_test
import transfers
from secondary_test import ZONE, Fake, content, has_serial, reaches, rr, secondary, serial, soa, text_of
from transfers import transfer

PRIMARIES = {'named': secondary_test.named, 'knotd': secondary_test.knotd, 'signetd': secondary_test.signetd}
PLAIN = 'no.plain.'
SIGNED_BY_KEY = 'hmac-sha256.plain.'
NAMES = 4000


class Proxy:
    """Passes connections on to a port; or none; or ends them, after calling something, when the answer has so many octets."""

    def __init__(self, to):
        self.to, self.port = to, peer.free_port()
        self.is_open, self.most, self.then = True, None, None
        self.longest = 0
        self.socket = socket.create_server(('127.0.0.1', self.port))
        threading.Thread(target=self.run, daemon=True).start()

    def close(self):
        self.socket.close()

    def run(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        try:
            with c:
                if self.is_open:
                    with socket.create_connection(('127.0.0.1', self.to), 10) as s:
                        s.settimeout(30)
                        threading.Thread(target=self.pass_on, args=(c, s), daemon=True).start()
                        self.answer(s, c)
        except OSError:
            pass

    @staticmethod
    def pass_on(c, s):
        try:
            while octets := c.recv(65536):
                s.sendall(octets)
        except OSError:
            pass

    def answer(self, s, c):
        count = 0
        while octets := s.recv(4096):
            if self.most is not None and count + len(octets) >= self.most:
                c.sendall(octets[:self.most - count])
                self.is_open, self.most = False, None
                self.then()
                return
            count += len(octets)
            self.longest = max(self.longest, count)
            c.sendall(octets)


def restart(t, d):
    """The same program once more, which was killed."""
    again = peer.Daemon(t, list(d.process.args), d.port, d.log_path)
    again.config = getattr(d, 'config', None)
    peer.wait_for(again.is_up, 'answer after a restart')
    return again


def large(t, start, port, to):
    """A primary with a zone of some hundred messages' worth of packets."""
    was = secondary_test.zone_text
    secondary_test.zone_text = lambda zone, **more: transfers.zone_text(zone, **{**more, 'names': NAMES})
    try:
        d = start(t, port, to, [PLAIN])
    finally:
        secondary_test.zone_text = was
    peer.wait_for(d.is_up, 'answer from the primary')
    return d


def killed(t):
    """20 points of an AXFR, a third of them with each primary."""
    for which, (name, start) in enumerate(PRIMARIES.items()):
        port, nobody = peer.free_port(), peer.free_port()
        primary = large(t, start, port, nobody)
        proxy = Proxy(port)
        ours = secondary(t, f'killed-{name}', {PLAIN: [proxy.port]}, more='    allow-notify: any\n')
        peer.wait_for(lambda: has_serial(ours, PLAIN, 1), f'{PLAIN} from {name}', 30)
        whole = proxy.longest
        t.check(f'{name}: large enough', whole > 100000, whole)
        for point in range(which, 20, len(PRIMARIES)):
            proxy.is_open = False
            secondary_test.update(primary, PLAIN, [('add', f'point{point} 60 TXT {point}')])
            want, before = serial(primary, PLAIN), serial(ours, PLAIN)
            dead = threading.Event()

            def kill():
                primary.process.send_signal(signal.SIGKILL)
                primary.process.wait()
                dead.set()
            proxy.then, proxy.most, proxy.is_open = kill, max(1, whole * point // 20), True
            ours.ctl('retransfer', PLAIN)
            if not t.check(f'{name}: dies after {point} of 20', dead.wait(20)):
                return
            failed = ours.log().count('transfer-failed')
            got = transfer(ours, PLAIN)
            t.check(f'{name}, {point} of 20: the old one is served, whole', serial(ours, PLAIN) == before and not got.faults and
                    len(got.records) > NAMES, f'{serial(ours, PLAIN)} {before} {len(got.records)}')
            t.forget(primary)
            primary = restart(t, primary)
            t.check(f'{name}: it has its change', serial(primary, PLAIN) == want)
            proxy.is_open = True
            ours.ctl('retransfer', PLAIN)  # or wait for the time to try again, which gets longer
            try:
                peer.wait_for(lambda: has_serial(ours, PLAIN, want), 'the new one', 20)
                t.check(f'{name}, {point} of 20: record for record', transfer(ours, PLAIN).zone() == transfer(primary, PLAIN).zone())
            except RuntimeError as e:
                t.check(f'{name}, {point} of 20: the new one comes', False, f'{e}: {failed} {ours.log()[-1500:]}')
        ours.stop()
        primary.stop()
        proxy.close()


def clocks(t):
    """A primary's clock is an hour off: nothing comes, and the log says why; with the right clock it does."""
    library = t.path('clock.so')
    peer.must('gcc', '-D_GNU_SOURCE', '-shared', '-fPIC', '-O1', '-Wall', '-Werror', '-o', library, os.path.join(peer.HERE, 'clock.c'), '-ldl')
    primaries = {**PRIMARIES, 'nsd': secondary_test.nsd}
    if 'san' in peer.BIN:
        del primaries['signetd']  # a sanitizer's runtime does not suffer a library before it
    for name, start in primaries.items():
        port, nobody = peer.free_port(), peer.free_port()
        os.environ.update(LD_PRELOAD=library, CLOCK_OFF='3600')
        try:
            primary = start(t, port, nobody, [SIGNED_BY_KEY])
        finally:
            del os.environ['LD_PRELOAD'], os.environ['CLOCK_OFF']
        peer.wait_for(primary.is_up, f'answer from {name}')
        ours = secondary(t, f'clock-{name}', {SIGNED_BY_KEY: [port]})
        peer.wait_for(lambda: 'transfer-failed' in ours.log(), f'reason ({name})')
        t.check(f'{name} with another time: the log says so', 'clocks right?' in ours.log(), ours.log()[-800:])
        t.check(f'{name} with another time: nothing is served', serial(ours, SIGNED_BY_KEY) is None)
        primary.stop(signal.SIGKILL)
        primary = restart(t, primary)
        ours.ctl('retransfer', SIGNED_BY_KEY)
        try:
            peer.wait_for(lambda: has_serial(ours, SIGNED_BY_KEY, serial(primary, SIGNED_BY_KEY)), 'zone', 20)
            t.check(f'{name} with the right time: it comes', True)
        except RuntimeError as e:
            t.check(f'{name} with the right time: it comes', False, f'{e} {ours.log()[-800:]}')
        ours.stop()
        primary.stop()


class Still(Proxy):
    """Stops the process behind it when the answer begins."""

    def answer(self, s, c):
        c.sendall(s.recv(4096))
        self.then()
        time.sleep(60)


def half_open(t):
    """A primary stops in mid-transfer, with its connections open: others are not held up, and the next one is asked."""
    port, nobody = peer.free_port(), peer.free_port()
    stopped = large(t, secondary_test.named, port, nobody)
    still, other, second = Still(port), Fake(), Fake()
    still.then = lambda: stopped.process.send_signal(signal.SIGSTOP)
    second.answer = lambda fake, q: iter([[rr(PLAIN, 'SOA', 'ns. h. 1 3600 2 86400 60'), rr(PLAIN, 'NS', 'ns.' + PLAIN),
                                          rr(PLAIN, 'SOA', 'ns. h. 1 3600 2 86400 60')]])
    ours = secondary(t, 'half-open', {PLAIN: [still.port, second.port], ZONE: [other.port]}, key=lambda z: None)
    for n in (1, 2, 3):
        reaches(t, f'half-open: another zone comes meanwhile, {n}', ours, n)
        other.answer = secondary_test.whole(n + 1)
        ours.ctl('retransfer', ZONE)
    t.check('half-open: nothing of half a zone', serial(ours, PLAIN) is None)
    peer.wait_for(lambda: 'transfer-failed' in ours.log(), 'end of patience', 25)
    t.check('half-open: the log names the primary', str(still.port) in ours.log().split('transfer-failed')[1].splitlines()[0], ours.log()[-500:])
    peer.wait_for(lambda: has_serial(ours, PLAIN, 1), 'the zone from the next primary')
    t.check('half-open: the next one is asked', second.asked == ['AXFR'], second.asked)
    stopped.process.send_signal(signal.SIGCONT)
    for d in (ours, stopped):
        d.stop()
    for f in (still, other, second):
        f.close()


# --- TSIG of long streams (RFC 8945 §5.3.1) -------------------------------------------------------

class Signing(Fake):
    """Signs the messages of which signs(number from 0 on, count) says so; the next one's MAC is over those that it passes by."""

    def __init__(self, signs):
        self.signs = signs
        super().__init__()

    def serve(self, c):
        try:
            q = dns.message.from_wire(peer.read_wire(c), keyring=secondary_test.KEYRING)
            messages = list(self.answer(self, q))
            key = q.keyring
            template = dns.message.Message._make_tsig(key.name, key.algorithm, 0, 300, b'', q.id, 0, b'')[0]
            context = None
            for i, records in enumerate(messages):
                octets = self.message(q, records)
                if self.signs(i, len(messages)):
                    rdata, context = dns.tsig.sign(octets, key, template, int(time.time()), q.mac, context, True)
                    octets = with_tsig(octets, key, rdata.to_wire())
                elif context is not None:
                    context.update(octets)
                c.sendall(peer.frame(octets))
            c.shutdown(socket.SHUT_WR)
            c.recv(1)
        except OSError:
            pass
        c.close()


def with_tsig(octets, key, rdata):
    count, = struct.unpack_from('!H', octets, 10)
    return (octets[:10] + struct.pack('!H', count + 1) + octets[12:] + key.name.to_wire() +
            struct.pack('!HHIH', dns.rdatatype.TSIG, 255, 0, len(rdata)) + rdata)


def rarely_signed(t):
    def many(n):
        """So many messages that three are signed."""
        def answer(fake, q):
            yield content(n)
            for i in range(248):
                yield [rr(f'more{i}.z.', 'A', '192.0.2.9')]
            yield [soa(n)]
        return answer
    fake = Signing(lambda i, count: i % 100 == 0 or i == count - 1)
    fake.answer = many(1)
    ours = secondary(t, 'rarely', {ZONE: [fake.port]}, key=lambda z: 'hmac-sha256')
    reaches(t, 'each 100th is signed: taken', ours, 1)
    wrong = {'the last is not signed': lambda i, count: i % 100 == 0 and i != count - 1,
             'the first is not signed': lambda i, count: i != 0,
             '100 in a row are not signed': lambda i, count: i in (0, 101, count - 1),
             'none is signed': lambda i, count: False}
    for n, (what, signs) in enumerate(wrong.items(), 2):
        failed = ours.log().count('transfer-failed')
        fake.signs, fake.answer = signs, many(n)
        ours.ctl('retransfer', ZONE)
        peer.wait_for(lambda: ours.log().count('transfer-failed') > failed, f'end of the transfer ({what})')
        t.check(f'{what}: not taken', text_of(ours) == '1', text_of(ours))
        t.check(f'{what}: the log says it', 'sign' in ours.log().rsplit('transfer-failed', 1)[1] or 'TSIG' in ours.log().rsplit('transfer-failed', 1)[1], ours.log()[-500:])
    fake.signs, fake.answer = lambda i, count: True, many(9)
    ours.ctl('retransfer', ZONE)
    reaches(t, 'each is signed: taken', ours, 9)
    fake.close()
    ours.stop()


def main():
    with peer.Test('xfr_failures') as t:
        for part in (killed, clocks, half_open, rarely_signed):
            if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
                part(t)


if __name__ == '__main__':
    main()
