"""A unit of systemd that runs `mom atlas run`, and the configuration beside it.

    NAME.service      the unit: a user of its own, no privileges, no writable file but in memory
    etc/...           what belongs into /etc/NAME: the configuration, and the files that it names

systemd reads a file for each variable as root, and hands them to the service alone (`LoadCredential`), where
`mom atlas run` finds them by `$CREDENTIALS_DIRECTORY`. A client certificate and its key come in the same way, and are
bound to where the configuration has them.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mom.envoy.options import Listen
from mom.export import with_mom
from mom.export.deployment_name import deployment_name
from mom.export.model import Export, ExportedFile, Layout, Source
from mom.export.notes import notes
from mom.gateway import DEFAULT_PORT

COMMAND = "mom atlas export systemd"
FOLDER = "etc"
_LISTEN = Listen("127.0.0.1", DEFAULT_PORT)

# What the service does not need is taken from it. Envoy calls mincore(2), which is in no set of systemd's. `AF_UNIX` is
# for its admin interface, and for how one takes over from another.
_SANDBOX = """\
NoNewPrivileges=yes
AmbientCapabilities={capabilities}
CapabilityBoundingSet={capabilities}
LockPersonality=yes
MemoryDenyWriteExecute=yes
PrivateDevices=yes
PrivateIPC=yes
PrivateTmp=yes
{users}ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service mincore
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
UMask=0077
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How the service runs. program: the path of mom there. tls: whether a certificate is among its credentials."""

    program: str = "/opt/mom/bin/mom"
    tls: bool = False


def layout(source: Source, service: Service) -> Layout:
    """Return where things are on the machine. mom finds the folder of credentials by itself."""
    tls = ("%d/tls.crt", "%d/tls.key") if service.tls else None
    return Layout(listen=_LISTEN, configuration=f"/etc/{deployment_name(source.name)}", credentials=None, tls=tls)


def export(source: Source, service: Service, place: Layout, output: str) -> Export:
    """Return the unit with its configuration. Raises MomError for what a run there could not do.

    place: `layout`, with what the user says of how it serves. output: the folder of the files, for the next steps.
    """
    name = deployment_name(source.name)
    with_mom.check(source, place)
    unit = ExportedFile(f"{name}.service", _unit(source, service, place, name))
    configuration = [replace(file, path=f"{FOLDER}/{file.path}") for file in with_mom.files(source)]
    needed = credentials(source, service)
    rotated = (f"a changed credential is used once {name} has been restarted",) if needed else ()
    return Export(
        command=COMMAND,
        digest=source.digest,
        files=(unit, *configuration),
        next_steps=_next_steps(shlex.quote(output), name, place.configuration, needed),
        notes=(*rotated, *notes(source, place, with_mom=True)),
    )


def credentials(source: Source, service: Service) -> tuple[str, ...]:
    """Return the names of the files with credentials, in the folder `credentials` of the configuration."""
    own = ("tls.crt", "tls.key") if service.tls else ()
    login = ("kubeconfig",) if source.has_kubernetes else ()
    return (*source.variables, *source.pem_files.values(), *login, *own)


def _next_steps(output: str, name: str, folder: str, needed: Sequence[str]) -> tuple[str, ...]:
    files = " ".join(f"{folder}/credentials/{each}" for each in needed)
    return (
        f"sudo cp -rT --no-preserve=mode {output}/{FOLDER} {folder}",
        *((f"sudo install -d -m 700 {folder}/credentials && sudo -e {files}",) if needed else ()),
        f"sudo cp {output}/{name}.service /etc/systemd/system/ && sudo systemctl enable --now {name}",
    )


def _unit(source: Source, service: Service, place: Layout, name: str) -> str:
    folder = place.configuration
    program = _quoted(service.program.replace("%", "%%"))
    command = " ".join((program, "atlas", "run", *map(_quoted, with_mom.arguments(place))))
    loads = [f"LoadCredential={each}:{folder}/credentials/{each}" for each in credentials(source, service)]
    binds = [f"BindReadOnlyPaths=%d/{file}:{folder}/{at}" for at, file in with_mom.credential_files(source).items()]
    needs_port = place.listen.port < 1_024
    sandbox = _SANDBOX.format(
        capabilities="CAP_NET_BIND_SERVICE" if needs_port else "",
        # The capability must count in the machine's own user namespace.
        users="" if needs_port else "PrivateUsers=yes\n",
    )
    login = ["Environment=KUBECONFIG=%d/kubeconfig"] if source.has_kubernetes else []
    return "\n".join(
        (
            "[Unit]",
            f"Description={name}: an authenticating proxy for APIs (mom atlas run)",
            "Wants=network-online.target",
            "After=network-online.target",
            "",
            "[Service]",
            "# Started once it serves: systemctl start reports a configuration that cannot be served.",
            "Type=notify",
            f"ExecStart={command}",
            "Restart=on-failure",
            "RestartSec=2",
            "# mom alone gets the signal to end, and has Envoy finish the requests in progress.",
            "KillMode=mixed",
            f"TimeoutStopSec={with_mom.STOP_SECONDS}",
            f"LimitNOFILE={place.open_files}",
            "LimitCORE=0",
            "",
            "# The files of credentials are root's alone: each is the value of a variable, or a private key.",
            *loads,
            *binds,
            *login,
            "",
            "# What is written is in memory.",
            f"RuntimeDirectory={name}",
            "RuntimeDirectoryMode=0700",
            f"Environment=XDG_RUNTIME_DIR=%t/{name}",
            "",
            "DynamicUser=yes",
            sandbox,
            "[Install]",
            "WantedBy=multi-user.target",
            "",
        )
    )


def _quoted(word: str) -> str:
    """Return a word of a command line as systemd reads it (systemd.service(5), "Command lines")."""
    plain = word.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{plain}"' if any(character in word for character in " \t\"'\\;") else plain
