"""What the kernel can do to a process, done on purpose: fsync that fails, memory that ends.

No compiler and no preloaded library: a seccomp filter answers the calls, so Linux is enough.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import resource
import struct

SYNC_CALLS = {"x86_64": (74, 75), "aarch64": (82, 83)}
"""The numbers of fsync and fdatasync."""
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER_MODE = 38, 22, 2
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000


def fail_every_fsync() -> None:
    """From now on fsync and fdatasync of this process give EIO, as a dying disk's do; for ever."""
    numbers = SYNC_CALLS[platform.machine()]
    steps = [(_LOAD, 0, 0, 0)]
    for place, number in enumerate(numbers):
        steps.append((_JUMP_IF_EQUAL, len(numbers) - place, 0, number))
    steps.append((_RETURN, 0, 0, _ALLOW))
    steps.append((_RETURN, 0, 0, _ERRNO | errno.EIO))
    code = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("<H6xQ", len(steps), ctypes.addressof(code)))
    library = ctypes.CDLL(None, use_errno=True)
    for call in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SECCOMP, _FILTER_MODE, program, 0, 0)):
        if library.prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def no_more_memory_than(more: int) -> None:
    """This process may take `more` bytes of address space beyond what it has; for ever."""
    with open("/proc/self/statm", encoding="ascii") as file:
        pages = int(file.read().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + more,) * 2)
