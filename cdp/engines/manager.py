"""The process manager: supervisor, set up to restart whatever ends and to stop in order."""

import os
import subprocess
import sys
import time
import xmlrpc.client
from contextlib import suppress
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from cdp.engines.errors import EngineError
from cdp.engines.place import CHECKOUT, Place
from cdp.engines.program import ENGINES, Program, log_of
from cdp.engines.readiness import last_words

START_SECONDS = 20
STOP_SECONDS = 120

MAIN = """\
[supervisord]
nodaemon = true
silent = true
umask = 077
directory = {checkout}
logfile = {logs}/manager.log
pidfile = {root}/manager.pid
childlogdir = {logs}
{user}
[unix_http_server]
file = {socket}
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
"""
# With startsecs 0 a program that ends is started again, however soon and however often.
PROGRAM = """
[program:{name}]
command = {python} -m cdp.engines run {name}
priority = {order}
autostart = {autostart}
autorestart = true
startsecs = 0
stopsignal = {stop}
stopwaitsecs = {stop_seconds}
killasgroup = true
redirect_stderr = true
stdout_logfile = {log}
stdout_logfile_maxbytes = 20MB
stdout_logfile_backups = 2
"""


class Manager:
    """The manager of one data folder, whether it runs or not."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self._socket = place.sockets() / "manager.sock"
        self._process: subprocess.Popen[bytes] | None = None  # if it was us who started it

    def is_running(self) -> bool:
        """Tell whether a manager answers for this folder."""
        with suppress(OSError, xmlrpc.client.Error):
            self._call("getState")
            return True
        return False

    def start(self, programs: list[Program]) -> None:
        """Start the manager with these programs; the engines among them start at once."""
        path = self.place.root / "manager.conf"
        path.write_text(self._configuration(programs))
        log = self.place.logs / "manager.out"
        with log.open("wb") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "supervisor.supervisord", "-c", str(path)],
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,  # Ctrl-C is for us; we tell it to stop
            )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_running():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise EngineError(f"The process manager does not start. {last_words(log)}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop what uses the engines, all at once, then the engines in order, then the manager."""
        pid = int(self._call("getPID"))
        self._end_users()
        self._call("shutdown")
        deadline = time.monotonic() + STOP_SECONDS
        while self._lives(pid):
            if time.monotonic() > deadline:
                raise EngineError(
                    f"The process manager ({pid}) has not stopped: see {self.place.logs}."
                )
            time.sleep(0.05)

    def begin(self, name: str) -> None:
        """Start one program."""
        self._call("startProcess", name)

    def leave_engines_alone(self) -> None:
        """Stop all but the engines and wait until they are gone; they stay down until begun."""
        self._end_users()
        while any(one["pid"] for one in self.programs() if one["name"] not in ENGINES):
            time.sleep(0.05)

    def programs(self) -> list[dict[str, Any]]:
        """Return each program's name, state, process number and description."""
        found: list[dict[str, Any]] = self._call("getAllProcessInfo")
        return found

    def pid(self, name: str) -> int:
        """Return the process number of a program, 0 if it does not run."""
        return int(self._call("getProcessInfo", name)["pid"])

    def _call(self, method: str, *arguments: Any) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._socket}")
        with xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as server:
            return getattr(server.supervisor, method)(*arguments)

    def _end_users(self) -> None:
        """Ask what uses the engines to stop; supervisor kills what does not in its time."""
        for program in self.programs():
            if program["name"] not in ENGINES and program["pid"]:
                self._call("stopProcess", program["name"], False)

    def _lives(self, pid: int) -> bool:
        """Tell whether the manager runs; the file with its number is the last that it removes."""
        if self._process and self._process.poll() is not None:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, 0)
            return self._process is not None or (self.place.root / "manager.pid").exists()
        return False

    def _configuration(self, programs: list[Program]) -> str:
        place = self.place
        main = MAIN.format(
            checkout=_escaped(CHECKOUT),
            logs=_escaped(place.logs),
            root=_escaped(place.root),
            socket=_escaped(self._socket),
            user="user = root\n" if os.geteuid() == 0 else "",
        )
        parts = (
            PROGRAM.format(
                name=program.name,
                python=_escaped(sys.executable),
                order=program.order,
                autostart="true" if program.variable else "false",
                stop=program.stop.name.removeprefix("SIG"),
                stop_seconds=program.stop_seconds,
                log=_escaped(log_of(program.name, place)),
            )
            for program in programs
        )
        return main + "".join(parts)


def _escaped(path: object) -> str:
    return str(path).replace("%", "%%")
