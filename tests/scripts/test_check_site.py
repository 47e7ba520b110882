"""The built site is looked through: what leads nowhere, what comes from elsewhere, and a page without the notice."""

from __future__ import annotations

from pathlib import Path

import pytest
from check_site import NOTICE, faults

GOOD = f"""<link rel="stylesheet" href="site.css"><link rel="next" href="rooms/b.html">
<h1 id="top">A</h1><a href="rooms/b.html#über-uns">b</a><a href="#top">up</a><a href="https://example.org">elsewhere</a>
<img src="a.png"><img src="data:image/png;base64,AA"><p>{NOTICE}</p>"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Two pages that link to each other, a style and a picture."""
    (tmp_path / "rooms").mkdir()
    (tmp_path / "index.html").write_text(GOOD, encoding="utf-8")
    back = f'<p id="über-uns">{NOTICE}</p><a href="../index.html#top">back</a><a href="../a%20b.txt">file</a>'
    (tmp_path / "rooms" / "b.html").write_text(back, encoding="utf-8")
    (tmp_path / "site.css").write_text("p { background: url(a.png) url('data:image/svg+xml,x') }", encoding="utf-8")
    for name in ("a.png", "a b.txt"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def test_a_site_whose_links_all_lead_somewhere_has_no_fault(site: Path) -> None:
    assert faults(site) == []


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ('<a href="none.html">x</a>', "index.html: none.html: is no file of the site"),
        ('<a href="rooms/b.html#none">x</a>', "index.html: rooms/b.html#none: has no such place"),
        ('<a href="#none">x</a>', "index.html: #none: has no such place"),
        ('<a href="rooms/">x</a>', "index.html: rooms/: is no file of the site"),
        ('<img src="none.png">', "index.html: none.png: is no file of the site"),
        ('<script src="https://cdn.example/x.js"></script>', "https://cdn.example/x.js: is fetched from elsewhere"),
        ('<img src="//cdn.example/x.png">', "//cdn.example/x.png: is fetched from elsewhere"),
        (
            '<img srcset="small.png 1x, https://cdn.example/x.png 2x">',
            "https://cdn.example/x.png: is fetched from elsewhere",
        ),
        ('<link rel="preload stylesheet" href="https://x.example/s.css">', "s.css: is fetched from elsewhere"),
        ("<style>@import 'https://x.example/s.css';</style>", "s.css: is fetched from elsewhere"),
    ],
)
def test_a_link_that_leads_nowhere_and_what_comes_from_elsewhere_are_found(site: Path, added: str, said: str) -> None:
    (site / "index.html").write_text(GOOD + added, encoding="utf-8")
    assert [each for each in faults(site) if said in each]


def test_a_style_from_elsewhere_and_a_page_without_the_notice_are_found(site: Path) -> None:
    (site / "site.css").write_text("@font-face { src: url(https://fonts.example/a.woff2) }", encoding="utf-8")
    (site / "c.html").write_text("<p>no notice</p>", encoding="utf-8")
    assert faults(site) == [
        f"c.html: doesn't say: {NOTICE}",
        "site.css: https://fonts.example/a.woff2: is fetched from elsewhere",
    ]


def test_a_folder_without_a_page_is_no_site(tmp_path: Path) -> None:
    assert "has no page" in faults(tmp_path)[0]
