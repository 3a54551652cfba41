# `make run` starts Lethe with demo data, `make test` checks everything, `make help` lists all targets. The targets
# install missing tools.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: run help dev demo build native site tools browser test format lint test-native test-one test-wasm test-scim test-notifications \
	test-browser \
	kills bench screenshots doc dist dist-test deny audit sbom clean

TARGET := $(abspath target)
SITE := $(TARGET)/site
BOUND := $(TARGET)/bound
WASM := $(TARGET)/wasm32-unknown-unknown/wasm-release/frontend.wasm
BINDGEN_VERSION := $(shell sed -n '/^name = "wasm-bindgen"$$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)
export CARGO_TARGET_DIR := $(TARGET)
export LETHE_ASSETS_DIR := $(SITE)

# --- Running -------------------------------------------------------------------------------------------------

run: build demo ## Build, fill an empty database with a demo library, serve (the default)
	@echo "A demonstration: a password alone is enough. Sign in as sw10006 (administrator), ph10004 (systems librarian)"
	@echo "or jk10005 (data protection officer) with the password: forget me in the library"
	@LETHE_ALLOW_PASSWORD_ONLY=1 $(TARGET)/debug/lethe serve

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z][a-z -]*:.*## / { printf "  %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: build demo ## As run; builds, restarts and reloads open pages after each change of a source file
	@LETHE_ALLOW_PASSWORD_ONLY=1 .ci/dev $(TARGET)/debug/lethe

demo: native ## Fill an empty database with a demo library, if there is none
	@if [[ ! -e data/lethe.db ]]; then mkdir -m 700 -p data && $(TARGET)/debug/lethe demo; fi

build: native site ## Build the program and the assets

native: ## Build the program
	@cargo build --quiet -p server

# --- Tools ---------------------------------------------------------------------------------------------------

tools: $(TARGET)/.tools-$(BINDGEN_VERSION) frontend/node_modules/.package-lock.json

$(TARGET)/.tools-$(BINDGEN_VERSION):
	@.ci/tools $(BINDGEN_VERSION)
	@mkdir -p $(TARGET) && touch $@

frontend/node_modules/.package-lock.json: frontend/package-lock.json
	@echo "Installing the tools that optimise the WebAssembly"
	@cd frontend && npm ci --silent && touch node_modules/.package-lock.json

end2end/node_modules/.package-lock.json: end2end/package-lock.json
	@echo "Installing the browser tests' tools"
	@cd end2end && npm ci --silent && touch node_modules/.package-lock.json

browser: end2end/node_modules/.package-lock.json
	@.ci/browser

# --- WebAssembly and assets ----------------------------------------------------------------------------------

site: tools ## Build the assets: WebAssembly, style sheet, compressed copies
	@cargo build --quiet -p frontend --target wasm32-unknown-unknown --profile wasm-release
	@$(MAKE) --no-print-directory $(SITE)/hash.txt

$(SITE)/hash.txt: $(WASM) frontend/site.mjs $(shell find style -type f)
	@echo "Building the site: WebAssembly, style sheet, compressed copies"
	@wasm-bindgen $(WASM) --target web --no-typescript --out-dir $(BOUND) --out-name lethe
	@cd frontend && node site.mjs $(BOUND) ../style $(SITE)

# --- Testing -------------------------------------------------------------------------------------------------

test: format lint doc test-native test-wasm test-scim test-notifications test-browser ## Everything: format, lints, documentation, native, Wasm, SCIM, notifications, browser

format: ## Check the format; cargo fmt corrects it
	@cargo fmt --all --check

lint: tools ## Clippy on all crates, crates in the Wasm, licences, arrows between modules, words
	@LETHE_ASSETS_DIR=$(CURDIR)/server/tests/site \
		cargo clippy --quiet --all-targets --features server/embed-assets -- -D warnings
	@cargo clippy --quiet -p frontend --target wasm32-unknown-unknown -- -D warnings
	@.ci/no-server-code-in-wasm
	@.ci/licences
	@.ci/modules
	@.ci/words

test-native: ## Native tests, on SQLite and PostgreSQL
	@LETHE_ASSETS_DIR=$(CURDIR)/server/tests/site .ci/with-postgres .ci/with-pgbouncer \
		cargo test --features server/embed-assets

test-one: ## One native test by a part of its name: TEST=name, and PACKAGE=store_tests to build less
	@: $(or $(TEST),$(error Say which test: make test-one TEST=name))
	@LETHE_ASSETS_DIR=$(CURDIR)/server/tests/site .ci/with-postgres .ci/with-pgbouncer \
		cargo test $(if $(PACKAGE),-p $(PACKAGE)) $(if $(filter app,$(PACKAGE)),--features ssr) -- $(TEST)

kills: ## Kill the program 200 times in runs on each database, and 50 times in imports
	@KILLS=200 .ci/with-postgres cargo test -p server --test kills -- --nocapture --test-threads 2

test-wasm: tools ## Tests of the rules in WebAssembly
	@CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER=wasm-bindgen-test-runner \
		cargo test -p policy --target wasm32-unknown-unknown

test-scim: native ## The SCIM API: scim2-tester against the program
	@.ci/scim $(TARGET)/debug/lethe

test-notifications: native ## Notifications: mail and webhooks of the program, received by aiosmtpd and standardwebhooks
	@.ci/notifications $(TARGET)/debug/lethe

test-browser: build browser ## Browser tests. SPEC=undo: one file; ONLY=wasm or plain; REPEAT=10 BUSY=2: ten times beside two busy loops
	@.ci/browser-tests
	@BROWSER_DATABASE=pgbouncer SPEC="task desk" REPEAT=1 .ci/with-postgres .ci/with-pgbouncer .ci/browser-tests

# --- Benchmarks ----------------------------------------------------------------------------------------------

bench: ## Compare the speed with SQL written by hand and with bulk loads; the results are in target/bench*.json
	@POSTGRES_DURABLE=1 .ci/with-postgres cargo bench --quiet -p store_tests --bench speed --bench import

# --- Documentation -------------------------------------------------------------------------------------------

doc: ## The documentation of the code, in target/doc; warnings are errors
	@RUSTDOCFLAGS="--cfg erase_components -D warnings" cargo doc --quiet --no-deps

screenshots: build browser ## Take the pictures of the README, in docs/images
	@SCREENSHOTS=1 ONLY=wasm SPEC=screenshots .ci/browser-tests

# --- Releasing ---------------------------------------------------------------------------------------------

dist: site ## The release: a tar.gz and a .deb, with the assets in the program, in target/dist
	@.ci/dist

dist-test: browser ## Install the .deb of make dist in a clean Debian 12, sign in, remove it; as root
	@.ci/dist-test

# --- Supply chain --------------------------------------------------------------------------------------------

deny audit sbom: ## Licences and vulnerabilities; vulnerabilities alone; the software bill of materials
	@.ci/supply-chain $@

clean: ## Remove everything that was built
	rm -rf target frontend/node_modules end2end/node_modules
