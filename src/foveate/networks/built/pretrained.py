"""ImageNet weights for the ResNet bodies: by name from the Hugging Face hub, or from a local safetensors file.

Nothing here runs when a network is built: who wants weights calls `load_encoder_weights`. Only safetensors files are
opened, never pickles, which can run code when they are read.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor, nn

from foveate.errors import ModelError, UsageError, install_line, unknown
from foveate.networks.blocks.residual import Bottleneck
from foveate.networks.blocks.resnet import DEPTHS, Depth, ResNet

SHA256 = re.compile("[0-9a-f]{64}")

CLASSIFIER = frozenset({"fc.weight", "fc.bias"})
"""What the files have and a body has not."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where on the hub a body's weights are."""

    depth: Depth
    repository: str
    file: str = "model.safetensors"


CHECKPOINTS = {
    "resnet18": Checkpoint(18, "timm/resnet18.tv_in1k"),
    "resnet34": Checkpoint(34, "timm/resnet34.tv_in1k"),
    "resnet50": Checkpoint(50, "timm/resnet50.tv_in1k"),
    "resnet101": Checkpoint(101, "timm/resnet101.tv_in1k"),
}
"""Name to file. torchvision's first weights, in timm's copy: trained by the plain recipe on the 1.28 million
photographs of ImageNet-1k (ILSVRC 2012), under the BSD 3-Clause licence; the photographs have terms of their own. They
expect RGB in 0 … 1, less MEAN, over DEVIATION."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's photographs, by channel."""


def load_encoder_weights(encoder: ResNet, source: str | Path, *, sha256: str | None = None) -> str:
    """Give the body the weights of `source`: a name of CHECKPOINTS, or the path of a .safetensors file.

    Strict: every tensor of the body must be there in its shape, and no other, but for the classifier's (dropped) and
    the batch norms' `num_batches_tracked` (which old files lack). If anything is wrong the body stays as it was. What
    is frozen stays frozen. Returns the file's SHA-256, for the record of a run.

    Other than 3 input channels: each of the n channels gets the mean of the three colour kernels, times 3/n. So an
    image whose channels are all equal gives just what the same grey gives in RGB: values in the range that the layers
    behind the stem were trained on. A file whose stem already has n channels is taken as it is.

    A named file comes from the hub's cache, without any request, or is fetched into it. Its SHA-256 is compared with
    the one that the hub stated when it was fetched, after which the cache names the file. That proves that the file is
    whole and is the one the hub sent; it does not prove that the hub sent the right one, nor does it stop somebody who
    can write to the cache, and so give the file another name as well. Only a hash that you had from elsewhere does:
    `sha256`, which any file, local or named, must then have.

    Raises UsageError for an unknown name, a file that isn't there, or a name of another depth; ModelError for a file
    that can't be fetched, read or trusted, is no safetensors file, or doesn't fit.
    """
    checkpoint = CHECKPOINTS.get(str(source))
    if checkpoint is None:
        path = _local_file(source)
        stated = None
    else:
        _check_depth(str(source), encoder, checkpoint)
        path, stated = _hub_file(str(source), checkpoint)
    content = _read(path)
    actual = hashlib.sha256(content).hexdigest()
    for expected in (sha256, stated):
        if expected is not None and actual != expected.lower():
            raise ModelError(
                f"{path}: its SHA-256 is {actual}, but {expected} is expected: damaged, changed, or another file. "
                f"Delete {path.resolve()} and fetch it again."
            )
    weights = _for_stem(_tensors(path, content), encoder.conv1.in_channels)
    _check_fit(path, encoder, weights)
    encoder.load_state_dict(weights)
    return actual


def encoder_of(network: nn.Module) -> ResNet:
    """The ResNet body in a network. Raises UsageError where there is none, or more than one."""
    bodies = [module for module in network.modules() if isinstance(module, ResNet)]
    if len(bodies) != 1:
        raise UsageError(
            f"{type(network).__name__} has {len(bodies) or 'no'} ResNet bodies, and pretrained weights are for one: "
            "choose a network or variant with a ResNet encoder."
        )
    return bodies[0]


def _local_file(source: str | Path) -> Path:
    """The path of a file that may be opened."""
    path = Path(source)
    if path.suffix == ".safetensors":
        return path
    if path.is_file() or path.suffix.lower() in {".pth", ".pt", ".pkl", ".pickle", ".bin", ".ckpt"}:
        code = f"save_file(torch.load({str(path)!r}, weights_only=True), {str(path.with_suffix('.safetensors'))!r})"
        raise ModelError(
            f"{path}: refused, only .safetensors files are read: others can be pickles, which can run any code. "
            f'Convert it: python -c "import torch; from safetensors.torch import save_file; {code}"'
        )
    known = unknown("pretrained weights", str(source), CHECKPOINTS)
    raise UsageError(f"{known} Or give the path of a .safetensors file.")


