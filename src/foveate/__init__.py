"""foveate: masks from medical photographs, by small attention U-Nets. For research, not a medical device."""

__version__ = "0.1.0"
