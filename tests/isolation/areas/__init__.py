"""An area of the product a module: who may do what at its addresses, and with which rows that is tried.

Nothing here is read from the code under test: a view whose check is lowered or lost turns a cell red.
"""

from __future__ import annotations

from types import ModuleType

from tests.isolation.areas import (
    api,
    boards,
    campaigns,
    inbox,
    library,
    mailboxes,
    people,
    projects,
    removals,
    workspace,
)

# With an INSIDE of its own: addresses below /w/<slug>/.
PAGES: tuple[ModuleType, ...] = (
    workspace,
    mailboxes,
    projects,
    boards,
    campaigns,
    library,
    people,
    inbox,
    removals,
)
AREAS: tuple[ModuleType, ...] = (*PAGES, api)
