"""What an installed foveate can do, tried in an environment of its own, without the repository: `scripts/matrix.py`
runs python matrix_uses.py EXTRA … in an empty folder. Prints a line of JSON.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

PHOTOGRAPH, TRUTH = "photo.png", "truth.npy"
SIDE = 320
LEAST_DICE = 0.5
"""Of the drawn vessels; a network that runs wrongly finds far fewer."""

SHORT = (
    "training.epochs=1",
    "training.samples_per_epoch=2",
    "training.batch=2",
    "training.crop=64",
    "training.warm_up=0",
    "training.precision=32-true",
    "preparation.working_minimum=96",
    "preparation.working_maximum=128",
)
"""One step on small images."""


def foveate(*words: object) -> str:
    """What the command prints. Raises RuntimeError with its last words where it fails."""
    ended = subprocess.run(
        [sys.executable, "-m", "foveate", *map(str, words)], capture_output=True, encoding="utf-8", check=False
    )
    if ended.returncode:
        raise RuntimeError(f"foveate {words[0]} ended with {ended.returncode}: {ended.stderr.strip()[-600:]}")
    return ended.stdout


def draw_photograph() -> None:
    """The photograph that all uses begin with, and its true vessels."""
    import numpy as np
    from PIL import Image

    from foveate.drawn import draw

    drawn = draw(3, height=SIDE, width=SIDE)
    Image.fromarray(drawn.image).save(PHOTOGRAPH)
    np.save(TRUTH, drawn.mask)


def dice(mask: Path) -> float:
    """Of a mask's file with the drawn truth."""
    import numpy as np
    from PIL import Image

    with Image.open(mask) as image:
        found = np.array(image) > 0
    truth = np.load(TRUTH)
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))


def segment(*options: str, images: str = PHOTOGRAPH, out: str = "masks") -> float:
    """The Dice of `foveate segment` on the drawn photograph. Raises RuntimeError where it is none of these vessels."""
    foveate("segment", images, "-o", out, *options)
    found = dice(Path(out.removeprefix(f"file://{Path.cwd()}/")) / "photo_mask.png")
    if found < LEAST_DICE:
        raise RuntimeError(f"foveate segment {' '.join(options)} found other vessels: Dice {found:.3f}")
    return found


def imported(code: str) -> set[str]:
    """Modules that a snippet brings into a Python of its own."""
    asking = f"import sys; before = set(sys.modules)\n{code}\nprint('\\n'.join(set(sys.modules) - before))"
    ended = subprocess.run([sys.executable, "-c", asking], capture_output=True, encoding="utf-8", check=True)
    return set(ended.stdout.split())


def packages(code: str) -> list[str]:
    """The installed packages that a snippet brings in, by name, without foveate."""
    tops = {name.partition(".")[0] for name in imported(code)}
    owners = metadata.packages_distributions()
    return sorted({owner for top in tops for owner in owners.get(top, [])} - {"foveate"})


def base() -> dict[str, Any]:
    """Segmenting, and how much `import foveate` and segmenting bring in."""
    segmenting = f"import foveate; foveate.load('vessels').segment({PHOTOGRAPH!r})"
    return {
        "dice": segment(),
        "modules": len(imported("import foveate")),
        "packages": packages(segmenting),
        "doctor": foveate("doctor").count("\n"),
    }


def evaluate() -> str:
    """Scores, measures and an audit."""
    import numpy as np
    from PIL import Image

    data = ("--data", "folder:set", "--split", "all")
    for folder, array in (("images", None), ("masks", np.load(TRUTH))):
        Path("set", folder).mkdir(parents=True)
        with Image.open(PHOTOGRAPH) if array is None else Image.fromarray(array) as image:
            image.save(Path("set", folder, PHOTOGRAPH))
    foveate("evaluate", "vessels", *data, "--json", "scores.json")
    foveate("measure", PHOTOGRAPH, "-o", "measured.csv")
    foveate("report", "vessels", *data, "-o", "report")
    foveate("audit", "--paper", "000")
    return f"evaluate, measure, report, audit; {len(Path('measured.csv').read_text('utf-8').splitlines()) - 1} row"


def nifti() -> str:
    """A volume of slices, read and written."""
    nibabel: Any = import_module("nibabel")
    import numpy as np
    from PIL import Image

    with Image.open(PHOTOGRAPH) as image:
        grey = np.array(image.convert("L"), np.int16)
    nibabel.save(nibabel.Nifti1Image(np.stack([grey, grey], axis=-1), np.diag([0.5, 0.5, 2.0, 1.0])), "volume.nii.gz")
    foveate("segment", "volume.nii.gz", "-o", "volumes")
    return f"a volume of {nibabel.load('volumes/volume_mask.nii.gz').shape}"


