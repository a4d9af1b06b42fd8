export CGO_ENABLED ?= 0

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

build: ## bin/tomd
	go build -trimpath -o bin/tomd ./cmd/tomd

# The lab's times mean something only while nothing else runs.
packages = $$(go list ./... | grep -v /integration/natlab$$)

test: ## all tests that this machine can run; names the others at the end
	go run ./integration/notrun -shuffle=on -timeout=5m $(packages)
	@$(MAKE) --no-print-directory natlab

natlab: ## N (1) meetings of each pair of homes behind NATs; prints how they went
	N=$(or $(N),1) go run ./integration/notrun -count=1 -timeout=20m -parallel=8 ./integration/natlab

demo: ## three daemons, one of them killed in the middle: nothing lost, nothing twice
	go run ./integration/demo

bench: ## speed and size, beside what else one might use
	cd integration/bench && go run .

lint: ## format, vet, staticcheck, generated files
	.ci/lint

fuzz: ## every fuzz target for FUZZTIME (10s)
	.ci/fuzz $(or $(FUZZTIME),10s)

soak: ## the long forms of all tests (hours), then the usual ones N (20) times, shuffled
	SOAK=1 go run ./integration/notrun -p 1 -timeout=0 -count=1 $(packages)
	go run ./integration/notrun -shuffle=on -timeout=0 -count=$(or $(N),20) $(packages)

dist: ## binaries for all systems and a systemd user unit, in dist/
	go run ./integration/dist

.PHONY: help build test natlab demo bench lint fuzz soak dist
