"""without_calls.py NUMBERS COMMAND...: runs a command under a kernel that does not know these system calls (numbers
with commas), by a seccomp filter that answers ENOSYS, as an older kernel would."""

import ctypes
import errno
import os
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, REFUSE = 0x7FFF0000, 0x00050000 | errno.ENOSYS


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def forget(numbers):
    # The number of the call is the first field of what the filter reads.
    steps = [(LOAD, 0, 0, 0)]
    for number in numbers:
        steps += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE)]
    steps.append((RETURN, 0, 0, ALLOW))
    text = b"".join(struct.pack("=HBBI", *step) for step in steps)
    library = ctypes.CDLL(None, use_errno=True)
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                      (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(Program(len(steps), text)), 0, 0)):
        if library.prctl(*arguments) != 0:
            sys.exit(f"without_calls: prctl: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    forget([int(number) for number in sys.argv[1].split(",")])
    os.execvp(sys.argv[2], sys.argv[2:])
