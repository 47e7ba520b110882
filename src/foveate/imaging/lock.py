"""The operating system's own lock on an open file, which ends with the process that holds it, however that ends."""

from __future__ import annotations

import errno
import os
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)
_FAR = 1 << 30
"""Where Windows locks a byte: nobody can read a locked one there, so it must lie behind every content."""


def acquire(file: BinaryIO, *, shared: bool = False, wait: bool = False) -> bool:
    """Lock an open file until it is closed; False where another process has it, unless `wait`.

    A shared lock is held beside other shared ones, except on Windows. Raises OSError on a file system without locks.
    """
    while True:
        try:
            if sys.platform == "win32":
                file.seek(_FAR)
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
                fcntl.flock(file, kind if wait else kind | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            if not wait:
                return False
            time.sleep(0.01)
        else:
            return True


def is_at(path: Path, file: BinaryIO) -> bool:
    """Whether an open file still has its name: who had the lock before may have removed both."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except OSError:
        return False
