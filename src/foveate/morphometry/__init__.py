"""From a mask to numbers: centrelines in order, calibre, tortuosity, branching, fractal dimensions, shapes."""
