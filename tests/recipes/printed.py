"""What the papers print of the training behind each row of their tables, typed from their text, with its section.

By the key of a recipe. `split` is what the sets are parted by: "official" (a training part that is the set's own or the
field's), "images" (all of the set's images, whoever's they are) or "patients". What a paper leaves open isn't here.
`NO_COLOURS` and `AS_IT_IS` are augmentations of papers that name others, or none, so that these are switched off.
"""

from __future__ import annotations

from typing import Any

Settings = dict[str, Any]

NO_COLOURS: Settings = {f"augmentation.{key}": 0 for key in ("brightness", "contrast", "gamma", "colour")}
AS_IT_IS: Settings = NO_COLOURS | {
    "augmentation.rotation": 0,
    "augmentation.scale": 0,
    "augmentation.flip": False,
    "augmentation.flip_vertical": False,
}

HRF: Settings = AS_IT_IS | {  # section 4 names augmentation as what could be tried
    "split": "images",  # section 3: 90 % training, 10 % validation
    "data.validation_share": 0.1,
    "preparation.fov": "whole",  # section 3
    "training.crop": (704, 1056),
    "training.loss": "dice_bce",  # section 2, "combined loss function"
    "training.optimiser": "adam",  # section 2, "Training was performed", to the end of this table
    "training.learning_rate": 0.001,
    "training.epochs": 300,
    "training.patience": 30,
    "training.schedule": "plateau",
    "training.plateau_patience": 10,
    "training.plateau_factor": 0.5,
    "training.watch": "loss",
}
NESTED: Settings = HRF | {"network.name": "attention_unetpp", "network.widths": (8, 16, 32, 64, 128)}  # section 2
RESIDUAL: Settings = NESTED | {"network.encoder": "residual", "network.gates": True}

LGG: Settings = NO_COLOURS | {
    "network.name": "dual_attention_unet",
    "split": "images",  # section 4.1: 293, 98 and 98 samples
    "data.validation_share": 0.25,  # a fifth, where another fifth is the test part
    "training.samples_per_epoch": 293,
    "preparation.fov": "whole",
    "preparation.working_minimum": 256,  # section 4.3; section 4.1 has 250
    "preparation.working_maximum": 256,
    "training.crop": 256,
    "augmentation.rotation": 40,  # section 4.1, below algorithm 1, to "horizontal flipping"
    "augmentation.shift": 0.2,
    "augmentation.scale": (0.8, 1.2),
    "augmentation.flip": True,
    "augmentation.flip_vertical": False,
    "training.loss": "bce",  # sections 4.3.1 to 4.3.4
    "training.learning_rate": 1e-4,
}
BEFORE_140 = ("stem", "layer1", "layer2", "layer3")
"""Of Keras' ResNet50, whose layer4 begins with its layer 143."""
LGG_PLAIN: Settings = LGG | {  # section 4.3.1
    "network.encoder": "plain",
    "network.attention": False,
    "training.batch": 16,
    "training.epochs": 20,
}
LGG_RESNET: Settings = LGG | {  # section 4.3.3
    "network.encoder": "resnet50",
    "network.attention": False,
    "training.batch": 10,
    "training.epochs": 15,
    "training.freeze": (*BEFORE_140, "layer4"),  # "from layer 240", of 175
}

ISIC: Settings = NO_COLOURS | {
    "network.name": "atten_res_unet",
    "network.depth": 34,  # section 5.3
    "training.encoder_weights": "resnet34",
    "network.attention_residual": False,  # section 7.1
    "preparation.fov": "whole",  # section 8.1
    "augmentation.flip": True,
    "augmentation.flip_vertical": True,
    "augmentation.rotation": 0,
    "augmentation.scale": 0,
    "training.loss": "bce",  # section 9.1
    "training.optimiser": "adam",  # section 9.2
    "training.learning_rate": 1e-3,
    "training.batch": 16,  # section 9.3
    "training.epochs": 10,  # section 9.4
}


def isic(encoder_attention: str, *, decoder_gates: bool) -> Settings:
    """Of a variant of section 9.5."""
    return ISIC | {"network.encoder_attention": encoder_attention, "network.decoder_gates": decoder_gates}


VESSELS: Settings = NO_COLOURS | {
    "network.name": "region_guided",
    "split": "official",  # section IV-A
    "preparation.fov": "whole",
    "preparation.working_minimum": 512,
    "preparation.working_maximum": 512,
    "training.crop": 512,
    "augmentation.rotation": 180,  # section IV-A: 360 degrees, either way up
    "augmentation.flip": True,
    "augmentation.scale": 0,
    "training.epochs": 70,  # section IV-B, to the end of this table
    "training.learning_rate": 1e-3,
    "training.optimiser": "adam",
    "training.schedule": "plateau",
    "training.plateau_patience": 5,
}
DRIVE: Settings = VESSELS | {"training.samples_per_epoch": 7260}  # section IV-A
NARROW: Settings = {"network.widths": (8, 16, 24, 32), "network.attention": True, "network.partial_decoder": True}
UNET: Settings = {"network.attention": False}
IAA: Settings = {"network.attention": True, "network.partial_decoder": False}
IAA_PD: Settings = {"network.attention": True, "network.partial_decoder": True}
DICE_BCE: Settings = {"training.loss": "dice_bce"}  # table II, like the others
DICE: Settings = {"training.loss": "dice"}
IOU: Settings = {"training.loss": "iou"}

