# The two commands of the README are `make demo` and `make test`; most others are parts of them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
LAB := PYTHONPATH=lab $(BIN)/python -m llmfleet_lab
# pyenv's shims of Pythons that are not selected answer with an error: tools that probe for Pythons stumble on them.
export PATH := $(CURDIR)/$(BIN):$(shell echo "$$PATH" | tr ':' '\n' | grep -v '/\.pyenv/shims$$' | paste -sd:)
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.PHONY: venv
venv:
	@lab/bootstrap

.PHONY: demo
demo: lab-up ## From nothing to a completion: the lab, site.yml, one question to the model
	ansible-playbook playbooks/site.yml
	$(LAB) ask "The two commands of the README are"

.PHONY: lab-up
lab-up: venv ## Build what is missing and start the lab
	@$(LAB) up

.PHONY: lab-down
lab-down: venv ## End the lab and remove what it made on this machine
	@$(LAB) down

.PHONY: lab-status
lab-status: venv ## What runs, and what of it is real
	@$(LAB) status

.PHONY: test
test: lint sanity ## All checks: linters, sanity, unit tests, the platform end to end on the lab
	tests/run

.PHONY: test-full
test-full: lint sanity ## As test, with the long scenarios
	tests/run --full

.PHONY: lint
lint: venv ## yamllint, ruff, mypy --strict, ansible-lint (production)
	yamllint --strict .
	ruff check .
	ruff format --check .
	tests/typecheck
	ansible-lint --strict roles playbooks meta galaxy.yml

.PHONY: sanity
sanity: venv ## ansible-test sanity on the built collection
	tests/sanity

.PHONY: unit
unit: venv ## Unit tests only
	python -m pytest tests/unit

.PHONY: digests
digests: venv ## Ask the registries for the digests of the images of meta/versions.yml and write them there
	python meta/digests.py

.PHONY: bench
bench: venv ## Measure rendering, apply and a run without changes, side by side with others, on the running lab
	python -m bench.render
	python -m bench.apply
	python -m bench.site
