"""Training, in torch: the loop over a recipe, augmentation, losses, checkpoints, export."""
