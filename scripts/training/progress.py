# SPDX-License-Identifier: MIT
"""One line that says how far a run is, on a terminal; nothing in a pipe."""

import sys
import time


class Progress:
    def __init__(self, label, steps, done, stream=sys.stderr):
        self._label, self._steps, self._stream = label, steps, stream
        self._shown = stream.isatty()
        self._began, self._first, self._last = time.monotonic(), done, 0.0

    def step(self, done, loss):
        now = time.monotonic()
        if not self._shown or now - self._last < 0.2 and done < self._steps:
            return
        self._last = now
        left = (now - self._began) / max(1, done - self._first) * (self._steps - done)
        self._stream.write(f"\r{self._label}: step {done:,} of {self._steps:,}, loss {loss:.3f}, "
                           f"{int(left) // 60}:{int(left) % 60:02d} left \x1b[K")
        self._stream.flush()

    def end(self):
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
