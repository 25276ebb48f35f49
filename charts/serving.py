"""Restraint as a process, with flags of the chart."""

import contextlib
import ctypes
import json
import platform
import subprocess

# what `socket` is called on Linux, by processor
SOCKET = {"x86_64": 41, "aarch64": 198}
AF_INET6, EAFNOSUPPORT = 10, 97


@contextlib.contextmanager
def serving(restraint, flags, prepare=None):
    """The lines of a server's log up to the one that names its addresses, while it serves. The process calls `prepare` first."""
    command = [restraint, "serve", *flags, "--log-format=json"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=prepare) as server:
        try:
            lines = []
            for line in map(json.loads, server.stderr):
                lines.append(line)
                if line.get("message") == "serving":
                    break
            else:
                raise ValueError(f"no server with {flags}: {lines}")
            yield lines
        finally:
            server.kill()


class Instruction(ctypes.Structure):
    _fields_ = [("code", ctypes.c_uint16), ("if_true", ctypes.c_uint8), ("if_false", ctypes.c_uint8), ("operand", ctypes.c_uint32)]


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_uint16), ("instructions", ctypes.POINTER(Instruction))]


def can_take_ipv6_away():
    return platform.system() == "Linux" and platform.machine() in SOCKET


def take_ipv6_away():
    """Makes the kernel refuse this process sockets of IPv6, as one does that was booted with ipv6.disable=1."""
    load, equals, answer = 0x20, 0x15, 0x06
    instructions = (Instruction * 6)(
        (load, 0, 0, 0),  # the number of the system call
        (equals, 0, 3, SOCKET[platform.machine()]),
        (load, 0, 0, 16),  # the low half of its first argument
        (equals, 0, 1, AF_INET6),
        (answer, 0, 0, 0x00050000 | EAFNOSUPPORT),
        (answer, 0, 0, 0x7FFF0000),  # whatever else it is, it may
    )
    control = ctypes.CDLL(None, use_errno=True).prctl
    program = Program(len(instructions), instructions)
    # no new privileges, without which nobody but root may filter; then the filter
    for arguments in ((38, 1, 0, 0, 0), (22, 2, ctypes.byref(program), 0, 0)):
        if control(*arguments) != 0:
            raise OSError(ctypes.get_errno(), "no system call can be refused here")
