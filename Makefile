# candor: chaos experiments that ask whether the product tells its users the truth.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
GOFILES := $(shell git ls-files '*.go' 2>/dev/null)

.PHONY: help
help: ## say what can be made
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-10s %s\n", $$1, $$2}' Makefile

.PHONY: build
build: ## build bin/candor, one static binary
	@CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/candor ./cmd/candor

.PHONY: demo
demo: build ## two bookshops, one that lies; three experiments on both; the difference
	@bin/candor demo

.PHONY: test
test: build setup vet ## everything that has to hold, on this machine
	@test -z "$${CANDOR_TEST_NO_DOCKER:-}" || echo "LEFT OUT: every test that needs Docker, because CANDOR_TEST_NO_DOCKER is set" >&2
	@go test -p 1 -timeout 18m ./... # one package at a time: they measure times, and share one engine, one browser and few cores

.PHONY: setup
setup: ## make what the tests need beside Go and Docker (one image with the servers that tests talk to; a browser)
	@testdata/images/prepare
	@testdata/browser/prepare

.PHONY: vet
vet: ## gofmt and go vet
	@unformatted=$$(gofmt -l $(GOFILES)); test -z "$$unformatted" || { echo "$$unformatted"; echo "not formatted by gofmt" >&2; exit 1; }
	@go vet ./... ./testdata/crash/... ./testdata/pooled

.PHONY: e2e
e2e: build setup ## the tests that run whole experiments on real containers
	@go test -count=1 -timeout 18m -run 'E2E|Script' ./cmd/candor

.PHONY: lint
lint: vet ## vet, and staticcheck from the Go module proxy
	@go run honnef.co/go/tools/cmd/staticcheck@latest ./...

.PHONY: bench
bench: ## timing targets, as benchmarks
	@go test -run '^$$' -bench . -benchtime 1s ./...

.PHONY: honest
honest: build ## the whole planted-liar matrix, resumable; prints its table
	@bin/candor selftest --matrix --honest 10

CRASH_TRIALS ?= 500
.PHONY: crash
crash: build ## kill things at drawn moments of CRASH_TRIALS real runs (500), look what is left; prints its table
	@CRASH_TRIALS=$(CRASH_TRIALS) go test -count=1 -timeout $$(( $(CRASH_TRIALS) / 10 + 20 ))m -run 'TestCrashCampaign$$' -v ./cmd/candor

ACCURACY ?= 5
.PHONY: accuracy
accuracy: build ## measure ACCURACY times (5) what each kind of fault really does, and how soon; prints its table
	@ACCURACY=$(ACCURACY) go test -count=1 -p 1 -timeout 60m -run 'TestAccuracy' -v ./faults/docker ./faults/process ./experiments/load | grep -v '^=== '

.PHONY: golden
golden: ## write the golden files anew; read the difference before you commit it
	@go test ./experiments/report ./cmd/candor -update

.PHONY: clean
clean: ## remove what was built and what runs left in this folder
	@rm -rf bin .candor

.PHONY: picture
picture: build ## make the README's picture anew: the lying shop's report, in headless Chromium
	@testdata/pictures/make
