"""What is done with a built network: weights of others for its encoder, its stages, its attention recorded."""
