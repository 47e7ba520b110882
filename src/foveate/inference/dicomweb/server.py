"""A DICOMweb server: find (QIDO-RS), retrieve (WADO-RS) and store (STOW-RS; PS3.18, 10)."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import Any

from dicomweb_client.web import DICOMwebClient

from foveate.errors import FoveateError, ServerError
from foveate.imaging.decoding.silence import SILENCE
from foveate.imaging.dicom.described import before_pixels, dataset_in
from foveate.inference.dicomweb.connection import Answer, Connection

Description = Mapping[str, Any]
"""An object's elements by tag, in DICOM's form of JSON."""

STUDY, SERIES, INSTANCE = "0020000D", "0020000E", "00080018"
MODALITY, NUMBER = "00080060", "00200013"

MOST_FOUND = 100_000
"""Studies or series of one search."""
SERIES_HELD = 4
"""Series of which something is held: those of the images that are read, segmented and written at a time."""

_UID = re.compile(r"[0-9.]{1,64}")


class DicomwebServer:
    """One server. All methods raise ServerError, whose words follow 'SERVER: '."""

    def __init__(self, root: str, token: str | None = None) -> None:
        self.root = root
        self._connection = Connection(root, token)
        client: Any = DICOMwebClient(root, session=self._connection, permissive_uid=True, chunk_size=1 << 31)  # type: ignore[arg-type]
        client.set_http_retry_params(retry=False)
        self._client = client
        self._heads: OrderedDict[str, dict[str, bytes]] = OrderedDict()
        self.described = lru_cache(SERIES_HELD)(self._described)
        """`_described`, with the last series held."""
        self._last_instance = lru_cache(1)(self._retrieved)
        self._retrieving = Lock()

    def __repr__(self) -> str:
        return f"<DicomwebServer {self.root}>"

    def studies(self, query: tuple[tuple[str, str], ...]) -> list[str]:
        """UIDs of those that a query finds."""
        filters: dict[str, Any] = dict(query)
        found = self._all(lambda first: self._client.search_for_studies(offset=first, search_filters=filters), STUDY)
        return [uid for uid, _ in found]

    def series(self, study: str) -> list[tuple[str, str]]:
        """UID and modality of each series of a study."""
        found = self._all(lambda first: self._client.search_for_series(study, offset=first), SERIES)
        return [(uid, str(value_of(each, MODALITY) or "")) for uid, each in found]

    def _described(self, study: str, series: str, instance: str = "") -> dict[str, Description]:
        """What the server says of the instances of a series, or of one, by UID, in the order of their numbers."""
        with _answering():
            if instance:
                answer = self._client.retrieve_instance_metadata(study, series, instance)
                found = answer if isinstance(answer, list) else [answer]
            else:
                found = self._client.retrieve_series_metadata(study, series)
            return dict(sorted(_identified(found, INSTANCE), key=_place))

    def instance(self, study: str, series: str, instance: str) -> bytes:
        """A file, as the server has it: one at a time, and the last one held, so that one of many frames comes once."""
        with self._retrieving:
            return self._last_instance(study, series, instance)

    def _retrieved(self, study: str, series: str, instance: str) -> bytes:
        url = f"{self.root}/studies/{study}/series/{series}/instances/{instance}"
        content = _only_part(self._connection.instance(url))
        try:
            head = before_pixels(content)
        except FoveateError:  # reading it as an image says what is wrong
            return content
        self._heads.setdefault(series, {})[instance] = head
        while len(self._heads) > SERIES_HELD:
            self._heads.popitem(last=False)
        return content

    def head(self, study: str, series: str, instance: str) -> bytes:
        """A file up to its pixels: retrieved, where it was not a moment ago."""
        held = self._heads.get(series, {}).get(instance)
        return before_pixels(self.instance(study, series, instance)) if held is None else held

    def store(self, content: bytes) -> None:
        """Send an object, and have the server say that it has taken it."""
        with _answering():
            dataset = dataset_in(content)
            answer = self._client.store_instances([dataset])
            taken = [str(each.get("ReferencedSOPInstanceUID")) for each in answer.get("ReferencedSOPSequence") or ()]
            if str(dataset.SOPInstanceUID) not in taken:
                raise ServerError("it does not say that it has taken the DICOM SEG; ask who runs it")

    def _all(self, search: Callable[[int], list[Any]], tag: str) -> list[tuple[str, Description]]:
        """All that a search finds, a page at a time: until one brings nothing new, as some servers know no pages."""
        found: dict[str, Description] = {}
        first = 0
        with _answering():
            while page := search(first):
                fresh = {uid: each for uid, each in _identified(page, tag) if uid not in found}
                if not fresh:
                    break
                found |= fresh
                first += len(page)
                if len(found) > MOST_FOUND:
                    raise ServerError(f"it finds more than {MOST_FOUND}; ask for fewer")
        return list(found.items())


def value_of(description: Description, tag: str) -> Any:
    """The first value of an element; None where it has none."""
    element = description.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return values[0] if isinstance(values, list) and values else None


def _place(identified: tuple[str, Description]) -> tuple[float, str]:
    """Where an instance stands in its series: by its number, and by its UID where that is none."""
    uid, description = identified
    number = value_of(description, NUMBER)
    return (float(number) if isinstance(number, int | float) else 0.0, uid)


def _identified(found: Any, tag: str) -> Iterator[tuple[str, Description]]:
    """Those of an answer's objects that say which they are, by what can be part of an address."""
    for each in found:
        uid = str(value_of(each, tag)) if isinstance(each, dict) else ""
        if _UID.fullmatch(uid):
            yield uid, each


def _only_part(answer: Answer) -> bytes:
    """The file in an answer that has it in one part (RFC 2387), or is one."""
    kind, _, parameters = answer.headers["Content-Type"].partition(";")
    if kind.strip().lower() == "application/dicom":
        return answer.content
    named = re.search(r'boundary="?([^";]{1,200})"?', parameters, re.IGNORECASE)
    boundary = b"--" + (named.group(1).strip().encode("latin-1", "replace") if named else b"")
    begin = answer.content.find(b"\r\n\r\n", answer.content.find(boundary))
    end = answer.content.rfind(b"\r\n" + boundary)
    if not named or begin < 0 or end < begin:
        raise ServerError("it answers with an instance that is cut short; the same call asks again")
    return answer.content[begin + 4 : end]


@contextmanager
def _answering() -> Iterator[None]:
    """ServerError for whatever dicomweb-client and pydicom make of an answer, and none of their lines."""
    with SILENCE.kept():
        try:
            yield
        except (FoveateError, MemoryError):
            raise
        except Exception as error:
            # Over what isn't DICOMweb they raise anything, and the text may quote an element.
            raise ServerError("it answers with what is no DICOMweb; look at the address") from error
