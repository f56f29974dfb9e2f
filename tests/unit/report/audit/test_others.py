"""The trail for other programs: a table, PREMIS, PROV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from xml.etree.ElementTree import fromstring

import pytest

from imagelane.adapters.journals.sqlite import SqliteJournal
from imagelane.adapters.journals.sqlite.audit import SqliteAuditLog
from imagelane.model import events as e
from imagelane.model.audit import Told
from imagelane.model.ids import StageName, Subject
from imagelane.record.audit.reading import trail
from imagelane.report.audit.premis import premis
from imagelane.report.audit.prov import prov
from imagelane.report.audit.table import COLUMNS, table
from imagelane.testing import audit_runs
from imagelane.testing.audit_runs import PLAN, RUN

PREMIS = "{http://www.loc.gov/premis/v3}"


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    path = tmp_path_factory.mktemp("others") / "journal.db"
    journal = SqliteJournal(path)
    claimed = journal.create(RUN, {}, "owner")
    events = list(audit_runs.events(200))
    events[1] = e.GroupOpened(Subject(1), '=HYPERLINK("evil") & <b>\udcff\x1b[31m')
    events[2] = e.ImageReceived(Subject(1, 1), 0, "=1+1 <&\udcff.jpg", "/p", 1, 1)
    events.insert(60, e.TaskSkipped(Subject(1, 1), StageName("store"), "=cmd|' /C calc'!A0"))
    journal.append(claimed, [(1_795_000_000.25, event) for event in events])
    journal.close()
    log = SqliteAuditLog(path)
    found = list(trail(log, RUN, PLAN))
    log.close()
    return found


def test_a_table_has_a_row_for_every_event_and_no_formula(told: list[Told]) -> None:
    rows = list(csv.DictReader(io.StringIO("".join(table(told)))))
    assert tuple(rows[0]) == COLUMNS
    assert [int(row["index"]) for row in rows] == [one.index for one in told]
    assert rows[0]["at"] == "2026-11-18T11:06:40.250000Z"
    assert rows[2]["name"].startswith("'=1+1")
    assert not [cell for row in rows for cell in row.values() if cell[:1] in "=+-@" and cell]
    assert any(row["stage"] == "thumbnails" and row["outputs"].count(":") == 3 for row in rows)


def test_premis_has_its_elements_in_the_order_of_its_schema(told: list[Told]) -> None:
    """As premis-v3-0.xsd orders them: objects, events, agents; and within each."""
    root = fromstring("".join(premis(lambda: told)))  # noqa: S314 - our own
    assert root.tag == f"{PREMIS}premis"
    assert root.get("version") == "3.0"
    names = [one.tag.removeprefix(PREMIS) for one in root]
    assert names == sorted(names, key=["object", "event", "agent"].index)
    orders = {
        "object": ["objectIdentifier", "objectCharacteristics", "originalName"],
        "event": [
            "eventIdentifier",
            "eventType",
            "eventDateTime",
            "eventDetailInformation",
            "eventOutcomeInformation",
            "linkingAgentIdentifier",
            "linkingObjectIdentifier",
        ],
        "agent": ["agentIdentifier", "agentName", "agentType"],
    }
    for one in root:
        kind = one.tag.removeprefix(PREMIS)
        own = [part.tag.removeprefix(PREMIS) for part in one]
        assert own == sorted(own, key=orders[kind].index)
        assert own[0] == f"{kind}Identifier"
    assert names.count("event") == len(told)


def test_premis_names_the_terms_of_its_vocabulary_and_only_what_it_describes(
    told: list[Told],
) -> None:
    root = fromstring("".join(premis(lambda: told, {"store": "publish"})))  # noqa: S314
    types = {one.text for one in root.iter(f"{PREMIS}eventType")}
    assert types >= {"ingestion", "validation", "metadata extraction", "creation", "dissemination"}
    described = {one.text for one in root.iter(f"{PREMIS}objectIdentifierValue")}
    linked = {one.text for one in root.iter(f"{PREMIS}linkingObjectIdentifierValue")}
    assert {one for one in linked if one and one.startswith("sha256:")} <= described
    agents = {one.text for one in root.iter(f"{PREMIS}agentIdentifierValue")}
    assert {one.text for one in root.iter(f"{PREMIS}linkingAgentIdentifierValue")} == agents


def test_prov_relates_only_what_it_declares(told: list[Told]) -> None:
    document = json.loads("".join(prov(lambda: told)))
    assert len(document["activity"]) == len(told)
    declared = {*document["entity"], *document["activity"], *document["agent"]}
    for relation, ends in (
        ("used", ("prov:activity", "prov:entity")),
        ("wasGeneratedBy", ("prov:entity", "prov:activity")),
        ("wasInformedBy", ("prov:informed", "prov:informant")),
        ("wasAssociatedWith", ("prov:activity", "prov:agent")),
    ):
        assert document[relation]
        for statement in document[relation].values():
            assert {statement[end] for end in ends} <= declared
    prefixes = {name.partition(":")[0] for name in declared}
    assert prefixes <= set(document["prefix"])


def test_nothing_is_kept_in_memory(told: list[Told]) -> None:
    """Each of them asks for the events as often as it needs them, and gives out pieces."""
    asked = 0

    def events() -> Iterator[Told]:
        nonlocal asked
        asked += 1
        return iter(told)

    assert len(list(premis(events))) > len(told)
    assert len(list(prov(events))) > len(told)
    assert asked == 2 + 7
