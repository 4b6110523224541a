"""Keys as an operator handles them: given, refused, changed while the product runs, removed (T11, T12)."""

from __future__ import annotations

import base64
import hmac
import importlib
import io
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import CommandError, SystemCheckError
from django.db import connection, connections
from django.db.models import F
from pytest_django.fixtures import Settings

from accounts import audit, encryption
from accounts.encryption import Unreadable, forget_keys, platform_index, seal
from accounts.keyring import keystore, rotation, sealed_columns, sealed_factors
from accounts.keyring.keystore import DATA, INSTALLATION, KEYSTORE, KeyRotation, WorkspaceKey
from accounts.keyring.providers import LocalKeys, parse
from accounts.models import User, Workspace
from accounts.origin import ActorKind
from accounts.people import factors
from accounts.tenancy import workspace
from mailbox.models import Receipt
from tests.factories import make_mailbox

NEW = "k2:" + base64.b64encode(b"n" * 32).decode()
GRACE = 0.3
ROOT = Path(__file__).resolve().parents[2]


def rotate(*arguments: str, grace: float = GRACE) -> str:
    out = io.StringIO()
    call_command("rotate_keys", f"--grace={grace}", *arguments, stdout=out)
    return out.getvalue()


def receipt(address: str = "ana@site.example") -> Receipt:
    return Receipt.objects.create(provider="google", address=address)


def stored(row: Receipt) -> bytes:
    with connection.cursor() as cursor:
        cursor.execute("SELECT address FROM mailbox_receipt WHERE id = %s", [row.pk])
        return bytes(cursor.fetchone()[0])


def versions(ws: Workspace) -> list[int]:
    keys = WorkspaceKey.objects.filter(workspace_id=ws.pk, purpose=DATA).order_by("version")
    return list(keys.values_list("version", flat=True))


@pytest.fixture
def new_key(settings: Settings) -> Iterator[Callable[..., None]]:
    """`new_key()`: a process that starts with the newer key in front."""

    def start(*, keep_old: bool = True) -> None:
        settings.KEYS = [NEW, *(settings.KEYS if keep_old else [])]
        forget_keys()

    yield start
    forget_keys()


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([], "KEYS is empty"),
        (["k1"], "entry 1 is not id:base64"),
        ([":AAAA"], "entry 1 is not id:base64"),
        (["k 1:AAAA"], "entry 1 is not id:base64"),
        (["k1:not base64"], "key k1 is not base64"),
        (["k1:AAAA"], "key k1 has 3 bytes, 32 are needed"),
        ([NEW, NEW], "k2 is there twice"),
    ],
)
def test_it_refuses_keys_that_cannot_be_read_and_does_not_repeat_them(
    entries: list[str], says: str, settings: Settings
) -> None:
    with pytest.raises(ImproperlyConfigured, match=says) as refused:
        parse(entries)
    assert "AAAA" not in str(refused.value)
    settings.KEYS = entries
    forget_keys()
    with pytest.raises(SystemCheckError, match=r"outreach\.K001"):
        call_command("check")


def test_it_refuses_a_start_without_a_key_that_the_key_store_names(
    in_ws: Workspace, new_key: Callable[..., None], settings: Settings
) -> None:
    receipt()
    call_command("check", databases=[KEYSTORE])
    new_key(keep_old=False)
    for more in ({"deploy": True}, {"databases": [KEYSTORE]}):
        with pytest.raises(SystemCheckError, match="wrapping key test is not in KEYS"):
            call_command("check", fail_level="ERROR", **more)
    settings.KEYS = ["test:" + base64.b64encode(b"x" * 32).decode()]
    forget_keys()
    with pytest.raises(SystemCheckError, match="does not open what it is said to have wrapped"):
        call_command("check", databases=[KEYSTORE])
    with pytest.raises(CommandError, match=r"Nothing was changed"):
        rotate()


