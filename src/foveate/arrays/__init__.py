"""Pure array work between the photograph and the network: field of view, preparing, restoring."""
