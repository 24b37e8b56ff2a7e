"""Calls of a running program that fail, or are its last: fault.c, preloaded, and a file that both have mapped."""
import mmap
import os
import struct

import peer

KILL = -1  # as the kind of a fault; others are error numbers


class Control:
    """Which calls of the server fail (fault.c)."""

    def __init__(self, t):
        self.path = t.write('fault.control', '\0' * 40)
        with open(self.path, 'r+b') as f:
            self.map = mmap.mmap(f.fileno(), 40)
        self.environment = {'FAULT_CONTROL': self.path, 'LD_PRELOAD': peer.fault_library(t),
                            'ASAN_OPTIONS': os.environ.get('ASAN_OPTIONS', '') + ':verify_asan_link_order=0'}

    def set(self, first, last, kind, lands=0):
        """From now on: calls are counted from 1; those from @first to @last fail; @lands among them does its work as well."""
        self.map[:] = struct.pack('@5q', 0, first, last, kind, lands)

    def heal(self):
        self.map[8:24] = struct.pack('@2q', 0, 0)

    @property
    def calls(self):
        return struct.unpack('@q', self.map[:8])[0]
