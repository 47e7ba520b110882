# make demo    segment drawn sample photographs, or your own: make demo IMAGE=photo.jpg
# make test    lint, types, documentation, tests
# make docs    the documentation as a site, build/site/html/index.html, made and looked through without a network
# make results train and score what results/ still lacks, from the public sets in DATA; hours to days, stopped at any time
# make bench   how fast photographs become masks on this machine, as JSON and docs/benchmark.md; some minutes
# make wheel   build dist/foveate-*.whl, weights and recipes inside
# make matrix  install and use that wheel under every Python at hand, at both ends of the dependencies; an hour or more
# make release what is released, into dist/: sdist and wheel, checked and reproducible, with SBOMs; of the last commit
# Each sets up .venv with what it needs, from the versions in constraints.txt.

PYTHON ?= python3
# Processes of `make test`, each of up to 2 GB.
JOBS ?= 2
BIN := .venv/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
PIP_INSTALL := PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet

# Folder of the public data sets.
DATA ?= ../shared/data

# Which cells of the matrix, such as CELLS='--python 3.12 --extra nifti'; all.
CELLS ?=

.PHONY: demo test lint types docs results bench wheel matrix release clean

demo: .venv/base
ifdef IMAGE
	$(BIN)/foveate segment "$(IMAGE)" --out demo --overlay
else
	$(BIN)/foveate demo --out demo
endif

test: lint types docs
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses $(JOBS) --dist worksteal

# What newer syntax or types would trouble is looked for with TARGET=3.13, as the Python that is meant; UP would have the
# source written in what the oldest one can't read.
lint: .venv/full
	$(BIN)/ruff check $(if $(TARGET),--target-version py$(subst .,,$(TARGET)) --ignore UP)
	$(BIN)/ruff format --check

types: .venv/full
	$(BIN)/mypy $(if $(TARGET),--python-version $(TARGET))

docs: .venv/full
	OMP_NUM_THREADS=1 $(BIN)/python scripts/write_site.py build/site/source
	OMP_NUM_THREADS=1 $(BIN)/python -m sphinx -W -n --keep-going --quiet -c docs/site build/site/source build/site/html
	$(BIN)/python scripts/check_site.py build/site/html

results: .venv/full
	$(BIN)/python scripts/results.py run $(DATA)

bench: .venv/full
	$(BIN)/python benchmarks/segmenting.py $(if $(BEFORE),--before $(BEFORE))
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python scripts/write_benchmark.py

wheel: .venv/full
	$(BIN)/python -m build --wheel --no-isolation

matrix: .venv/full
	$(BIN)/python scripts/matrix.py $(CELLS)
	$(BIN)/python scripts/write_matrix.py

release: .venv/full
	$(BIN)/python scripts/release.py

clean:
	rm -rf .venv build dist demo

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "foveate needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv

.venv/base: $(BIN)/python pyproject.toml constraints.txt
	$(PIP_INSTALL) --editable .
	touch $@

.venv/full: .venv/base
	$(PIP_INSTALL) --editable '.[dicom,evaluate,nifti,openvino,ray,remote,serve,sweep,track,train,dev]'
	touch $@