def test_it_refuses_a_grace_that_a_worker_could_outlive(settings: Settings) -> None:
    settings.KEY_GRACE_SECONDS = settings.KEY_REFRESH_SECONDS + settings.WORKER_HARD_LIMIT_SECONDS
    with pytest.raises(SystemCheckError, match=r"outreach\.K002"):
        call_command("check")


def test_it_wraps_everything_anew_so_that_the_old_key_can_go(
    in_ws: Workspace, new_key: Callable[..., None]
) -> None:
    row = receipt()
    encryption.blind_index(in_ws.pk, "address", "x")
    encryption.blind_index(in_ws.pk, "suppression", "x")
    before = WorkspaceKey.objects.count()
    new_key()
    assert "wrapping keys: " in rotate("--wrapping-only")
    assert set(WorkspaceKey.objects.values_list("kek_id", flat=True)) == {"k2"}
    assert WorkspaceKey.objects.count() == before
    assert versions(in_ws) == [1]
    new_key(keep_old=False)
    assert Receipt.objects.get(pk=row.pk).address == "ana@site.example"


def test_it_brings_every_value_of_every_workspace_under_a_new_data_key(
    ws: Workspace, stranger: User, new_key: Callable[..., None]
) -> None:
    elsewhere = Workspace.objects.exclude(pk=ws.pk).get()
    rows = {}
    for here in (ws, elsewhere):
        with workspace(here):
            rows[here.pk] = [receipt(f"p{number}@{here.slug}.example") for number in range(450)]
            # Empty columns beside filled ones.
            make_mailbox(cursor=None)
    indexes = encryption.blind_index(ws.pk, "address", "x")
    new_key()
    said = rotate()
    assert re.search(r"done: \d+ keys wrapped anew, 9\d\d values under new data keys", said), said
    forget_keys()
    for here in (ws, elsewhere):
        with workspace(here):
            assert versions(here) == [2]
            assert set(sealed_columns.count_by_version(here.pk)) == {2}
            addresses = {row.address for row in Receipt.objects.all()}
            assert addresses == {f"p{number}@{here.slug}.example" for number in range(450)}
            line = audit.lines().get(action="workspace.rekeyed")
            assert (line.actor_kind, "version 2" in line.text.sentence) == (ActorKind.OPERATOR, True)
    assert encryption.blind_index(ws.pk, "address", "x") == indexes
    assert KeyRotation.objects.get().finished_at is not None


def test_it_counts_and_changes_nothing_with_check(in_ws: Workspace, new_key: Callable[..., None]) -> None:
    row = receipt()
    new_key()
    held, keys = stored(row), list(WorkspaceKey.objects.order_by("pk").values())
    said = rotate("--check")
    assert re.search(r"wrapping key test: \d+ keys\n", said)
    assert re.search(rf"{in_ws.sid} version 1: [1-9]\d* values \(newest\)", said)
    assert "rotate_keys has work to do" in said
    assert (stored(row), list(WorkspaceKey.objects.order_by("pk").values())) == (held, keys)
    assert not KeyRotation.objects.exists()
    rotate()
    assert "everything stands under the newest keys" in rotate("--check")


