"""The processes of a run: which one this is, where it computes, and how all of them agree. Imports no other room."""
