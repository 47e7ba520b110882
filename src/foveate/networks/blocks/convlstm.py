"""Convolutional LSTM (Shi et al., NeurIPS 2015, eq. 3, without the peephole terms, as in Keras).

Axes: B images, C channels, H rows, W columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class ConvLSTMCell(nn.Module):
    """One step: i, f, o = σ(W_x x + W_h h + b) each, g = tanh(…); c' = f c + i g; h' = o tanh(c').

    Deviation: plain sigmoid gates, as in ConvLSTM2D of Keras 3; that of Keras 2 has a piecewise linear "hard sigmoid"
    by default, and papers mostly don't say which they used.
    """

    def __init__(self, in_channels: int, hidden: int, *, kernel: int = 3) -> None:
        super().__init__()
        self.hidden = hidden
        self.of_input = nn.Conv2d(in_channels, 4 * hidden, kernel, padding=kernel // 2)
        self.of_state = nn.Conv2d(hidden, 4 * hidden, kernel, padding=kernel // 2, bias=False)

    def forward(self, x: Tensor, state: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor]:
        """x (B, in, H, W) and state (h, c), each (B, hidden, H, W), to the next state; None is the state of zeros."""
        gates = self.of_input(x)  # (B, 4 hidden, H, W)
        if state is not None:
            gates = gates + self.of_state(state[0])
        i, f, o, g = gates.chunk(4, dim=1)
        cell = torch.sigmoid(i) * torch.tanh(g)
        if state is not None:
            cell = cell + torch.sigmoid(f) * state[1]
        return torch.sigmoid(o) * torch.tanh(cell), cell


def unit_forget_bias(network: nn.Module) -> None:
    """Begin with cells that remember: the forget gates' biases 1 (Jozefowicz et al., ICML 2015), as in Keras."""
    for module in network.modules():
        if isinstance(module, ConvLSTMCell) and module.of_input.bias is not None:
            nn.init.ones_(module.of_input.bias[module.hidden : 2 * module.hidden])


class ConvLSTM(nn.Module):
    """A cell along a sequence of maps; the last hidden map alone: (B, in, H, W) each to (B, hidden, H, W)."""

    def __init__(self, in_channels: int, hidden: int, *, kernel: int = 3) -> None:
        super().__init__()
        self.cell = ConvLSTMCell(in_channels, hidden, kernel=kernel)

    def forward(self, sequence: Sequence[Tensor]) -> Tensor:
        """The first map is the earliest."""
        state: tuple[Tensor, Tensor] | None = None
        for x in sequence:
            state = self.cell(x, state)
        if state is None:
            raise ValueError("a sequence needs at least one map")
        return state[0]
