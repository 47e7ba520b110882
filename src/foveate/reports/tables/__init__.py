"""Results as tables: for a terminal, a spreadsheet, a paper, another program."""
