# Two commands do everything: `make demo` and `make test`. The rest are their parts.
SHELL := /bin/bash
STATE_DIR ?= .state
export STATE_DIR
BIN := $(STATE_DIR)/venv/bin
export PYTHONPYCACHEPREFIX := $(abspath $(STATE_DIR))/cache/pycache
# a container often asks for no byte code; every process we start would compile Dagster and dbt for itself (5 to 15 s)
unexport PYTHONDONTWRITEBYTECODE
PORTS := POSTGRES_PORT REDIS_PORT SIMULATOR_HUBSPOT_PORT SIMULATOR_STRIPE_PORT SIMULATOR_ZENDESK_PORT \
	SIMULATOR_SMTP_PORT SIMULATOR_MAILBOX_PORT DAGSTER_CODE_PORT DAGSTER_PORT DAGSTER_READONLY_PORT API_PORT STREAMLIT_PORT \
	FRONT_PORT ORCHESTRATOR_PORT
# handed on only when given: make would export the others as empty values
$(foreach name,PYTHON DEMO_PASSWORD SIMULATOR_ACCOUNTS SIMULATOR_DAYS SIMULATOR_SEED $(PORTS),\
	$(if $(value $(name)),$(eval export $(name))))

.PHONY: demo stop status sql advance live pipeline test check check-lint check-types check-imports check-sql check-shell setup setup-dev lock bench screenshots shell clean rollback release backup restore secrets

demo: setup  ## set up, start, load, open; DETACH=1 returns when all is ready
	@$(BIN)/python -m local up $(if $(DETACH),--detach)

stop:  ## stop the demo; its data is kept
	@$(BIN)/python -m local stop

status:  ## one line per service
	@$(BIN)/python -m local status

sql:  ## make sql Q="select count(*) from marts.dim_accounts"
	@$(BIN)/python -m local sql "$$Q"

advance:  ## let DAYS=1 days pass in the simulated world
	@$(BIN)/python -m local run -m simulator advance --days $(or $(DAYS),1)

live:  ## MONTHS=1 pass, and simulated CSMs work on the product's suggestions meanwhile; REGIME=hidden
	@$(BIN)/python -m local run -m simulator live --months $(or $(MONTHS),1) $(if $(REGIME),--regime $(REGIME)) \
		--then "$(BIN)/python -m orchestration.launch incremental --wait"

pipeline:  ## run the incremental pipeline now and watch it
	@$(BIN)/python -m local run -m orchestration.launch incremental --wait

rollback:  ## readers get the build before the published one back, and keep it until `make release`
	@$(BIN)/python -m local run -m orchestration.rollback

release:  ## after a rollback: the next green run publishes again
	@$(BIN)/python -m local run -m orchestration.rollback --release

backup:  ## back the demo's databases up into .state/backups
	@$(BIN)/python -m local run -m deploy backup

restore:  ## put a backup in place: FROM=newest or a folder; REPLACE=1 where there is data, which is kept beside it
	@$(BIN)/python -m local run -m deploy restore $(or $(FROM),newest) $(if $(REPLACE),--replace)

secrets:  ## make the secret files that compose.yaml mounts
	@deploy/make-secrets.sh

test: setup-dev check  ## everything that CI runs
	@local/system-packages.sh
	@local/node.sh npm test
	@$(BIN)/python -m pytest --numprocesses auto --dist loadscope --no-loadscope-reorder $(PYTEST)

# side by side, each part's words in one piece (make 4), and the first that fails fails all
check: setup-dev  ## lint, types, import contracts, SQL style
	@$(MAKE) --no-print-directory --jobs=2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) \
		check-types check-sql check-shell check-imports check-lint

check-lint:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

check-types:
	@$(BIN)/pyright --warnings

check-imports:
	@$(BIN)/lint-imports --cache-dir $(STATE_DIR)/cache/import-linter

check-sql:
	@cd dbt && DBT_TARGET_PATH=$(abspath $(STATE_DIR))/dbt/lint DBT_LOG_PATH=$(abspath $(STATE_DIR))/logs/dbt \
		$(abspath $(BIN))/sqlfluff lint --processes 2 models tests

check-shell:
	@local/node.sh install
	@local/node.sh npm run --silent client:check
	@local/node.sh npm run --silent lint

shell: setup  ## build the Angular shell into the state folder, with a Node of its own
	@local/node.sh build

bench: setup-dev  ## measure the running demo; figures go to bench/results.md
	@$(BIN)/python -m bench $(PARTS)

screenshots: setup-dev  ## photograph every page of the running demo for the README
	@$(BIN)/python -m bench.screenshots $(ACCOUNT)

setup:
	@local/setup.sh demo

setup-dev:
	@local/setup.sh dev

lock:  ## resolve the dependencies again
	@$(STATE_DIR)/tools/bin/uv pip compile -q -U --universal --generate-hashes --no-emit-index-url --no-header pyproject.toml --group embedded -o requirements.lock
	@$(STATE_DIR)/tools/bin/uv pip compile -q -U --universal --generate-hashes --no-emit-index-url --no-header pyproject.toml --group embedded --group dev -o requirements-dev.lock
	@echo uv | $(STATE_DIR)/tools/bin/uv pip compile -q -U --universal --generate-hashes --no-emit-index-url --no-header - -o requirements-tools.lock

clean: stop  ## forget the demo's data; what is installed stays
	@rm -rf $(STATE_DIR)/postgres $(STATE_DIR)/valkey $(STATE_DIR)/dagster $(STATE_DIR)/surveys $(STATE_DIR)/columnar $(STATE_DIR)/run $(STATE_DIR)/env
