"""Which files are meant, and what their results are called."""
