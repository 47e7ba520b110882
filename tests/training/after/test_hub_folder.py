"""A folder for the hub: whole, checked by the hub's own classes, safe to show, and read back by foveate itself."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard as HubCard
from huggingface_hub import ModelCardData
from markdown_it import MarkdownIt
from safetensors.torch import load_file, save_file

import foveate
from computed_models import changed
from foveate.drawn import draw
from foveate.errors import ModelError, OutputError, UsageError
from foveate.models import ModelCard, open_model, shipped
from foveate.networks import build
from foveate.records import Classes
from foveate.runtime import open_session
from foveate.training.after import hub
from foveate.training.after.export import TOLERANCE
from foveate.training.after.hub import write_hub_folder
from foveate.training.after.hub_page import fenced, readme
from foveate.training.run.tensors import WEIGHTS, load_weights, save_weights
from foveate.training.step.first_weights import first_weights
from small_run import small_recipe

OWN = small_recipe("network.widths=[16, 24, 40, 56]")
"""A recipe whose network is the shipped one."""


@pytest.fixture(scope="module")
def vessels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the shipped model."""
    folder = tmp_path_factory.mktemp("hub") / "vessels"
    foveate.export("vessels", hub_folder=folder)
    return folder


def hub_card(folder: Path) -> HubCard:
    """The page as the hub's own class reads it, which raises for metadata that the hub would refuse."""
    return HubCard((folder / "README.md").read_text(encoding="utf-8"))


def data_of(card: HubCard) -> ModelCardData:
    """Its metadata, as what they are."""
    assert isinstance(card.data, ModelCardData)
    return card.data


def test_the_hubs_own_class_reads_every_score_of_the_card(vessels: Path) -> None:
    found = {
        (result.dataset_type, result.dataset_split, result.metric_name): result.metric_value
        for result in data_of(hub_card(vessels)).eval_results or []
    }
    own = {"f1": "F1 (Dice)", "sensitivity": "Sensitivity", "specificity": "Specificity", "roc_auc": "ROC AUC"}
    counted = {"fov": "inside the field of view", "image": "over the whole image"}
    card = json.loads((vessels / "card.json").read_text("utf-8"))
    assert found == {
        (score["set"], score["split"], f"{title}, {counted[score['scope']]}"): score[name]
        for score in card["scores"]
        for name, title in own.items()
    }
    assert len(found) == len(own) * len(card["scores"]) > 0


def test_weights_made_of_images_with_terms_of_their_own_are_not_given_on_as_if_free(vessels: Path) -> None:
    data = data_of(hub_card(vessels))
    assert (data.license, data["license_link"]) == ("other", "LICENSE.md")
    terms = (vessels / "LICENSE.md").read_text("utf-8").replace("\\", "")
    assert [part.terms for part in open_model("vessels").card.training_data if part.terms not in terms] == []


@pytest.mark.parametrize(
    ("terms", "licence"),
    [
        (("CC BY 4.0.", "CC BY 4.0 (Kingston University research data repository)."), "apache-2.0"),
        (("CC BY 4.0.", "CC BY-NC 4.0."), "other"),
        (("Yours.",), "other"),
        (("CC BY 4.0. But not for you.",), "other"),
        ((), "other"),
    ],
)
def test_the_licence_follows_from_the_terms_of_all_images(terms: tuple[str, ...], licence: str) -> None:
    card = open_model("vessels").card
    seen = tuple(changed_data(card, terms=text) for text in terms)
    assert data_of(HubCard(readme(changed(card, training_data=seen)))).license == licence


def changed_data(card: ModelCard, **fields: Any) -> Any:
    first = card.training_data[0]
    return type(first)(**({name: getattr(first, name) for name in first.__struct_fields__} | fields))


def test_a_run_on_drawn_photographs_becomes_a_folder_that_says_research_only(
    finished_run: Path, tmp_path: Path, exported_once: None
) -> None:
    exported = foveate.export(finished_run, hub_folder=tmp_path / "mine", name="drawn eyes")
    assert exported.file == tmp_path / "mine" / "model.onnx"
    card = hub_card(tmp_path / "mine")
    assert data_of(card).license == "apache-2.0"  # nobody's photographs
    assert data_of(card).eval_results is None  # validation images chose the threshold: no score for a ranking
    assert "**For research, not a medical device.**" in card.text
    assert "research-only" in (data_of(card).tags or [])
    assert foveate.load(exported.file).card.name == "drawn eyes"


def test_the_model_in_the_folder_segments_as_the_shipped_one(vessels: Path) -> None:
    image = draw(3, height=140, width=130).image
    found, expected = (foveate.load(model).segment(image) for model in (vessels / "model.onnx", "vessels"))
    np.testing.assert_array_equal(found.probability, expected.probability)
    np.testing.assert_array_equal(found.mask, expected.mask)


def test_the_configuration_rebuilds_the_network_of_the_weights(vessels: Path) -> None:
    config = json.loads((vessels / "config.json").read_text("utf-8"))
    network = build(config["network"], **config["options"], in_channels=len(config["mean"]), classes=1)
    network.load_state_dict(load_file(vessels / "model.safetensors"))
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 3, 40, 56)).astype(np.float32)
    mean, deviation = (torch.tensor(config[name])[:, None, None] for name in ("mean", "deviation"))
    with torch.inference_mode():
        expected = torch.sigmoid(network.eval()((torch.from_numpy(pixels) - mean) / deviation)).numpy()
    found = open_session((vessels / "model.onnx").read_bytes(), source="test").run(pixels)
    assert found == pytest.approx(expected, abs=TOLERANCE)


