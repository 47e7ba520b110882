"""What an evaluation tells the card beside the model that it was of."""