@pytest.mark.parametrize("point", ["_renew", "_sweep", "_retire", "_remove_old"])
def test_it_goes_on_where_it_was_stopped(
    point: str, in_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after each step: the next start makes no second new key, and finishes."""
    row = receipt()

    class Stopped(BaseException):
        pass

    real = getattr(rotation, point)

    def stop(*args: object, **options: object) -> None:
        real(*args, **options)
        raise Stopped

    monkeypatch.setattr(rotation, point, stop)
    with pytest.raises(Stopped):
        rotate()
    monkeypatch.setattr(rotation, point, real)
    forget_keys()
    assert Receipt.objects.get(pk=row.pk).address == "ana@site.example"
    assert "going on with rotation" in rotate()
    assert versions(in_ws) == [2]
    assert Receipt.objects.get(pk=row.pk).address == "ana@site.example"


def test_it_lets_a_writer_win_who_came_in_between(in_ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    row = receipt()
    real = encryption.reseal
    wrote: list[int] = []

    def overtaken(workspace_id: uuid.UUID, where: str, blob: bytes, *, version: int) -> bytes:
        renewed = real(workspace_id, where, blob, version=version)
        if str(row.pk) in where and not wrote:
            wrote.append(Receipt.objects.filter(pk=row.pk).update(**seal(row, address="new@site.example")))
        return renewed

    monkeypatch.setattr(sealed_columns, "reseal", overtaken)
    said = rotate()
    assert Receipt.objects.get(pk=row.pk).address == "new@site.example"
    assert "1 looked at again" in said


def test_it_keeps_the_old_key_for_a_process_that_still_writes_under_it(
    in_ws: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row read before, and saved whole after the sweep, brings the old ciphertext back."""
    row = receipt()
    before, pauses = Receipt.objects.get(pk=row.pk), []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1:
            before.save()
            assert encryption.version_of(stored(row)) == 1
            assert versions(in_ws) == [1, 2]
        threading.Event().wait(seconds)

    monkeypatch.setattr(rotation, "time", SimpleNamespace(monotonic=time.monotonic, sleep=pause))
    rotate()
    # The grace begins anew after the late value.
    assert len(pauses) >= 2
    assert encryption.version_of(stored(row)) == 2
    assert versions(in_ws) == [2]
    assert Receipt.objects.get(pk=row.pk).address == "ana@site.example"


def test_it_keeps_the_old_key_while_a_value_under_it_does_not_open(in_ws: Workspace) -> None:
    good, bad, other = receipt(), receipt(), receipt()
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE mailbox_receipt SET address = (SELECT address FROM mailbox_receipt WHERE id = %s)"
            " WHERE id = %s",
            [other.pk, bad.pk],
        )
    with pytest.raises(CommandError, match=f"mailbox_receipt {bad.pk}"):
        rotate()
    assert versions(in_ws) == [1, 2]
    assert Receipt.objects.get(pk=good.pk).address == "ana@site.example"
    assert encryption.version_of(stored(good)) == 2


def test_it_writes_under_a_new_version_as_soon_as_the_period_is_over(
    in_ws: Workspace, settings: Settings
) -> None:
    """What another process does: it held version 1 in memory, and reads version 2 at once."""
    settings.KEY_REFRESH_SECONDS = 0.2
    receipt()
    keystore.mint(in_ws.pk, DATA, version=2)
    threading.Event().wait(0.25)
    row = receipt("later@site.example")
    assert encryption.version_of(stored(row)) == 2
    assert Receipt.objects.get(pk=row.pk).address == "later@site.example"


def test_it_asks_for_the_newest_version_once_in_a_period(
    in_ws: Workspace, settings: Settings, django_assert_num_queries: Callable[..., object]
) -> None:
    settings.KEY_REFRESH_SECONDS = 3600.0
    receipt()
    with django_assert_num_queries(0, using=KEYSTORE):  # type: ignore[attr-defined]
        receipt()


class OtherHouse(LocalKeys):
    """A second provider: new keys are wrapped by it, what the local keys wrapped still opens."""

    kept: dict[str, tuple[bytes, bytes]] = {}

    def newest(self) -> str:
        return "kms-7"

    def wrap(self, plain: bytes, aad: bytes) -> tuple[str, bytes]:
        handle = uuid.uuid4().hex
        self.kept[handle] = (plain, aad)
        return self.newest(), handle.encode()

    def unwrap(self, key_id: str, blob: bytes, aad: bytes) -> bytes:
        if key_id != self.newest():
            return super().unwrap(key_id, blob, aad)
        plain, bound = self.kept.get(blob.decode(), (b"", b""))
        if not plain or bound != aad:
            raise Unreadable("the house does not know this key")
        return plain


