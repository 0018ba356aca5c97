# The daily acts. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
FUNCTION ?=
K ?= 2

.PHONY: help setup up down test unit lint format types imports secrets webform webform-test screenshots fuzz bench eval readme escalation escalation-encoder lock deploy clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(STAMP) ## a virtual environment with everything, from hashed locks

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "installing Python packages, a minute or two"
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

webform: webform/dist/widget.js ## build the web form

webform/node_modules/.installed: webform/package-lock.json
	@command -v npm >/dev/null || { echo "Node 20 or newer is needed for the web form: nodejs.org"; exit 1; }
	cd webform && npm ci --no-audit --no-fund
	@touch $@

webform/dist/widget.js: webform/node_modules/.installed $(shell find webform/src webform/index.html webform/*.config.ts webform/*.json webform/*.mjs -type f 2>/dev/null)
	cd webform && npm run build
	@touch $@

up: $(STAMP) webform/dist/widget.js ## the whole system on this machine; DETACH=1 returns when everything answers
	@$(BIN)/fte up $(if $(DETACH),--detach)

down: $(STAMP) ## stop it
	@$(BIN)/fte down

# Tests through processes mostly wait, so three runs go side by side, each about as long: the whole system, then its parts
# against real servers and any input, then the checks and the rest. What the first two said is printed at the end.
SYSTEM := tests/acceptance tests/browser
PARTS := tests/contract tests/fuzz
CHECKS := lint types imports secrets webform-test

test: $(STAMP) webform ## everything that must pass
	@said="$$(mktemp -d)"; trap 'kill $$system $$parts 2>/dev/null; wait; rm -rf "$$said"' EXIT; \
	$(BIN)/python -m pytest $(SYSTEM) >"$$said/system" 2>&1 & system=$$!; \
	$(BIN)/python -m pytest $(PARTS) >"$$said/parts" 2>&1 & parts=$$!; \
	$(MAKE) --no-print-directory $(CHECKS) || exit; \
	$(BIN)/python -m pytest tests $(SYSTEM:%=--ignore=%) $(PARTS:%=--ignore=%); failed=$$?; \
	wait $$system || failed=1; wait $$parts || failed=1; cat "$$said"/*; exit $$failed

unit: $(STAMP) ## the quick tests alone
	$(BIN)/python -m pytest tests/unit

lint: $(STAMP) ## ruff: lint and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP) ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(STAMP) ## pyright, strict
	$(BIN)/pyright

imports: $(STAMP) ## imports point one way
	$(BIN)/lint-imports

secrets: $(STAMP) ## no secret in the repository
	@git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --baseline .secrets.baseline && echo "no secret found"

webform-test: webform/dist/widget.js ## the web form's own tests, also in Chromium where it is installed
	cd webform && npm run typecheck && npm run lint && npm test && npm run test:browser

screenshots: webform/dist/widget.js ## pictures of the form for the README, into specs/images
	cd webform && node tests/browser/pictures.mjs ../specs/images

fuzz: $(STAMP) ## the property tests at 100,000 examples each
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest tests/fuzz --timeout 7200

bench: $(STAMP) webform/dist/widget.js ## inbound to delivered, P50 and P95 per channel, beside a bare function
	$(BIN)/python -m tests.load.bench

eval: $(STAMP) ## cases through tools and production, the confusion matrix of escalation, scenarios through the functions K times
	@$(BIN)/python -m tests.evals.run_cases; cases=$$?; echo; \
	$(BIN)/python -m tests.evals.scenarios -k $(K); exit $$((cases || $$?))

readme: $(STAMP) ## the README's tables of `make eval`, computed anew
	$(BIN)/python -m tests.evals.readme --write

escalation: $(STAMP) ## learn the weights of the escalation check anew, after a change of its examples or ideas
	$(BIN)/python -m shared.agent.likeness.train

escalation-encoder: .venv-training/.installed ## teach the encoder under it anew, half an hour; then make escalation
	.venv-training/bin/python -m training.tune

.venv-training/.installed: requirements/training.txt
	test -x .venv-training/bin/python || $(PYTHON) -m venv .venv-training
	.venv-training/bin/python -m pip install --quiet --require-hashes --requirement requirements/training.txt
	@touch $@

lock: $(STAMP) ## compile the hashed locks anew
	requirements/compile

deploy: ## one function to the cluster: make deploy FUNCTION=agent-run
	@test -n "$(FUNCTION)" || { echo "say which: make deploy FUNCTION=agent-run"; exit 2; }
	knative/deploy $(FUNCTION)

clean: ## remove what builds and tests leave
	rm -rf .pytest_cache .ruff_cache .hypothesis webform/dist
