from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagelane.model.ids import Digest, StageName
from imagelane.model.outcome import Rendition
from imagelane.ports.publisher import Version
from imagelane.publish.index import build_index
from imagelane.publish.manifest import build

Row = tuple[str, str, int, str, int, int]


def row(name: str, form: str = "jpeg", width: int = 480, height: int = 320) -> Row:
    digest = hashlib.sha256(f"{name}{form}{width}".encode()).hexdigest()
    return name, digest, width * 10, form, width, height


THUMBNAILS = [row("160", width=160, height=107), row("480"), row("1080", width=1080, height=720)]


def member(name: str = "harbour.jpg", **changes: Any) -> dict[str, Any]:
    return {
        "subject": "1.1",
        "ordinal": 1,
        "name": name,
        "state": "processing",
        "reason": "",
        "role": "",
        "columns": {},
        "facts": {"validate": {"width": 4000, "height": 2667, "format": "jpeg"}},
        "renditions": {"thumbnails": THUMBNAILS},
        "missing": {},
        **changes,
    }


def version(members: Iterable[Mapping[str, Any]], **parameters: Any) -> Version:
    return build(
        pipeline="news", group_name="Harbour", slug="harbour", members=members, **parameters
    )


def content(built: Version) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(built.manifest)
    return parsed


def image(**changes: Any) -> dict[str, Any]:
    (only,) = content(version([member(**changes)]))["images"]
    assert isinstance(only, dict)
    return only


def names(built: Version) -> list[str]:
    return [file.name for file in built.files]


def test_whole_manifest() -> None:
    facts = {
        "validate": {"width": 4000, "height": 2667},
        "metadata": {
            "captured": "2024-05-01T12:00:00",
            "title": "Crane",
            "description": "A crane at dawn",
            "thumbhash": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
            "dominant": "#334455",
            "gps": True,
            "camera": "X100",
        },
    }
    sheet = Rendition("contact-sheet", Digest("c" * 64), 999, "jpeg", 800, 600)
    built = version(
        [member(facts=facts, role="primary")], group_outputs={StageName("contact-sheet"): [sheet]}
    )

    assert content(built) == {
        "format": "imagelane-gallery/1",
        "pipeline": "news",
        "group": "Harbour",
        "title": "Harbour",
        "contact_sheet": {
            "stage": "contact-sheet",
            "name": "contact-sheet",
            "file": "contact-sheet.jpg",
            "format": "jpeg",
            "bytes": 999,
            "digest": "c" * 64,
            "width": 800,
            "height": 600,
        },
        "images": [
            {
                "name": "harbour.jpg",
                "role": "primary",
                "alt": "A crane at dawn",
                "caption": "A crane at dawn",
                "captured": "2024-05-01T12:00:00",
                "width": 4000,
                "height": 2667,
                "placeholder": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
                "dominant": "#334455",
                "renditions": [
                    {
                        "stage": "thumbnails",
                        "name": name,
                        "file": f"harbour-{name}.jpg",
                        "format": form,
                        "bytes": size,
                        "digest": digest,
                        "width": width,
                        "height": height,
                    }
                    for name, digest, size, form, width, height in THUMBNAILS
                ],
                "srcset": {
                    "thumbnails": {
                        "jpeg": "harbour-160.jpg 160w, harbour-480.jpg 480w, harbour-1080.jpg 1080w"
                    }
                },
            }
        ],
    }
    assert built.digest == hashlib.sha256(built.manifest).hexdigest()
    assert names(built) == ["contact-sheet.jpg", *(f"harbour-{w}.jpg" for w in (160, 480, 1080))]
    assert (built.slug, built.group_name) == ("harbour", "Harbour")
    assert list(built.rows) == content(built)["images"]


@pytest.mark.parametrize("state", ["skipped", "rejected", "dead", "held", "received"])
def test_images_that_left_the_group_are_not_in_it(state: str) -> None:
    built = version([member("a.jpg"), member("b.jpg", state=state), member("c.jpg")])
    assert [one["name"] for one in content(built)["images"]] == ["a.jpg", "c.jpg"]
    assert not [name for name in names(built) if name.startswith("b")]


def test_missing_outputs_are_marked() -> None:
    missing = {"thumbnails": "timeout: no answer\nafter 10 s", "metadata": "invalid: x"}
    partial = member(state="partial", renditions={}, missing=missing)
    (one,) = content(version([partial], expected=frozenset({"thumbnails"})))["images"]
    assert one["missing"] == [{"stage": "thumbnails", "reason": "timeout: no answer after 10 s"}]
    assert one["renditions"] == []
    assert "srcset" not in one
    (one,) = content(version([partial]))["images"]
    assert [entry["stage"] for entry in one["missing"]] == ["metadata", "thumbnails"]


