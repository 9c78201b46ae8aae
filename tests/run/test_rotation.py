"""Values that rotate under load: no request is lost, and none has the old value after the change is reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.envoy.upstream import Upstream
from tests.run import load
from tests.run.mom_run import mom_run, replace


def rotate(folder: Path, api: Upstream, rotations: int) -> None:
    """Rotate the value of a variable so often."""
    secret = folder / "secret"
    secret.write_text("value-0\n")
    with mom_run(folder) as run:
        run.configure({"one": (f"http://127.0.0.1:{api.port}", {"Authorization": "Bearer ${{ KEY }}"})})
        run.start("--credential", f"KEY=file:{secret}")

        def change(number: int) -> None:
            replace(secret, f"value-{number}\n")
            run.wait("Reloaded variables: KEY", number)

        load.rotate(
            run,
            api,
            "/v1/apis/http/one/x",
            rotations=rotations,
            change=change,
            sent=lambda request: request.get("authorization")[0],
            expected="Bearer value-{}".format,
        )


def test_no_request_is_lost_and_none_has_an_old_value(tmp_path: Path) -> None:
    with Upstream() as api:
        rotate(tmp_path, api, 3)


@pytest.mark.proof
def test_a_hundred_rotations(tmp_path: Path) -> None:
    with Upstream() as api:
        rotate(tmp_path, api, 100)
