# What is run here needs Go, make, a POSIX shell and git; a C compiler, where there
# is one, for the race detector. Go fetches the rest through its module proxy.

.NOTPARALLEL:
.DEFAULT_GOAL := help
SHELL := /bin/sh

STEP := tools/step
# A number of runs and not a time: where the time is up in the middle of one, go test
# now and then calls it a failure ("context deadline exceeded").
FUZZTIME ?= 20000x
# ARGS are given to the program that a target runs: make bench ARGS=-short
ARGS ?=
# What bench-compare compares with.
BASE ?= HEAD~1
# Where scale and soak keep their stores: on a real disk.
SCALEDIR ?= bin/scale
SOAKDIR ?= bin/soak

# The race detector is C: Go turns cgo off where it finds no compiler.
ifeq ($(shell go env CGO_ENABLED),1)
RACE := -race
endif

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' Makefile

build: ## bin/stet
	go build -o bin/ ./cmd/stet

check: fmt vet static policy ## the fast checks: format, vet, staticcheck, policy

test: begin check unit survive mutants fuzz cross bench-check ## everything: before a commit
	@echo
	@$(MAKE) -s said-loudly
	@sort -rn bin/peaks 2>/dev/null | awk 'NR == 1 { printf "The largest test process was that of %s: %d MB\n", $$2, $$1 }'
	@echo PASS

fmt:
	@$(STEP) "gofmt" sh -c 'out=$$(gofmt -l .); [ -z "$$out" ] || { echo "not formatted:"; echo "$$out"; exit 1; }'
	@$(STEP) "go.mod is tidy" go mod tidy -diff

vet:
	@$(STEP) "go vet" go vet ./...
	@$(STEP) "go vet of tools/peak" go vet -C tools ./peak

static:
	@$(STEP) "staticcheck" go tool -modfile=tools/go.mod staticcheck ./...

policy:
	@$(STEP) "policy" tools/test -count=1 ./internal/policy

unit:
	@$(STEP) "tests $(RACE)" tools/test $(RACE) $$(go list ./... | grep -vE '/internal/(crash|corrupt|metamorphic)$$')

# Without the race detector, with which it would take up to ten times as long: what kills
# processes, damages files or repeats the calls of one goroutine, all the bad days of the
# network, of which unit has one, and the client over SQLite.
survive:
	@$(STEP) "crashes, power losses, faults, damage, bad networks (short)" tools/test ./internal/crash ./internal/corrupt ./internal/metamorphic ./internal/remote
	@$(STEP) "the client of a server over SQLite" tools/test -run '^TestStoreOverSQLite$$' ./client

mutants: ## each known defect in the real code must be caught
	@$(STEP) "mutants" tools/test ./drivertest/mutants -catch

fuzz: ## each fuzz target for FUZZTIME (20000x: so many runs; or a time, 1m)
	@$(STEP) "fuzz targets, $(FUZZTIME) each" tools/fuzz $(FUZZTIME)

cross: ## build without C for Linux, macOS and Windows
	@for os in linux darwin windows; do \
		CGO_ENABLED=0 GOOS=$$os $(STEP) "build for $$os without C" go build ./... || exit; \
	done
	@CGO_ENABLED=0 GOOS=windows $(STEP) "vet for windows" go vet ./...

bench-check:
	@$(STEP) "bench: vet, build, test" sh -c 'cd bench && go vet ./... && go build -o ../bin/ . && ../tools/test ./...'

bench: ## the table of ratios of docs/benchmarks.md (some minutes)
	cd bench && go run . $(ARGS)

bench-http: ## the same of the service, beside bare net/http and etcd (some minutes)
	cd bench && go run . -http $(ARGS)

bench-compare: ## the rows of bench at the commit BASE and at this one, in turn: BASE=HEAD~1 ARGS='-http -run POST'
	cd bench && go run . compare -base $(BASE) $(ARGS)

crash: ## kill processes and cut the power under them; nothing acknowledged is lost
	go test -count=1 -timeout 2h -v -run 'Kill|PowerLoss' ./internal/crash -long $(ARGS)

faults: ## every write and sync fails in turn, and disks fill up
	go test -count=1 -timeout 2h -v -run 'Fault|Injected|FullDisk' ./internal/crash -long $(ARGS)

close: ## close every engine and the client beside 64 callers, 300 times each
	STET_CLOSE_ROUNDS=300 go test -count=1 -timeout 1h -run '^TestStore/close/beside' ./memory ./sqlite ./client
	STET_CLOSE_ROUNDS=300 go test -count=1 -timeout 1h -run '^TestStore/.*/close/beside' ./internal/remote

corrupt: ## flip 1,000 bits of a store and cut it at 100 lengths; damage is found
	go test -count=1 -v ./internal/corrupt -long $(ARGS)

metamorphic: ## the same operations in many configurations: the answers are equal
	go test -count=1 -v ./internal/metamorphic -rounds 20 $(ARGS)

scale: ## stores of 10,000 to 1,000,000 versions: docs/scale.svg anew (ten minutes, 6 GB in SCALEDIR)
	cd bench && go run . scale -dir $(abspath $(SCALEDIR)) -plot ../docs/scale.svg -report ../docs/scale.json $(ARGS)

soak: ## a mixed load for ten minutes on a new store in SOAKDIR, and its check
	@mkdir -p $(SOAKDIR)
	rm -f $(SOAKDIR)/soak.db $(SOAKDIR)/soak.db-wal $(SOAKDIR)/soak.db-shm
	cd bench && go run . soak -store sqlite:$(abspath $(SOAKDIR))/soak.db $(ARGS)

cover: ## how much of each package the tests run
	go test -coverpkg=./... -coverprofile=cover.out ./...
	go tool cover -func=cover.out | tail -1

golden: ## write the golden files and the example of docs/format.md anew
	go test -run 'Golden' -update .

begin:
	@rm -f bin/left-out bin/peaks

# What was left out is said at the end, where it is read.
said-loudly:
	@if [ -s bin/left-out ]; then sort -u bin/left-out; fi
ifndef RACE
	@echo "!! NOT RUN: the race detector. Go found no C compiler (go env CGO_ENABLED is 0)."
	@echo "!! The tests ran without -race. Install gcc or clang to run them with it."
endif

.PHONY: help build check test fmt vet static policy unit mutants fuzz cross bench-check survive bench bench-http bench-compare crash faults close corrupt metamorphic scale soak cover golden begin said-loudly
