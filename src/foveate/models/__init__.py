"""Shipped weights with their cards, and the store that finds and verifies them."""

from foveate.models.card import ModelCard, Score, TrainingData, Trust
from foveate.models.store import Model, open_model, shipped

__all__ = ["Model", "ModelCard", "Score", "TrainingData", "Trust", "open_model", "shipped"]
