"""From an empty folder to a signed request: each command as the one before it prints it, with the real parts."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.golden import MOM, run_mom
from tests.run.mom_run import MomRun, mom_run


def typed(run: MomRun, command: str) -> subprocess.CompletedProcess[str]:
    """Run a command line as it is printed, in the folder of the run, at its gateway."""
    environ = {
        **run.environ,
        "PATH": f"{Path(MOM).parent}:{run.environ['PATH']}",
        "MOM_BASE_URL": f"http://127.0.0.1:{run.port}",
    }
    done = subprocess.run(
        command, shell=True, cwd=run.folder, env=environ, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done


def test_after_init_the_guides_three_commands_work_with_nothing_typed_by_hand(tmp_path: Path) -> None:
    with mom_run(tmp_path, environ={"OPENAI_API_TOKEN": "not-used"}) as run:
        shown = typed(run, "mom atlas config init --with openai").stderr
        *_, request = re.findall(r"mom curl .+", shown)
        (tmp_path / "atlas.yml").rename(tmp_path / "with-openai.yml")

        shown = typed(run, "mom atlas config init").stderr
        add, start = re.findall(r"mom atlas .+", shown)
        assert start == "mom atlas run"
        typed(run, add)
        assert (tmp_path / "atlas.yml").read_text() == (tmp_path / "with-openai.yml").read_text()
        typed(
            run,
            "mom atlas config add-http-adapter -f atlas.yml --adapter-name openai --base-url https://api.openai.com"
            " -H 'Authorization: Bearer ${{ OPENAI_API_TOKEN }}'",
        )
        run.start("--stand-in")
        received = json.loads(typed(run, request).stdout)
        assert received["url"] == "https://api.openai.com/v1/models"
        assert {"name": "authorization", "value": "Bearer stand-in-for-OPENAI_API_TOKEN"} in received["headers"]
        assert run.end() == 0
        # With its variable set, it starts without a stand-in too.
        run.text = ""
        run.start()
        assert "/v1/apis/http/openai/  https://api.openai.com" in run.text
        assert run.end() == 0


def test_a_run_refuses_the_provider_of_the_preset_for_deployments_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOM_HOME", str(tmp_path / "home"))
    assert run_mom(["atlas", "config", "init", "--preset", "production"]).status == 0
    for more in ([], ["--stand-in"]):
        done = run_mom(["atlas", "run", "--listen", "127.0.0.1:0", *more])
        assert (done.status, done.stdout) == (1, b"")
        assert (
            "atlas.yml:15:5: error: the identity provider `oidc` is a placeholder: https://login.invalid/"
            in done.stderr
        )
    # So does the command that `init` names as the next one; what is not filled in can be listed all the same.
    done = run_mom(["atlas", "config", "validate"])
    assert done.status == 1
    assert done.stdout.startswith(
        b"atlas.yml:15:5: error: the identity provider `oidc` is a placeholder: https://login"
    )
    assert run_mom(["atlas", "config", "add", "openai", "-q"]).status == 0
    assert run_mom(["atlas", "config", "list", "--format", "json"]).status == 0
