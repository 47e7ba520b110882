"""Shipped weights with their cards, and the store that finds and verifies them."""

from foveate.models.card import ModelCard, Score, TrainingData
from foveate.models.store import Model, open_model, shipped

__all__ = ["Model", "ModelCard", "Score", "TrainingData", "open_model", "shipped"]