def dicom() -> str:
    """A photograph as DICOM, and its mask as DICOM SEG."""
    import numpy as np
    import pydicom
    from PIL import Image
    from pydicom.uid import ExplicitVRLittleEndian, OphthalmicPhotography8BitImageStorage, generate_uid

    with Image.open(PHOTOGRAPH) as image:
        pixels = np.array(image.convert("RGB"))
    made = pydicom.Dataset()
    made.SOPClassUID, made.SOPInstanceUID = OphthalmicPhotography8BitImageStorage, generate_uid()
    made.StudyInstanceUID, made.SeriesInstanceUID = generate_uid(), generate_uid()
    made.Modality, made.PatientName, made.PatientID, made.StudyID = "OP", "Doe^Nobody", "0", "1"
    made.PatientBirthDate = made.PatientSex = made.StudyDate = made.StudyTime = made.AccessionNumber = ""
    made.ReferringPhysicianName, made.SeriesNumber, made.InstanceNumber = "", 1, 1
    made.Rows, made.Columns, made.SamplesPerPixel, made.PlanarConfiguration = *pixels.shape[:2], 3, 0
    made.PhotometricInterpretation, made.BurnedInAnnotation = "RGB", "NO"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 8, 8, 7, 0
    made.PixelData = pixels.tobytes()
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    Path("eyes").mkdir()
    pydicom.dcmwrite("eyes/photo.dcm", made, enforce_file_format=True)
    foveate("segment", "eyes", "-o", "eyes_masks", "--dicom-seg", "binary")
    (written,) = (path for path in Path("eyes_masks").rglob("*.dcm"))
    foreground = int(pydicom.dcmread(written).pixel_array.sum())
    return f"a DICOM SEG with {foreground} pixels"


def serve() -> str:
    """The service is healthy, and answers a photograph with its mask."""
    command = [sys.executable, "-u", "-m", "foveate", "serve", "--port", "0"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    try:
        address = next(found[0] for line in _lines(running) if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        with urllib.request.urlopen(f"{address}/healthz", timeout=60) as answer:
            health = answer.status
        header = {"Content-Type": "image/png"}
        asked = urllib.request.Request(f"{address}/v1/segment", Path(PHOTOGRAPH).read_bytes(), header)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            Path("served_mask.png").write_bytes(answer.read())
    finally:
        running.terminate()
        running.communicate(timeout=60)
    return f"/healthz answers {health}, /v1/segment with a mask of Dice {dice(Path('served_mask.png')):.3f}"


def _lines(running: subprocess.Popen[str]) -> Iterator[str]:
    if running.stdout is None:
        raise RuntimeError("the service has no output")
    yield from running.stdout
    said = running.stderr.read() if running.stderr else ""
    raise RuntimeError(f"foveate serve ended: {said.strip()[-600:]}")


def remote() -> str:
    """The photograph by an address, the mask to another."""
    here = f"file://{Path.cwd()}"
    return f"file:// to file://, Dice {segment(images=f'{here}/{PHOTOGRAPH}', out=f'{here}/remote'):.3f}"


def openvino() -> str:
    """The same network by OpenVINO."""
    return f"--backend openvino, Dice {segment('--backend', 'openvino', out='openvino_masks'):.3f}"


def ray() -> str:
    """The same image on a cluster of this machine's own."""
    return f"--engine ray, Dice {segment('--engine', 'ray', out='ray_masks'):.3f}"


def train() -> str:
    """A network learns for a step, is exported, and segments."""
    foveate("train", "region-guided-vessels", "--data", "synthetic:3", "--out", "runs/mine", *SHORT)
    foveate("export", "runs/mine", "-o", "mine/model.onnx")
    foveate("segment", PHOTOGRAPH, "-o", "mine/masks", "--model", "mine/model.onnx")
    return "a step of training, exported, and a mask by it"


def sweep() -> str:
    """Two trials, ranked; without PyTorch the line that says what is missing."""
    lines = ['recipe = "region-guided-vessels"', "[fixed]"]
    for key, _, value in (setting.partition("=") for setting in SHORT):
        lines.append(f"{key} = {value if value.isdigit() else json.dumps(value)}")
    lines.extend(["[search]", "training.learning_rate = [1e-3, 1e-2]"])
    Path("mine.toml").write_text("\n".join(lines), encoding="utf-8")
    return _trained("sweep", "mine.toml", "--data", "synthetic:3", "--out", "sweeps/mine") or _ranked()


def _ranked() -> str:
    return f"{len(Path('sweeps/mine/sweep.csv').read_text('utf-8').splitlines()) - 1} trials, ranked"


def track() -> str:
    """A step of training, reported to MLflow; without PyTorch the line that says what is missing."""
    words = ("train", "region-guided-vessels", "--data", "synthetic:3", "--out", "runs/tracked", "--track", *SHORT)
    return _trained(*words) or f"a run in {next(Path().rglob('mlflow.db')).name}"


def _trained(*words: str) -> str:
    """Nothing where training succeeded; else that it said truly what it lacks."""
    try:
        import torch  # type: ignore[import-not-found, unused-ignore]  # noqa: F401
    except ModuleNotFoundError:
        try:
            foveate(*words)
        except RuntimeError as error:
            if "pip install" in str(error) and "train]" in str(error):
                return "alone it says that the extra train is missing"
            raise
        raise RuntimeError("training claims to have worked without PyTorch") from None
    foveate(*words)
    return ""


USES: dict[str, Callable[[], object]] = {
    "base": base,
    "dicom": dicom,
    "evaluate": evaluate,
    "nifti": nifti,
    "openvino": openvino,
    "ray": ray,
    "remote": remote,
    "serve": serve,
    "sweep": sweep,
    "track": track,
    "train": train,
}
"""The base install and the extras, by name."""


def main() -> None:
    """Each named use in turn, the first failure ends it."""
    found: dict[str, Any] = {}
    for name in ("base", *sys.argv[1:]):
        try:
            if name == "base":
                draw_photograph()
            found[name] = USES[name]()
        except Exception as error:
            print(json.dumps({"found": found, "failed": name, "error": f"{type(error).__name__}: {error}"}))  # noqa: T201
            return
    print(json.dumps({"found": found}))  # noqa: T201


if __name__ == "__main__":
    main()