def test_columns_give_way_to_facts() -> None:
    columns = {"title": "from the manifest", "alt": "as the editor says", "captured": " "}
    one = image(columns=columns, facts={"metadata": {"title": "from the file"}})
    assert (one["alt"], one["caption"]) == ("as the editor says", "from the file")
    assert "captured" not in one


def test_order_in_which_branches_ended_changes_nothing() -> None:
    thumbnails, marked = {"thumbnails": THUMBNAILS}, {"watermark": [row("marked", width=1600)]}
    facts = {"metadata": {"title": "a"}, "other": {"title": "b"}}
    turned = dict(reversed(facts.items()))
    first = version([member(renditions=thumbnails | marked, facts=facts)])
    second = version([member(renditions=marked | thumbnails, facts=turned)])
    assert first == second


def test_srcset_holds_one_picture_in_several_widths() -> None:
    built = image(
        name="a b, ü.jpg",
        renditions={
            "encode": [
                *(row(str(w), form, w) for w in (640, 320) for form in ("avif", "jpeg")),
                row("2000", "jpeg", 640),
            ],
            "watermark": [row("marked", width=1600)],
        },
    )
    quoted = "a%20b%2C%20%C3%BC"
    assert built["srcset"] == {
        "encode": {
            "avif": f"{quoted}-320.avif 320w, {quoted}-640.avif 640w",
            "jpeg": f"{quoted}-320.jpg 320w, {quoted}-640.jpg 640w",
        }
    }
    assert built["renditions"][0]["file"] == "a b, ü-640.avif"


def stems(*given_names: str) -> list[str]:
    built = version([member(name, renditions={"t": [row("480")]}) for name in given_names])
    return [name.removesuffix("-480.jpg") for name in names(built)]


def test_images_of_one_name_are_numbered() -> None:
    assert stems("a.jpg", "a.png", "b.jpg", "A.webp") == ["a", "a-2", "b", "A-3"]
    assert stems("caf\u00e9.jpg", "cafe\u0301.jpg") == ["café", "café-2"]
    assert stems("undecodable \udcff.jpg", "undecodable \udcfe.jpg") == [
        "undecodable _",
        "undecodable _-2",
    ]


def test_numbered_name_that_another_image_really_has_is_passed_over() -> None:
    assert stems("a-2.jpg", "a.jpg", "a.png") == ["a-2", "a", "a-3"]
    assert stems("a.jpg", "a.png", "a-2.jpg") == ["a", "a-2", "a-2-2"]


def test_name_that_ends_like_a_rendition_of_another_is_told_apart() -> None:
    built = version(
        [
            member("a.jpg", renditions={"t": [row("480"), row("2-480")]}),
            member("a-2.jpg", renditions={"t": [row("480")]}),
        ]
    )
    assert names(built) == ["a-480.jpg", "a-2-480.jpg", "a-2-2-480.jpg"]


def test_stages_that_name_their_files_alike_say_their_own() -> None:
    both = {"thumbnails": [row("480"), row("160")], "encode": [row("480"), row("480", "webp")]}
    built = version([member(renditions=both), member("b.jpg", renditions={"encode": [row("480")]})])
    assert names(built) == [
        "harbour-encode-480.jpg",
        "harbour-480.webp",
        "harbour-thumbnails-480.jpg",
        "harbour-160.jpg",
        "b-encode-480.jpg",
    ]


def test_rendition_called_as_its_image_is_not_said_twice() -> None:
    made = {"checksum": [row("boat.sha256", "sha256"), row("boat", "txt"), row("boat-log", "txt")]}
    assert names(version([member("boat.jpg", renditions=made)])) == [
        "boat.sha256",
        "boat.txt",
        "boat-log.txt",
    ]


def test_nothing_takes_the_manifests_own_name() -> None:
    made = {"x": [row("manifest", "json")]}
    outputs = {StageName("x"): [Rendition("manifest", Digest("d" * 64), 1, "json")]}
    built = version([member("manifest.jpg", renditions=made)], group_outputs=outputs)
    assert "manifest.json" not in names(built)
    assert len(set(names(built))) == 2


def test_other_files_of_the_group_are_listed() -> None:
    outputs = {
        StageName("contact-sheet"): [Rendition("contact-sheet", Digest("c" * 64), 9, "jpeg", 8, 6)],
        StageName("feed"): [Rendition("feed", Digest("f" * 64), 7, "xml")],
        StageName("proofs"): [Rendition("contact-sheet", Digest("e" * 64), 9, "jpeg", 8, 6)],
    }
    built = content(version([member()], group_outputs=outputs))
    assert built["contact_sheet"]["file"] == "contact-sheet-contact-sheet.jpg"
    assert [(one["file"], "width" in one) for one in built["files"]] == [
        ("feed.xml", False),
        ("proofs-contact-sheet.jpg", True),
    ]


