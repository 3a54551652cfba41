# Two commands: `make run` starts Lethe with demo data, `make test` checks everything.
# What is missing on this machine is installed by the targets below; each says what it does.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: run test bench kills build site native tools browser format lint test-native test-wasm test-browser deny audit sbom \
	clean

TARGET := $(abspath target)
SITE := $(TARGET)/site
BOUND := $(TARGET)/bound
WASM := $(TARGET)/wasm32-unknown-unknown/wasm-release/frontend.wasm
BINDGEN_VERSION := $(shell sed -n '/^name = "wasm-bindgen"$$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)
export CARGO_TARGET_DIR := $(TARGET)
export LETHE_SITE := $(SITE)

# --- Running -----------------------------------------------------------------------------------------------

run: build ## Build, fill an empty database with a demo library, serve
	@if [[ ! -e data/lethe.db ]]; then mkdir -m 700 -p data && $(TARGET)/debug/lethe demo; fi
	@echo "A demonstration: a password alone is enough. Accounts: lethe staff list; their password: forget me in the library"
	@LETHE_PASSWORD_ALONE=1 $(TARGET)/debug/lethe serve

build: native site

native:
	@cargo build --quiet -p server

# --- Tools -------------------------------------------------------------------------------------------------

tools: $(TARGET)/.tools-$(BINDGEN_VERSION) frontend/node_modules/.package-lock.json

$(TARGET)/.tools-$(BINDGEN_VERSION):
	@.ci/tools $(BINDGEN_VERSION)
	@mkdir -p $(TARGET) && touch $@

frontend/node_modules/.package-lock.json: frontend/package-lock.json
	@echo "Installing the tools that make the browser's part small"
	@cd frontend && npm ci --silent && touch node_modules/.package-lock.json

end2end/node_modules/.package-lock.json: end2end/package-lock.json
	@echo "Installing the browser tests' tools"
	@cd end2end && npm ci --silent && touch node_modules/.package-lock.json

browser: end2end/node_modules/.package-lock.json
	@.ci/browser

# --- The browser's part ------------------------------------------------------------------------------------

site: tools
	@cargo build --quiet -p frontend --target wasm32-unknown-unknown --profile wasm-release
	@$(MAKE) --no-print-directory $(SITE)/hash.txt

$(SITE)/hash.txt: $(WASM) frontend/site.mjs $(shell find style -type f)
	@echo "Making the site: WebAssembly, style sheet, compressed copies"
	@wasm-bindgen $(WASM) --target web --no-typescript --out-dir $(BOUND) --out-name lethe
	@cd frontend && node site.mjs $(BOUND) ../style $(SITE)

# --- Testing -----------------------------------------------------------------------------------------------

test: format lint test-native test-wasm test-browser ## Everything: format, lints, native, Wasm, browser

format:
	@cargo fmt --all --check

lint: tools
	@cargo clippy --quiet --all-targets -- -D warnings
	@cargo clippy --quiet -p app --features ssr --all-targets -- -D warnings
	@cargo clippy --quiet -p frontend --target wasm32-unknown-unknown -- -D warnings
	@.ci/no-server-code-in-wasm
	@.ci/licences

test-native:
	@LETHE_SITE=$(CURDIR)/server/tests/site .ci/with-postgres .ci/with-pgbouncer cargo test
	@cargo test -p app --features ssr

kills: ## Kill the program 200 times in runs on each database, and 50 times in imports
	@KILLS=200 .ci/with-postgres cargo test -p server --test kills -- --nocapture --test-threads 2

test-wasm: tools
	@CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner \
		cargo test -p policy --target wasm32-unknown-unknown

test-browser: build browser ## The browser tests. REPEAT=10 BUSY=2: ten times, beside two busy loops
	@.ci/browser-tests
	@BROWSER_DATABASE=pgbouncer SPEC="task desk" REPEAT=1 .ci/with-postgres .ci/with-pgbouncer .ci/browser-tests

# --- Measuring ---------------------------------------------------------------------------------------------

bench: ## How fast it is, against SQL written by hand; the figures are in target/bench.json
	@POSTGRES_DURABLE=1 .ci/with-postgres cargo bench --quiet -p records --bench speed

# --- What it is made of ------------------------------------------------------------------------------------

deny audit sbom: ## Licences and vulnerabilities; vulnerabilities alone; the software bill of materials
	@.ci/supply-chain $@

clean:
	rm -rf target frontend/node_modules end2end/node_modules
