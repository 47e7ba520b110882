"""Look for links that lead nowhere and for anything from elsewhere in the built site: scripts/check_site.py FOLDER.

Ends with 1 and a line for each; nothing is fetched.
"""

from __future__ import annotations

import argparse
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

NOTICE = "For research, not a medical device."

SHOWN = {"src", "data", "poster"}
"""Attributes whose file a browser fetches by itself, whatever the element; `srcset` lists several."""

FETCHED = {"stylesheet", "icon", "preload", "modulepreload", "preconnect", "dns-prefetch", "manifest", "search"}
"""Kinds of `link` elements of which the same is true, or that lead to a file of the site."""

OF_STYLES = re.compile(r"url\(\s*[\"']?([^\"')]+)|@import\s+[\"']([^\"']+)")


class Page(HTMLParser):
    """What a page links to, fetches, and can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self._in_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element's identity, and where it leads."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        self.fetched += [given[name] for name in SHOWN & given.keys()]
        self.fetched += [each.split()[0] for each in given.get("srcset", "").split(",") if each.strip()]
        self.fetched += fetched_by_style(given.get("style", ""))
        self._in_style = tag == "style"
        if tag == "link" and FETCHED & set(given.get("rel", "").split()):
            self.fetched.append(given.get("href", ""))
        elif "href" in given:
            self.links.append(given["href"])

    def handle_data(self, data: str) -> None:
        """Note what a style within the page fetches."""
        if self._in_style:
            self.fetched += fetched_by_style(data)

    def handle_endtag(self, tag: str) -> None:
        """A style ends as any element does."""
        self._in_style = False


def faults(folder: Path) -> list[str]:
    """What is wrong with the built site, a line each."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.html"))}
    if not pages:
        return [f"{folder}: has no page; build it first"]
    found = []
    for path, page in pages.items():
        name = path.relative_to(folder)
        found += [f"{name}: {each}: is fetched from elsewhere" for each in page.fetched if is_elsewhere(each)]
        inner = [each for each in page.links + page.fetched if not urlsplit(each).scheme and not each.startswith("//")]
        found += [f"{name}: {each}: {wrong}" for each in inner if (wrong := _wrong(each, path, pages))]
        if NOTICE not in path.read_text(encoding="utf-8"):
            found.append(f"{name}: doesn't say: {NOTICE}")
    for path in sorted(folder.rglob("*.css")):
        used = fetched_by_style(path.read_text(encoding="utf-8"))
        found += [
            f"{path.relative_to(folder)}: {each}: is fetched from elsewhere" for each in used if is_elsewhere(each)
        ]
    return found


def fetched_by_style(style: str) -> list[str]:
    """The addresses in CSS."""
    return ["".join(each) for each in OF_STYLES.findall(style)]


def is_elsewhere(address: str) -> bool:
    """Whether a browser would ask a network for it; what stands in the page itself (`data:`) is here."""
    return address.startswith("//") or urlsplit(address).scheme not in ("", "data")


def _wrong(link: str, path: Path, pages: dict[Path, Page]) -> str:
    """Why a link of the site to the site leads nowhere; empty where it leads somewhere."""
    parts = urlsplit(link)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_file():
        return "is no file of the site"
    fragment = unquote(parts.fragment)
    if fragment and target in pages and fragment not in pages[target].anchors:
        return "has no such place"
    return ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("folder", type=Path)
    wrong = faults(parser.parse_args().folder.resolve())
    sys.stderr.write("".join(f"{line}\n" for line in wrong))
    sys.exit(bool(wrong))