hostile = st.text(st.characters(codec=None, exclude_categories=()), max_size=12) | st.sampled_from(
    ["a", "A", "a-2", "../x", "480", "e\u0301", "é", "CON", "", ".", "manifest", "x" * 300]
)
renditions = st.dictionaries(
    hostile,
    st.lists(
        st.builds(
            lambda name, form: (name, "a" * 64, 1, form, 10, 10),
            hostile,
            st.sampled_from(["jpeg", "json", "tar.gz", "../x", ""]),
        ),
        max_size=3,
    ),
    max_size=3,
)


@given(st.lists(st.tuples(hostile, renditions), max_size=6), renditions)
def test_file_names_are_safe_and_never_meet(
    images: Sequence[tuple[str, dict[str, list[Row]]]], outputs: dict[str, list[Row]]
) -> None:
    built = version(
        [member(name, renditions=made) for name, made in images],
        group_outputs={
            StageName(stage): [Rendition(one[0], Digest(one[1]), *one[2:]) for one in rows]
            for stage, rows in outputs.items()
        },
    )
    expected = sum(len(rows) for _, made in images for rows in made.values())
    expected += sum(map(len, outputs.values()))
    keys = {unicodedata.normalize("NFC", name.casefold()) for name in names(built)}
    assert len(keys) == len(built.files) == expected
    assert "manifest.json" not in keys
    for name in names(built):
        assert len(name.encode()) <= 255
        assert name[0] not in ".-"
        assert not set(name) & set('/\\:\0\n"<>|?*')
    told = content(built)
    listed = [entry for one in told["images"] for entry in one["renditions"]]
    listed += told.get("files", [])
    listed += [told["contact_sheet"]] if "contact_sheet" in told else []
    assert sorted(entry["file"] for entry in listed) == sorted(names(built))


def test_ten_thousand_images_of_one_name_take_no_search() -> None:
    built = version(member("main.jpg", renditions={"t": [row("480")]}) for _ in range(10_000))
    assert names(built)[-1] == "main-10000-480.jpg"


def test_index_lists_galleries_in_the_given_order_with_a_cover() -> None:
    wide = [row("1080", width=1080, height=720)]
    first = version([member("a.jpg"), member("b.jpg", role="primary")], title="Am Hafen")
    second = version([member("c.jpg", renditions={"t": wide})])
    empty = version([])
    index = json.loads(
        build_index(
            "news", None, [("b", first.manifest), ("a", second.manifest), ("c", empty.manifest)]
        )
    )
    assert index["title"] == "news"
    assert index["galleries"] == [
        {
            "slug": "b",
            "group": "Harbour",
            "title": "Am Hafen",
            "images": 2,
            "manifest": first.digest,
            "cover": {"file": "b-480.jpg", "width": 480, "height": 320},
        },
        {
            "slug": "a",
            "group": "Harbour",
            "title": "Harbour",
            "images": 1,
            "manifest": second.digest,
            "cover": {"file": "c-1080.jpg", "width": 1080, "height": 720},
        },
        {
            "slug": "c",
            "group": "Harbour",
            "title": "Harbour",
            "images": 0,
            "manifest": empty.digest,
        },
    ]


def test_what_had_to_be_found_for_a_file_stands_beside_it() -> None:
    found = {"480.jpg": {"quality": 71, "ssimulacra2": 75.4, "tries": 3}}
    smallest, middle, _ = image(facts={"thumbnails": {"coded": found}})["renditions"]
    assert (middle["quality"], middle["ssimulacra2"]) == (71, "75.40")
    assert "quality" not in smallest


@pytest.mark.parametrize(
    "said",
    ["a text", {"480.jpg": "a text"}, {"480.jpg": {}}, {"480.jpg": {"quality": 7.5}}],
)
def test_a_fact_of_the_same_name_that_means_something_else(said: Any) -> None:
    renditions = image(facts={"thumbnails": {"coded": said}})["renditions"]
    assert all("quality" not in one for one in renditions)


def test_another_stages_finding_is_not_taken_for_this_ones() -> None:
    found = {"480.jpg": {"quality": 71, "ssimulacra2": 75.4, "tries": 3}}
    assert all(
        "quality" not in one for one in image(facts={"other": {"coded": found}})["renditions"]
    )
