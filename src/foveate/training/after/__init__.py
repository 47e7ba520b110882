"""What is done with a network that has learnt: validation, export, a look at its attention. Below it: `step`."""
