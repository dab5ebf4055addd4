"""Keep throw-away engines running for as long as the process that wants them lives.

Its standard input is the lifeline: when the other end is closed, also by a
`kill -9`, the engines are stopped and their data folder is removed. An engine
that dies before that is started again at once.
"""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from cdp.engines.place import Place
from cdp.engines.program import PROGRAMS

STOP_SECONDS = 20


def main() -> None:
    """Run the engines named on the command line: `guardian FOLDER NAME [OPTION...]...`."""
    place = Place(Path(sys.argv[1]))
    options = [word for word in sys.argv[2:] if word.startswith("--")]
    names = [word for word in sys.argv[2:] if not word.startswith("--")]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that holds the line
    signal.signal(signal.SIGTERM, lambda *_: sys.stdin.close())
    wards = [Ward(name, place, options) for name in names]
    while sys.stdin.buffer.read(1):
        pass  # nothing is ever said; the end of file is the message
    for ward in wards:
        ward.dismiss()
    for ward in wards:
        ward.wait()
    place.remove()


class Ward:
    """One engine under guard."""

    def __init__(self, name: str, place: Place, options: list[str]) -> None:
        self.name, self.place, self.options = name, place, options
        self.dismissed = False
        self.process = self._start()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def dismiss(self) -> None:
        """Ask the engine to leave."""
        self.dismissed = True
        self.process.send_signal(PROGRAMS[self.name].stop)

    def wait(self) -> None:
        """Wait until it has left, and make it if it does not."""
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _watch(self) -> None:
        while not self.dismissed:
            self.process.wait()
            if not self.dismissed:
                time.sleep(0.1)
                self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "cdp.engines", "run", self.name, *self.options]
        with (self.place.logs / f"{self.name}.log").open("ab") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )


if __name__ == "__main__":
    main()
