"""Servers that let anybody take their zones."""
import os
import re

from servers import Knotd, Named, Nsd, Signetd


class Giving:
    """Lets anybody take the zones."""

    def prepare(self):
        args = super().prepare()
        path = next(a for a in args if os.path.exists(a) and a.startswith(self.dir))
        with open(path) as f:
            text = f.read()
        with open(path, 'w') as f:
            f.write(self.give(text))
        return args


class GivingSignetd(Giving, Signetd):
    @staticmethod
    def give(text):
        return re.sub(r'(    file: .*)', r'\1\n    allow-transfer: any', text) + 'log: { level: notice }\n'


class GivingKnotd(Giving, Knotd):
    @staticmethod
    def give(text):
        return text.replace('template:\n', 'acl:\n  - id: all\n    action: transfer\ntemplate:\n', 1) \
                   .replace('  - id: default\n', '  - id: default\n    acl: all\n')


class GivingNsd(Giving, Nsd):
    @staticmethod
    def give(text):
        return re.sub(r'(    zonefile: .*)', r'\1\n    provide-xfr: 0.0.0.0/0 NOKEY', text)


class GivingNamed(Giving, Named):
    @staticmethod
    def give(text):
        return text.replace('notify no;', 'notify no; allow-transfer { any; };')
