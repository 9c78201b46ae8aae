"""TLS settings of an adapter in a run: files are checked, followed, and named where they cannot be used."""

from __future__ import annotations

import json
import os
import ssl
from pathlib import Path
from typing import Any

import pytest

from mom.atlas.adapters.http_tls import Tls
from mom.errors import MomError
from mom.run.trust import ca_file, pem_files
from tests.envoy.certificates import Authority, for_clients
from tests.envoy.configurations import configuration, http
from tests.envoy.conftest import server_context
from tests.envoy.upstream import Upstream
from tests.run.mom_run import MomRun, atlas_yml, mom_run, replace


def configure(run: MomRun, port: int, **tls: Any) -> None:
    """Write the configuration of one adapter with such TLS settings."""
    url = f'"baseUrl": "https://localhost:{port}"'
    text = atlas_yml({"api": (f"https://localhost:{port}", {})})
    replace(run.folder / "atlas.yml", text.replace(url, f'{url}, "tls": {json.dumps(tls)}'))


def test_files_are_followed(tmp_path: Path, authority: Authority) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    old, new = (Authority(folder, name) for name in ("old", "new"))
    context = server_context(authority.issue("localhost"), folder)
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=_pem(new))
    with Upstream(context) as api, mom_run(tmp_path) as run:
        (tmp_path / "ca.pem").write_bytes(authority.file.read_bytes())
        for_clients(old, "atlas").write(tmp_path, "client")
        configure(run, api.port, caFile="ca.pem", certFile="client.pem", keyFile="client-key.pem")
        (tmp_path / "client-key.pem").chmod(0o644)
        run.start()
        run.wait(f"chmod 600 {tmp_path / 'client-key.pem'}")
        assert run.client.send("/v1/apis/http/api/x", token=run.token()).status == 502

        files = for_clients(new, "atlas").write(folder, "renewed")
        replace(tmp_path / "client-key.pem", files.key.read_text())
        replace(tmp_path / "client.pem", files.chain.read_text())
        run.wait("Reloaded files of TLS settings")
        assert run.client.send("/v1/apis/http/api/x", token=run.token()).status == 200
        assert len(api.requests) == 1

        replace(tmp_path / "ca.pem", "no certificate\n")
        run.wait("ca.pem has no certificate in PEM form")
        assert run.client.send("/v1/apis/http/api/x", token=run.token()).status == 200


def _pem(authority: Authority) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return authority.root.certificate.public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("tls", "said"),
    [
        ({"caFile": "missing.pem"}, "missing.pem: there is no such file"),
        pytest.param({"caFile": "empty.pem"}, "empty.pem has no certificate in PEM form", marks=pytest.mark.proof),
        ({"certFile": "client.pem", "keyFile": "other.pem"}, "client.pem and other.pem cannot be used"),
        pytest.param({"certFile": "client.pem"}, "given together", marks=pytest.mark.proof),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, authority: Authority, tls: dict[str, str], said: str
) -> None:
    (tmp_path / "empty.pem").write_text("")
    for_clients(authority, "atlas").write(tmp_path, "client")
    replace(tmp_path / "other.pem", for_clients(authority, "x").write(tmp_path, "x").key.read_text())
    with mom_run(tmp_path) as run:
        configure(run, 1, **tls)
        run.start(serving=False)
        assert run.status() == 1
        assert said in run.text
        assert "PRIVATE KEY" not in run.text


def test_a_stand_in_needs_no_files(tmp_path: Path) -> None:
    with mom_run(tmp_path) as run:
        configure(run, 1, caFile="missing.pem")
        run.start("--stand-in")
        assert run.client.send("/v1/apis/http/api/x", token=run.token()).status == 200


def test_files_that_many_adapters_share_are_judged_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []

    class Counting(ssl.SSLContext):
        def load_verify_locations(self, *given: Any, **named: Any) -> None:
            judged.append("a bundle")
            super().load_verify_locations(*given, **named)

    def read(number: int, name: str) -> None:
        adapters = [http(f"api{each}", "https://api.test")._replace(tls=Tls(name)) for each in range(number)]
        pem_files(configuration(*adapters)._replace(file=str(tmp_path / "atlas.yml")))

    with monkeypatch.context() as patched:
        patched.setattr(ssl, "SSLContext", Counting)
        read(200, ca_file(os.environ))
    assert judged == ["a bundle"]
    with pytest.raises(MomError) as caught:
        read(3, "missing.pem")
    assert [problem.message for problem in caught.value.problems] == [
        f"api{each}: {tmp_path / 'missing.pem'}: there is no such file" for each in range(3)
    ]
