"""One table of networks, readable without torch; `build` imports a network when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, cast

from foveate.errors import UsageError, unknown
from foveate.networks.registry.options import OptionValue, check_options, options_of

if TYPE_CHECKING:
    from torch import nn

    from foveate.networks.blocks.resnet import Freeze, ResNet


@dataclass(frozen=True, slots=True)
class NetworkEntry:
    """Where a network is, which paper it is from, and which rows of that paper's tables have a name."""

    path: str
    """module:class."""
    paper: str
    variants: Mapping[str, Mapping[str, OptionValue]] = field(default_factory=dict)
    """Name to the options in which it differs from the default."""
    learning: frozenset[str] = frozenset()
    """Options that say how it learns, and leave what it computes as it is."""


NETWORKS = {
    "unet": NetworkEntry(
        "foveate.networks.unet:UNet",
        "U-Net: Convolutional Networks for Biomedical Image Segmentation (Ronneberger et al. 2015)",
    ),
    "segnet": NetworkEntry(
        "foveate.networks.segnet:SegNet",
        "SegNet: A Deep Convolutional Encoder-Decoder Architecture (Badrinarayanan et al. 2017)",
    ),
    "attention_unet": NetworkEntry(
        "foveate.networks.attention_unet:AttentionUNet",
        "Attention U-Net: Learning Where to Look for the Pancreas (Oktay et al. 2018)",
    ),
    "unetpp": NetworkEntry(
        "foveate.networks.unetpp:UNetPlusPlus",
        "UNet++: A Nested U-Net Architecture for Medical Image Segmentation (Zhou et al. 2018)",
    ),
    "attention_unetpp": NetworkEntry(
        "foveate.networks.attention_unetpp:AttentionUNetPlusPlus",
        "Biomedical image quality improvements with Attention Mechanisms and Deep Residual Learning (paper 000)",
        variants={
            "residual": {},
            "plain": {"encoder": "plain"},
            "ungated": {"gates": False},
            "plain_ungated": {"encoder": "plain", "gates": False},
            "deep_supervision": {"deep_supervision": True},
        },
    ),
    "dual_attention_unet": NetworkEntry(
        "foveate.networks.dual_attention_unet:DualAttentionUNet",
        "Enhanced U-Net Architecture with ResNet Encoder and Attention Mechanisms (paper 001)",
        variants={
            "unet": {"encoder": "plain", "attention": False},
            "attention": {"encoder": "plain"},
            "resnet": {"attention": False, "freeze": "layer4"},
            "resnet_attention": {"freeze": "layer3"},
            "algorithm1": {"freeze": "layer3", "fusion": "product", "channel_gate": "softmax"},
        },
        learning=frozenset({"freeze"}),
    ),
    "atten_res_unet": NetworkEntry(
        "foveate.networks.atten_res_unet:AttenResUNet",
        "Medical Image Segmentation Using U-Net with ResNet Backbone and Gated Attention (paper 002)",
        variants={
            "gated": {"encoder_attention": "none"},
            "encoder_gated": {"encoder_attention": "all"},
            "encoder": {"encoder_attention": "all", "decoder_gates": False},
            "limit": {},
            "limit_ungated": {"decoder_gates": False},
        },
    ),
    "region_guided": NetworkEntry(
        "foveate.networks.region_guided:RegionGuided",
        "Region Guided Attention Network for Retinal Vessel Segmentation (paper 003)",
        variants={
            "unet": {"widths": (32, 64, 128, 256), "attention": False},
            "iaa": {"widths": (32, 64, 128, 256), "partial_decoder": False},
            "iaa_pd": {"widths": (32, 64, 128, 256)},
            "iaa_pd_narrow": {},
        },
        learning=frozenset({"initial_maps"}),
    ),
    "convlstm_unet": NetworkEntry(
        "foveate.networks.convlstm_unet:ConvLSTMUNet",
        "Improving Semantic Segmentation of Medical Images with Fine-Tuning Techniques (paper 004)",
        variants={"one_head": {}, "two_heads": {"heads": 2}, "bidirectional": {"bidirectional": True}},
    ),
    "wnet": NetworkEntry(
        "foveate.networks.wnet:WNet",
        "State-of-the-art retinal vessel segmentation with minimalistic models (Galdran et al. 2022)",
    ),
    "fr_unet": NetworkEntry(
        "foveate.networks.fr_unet:FRUNet",
        "Full-Resolution Network and Dual-Threshold Iteration for Retinal Vessel and Coronary Angiograph Segmentation"
        " (Liu et al. 2022)",
    ),
}


def build(name: str, *, variant: str | None = None, **options: object) -> nn.Module:
    """The network of that name; options are its constructor's, and go before those of a named variant.

    Raises UsageError for an unknown name, variant or option, naming the nearest and all valid ones, and for a value
    that an option doesn't take.
    """
    constructor = constructor_of(name)
    given = variant_options(name, variant) | options
    return constructor(**check_options(name, options_of(constructor), given))


def constructor_of(name: str) -> type[nn.Module]:
    """The class of that name, imported. Raises UsageError for an unknown name."""
    module, _, constructor = entry_of(name).path.partition(":")
    return cast("type[nn.Module]", getattr(importlib.import_module(module), constructor))


def entry_of(name: str) -> NetworkEntry:
    """The row of the table. Raises UsageError for an unknown name."""
    if name not in NETWORKS:
        raise UsageError(unknown("network", name, NETWORKS))
    return NETWORKS[name]


def variant_options(name: str, variant: str | None) -> dict[str, OptionValue]:
    """In what a named variant differs; nothing for None. Raises UsageError for an unknown one."""
    variants = entry_of(name).variants
    if variant is None:
        return {}
    if variant not in variants:
        raise UsageError(
            unknown(f"variant of {name}", variant, variants) if variants else f"{name} has no named variants."
        )
    return dict(variants[variant])


def resnet(depth: Literal[18, 34, 50, 101], *, in_channels: int = 3, freeze: Freeze = "none") -> ResNet:
    """A bare ResNet body, an encoder for networks of your own: five maps, 1/2 to 1/32 of the image's size."""
    from foveate.networks.blocks.resnet import ResNet

    checked = check_options(
        "resnet", options_of(ResNet), {"depth": depth, "in_channels": in_channels, "freeze": freeze}
    )
    return ResNet(**checked)  # type: ignore[arg-type]  # checked just now
