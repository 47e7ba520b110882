"""One step of learning: the network and what moves it, the losses, the gradients of all processes. Below it: `data`."""
