"""What the figures show, read off their artists, against the reports' numbers."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from sklearn.metrics import confusion_matrix

from foveate.errors import UsageError
from foveate.evaluation import EvaluationResult
from foveate.pictures import (
    LearningCurve,
    attention_sheet,
    confusion_matrices,
    counted,
    counts_of,
    encoded,
    expected_against_true,
    label_counts,
    learning_curves,
    precision_recall,
    read_learning_curve,
    reliability,
    risk_coverage,
    roc,
    scores_by_image,
)
from known_reports import HALVES, THRESHOLD, case_of_halves, guesser, report_of

DRAWINGS: list[Callable[[Sequence[EvaluationResult], str], Figure | None]] = [
    roc,
    precision_recall,
    reliability,
    risk_coverage,
    scores_by_image,
    expected_against_true,
]


@cache
def reports() -> tuple[EvaluationResult, EvaluationResult]:
    return report_of("one", 1), report_of("two", 2)


def drawn(figure: Figure | None) -> Figure:
    assert figure is not None
    return figure


def lines(axes: Axes) -> dict[str, Line2D]:
    """Lines and points by what the legend calls them."""
    return {str(line.get_label()): line for line in axes.lines}


def points(line: Line2D) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in np.asarray(line.get_xydata())]


def every_text(figure: Figure) -> str:
    return " ".join(each.get_text().replace("\n", " ") for each in figure.findobj(Text) if isinstance(each, Text))


@pytest.mark.parametrize("draw", [roc, precision_recall])
def test_a_model_works_at_its_confusions_own_point_and_that_lies_on_its_curve(
    draw: Callable[[Sequence[EvaluationResult], str], Figure | None],
) -> None:
    (axes, *_) = drawn(draw(reports(), "vessel")).axes
    named = lines(axes)
    for report in reports():
        counts = report.classes["vessel"].fov.pooled.counts
        sensitivity = counts.true_positive / (counts.true_positive + counts.false_negative)
        false_alarms = counts.false_positive / (counts.false_positive + counts.true_negative)
        precision = counts.true_positive / (counts.true_positive + counts.false_positive)
        expected = (false_alarms, sensitivity) if draw is roc else (sensitivity, precision)
        (point,) = points(named[f"{report.model.name} at its threshold"])
        assert point == pytest.approx(expected, abs=1e-12)  # the same quotient of integers
        (curve,) = (points(line) for label, line in named.items() if label.startswith(f"{report.model.name} ("))
        # Curves have at most 500 points; the next one is at most 1/499 of their length of about 2 away.
        assert min(abs(x - point[0]) + abs(y - point[1]) for x, y in curve) < 0.005


def test_the_roc_curve_begins_and_ends_in_the_corners_and_says_its_area() -> None:
    (axes, *_) = drawn(roc(reports()[:1], "vessel")).axes
    area = reports()[0].classes["vessel"].fov.pooled.values["roc_auc"]
    curve = points(lines(axes)[f"one (AUC {area:.4f})"])
    assert (curve[0], curve[-1]) == ((0, 0), (1, 1))


@pytest.mark.parametrize("draw", [roc, precision_recall])
def test_the_second_observer_is_a_point_at_that_persons_rates(
    draw: Callable[[Sequence[EvaluationResult], str], Figure | None],
) -> None:
    report = reports()[0]
    assert report.second_observer is not None
    values = report.second_observer.classes["vessel"].fov.pooled.values
    sensitivity, specificity, precision = (values[name] for name in ("sensitivity", "specificity", "precision"))
    assert sensitivity is not None
    assert specificity is not None
    assert precision is not None
    (axes, *_) = drawn(draw(reports(), "vessel")).axes
    (point,) = points(lines(axes)["second observer"])
    expected = (1 - specificity, sensitivity) if draw is roc else (sensitivity, precision)
    assert point == pytest.approx(expected, abs=1e-12)


def test_the_grey_lines_have_one_f1_each() -> None:
    (axes,) = drawn(precision_recall(reports(), "vessel")).axes
    grey = [line for line in axes.lines if str(line.get_color()) == "#c3c8ce"]
    assert len(grey) == 5
    for line, f1 in zip(grey, (0.5, 0.6, 0.7, 0.8, 0.9), strict=True):
        for sensitivity, precision in points(line):
            assert 2 * sensitivity * precision / (sensitivity + precision) == pytest.approx(f1, abs=1e-12)


def test_masks_without_probabilities_have_a_point_and_no_curve() -> None:
    masks = report_of("masks", 3, masks_alone=True)
    (axes, *_) = drawn(roc([reports()[0], masks], "vessel")).axes
    assert len(points(lines(axes)["masks"])) == 1
    assert roc([masks], "vessel") is None
    assert precision_recall([masks], "vessel") is None
    assert reliability([masks], "vessel") is None
    assert risk_coverage([masks], "vessel") is None
    assert expected_against_true([masks], "vessel") is None
    assert scores_by_image([masks], "vessel") is not None


def test_each_image_is_a_dot_and_no_two_dots_hide_each_other() -> None:
    report = report_of("many", 5, images=6)
    (axes,) = drawn(scores_by_image([report], "vessel")).axes
    dots = next(line for line in axes.lines if line.get_marker() == "o")
    expected = [row.classes["vessel"].fov.values["f1"] for row in report.images]
    assert [y for _, y in points(dots)] == pytest.approx(expected, abs=0)
    assert len(set(points(dots))) == 6
    mean = report.classes["vessel"].fov.per_image.mean["f1"]
    bars = [points(line)[0][1] for line in axes.lines if line.get_marker() == "_"]
    assert bars[0] == mean
    low, high = np.asarray(axes.collections[0].get_paths()[0].vertices)[:, 1]
    assert (low, high) == report.classes["vessel"].fov.per_image.intervals["f1"]
    worst = min(report.images, key=lambda row: row.classes["vessel"].fov.values["f1"] or 0)
    assert worst.id in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("draw", [scores_by_image, expected_against_true])
def test_images_that_have_no_dot_are_counted_in_the_small_print(
    draw: Callable[[Sequence[EvaluationResult], str], Figure | None],
) -> None:
    assert "undefined" not in every_text(drawn(draw([reports()[0]], "vessel")))
    some = report_of("some", 5, images=3)
    (first, *others) = some.images
    own = first.classes["vessel"].fov
    score = own.model_copy(update={"values": own.values | {"f1": None}})
    scopes = first.classes["vessel"].model_copy(update={"fov": score})
    row = first.model_copy(update={"classes": {"vessel": scopes}})
    text = every_text(drawn(draw([some.model_copy(update={"images": (row, *others)})], "vessel")))
    assert "some: 1 of 3 images undefined" in text


def test_dots_of_one_height_stand_beside_each_other() -> None:
    from foveate.pictures.scores import spread

    places = spread([0.5, 0.9, 0.5, 0.5], reach=0.4)
    assert len(set(places[[0, 2, 3]].tolist())) == 3
    assert places[1] == 0


def test_the_reliability_diagram_has_the_reports_bins_and_the_pixels_below() -> None:
    report = reports()[0]
    above, below = drawn(reliability([report], "vessel")).axes
    bins = report.curves["vessel"].reliability
    error = report.classes["vessel"].fov.pooled.values["calibration_error"]
    shown = points(lines(above)[f"one (ECE {error:.4f})"])
    assert shown == [(each.probability, each.share) for each in bins if each.pixels]
    (stairs,) = below.patches
    assert stairs.get_data().values.tolist() == [each.pixels for each in bins]  # type: ignore[attr-defined]


def test_with_everything_kept_the_risk_is_what_is_wrong_in_all() -> None:
    report = reports()[0]
    left, right = drawn(risk_coverage([report], "vessel")).axes
    values = report.classes["vessel"].fov
    (pixels,), (images,) = (list(axes.lines) for axes in (left, right))
    accuracy, f1 = values.pooled.values["accuracy"], values.per_image.mean["f1"]
    assert accuracy is not None
    assert f1 is not None
    assert points(pixels)[-1] == pytest.approx((1, 1 - accuracy), abs=1e-12)
    assert points(images)[-1] == pytest.approx((1, 1 - f1), abs=1e-12)


def test_expected_and_true_f1_are_those_of_each_image() -> None:
    report = reports()[0]
    (axes,) = drawn(expected_against_true([report], "vessel")).axes
    (shown,) = (points(line) for label, line in lines(axes).items() if label.startswith("one ("))
    scores = [row.classes["vessel"].fov.values for row in report.images]
    assert shown == [(values["expected_f1"], values["f1"]) for values in scores]


def test_many_confusion_matrices_stand_in_rows_of_four() -> None:
    matrices = {f"run {number}": np.full((2, 2), number + 1) for number in range(6)}
    figure = confusion_matrices(matrices, ("background", "vessel"), "note")
    figure.draw_without_rendering()
    drawn = figure.axes
    assert [axes.get_title(loc="left") for axes in drawn if axes.axison] == list(matrices)
    places = [axes.get_position() for axes in drawn[:6]]
    assert len({round(place.y0, 3) for place in places}) == 2
    assert len({round(place.x0, 3) for place in places}) == 4


def test_a_confusion_matrix_shows_counts_and_shares_of_each_row() -> None:
    matrix = np.array([[90, 10, 0], [5, 15, 0], [0, 0, 0]])
    figure = confusion_matrices({"here": matrix}, ("background", "a", "b"), "note")
    (axes,) = figure.axes
    texts = [text.get_text() for text in axes.texts]
    assert texts[::2] == ["90.00 %", "10.00 %", "0.00 %", "25.00 %", "75.00 %", "0.00 %", "–", "–", "–"]
    assert [int(text) for text in texts[1::2]] == matrix.ravel().tolist()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["background", "a", "b"]


def test_label_counts_are_those_of_scikit_learn() -> None:
    case = case_of_halves(0)
    found, within = guesser(7)(case).masks, case.fov
    assert within is not None
    true, called = (np.where(masks[0], 1, np.where(masks[1], 2, 0)) for masks in (case.masks, found))
    assert (label_counts(found, case.masks) == confusion_matrix(true.ravel(), called.ravel())).all()
    assert (label_counts(found, case.masks, within) == confusion_matrix(true[within], called[within])).all()


def test_two_classes_counts_are_the_reports() -> None:
    counts = reports()[0].classes["vessel"].fov.pooled.counts
    assert counts_of(counts).tolist() == [
        [counts.true_negative, counts.false_positive],
        [counts.false_negative, counts.true_positive],
    ]


def check_nothing_is_cut_or_hidden(figure: Figure) -> None:
    encoded(figure, "png")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    assert min(float(text.get_fontsize()) for text in figure.texts) >= 7.5
    boxes = {str(text.get_text()): text.get_window_extent(renderer) for text in figure.texts}
    for axes in figure.axes:
        drawn = axes.get_window_extent(renderer)
        boxes[f"all of {axes.get_title(loc='left')}"] = axes.get_tightbbox(renderer) or drawn
        if (told := axes.get_legend()) is not None:
            legend = told.get_window_extent(renderer)
            boxes[f"legend of {axes.get_title(loc='left')}"] = legend
            for other in figure.axes:
                assert not legend.overlaps(other.get_window_extent(renderer))
            (small_print,) = (each for each in figure.texts if each.get_gid() == "small-print")
            assert not legend.overlaps(small_print.get_window_extent(renderer))
    for name, box in boxes.items():
        assert figure.bbox.x0 <= box.x0, name
        assert box.x1 <= figure.bbox.x1, name
        assert figure.bbox.y0 <= box.y0, name
        assert box.y1 <= figure.bbox.y1, name


@pytest.mark.parametrize("draw", DRAWINGS)
def test_no_legend_lies_over_a_plot_and_no_word_is_cut(
    draw: Callable[[Sequence[EvaluationResult], str], Figure | None],
) -> None:
    long = reports()[1].model_copy(
        update={"model": reports()[1].model.model_copy(update={"name": "attention_unetpp with a name of many words"})}
    )
    check_nothing_is_cut_or_hidden(drawn(draw([reports()[0], long, reports()[1]], "vessel")))


def test_no_legend_lies_over_learning_curves_however_they_run() -> None:
    epochs = tuple(range(1, 13))
    worse = tuple(0.5 + n / 10 for n in epochs)
    run = LearningCurve("a run whose name is long enough", epochs, worse, worse, tuple(0.9 - n / 20 for n in epochs), 0)
    check_nothing_is_cut_or_hidden(learning_curves([run] * 5))


@pytest.mark.parametrize("draw", [risk_coverage, reliability])
def test_every_point_of_a_curve_lies_inside_its_axes(
    draw: Callable[[Sequence[EvaluationResult], str], Figure | None],
) -> None:
    for axes in drawn(draw(reports(), "vessel")).axes:
        low, high = axes.get_ylim()
        for line in axes.lines:
            values = np.asarray(line.get_ydata(), np.float64)
            assert ((low <= values) & (values < high)).all()


@pytest.mark.parametrize("draw", DRAWINGS)
def test_every_figure_says_what_was_counted_and_that_it_is_for_research(
    draw: Callable[[Sequence[EvaluationResult], str], Figure | None],
) -> None:
    text = every_text(drawn(draw(reports(), "vessel")))
    for part in ("drawn, test (2 images)", "field of view", "native size", f"threshold {THRESHOLD:.4f} (a test)"):
        assert part in text
    assert "For research, not a medical device." in text


def test_reports_of_several_sets_are_told_apart_and_the_print_names_both() -> None:
    other = report_of("one", 1, set_name="elsewhere")
    (axes, *_) = drawn(roc([reports()[0], other], "vessel")).axes
    names = " ".join(lines(axes))
    assert "one on drawn, test" in names
    assert "one on elsewhere, test" in names
    assert "second observer of elsewhere" in names
    assert counted([reports()[0], other], "fov", "x").startswith(
        "drawn, test (2 images), elsewhere, test (2 images); x;"
    )


def test_every_class_is_drawn_by_itself() -> None:
    report = report_of("halves", 4, classes=HALVES)
    values = [report.classes[name].fov.pooled.values for name in HALVES.names]
    for name, own in zip(HALVES.names, values, strict=True):
        (axes, *_) = drawn(roc([report], name)).axes
        assert f"halves (AUC {own['roc_auc']:.4f})" in lines(axes)
    assert values[0]["roc_auc"] != values[1]["roc_auc"]


@pytest.mark.parametrize("draw", DRAWINGS)
def test_a_name_is_shown_as_it_is_and_a_file_is_the_same_each_time(
    draw: Callable[[Sequence[EvaluationResult], str], Figure | None],
) -> None:
    odd = reports()[0].model_copy(update={"model": reports()[0].model.model_copy(update={"name": "a_$b$ <&> {c"})})
    first, again = (encoded(drawn(draw([odd], "vessel")), "svg") for _ in range(2))
    assert first == again
    root = ElementTree.fromstring(first)
    addresses = [value for each in root.iter() for key, value in each.attrib.items() if key.endswith("href")]
    assert all(address.startswith(("#", "data:")) for address in addresses)


ROWS = ["epoch,loss,validation_loss,mean_f1,best", "1,0.9,0.8,0.5,1", "2,0.7,0.6,0.7,1", "3,0.6,0.65,0.68,0"]


def test_learning_curves_are_the_logs_and_a_ring_marks_the_kept_epoch(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "log.csv").write_text("\n".join(ROWS), encoding="utf-8")
    runs = [read_learning_curve(tmp_path / name) for name in ("a", "b")]
    above, below = learning_curves(runs).axes
    assert points(lines(above)["b"]) == [(1, 0.8), (2, 0.6), (3, 0.65)]
    assert points(lines(below)["a (best: 0.7000 in epoch 2)"]) == [(1, 0.5), (2, 0.7), (3, 0.68)]
    rings = [points(line) for line in below.lines if line.get_marker() == "o"]
    assert rings == [[(2, 0.7)]] * 2


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (None, "can't be read"),
        ("epoch,loss\n1,2\n", "'best'"),
        (ROWS[0], "not the table"),
        ("\n".join([ROWS[0], "x,1,1,1,1"]), "'x'"),
    ],
)
def test_what_is_no_log_is_told_in_one_line(tmp_path: Path, text: str | None, part: str) -> None:
    if text is not None:
        (tmp_path / "log.csv").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=part) as told:
        read_learning_curve(tmp_path)
    assert str(tmp_path / "log.csv") in str(told.value)


def test_an_attention_sheet_has_the_photograph_and_every_map_in_its_own_range() -> None:
    places = np.linspace(0.2, 0.4, 64, dtype=np.float32).reshape(8, 8)
    places[0] = np.nan
    channels = np.array([0.1, 0.9, 0.5], np.float32)
    figure = attention_sheet(np.zeros((8, 8, 3), np.uint8), {"gate.a_$b": places, "channel": channels}, "title", "note")
    titles = {axes.get_title(loc="left"): axes for axes in figure.axes}
    assert {"photograph", "gate.a_$b", "channel"} <= titles.keys()
    (_, heat) = titles["gate.a_$b"].images
    assert heat.get_clim() == pytest.approx(np.nanpercentile(places, (1, 99)), abs=1e-6)  # float32
    (bars,) = titles["channel"].patches
    assert bars.get_data().values.tolist() == pytest.approx([0.9, 0.5, 0.1], abs=1e-6)  # type: ignore[attr-defined]
    assert encoded(figure, "png").startswith(b"\x89PNG")
