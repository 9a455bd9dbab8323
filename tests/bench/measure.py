# SPDX-License-Identifier: GPL-2.0-or-later
"""One command, from its start to its end."""

import collections
import os
import sys
import time

Run = collections.namedtuple("Run", "wall user system rss")


def undisturbed():
    """For the child, before it becomes the command: what else the machine does
    shall not show. Its own threads stay equals; a real-time priority would let
    those that spin starve the others. Whoever may not do this measures so."""
    os.setsid()
    try:
        with open("/proc/self/autogroup", "w", encoding="ascii") as f:
            f.write("-20")
    except OSError:
        pass
    try:
        os.nice(-20)
    except OSError:
        pass


def measure(command):
    """Seconds, and the peak of its memory in bytes. That cannot read below this
    program's own, some 9 MiB: the kernel counts a child's from the fork on."""
    begin = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            undisturbed()
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, 0)
            os.dup2(null, 1)
            os.execvp(command[0], command)
        except OSError as error:
            os.write(2, b"bench: %s: %s\n" % (command[0].encode(), error.strerror.encode()))
        os._exit(127)
    _, status, usage = os.wait4(child, 0)
    wall = time.monotonic() - begin
    if status != 0:
        sys.exit("bench: failed (%d): %s" % (os.waitstatus_to_exitcode(status),
                                             " ".join(command)))
    return Run(wall, usage.ru_utime, usage.ru_stime, usage.ru_maxrss * 1024)
