"""Images from, and results to, what is no local disk: object stores and servers, by their addresses."""
