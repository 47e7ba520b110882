"""The adapters of data sets, a file each; `SETS` in `foveate.datasets` lists them and says what each must have."""
