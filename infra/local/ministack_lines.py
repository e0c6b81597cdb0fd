"""What an invocation prints comes with its answer. MiniStack 1.5.33 waits for a line 50 milliseconds at most, and for the next one 5:
on a busy machine lines came with a later invocation, and their metrics with them.

A function's process has written all its lines to the pipe when it writes its answer: Node writes to a pipe before it goes on.
https://nodejs.org/api/process.html#a-note-on-process-io
"""

import array
import fcntl
import os
import select
import termios
import threading
import time

from ministack.core.lambda_runtime import Worker

_AT_MOST_SECONDS = 30
_PART_BYTES = 65_536

# Held from reading a pipe until the lines are in their queue.
_reading = threading.Lock()
_wait_a_little = Worker._drain_stderr_bounded


def _read(worker):
    process, lines = worker._proc, worker._stderr_queue
    try:
        file = process.stderr.fileno()
        ready = select.poll()
        ready.register(file, select.POLLIN)
        begun = b""
        while True:
            ready.poll()
            with _reading:
                part = os.read(file, _PART_BYTES)
                *whole, begun = (begun + part).split(b"\n")
                for line in whole if part else [begun] if begun else []:
                    lines.put(line.decode(errors="replace"))
            if not part:
                return
    except (OSError, ValueError):
        pass  # Closed: the process is gone.


def _lines_of_the_answer(worker, **waits):
    process = worker._proc
    if process is None:
        # It has ended, and so does its thread.
        worker._stderr_thread.join(timeout=2)
    elif process.stderr is None:
        return _wait_a_little(worker, **waits)
    else:
        latest = time.monotonic() + _AT_MOST_SECONDS
        while _unread_bytes(process.stderr) > 0 and time.monotonic() < latest:
            time.sleep(0.001)
    with _reading:
        return worker._drain_stderr()


def _unread_bytes(pipe):
    count = array.array("i", [0])
    fcntl.ioctl(pipe.fileno(), termios.FIONREAD, count)
    return count[0]


def lines_come_with_their_answer():
    Worker._read_stderr = _read
    Worker._drain_stderr_bounded = _lines_of_the_answer
