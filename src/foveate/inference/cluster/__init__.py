"""Segmenting on the machines of a Ray cluster: the call lists, processes on the machines read, segment and write."""
