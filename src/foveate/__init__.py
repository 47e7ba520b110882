"""foveate: masks from medical photographs, by small attention U-Nets. For research, not a medical device.

import foveate
vessels = foveate.load("vessels")
result = vessels.segment("photo.jpg")     # result.mask, result.probability, result.fov, result.overlay()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foveate.errors import FoveateError
    from foveate.inference import Segmentation, Segmenter
    from foveate.public.attention import attention
    from foveate.public.audit import audit
    from foveate.public.compare import compare
    from foveate.public.cross import cross
    from foveate.public.doctor import doctor
    from foveate.public.evaluate import evaluate
    from foveate.public.export import export
    from foveate.public.files import read_results, write_results
    from foveate.public.load import load
    from foveate.public.measure import measure, measure_many
    from foveate.public.page import page
    from foveate.public.plan import plan
    from foveate.public.report import report
    from foveate.public.segment import segment
    from foveate.public.serve import serve
    from foveate.public.sweep import sweep, sweep_ranking
    from foveate.public.train import runs, train
    from foveate.records import Photograph
    from foveate.runtime import Execution

__version__ = "0.2.0"
__all__ = [
    "Execution",
    "FoveateError",
    "Photograph",
    "Segmentation",
    "Segmenter",
    "__version__",
    "attention",
    "audit",
    "compare",
    "cross",
    "doctor",
    "evaluate",
    "export",
    "load",
    "measure",
    "measure_many",
    "page",
    "plan",
    "read_results",
    "report",
    "runs",
    "segment",
    "serve",
    "sweep",
    "sweep_ranking",
    "train",
    "write_results",
]

_HOMES = {
    "Execution": "foveate.runtime",
    "FoveateError": "foveate.errors",
    "Photograph": "foveate.records",
    "Segmentation": "foveate.inference",
    "Segmenter": "foveate.inference",
    "attention": "foveate.public.attention",
    "audit": "foveate.public.audit",
    "compare": "foveate.public.compare",
    "cross": "foveate.public.cross",
    "doctor": "foveate.public.doctor",
    "evaluate": "foveate.public.evaluate",
    "export": "foveate.public.export",
    "load": "foveate.public.load",
    "measure": "foveate.public.measure",
    "measure_many": "foveate.public.measure",
    "page": "foveate.public.page",
    "plan": "foveate.public.plan",
    "read_results": "foveate.public.files",
    "report": "foveate.public.report",
    "runs": "foveate.public.train",
    "segment": "foveate.public.segment",
    "serve": "foveate.public.serve",
    "sweep": "foveate.public.sweep",
    "sweep_ranking": "foveate.public.sweep",
    "train": "foveate.public.train",
    "write_results": "foveate.public.files",
}
"""Where each public name is imported from when it is first asked for, so that `import foveate` is quick."""


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'foveate' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