PRINTED: dict[str, Settings] = {
    # Paper 000, table 1
    "unet-hrf": HRF | {"network.name": "unet"},
    "segnet-hrf": HRF | {"network.name": "segnet"},
    "attention-unetpp-hrf-plain": NESTED | {"network.encoder": "plain", "network.gates": True},
    "attention-unetpp-hrf": RESIDUAL,
    "attention-unetpp-hrf-all": RESIDUAL,
    # Paper 001, table 5
    "dual-attention-unet-lgg-unet": LGG_PLAIN,
    "dual-attention-unet-lgg-unet-slices": LGG_PLAIN,
    "dual-attention-unet-lgg-attention": LGG  # section 4.3.2
    | {
        "network.encoder": "plain",
        "network.attention": True,
        "training.batch": 10,
        "training.epochs": 15,
        "training.freeze": BEFORE_140,
    },
    "dual-attention-unet-lgg-resnet": LGG_RESNET,
    "dual-attention-unet-lgg-resnet-dice": LGG_RESNET,
    "dual-attention-unet-lgg": LGG  # section 4.3.4
    | {
        "network.encoder": "resnet50",
        "network.attention": True,
        "network.fusion": "sum",  # section 3.2
        "network.channel_gate": "sigmoid",
        "training.batch": 32,
        "training.epochs": 20,
        "training.freeze": BEFORE_140,
    },
    # Paper 002, table 1
    "atten-res-unet-isic2018": isic("limit", decoder_gates=True),
    "atten-res-unet-isic2018-limit-ungated": isic("limit", decoder_gates=True),
    "atten-res-unet-isic2018-residual": isic("limit", decoder_gates=True),
    "atten-res-unet-isic2018-encoder": isic("all", decoder_gates=False),
    "atten-res-unet-isic2018-gated": isic("none", decoder_gates=True),
    "atten-res-unet-isic2018-encoder-gated": isic("all", decoder_gates=True),
    # Paper 003, table II
    "region-guided-drive-unet-iou": DRIVE | UNET | IOU,
    "region-guided-drive-unet-dice": DRIVE | UNET | DICE,
    "region-guided-drive-unet-dice-bce": DRIVE | UNET | DICE_BCE,
    "region-guided-drive-iaa-iou": DRIVE | IAA | IOU,
    "region-guided-drive-iaa-dice": DRIVE | IAA | DICE,
    "region-guided-drive-iaa-dice-bce": DRIVE | IAA | DICE_BCE,
    "region-guided-drive-iaa-pd": DRIVE | IAA_PD | DICE_BCE,
    "region-guided-drive": DRIVE | NARROW | DICE_BCE,
    # Section IV-B, and tables IV and V
    "region-guided-drive-weighted-dice": DRIVE | NARROW | {"training.loss": "weighted_dice"},
    "region-guided-chase-db1": VESSELS | NARROW,
    "region-guided-stare": VESSELS | NARROW,
    # Paper 004, table 1
    "convlstm-unet-drive": {
        "network.name": "convlstm_unet",
        "network.heads": 2,  # section 2.1.3, two sigmoid channels
        "training.side_weight": 1,  # of which both learn
        "training.loss": "bce",  # section 2.2
        "training.optimiser": "sgd",  # section 2.3
        "training.momentum": 0,  # as its formula has none
        "split": "official",  # section 2.4
        "training.batch": 16,  # section 3
        "training.epochs": 5,
    },
    # The authors' code: agaldran/lwnet, train_cyclical.py and utils/get_loaders.py
    "wnet-drive": {
        "network.name": "wnet",
        "network.widths": (8, 16, 32),
        "preparation.fov": "find",
        "preparation.working_minimum": 512,
        "preparation.working_maximum": 512,
        "training.crop": 512,
        "training.batch": 4,
        "training.optimiser": "adam",
        "training.learning_rate": 0.01,
        "training.schedule": "cosine",
        "training.epochs": 1000,
        "training.loss": "bce",
        "training.side_weight": 1,
        "augmentation.rotation": 45,
        "augmentation.shift": 0.05,
    },
    # The authors' code: lseventeen/FR-UNet, config.yaml, train.py, data_process.py and dataset.py
    "fr-unet-drive": NO_COLOURS
    | {
        "network.name": "fr_unet",
        "preparation.channels": "grey",
        "training.crop": 48,
        "training.batch": 512,
        "training.optimiser": "adam",
        "training.learning_rate": 1e-4,
        "training.weight_decay": 1e-5,
        "training.schedule": "cosine",
        "training.epochs": 40,
        "training.loss": "bce",
        "augmentation.flip": True,
        "augmentation.rotation": "quarters",
        "augmentation.scale": 0,
    },
}
"""By the recipe's name."""