def test_it_moves_to_another_provider_of_keys(in_ws: Workspace, settings: Settings) -> None:
    row = receipt()
    settings.KEY_PROVIDER = f"{__name__}.OtherHouse"
    forget_keys()
    assert Receipt.objects.get(pk=row.pk).address == "ana@site.example"
    rotate()
    assert set(WorkspaceKey.objects.values_list("kek_id", flat=True)) == {"kms-7"}
    OtherHouse.kept.clear()
    forget_keys()
    with pytest.raises(Unreadable, match="the house does not know this key"):
        _ = Receipt.objects.get(pk=row.pk).address


def test_it_does_not_open_a_wrapped_key_in_another_place(in_ws: Workspace, stranger: User) -> None:
    receipt()
    elsewhere = Workspace.objects.exclude(pk=in_ws.pk).get()
    WorkspaceKey.objects.filter(workspace_id=in_ws.pk, purpose=DATA).update(
        workspace_id=elsewhere.pk, version=F("version") + 1
    )
    forget_keys()
    with pytest.raises(Unreadable):
        keystore.newest_key(elsewhere.pk, DATA)


def test_it_keeps_identities_when_the_secret_key_changes(db: None, settings: Settings) -> None:
    before = platform_index("mailbox", "google:42")
    assert before != platform_index("other", "google:42")
    settings.SECRET_KEY = "another-" + "t" * 50
    forget_keys()
    assert platform_index("mailbox", "google:42") == before
    keys = WorkspaceKey.objects.filter(workspace_id=INSTALLATION, purpose="platform:mailbox")
    assert keys.count() == 1


def upgrade() -> None:
    migration = importlib.import_module("accounts.migrations.0003_key_rotation")
    migration.keep(apps, SimpleNamespace(connection=connections["default"]))
    migration.keep(apps, SimpleNamespace(connection=connections[KEYSTORE]))


@pytest.mark.parametrize("changed", [False, True])
def test_it_still_knows_the_identities_of_an_earlier_version(
    changed: bool, in_ws: Workspace, settings: Settings
) -> None:
    receipt()
    secret = settings.SECRET_KEY
    derived = hmac.digest(secret.encode(), b"platform:mailbox", "sha256")
    identity = hmac.digest(derived, b"google:42", "sha256")
    if changed:
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another-" + "t" * 50, [secret]
    upgrade()
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "a-third-" + "t" * 50, []
    assert platform_index("mailbox", "google:42") == identity


def test_it_derives_nothing_from_the_secret_key_on_a_new_installation(db: None, settings: Settings) -> None:
    upgrade()
    assert not WorkspaceKey.objects.exists()
    derived = hmac.digest(settings.SECRET_KEY.encode(), b"platform:mailbox", "sha256")
    assert platform_index("mailbox", "google:42") != hmac.digest(derived, b"google:42", "sha256")


def test_it_brings_second_factors_under_the_new_key_of_the_installation(owner: User) -> None:
    row = Authenticator.objects.create(
        user=owner, type=Authenticator.Type.TOTP, data={"secret": factors.seal("JBSWY3DP"), "other": 1}
    )
    rotate()
    keys = WorkspaceKey.objects.filter(workspace_id=INSTALLATION, purpose=DATA)
    assert [key.version for key in keys] == [2]
    forget_keys()
    row.refresh_from_db()
    assert factors.unseal(row.data["secret"]) == "JBSWY3DP"
    assert row.data["other"] == 1
    assert sealed_factors.count_by_version() == {2: 1}


def test_it_reaches_every_ciphertext() -> None:
    """Nobody seals outside an encrypted column, where a rotation would not find it."""
    own = {"encryption.py", "providers.py", "tokens.py"}
    own |= {"factors.py", "sealed_factors.py"}  # second factors: brought along by sealed_factors
    own |= {"proof.py", "invited.py"}  # in a session, for a day at the most
    calls = re.compile(r"(?<![\w.])(?:encryption\.)?(?:encrypt|decrypt|reseal)\(")
    found = {
        path.name
        for app in ("accounts", "mailbox", "outreach", "tracking", "config")
        for path in (ROOT / app).rglob("*.py")
        if "sandbox" not in path.parts and calls.search(path.read_text())
    }
    assert found - own <= {"sealed_columns.py"}
