# Every command of the project. `make test` needs rustup and a C compiler; the cluster targets need root on Debian 12.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
export CARGO_INCREMENTAL ?= 1
MUSL := x86_64-unknown-linux-musl
export CC_x86_64_unknown_linux_musl ?= musl-gcc
export CARGO_TARGET_DIR ?= $(CURDIR)/target
BED := tests/cluster/bed.sh
IMAGES := $(CARGO_TARGET_DIR)/image/forewarm.oci.tar $(CARGO_TARGET_DIR)/image/test-function.oci.tar

.PHONY: help
help: ## This list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "%-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# One seed: what is red today was red yesterday. `make properties` looks further, with a seed of its own each time.
SEED := 20261101

.PHONY: test
test: ## Everything that needs no cluster
	PROPTEST_RNG_SEED=$(SEED) cargo test --workspace --locked

.PHONY: properties
properties: ## The invariants over 10,000 random cases each, minutes; a failure prints its case
	PROPTEST_CASES=10000 cargo test --release --locked -p forewarm-core --test properties

.PHONY: lint
lint: ## Exactly what CI runs: format, clippy, walls between the crates, generated files
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	tests/walls.sh
	$(MAKE) --no-print-directory generate-check

.PHONY: generate
generate: ## CRDs, RBAC, admission rails and the log schema from the code
	cargo build --quiet --locked --workspace --bin forewarm # the whole workspace: with the features of `make test`
	$(CARGO_TARGET_DIR)/debug/forewarm generate --out .

.PHONY: generate-check
generate-check: generate ## Fails when generated files differ from the committed ones
	@git diff --exit-code -- crds charts docs || { echo "generated files differ: run 'make generate' and commit"; exit 1; }

.PHONY: binaries
binaries: ## Static release binaries of the operator and the test function
	tests/cluster/bootstrap.sh >/dev/null
	cargo build --release --locked --target $(MUSL) -p forewarm-operator -p forewarm-test-function

.PHONY: image
image: binaries ## Images from scratch, as OCI archives under target/image
	controller/operator/image.sh

.PHONY: chart
chart: ## Lint and render the chart with the real helm, and try what it must refuse
	charts/check.sh "$$($(BED) build helm)"

.PHONY: profiles-test
profiles-test: ## Every demand profile of the chart, asked of a real Prometheus
	PROMETHEUS_BIN=$$($(BED) build prometheus) PROMTOOL_BIN=$$($(BED) build promtool) \
		cargo test --locked -p forewarm-source --features prometheus --test prometheus

.PHONY: cluster-up
cluster-up: image ## Start a real cluster and leave it running; prints its KUBECONFIG
	@$(BED) up
	@for archive in $(IMAGES); do $(BED) load $$archive; done

.PHONY: cluster-down
cluster-down: ## Take it down
	@$(BED) down

.PHONY: cluster-test
cluster-test: image ## The named tests on a real cluster
	@FOREWARM_IMAGES=$(CARGO_TARGET_DIR)/image tests/cluster/test.sh

.PHONY: cluster-oldest
cluster-oldest: image ## The same on the oldest Kubernetes that is supported; what only a later one has is left out
	@FOREWARM_KUBERNETES=1.33 FOREWARM_IMAGES=$(CARGO_TARGET_DIR)/image tests/cluster/test.sh -skip ahead_of_the_peak

.PHONY: cluster-compare
cluster-compare: image ## HPA, KEDA and Knative alone and with Forewarm, half an hour: `figure: compare.SCALER...`
	@FOREWARM_IMAGES=$(CARGO_TARGET_DIR)/image tests/cluster/test.sh -tags compare -v -timeout 60m ./compare

.PHONY: cluster-long
cluster-long: image ## What needs real time: two writers (FOREWARM_MINUTES, 20), wake-ups by a schedule (FOREWARM_PERIODS, 10 after five), an outage, memory by load
	@FOREWARM_IMAGES=$(CARGO_TARGET_DIR)/image tests/cluster/test.sh -tags long -v -run 'two_writers|wake_up|outage|follows_load' -timeout 150m ./memory ./scalers ./wakeup

.PHONY: cluster-demo
cluster-demo: image ## See it work: a week of history, real requests, the decision log
	@FOREWARM_IMAGES=$(CARGO_TARGET_DIR)/image tests/cluster/demo.sh

.PHONY: prior
prior: ## The shipped forests, made again from their seed
	cargo run --release --locked -p forewarm-bench --no-default-features -- prior --out controller/forecast/src/prior

# FILES="lane.rs features.rs" tries those of these files alone.
.PHONY: mutants
mutants: ## Wrong formulas of the features and of theta, one at a time, each of which a test must catch; an hour
	tests/mutants.sh $(FILES)

.PHONY: bench
bench: ## Figures of the binary as it ships (static), one line each: `figure: NAME VALUE UNIT`
	tests/cluster/bootstrap.sh >/dev/null
	cargo run --release --locked --target $(MUSL) -p forewarm-bench -- tick
	cargo run --release --locked --target $(MUSL) -p forewarm-bench -- cost
	cargo run --quiet --release --locked -p forewarm-sim --example memory -- "$(MEMORY_TRACE)"
	tests/cluster/bench.sh
