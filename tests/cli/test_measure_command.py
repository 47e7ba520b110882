"""`foveate measure` as a user types it."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage
from scipy import ndimage  # type: ignore[import-untyped]

import foveate
from foveate.errors import OutputError, UsageError
from foveate.imaging import write_mask, write_rgb
from foveate.morphometry.rows import dictionary_rows
from foveate_command import drawn, run, save
from known_model import known_model


def tree(width: int = 6) -> np.ndarray:
    mask = np.zeros((160, 200), bool)
    mask[80 : 80 + width, 20:180] = True
    mask[20:80, 98:102] = True
    return mask


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    for name, width in (("a_left", 6), ("a_right", 8), ("b_left", 10)):
        write_mask(tree(width), tmp_path / "masks" / f"{name}.png")
    return tmp_path / "masks"


def test_masks_of_any_tool_give_a_row_each_and_what_is_undefined_is_empty(masks: Path, tmp_path: Path) -> None:
    out, pieces = tmp_path / "table.csv", tmp_path / "segments.csv"
    ran = run("measure", masks, "--mask", "-o", out, "--segments", pieces, "--overlay", tmp_path / "pictures")
    assert ran.status == 0, ran.err
    rows = table(out)
    assert [Path(row["path"]).stem for row in rows] == ["a_left", "a_right", "b_left"]
    assert [float(row["bifurcations_count"]) for row in rows] == [1, 1, 1]
    assert float(rows[0]["area_density"]) == pytest.approx(tree().mean(), rel=1e-4)
    assert rows[0]["calibre_zone_b_px"] == rows[0]["expected_f1"] == rows[0]["um_per_pixel"] == ""
    assert rows[0]["fov_diameter_px"] == rows[0]["fov_share"] == ""
    assert len(table(pieces)) == 9
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == [
        f"{name}_measured.png" for name in ("a_left", "a_right", "b_left")
    ]


def test_many_are_measured_from_python_as_by_the_command(
    masks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    PillowImage.new("RGB", (9, 9), (1, 2, 3)).save(masks / "c_left.png")
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    told: list[tuple[str, int, int]] = []
    capsys.readouterr()
    result = foveate.measure_many(
        masks,
        mine / "table.csv",
        segments=mine / "segments.csv",
        mask=True,
        regions=True,
        um_per_pixel=5,
        on_image=lambda measured, done, images: told.append((measured.path.stem, done, images)),
    )
    assert capsys.readouterr() == ("", "")
    command = ("measure", masks, "-o", theirs / "table.csv", "--segments", theirs / "segments.csv")
    ran = run(*command, "--mask", "--regions", "--um-per-pixel", 5)
    assert told == [(name, number, 4) for number, name in enumerate(("a_left", "a_right", "b_left", "c_left"), start=1)]
    assert (result.failed, ran.status) == (1, 1)
    assert result.files[-1].error in ran.err
    assert f"3 measured, 1 failed; {theirs / 'table.csv'}, {theirs / 'segments.csv'} written." in ran.out
    assert result.written == (mine / "table.csv", mine / "segments.csv")
    for name in ("table.csv", "segments.csv"):
        assert (mine / name).read_bytes() == (theirs / name).read_bytes()
    assert len(result.rows) == len(table(mine / "table.csv")) == 3
    with pytest.raises(OutputError, match="is there already"):
        foveate.measure_many(masks, mine / "table.csv", mask=True)
    (tmp_path / "file").touch()
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("group", {"group": ["family"]}),
        ("group", {"group": "family"}),
        ("colour", {"colour": "depth"}),
        ("--jobs 0", {"jobs": 0}),
        ("row, column and diameter", {"disc": (1, 2)}),
        ("row, column and diameter", {"disc": "1,2,3"}),
        ("nothing to measure", {"sources": []}),
        ("--um-per-pixel 5: expected a number", {"um_per_pixel": "5"}),
        ("--fov-degrees -3: expected a number", {"fov_degrees": -3}),
    ]
    usual: dict[str, Any] = {"sources": masks, "out": tmp_path / "other.csv", "mask": True}
    for words, options in wrong:
        with pytest.raises(UsageError, match=words):
            foveate.measure_many(**(usual | options))
    with pytest.raises(OutputError, match="file is no folder"):
        foveate.measure_many(masks, tmp_path / "other.csv", segments=tmp_path / "file" / "s.csv", mask=True)
    assert not (tmp_path / "other.csv").exists()


def test_a_script_without_a_main_part_is_told_so_where_it_asks_for_several_processes(
    masks: Path, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    call = f"foveate.measure_many({str(masks)!r}, {str(tmp_path / 't.csv')!r}, mask=True, regions=True, jobs=2)"
    script.write_text(f"import foveate\n{call}\n", encoding="utf-8")
    ended = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300, check=False)
    assert ended.stderr.splitlines()[-1].startswith("foveate.errors.UsageError: a process that measured ended")
    assert "__main__" in ended.stderr.splitlines()[-1]
    assert not (tmp_path / "t.csv").exists()


def test_the_picture_of_regions_is_a_line_around_each() -> None:
    mask = tree()
    measured = foveate.measure(mask, mask=True, regions=True)
    picture = measured.overlay()
    changed = (picture != measured.image).any(axis=2)
    assert picture.shape == (*mask.shape, 3)
    assert changed.any()
    assert not changed[mask].any()
    assert not changed[~ndimage.binary_dilation(mask, iterations=4)].any()


def test_a_photograph_that_is_no_eye_has_no_angle(tmp_path: Path) -> None:
    save(tmp_path / "skin.png")
    ran = run(
        "measure",
        tmp_path / "skin.png",
        "-o",
        tmp_path / "t.csv",
        "--regions",
        "--model",
        "lesion",
        "--fov-degrees",
        45,
    )
    assert ran.status == 1
    assert "--fov-degrees is an eye's" in ran.err


def test_a_lesion_is_not_measured_as_if_it_were_a_vessel(tmp_path: Path) -> None:
    photograph, other = (save(tmp_path / name) for name in ("skin.png", "more.png"))
    for jobs in (1, 2):
        ran = run("measure", photograph, other, "-o", tmp_path / "t.csv", "--model", "lesion", "--jobs", jobs)
        assert ran.status == 2
        (line,) = ran.errors
        assert "'lesion' marks lesion in photographs without a field of view, which are measured by --regions" in line
    assert not (tmp_path / "t.csv").exists()
    with pytest.raises(UsageError, match="are measured by --regions"):
        foveate.measure(photograph, model="lesion")
    lesions = foveate.measure(photograph, model="lesion", regions=True)
    assert lesions.measured.vessels == {}
    assert np.isnan([lesions.row["fov_diameter_px"], lesions.row["fov_share"]]).all()


def test_vessels_are_measured_also_where_photographs_have_no_field_of_view(tmp_path: Path) -> None:
    def model_of(name: str) -> Path:
        model = known_model(tmp_path / name, classes=(name,))
        card = json.loads(model.with_name("card.json").read_text("utf-8"))
        card["preparation"]["fov"] = "whole"
        model.with_name("card.json").write_text(json.dumps(card), "utf-8")
        return model

    photograph = save(tmp_path / "crop.png")
    assert foveate.measure(photograph, model=model_of("Retinal artery")).measured.vessels
    with pytest.raises(UsageError, match="marks drusen"):
        foveate.measure(photograph, model=model_of("drusen"))


def test_a_scale_turns_pixels_into_micrometres_and_says_so_in_the_column(masks: Path, tmp_path: Path) -> None:
    given, assumed, plain = (tmp_path / f"{name}.csv" for name in ("given", "assumed", "plain"))
    assert run("measure", masks, "--mask", "-o", plain).status == 0
    assert run("measure", masks, "--mask", "-o", given, "--um-per-pixel", 5).status == 0
    assert run("measure", masks, "--mask", "-o", assumed, "--fov-degrees", 45).status == 0
    by_pixel, by_micrometre, by_angle = table(plain)[0], table(given)[0], table(assumed)[0]
    assert "calibre_mean_px" not in by_micrometre
    assert float(by_micrometre["calibre_mean_um"]) == pytest.approx(5 * float(by_pixel["calibre_mean_px"]), rel=1e-4)
    assert float(by_micrometre["tau5_per_um2"]) == pytest.approx(float(by_pixel["tau5_per_px2"]) / 25, rel=1e-4)
    assert by_micrometre["scale_from"] == "given"
    assert by_angle["scale_from"].startswith("assumed")
    assert float(by_angle["um_per_pixel"]) == pytest.approx(45 * 288 / 200, rel=1e-4)


def test_a_list_says_of_each_image_whose_it_is_and_where_its_disc_lies(masks: Path, tmp_path: Path) -> None:
    (masks / "fov.png").write_bytes(b"")
    write_mask(np.ones((160, 200), bool), tmp_path / "whole.png")
    lines = ["path,patient,eye,disc_row,disc_column,disc_diameter,fov"]
    lines += [
        "masks/a_left.png,a,left,83,20,40,whole.png",
        "masks/a_right.png,a,right,,,,",
        "masks/b_left.png,b,left,,,,",
    ]
    (tmp_path / "list.csv").write_text("\n".join(lines))
    ran = run(
        "measure", tmp_path / "list.csv", "--mask", "-o", tmp_path / "t.csv", "--group", "patient", "--group", "eye"
    )
    assert ran.status == 0, ran.err
    rows, eyes, patients = (table(tmp_path / f"t{part}.csv") for part in ("", "_eye", "_patient"))
    assert rows[0]["calibre_zone_b_px"] != "" == rows[1]["calibre_zone_b_px"]
    assert [(each["patient"], each["eye"]) for each in eyes] == [("a", "left"), ("a", "right"), ("b", "left")]
    assert [(each["patient"], each["images_count"]) for each in patients] == [("a", "2"), ("b", "1")]
    both = [float(row["calibre_mean_px"]) for row in rows[:2]]
    assert float(patients[0]["calibre_mean_px"]) == pytest.approx(np.mean(both), rel=1e-4)


def test_several_processes_write_the_same_table_as_one(masks: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    for number in range(3):
        write_mask(tree(5 + number), masks / f"c{number}.png")
    assert run("measure", masks, "--mask", "-o", one).status == 0
    assert run("measure", masks, "--mask", "-o", two, "--jobs", 2).status == 0
    assert one.read_bytes() == two.read_bytes()


def test_a_file_that_fails_is_named_and_the_others_are_measured(masks: Path, tmp_path: Path) -> None:
    (masks / "broken.png").write_bytes(b"nothing")
    ran = run("measure", masks, "--mask", "-o", tmp_path / "t.csv")
    assert ran.status == 1
    assert [line for line in ran.errors if "broken.png" in line] == ran.errors
    assert len(table(tmp_path / "t.csv")) == 3


def test_arteries_and_veins_are_measured_apart_with_their_ratio(tmp_path: Path) -> None:
    labels = np.zeros((160, 200, 3), np.uint8)
    labels[40:46, 20:180] = (255, 0, 0)
    labels[100:109, 20:180] = (0, 0, 255)
    write_rgb(labels, tmp_path / "av.png")
    ran = run("measure", tmp_path / "av.png", "--artery-vein", "-o", tmp_path / "t.csv")
    assert ran.status == 0, ran.err
    (row,) = table(tmp_path / "t.csv")
    assert float(row["artery_calibre_mean_px"]) == pytest.approx(6, rel=0.02)
    assert float(row["artery_vein_calibre_mean"]) == pytest.approx(6 / 9, rel=0.02)
    assert row["avr"] == row["crae_px"] == ""


def test_regions_have_areas_in_square_micrometres_and_volumes(masks: Path, tmp_path: Path) -> None:
    out, pieces = tmp_path / "t.csv", tmp_path / "s.csv"
    options = ("--regions", "--um-per-pixel", 2, "--slice-um", 10, "--segments", pieces)
    assert run("measure", masks, "--mask", "-o", out, *options).status == 0
    row = table(out)[0]
    assert float(row["area_um2"]) == 4 * tree().sum()
    assert float(row["volume_um3"]) == 40 * tree().sum()
    assert float(table(pieces)[0]["area_um2"]) == 4 * tree().sum()


def test_every_column_of_a_table_is_in_the_data_dictionary(masks: Path, tmp_path: Path) -> None:
    out, words, pieces = tmp_path / "t.csv", tmp_path / "d.csv", tmp_path / "s.csv"
    assert run("measure", masks, "--mask", "-o", out, "--dictionary", words, "--segments", pieces).status == 0
    known = {row["column_px"] for row in table(words)}
    assert set(table(out)[0]) <= known
    assert set(table(pieces)[0]) - {"class"} <= known
    assert len(table(words)) == len(dictionary_rows())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--disc", "1,2"), "ROW,COLUMN,DIAMETER"),
        (("--disc", "10,20,-5"), "10,20,-5 is no disc"),
        (("--disc", "nan,20,5"), "nan,20,5 is no disc"),
        (("--um-per-pixel", "0"), "above 0"),
        (("--artery-vein",), "one or the other"),
        (("--slice-um", "3"), "--regions"),
        (("--regions", "--disc", "1,2,3"), "--disc is for vessels"),
        (("--group", "person"), "eye, patient"),
        (("--segments", "t.csv"), "one name"),
    ],
)
def test_a_wrong_call_is_one_line_and_writes_nothing(
    options: tuple[str, ...], said: str, masks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = run("measure", masks, "--mask", "-o", "t.csv", *options)
    assert ran.status == 2
    assert len(ran.errors) == 1
    assert said in ran.errors[0]
    assert not (tmp_path / "t.csv").exists()


def test_a_table_that_is_there_stays_unless_it_may_be_replaced(masks: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    out.write_text("mine")
    assert run("measure", masks, "--mask", "-o", out).status == 1
    assert out.read_text() == "mine"
    picture = tmp_path / "a_left_measured.png"
    picture.write_text("mine")
    assert run("measure", masks, "--mask", "-o", tmp_path / "other.csv", "--overlay", tmp_path).status == 1
    assert picture.read_text() == "mine"
    assert run("measure", masks, "--mask", "-o", out, "--overwrite").status == 0


@pytest.mark.parametrize(
    "text",
    [
        "name\nx.png",
        "path,um_per_pixel\nmasks/a_left.png,-1",
        "path,disc_row\nmasks/a_left.png,3",
        "path\n",
        "path,eye\n,left",
    ],
)
def test_a_list_that_is_wrong_is_refused_by_name(text: str, masks: Path, tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text(text)
    ran = run("measure", tmp_path / "list.csv", "--mask", "-o", tmp_path / "t.csv")
    assert ran.status in (1, 2)
    assert len(ran.errors) == 1
    assert "list.csv" in ran.errors[0]


def test_a_photograph_is_segmented_first_and_each_measure_has_an_interval_around_it() -> None:
    result = foveate.measure(drawn(1, height=292, width=282).image, um_per_pixel=14.0)
    row = result.row
    for column in ("area_density", "calibre_mean_um", "fractal_d0", "length_um"):
        assert float(row[f"{column}_low"]) <= float(row[column]) <= float(row[f"{column}_high"])
    assert 0 < float(row["expected_f1"]) < 1
    assert result.overlay().shape == (292, 282, 3)


def test_measure_in_python_takes_masks_and_refuses_what_is_none(tmp_path: Path) -> None:
    mask = tree()
    fov = np.zeros_like(mask)
    fov[10:, :] = True
    assert foveate.measure(mask, mask=True, fov=fov).values["area_density"] == mask[fov].mean()
    assert foveate.measure(np.stack((mask, mask)), artery_vein=True).values["artery_vein_calibre_mean"] == 1
    for wrong in ((-1, 20, 40), (83, 20, 0), (83, float("inf"), 40)):
        with pytest.raises(UsageError, match="is no disc"):
            foveate.measure(mask, mask=True, disc=wrong)
    assert foveate.measure(mask, mask=True, disc=(83, 20, 40)).values["calibre_zone_b"] == pytest.approx(6, rel=0.05)
    with pytest.raises(UsageError, match="bool array"):
        foveate.measure(mask.astype(np.uint8), mask=True)
    PillowImage.fromarray(mask).save(tmp_path / "m.png")
    assert foveate.measure(tmp_path / "m.png", mask=True).quality == ()


def test_measuring_in_python_without_scipy_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_given: object, **_known: object) -> object:
        raise ModuleNotFoundError("No module named 'scipy'", name="scipy")

    monkeypatch.setattr("foveate.inference.measuring.measure.measure_one", missing)
    with pytest.raises(UsageError, match=r"measuring needs scipy, which is not installed: pip install .*evaluate"):
        foveate.measure(np.zeros((16, 16), bool), mask=True)
