"""Stops one thread of a process, as a fault in it would."""

import contextlib
import ctypes
import os
import pathlib
import threading

SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17
WALL = 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def threads(pid):
    """Thread ids by name."""
    return {(task / "comm").read_text().strip(): int(task.name)
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir()}


@contextlib.contextmanager
def frozen(thread):
    def trace(request):
        if libc.ptrace(request, thread, None, None) != 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))

    trace(SEIZE)
    trace(INTERRUPT)
    os.waitpid(thread, WALL)

    def bury():
        """A traced thread that dies is not gone before its tracer took note."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(thread, WALL)

    threading.Thread(target=bury, daemon=True).start()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            trace(DETACH)