def _hub_file(name: str, checkpoint: Checkpoint) -> tuple[Path, str]:
    """The cached file, fetched if need be, and the SHA-256 that the hub stated for it.

    Where a cache has no links, as on some Windows machines, it doesn't keep that hash, and the hub is asked each time.
    """
    try:
        from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url, try_to_load_from_cache
        from huggingface_hub.errors import HTTPError  # type: ignore[attr-defined]  # of the client it is built on
    except ModuleNotFoundError as error:
        raise ModelError(
            f"'{name}' is fetched by huggingface_hub, which is not installed: {install_line('train')}. Or give a file."
        ) from error
    repository, file = checkpoint.repository, checkpoint.file
    cached_file = try_to_load_from_cache(repository, file)
    cached = Path(cached_file) if isinstance(cached_file, str) else None
    if cached and cached.is_symlink():
        return cached, _stated(str(cached), cached.readlink().name)
    address = hf_hub_url(repository, file)
    try:
        etag = get_hf_file_metadata(address).etag  # fails at once without a connection; a download tries for long
        path = Path(hf_hub_download(repository, file))
    except (OSError, RuntimeError, HTTPError) as error:
        raise ModelError(_unreachable(name, checkpoint, address, error, cached)) from error
    return path, _stated(address, etag)


def _unreachable(name: str, checkpoint: Checkpoint, address: str, error: Exception, cached: Path | None) -> str:
    """What a person without a connection can do."""
    from huggingface_hub.constants import HF_HUB_CACHE

    cause = error.__cause__ or error
    reason = str(cause).strip().partition("\n")[0].rstrip(".") or type(cause).__name__
    folder = f"models--{checkpoint.repository.replace('/', '--')}"
    place = f"fetch {address} on another machine and give its path for '{name}', or copy {folder} from the cache there"
    place += f" to {Path(HF_HUB_CACHE) / folder}"
    if cached is not None:
        place = f"if you trust {cached}, of which no SHA-256 is known here, give that path for '{name}'"
    return (
        f"{checkpoint.repository}, {checkpoint.file}: the Hugging Face hub doesn't give it ({reason}). Without it, "
        f"{place}; or train what stands in for it, from random weights that all learn: training.encoder_weights= "
        "'training.freeze=[]'. HF_HOME says where the hub's cache is; HF_HUB_OFFLINE=1 forbids to fetch."
    )


def _stated(where: str, etag: str | None) -> str:
    """The SHA-256 that an entity tag of the hub is, for a large file."""
    if etag is None or not SHA256.fullmatch(etag):
        raise ModelError(
            f"{where}: the hub states '{etag}', no SHA-256, so it can't be checked. Give a file's path instead."
        )
    return etag


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file. Give the path of a .safetensors file.") from error
    except OSError as error:
        raise ModelError(f"{path}: can't be read ({error.strerror}).") from error


def _tensors(path: Path, content: bytes) -> dict[str, Tensor]:
    """By name, without the classifier's."""
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise ModelError(f"{path}: can't be read as safetensors ({error}). Fetch or convert it again.") from error
    return {name: tensor for name, tensor in tensors.items() if name not in CLASSIFIER}


def _for_stem(weights: dict[str, Tensor], channels: int) -> dict[str, Tensor]:
    """The weights with a stem for so many input channels: see `load_encoder_weights`."""
    kernels = weights.get("conv1.weight")  # (64, 3, 7, 7)
    if kernels is None or kernels.ndim != 4 or kernels.shape[1] != 3 or channels == 3:
        return weights
    grey = kernels.float().mean(dim=1, keepdim=True) * 3 / channels
    return weights | {"conv1.weight": grey.repeat(1, channels, 1, 1)}


def _check_depth(name: str, encoder: ResNet, checkpoint: Checkpoint) -> None:
    depth = _depth_of(encoder.state_dict())
    if depth != checkpoint.depth:
        raise UsageError(
            f"'{name}' is a ResNet-{checkpoint.depth}, but the encoder is a ResNet-{depth}: give 'resnet{depth}'."
        )


def _check_fit(path: Path, encoder: ResNet, weights: Mapping[str, Tensor]) -> None:
    expected = encoder.state_dict()
    depth, given_depth = _depth_of(expected), _depth_of(weights)
    if given_depth is not None and given_depth != depth:
        raise ModelError(
            f"{path}: the weights of a ResNet-{given_depth}, where those of a ResNet-{depth} are expected."
        )
    missing = [name for name in expected if name not in weights and not name.endswith(".num_batches_tracked")]
    problems = [f"'{name}' is missing" for name in missing]
    problems += [f"'{name}' is not part of it" for name in weights if name not in expected]
    both = ((name, expected[name].shape, weights[name].shape) for name in expected if name in weights)
    problems += [f"'{name}' is {_size(b)} instead of {_size(a)}" for name, a, b in both if a != b]
    if problems:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise ModelError(f"{path}: doesn't fit a ResNet-{depth} body: {problems[0]}{more}. Give a file of that body.")


def _size(shape: torch.Size) -> str:
    return "×".join(map(str, shape)) or "one number"


def _depth_of(weights: Mapping[str, Tensor]) -> int | None:
    """18, 34, 50 or 101, told by the names of the blocks; None for any other body."""
    blocks = {(name.split(".")[0], name.split(".")[1]) for name in weights if re.match(r"layer\d+\.\d+\.", name)}
    count = Counter(layer for layer, _ in blocks)
    stages = tuple(count[f"layer{index}"] for index in range(1, 5))
    bottleneck = "layer1.0.conv3.weight" in weights
    for depth, (block, depths) in DEPTHS.items():
        if depths == stages and (block is Bottleneck) == bottleneck:
            return depth
    return None
