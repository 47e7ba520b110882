"""The page as text: nothing leads out of it, everything from data is escaped, and it has what it should have."""

import base64
import html
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image as PillowImage
from small_page import reports, shown_of, small_page

from foveate.evaluation import confidence, statement, warning
from foveate.evaluation.result import ScoresByScope
from foveate.reports import chosen, figures
from foveate.reports.images import layer, photograph, size_shown
from foveate.reports.markup import Markup, fill
from foveate.reports.page_tables import remarks, summary
from known_reports import HALVES, report_of

ODD = "<script>alert('x')</script>&\"$name"
ADDRESS = re.compile(r"""(?:src|href)\s*=\s*["']([^"']*)""")


class Tags(HTMLParser):
    """Every tag with its attributes, the ids among them, and what stays open."""

    VOID = frozenset({"meta", "img", "input", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)


@pytest.fixture(scope="module")
def text() -> str:
    return small_page()


def test_every_tag_is_closed_no_id_is_there_twice_and_every_link_leads_to_one(text: str) -> None:
    tags = Tags(text)
    assert tags.open == []
    ids = [attributes["id"] for _, attributes in tags.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = [attributes.get("aria-labelledby") for _, attributes in tags.tags]
    links = [(attributes.get("href") or "").removeprefix("#") for tag, attributes in tags.tags if tag == "a"]
    assert {name for name in (*named, *links) if name} <= set(ids)


def test_no_address_leads_out_of_the_page_and_a_policy_forbids_it(text: str) -> None:
    assert all(address.startswith(("data:image/", "#")) for address in ADDRESS.findall(text))
    assert "url(" not in text
    assert 'http-equiv="Content-Security-Policy" content="default-src \'none\';' in text


def test_every_picture_has_words_and_every_figures_words_have_its_numbers(text: str) -> None:
    alternatives = [attributes["alt"] for tag, attributes in Tags(text).tags if tag == "img"]
    assert all(alternatives)
    area = reports()[0].classes["vessel"].fov.pooled.values["roc_auc"]
    assert any(f"one: roc auc {area:.4f}" in (words or "") for words in alternatives)


def test_whatever_comes_from_data_is_shown_as_text() -> None:
    page = small_page(names=(ODD, "two"), terms=ODD, title=ODD)
    tags = Tags(page)
    assert tags.open == []
    assert sum(tag == "script" for tag, _ in tags.tags) == 1
    assert ODD in " ".join(tags.words)
    assert html.escape(ODD) in page


def test_the_page_has_scores_protocol_terms_and_notice(text: str) -> None:
    words = " ".join(" ".join(Tags(text).words).split())
    for report in reports():
        for scope in ("fov", "image"):
            pooled = getattr(report.classes["vessel"], scope).pooled
            assert f"{pooled.values['f1']:.4f}" in words
            low, high = pooled.intervals["f1"]
            assert f"{low:.3f}–{high:.3f}" in words
        assert statement(report) in words
    for part in ("second observer", "For tests.", "Nobody, 2020.", "For research, not a medical device.", "learned"):
        assert part in words


def test_the_page_says_how_far_the_probabilities_are_right_and_which_images_were_seen() -> None:
    found = reports()
    seen = found[0].model_copy(update={"data": found[0].data.model_copy(update={"seen_in_training": 1})})
    words = " ".join(" ".join(Tags(str(remarks([seen, found[1]]))).words).split())
    assert f"one: {warning(seen)}" in words
    assert "two: These" not in words
    for label, report in zip(("one", "two"), found, strict=True):
        (line,) = confidence(report)
        assert f"{label}: {line}" in words


def test_where_no_pixel_lies_outside_the_field_of_view_numbers_stand_once() -> None:
    (one, _) = reports()
    scope = one.classes["vessel"].image
    same = one.model_copy(
        update={"classes": {"vessel": ScoresByScope(fov=scope, image=scope)}, "second_observer": None}
    )
    assert str(summary([one], "vessel")).count("rowgroup") == 2
    assert str(summary([same], "vessel")).count("rowgroup") == 1
    assert sum(drawn.words.count("vessel called vessel") for drawn in figures([same], [{}])) == 1


def test_the_best_the_median_and_the_worst_image_are_those_by_mean_f1_of_the_models() -> None:
    many = [report_of("one", 1, images=4), report_of("two", 2, images=4)]
    means = {
        one.id: (one.classes["vessel"].fov.values["f1"] or 0) + (two.classes["vessel"].fov.values["f1"] or 0)
        for one, two in zip(many[0].images, many[1].images, strict=True)
    }
    rising = sorted(means, key=lambda case: means[case])
    assert chosen(many) == [(rising[-1], "best"), (rising[1], "median"), (rising[0], "worst")]
    assert [why for _, why in chosen([report_of("one", 1, images=1)])] == ["best"]


def decoded(address: Markup) -> PillowImage.Image:
    return PillowImage.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))


def test_a_layer_is_its_colour_on_the_mask_and_clear_elsewhere() -> None:
    mask = np.zeros((40, 30), bool)
    mask[5:9, 3:20] = True
    pixels = np.asarray(decoded(layer(mask, (86, 180, 233))).convert("RGBA"))
    assert {tuple(pixel) for pixel in pixels[mask].tolist()} == {(86, 180, 233, 255)}
    assert not pixels[~mask][:, 3].any()


def test_a_large_mask_is_reduced_by_area_so_that_what_is_thin_gets_pale_but_stays() -> None:
    mask = np.zeros((6400, 3200), bool)
    mask[1000] = True
    alpha = np.asarray(decoded(layer(mask, (255, 255, 255))).convert("RGBA"))[..., 3]
    assert alpha.shape == (1600, 800)
    assert size_shown(mask.shape) == (800, 1600)
    assert set(alpha[250].tolist()) == {64}  # a quarter of 255
    assert np.count_nonzero(alpha) == 800


def test_a_photograph_is_shown_as_it_is() -> None:
    image = shown_of("drawn_00", "best").image
    difference = np.asarray(decoded(photograph(image))).astype(int) - image
    assert np.abs(difference).mean() < 4  # JPEG
    assert difference.shape == image.shape


def test_several_classes_have_a_table_each_and_can_be_chosen() -> None:
    page = small_page(classes=HALVES)
    assert "upper on drawn, test" in page
    assert "lower on drawn, test" in page
    radios = [a["name"] for tag, a in Tags(page).tags if tag == "input" and a.get("type") == "radio"]
    assert {name for name in radios if name and name.endswith("-class")} == {"best-class", "worst-class"}


def test_a_template_escapes_all_but_markup() -> None:
    assert fill("<b>$x</b>$y", x="<i>&", y=Markup("<br>")) == "<b>&lt;i&gt;&amp;</b><br>"
