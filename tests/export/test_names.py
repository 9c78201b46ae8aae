"""Names of files in one folder."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from mom.export.names import file_names

_PATHS = st.lists(st.text(st.sampled_from("aA./-é_ "), min_size=1, max_size=12), max_size=6)


def test_the_last_part_is_enough_where_no_two_end_alike() -> None:
    names = ["certs/client.pem", "/home/me/secret project/client.key", "../ca.pem"]
    assert file_names(names) == {names[0]: "client.pem", names[1]: "client.key", names[2]: "ca.pem"}


def test_relative_paths_that_end_alike_are_told_apart_by_all_of_their_parts() -> None:
    names = ["a/client.pem", "b/client.pem"]
    assert file_names(names) == {names[0]: "a-client.pem", names[1]: "b-client.pem"}


def test_of_an_absolute_path_only_the_last_part_is_ever_told() -> None:
    found = file_names(["/home/me/a/client.pem", "/home/me/b/client.pem", "../x/client.pem"])
    assert len(set(found.values())) == 3
    assert all(re.fullmatch(r"[0-9a-f]{8}-client\.pem", name) for name in found.values())


def test_a_name_that_is_taken_in_any_case_is_not_given() -> None:
    assert file_names(["certs/TLS.key", "token"], taken=["tls.key", "TOKEN"])["certs/TLS.key"] == "certs-TLS.key"
    assert file_names(["token"], taken=["TOKEN"])["token"].endswith("-token")


@given(_PATHS, st.lists(st.sampled_from(["a", "A", "a.a", "file"]), max_size=3))
def test_each_name_is_its_own_and_one_that_every_engine_takes(names: list[str], taken: list[str]) -> None:
    found = file_names(names, taken)
    assert set(found) == set(names)
    lower = [name.lower() for name in found.values()]
    assert len(set(lower)) == len(lower)
    assert not {name.lower() for name in taken} & set(lower)
    assert all(re.fullmatch(r"[A-Za-z0-9_-][-._A-Za-z0-9]*", name) for name in found.values())
