"""`deidentify`: a DICOM file without what tells whose picture it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from imagelane.declare.problems import Path
from imagelane.declare.stages.base import StageParameters
from imagelane.declare.stages.coding import unique
from imagelane.declare.values import Text
from imagelane.model.spec import Reads, StageTraits

Modality = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,15}$")]


class Deidentify(StageParameters):
    """Write the DICOM file anew without what identifies a person, by the basic profile of
    PS3.15 Annex E, and read it again to check. Names, numbers and dates go; UIDs and the patient's
    number become pseudonyms, the same for the same key. What may have text in its pixels waits for
    a human (verdict `review`); what is not understood fails. Needs the extra:
    pip install 'imagelane[dicom]'."""

    KIND: ClassVar[str] = "deidentify"
    TRAITS: ClassVar[StageTraits] = StageTraits(
        reads=Reads.SOURCE,
        makes_renditions=True,
        facts=frozenset(
            {
                "modality",
                "body_part",
                "patient",
                "study",
                "series",
                "instance",
                "frames",
                "dates",
                "burned_in",
                "review",
                "key_id",
            }
        ),
    )

    key: Text
    """A file with the secret that pseudonyms are made with: at least 32 bytes, e.g. from
    `openssl rand -hex 32`. Who has it can tell whether a pseudonym is of a known patient, so it
    stays where the originals are."""
    dates: Literal["remove", "shift"] = "remove"
    """`shift` moves all dates of a patient by the same number of days, one to ten years back, so
    that the time between them stays; dates of birth are removed all the same."""
    text_free: Annotated[
        Sequence[Modality], Field(json_schema_extra={"uniqueItems": True}), AfterValidator(unique)
    ] = ("CT", "MR", "PT", "NM")
    """Modalities whose primary pictures have no text in their pixels where the file does not say
    whether they have. All others wait for a human then."""

    def files(self) -> Iterable[tuple[Path, str]]:
        yield ("key",), self.key
