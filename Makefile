# Siaga. `make help` lists the targets. Everything that needs other software installs it from Debian's packages first.
SHELL := /bin/bash
PROFILE ?= release
SIAGA_BIN := target/$(if $(filter dev,$(PROFILE)),debug,$(PROFILE))/siaga

.PHONY: help
help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

.PHONY: setup
setup: ## install what building and testing need (Debian 12 and newer, as root)
	@scripts/setup.sh

.PHONY: build
build: setup ## the release binary: target/release/siaga
	cargo build --release --locked -p siaga-cli

.PHONY: demo
demo: setup ## build, then watch a database move between two lab nodes, lose its power, and come back
	cargo build --profile ci --locked -p siaga-cli
	scripts/demo.sh target/ci/siaga

.PHONY: test
test: setup ## all tests: the fast ones first, then the lab
	cargo build --profile ci --locked --workspace --all-targets
	scripts/side-by-side.py --first siaga_node --first postgres --first seeds --first notices \
	  --alone net_conflict --alone net_sign_of_life --alone net_virtual_ip --alone net_witness \
	  --profile ci --locked --workspace --exclude siaga-e2e --exclude siaga-lab
	cargo test --profile ci --locked --workspace --doc
	scripts/side-by-side.py --only siaga-lab --alone all --profile ci --locked --workspace -- --test-threads=1
	SIAGA_BIN=$(CURDIR)/target/ci/siaga scripts/side-by-side.py --only siaga-e2e --first faults --first moves \
	  --profile ci --locked --workspace -- --test-threads=1

.PHONY: lint
lint: setup ## formatting, and clippy with warnings as errors
	cargo fmt --all --check
	cargo clippy --profile ci --locked --workspace --lib --bins -- -D warnings
	cargo clippy --profile ci --locked --workspace --all-targets -- -D warnings -A clippy::unwrap_used

.PHONY: bench
bench: build ## speed beside a bare floor, in one run: OPTIONS="--quick" (see docs/bench.md)
	scripts/bench.sh target/release/siaga $(OPTIONS)

.PHONY: deb
deb: setup ## the package for servers: target/debian/siaga_VERSION_amd64.deb (Debian 11 and newer, Ubuntu 20.04 and newer)
	scripts/deb.sh

.PHONY: test-deb
test-deb: deb ## the package on bare trees of Debian 11 to 13 and Ubuntu, offline
	scripts/deb-test.sh target/debian/siaga_*_amd64.deb

.PHONY: vm-test
vm-test: setup $(if $(SIAGA_DEB),,deb) ## the package in virtual machines, from bare servers on (docs/vm-test.md): SHORT=1 for the short form
	scripts/vm/tools.sh
	scripts/vm/image.sh
	$(if $(SIAGA_DEB),SIAGA_DEB=$(abspath $(SIAGA_DEB))) \
	  cargo test --profile ci --locked -p siaga-vm --no-fail-fast --test short \
	  $(if $(SHORT),,--test power --test faults --test upgrade --test unit --test scsi --test multipath --test lvm --test drbd) -- --ignored --nocapture --test-threads=1

.PHONY: guest-test
guest-test: setup ## the storage drivers' own tests, made ready for a machine that may be lost (docs/vm-test.md); runs nothing here
	@scripts/guest-test.sh

.PHONY: test-debian
test-debian: setup ## the lab's tests on another Debian release, with its PostgreSQL: SUITE=trixie (default)
	scripts/on-debian.sh $(or $(SUITE),trixie)

.PHONY: campaign
campaign: ## a long simulated campaign: SEEDS=FROM-TO (default 0-1000000)
	SIAGA_SEEDS=$(or $(SEEDS),0-1000000) cargo test --profile ci --locked -p siaga-sim --test seeds -- --nocapture

.PHONY: campaign-lab
campaign-lab: setup ## hostile nights in the lab, under load: SEEDS=FROM-TO (default 0-4), ROUNDS=8
	cargo build --profile ci --locked -p siaga-cli
	SIAGA_BIN=$(CURDIR)/target/ci/siaga SIAGA_SEEDS=$(or $(SEEDS),0-4) SIAGA_ROUNDS=$(or $(ROUNDS),8) \
	  cargo test --profile ci --locked -p siaga-e2e --test campaign -- --ignored --nocapture

.PHONY: campaign-story
campaign-story: setup ## the paper procedure in both languages, killed in each of its moments: half an hour
	cargo build --profile ci --locked -p siaga-cli
	SIAGA_BIN=$(CURDIR)/target/ci/siaga cargo test --profile ci --locked -p siaga-e2e --test story -- --ignored --nocapture