@pytest.mark.parametrize("of", ["the folder", "its weights", "the shipped weights' file"])
def test_training_begins_with_the_folder_as_with_the_model_and_knows_what_it_has_seen(vessels: Path, of: str) -> None:
    given = {
        "the folder": vessels,
        "its weights": vessels / "model.safetensors",
        "the shipped weights' file": shipped()["vessels"] / WEIGHTS,
    }
    expected, facts = first_weights(OWN, Classes(), "vessels")
    found, own = first_weights(OWN, Classes(), given[of])
    assert expected is not None
    assert found is not None
    assert all(torch.equal(tensor, found[name]) for name, tensor in expected.items())
    assert own["initial"]["data"] == facts["initial"]["data"] != {}
    assert own["initial"]["sha256"] == facts["initial"]["sha256"]


def test_weights_beside_the_card_of_others_are_refused(vessels: Path, tmp_path: Path, finished_run: Path) -> None:
    (tmp_path / "card.json").write_bytes((vessels / "card.json").read_bytes())
    (tmp_path / "model.safetensors").write_bytes((finished_run / "best.safetensors").read_bytes())
    with pytest.raises(ModelError, match=r"card\.json beside it is that of other weights"):
        first_weights(OWN, Classes(), tmp_path)


HOSTILE = (
    "--- \nlicense: mit",
    "---",
    "a: b # c",
    "x: !!python/object/apply:os.system [id]",
    "*alias &anchor {flow: [1]}",
    "# Approved by the authorities",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "[free](javascript:alert(1)) ![x](http://example.org/x.png) <http://example.org>",
    "http://example.org www.example.org me@example.org",
    "a | b | c |",
    "```",
    "``` \\` `code` ~~~ \\",
    "**For clinical use** _yes_ ~~research~~ &lt;b&gt; $$x$$",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_of_a_card_stays_a_text(text: str) -> None:
    text = " ".join(text.split())  # a card holds no line ends; its own tests say so
    card = open_model("vessels").card
    seen = changed_data(card, title=text, terms=text, citation=text)
    marked = changed(
        card,
        **dict.fromkeys(("name", "description", "input", "output", "threshold_from", "licence", "command"), text),
        network=text,
        source_commit=text,
        notice=text,
        training_data=(seen,),
        validation_f1={text: 0.5},
    )
    plain = changed(card, training_data=(changed_data(card),), validation_f1={"drive": 0.5})
    found, expected = HubCard(readme(marked)), HubCard(readme(plain))
    data = data_of(found)
    assert list(vars(data)) == list(vars(data_of(expected)))
    assert data.license == "other"
    assert data.model_name == text
    assert (data.eval_results or [])[0].dataset_name == text
    assert shape(found.text) == shape(expected.text)
    assert found.text.count("**For research, not a medical device.**") == 1
    # A bare address is a link to the hub's reader, unless a backslash stands before what makes it one.
    outside = found.text.replace(fenced(text), "")
    assert re.findall(r"(?<!\\)://|www\.|(?<!\\)@", outside) == []


def shape(page: str) -> list[tuple[str, str]]:
    """What a page consists of, as a reader of Markdown sees it: all but the words."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(page)
    inside = [part for token in tokens for part in (token, *(token.children or ()))]
    return [(part.type, part.tag) for part in inside if part.type not in ("text", "softbreak", "text_special")]


def test_a_folder_that_can_t_be_written_whole_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vessels: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(hub, "write_bytes", full)
    with pytest.raises(OutputError, match=r"new: can't be written \(No space left on device\)"):
        foveate.export("vessels", hub_folder=tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_something_in_it_stays_as_it_is_and_an_empty_one_is_filled(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "README.md").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="Name a new folder"):
        foveate.export("vessels", hub_folder=tmp_path / "old")
    assert [path.read_text("utf-8") for path in tmp_path.rglob("*.*")] == ["mine"]
    (tmp_path / "empty").mkdir()
    written = foveate.export("vessels", hub_folder=tmp_path / "empty")
    assert written.file.is_file()


def test_weights_that_are_not_the_files_are_refused(tmp_path: Path) -> None:
    network, header = load_weights(shipped()["vessels"] / WEIGHTS)
    others = {name: tensor + 1 if name.endswith("bias") else tensor for name, tensor in network.state_dict().items()}
    save_weights(tmp_path / "others.safetensors", others, header)
    with pytest.raises(ModelError, match=r"export it again, .* differ by"):
        write_hub_folder(open_model("vessels"), tmp_path / "others.safetensors", tmp_path / "hub")
    assert not (tmp_path / "hub").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "either --out FILE.onnx or --hub-folder"),
        ({"out": "model.onnx", "hub_folder": "hub"}, "either --out FILE.onnx or --hub-folder"),
        ({"hub_folder": "hub", "overwrite": True}, "needs a folder that is new or empty"),
    ],
)
def test_a_call_that_doesnt_say_where_to_write_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        foveate.export("vessels", **options)


@pytest.mark.parametrize(
    "header",
    [
        "no JSON",
        "[]",
        '{"network": "unet"}',
        '{"network": "nonesuch", "options": {}}',
        '{"network": "unet", "options": {"widths": "wide"}}',
    ],
)
def test_a_strangers_weights_with_a_header_of_another_kind_are_refused_in_a_line(tmp_path: Path, header: str) -> None:
    save_file({"weight": torch.zeros(1)}, tmp_path / "model.safetensors", metadata={"foveate": header})
    with pytest.raises((ModelError, UsageError)) as caught:
        first_weights(OWN, Classes(), tmp_path)
    assert "\n" not in str(caught.value)
