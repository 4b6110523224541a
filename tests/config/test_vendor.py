"""What stands under static/vendor is what the manifest says, with its licence, and loads from no host."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

VENDOR: Path = settings.BASE_DIR / "static/vendor"
ENTRIES: list[dict[str, Any]] = json.loads((VENDOR / "manifest.json").read_text())


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: str(entry["folder"]))
def test_it_holds_exactly_the_files_of_the_manifest(entry: dict[str, Any]) -> None:
    folder = VENDOR / entry["folder"] / entry["version"]
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert found == entry["sha256"]
    assert "LICENSE" in found
    assert entry["licence"]


def test_it_holds_no_folder_that_the_manifest_does_not_name() -> None:
    there = {f"{path.parent.name}/{path.name}" for path in VENDOR.glob("*/*")}
    assert there == {f"{entry['folder']}/{entry['version']}" for entry in ENTRIES}


def test_it_names_no_host_and_no_source_map() -> None:
    assert "://" not in (VENDOR / "manifest.json").read_text()
    for path in [*VENDOR.rglob("*.js"), *VENDOR.rglob("*.css")]:
        assert b"sourceMappingURL" not in path.read_bytes(), path
        assert b"@import" not in path.read_bytes(), path


def test_it_loads_nothing_from_elsewhere_in_our_own_files() -> None:
    for path in [*(VENDOR.parent).glob("*.js"), *(VENDOR.parent).glob("*.css")]:
        hosts = set(re.findall(r"://([\w.-]+)", path.read_text())) - {"www.w3.org"}
        assert hosts == set(), path
